"""Events of the other services to commands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from pymongo import UpdateOne

from chassis.consumer import Consumer, Received
from chassis.mongo import Document, Transaction
from chassis.principals import PrincipalStore
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
from services.metrics.domain.counts import Turn
from services.metrics.store import Store


def consumer(store: Store, principals: PrincipalStore) -> Consumer:
    """Everything that metrics hears."""

    async def handle(batch: Sequence[Received[Event]], tx: Transaction) -> None:
        acts = commands.acts_of(batch)
        others = [event for event in batch if type(event.data) not in commands.ACTS]
        await principals.apply(others, tx)
        moved: dict[str, str | None] = {}
        turns: dict[tuple[str, str], list[Turn]] = defaultdict(list)
        for event in others:
            match event.data:
                case ProgramCreated() | ObjectiveSet() as told:
                    await _steer(store, told, tx)
                    moved[told.program_id] = event.traceparent
                case AmbassadorJoined() | AmbassadorLeft() as told:
                    joined = isinstance(told, AmbassadorJoined)
                    turn = Turn(told.occurred_at.timestamp(), event.id, joined)
                    turns[told.program_id, told.person_id].append(turn)
                    moved[told.program_id] = event.traceparent
        await store.enrol(turns, tx)
        await _contents(store, others, tx)
        await store.beat(moved, tx)
        if acts:
            await commands.book(store, acts, tx)

    events: list[type[Event]] = [
        *principals.events,
        ProgramCreated,
        ObjectiveSet,
        ContentPublished,
        ContentUpdated,
        ContentRetired,
        PostShared,
        PostRemoved,
        EngagementRecorded,
    ]
    return Consumer(events, handle, kept=dict.fromkeys(commands.ACTS, "facts"))


async def _steer(store: Store, event: ProgramCreated | ObjectiveSet, tx: Transaction) -> None:
    """The rare events, one by one: programmes and objectives."""
    match event:
        case ProgramCreated() as made:
            row = {"_id": made.program_id, "name": made.name, "time_zone": made.time_zone}
            await store.put_programs([row], tx)
            await commands.book_waiting(store, made.program_id, tx)
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
