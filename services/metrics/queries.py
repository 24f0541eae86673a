"""The read side: figures, series and objectives from the day counters."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from chassis.mongo import Document
from chassis.web.problems import Invalid, NotFound
from services.metrics.context import Context
from services.metrics.domain import figures as compute
from services.metrics.domain.counts import SMALL_GROUP, Counts, shown_apart
from services.metrics.domain.enrolments import enrolled
from services.metrics.domain.figures import Figures, Row
from services.metrics.domain.objectives import progress
from services.metrics.domain.periods import MAX_DAYS, Period, last_days, zone
from services.metrics.domain.value import Rates
from services.metrics.store import FiguresVersion, Key

By = Literal["day", "network", "country", "content", "team"]
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
        """Whether a person is of the slice; who keeps out of named statistics is of no part of the whole."""
        if self.of_people and person.get("hidden_from_statistics"):
            return False
        return self.country in (None, person.get("country")) and self.team in (None, person.get("team"))

    def check(self) -> None:
        """Raises Invalid for a combination that no counter answers."""
        if self.of_people and self.content_id is not None:
            raise Invalid.one("content_id", "combination", "Narrow by content or by country and team, not by both.")


async def program_of(context: Context, program_id: str) -> Document:
    """Raises NotFound."""
    found = await context.store.program(program_id)
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
            raise Invalid.one(
                name, "range", f"A day from {EARLIEST} to {LATEST}.", min=EARLIEST.isoformat(), max=LATEST.isoformat()
            )
    found = Period(first or last or today, last or today)
    if found.days < 1:
        raise Invalid.one("to", "order", "`to` is before `from`.")
    if found.days > MAX_DAYS:
        raise Invalid.one("from", "too-many-days", f"At most {MAX_DAYS} days.", max=MAX_DAYS)
    return found


async def figures(context: Context, program: Document, period: Period, part: Slice) -> Figures | None:
    """Every figure of the period and slice, by name, with its formula; rates come with numerator and denominator.

    Figures of people are left out where the slice is one item. None where the slice is a group of people of whom
    fewer than 5 were enrolled: its figures would be those of persons. Raises Invalid.
    """
    part.check()
    if part.of_people:
        people = await _people(context, program, period, part)
        if len(people.enrolled) < SMALL_GROUP:
            return None
        items = compute.of_counts(people.rows(), await context.store.rates_of(program["_id"]))
        return compute.with_formulas(people.figures() | items)
    asked: list[Awaitable[Figures]] = [_counted(context, program, period, part)]
    if part == Slice():
        asked.insert(0, _shared_content(context, program, period))
    if part.content_id is None:
        asked.insert(0, _of_people(context, program, period, part.network))
    found: Figures = {}
    for some in await asyncio.gather(*asked):
        found |= some
    return compute.with_formulas(found)


async def _counted(context: Context, program: Document, period: Period, part: Slice) -> Figures:
    found, rates = await asyncio.gather(
        context.store.sum_totals(program["_id"], period, ("day", "network"), where=part.where()),
        context.store.rates_of(program["_id"]),
    )
    return compute.of_counts([(day, network, counts) for (day, network), counts in found.items()], rates)


async def _of_people(context: Context, program: Document, period: Period, network: str | None) -> Figures:
    where = {"network": network} if network else {}
    found, there, leaders = await asyncio.gather(
        context.store.sum_persons(program["_id"], period, ("ambassador_id",), where=where, fields=("shares",)),
        _enrolled(context, program, period),
        context.store.leaders(),
    )
    shared = {person for (person,), counts in found.items() if counts.shares > 0}
    return _participation(there, shared, leaders)


def _participation(there: set[str], shared: set[str], leaders: set[str]) -> Figures:
    active, leading = shared & there, leaders & there
    return compute.of_people(
        enrolled=len(there), active=len(active), leaders=len(leading), active_leaders=len(active & leading)
    )


async def _enrolled(context: Context, program: Document, period: Period) -> set[str]:
    start, end = period.bounds(program["time_zone"])
    enrolments = await context.store.enrolments_of(program["_id"], start, end)
    return enrolled(enrolments, start.timestamp(), end.timestamp())


@dataclass(frozen=True, slots=True)
class _People:
    """Who was enrolled, what they are, and what each brought by (ambassador, day, network)."""

    enrolled: set[str]
    known: Mapping[str, Document]
    counts: Mapping[Key, Counts]

    def figures(self) -> Figures:
        shares: dict[str, int] = defaultdict(int)
        for (person, _, _), counts in self.counts.items():
            shares[person] += counts.shares
        leaders = {person for person, one in self.known.items() if one.get("leader")}
        return _participation(self.enrolled, {person for person, number in shares.items() if number > 0}, leaders)

    def rows(self) -> list[Row]:
        found: dict[tuple[str, str], Counts] = defaultdict(Counts)
        for (_, day, network), counts in self.counts.items():
            found[day, network].merge(counts)
        return [(day, network, counts) for (day, network), counts in found.items()]

    def group_of(self, person: str, by: Literal["country", "team"]) -> str | None:
        """The person's country or team; None where it is unknown or must not be told apart."""
        known = self.known.get(person, {})
        if known.get("hidden_from_statistics"):
            return None
        group: str | None = known.get(by)
        return group


async def _people(context: Context, program: Document, period: Period, part: Slice) -> _People:
    ids = await _enrolled(context, program, period)
    where = {"network": part.network} if part.network else {}
    counts = await context.store.sum_persons(program["_id"], period, ("ambassador_id", "day", "network"), where=where)
    known = await context.store.people(ids | {key[0] for key in counts})
    return _People(
        {one for one in ids if part.takes(known.get(one, {}))},
        known,
        {key: one for key, one in counts.items() if part.takes(known.get(key[0], {}))},
    )


async def _shared_content(context: Context, program: Document, period: Period) -> Figures:
    start, end = period.bounds(program["time_zone"])
    items, available = await asyncio.gather(
        context.store.sum_totals(program["_id"], period, ("content_id",), fields=("shares",)),
        context.store.published(program["_id"], start, end),
    )
    return compute.of_contents(shared=sum(counts.shares > 0 for counts in items.values()), available=available)


async def series(context: Context, program: Document, period: Period, by: By, part: Slice) -> list[dict[str, Any]]:
    """Counts by day (every day of the period), network, content, country or team.

    Countries and teams with fewer than 5 ambassadors behind them are put together under `null`, with the next
    larger one where together they are still fewer; where that is not enough either, there is no row at all. Who
    keeps out of named statistics counts there too.
    """
    part.check()
    if by in ("country", "team"):
        return await _by_people(context, program, period, by, part)
    rates = await context.store.rates_of(program["_id"])
    name = "content_id" if by == "content" else by
    found = await context.store.sum_totals(program["_id"], period, (name, "day", "network"), where=part.where())
    groups: dict[str | None, list[Row]] = defaultdict(list)
    for (value, day, network), counts in found.items():
        groups[value].append((day, network, counts))
    keys = list(period) if by == "day" else sorted(groups, key=str)
    return [compute.entry(key, groups.get(key, []), rates) for key in keys]


async def _by_people(
    context: Context, program: Document, period: Period, by: Literal["country", "team"], part: Slice
) -> list[dict[str, Any]]:
    who = await _people(context, program, period, Slice(network=part.network))
    members: dict[str | None, set[str]] = defaultdict(set)
    for person in who.enrolled | {key[0] for key in who.counts}:
        members[who.group_of(person, by)].add(person)
    sizes: dict[str | None, int] = {key: len(people & who.enrolled) for key, people in members.items()}
    apart = shown_apart(sizes)
    rates: list[Rates] = await context.store.rates_of(program["_id"])
    groups: dict[str | None, list[Row]] = defaultdict(list)
    enrolments: dict[str | None, int] = defaultdict(int)
    for key, size in sizes.items():
        shown = key if key in apart else None
        groups.setdefault(shown, [])
        enrolments[shown] += size
    for (person, day, network), one in who.counts.items():
        own = who.group_of(person, by)
        groups[own if own in apart else None].append((day, network, one))
    if enrolments[None] < SMALL_GROUP:
        groups.pop(None, None)
    return [
        {**compute.entry(key, rows, rates), "ambassadors_enrolled": enrolments[key]}
        for key, rows in sorted(groups.items(), key=lambda item: str(item[0] or "~"))
    ]


# --- objectives --------------------------------------------------------------------------------------------------


async def objective_value(
    context: Context, program: Document, objective: Mapping[str, Any], version: FiguresVersion
) -> float | None:
    """The objective's figure over its own period, as of at least `version`; None for a KPI that this version of
    Herald does not know."""
    first, last = (date.fromisoformat(objective[name]) for name in ("starts_on", "ends_on"))
    period = Period(max(first, EARLIEST), min(last, LATEST))
    name = "clicks_counted" if objective["kpi"] == "clicks" else objective["kpi"]
    window = await context.windows.at_version(program, period, version)
    figure = window.figures().get(name)
    return None if figure is None else float(figure["value"] or 0)


async def objective_progress(
    context: Context, program: Document, now: datetime, *, version: FiguresVersion | None = None
) -> dict[str, Any] | None:
    """The newest objective with its progress and forecast; None where none is set."""
    objective = await context.store.objective_of(program["_id"])
    if objective is None:
        return None
    version = version or await context.store.version_of(program["_id"])
    names = ("use_case", "kpi", "baseline", "target", "starts_on", "ends_on", "reached_at")
    view = {"objective_id": objective["_id"], **{name: objective[name] for name in names}}
    value = await objective_value(context, program, objective, version)
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


# --- live and own ------------------------------------------------------------------------------------------------


async def live_figures(
    context: Context, program: Document, days: int, now: datetime, version: FiguresVersion
) -> dict[str, Any]:
    """What a dashboard of the last `days` days shows, as of at least `version`: figures, series, the objective."""
    today = now.astimezone(zone(program["time_zone"])).date()
    window = await context.windows.at_version(program, last_days(today, days), version)
    found: dict[str, Any] = {
        "program_id": program["_id"],
        "version": window.version,
        "period": {"from": window.period.first.isoformat(), "to": window.period.last.isoformat()},
        "figures": window.figures(),
        "series": {
            "day": window.by_day(),
            "network": window.by_network(),
            "country": window.by_country(),
            "content": window.by_content(),
        },
    }
    found["objective"] = await objective_progress(context, program, now, version=version)
    return found


async def own_figures(context: Context, program: Document, person_id: str, period: Period) -> dict[str, int]:
    """What one ambassador's posts brought."""
    found = await context.store.sum_persons(program["_id"], period, (), where={"ambassador_id": person_id})
    counts = found.get((), Counts())
    return {
        "shares": counts.shares,
        "clicks_raw": counts.clicks_raw,
        "clicks_counted": counts.clicks_counted,
        "engagements": counts.engagements,
    }
