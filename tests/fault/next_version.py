"""Herald as its next version could be: `python -m tests.fault.next_version run SERVICE ROLE`.

Engagements say one thing more and travel in two versions, of which its consumers take both; beside each there is an
event of a type that the present version has not heard of. Every row that is stored has one field more, in each of its
objects. All of it is what a compatible release may do.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, ClassVar

from pydantic import Field

import herald_contracts
from chassis.consumer import Route, on
from chassis.mongo import Document, rows
from chassis.mongo.client import Caused, Transaction
from herald_contracts import EngagementRecorded, Event
from tests.fault.second_version import EngagementRecordedV2

Event.registry.pop(EngagementRecorded.type)


class NextEngagement(EngagementRecorded):
    """As it was, with the campaign that it belongs to."""

    type: ClassVar[str] = EngagementRecorded.type
    campaign: str = Field(default="spring")


class EngagementWeighed(EngagementRecorded):
    """New in the next version."""

    type: ClassVar[str] = "herald.EngagementWeighed.v1"
    weight: float = 1.0


def emit_all(
    self: Transaction, event: Event, *versions: Event, cause: Caused | None = None, id: str | None = None
) -> str:
    """`emit` in both versions, and the new event after it."""
    if not isinstance(event, NextEngagement):
        return str(emit(self, event, *versions, cause=cause, id=id))
    given: str = emit(self, event, EngagementRecordedV2(**event.model_dump(), certainty=1.0), cause=cause, id=id)
    emit(self, EngagementWeighed(**event.model_dump()), cause=cause)
    return given


def stored(alone: Callable[[Any], Document]) -> Callable[[Any], Document]:
    """What is written, with a field that the present version does not have."""
    return lambda value: {**alone(value), "next_version": {"since": "now"}}


rows.document = stored(rows.document)  # type: ignore[assignment]
rows.changes = stored(rows.changes)  # type: ignore[assignment]
emit: Any = Transaction.emit
Transaction.emit = emit_all  # type: ignore[method-assign]
herald_contracts.EngagementRecorded = NextEngagement  # type: ignore[misc]


def take_both_versions(routes: list[Route[Any]]) -> None:
    """A consumer on its way from v1 to v2 takes both."""
    for number, route in enumerate(routes):
        if NextEngagement in route.events:
            routes[number] = on(*route.events, EngagementRecordedV2, do=route.do, inbox=route.inbox)


for module in ("services.metrics.consumers", "services.gamification.consumers"):
    take_both_versions(importlib.import_module(module).CONSUMERS)

if __name__ == "__main__":
    from herald.cli.app import main

    main()
