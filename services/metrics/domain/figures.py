"""Figures from counts: the same functions for a slice that is asked for and for figures that move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from services.metrics.domain.counts import ENGAGEMENTS, REACTIONS, Counts, ratio
from services.metrics.domain.definitions import DEFINITIONS
from services.metrics.domain.value import RateTable, to_cents

ACTS_OF: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "expert_acts": ("talk", "article", "podcast"),
        "referrals": ("referral",),
        "hires": ("hire",),
        "event_attendances": ("event",),
    }
)
"""By figure, the acts beside sharing that it counts."""
Figure = dict[str, Any]
Figures = dict[str, Figure]


@dataclass(slots=True)
class Tally:
    """What was counted of a slice, and what it is worth at the rates of each day, exactly."""

    counts: Counts = field(default_factory=Counts)
    value: Decimal = Decimal(0)

    def add(self, day: str, network: str, counts: Counts, rates: RateTable) -> None:
        self.counts.merge(counts)
        self.value += rates.value(day, network, counts)


def with_formulas(found: Mapping[str, Figure]) -> Figures:
    """Each figure with the formula of its definition."""
    return {name: {**figure, "formula": DEFINITIONS[name].formula} for name, figure in found.items()}


def rate(part: float, whole: float) -> Figure:
    """A rate with its numerator and denominator; None where there is nothing to divide by."""
    return {"value": ratio(part, whole), "numerator": part, "denominator": whole}


def of_counts(tally: Tally, currency: str) -> Figures:
    """The figures that add up: shares, clicks, engagements, impressions, and their value."""
    total = tally.counts
    return {
        "shares": {"value": total.shares, "imported": total.imported("share")},
        "clicks_raw": {
            "value": total.clicks_raw,
            "by_verdict": dict(sorted(total.clicks.items())),
            "imported": total.imported("click"),
        },
        "clicks_counted": {"value": total.clicks_counted, "imported": total.imported("click")},
        "engagements": {
            "value": total.engagements,
            "by_kind": {kind: total.others[kind] for kind in ENGAGEMENTS[1:] if total.others[kind]},
            "estimated": total.unmeasured("estimated"),
            "potential": total.unmeasured("potential"),
            "imported": total.imported("click", *REACTIONS),
        },
        "impressions": {
            "value": total.others["impression"],
            "estimated": total.others["impression_estimated"],
            "potential": total.others["impression_potential"],
            "imported": total.imported("impression"),
        },
        "engagement_rate": rate(total.engagements, total.others["impression"]),
        "click_yield": rate(total.clicks_counted, total.shares),
        "earned_media_value": {"value": to_cents(tally.value), "currency": currency},
    }


def of_people(*, enrolled: int, active: int, leaders: int, active_leaders: int) -> Figures:
    """The figures of people, by how many were enrolled, shared, lead, and lead and shared."""
    return {
        "participation_rate": rate(active, enrolled),
        "active_ambassadors": {"value": active},
        "ambassadors_enrolled": {"value": enrolled},
        "leader_participation": rate(active_leaders, leaders),
    }


def of_contents(*, shared: int, available: int) -> Figures:
    """The part of the items that could be shared which was; an item shared although unknown here counts as one."""
    return {"shared_content_rate": rate(shared, max(shared, available))}


def of_learning(*, lessons: int, finished: int, enrolled: int, least: int) -> Figures:
    """Lessons that were completed, and the part of those enrolled who had completed the first-day path. None where
    fewer than `least` were enrolled: they would tell of persons."""
    if enrolled < least:
        return {"lessons_completed": {"value": None}, "first_day_path": rate(0, 0)}
    return {"lessons_completed": {"value": lessons}, "first_day_path": rate(finished, enrolled)}


def of_acts(acts: Mapping[str, int]) -> Figures:
    """What was done beside sharing, by what it is; words that this version does not know count too."""
    by_kind = {act: acts[act] for act in sorted(acts) if acts[act]}
    apart = {name: {"value": sum(by_kind.get(act, 0) for act in some)} for name, some in ACTS_OF.items()}
    return {"acts": {"value": sum(acts.values()), "by_kind": by_kind}, **apart}


def entry(key: str | None, tally: Tally) -> dict[str, Any]:
    """One line of a series."""
    total = tally.counts
    return {
        "key": key,
        "shares": total.shares,
        "clicks_raw": total.clicks_raw,
        "clicks_counted": total.clicks_counted,
        "engagements": total.engagements,
        "earned_media_value": to_cents(tally.value),
    }
