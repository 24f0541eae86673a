"""Waves of a programme: a pilot cohort first, then others, each with what it is to show and what was decided after it.

A wave is `planned` until a manager starts it, `running` until it is `decided` whether the programme goes on as it is;
`ended` is how a running one is called once its last day is over. Ambassadors who meet its criteria enter its cohort
when it starts, or when they join while it runs; nobody is in two cohorts of a programme, and nobody enters one that is
over, so that its figures stay what they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal

from chassis.web.problems import Conflict, Invalid, Violation
from services.program.domain.people import Person, Segment

WaveState = Literal["planned", "running", "ended", "decided"]
Decision = Literal["go", "no_go"]
MAX_WAVES = 20
"""Of one programme: five years of them, at one a quarter."""
REMINDED_BEFORE: Final = timedelta(days=7)
"""How long before a wave's last day those in its cohort are reminded of it."""


EVERYWHERE = Segment()


@dataclass(frozen=True, slots=True)
class Criteria:
    """Which ambassadors enter: everybody, said in so many words; or those of a segment; or some by id."""

    everybody: bool = False
    segment: Segment = EVERYWHERE
    people: tuple[str, ...] = ()

    def take(self, person: Person) -> bool:
        """Whether the person meets them."""
        if self.people:
            return person.id in self.people
        some = self.segment
        return (
            (not some.countries or person.country in some.countries)
            and (not some.teams or person.team in some.teams)
            and (not some.sites or person.site in some.sites)
            and (not some.leaders_only or person.leader)
        )


@dataclass(frozen=True, slots=True)
class Wave:
    """A wave. Both days are included, in the programme's time zone; `targets` are by measure: `participation` and
    `retention` from 0 to 1, `enps` from -100 to 100. `changes` says what differs from the wave before; `goal`,
    `changes` and `reasons` are Markdown. `closed_on` is the last day of one that was decided."""

    id: str
    program_id: str
    version: int
    name: str
    starts_on: date
    ends_on: date
    criteria: Criteria
    updated_at: datetime
    goal: str = ""
    changes: str = ""
    targets: Mapping[str, float] = field(default_factory=dict)
    state: Literal["planned", "running", "decided"] = "planned"
    started_at: datetime | None = None
    closed_on: date | None = None
    decision: Decision | None = None
    reasons: str = ""
    decided_by: tuple[str, ...] = ()
    recorded_by: str | None = None
    decided_at: datetime | None = None

    @property
    def last_day(self) -> date:
        return self.closed_on or self.ends_on


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody's place in the cohort of a wave. `left_at` is None while they are an ambassador of the programme."""

    id: str
    program_id: str
    person_id: str
    wave_id: str
    entered_at: datetime
    left_at: datetime | None = None


def new_wave(id: str, program_id: str, others: Iterable[Wave], now: datetime, **values: Any) -> Wave:
    """A planned wave. Raises Invalid: `ends_on` `before-start`; `starts_on` or `ends_on` `overlap` (with `name`,
    `first` and `last` of the other wave); `criteria` `empty-segment`."""
    wave = Wave(id=id, program_id=program_id, version=1, updated_at=now, **values)
    _check(wave, others)
    return wave


def change_wave(before: Wave, others: Iterable[Wave], today: date, now: datetime, **values: Any) -> Wave:
    """The wave with these values; the same object if nothing changes. Raises Conflict `wave-decided`; Invalid as
    `new_wave`, and of one that runs `starts_on` or `criteria` `started`, `ends_on` `past`."""
    _check_undecided(before)
    wanted = replace(before, **values)
    if wanted == before:
        return before
    if before.state == "running":
        _check_running(before, wanted, today)
    _check(wanted, others)
    return _next(wanted, now)


def start_wave(before: Wave, others: Sequence[Wave], matching: int, today: date, now: datetime) -> Wave:
    """The wave, which `matching` ambassadors enter; repeating changes nothing.

    Raises Conflict: `wave-decided`; `wave-not-due` (with `starts_on`); `wave-undecided` (with `name`) while another one
    has no decision; `cohort-empty` where nobody would enter. Raises Invalid: `ends_on` `past`; `changes`
    `after-no-go` where the wave before was no go and nothing is said to differ.
    """
    if before.state == "running":
        return before
    _check_undecided(before)
    if today < before.starts_on:
        raise Conflict("This wave has not begun yet.", type_="wave-not-due", starts_on=before.starts_on.isoformat())
    if today > before.ends_on:
        raise Invalid.one("ends_on", "past", "The last day is over.")
    if open_one := next((one for one in others if one.state == "running"), None):
        raise Conflict(f"{open_one.name} has no decision yet.", type_="wave-undecided", name=open_one.name)
    earlier = previous(before, others)
    if earlier and earlier.decision == "no_go" and not before.changes:
        raise Invalid.one("changes", "after-no-go", "The wave before was no go: say what is different now.")
    if not matching:
        raise Conflict("No ambassador meets the criteria.", type_="cohort-empty")
    return _next(replace(before, state="running", started_at=now), now)


def withdraw_wave(before: Wave, now: datetime) -> Wave:
    """The wave, planned again and with nobody in it; repeating changes nothing. Raises Conflict `wave-decided`."""
    _check_undecided(before)
    return before if before.state == "planned" else _next(replace(before, state="planned", started_at=None), now)


def decide_wave(
    before: Wave,
    decision: Decision,
    reasons: str,
    decided_by: Sequence[str],
    recorded_by: str,
    today: date,
    now: datetime,
) -> Wave:
    """The wave with its decision, which ends it; repeating changes nothing. Raises Conflict: `wave-not-started`, or
    `wave-decided` where another decision stands; Invalid: `reasons` or `decided_by` `required`."""
    wanted = (decision, reasons, tuple(decided_by))
    if before.state == "decided":
        if (before.decision, before.reasons, before.decided_by) == wanted:
            return before
        raise _decided()
    if before.state == "planned":
        raise Conflict("A wave is decided on once it was started.", type_="wave-not-started")
    errors = []
    if not reasons.strip():
        errors.append(Violation("reasons", "required", "Say why."))
    if not decided_by:
        errors.append(Violation("decided_by", "required", "Say who decided."))
    if errors:
        raise Invalid("A decision has reasons and names.", errors=errors)
    decided = replace(
        before,
        state="decided",
        closed_on=max(before.starts_on, min(before.ends_on, today)),
        decision=decision,
        reasons=reasons,
        decided_by=tuple(decided_by),
        recorded_by=recorded_by,
        decided_at=now,
    )
    return _next(decided, now)


def reopen_wave(before: Wave, others: Sequence[Wave], now: datetime) -> Wave:
    """The wave as it was before its decision; repeating changes nothing. Raises Conflict: `wave-not-started`;
    `wave-followed` where a later wave was started; Invalid `ends_on` `overlap` where one was planned meanwhile."""
    if before.state == "running":
        return before
    check_started(before)
    if any(one.starts_on > before.starts_on and one.state != "planned" for one in others):
        raise Conflict("A later wave was started: the decision stands.", type_="wave-followed")
    undecided = replace(
        before,
        state="running",
        closed_on=None,
        decision=None,
        reasons="",
        decided_by=(),
        recorded_by=None,
        decided_at=None,
    )
    _check(undecided, others)
    return _next(undecided, now)


def check_planned(wave: Wave) -> None:
    """Raises Conflict `wave-started`."""
    if wave.state != "planned":
        raise Conflict("Only a planned wave can be deleted.", type_="wave-started")


def check_started(wave: Wave) -> None:
    """Raises Conflict `wave-not-started`."""
    if wave.state == "planned":
        raise Conflict("This wave was not started.", type_="wave-not-started")


def state_on(wave: Wave, day: date) -> WaveState:
    """How the wave stands on a day of its programme."""
    return "ended" if wave.state == "running" and day > wave.ends_on else wave.state


def takes_in(wave: Wave, person: Person, day: date) -> bool:
    """Whether an ambassador who joins on that day enters the cohort."""
    return state_on(wave, day) == "running" and wave.criteria.take(person)


def reminds_on(wave: Wave, day: date) -> bool:
    """Whether those in the cohort are reminded of the wave's end by that day; of one that lasts at most twice that
    long they are not."""
    return (
        state_on(wave, day) == "running"
        and wave.ends_on - wave.starts_on > 2 * REMINDED_BEFORE
        and day >= wave.ends_on - REMINDED_BEFORE
    )


def previous(wave: Wave, others: Iterable[Wave]) -> Wave | None:
    """The wave before: of those that were started, the last one that began earlier."""
    begun = [one for one in others if one.state != "planned" and one.starts_on < wave.starts_on]
    return max(begun, key=lambda one: one.starts_on, default=None)


def _check(wave: Wave, others: Iterable[Wave]) -> None:
    errors = []
    chosen = (wave.criteria.everybody, wave.criteria.segment != EVERYWHERE, bool(wave.criteria.people))
    if chosen.count(True) != 1:
        errors.append(
            Violation("criteria", "empty-segment", "Name countries, teams, sites, leaders or people, or `everybody`.")
        )
    if wave.ends_on < wave.starts_on:
        errors.append(Violation("ends_on", "before-start", "The wave ends before it starts."))
    else:
        errors += [_overlap(wave, one) for one in others if _overlaps(wave, one)][:1]
    if errors:
        raise Invalid("The wave cannot be kept.", errors=errors)


def _overlaps(wave: Wave, other: Wave) -> bool:
    return wave.id != other.id and wave.starts_on <= other.last_day and other.starts_on <= wave.last_day


def _overlap(wave: Wave, other: Wave) -> Violation:
    name = "starts_on" if other.starts_on <= wave.starts_on else "ends_on"
    first, last = other.starts_on.isoformat(), other.last_day.isoformat()
    detail = f"{other.name} runs from {first} to {last}."
    return Violation(name, "overlap", detail, params={"name": other.name, "first": first, "last": last})


def _check_running(before: Wave, wanted: Wave, today: date) -> None:
    errors = [
        Violation(name, "started", "The wave has started: this stays as it is.")
        for name in ("starts_on", "criteria")
        if getattr(wanted, name) != getattr(before, name)
    ]
    if wanted.ends_on != before.ends_on and wanted.ends_on < today:
        errors.append(Violation("ends_on", "past", "The last day cannot lie in the past."))
    if errors:
        raise Invalid("The wave runs.", errors=errors)


def _check_undecided(wave: Wave) -> None:
    if wave.state == "decided":
        raise _decided()


def _decided() -> Conflict:
    return Conflict("It was decided what follows this wave.", type_="wave-decided")


def _next(wave: Wave, now: datetime) -> Wave:
    return replace(wave, version=wave.version + 1, updated_at=now)
