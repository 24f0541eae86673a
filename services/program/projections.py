"""What is kept of other services' events."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.consumer import Received
from chassis.mongo import Transaction
from herald_contracts import AdministrativeActRecorded
from services.program.context import Context


async def project_audit_trail(
    context: Context, tx: Transaction, batch: Sequence[Received[AdministrativeActRecorded]]
) -> None:
    """Add the acts of every service to the one trail."""
    await context.audit_trail.add([(event.id, event.data) for event in batch], tx)
