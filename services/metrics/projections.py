"""What is kept here of other services' events: programmes, objectives, enrolments, what can be shared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from chassis.consumer import Received
from chassis.mongo import Document, Transaction
from herald_contracts import (
    AmbassadorJoined,
    AmbassadorLeft,
    AmbassadorPaused,
    AmbassadorResumed,
    ContentPublished,
    ContentRetired,
    ContentUpdated,
    ObjectiveSet,
    ProgramCreated,
)
from services.metrics import commands
from services.metrics.context import Context
from services.metrics.domain.changes import FigureChange
from services.metrics.domain.enrolments import MembershipChange
from services.metrics.store.facts import ContentChange

Membership = AmbassadorJoined | AmbassadorPaused | AmbassadorResumed | AmbassadorLeft
Content = ContentPublished | ContentUpdated | ContentRetired


async def project_programs(context: Context, tx: Transaction, events: Sequence[Received[ProgramCreated]]) -> None:
    """Make programmes known, and book some of what waited for them; the job books the rest."""
    rows = [
        {"_id": event.data.program_id, "name": event.data.name, "time_zone": event.data.time_zone} for event in events
    ]
    await context.store.put_programs(rows, tx)
    for row in rows:
        await commands.book_waiting(context, tx, row["_id"])
    await _reload(context, tx, events)


async def project_objectives(context: Context, tx: Transaction, events: Sequence[Received[ObjectiveSet]]) -> None:
    """The newest state of each objective."""
    for event in events:
        state: Document = event.data.model_dump(mode="json", exclude={"objective_id", "occurred_at"})
        await context.store.objectives.put({**state, "_id": event.data.objective_id, "reached_at": None}, tx)
    await _reload(context, tx, events)


async def project_memberships(context: Context, tx: Transaction, events: Sequence[Received[Membership]]) -> None:
    """Who was enrolled when, without their pauses. The order in which events arrive does not matter."""
    changes: dict[tuple[str, str], list[MembershipChange]] = defaultdict(list)
    moved: dict[str, FigureChange] = {}
    for event in events:
        data = event.data
        enrols = isinstance(data, AmbassadorJoined | AmbassadorResumed)
        change = MembershipChange(data.occurred_at.timestamp(), event.id, enrols)
        changes[data.program_id, data.person_id].append(change)
        one = moved.setdefault(data.program_id, FigureChange())
        one.people.add(data.person_id)
        one.traceparent = event.traceparent
    await context.store.add_membership_changes(changes, tx)
    await context.store.changes.record(moved, tx)


async def project_contents(context: Context, tx: Transaction, events: Sequence[Received[Content]]) -> None:
    """What could be shared, and from when until when."""
    changes = [
        ContentChange(
            event.data.content_id,
            event.data.program_id,
            event.data.revision,
            event.data.occurred_at,
            None if isinstance(event.data, ContentRetired) else event.data.shareable,
            None if isinstance(event.data, ContentRetired) else event.data.kind,
        )
        for event in events
    ]
    await context.store.put_contents(changes, tx)
    await _reload(context, tx, events)


async def _reload(
    context: Context, tx: Transaction, events: Sequence[Received[ProgramCreated | ObjectiveSet | Content]]
) -> None:
    """Have the figures of these programmes read anew."""
    moved = {event.data.program_id: FigureChange(reload=True, traceparent=event.traceparent) for event in events}
    await context.store.changes.record(moved, tx)
