"""The figures of one slice: counts, and the ratios made of them. `definitions` says the same in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

from services.metrics.domain.facts import ACTIONS, MEASURES, SHARES, VERDICTS, measure_name
from services.metrics.domain.value import RateTable, Sum, earned_media_value


@dataclass(frozen=True, slots=True)
class Ratio:
    """A part of a whole; without a whole there is no value."""

    numerator: int
    denominator: int

    @property
    def value(self) -> float | None:
        return self.numerator / self.denominator if self.denominator else None


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who was enrolled at any time in the period, and in what capacities."""

    person_id: str
    countries: frozenset[str]
    teams: frozenset[str]
    leader: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """Every figure of one slice. Clicks by verdict; engagements by kind (measured) and by measure (all kinds)."""

    participation_rate: Ratio
    leaders_participation: Ratio
    active_ambassadors: int
    ambassadors_enrolled: int
    shares: int
    clicks_raw: int
    clicks_counted: int
    clicks_by_verdict: dict[str, int]
    engagements: dict[str, int]
    engagements_by_measure: dict[str, int]
    impressions: dict[str, int]
    engagement_rate: Ratio
    click_yield: Ratio
    earned_media_value: Decimal


def figures_of(sums: Sequence[Sum], table: RateTable, active: Collection[str], enrolled: Collection[Member]) -> Figures:
    """The figures of a slice from its sums, who shared in it, and who was enrolled in it."""
    total: Counter[str] = Counter()
    for one in sums:
        total.update(one.measures)
    verdicts = {verdict: total[measure_name("click", verdict, "measured")] for verdict in VERDICTS}
    kinds = {kind: total[measure_name(kind, "counted", "measured")] for kind in ACTIONS}
    by_measure = {
        measure: sum(total[measure_name(kind, "counted", measure)] for kind in ACTIONS) for measure in MEASURES
    }
    impressions = {measure: total[measure_name("impression", "counted", measure)] for measure in MEASURES}
    engaged = sum(kinds.values())
    return Figures(
        participation_rate=participation(active, enrolled),
        leaders_participation=participation(active, [member for member in enrolled if member.leader]),
        active_ambassadors=len(active),
        ambassadors_enrolled=len(enrolled),
        shares=total[SHARES],
        clicks_raw=sum(verdicts.values()),
        clicks_counted=verdicts["counted"],
        clicks_by_verdict=verdicts,
        engagements={**kinds, "total": engaged},
        engagements_by_measure=by_measure,
        impressions=impressions,
        engagement_rate=Ratio(engaged, impressions["measured"]),
        click_yield=Ratio(verdicts["counted"], total[SHARES]),
        earned_media_value=earned_media_value(sums, table),
    )


def participation(active: Collection[str], enrolled: Collection[Member]) -> Ratio:
    """Of those enrolled at any time in the period, those who shared at least once in it."""
    return Ratio(sum(member.person_id in active for member in enrolled), len(enrolled))


def kpi(figures: Figures, name: str) -> float:
    """A figure as an objective counts it; 0 where a ratio has no whole."""
    match name:
        case "clicks":
            return float(figures.clicks_counted)
        case "participation_rate":
            return figures.participation_rate.value or 0.0
        case _:
            return float(getattr(figures, name))
