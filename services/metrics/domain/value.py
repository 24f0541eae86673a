"""Earned media value: what the same attention would have cost, by dated and sourced rates."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
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


class RateTable:
    """The rates of each day: the newest version that had begun by then."""

    def __init__(self, versions: Iterable[Rates] = ()) -> None:
        self._versions = sorted((DEFAULT_RATES, *versions), key=lambda one: (one.valid_from, one.version))
        self._days = [one.valid_from for one in self._versions]
        self.currency = max(self._versions, key=lambda one: one.version).currency

    def on(self, day: str) -> Rates:
        """The rates of a day (ISO 8601)."""
        return self._versions[max(0, bisect_right(self._days, day) - 1)]

    def value(self, day: str, network: str, counts: Counts) -> Decimal:
        """What was counted on a day and network is worth so much, exactly; only counted clicks have a value."""
        rates = self.on(day)
        total = counts.clicks_counted * rates.rate(network, "click")
        for action in ACTIONS[1:]:
            if number := counts.others[action]:
                total += number * rates.rate(network, action)
        return total


def to_cents(value: Decimal) -> float:
    """As amounts are shown."""
    return float(value.quantize(CENT, ROUND_HALF_UP))
