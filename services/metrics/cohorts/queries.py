"""What came of a wave, beside the wave before it: the cost is that of the two cohorts."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from chassis.mongo import Document, pieces
from chassis.proportions import Estimate
from chassis.tasks import yielding
from chassis.web.problems import NotFound
from services.metrics.context import Context
from services.metrics.domain import cohorts
from services.metrics.domain.cohorts import NO_FEEDBACK, CohortFigures, Feedback, compared
from services.metrics.domain.periods import Period, day_of, zone
from services.metrics.store.shared import AT_ONCE


@dataclass(frozen=True, slots=True)
class WaveFigures:
    """A wave with what came of it."""

    wave: Document
    figures: CohortFigures
    feedback: Feedback


@dataclass(frozen=True, slots=True)
class Comparison:
    """A wave, the wave before it (None for the first), and how much they differ, by measure."""

    wave: WaveFigures
    before: WaveFigures | None
    differences: Mapping[str, Estimate | None]


async def comparison(context: Context, program: Document, wave_id: str, now: datetime) -> Comparison:
    """Raises NotFound for a wave that was never started."""
    wave = await context.cohorts.wave(program["_id"], wave_id)
    if wave is None:
        raise NotFound("wave", wave_id)
    found = await _of_wave(context, program, wave, now)
    earlier = await _previous(context, program["_id"], wave)
    if earlier is None:
        return Comparison(found, None, {})
    before = await _of_wave(context, program, earlier, now)
    differences = {
        "participation": compared(found.figures.participation, before.figures.participation),
        "retention": compared(found.figures.retention, before.figures.retention),
        "enps": compared(found.feedback, before.feedback),
    }
    return Comparison(found, before, differences)


async def _previous(context: Context, program_id: str, wave: Document) -> Document | None:
    """The last wave before that has anybody: one whose start was taken back is none."""
    for one in await context.cohorts.before(program_id, wave["starts_on"]):
        if await context.cohorts.has_members(one["_id"]):
            return one
    return None


async def _of_wave(context: Context, program: Document, wave: Document, now: datetime) -> WaveFigures:
    figures = await cohort_figures(context, program, wave["_id"], now)
    survey = await context.cohorts.last_survey(wave["_id"])
    said = NO_FEEDBACK
    if survey:
        answers, promoters, detractors = (survey.get(name) for name in ("answers", "promoters", "detractors"))
        said = cohorts.feedback(answers, promoters, detractors, context.small_group)
    return WaveFigures(wave, figures, said)


async def cohort_figures(context: Context, program: Document, wave_id: str, now: datetime) -> CohortFigures:
    """Of the members, but for those who keep out of named statistics."""
    members = await context.cohorts.members(wave_id)
    known = await context.store.people(members)
    hidden = {id for id, person in known.items() if person.get("hidden_from_statistics")}
    name = program["time_zone"]
    entered = {
        id: date.fromisoformat(day_of(datetime.fromtimestamp(members[id][0], UTC), name))
        async for id in yielding(members)
        if id not in hidden
    }
    left = {id for id, (_, gone) in members.items() if gone}
    today = now.astimezone(zone(name)).date()
    shared = await _days_of_shares(context, program["_id"], entered, today)
    return await asyncio.to_thread(cohorts.of_members, entered, left, shared, today, context.small_group)


async def _days_of_shares(
    context: Context, program_id: str, entered: Mapping[str, date], today: date
) -> dict[str, list[date]]:
    """The days on which each shared, from their first one to the last that a figure looks at."""
    found: dict[str, list[date]] = defaultdict(list)
    if not entered:
        return found
    first, last = min(entered.values()), max(entered.values()) + timedelta(days=cohorts.KEPT_DAYS)
    period = Period(first, max(first, min(today, last)))
    for some in pieces(list(entered), AT_ONCE):
        where = {"ambassador_id": {"$in": some}, "shares": {"$gt": 0}}
        days = context.store.sum_persons(program_id, period, ("ambassador_id", "day"), where=where, fields=())
        async for (person, one), _ in days:
            found[person].append(date.fromisoformat(one))
    return found
