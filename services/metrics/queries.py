"""The read side: figures, series and objectives from the day counters."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Literal

from chassis.mongo import Document
from chassis.tasks import yielding
from chassis.web.problems import Invalid, NotFound
from services.metrics.context import Context
from services.metrics.domain import figures as compute
from services.metrics.domain.counts import Counts, shown_apart
from services.metrics.domain.figures import Figures, Tally
from services.metrics.domain.objectives import FIGURES, Standing, before, measured_baseline, progress
from services.metrics.domain.periods import MAX_DAYS, Period, last_days, zone
from services.metrics.domain.value import Rates
from services.metrics.store.changes import FiguresVersion

By = Literal["day", "network", "country", "content", "team"]
DEFAULT_DAYS = 30
MAX_OPEN_OBJECTIVES = 20
LAST_VERSION = 1_000_000
MAX_AMOUNTS_SHOWN = 5000
"""On a page of rates."""
EARLIEST, LATEST = date(2000, 1, 1), date(2199, 12, 31)


@dataclass(frozen=True, slots=True)
class Slice:
    """What part of a programme is looked at. Either the item or the people can be narrowed, not both."""

    network: str | None = None
    content_id: str | None = None
    country: str | None = None
    team: str | None = None
    wave_id: str | None = None

    @property
    def of_people(self) -> bool:
        return any(one is not None for one in (self.country, self.team, self.wave_id))

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
            detail = "Narrow by content or by country, team and wave, not by both."
            raise Invalid.one("content_id", "combination", detail)


@dataclass(frozen=True, slots=True)
class Baseline:
    """What an objective starts from, and the days by which that was measured; None where there are too few."""

    value: float | None
    measured: Period | None


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
    fewer than `HERALD_SMALL_GROUP` were enrolled: its figures would be those of persons. Raises Invalid.
    """
    part.check()
    if part.of_people:
        people = await _people(context, program, period, part)
        if len(people.enrolled) < context.small_group:
            return None
        return compute.with_formulas(await _of_group(context, program, period, part, people))
    asked: list[Awaitable[Figures]] = [_counted(context, program, period, part)]
    if part == Slice():
        asked = [_shared_content(context, program, period), *asked, _acts(context, program, period)]
    if part.content_id is None:
        asked.insert(0, _of_people(context, program, period, part.network))
    found: Figures = {}
    for some in await asyncio.gather(*asked):
        found |= some
    return compute.with_formulas(found)


async def _counted(context: Context, program: Document, period: Period, part: Slice) -> Figures:
    rates = await context.store.rates.of_program(program["_id"])
    tally = Tally()
    found = context.store.sum_totals(program["_id"], period, ("day", "network"), where=part.where())
    async for (day, network), counts in found:
        tally.add(day, network, counts, rates)
    return compute.of_counts(tally, rates.currency)


async def _of_people(context: Context, program: Document, period: Period, network: str | None) -> Figures:
    shared, there, leaders = await asyncio.gather(
        _sharers(context, program, period, network), _enrolled(context, program, period), context.store.leaders()
    )
    found = _participation(there, shared, leaders)
    return found if network else found | await _learning(context, program, period, there)


async def _learning(
    context: Context, program: Document, period: Period, enrolled: set[str], *, among: set[str] | None = None
) -> Figures:
    """What was learned: by all, or by those among them."""
    start, end = period.bounds(program["time_zone"])
    lessons, finished = await asyncio.gather(
        context.lessons.count(program["_id"], start, end, people=among), context.lessons.finished(program["_id"], end)
    )
    told = {"lessons": lessons, "finished": len(finished & enrolled), "enrolled": len(enrolled)}
    return compute.of_learning(**told, least=context.small_group)


async def _sharers(context: Context, program: Document, period: Period, network: str | None) -> set[str]:
    """Who shared in the period."""
    where = {"network": network} if network else {}
    found = context.store.sum_persons(program["_id"], period, ("ambassador_id",), where=where, fields=("shares",))
    return {person async for (person,), counts in found if counts.shares > 0}


def _participation(there: set[str], shared: set[str], leaders: set[str]) -> Figures:
    active, leading = shared & there, leaders & there
    return compute.of_people(
        enrolled=len(there), active=len(active), leaders=len(leading), active_leaders=len(active & leading)
    )


async def _enrolled(
    context: Context, program: Document, period: Period, among: Iterable[str] | None = None
) -> set[str]:
    start, end = period.bounds(program["time_zone"])
    return await context.store.enrolled(program["_id"], start, end, people=among)


@dataclass(frozen=True, slots=True)
class _People:
    """Of a slice: who was enrolled, and who of whom anything was counted; and what all of them are."""

    enrolled: set[str]
    counted: set[str]
    known: Mapping[str, Document]

    def group_of(self, person: str, by: Literal["country", "team"]) -> str | None:
        """The person's country or team; None where it is unknown or must not be told apart."""
        known = self.known.get(person, {})
        if known.get("hidden_from_statistics"):
            return None
        group: str | None = known.get(by)
        return group


async def _people(context: Context, program: Document, period: Period, part: Slice) -> _People:
    cohort = None if part.wave_id is None else await context.cohorts.members(part.wave_id)
    ids = await _enrolled(context, program, period, cohort)
    found = context.store.sum_persons(program["_id"], period, ("ambassador_id",), where=_of(part, cohort), fields=())
    counted = {person async for (person,), _ in found}
    known = await context.store.people(ids | counted)
    return _People(
        {one async for one in yielding(ids) if part.takes(known.get(one, {}))},
        {one async for one in yielding(counted) if part.takes(known.get(one, {}))},
        known,
    )


def _of(part: Slice, cohort: Iterable[str] | None = None) -> dict[str, Any]:
    """The part of a slice that the counters by person know of."""
    of_network = {"network": part.network} if part.network else {}
    return of_network if cohort is None else {**of_network, "ambassador_id": {"$in": list(cohort)}}


async def _of_group(context: Context, program: Document, period: Period, part: Slice, people: _People) -> Figures:
    rates = await context.store.rates.of_program(program["_id"])
    tally = Tally()
    shares: dict[str, int] = defaultdict(int)
    names = ("ambassador_id", "day", "network")
    async for (person, day, network), counts in context.store.sum_persons(
        program["_id"], period, names, where=_of(part, people.counted if part.wave_id else None)
    ):
        if person in people.counted:
            tally.add(day, network, counts, rates)
            shares[person] += counts.shares
    leaders = {person async for person in yielding(people.known) if people.known[person].get("leader")}
    shared = {person for person, number in shares.items() if number > 0}
    found = _participation(people.enrolled, shared, leaders) | compute.of_counts(tally, rates.currency)
    if part.network is None:
        found |= compute.of_acts(await context.store.acts(program["_id"], period, people=people.enrolled))
        found |= await _learning(context, program, period, people.enrolled, among=people.enrolled)
    return found


async def _acts(context: Context, program: Document, period: Period) -> Figures:
    return compute.of_acts(await context.store.acts(program["_id"], period))


async def _shared_content(context: Context, program: Document, period: Period) -> Figures:
    start, end = period.bounds(program["time_zone"])
    available = await context.store.published(program["_id"], start, end)
    shared = 0
    async for _, counts in context.store.sum_totals(program["_id"], period, ("content_id",), fields=("shares",)):
        shared += counts.shares > 0
    return compute.of_contents(shared=shared, available=available)


async def series(
    context: Context, program: Document, period: Period, by: By, part: Slice, *, start: int = 0, limit: int = MAX_DAYS
) -> list[dict[str, Any]]:
    """Counts by day (every day of the period), network, content (the most clicks first), country or team: at most
    `limit` rows from position `start`.

    Countries and teams with fewer ambassadors behind them than `HERALD_SMALL_GROUP` are put together under `null`, with
    the next larger one where together they are still fewer; where that is not enough either, there is no row at all.
    Who keeps out of named statistics counts there too.
    """
    part.check()
    if by in ("country", "team"):
        return await _by_people(context, program, period, by, part, start=start, limit=limit)
    rates = await context.store.rates.of_program(program["_id"])
    name = "content_id" if by == "content" else by
    tallies: dict[str, Tally] = defaultdict(Tally)
    found = context.store.sum_totals(program["_id"], period, (name, "day", "network"), where=part.where())
    async for (value, day, network), counts in found:
        tallies[value].add(day, network, counts, rates)
    keys = list(period) if by == "day" else await asyncio.to_thread(_ordered, tallies, by)
    return [compute.entry(key, tallies.get(key) or Tally()) for key in keys[start : start + limit]]


def _ordered(tallies: Mapping[str, Tally], by: By) -> list[str]:
    if by != "content":
        return sorted(tallies)
    ranks = {key: (-one.counts.clicks_counted, -one.counts.shares, key) for key, one in tallies.items()}
    return sorted(ranks, key=ranks.__getitem__)


async def _by_people(
    context: Context,
    program: Document,
    period: Period,
    by: Literal["country", "team"],
    part: Slice,
    *,
    start: int,
    limit: int,
) -> list[dict[str, Any]]:
    who = await _people(context, program, period, Slice(network=part.network))
    sizes: dict[str | None, int] = defaultdict(int)
    async for person in yielding(who.enrolled | who.counted):
        sizes[who.group_of(person, by)] += person in who.enrolled
    apart = await asyncio.to_thread(shown_apart, sizes, context.small_group)
    enrolments: dict[str | None, int] = defaultdict(int)
    async for group in yielding(sizes):
        enrolments[group if group in apart else None] += sizes[group]
    rates = await context.store.rates.of_program(program["_id"])
    tallies: dict[str | None, Tally] = defaultdict(Tally)
    names = ("ambassador_id", "day", "network")
    async for (person, day, network), counts in context.store.sum_persons(
        program["_id"], period, names, where=_of(part)
    ):
        own = who.group_of(person, by)
        tallies[own if own in apart else None].add(day, network, counts, rates)
    if enrolments.get(None, 0) < context.small_group:
        enrolments.pop(None, None)
    keys = await asyncio.to_thread(sorted, enrolments, key=lambda one: str(one or "~"))
    return [
        {**compute.entry(key, tallies.get(key) or Tally()), "ambassadors_enrolled": enrolments[key]}
        for key in keys[start : start + limit]
    ]


async def rates_page(
    context: Context, program_id: str, *, before: int | None, limit: int
) -> tuple[list[Rates], int | None]:
    """At most `limit` versions before the version `before` (None: the latest), the latest first; fewer of long ones.
    And before which version the next page begins; None where there is none."""
    page: list[Rates] = []
    amounts = 0
    version = LAST_VERSION if before is None else before
    for one in await context.store.rates.before(program_id, version, limit=limit + 1):
        amounts += sum(map(len, one.rates.values()))
        if page and (len(page) == limit or amounts > MAX_AMOUNTS_SHOWN):
            return page, page[-1].version
        page.append(one)
    return page, None


# --- objectives --------------------------------------------------------------------------------------------------


async def objective_standing(
    context: Context, program: Document, objective: Mapping[str, Any], version: FiguresVersion
) -> Standing | None:
    """The objective's figure over its own period, as of at least `version`; None for a KPI that this version of
    Herald does not know."""
    window = await context.windows.at_version(program, _period(objective), version)
    return Standing.of(objective["kpi"], window.figures())


def _period(objective: Mapping[str, Any]) -> Period:
    first, last = (date.fromisoformat(objective[name]) for name in ("starts_on", "ends_on"))
    return Period(max(first, EARLIEST), min(last, LATEST))


async def objective_progress(
    context: Context,
    program: Document,
    objective: Mapping[str, Any],
    now: datetime,
    *,
    version: FiguresVersion | None = None,
) -> dict[str, Any]:
    """An objective with its progress and forecast, as of at least `version`."""
    version = version or await context.store.changes.version_of(program["_id"])
    names = ("use_case", "kpi", "baseline", "target", "starts_on", "ends_on", "reached_at")
    view: dict[str, Any] = {
        "objective_id": objective["_id"],
        **{name: objective[name] for name in names},
        "title": objective.get("title") or "",
        "state": objective.get("state") or "open",
        "figure": FIGURES.get(objective["kpi"]),
    }
    standing = await objective_standing(context, program, objective, version)
    period = _period(objective)
    today = now.astimezone(zone(program["time_zone"])).date()
    if standing is None:
        return view | {"ended": today > period.last}
    pace = await context.paces.of(program, objective["kpi"], period, today)
    goal = {"baseline": objective["baseline"], "target": objective["target"]}
    return view | asdict(progress(standing, **goal, period=period, today=today, pace=pace))


async def objectives(
    context: Context,
    program: Document,
    now: datetime,
    *,
    state: str = "open",
    start: int = 0,
    limit: int = MAX_OPEN_OBJECTIVES,
    version: FiguresVersion | None = None,
) -> list[dict[str, Any]]:
    """Objectives in a state with their progress and forecast, those that end first first."""
    version = version or await context.store.changes.version_of(program["_id"])
    rows = await context.store.objectives.of_program(program["_id"], state, start, limit=limit)
    return [await objective_progress(context, program, row, now, version=version) for row in rows]


async def baseline(context: Context, program: Document, kpi: str, period: Period, now: datetime) -> Baseline:
    """What an objective for `period` starts from, by the days before it."""
    today = now.astimezone(zone(program["time_zone"])).date()
    measured = before(period, today, await context.store.first_day(program["_id"]))
    if measured is None:
        return Baseline(None, None)
    found = (await figures(context, program, measured, Slice()) or {}).get(FIGURES[kpi], {})
    return Baseline(measured_baseline(kpi, float(found.get("value") or 0), measured, period), measured)


# --- live and own ------------------------------------------------------------------------------------------------


async def live_figures(
    context: Context, program: Document, days: int, now: datetime, version: FiguresVersion
) -> dict[str, Any]:
    """What a dashboard of the last `days` days shows, as of at least `version`: figures, series, open objectives."""
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
    found["objectives"] = await objectives(context, program, now, version=version)
    return found


async def own_figures(context: Context, program: Document, person_id: str, period: Period) -> dict[str, int]:
    """What one ambassador's posts brought."""
    counts = Counts()
    async for _, found in context.store.sum_persons(program["_id"], period, (), where={"ambassador_id": person_id}):
        counts = found
    return {
        "shares": counts.shares,
        "clicks_raw": counts.clicks_raw,
        "clicks_counted": counts.clicks_counted,
        "engagements": counts.engagements,
    }
