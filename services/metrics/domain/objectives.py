"""Progress towards an objective, and where it leads at the present pace."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import NormalDist, fmean, variance
from types import MappingProxyType
from typing import Any, Final, Literal

from services.metrics.domain.figures import ACTS_OF
from services.metrics.domain.periods import Period

FIGURES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "shares": "shares",
        "clicks": "clicks_counted",
        "engagements": "engagements",
        "impressions": "impressions",
        "earned_media_value": "earned_media_value",
        "active_ambassadors": "active_ambassadors",
        "participation_rate": "participation_rate",
        "leader_participation": "leader_participation",
        **{name: name for name in ACTS_OF},
        "lessons_completed": "lessons_completed",
    }
)
"""By KPI, the figure whose definition it has."""
OF_PEOPLE: Final = frozenset(("active_ambassadors", "participation_rate", "leader_participation"))
"""KPIs that count each person once in the period, and so can be no more than there are."""
MIN_FORECAST_DAYS: Final = 7
"""Whole days of an objective after which there is a forecast: before, one good day would promise too much. An
objective of less than four weeks needs a quarter of its days, and two at least."""
PACE_DAYS: Final = 28
"""The present pace is that of so many last days: whole weeks, so that each weekday counts alike."""
MIN_BASELINE_DAYS: Final = 14
LEVEL: Final = 0.8
"""How likely the end lies within the interval, if the days to come are as those that were."""

Outlook = Literal["reached", "likely", "open", "unlikely"]


@dataclass(frozen=True, slots=True)
class Standing:
    """A KPI's figure as it stands: `counted` is the value, or of a rate its numerator, and `whole` what that can be at
    most (None: anything)."""

    value: float
    counted: float
    whole: float | None = None
    rate: bool = False

    @classmethod
    def of(cls, kpi: str, figures: Mapping[str, Mapping[str, Any]]) -> Standing | None:
        """From the figures of the objective's period; None for a KPI that this version does not know."""
        name = FIGURES.get(kpi)
        if name is None or name not in figures:
            return None
        figure = figures[name]
        value = float(figure["value"] or 0)
        if "numerator" in figure:
            return cls(value, float(figure["numerator"]), float(figure["denominator"]), rate=True)
        if kpi in OF_PEOPLE:
            return cls(value, value, float(figures["ambassadors_enrolled"]["value"]))
        return cls(value, value)


@dataclass(frozen=True, slots=True)
class Pace:
    """What whole days of the objective's period brought, of what its KPI counts: in all, and by day the last ones."""

    total: float
    days: int
    last: Sequence[float]


@dataclass(frozen=True, slots=True)
class Progress:
    """`share` of the way to the target (0 to 1 and beyond). `forecast` is the value on the last day, and lies between
    `low` and `high` as likely as `LEVEL` says; None while it is too early to tell. `pace` and `needed` are by day, of
    what is counted: of a rate, people."""

    value: float
    share: float
    days_left: int
    ended: bool
    forecast: float | None = None
    low: float | None = None
    high: float | None = None
    outlook: Outlook | None = None
    pace: float | None = None
    needed: float | None = None


def progress(
    standing: Standing, *, baseline: float, target: float, period: Period, today: date, pace: Pace
) -> Progress:
    """How far an objective is on a day of its programme, `pace` being that of the whole days before.

    What adds up begins at 0 with the period, so its share is `value / target`. What counts people is compared with
    the baseline: `(value - baseline) / (target - baseline)`, 0 while it is below.

    The forecast is what whole days brought and, for the m days left (today is one), m times their mean:
    `T + m * mean`. Its interval is the prediction interval for a sum of m further observations,
    `± t(n - 1) * s * sqrt(m * (1 + m / n))`, with the mean and the standard deviation s of the n last whole days: that
    for their mean, times m (W. Q. Meeker, G. J. Hahn and L. A. Escobar, "Statistical Intervals", 2nd edition, Wiley
    2017, chapter 4). Counts have at least the variance of a Poisson process, their mean; that is taken to be
    one in n days at least, since days on which nothing happened do not tell that nothing ever will. It takes the days
    for alike and independent: a campaign to come is not in it.
    """
    way = target - baseline
    people = standing.whole is not None
    share = max(0.0, (standing.value - baseline) / way) if people and way > 0 else standing.value / target
    days_left = max(0, (period.last - max(today, period.first)).days + 1)
    ended = today > period.last
    reached = standing.value >= target
    known = Progress(standing.value, round(share, 6), days_left, ended, outlook="reached" if reached else None)
    if ended or pace.days < first_forecast(period):
        return known
    scale = (standing.whole or 1.0) if standing.rate else 1.0
    most = math.inf if standing.whole is None else max(standing.whole, standing.counted)
    mean, margin = fmean(pace.last), _margin(pace.last, days_left)
    expected = pace.total + days_left * mean
    forecast, low, high = (
        round(min(most, max(standing.counted, one)) / scale, 6)
        for one in (expected, expected - margin, expected + margin)
    )
    outlook: Outlook = "likely" if low >= target else "unlikely" if high < target else "open"
    return Progress(
        standing.value,
        known.share,
        days_left,
        ended,
        forecast,
        low,
        high,
        "reached" if reached else outlook,
        round(mean, 4),
        round(max(0.0, target * scale - standing.counted) / days_left, 4),
    )


def first_forecast(period: Period) -> int:
    """After how many whole days of a period there is a forecast."""
    return max(2, min(MIN_FORECAST_DAYS, math.ceil(period.days / 4)))


def _margin(last: Sequence[float], days: int) -> float:
    n = len(last)
    spread = max(variance(last), fmean(last), 1 / n)
    return _t_quantile(0.5 + LEVEL / 2, n - 1) * math.sqrt(spread * days * (1 + days / n))


def _t_quantile(p: float, freedom: int) -> float:
    """Student's t by the expansion of Abramowitz and Stegun, 26.7.5; exact for one and two degrees of freedom."""
    if freedom == 1:
        return math.tan(math.pi * (p - 0.5))
    if freedom == 2:
        return (2 * p - 1) / math.sqrt(2 * p * (1 - p))
    z, v = NormalDist().inv_cdf(p), float(freedom)
    return (
        z
        + (z**3 + z) / (4 * v)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
    )


def before(period: Period, today: date, first_day: date | None) -> Period | None:
    """The days by which the baseline of an objective is measured: as many as its own, that end before it and before
    today, from the first day of which anything is known. None where they are fewer than two weeks."""
    last = min(period.first, today) - timedelta(days=1)
    if first_day is None:
        return None
    first = max(first_day, last - timedelta(days=period.days - 1))
    found = Period(first, last)
    return found if found.days >= min(MIN_BASELINE_DAYS, period.days) else None


def measured_baseline(kpi: str, value: float, measured: Period, period: Period) -> float:
    """The baseline of a period by what fewer days brought: what adds up, at their pace."""
    return value if kpi in OF_PEOPLE else round(value / measured.days * period.days, 2)
