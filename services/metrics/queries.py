"""The read side: figures, series and objectives from the day counters."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from chassis.mongo import Document
from chassis.web.problems import Invalid, NotFound
from services.metrics.domain.counts import ENGAGEMENTS, SMALL_GROUP, Counts, enrolled, ratio, shown_apart
from services.metrics.domain.definitions import DEFINITIONS
from services.metrics.domain.objectives import progress
from services.metrics.domain.periods import MAX_DAYS, Period, last_days, zone
from services.metrics.domain.value import DEFAULT_RATES, Rates, earned_media_value
from services.metrics.store import Key, Store

By = Literal["day", "network", "country", "content", "team"]
Rows = dict[tuple[str, str], Counts]
"""Counts by (day, network)."""
OF_PEOPLE = ("participation_rate", "active_ambassadors")
"""Figures that an objective may be about and that do not add up from day to day."""
DEFAULT_DAYS = 30
EARLIEST, LATEST = date(2000, 1, 1), date(2199, 12, 31)


@dataclass(frozen=True, slots=True)
class Slice:
    """What part of a programme is looked at. Either the item or the people can be narrowed, not both."""

    network: str | None = None
    content_id: str | None = None
    country: str | None = None
    team: str | None = None

    @property
    def of_people(self) -> bool:
        return self.country is not None or self.team is not None

    def where(self) -> dict[str, str]:
        """The part that the counters by item know of."""
        named = {"network": self.network, "content_id": self.content_id}
        return {name: value for name, value in named.items() if value is not None}

    def takes(self, person: Mapping[str, Any]) -> bool:
        return self.country in (None, person.get("country")) and self.team in (None, person.get("team"))

    def check(self) -> None:
        """Raises Invalid for a combination that no counter answers."""
        if self.of_people and self.content_id is not None:
            raise Invalid.one("content_id", "combination", "Narrow by content or by country and team, not by both.")


async def program_of(store: Store, program_id: str) -> Document:
    """Raises NotFound."""
    found = await store.program(program_id)
    if found is None:
        raise NotFound("program", program_id)
    return found


def period_of(first: date | None, last: date | None, time_zone: str, now: datetime) -> Period:
    """The period asked for; the last 30 days when none is. Raises Invalid."""
    today = now.astimezone(zone(time_zone)).date()
    if first is None and last is None:
        return last_days(today, DEFAULT_DAYS)
    for name, day in (("from", first), ("to", last)):
        if day is not None and not EARLIEST <= day <= LATEST:
            raise Invalid.one(name, "range", f"A day from {EARLIEST} to {LATEST}.")
    found = Period(first or last or today, last or today)
    if found.days < 1:
        raise Invalid.one("to", "order", "`to` is before `from`.")
    if found.days > MAX_DAYS:
        raise Invalid.one("from", "too-long", f"At most {MAX_DAYS} days.")
    return found


async def figures(store: Store, program: Document, period: Period, part: Slice) -> dict[str, Any] | None:
    """Every figure of the period and slice, by name, with its formula; rates come with numerator and denominator.

    Figures of people are left out where the slice is one item. None where the slice is a group of people of whom
    fewer than 5 were enrolled: its figures would be those of persons.
    """
    part.check()
    if part.of_people:
        people = await _people(store, program, period, part)
        if len(people.enrolled) < SMALL_GROUP:
            return None
        items = _of_items(people.rows(), await versions_of(store, program["_id"]))
        return _with_formulas(people.figures() | items)
    asked = [_counted(store, program, period, part)]
    if part == Slice():
        asked.insert(0, _shared_content(store, program, period))
    if part.content_id is None:
        asked.insert(0, _of_people(store, program, period, part.network))
    found: dict[str, Any] = {}
    for some in await asyncio.gather(*asked):
        found |= some
    return _with_formulas(found)


def _with_formulas(found: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    return {name: {**figure, "formula": DEFINITIONS[name].formula} for name, figure in found.items()}


async def _counted(store: Store, program: Document, period: Period, part: Slice) -> dict[str, Any]:
    rows, versions = await asyncio.gather(
        _rows(store, program["_id"], period, part), versions_of(store, program["_id"])
    )
    return _of_items(rows, versions)


def _of_items(rows: Rows, versions: Sequence[Rates]) -> dict[str, Any]:
    total = Counts()
    for counts in rows.values():
        total.merge(counts)
    value = earned_media_value(((day, network, counts) for (day, network), counts in rows.items()), versions)
    return {
        "shares": {"value": total.shares},
        "clicks_raw": {"value": total.clicks_raw, "by_verdict": dict(sorted(total.clicks.items()))},
        "clicks_counted": {"value": total.clicks_counted},
        "engagements": {
            "value": total.engagements,
            "by_kind": {kind: total.others[kind] for kind in ENGAGEMENTS[1:] if total.others[kind]},
            "estimated": total.unmeasured("estimated"),
            "potential": total.unmeasured("potential"),
        },
        "impressions": {
            "value": total.others["impression"],
            "estimated": total.others["impression_estimated"],
            "potential": total.others["impression_potential"],
        },
        "engagement_rate": _rate(total.engagements, total.others["impression"]),
        "click_yield": _rate(total.clicks_counted, total.shares),
        "earned_media_value": {"value": float(value), "currency": versions[-1].currency},
    }


async def _of_people(store: Store, program: Document, period: Period, network: str | None) -> dict[str, Any]:
    where = {"network": network} if network else {}
    found, there, leaders = await asyncio.gather(
        store.sum_persons(program["_id"], period, ("ambassador_id",), where=where, fields=("shares",)),
        _enrolled(store, program, period),
        store.leaders(),
    )
    shared = {person for (person,), counts in found.items() if counts.shares > 0}
    return _participation(there, shared, leaders)


def _participation(there: set[str], shared: set[str], leaders: set[str]) -> dict[str, Any]:
    """Figures of people, by who was enrolled, who shared and who leads."""
    active, leading = shared & there, leaders & there
    return {
        "participation_rate": _rate(len(active), len(there)),
        "active_ambassadors": {"value": len(active)},
        "ambassadors_enrolled": {"value": len(there)},
        "leader_participation": _rate(len(active & leading), len(leading)),
    }


async def _enrolled(store: Store, program: Document, period: Period) -> set[str]:
    start, end = period.bounds(program["time_zone"])
    enrolments = await store.enrolments_of(program["_id"], start, end)
    return enrolled(enrolments, start.timestamp(), end.timestamp())


@dataclass(frozen=True, slots=True)
class _People:
    """Who was enrolled, what they are, and what each brought by (ambassador, day, network)."""

    enrolled: set[str]
    known: Mapping[str, Document]
    counts: Mapping[Key, Counts]

    def figures(self) -> dict[str, Any]:
        shares: dict[str, int] = defaultdict(int)
        for (person, _, _), counts in self.counts.items():
            shares[person] += counts.shares
        leaders = {person for person, one in self.known.items() if one.get("leader")}
        return _participation(self.enrolled, {person for person, number in shares.items() if number > 0}, leaders)

    def rows(self) -> Rows:
        found: Rows = defaultdict(Counts)
        for (_, day, network), counts in self.counts.items():
            found[day, network].merge(counts)
        return found


async def _people(store: Store, program: Document, period: Period, part: Slice) -> _People:
    ids = await _enrolled(store, program, period)
    where = {"network": part.network} if part.network else {}
    counts = await store.sum_persons(program["_id"], period, ("ambassador_id", "day", "network"), where=where)
    known = await store.people(ids | {key[0] for key in counts})
    return _People(
        {one for one in ids if part.takes(known.get(one, {}))},
        known,
        {key: one for key, one in counts.items() if part.takes(known.get(key[0], {}))},
    )


async def _rows(store: Store, program_id: str, period: Period, part: Slice) -> Rows:
    found = await store.sum_totals(program_id, period, ("day", "network"), where=part.where())
    return {(day, network): counts for (day, network), counts in found.items()}


async def _shared_content(store: Store, program: Document, period: Period) -> dict[str, Any]:
    start, end = period.bounds(program["time_zone"])
    items, published = await asyncio.gather(
        store.sum_totals(program["_id"], period, ("content_id",), fields=("shares",)),
        store.published(program["_id"], start, end),
    )
    shared = sum(counts.shares > 0 for counts in items.values())
    return {"shared_content_rate": _rate(shared, max(shared, published))}


async def series(store: Store, program: Document, period: Period, by: By, part: Slice) -> list[dict[str, Any]]:
    """Counts by day (every day of the period), network, content, country or team.

    Countries and teams with fewer than 5 ambassadors behind them are put together under `null`, with the next
    larger one where together they are still fewer; where that is not enough either, there is no row at all.
    """
    part.check()
    if by in ("country", "team"):
        return await _by_people(store, program, period, by, part)
    versions = await versions_of(store, program["_id"])
    name = "content_id" if by == "content" else by
    found = await store.sum_totals(program["_id"], period, (name, "day", "network"), where=part.where())
    groups: dict[str | None, list[tuple[str, str, Counts]]] = defaultdict(list)
    for (value, day, network), counts in found.items():
        groups[value].append((day, network, counts))
    keys = list(period) if by == "day" else sorted(groups, key=str)
    return [_entry(key, groups.get(key, []), versions) for key in keys]


async def _by_people(
    store: Store, program: Document, period: Period, by: Literal["country", "team"], part: Slice
) -> list[dict[str, Any]]:
    who = await _people(store, program, period, Slice(network=part.network))
    members: dict[str | None, set[str]] = defaultdict(set)
    for person in who.enrolled | {key[0] for key in who.counts}:
        members[who.known.get(person, {}).get(by)].add(person)
    sizes: dict[str | None, int] = {key: len(people & who.enrolled) for key, people in members.items()}
    apart = shown_apart(sizes)
    versions = await versions_of(store, program["_id"])
    groups: dict[str | None, list[tuple[str, str, Counts]]] = defaultdict(list)
    enrolments: dict[str | None, int] = defaultdict(int)
    for key, size in sizes.items():
        shown = key if key in apart else None
        groups.setdefault(shown, [])
        enrolments[shown] += size
    for (person, day, network), one in who.counts.items():
        own = who.known.get(person, {}).get(by)
        groups[own if own in apart else None].append((day, network, one))
    if enrolments[None] < SMALL_GROUP:
        groups.pop(None, None)
    return [
        {**_entry(key, rows, versions), "ambassadors_enrolled": enrolments[key]}
        for key, rows in sorted(groups.items(), key=lambda item: str(item[0] or "~"))
    ]


def _entry(key: str | None, rows: Sequence[tuple[str, str, Counts]], versions: Sequence[Rates]) -> dict[str, Any]:
    total = Counts()
    for _, _, counts in rows:
        total.merge(counts)
    return {
        "key": key,
        "shares": total.shares,
        "clicks_raw": total.clicks_raw,
        "clicks_counted": total.clicks_counted,
        "engagements": total.engagements,
        "earned_media_value": float(earned_media_value(rows, versions)),
    }


def _rate(part: float, whole: float) -> dict[str, Any]:
    return {"value": ratio(part, whole), "numerator": part, "denominator": whole}


async def versions_of(store: Store, program_id: str) -> list[Rates]:
    """The programme's rates, oldest first, after Herald's starting values."""
    return [DEFAULT_RATES, *(rates_from(row) for row in await store.rates_of(program_id))]


def rates_from(row: Mapping[str, Any]) -> Rates:
    return Rates(
        version=row["version"],
        valid_from=row["valid_from"],
        currency=row["currency"],
        source=row["source"],
        rates={
            network: {action: Decimal(amount) for action, amount in actions.items()}
            for network, actions in row["rates"].items()
        },
    )


async def kpi_value(store: Store, program: Document, objective: Mapping[str, Any]) -> float | None:
    """The objective's figure over its own period; None for one that this version does not know."""
    period = Period(date.fromisoformat(objective["starts_on"]), date.fromisoformat(objective["ends_on"]))
    name = "clicks_counted" if objective["kpi"] == "clicks" else objective["kpi"]
    if name in OF_PEOPLE:
        found = await _of_people(store, program, period, None)
    else:
        found = await _counted(store, program, period, Slice())
    return float(found[name]["value"] or 0) if name in found else None


async def objective_view(store: Store, program: Document, now: datetime) -> dict[str, Any] | None:
    """The newest objective with its progress and forecast; None where none is set."""
    objective = await store.objective_of(program["_id"])
    if objective is None:
        return None
    names = ("use_case", "kpi", "baseline", "target", "starts_on", "ends_on", "reached_at")
    view = {"objective_id": objective["_id"], **{name: objective[name] for name in names}}
    value = await kpi_value(store, program, objective)
    if value is None:
        return view | dict.fromkeys(("value", "progress", "forecast", "on_track"))
    found = progress(
        value,
        baseline=objective["baseline"],
        target=objective["target"],
        starts_on=date.fromisoformat(objective["starts_on"]),
        ends_on=date.fromisoformat(objective["ends_on"]),
        today=now.astimezone(zone(program["time_zone"])).date(),
        rate=objective["kpi"] in OF_PEOPLE,
    )
    return view | {
        "value": found.value,
        "progress": found.share,
        "forecast": found.forecast,
        "on_track": found.on_track,
    }


async def own_figures(store: Store, program: Document, person_id: str, period: Period) -> dict[str, int]:
    """What one ambassador's posts brought."""
    found = await store.sum_persons(program["_id"], period, (), where={"ambassador_id": person_id})
    counts = found.get((), Counts())
    return {
        "shares": counts.shares,
        "clicks_raw": counts.clicks_raw,
        "clicks_counted": counts.clicks_counted,
        "engagements": counts.engagements,
    }
