"""Herald as its next version could be: `python -m tests.fault.next_version run SERVICE ROLE`.

Engagements say one thing more, and beside each there is an event of a type that the present version has not heard
of. Both are what a compatible release may do.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

import herald_contracts
from chassis.mongo.client import Caused, Transaction
from herald_contracts import EngagementRecorded, Event

Event.registry.pop(EngagementRecorded.type)


class NextEngagement(EngagementRecorded):
    """As it was, with the campaign that it belongs to."""

    type: ClassVar[str] = EngagementRecorded.type
    campaign: str = Field(default="spring")


class EngagementWeighed(EngagementRecorded):
    """New in the next version."""

    type: ClassVar[str] = "herald.EngagementWeighed.v1"
    weight: float = 1.0


def emit_both(self: Transaction, event: Event, *, cause: Caused | None = None) -> str:
    """`emit`, and the new event after it."""
    id: str = emit_alone(self, event, cause=cause)
    if isinstance(event, NextEngagement):
        emit_alone(self, EngagementWeighed(**event.model_dump()), cause=cause)
    return id


emit_alone: Any = Transaction.emit
Transaction.emit = emit_both  # type: ignore[method-assign]
herald_contracts.EngagementRecorded = NextEngagement  # type: ignore[misc]

if __name__ == "__main__":
    from herald.cli.app import main

    main()
