"""Cohorts of waves: who is in one since when, and what its members did in their first weeks.

Each member's weeks are counted from the day on which they entered, so that waves of any length are compared alike, and
what a cohort did does not change when others join the programme. Whoever left the programme counts still: leaving is
one of the things that a wave is to show.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from chassis.proportions import Estimate, difference, net_share, share

FIRST_DAYS: Final = 28
"""Days of a member, that of entering included, in which a share is participation."""
KEPT_DAYS: Final = 35
"""The days after the first four weeks up to here are the week in which a share is retention."""

Step = Literal["joined", "left", "withdrawn"]
Status = Literal["shown", "too_early", "too_few", "none"]


@dataclass(frozen=True, slots=True)
class CohortChange:
    """At `at` (seconds since 1970) a person entered, left the programme, or was taken out of the cohort; `id` orders
    what happened at the same time."""

    at: float
    id: str
    step: Step


@dataclass(frozen=True, slots=True)
class Place:
    """Since when somebody is in a cohort (None: they are not), and whether they left the programme."""

    entered_at: float | None = None
    left: bool = False


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of the members with its interval; without one where `status` says why."""

    status: Status
    estimate: Estimate | None = None
    numerator: int | None = None
    denominator: int | None = None


@dataclass(frozen=True, slots=True)
class Feedback:
    """The eNPS of the last closed survey that asked a wave alone, in points from -100 to 100."""

    status: Status
    estimate: Estimate | None = None
    answers: int | None = None


NO_RATE = Rate("none")
NO_FEEDBACK = Feedback("none")


@dataclass(frozen=True, slots=True)
class CohortFigures:
    """What came of a cohort; `members` and what follows is None where they are fewer than make a group."""

    members: int | None
    left: int | None = None
    shared: int | None = None
    participation: Rate = NO_RATE
    retention: Rate = NO_RATE


def place(changes: Iterable[CohortChange]) -> Place:
    """Where the changes lead, in whatever order they arrived."""
    found = Place()
    for change in sorted(changes, key=lambda one: (one.at, one.id)):
        if change.step == "withdrawn":
            found = Place()
        elif change.step == "joined":
            found = Place(change.at if found.entered_at is None else found.entered_at)
        elif found.entered_at is not None:
            found = Place(found.entered_at, left=True)
    return found


def of_members(
    entered: Mapping[str, date],
    left: Collection[str],
    shared: Mapping[str, Collection[date]],
    today: date,
    least: int,
) -> CohortFigures:
    """The figures of a cohort, by when each member entered, who of them left, and the days on which each shared.

    Participation: of the members whose first four weeks are over, those who shared in them. Retention at four weeks: of
    those of them whose fifth week is over too and who shared in the first four, those who shared in the fifth as well.
    Nothing is said of fewer than `least` people.
    """
    if len(entered) < least:
        return CohortFigures(None)
    began = kept = settled = stayed = active = 0
    settled_began = 0
    for person, first in entered.items():
        days = [day for day in shared.get(person, ()) if day >= first]
        early = any(day < first + timedelta(days=FIRST_DAYS) for day in days)
        active += bool(days)
        if today >= first + timedelta(days=FIRST_DAYS):
            settled += 1
            settled_began += early
        if today >= first + timedelta(days=KEPT_DAYS):
            stayed += 1
            began += early
            kept += early and any(FIRST_DAYS <= (day - first).days < KEPT_DAYS for day in days)
    return CohortFigures(
        members=len(entered),
        left=len(set(left) & entered.keys()),
        shared=active,
        participation=_rate(settled_began, settled, settled, least),
        retention=_rate(kept, began, stayed, least),
    )


def _rate(part: int, whole: int, observed: int, least: int) -> Rate:
    if observed < least:
        return Rate("too_early")
    if whole < least:
        return Rate("too_few")
    return Rate("shown", share(part, whole), part, whole)


def feedback(answers: int | None, promoters: int | None, detractors: int | None, least: int) -> Feedback:
    """What a closed survey of the wave says; of one that fewer than `least` answered, nothing."""
    if answers is None or answers < least:
        return Feedback("too_few")
    if promoters is None or detractors is None:
        return NO_FEEDBACK
    return Feedback("shown", Estimate(*(100 * one for one in net_share(promoters, detractors, answers))), answers)


def compared(one: Rate | Feedback, before: Rate | Feedback) -> Estimate | None:
    """How much it differs from the wave before; the two groups have nobody in common."""
    if one.estimate is None or before.estimate is None:
        return None
    return difference(one.estimate, before.estimate)
