"""Which event goes to which command or projection. Cost is by batch, not by event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from chassis.consumer import Consumer, Received
from chassis.mongo import Transaction
from chassis.principals import PrincipalStore
from herald_contracts import Event, LinkClicked
from services.sharing import commands, projections
from services.sharing.context import Context

Batch = Sequence[Received[Event]]


def consumer(context: Context) -> Consumer:
    """The one consumer of this service."""

    async def handle(batch: Batch, tx: Transaction) -> None:
        await context.principals.apply(batch, tx)
        await projections.project_programs(context, tx, batch)
        await projections.project_contents(context, tx, batch)
        clicks = [cast("Received[LinkClicked]", event) for event in batch if isinstance(event.data, LinkClicked)]
        if clicks:
            await commands.record_clicks(context, tx, clicks)

    return Consumer([*PrincipalStore.events, *projections.PROGRAMS, *projections.CONTENTS, LinkClicked], handle)
