"""Which event goes to which command or projection."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from chassis.consumer import Consumer, Received
from chassis.mongo import Transaction
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
from services.metrics import commands, projections
from services.metrics.context import Context

Handler = Callable[[Context, Transaction, Sequence[Received[Any]]], Awaitable[None]]
ACTS: tuple[type[Event], ...] = (PostShared, PostRemoved, EngagementRecorded)


async def book(context: Context, tx: Transaction, events: Sequence[Received[Any]]) -> None:
    """Acts become facts."""
    await commands.book(context, tx, [commands.booked_act(event) for event in events])


HANDLERS: list[tuple[tuple[type[Event], ...], Handler]] = [
    ((ProgramCreated,), projections.project_programs),
    ((ObjectiveSet,), projections.project_objectives),
    ((AmbassadorJoined, AmbassadorLeft), projections.project_memberships),
    ((ContentPublished, ContentUpdated, ContentRetired), projections.project_contents),
    (ACTS, book),
]


def consumer(context: Context) -> Consumer:
    """Everything that metrics takes."""

    async def handle(batch: Sequence[Received[Event]], tx: Transaction) -> None:
        await context.principals.apply([event for event in batch if type(event.data) not in ACTS], tx)
        for types, handler in HANDLERS:
            if events := [event for event in batch if type(event.data) in types]:
                await handler(context, tx, events)

    events = dict.fromkeys([*context.principals.events, *(one for types, _ in HANDLERS for one in types)])
    return Consumer(events, handle, kept=dict.fromkeys(ACTS, "facts"))
