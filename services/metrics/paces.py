"""By what the figures of objectives grew from day to day, read once and then remembered for some minutes: what is past
hardly moves, and a push must not read it again."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from datetime import date, timedelta

from chassis.mongo import Document
from chassis.tasks import yielding
from services.metrics.domain.figures import ACTS_OF, Tally, of_counts
from services.metrics.domain.objectives import FIGURES, OF_PEOPLE, PACE_DAYS, Pace
from services.metrics.domain.periods import Period
from services.metrics.learning.store import LessonsCompleted
from services.metrics.store.facts import Store

MAX_PACES = 1_000
FRESH_SECONDS = 600.0
NONE = Pace(0.0, 0, ())


class Paces:
    """The paces that this process looks at, the least used forgotten first."""

    def __init__(self, store: Store, lessons: LessonsCompleted) -> None:
        self._store = store
        self._lessons = lessons
        self._known: OrderedDict[tuple[str, str, Period], tuple[float, Pace]] = OrderedDict()

    async def of(self, program: Document, kpi: str, period: Period, today: date) -> Pace:
        """The pace of the period's whole days before `today`, from the first of which anything is known.

        Its cost depends on days and people, not on events.
        """
        past = Period(period.first, min(period.last, today - timedelta(days=1)))
        if past.days < 1 or kpi not in FIGURES:
            return NONE
        key = (program["_id"], kpi, past)
        known = self._known.get(key)
        if known is None or time.monotonic() - known[0] > FRESH_SECONDS:
            known = self._known[key] = (time.monotonic(), await self._read(program, kpi, past))
        self._known.move_to_end(key)
        while len(self._known) > MAX_PACES:
            self._known.popitem(last=False)
        return known[1]

    async def _read(self, program: Document, kpi: str, past: Period) -> Pace:
        first = await self._store.first_day(program["_id"])
        if first is None or first > past.last:
            return NONE
        known = Period(max(past.first, first), past.last)
        if kpi == "lessons_completed":
            return await self._learned(program, known)
        read = self._people if kpi in OF_PEOPLE else self._acts if kpi in ACTS_OF else self._sums
        return await read(program, kpi, known)

    async def _acts(self, program: Document, kpi: str, past: Period) -> Pace:
        days = await self._store.acts_by_day(program["_id"], past, ACTS_OF[kpi])
        return Pace(float(days.total()), past.days, [float(days[day]) for day in _last(past)])

    async def _learned(self, program: Document, past: Period) -> Pace:
        start, end = past.bounds(program["time_zone"])
        days = await self._lessons.by_day(program["_id"], start, end, program["time_zone"])
        return Pace(float(sum(days.values())), past.days, [float(days.get(day, 0)) for day in _last(past)])

    async def _sums(self, program: Document, kpi: str, past: Period) -> Pace:
        rates = await self._store.rates.of_program(program["_id"])
        whole, last = Tally(), {day: Tally() for day in _last(past)}
        async for (day, network), counts in self._store.sum_totals(program["_id"], past, ("day", "network")):
            whole.add(day, network, counts, rates)
            if day in last:
                last[day].add(day, network, counts, rates)

        def value(tally: Tally) -> float:
            return float(of_counts(tally, rates.currency)[FIGURES[kpi]]["value"])

        return Pace(value(whole), past.days, [value(tally) for tally in last.values()])

    async def _people(self, program: Document, kpi: str, past: Period) -> Pace:
        start, end = past.bounds(program["time_zone"])
        counted = await self._store.enrolled(program["_id"], start, end)
        if kpi == "leader_participation":
            counted &= await self._store.leaders()
        first = await self._store.first_shares(program["_id"], past)
        days = Counter([first[person] async for person in yielding(counted) if person in first])
        return Pace(float(days.total()), past.days, [float(days[day]) for day in _last(past)])


def _last(past: Period) -> list[str]:
    return list(Period(max(past.first, past.last - timedelta(days=PACE_DAYS - 1)), past.last))
