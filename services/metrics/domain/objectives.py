"""Progress towards an objective and where it leads at the present pace."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

MIN_FORECAST_DAYS = 7
"""Days of an objective after which there is a forecast: before, one good day would promise too much. An objective of
less than four weeks needs a quarter of its days."""


@dataclass(frozen=True, slots=True)
class Progress:
    """`share` of the way from baseline to target (0 to 1 and beyond); `forecast` is the value on the last day."""

    value: float
    share: float
    forecast: float | None
    on_track: bool | None


def progress(
    value: float, *, baseline: float, target: float, starts_on: date, ends_on: date, today: date, rate: bool
) -> Progress:
    """Linear forecast for what accumulates; a rate is forecast to stay. None before the first day, and while too few
    days have passed (`MIN_FORECAST_DAYS`)."""
    way = target - baseline
    share = round((value - baseline) / way, 6) if way else (1.0 if value >= target else 0.0)
    if today < starts_on:
        return Progress(value, share, None, None)
    total = (ends_on - starts_on).days + 1
    passed = min(total, (today - starts_on).days + 1)
    if passed < min(MIN_FORECAST_DAYS, math.ceil(total / 4)):
        return Progress(value, share, None, None)
    forecast = value if rate else round(value / passed * total, 2)
    return Progress(value, share, forecast, forecast >= target)
