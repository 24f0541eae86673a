"""The periods in which points are counted: ISO weeks, months, quarters, and all time.

A period is named by a label that no other period has: `2026-W31`, `2026-07`, `2026-Q3`, `all`.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

from chassis.days import week_of

Period = Literal["week", "month", "quarter", "all"]
PERIODS: tuple[Period, ...] = ("week", "month", "quarter", "all")
ALL = "all"


def label(period: Period, day: date) -> str:
    """The label of the period of that kind which holds the day."""
    match period:
        case "week":
            year, week, _ = day.isocalendar()
            return f"{year:04}-W{week:02}"
        case "month":
            return f"{day:%Y-%m}"
        case "quarter":
            return f"{day:%Y}-Q{_quarter(day) + 1}"
        case "all":
            return ALL


@lru_cache(maxsize=1024)
def labels(day: date) -> tuple[str, ...]:
    """The labels of all periods that hold the day."""
    return tuple(label(period, day) for period in PERIODS)


def bounds(period: Period, day: date) -> tuple[date, date] | None:
    """First and last day of the period that holds the day; None for all time."""
    match period:
        case "week":
            first = week_of(day)
            return first, first + timedelta(days=6)
        case "month":
            first = day.replace(day=1)
            return first, _month_after(first) - timedelta(days=1)
        case "quarter":
            first = date(day.year, 3 * _quarter(day) + 1, 1)
            return first, _month_after(date(day.year, first.month + 2, 1)) - timedelta(days=1)
        case "all":
            return None


def _quarter(day: date) -> int:
    return (day.month - 1) // 3


def _month_after(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)
