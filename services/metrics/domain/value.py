"""Earned media value: what the same effect would have cost as advertising, by dated, sourced, editable rates.

    value = Σ over days, networks and actions of quantity × the rate valid on that day

Only what was measured and counts has a value. An impression that led to a click is one act and is paid for once:
at no time may a network have a rate both for clicks and for impressions. So the value is a plain sum, and the
values of any partition (days, networks, countries) add up to that of the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal

from chassis.problems import Invalid, Refused, Violation
from services.metrics.domain.calendar import EARLIEST, Period

PAID = ("click", "impression", "like", "comment", "repost")
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, order=True)
class Rate:
    """From a day on, one action on one network is worth `amount` of the table's currency."""

    network: str
    action: str
    valid_from: date
    amount: Decimal
    source: str


@dataclass(frozen=True, slots=True)
class RateTable:
    """A programme's rates. Version 0 is the table that Herald comes with."""

    program_id: str
    version: int
    currency: str
    rates: tuple[Rate, ...]
    updated_at: datetime | None = None

    def on(self, day: date) -> dict[tuple[str, str], Rate]:
        """The rates valid on a day, by network and action."""
        return {(rate.network, rate.action): rate for rate in self._by_day if rate.valid_from <= day}

    @property
    def _by_day(self) -> list[Rate]:
        return sorted(self.rates, key=lambda rate: rate.valid_from)

    def cuts(self, period: Period) -> list[date]:
        """The days within the period, but its first, from which other rates are valid."""
        return sorted({rate.valid_from for rate in self.rates if period.first < rate.valid_from <= period.last})

    def used(self, period: Period) -> list[Rate]:
        """Every rate that is valid on some day of the period."""
        days = [period.first, *self.cuts(period)]
        return sorted({rate for day in days for rate in self.on(day).values()})


@dataclass(frozen=True, slots=True)
class Sum:
    """What was counted on a network while the rates of `day` were valid."""

    network: str
    day: date
    measures: Mapping[str, int]


def earned_media_value(sums: Iterable[Sum], table: RateTable) -> Decimal:
    """The value of what was counted, rounded to the cent at the end."""
    total = Decimal(0)
    for one in sums:
        rates = table.on(one.day)
        for action in PAID:
            rate = rates.get((one.network, action))
            if rate is not None:
                total += rate.amount * one.measures.get(f"{action}_counted", 0)
    return total.quantize(CENT, ROUND_HALF_EVEN)


def change_rates(
    before: RateTable, currency: str, rates: Sequence[Rate], *, today: date, rewrite_history: bool, now: datetime
) -> RateTable:
    """The next version of a table; the same object if nothing changes.

    Raises Invalid: `rates.<n>` `twice` or `double-counting`; Refused `rewrites-history` if the value of a day
    before today would change and that was not asked for.
    """
    _check(rates)
    after = replace(before, currency=currency, rates=tuple(sorted(rates)))
    if (after.currency, after.rates) == (before.currency, before.rates):
        return before
    if not rewrite_history and (currency != before.currency or _differ(before, after, today)):
        raise Refused(
            "The value of days that are over would change. Keep the rates of the past and add rates that are valid "
            "from today or later, or ask for it with `rewrite_history`.",
            type_="rewrites-history",
            field="rates" if currency == before.currency else "currency",
        )
    return replace(after, version=before.version + 1, updated_at=now)


def _check(rates: Sequence[Rate]) -> None:
    errors = []
    seen: set[tuple[str, str, date]] = set()
    for number, rate in enumerate(rates):
        key = (rate.network, rate.action, rate.valid_from)
        if key in seen:
            errors.append(Violation(f"rates.{number}", "twice", "This network and action has a rate from that day."))
        seen.add(key)
    table = RateTable("", 0, "", tuple(rates))
    for number, rate in enumerate(rates):
        valid = table.on(rate.valid_from)
        both = [valid.get((rate.network, action)) for action in ("click", "impression")]
        if rate.action in ("click", "impression") and all(one is not None and one.amount for one in both):
            detail = f"From {rate.valid_from} on, {rate.network} would be paid by click and by impression."
            errors.append(Violation(f"rates.{number}", "double-counting", detail))
    if errors:
        raise Invalid("The rates do not hold together.", errors=errors)


def _differ(before: RateTable, after: RateTable, today: date) -> bool:
    days = {EARLIEST, *(rate.valid_from for rate in (*before.rates, *after.rates))}
    return any(_amounts(before, day) != _amounts(after, day) for day in days if day < today)


def _amounts(table: RateTable, day: date) -> dict[tuple[str, str], Decimal]:
    return {key: rate.amount for key, rate in table.on(day).items() if rate.amount}


_STARTING = {
    "linkedin": {"click": "2.50", "like": "0.30", "comment": "1.00", "repost": "1.50"},
    "x": {"click": "0.80", "like": "0.10", "comment": "0.40", "repost": "0.60"},
    "facebook": {"click": "0.70", "like": "0.10", "comment": "0.40", "repost": "0.60"},
    "whatsapp": {"click": "0.50"},
    "email": {"click": "0.50"},
    "device": {"click": "0.50"},
}


def starting_rates(program_id: str) -> RateTable:
    """What a programme has until somebody sets its own: cautious amounts, which say that they are no prices."""
    source = "Herald's starting value, no market price: put what such an action costs you in its place"
    rates = [
        Rate(network, action, EARLIEST, Decimal(amount), source)
        for network, actions in _STARTING.items()
        for action, amount in actions.items()
    ]
    return RateTable(program_id, 0, "EUR", tuple(sorted(rates)))
