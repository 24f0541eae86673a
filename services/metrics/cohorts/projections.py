"""What is kept of `program`'s events on waves and surveys. Neither order nor repetition matters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from chassis.consumer import Received
from chassis.mongo import Transaction
from herald_contracts import CohortJoined, CohortLeft, CohortStarted, SurveyClosed
from services.metrics.cohorts.store import Pair
from services.metrics.context import Context
from services.metrics.domain.cohorts import CohortChange, Step


async def project_waves(context: Context, tx: Transaction, events: Sequence[Received[CohortStarted]]) -> None:
    """Which waves were started, and when they begin and end."""
    rows = [
        {**event.data.model_dump(mode="json", exclude={"wave_id", "occurred_at"}), "_id": event.data.wave_id}
        for event in events
    ]
    await context.cohorts.put_waves(rows, tx)


async def project_cohorts(
    context: Context, tx: Transaction, events: Sequence[Received[CohortJoined | CohortLeft]]
) -> None:
    """Who is in which cohort since when."""
    changes: dict[Pair, list[CohortChange]] = defaultdict(list)
    for event in events:
        data = event.data
        step: Step = "joined"
        if isinstance(data, CohortLeft):
            step = "withdrawn" if data.reason == "withdrawn" else "left"
        changes[data.wave_id, data.person_id].append(CohortChange(data.occurred_at.timestamp(), event.id, step))
    program_of = {event.data.wave_id: event.data.program_id for event in events}
    await context.cohorts.add_changes(program_of, changes, tx)


async def project_surveys(context: Context, tx: Transaction, events: Sequence[Received[SurveyClosed]]) -> None:
    """What surveys said; a survey is closed once."""
    names = {"program_id", "wave_id", "closes_on", "answers", "enps", "promoters", "detractors"}
    rows = [{**event.data.model_dump(mode="json", include=names), "_id": event.data.survey_id} for event in events]
    await context.cohorts.put_surveys(rows, tx)
