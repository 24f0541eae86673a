"""Figures from counts: the same functions for a slice that is asked for and for figures that move."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.metrics.domain.counts import ENGAGEMENTS, REACTIONS, Counts, ratio
from services.metrics.domain.definitions import DEFINITIONS
from services.metrics.domain.value import Rates, earned_media_value

Figure = dict[str, Any]
Figures = dict[str, Figure]
Row = tuple[str, str, Counts]
"""Day, network, and what was counted."""


def with_formulas(found: Mapping[str, Figure]) -> Figures:
    """Each figure with the formula of its definition."""
    return {name: {**figure, "formula": DEFINITIONS[name].formula} for name, figure in found.items()}


def rate(part: float, whole: float) -> Figure:
    """A rate with its numerator and denominator; None where there is nothing to divide by."""
    return {"value": ratio(part, whole), "numerator": part, "denominator": whole}


def total_of(rows: Iterable[Row]) -> Counts:
    """The sum of all rows."""
    total = Counts()
    for _, _, counts in rows:
        total.merge(counts)
    return total


def of_counts(rows: Sequence[Row], versions: Sequence[Rates]) -> Figures:
    """The figures that add up: shares, clicks, engagements, impressions, and their value at the rates of each day."""
    total = total_of(rows)
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
        "earned_media_value": {
            "value": float(earned_media_value(rows, versions)),
            "currency": versions[-1].currency,
        },
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


def entry(key: str | None, rows: Sequence[Row], versions: Sequence[Rates]) -> dict[str, Any]:
    """One line of a series."""
    total = total_of(rows)
    return {
        "key": key,
        "shares": total.shares,
        "clicks_raw": total.clicks_raw,
        "clicks_counted": total.clicks_counted,
        "engagements": total.engagements,
        "earned_media_value": float(earned_media_value(rows, versions)),
    }
