"""What a programme wants to reach: several objectives at once, each with a figure, a period and somebody who answers
for it.

An objective is `open` until it is `reviewed` after its last day, or `withdrawn`. What was withdrawn can be opened
again; what was reviewed stands, and only what was learned can be written anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from chassis.web.problems import Conflict, Invalid, Violation
from herald_contracts.words import Kpi, UseCase

BaselineSource = Literal["given", "measured"]
ObjectiveState = Literal["open", "reviewed", "withdrawn"]
RATES = ("participation_rate", "leader_participation")
MAX_OPEN = 20
"""Objectives of one programme that are open at once: more are none."""


@dataclass(frozen=True, slots=True)
class Objective:
    """What a programme wants to reach. `target` and `baseline` are in the KPI's unit: a count, a rate from 0 to 1, or
    an amount; the period includes both days, in the programme's time zone. `items` and `challenges` serve it."""

    id: str
    program_id: str
    version: int
    use_case: UseCase
    kpi: Kpi
    baseline: float
    target: float
    starts_on: date
    ends_on: date
    updated_at: datetime
    title: str = ""
    owner_id: str | None = None
    baseline_source: BaselineSource = "given"
    items: tuple[str, ...] = ()
    challenges: tuple[str, ...] = ()
    state: ObjectiveState = "open"
    learned: str = ""
    reviewed_by: str | None = None
    reviewed_at: datetime | None = None


def new_objective(id: str, program_id: str, now: datetime, **values: Any) -> Objective:
    """An open objective with these values. Raises Invalid: `ends_on` `before-start`, `target` `above-one` (a rate) or
    `not-above-baseline`."""
    found = Objective(id=id, program_id=program_id, version=1, updated_at=now, **values)
    _check(found)
    return found


def change_objective(before: Objective, now: datetime, **values: Any) -> Objective:
    """The objective with these values and the next version; the same object if nothing changes. Raises Conflict
    `objective-closed`, and Invalid as `new_objective` does."""
    _check_open(before)
    wanted = replace(before, **values)
    _check(wanted)
    return before if wanted == before else _next(wanted, now)


def review_objective(before: Objective, learned: str, person_id: str, time_zone: str, now: datetime) -> Objective:
    """The objective, looked back at; the same object if nothing changes. Raises Conflict: `objective-not-over` before
    the day after its last one, `objective-closed` where it was withdrawn."""
    if before.state == "withdrawn":
        raise _closed()
    if now.astimezone(ZoneInfo(time_zone)).date() <= before.ends_on:
        raise Conflict(
            "An objective is reviewed when its period is over.",
            type_="objective-not-over",
            ends_on=before.ends_on.isoformat(),
        )
    if before.state == "reviewed" and before.learned == learned:
        return before
    reviewed = replace(before, state="reviewed", learned=learned, reviewed_by=person_id, reviewed_at=now)
    return _next(reviewed, now)


def withdraw_objective(before: Objective, now: datetime) -> Objective:
    """The objective, no longer pursued; repeating changes nothing. Raises Conflict `objective-closed` where it was
    reviewed."""
    if before.state == "withdrawn":
        return before
    _check_open(before)
    return _next(replace(before, state="withdrawn"), now)


def reopen_objective(before: Objective, now: datetime) -> Objective:
    """The objective, pursued again after it was withdrawn; repeating changes nothing. Raises Conflict
    `objective-closed` where it was reviewed."""
    if before.state == "open":
        return before
    if before.state != "withdrawn":
        raise _closed()
    return _next(replace(before, state="open"), now)


def _next(objective: Objective, now: datetime) -> Objective:
    return replace(objective, version=objective.version + 1, updated_at=now)


def _check_open(objective: Objective) -> None:
    if objective.state != "open":
        raise _closed()


def _closed() -> Conflict:
    return Conflict("This objective is closed.", type_="objective-closed")


def _check(objective: Objective) -> None:
    errors = []
    if objective.ends_on < objective.starts_on:
        errors.append(Violation("ends_on", "before-start", "The period ends before it starts."))
    if objective.kpi in RATES and objective.target > 1:
        errors.append(Violation("target", "above-one", "A rate is at most 1 (everybody)."))
    if objective.target <= objective.baseline:
        errors.append(Violation("target", "not-above-baseline", "The target has to lie above the baseline."))
    if errors:
        raise Invalid("The objective cannot be set.", errors=errors)
