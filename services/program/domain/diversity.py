"""Who takes part, against who there is: groups of people by what they do, their level, their country and their site.

A group of fewer people than `least` is hidden. So that nobody finds it by subtraction from the total, those that are
hidden are at least two, and at least `least` people together: the smallest others are hidden with them until that
holds. Sites are hidden within their country, because a country's total is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.program.domain.people import Segment

Dimension = str
DIMENSIONS: tuple[Dimension, ...] = ("jobs", "levels", "countries", "sites")
MAX_TOLD = 200
"""Groups of one dimension that are told: the largest."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A group: how many people there are, how many of them are ambassadors, how many were never asked. `within` is a
    site's country. A `name` of None is of those of whom it is not known."""

    name: str | None
    people: int
    ambassadors: int
    free: int = 0
    within: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """The groups that are shown, the largest first; and of the others how many groups, people and ambassadors."""

    shown: tuple[Cell, ...]
    hidden_groups: int = 0
    hidden_people: int = 0
    hidden_ambassadors: int = 0


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Whom to invite next: a group in which fewer take part than elsewhere, and how many there would even it out."""

    dimension: Dimension
    name: str
    count: int
    within: str | None = None

    @property
    def segment(self) -> Segment:
        """The people of the group."""
        named: dict[str, Any] = {"countries": (self.within,) if self.within else (), self.dimension: (self.name,)}
        return Segment(**named)


@dataclass(frozen=True, slots=True)
class Diversity:
    """Of a programme; None where all of the company's people are fewer than a group."""

    people: int
    ambassadors: int
    told: Mapping[Dimension, Told]
    suggestion: Suggestion | None


def suppress(cells: Sequence[Cell], least: int) -> Told:
    """What is told of the groups that one total is the sum of."""
    by_size = sorted(
        (one for one in cells if one.people), key=lambda one: (one.people, one.name or "", one.within or "")
    )
    hidden = sum(1 for one in by_size if one.people < least)
    while 0 < hidden < len(by_size) and (hidden < 2 or sum(one.people for one in by_size[:hidden]) < least):
        hidden += 1
    apart = by_size[:hidden]
    return Told(
        tuple(reversed(by_size[hidden:])),
        len(apart),
        sum(one.people for one in apart),
        sum(one.ambassadors for one in apart),
    )


def suppress_within(cells: Sequence[Cell], parents: Told, least: int) -> Told:
    """The same for groups inside of others, of which each shown one has a total of its own."""
    shown = [one.name for one in parents.shown]
    parts = [suppress([cell for cell in cells if cell.within == name], least) for name in shown]
    beyond = [cell for cell in cells if cell.within not in shown]
    return Told(
        tuple(sorted((cell for part in parts for cell in part.shown), key=lambda one: -one.people)),
        sum(part.hidden_groups for part in parts) + len(beyond),
        sum(part.hidden_people for part in parts) + sum(cell.people for cell in beyond),
        sum(part.hidden_ambassadors for part in parts) + sum(cell.ambassadors for cell in beyond),
    )


def diversity(cells: Mapping[Dimension, Sequence[Cell]], least: int) -> Diversity:
    """What is told of a programme's diversity. `cells` of each dimension sum up to everybody."""
    people = sum(one.people for one in cells["countries"])
    ambassadors = sum(one.ambassadors for one in cells["countries"])
    if people < least:
        return Diversity(0, 0, {name: Told(()) for name in DIMENSIONS}, None)
    told = {name: suppress(cells[name], least) for name in DIMENSIONS if name != "sites"}
    told["sites"] = suppress_within(cells["sites"], told["countries"], least)
    return Diversity(people, ambassadors, told, suggest(told, people, ambassadors))


def suggest(told: Mapping[Dimension, Told], people: int, ambassadors: int) -> Suggestion | None:
    """The shown group that lacks the most ambassadors, of those in which somebody was never asked: as many as would
    bring it to the rate of all, or while nobody takes part, a tenth of the largest group."""
    lacking = [
        (_lacking(cell, people, ambassadors), number, dimension, cell)
        for number, (dimension, cell) in enumerate(_named(told))
    ]
    found = max(lacking, key=lambda one: (one[0], -one[1]), default=None)
    if found is None or found[0] < 1:
        return None
    count, _, dimension, cell = found
    return Suggestion(dimension, str(cell.name), count, cell.within)


def _lacking(cell: Cell, people: int, ambassadors: int) -> int:
    due = cell.people * ambassadors / people if ambassadors else cell.people / 10
    return min(int(due - cell.ambassadors + 0.5), cell.free)


def _named(told: Mapping[Dimension, Told]) -> Iterable[tuple[Dimension, Cell]]:
    return ((dimension, cell) for dimension, of in told.items() for cell in of.shown if cell.name is not None)
