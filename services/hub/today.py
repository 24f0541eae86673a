"""What a manager should do today, in three lines; and what a month suggests, with its reasons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any, Final, Protocol

from services.hub.clients import Json
from services.hub.figures import RATES, Tile
from services.hub.view import Missing

LINES: Final = 3
LITTLE: Final = 0.05
"""A figure that moved by less stands still."""
FEW_LEADERS: Final = 0.5
ASIDE: Final = frozenset(("clicks_raw",))
"""Not told of beside the figure that they are a part of."""


@dataclass(frozen=True, slots=True)
class Line:
    """What to do (`<group>.<key>`), and the page where it is done."""

    key: str
    path: str
    count: int = 1
    title: str = ""


class Todo(Protocol):
    """A step of the set-up that is not done: what one does (`setup.do`), and where."""

    @property
    def key(self) -> str: ...

    @property
    def act(self) -> str: ...

    @property
    def path(self) -> str: ...


def items_of(found: Any) -> Sequence[Json]:
    """The items of an answer; none where it could not be had."""
    return () if found is None or isinstance(found, Missing) else found.get("items", ())


def today(day: date, *, tasks: Any, objectives: Any, in_review: Any, missing: Iterable[Todo]) -> list[Line]:
    """At most three lines, what presses most first. `missing` are steps of the set-up."""
    return list(islice(_today(day, tasks, objectives, in_review, missing), LINES))


def _today(day: date, tasks: Any, objectives: Any, in_review: Any, missing: Iterable[Todo]) -> Iterator[Line]:
    due = [(date.fromisoformat(one["due_on"]), one) for one in items_of(tasks)]
    late = [one for when, one in due if when < day]
    if late:
        yield Line("late", "/manage/tasks", len(late), late[0]["title"])
    yield from (Line("due", _task(one), title=one["title"]) for when, one in due if when == day)
    for one in items_of(objectives):
        if one.get("ended") and one.get("state", "open") == "open":
            yield Line("review", f"/manage/objectives/{one['objective_id']}/review", title=one["title"])
    waiting = len(items_of(in_review))
    if waiting:
        yield Line("in_review", "/editor?state=in_review", waiting)
    for one in items_of(objectives):
        if one.get("outlook") == "unlikely" and not one.get("ended"):
            yield Line("behind", "/manage/objectives", title=one["title"])
    yield from (Line(f"step.{one.act}", one.path, title=one.key) for one in missing)
    yield from (Line("next", _task(one), title=one["title"]) for when, one in due if when > day)


def _task(task: Mapping[str, Any]) -> str:
    return f"/manage/tasks/{task['id']}"


@dataclass(frozen=True, slots=True)
class Month:
    """What rose and what fell in a month against the one before, most first, and what that suggests."""

    rose: list[Tile]
    fell: list[Tile]
    suggestions: list[Line]


def month(tiles: Sequence[Tile], *, tasks: Any, objectives: Any, missing: Iterable[Todo]) -> Month:
    """`tiles` have their change against the month before; `tasks` are those of before that are not done."""
    moved = [one for one in tiles if one.change is not None and abs(one.change) >= LITTLE and one.key not in ASIDE]
    rose = sorted((one for one in moved if (one.change or 0) > 0), key=lambda one: -(one.change or 0))[:LINES]
    fell = sorted((one for one in moved if (one.change or 0) < 0), key=lambda one: one.change or 0)[:LINES]
    found = list(islice(_suggested(tiles, fell, tasks, objectives, missing), LINES))
    return Month(rose, fell, found)


def _suggested(
    tiles: Sequence[Tile], fell: Sequence[Tile], tasks: Any, objectives: Any, missing: Iterable[Todo]
) -> Iterator[Line]:
    """By what weighs most: people, then objectives, then the work; what always helps fills the rest."""
    down = {one.key: one for one in fell}
    rates = {one.key: one.number for one in tiles if one.key in RATES}
    for key in ("participation_rate", "active_ambassadors"):
        if key in down:
            yield Line("participation", "/manage/surveys/new", title=down[key].name)
            break
    leaders = rates.get("leader_participation")
    if leaders is not None and leaders < FEW_LEADERS:
        yield Line("leaders", "/manage/ambassadors")
    behind = [one for one in items_of(objectives) if one.get("outlook") == "unlikely" and not one.get("ended")]
    if behind:
        yield Line("behind", "/manage/objectives", title=behind[0]["title"])
    if down.keys() & {"clicks_counted", "engagement_rate", "earned_media_value"}:
        yield Line("clicks", "/manage/setup/mix")
    if "shares" in down:
        yield Line("shares", "/manage/tasks/new")
    late = items_of(tasks)
    if late:
        yield Line("late", "/manage/tasks", len(late), late[0]["title"])
    yield from (Line(f"step.{one.act}", one.path, title=one.key) for one in missing)
    yield Line("thank", "/manage/ambassadors")
    yield Line("plan", "/manage/calendar")
    yield Line("ask", "/manage/surveys")
