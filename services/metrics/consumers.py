"""Events of the other services to commands."""

from __future__ import annotations

from collections.abc import Sequence

from pymongo import UpdateOne

from chassis.consumer import Consumer, Received
from chassis.directory import Directory
from chassis.mongo import Document, Transaction
from herald_contracts import (
    AmbassadorJoined,
    AmbassadorLeft,
    ContentPublished,
    ContentRetired,
    ContentUpdated,
    EngagementRecorded,
    Event,
    ObjectiveSet,
    PostRemoved,
    PostShared,
    ProgramCreated,
)
from services.metrics import commands
from services.metrics.store import Store


def consumer(store: Store, directory: Directory) -> Consumer:
    """Everything that metrics hears."""

    async def handle(batch: Sequence[Received[Event]], tx: Transaction) -> None:
        await directory.apply(batch, tx)
        moved: dict[str, str | None] = {}
        for event in batch:
            match event.data:
                case ProgramCreated() | AmbassadorJoined() | AmbassadorLeft() | ObjectiveSet():
                    await _steer(store, event, tx)
                    moved[event.data.program_id] = event.traceparent
        await _contents(store, batch, tx)
        await store.beat(moved, tx)
        acts = commands.acts_of(batch)
        if acts:
            await commands.book(store, acts, tx)

    events: list[type[Event]] = [
        *directory.events,
        ProgramCreated,
        ObjectiveSet,
        ContentPublished,
        ContentUpdated,
        ContentRetired,
        PostShared,
        PostRemoved,
        EngagementRecorded,
    ]
    return Consumer(events, handle)


async def _steer(store: Store, event: Received[Event], tx: Transaction) -> None:
    """The rare events, one by one: programmes, enrolments, objectives."""
    match event.data:
        case ProgramCreated() as made:
            row = {"_id": made.program_id, "name": made.name, "time_zone": made.time_zone}
            await store.put_programs([row], tx)
            await commands.book_waiting(store, made.program_id, tx)
        case AmbassadorJoined() as joined:
            await store.enrol(event.id, joined.program_id, joined.person_id, joined.occurred_at, tx)
        case AmbassadorLeft() as left:
            await store.end_enrolment(left.program_id, left.person_id, left.occurred_at, tx)
        case ObjectiveSet() as objective:
            state: Document = objective.model_dump(mode="json", exclude={"objective_id", "occurred_at"})
            await store.put_objective({**state, "_id": objective.objective_id, "reached_at": None}, tx)


async def _contents(store: Store, batch: Sequence[Received[Event]], tx: Transaction) -> None:
    writes: list[UpdateOne] = []
    for event in batch:
        match event.data:
            case ContentPublished() | ContentUpdated() as item:
                state = {"program_id": item.program_id, "shareable": item.shareable, "retired_at": None}
                first = {"published_at": item.occurred_at}
                writes.append(UpdateOne({"_id": item.content_id}, {"$set": state, "$min": first}, upsert=True))
            case ContentRetired() as gone:
                writes.append(UpdateOne({"_id": gone.content_id}, {"$set": {"retired_at": gone.occurred_at}}))
    if writes:
        await store.put_contents(writes, tx)
