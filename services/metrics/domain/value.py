"""Earned media value: what the same attention would have cost, by dated and sourced rates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from services.metrics.domain.counts import Counts

ACTIONS = ("click", "like", "comment", "repost", "impression")
CENT = Decimal("0.01")
FORMULA = "sum over days, networks and actions of count(action) x rate(network, action, day)"


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates that hold from a day on: network (or `*`) to action to amount in `currency`.

    Impressions carry no rate by default: the clicks that came of them are counted already.
    """

    version: int
    valid_from: str
    currency: str
    source: str
    rates: Mapping[str, Mapping[str, Decimal]]

    def rate(self, network: str, action: str) -> Decimal:
        own = self.rates.get(network, {})
        return own.get(action, self.rates.get("*", {}).get(action, Decimal(0)))


DEFAULT_RATES = Rates(
    version=0,
    valid_from="0001-01-01",
    currency="EUR",
    source="Herald's starting values, in the order of what networks charge for a click; replace them by your own",
    rates={
        "linkedin": {"click": Decimal("3.20"), "like": Decimal("0.60"), "comment": Decimal("1.50")},
        "x": {"click": Decimal("0.80"), "like": Decimal("0.20"), "comment": Decimal("0.60")},
        "facebook": {"click": Decimal("0.90"), "like": Decimal("0.20"), "comment": Decimal("0.60")},
        "*": {
            "click": Decimal("0.50"),
            "like": Decimal("0.10"),
            "comment": Decimal("0.40"),
            "repost": Decimal("1.00"),
            "impression": Decimal(0),
        },
    },
)


def doubly_paid(rates: Mapping[str, Mapping[str, object]]) -> list[str]:
    """The networks that would be paid both by click and by impression, the rates of `*` included."""
    common = rates.get("*", {})
    found = []
    for network, own in rates.items():
        valid = {**common, **own}
        if all(Decimal(str(valid.get(action, 0))) > 0 for action in ("click", "impression")):
            found.append(network)
    return sorted(found)


def rates_on(day: str, versions: Sequence[Rates]) -> Rates:
    """The rates of a day: the newest version that had begun by then."""
    held = [one for one in versions if one.valid_from <= day]
    return max(held, key=lambda one: (one.valid_from, one.version), default=DEFAULT_RATES)


def earned_media_value(rows: Iterable[tuple[str, str, Counts]], versions: Sequence[Rates]) -> Decimal:
    """The value of (day, network, counts) rows, to the cent; only counted clicks have a value."""
    total = Decimal(0)
    for day, network, counts in rows:
        rates = rates_on(day, versions)
        total += counts.clicks_counted * rates.rate(network, "click")
        for action in ACTIONS[1:]:
            total += counts.others[action] * rates.rate(network, action)
    return total.quantize(CENT, ROUND_HALF_UP)
