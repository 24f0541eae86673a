"""The figures of one period of a programme, kept up to date by what changes: a push costs what changed, not what is.

Everything that a figure needs is counted as it comes. Reading all of it happens once, when a window is opened.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from heapq import nlargest
from typing import Any

from services.metrics.domain import figures
from services.metrics.domain.changes import FigureChange
from services.metrics.domain.counts import Counts, shown_apart
from services.metrics.domain.periods import Period
from services.metrics.domain.value import RateTable

TOP_CONTENTS = 10


@dataclass(frozen=True, slots=True)
class Person:
    """What a person is in a programme's period. `country` is None where it is unknown or must not be told apart."""

    enrolled: bool = False
    leader: bool = False
    country: str | None = None
    finished: bool = False
    """Whether they completed the first-day path before the period was over."""


STRANGER = Person()


@dataclass(frozen=True, slots=True)
class Base:
    """What had happened when a window was opened."""

    counts: Mapping[tuple[str, str], Counts]
    contents: Mapping[str, Counts]
    shares: Mapping[str, int]
    people: Mapping[str, Person]
    available: int
    rates: RateTable
    acts: Mapping[str, int] = field(default_factory=dict)
    lessons: int = 0
    bounds: tuple[float, float] = (0.0, 0.0)
    """The first moment of the period and the first after it, in seconds since 1970."""


@dataclass(slots=True)
class _Group:
    """A country."""

    enrolled: int = 0
    shares: int = 0


@dataclass(slots=True)
class _Participation:
    enrolled: int = 0
    active: int = 0
    leaders: int = 0
    active_leaders: int = 0
    finished: int = 0
    groups: dict[str | None, _Group] = field(default_factory=lambda: defaultdict(_Group))

    def add(self, person: Person, shares: int, sign: int) -> None:
        active = shares > 0
        group = self.groups[person.country]
        group.shares += sign * shares
        if person.enrolled:
            group.enrolled += sign
            self.enrolled += sign
            self.active += sign * active
            self.leaders += sign * person.leader
            self.active_leaders += sign * (person.leader and active)
            self.finished += sign * person.finished


class Window:
    """Counts of a period. `version` is the version of the figures up to which changes are in it; no group of fewer
    than `least` people is shown."""

    def __init__(self, period: Period, version: int, base: Base, least: int) -> None:
        self.period = period
        self.version = version
        self._least = least
        self.traceparent: str | None = None
        self._first, self._last = period.first.isoformat(), period.last.isoformat()
        self._rates = base.rates
        self._available = base.available
        self._whole = figures.Tally()
        self._days: dict[str, Counts] = defaultdict(Counts)
        self._networks: dict[str, Counts] = defaultdict(Counts)
        for (day, network), counts in base.counts.items():
            self._add_counts(day, network, counts)
        self._contents: dict[str, Counter[str]] = {}
        self._shared_contents = 0
        self._top: list[str] = []
        self._acts = Counter(dict(base.acts))
        self._lessons, self._bounds = base.lessons, base.bounds
        self._people: dict[str, Person] = dict(base.people)
        self._shares = Counter(dict(base.shares))
        self._participation = _Participation()
        for person in self._people.keys() | self._shares.keys():
            self._participation.add(self.person(person), self._shares[person], +1)
        self._add_contents(
            (content, {"shares": counts.shares, "click_counted": counts.clicks_counted})
            for content, counts in base.contents.items()
        )

    def person(self, id: str) -> Person:
        """What is known of a person here."""
        return self._people.get(id, STRANGER)

    def knows(self, id: str) -> bool:
        return id in self._people

    def holds(self, day: str) -> bool:
        return self._first <= day <= self._last

    def people_of(self, change: FigureChange) -> set[str]:
        """Of whom one must know what they are before the change is applied."""
        sharers = {person for day, person in change.shares if self.holds(day) and person not in self._people}
        return change.people | sharers

    def apply(self, change: FigureChange, people: Mapping[str, Person], version: int) -> None:
        """Add a change, with what `people_of` it are by now."""
        for (day, network), fields in change.counts.items():
            if self.holds(day):
                self._add_counts(day, network, Counts.of_fields(fields))
        self._add_contents((content, fields) for (day, content), fields in change.contents.items() if self.holds(day))
        for id, person in people.items():
            self._move(id, person, 0)
        for (day, id), number in change.shares.items():
            if self.holds(day):
                self._move(id, self.person(id), number)
        for (day, act), number in change.acts.items():
            if self.holds(day):
                self._acts[act] += number
        start, end = self._bounds
        self._lessons += sum(start <= at < end for at in change.lessons)
        self.version = version
        self.traceparent = change.traceparent or self.traceparent

    def _add_counts(self, day: str, network: str, counts: Counts) -> None:
        self._whole.add(day, network, counts, self._rates)
        self._days[day].merge(counts)
        self._networks[network].merge(counts)

    def _move(self, id: str, person: Person, shares: int) -> None:
        self._participation.add(self.person(id), self._shares[id], -1)
        self._people[id] = person
        self._shares[id] += shares
        self._participation.add(person, self._shares[id], +1)

    def _add_contents(self, changes: Iterable[tuple[str, Mapping[str, int]]]) -> None:
        changed: set[str] = set()
        fell, top = False, set(self._top)
        for content, fields in changes:
            counts = self._contents.setdefault(content, Counter())
            before = counts["shares"] > 0
            counts.update(fields)
            self._shared_contents += (counts["shares"] > 0) - before
            changed.add(content)
            fell = fell or (content in top and any(number < 0 for number in fields.values()))
        candidates = self._contents.keys() if fell else {*self._top, *changed}
        self._top = nlargest(TOP_CONTENTS, candidates, key=self._rank)

    def _rank(self, content: str) -> tuple[int, int, str]:
        counts = self._contents[content]
        return counts["click_counted"], counts["shares"], content

    # --- what is shown -----------------------------------------------------------------------------------------

    def figures(self) -> figures.Figures:
        """Every figure of the whole programme, with its formula."""
        who = self._participation
        people = figures.of_people(
            enrolled=who.enrolled, active=who.active, leaders=who.leaders, active_leaders=who.active_leaders
        )
        contents = figures.of_contents(shared=self._shared_contents, available=self._available)
        acts = figures.of_acts(self._acts)
        learned = figures.of_learning(
            lessons=self._lessons, finished=who.finished, enrolled=who.enrolled, least=self._least
        )
        counted = figures.of_counts(self._whole, self._rates.currency)
        return figures.with_formulas(people | contents | counted | acts | learned)

    def by_day(self) -> list[dict[str, Any]]:
        """Shares and clicks of each day of the period."""
        nothing = Counts()
        return [_line(day, self._days.get(day, nothing)) for day in self.period]

    def by_network(self) -> list[dict[str, Any]]:
        return [_line(network, self._networks[network]) for network in sorted(self._networks)]

    def by_content(self) -> list[dict[str, Any]]:
        """The items that brought most clicks, best first; at most `TOP_CONTENTS`."""
        return [
            {"key": content, "shares": counts["shares"], "clicks_counted": counts["click_counted"]}
            for content in self._top
            if any((counts := self._contents[content]).values())
        ]

    def by_country(self) -> list[dict[str, Any]]:
        """Shares by country; small groups are put together under None, as in any series."""
        groups = {key: one for key, one in self._participation.groups.items() if one.enrolled or one.shares}
        apart = shown_apart({key: one.enrolled for key, one in groups.items()}, self._least)
        rest = [one for key, one in groups.items() if key not in apart]
        found = [
            {"key": key, "shares": groups[key].shares, "ambassadors_enrolled": groups[key].enrolled}
            for key in sorted(apart, key=str)
        ]
        together = sum(one.enrolled for one in rest)
        if together >= self._least:
            found.append({"key": None, "shares": sum(one.shares for one in rest), "ambassadors_enrolled": together})
        return found


def _line(key: str, counts: Counts) -> dict[str, Any]:
    return {"key": key, "shares": counts.shares, "clicks_counted": counts.clicks_counted}
