"""What is kept of completed lessons. Neither order nor repetition matters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from chassis.consumer import Received
from chassis.mongo import Transaction
from herald_contracts import LessonCompleted
from services.metrics.context import Context
from services.metrics.domain.changes import FigureChange

FIRST_DAY: Final = "first-day"
"""What `LessonCompleted` calls the path that Herald brings for a first day."""


async def project_lessons(context: Context, tx: Transaction, events: Sequence[Received[LessonCompleted]]) -> None:
    """Who completed which lesson, and who had the whole first-day path by it."""
    rows = [
        {
            "_id": f"{event.data.program_id}|{event.data.person_id}|{event.data.lesson_id}",
            "program_id": event.data.program_id,
            "person_id": event.data.person_id,
            "at": event.data.occurred_at,
            "first_day": FIRST_DAY in event.data.paths,
        }
        for event in events
    ]
    changes: dict[str, FigureChange] = defaultdict(FigureChange)
    for row in await context.lessons.add(rows, tx):
        change = changes[row["program_id"]]
        change.lessons.append(row["at"].timestamp())
        if row["first_day"]:
            change.people.add(row["person_id"])
    for event in events:
        if event.data.program_id in changes:
            changes[event.data.program_id].traceparent = event.traceparent
    await context.store.changes.record(changes, tx)
