"""What a manager should do today, in three lines; and what a month suggests, with its reasons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any, Final, Protocol

from services.hub.clients import Json
from services.hub.figures import RATES, Tile
from services.hub.view import Missing

LINES: Final = 3
LITTLE: Final = 0.05
"""A figure that moved by less stands still."""
FEW_LEADERS: Final = 0.5
NEWSLETTER_DAYS: Final = 28
"""After so many, a further one is due."""
WAITING: Final[Mapping[str, str]] = {
    "applications": "/manage/applications",
    "questions": "/manage/feedback",
    "in_review": "/editor?state=in_review",
    "declared": "/manage/acts",
}
"""Who and what waits for an answer, people first, and the page where it is given."""
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


def today(
    day: date,
    *,
    tasks: Any,
    objectives: Any,
    waves: Any,
    waiting: Mapping[str, Any],
    missing: Iterable[Todo],
    newsletters: Any = None,
    archived: bool = False,
) -> list[Line]:
    """At most three lines, what presses most first: one for all of a kind, so that none hides another. `waiting` are
    lists of people and items that wait for an answer (`WAITING`), `missing` steps of the set-up, `newsletters` the
    latest first. A programme that is over takes nothing new: what is left of it is what was learned."""
    if archived:
        return list(islice(_over(objectives), LINES))
    return list(islice(_today(day, tasks, objectives, waves, waiting, missing, newsletters), LINES))


def _today(
    day: date,
    tasks: Any,
    objectives: Any,
    waves: Any,
    waiting: Mapping[str, Any],
    missing: Iterable[Todo],
    newsletters: Any,
) -> Iterator[Line]:
    due = [(date.fromisoformat(one["due_on"]), one) for one in items_of(tasks)]
    yield from _tasks("late", [one for when, one in due if when < day])
    yield from _tasks("due", [one for when, one in due if when == day])
    for key, path in WAITING.items():
        count = total_of(waiting.get(key))
        if count:
            yield Line(key, path, count)
    ended = [one["wave"] for one in items_of(waves) if one["state"] == "ended"]
    if ended:
        yield Line("wave_over", f"/manage/waves/{ended[0]['id']}", len(ended), ended[0]["name"])
    yield from _over(objectives)
    behind = [one for one in items_of(objectives) if one.get("outlook") == "unlikely" and not one.get("ended")]
    if behind:
        yield Line("behind", "/manage/objectives", len(behind), behind[0]["title"])
    yield from _newsletter(day, newsletters)
    yield from (Line(f"step.{one.act}", one.path, title=one.key) for one in missing)
    yield from (Line("next", _task(one), title=one["title"]) for when, one in due if when > day)


def _newsletter(day: date, newsletters: Any) -> Iterator[Line]:
    for one in items_of(newsletters)[:1]:
        if one["state"] in ("draft", "approved"):
            yield Line("newsletter_waits", f"/manage/newsletters/{one['id']}")
        elif one["begun_at"]:
            days = (day - datetime.fromisoformat(one["begun_at"]).date()).days
            if days >= NEWSLETTER_DAYS:
                yield Line("newsletter_due", "/manage/newsletters", days)


def _over(objectives: Any) -> Iterator[Line]:
    over = [one for one in items_of(objectives) if one.get("ended") and one.get("state", "open") == "open"]
    if over:
        path = f"/manage/objectives/{over[0]['objective_id']}/review"
        yield Line("review", path if len(over) == 1 else "/manage/objectives", len(over), over[0]["title"])


def _tasks(key: str, tasks: Sequence[Mapping[str, Any]]) -> Iterator[Line]:
    if tasks:
        path = _task(tasks[0]) if len(tasks) == 1 else "/manage/tasks"
        yield Line(key, path, len(tasks), tasks[0]["title"])


def _task(task: Mapping[str, Any]) -> str:
    return f"/manage/tasks/{task['id']}"


def total_of(found: Any) -> int:
    """How many a list has, as far as its answer says; 0 where it could not be had."""
    items = items_of(found)
    return max(len(items), (found.get("total") or 0) if isinstance(found, Mapping) else 0)


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
