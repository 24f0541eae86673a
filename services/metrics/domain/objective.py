"""How far an objective is, and where it will be at the current pace."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from services.metrics.domain.calendar import Period

PACE_DAYS = 28


@dataclass(frozen=True, slots=True)
class Objective:
    """What a programme wants to reach, and whether it has (for the present target and period)."""

    id: str
    program_id: str
    revision: int
    use_case: str
    kpi: str
    baseline: float
    target: float
    starts_on: date
    ends_on: date
    set_at: datetime
    reached_at: datetime | None = None
    reached_value: float | None = None

    @property
    def period(self) -> Period:
        return Period(self.starts_on, self.ends_on)

    def revise(self, newer: Objective) -> Objective:
        """The objective after another revision arrived: the higher one; reached is reached unless its goal moved."""
        if newer.revision <= self.revision:
            return self
        if self._goal == newer._goal:
            return replace(newer, reached_at=self.reached_at, reached_value=self.reached_value)
        return newer

    @property
    def _goal(self) -> tuple[str, float, date, date]:
        return (self.kpi, self.target, self.starts_on, self.ends_on)

    def elapsed(self, today: date) -> Period | None:
        """Its period so far, today included; None before it begins."""
        return Period(self.starts_on, min(today, self.ends_on)) if self.starts_on <= today else None

    def pace_window(self, today: date) -> Period | None:
        """The part of the elapsed period before the last 28 days: what had been reached by then."""
        elapsed = self.elapsed(today)
        if elapsed is None or elapsed.days <= PACE_DAYS:
            return None
        return Period(elapsed.first, elapsed.last - timedelta(days=PACE_DAYS))


def progress(objective: Objective, value: float) -> float:
    """The way from baseline to target that is done, 0 to 1 (and beyond 1 past the target)."""
    way = objective.target - objective.baseline
    if way <= 0:
        return 1.0 if value >= objective.target else 0.0
    return max(0.0, (value - objective.baseline) / way)


def forecast(objective: Objective, value: float, earlier: float, today: date) -> float | None:
    """The value at the end if every day to come brings what a day of the last 28 (or since the start) brought:

        value + (value - value 28 days ago) / days × days left

    `earlier` is the value 28 days ago, 0 if the period is younger. A rate ends between 0 and 1, a count not
    below 0. None before the period begins.
    """
    elapsed = objective.elapsed(today)
    if elapsed is None:
        return None
    if today >= objective.ends_on:
        return value
    pace = (value - earlier) / min(elapsed.days, PACE_DAYS)
    expected = max(0.0, value + pace * (objective.ends_on - today).days)
    return min(1.0, expected) if objective.kpi == "participation_rate" else expected
