"""What gamification takes from other services' events: programmes, and facts that may earn points."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from chassis.clock import to_milliseconds
from chassis.consumer import InvalidEvent, Received
from chassis.mongo import Transaction
from herald_contracts import (
    ActRecorded,
    ActWithdrawn,
    EngagementRecorded,
    Event,
    LessonCompleted,
    PostRemoved,
    PostShared,
    ProgramCreated,
)
from services.gamification import commands
from services.gamification.context import Context
from services.gamification.domain.ledger import Fact, SourcedFact
from services.gamification.domain.rules import ALWAYS, EARNINGS, zone_of

AHEAD = timedelta(days=1)
Earning = PostShared | PostRemoved | EngagementRecorded | LessonCompleted | ActRecorded | ActWithdrawn


async def project_programs(context: Context, tx: Transaction, batch: Sequence[Received[ProgramCreated]]) -> None:
    """Make programmes known, and book some of what waited for them; the job books the rest.

    Raises InvalidEvent `time-zone-unknown`.
    """
    for event in batch:
        try:
            zone_of(event.data.time_zone)
        except ValueError as error:
            raise InvalidEvent("time-zone-unknown", str(error)) from None
        await context.programs.add(event.data.program_id, event.data.time_zone, tx)
        await commands.book_waiting(context, tx, event.data.program_id)


async def book_events(context: Context, tx: Transaction, batch: Sequence[Received[Earning]]) -> None:
    """Book what earns points. Raises InvalidEvent `occurred-at-implausible`."""
    facts = [one for event in batch if (one := fact_of(event)) is not None]
    for one in facts:
        if not ALWAYS <= one.fact.occurred_at <= tx.now + AHEAD:
            raise InvalidEvent("occurred-at-implausible", one.fact.occurred_at.isoformat())
    await commands.book_facts(context, tx, facts)


def fact_of(event: Received[Event]) -> SourcedFact | None:
    """What an event says that may earn points; None where nothing of it can.

    Only what was measured and found to be of a person counts: bots, prefetchers, repeats and one's own clicks
    earn nothing, nor do estimates, nor what this version has no word for. What was imported says when it came in; the
    rules of that moment decide on it.
    """
    data = event.data
    match data:
        case PostShared():
            return _sourced(event, data, "share")
        case PostRemoved():
            return _sourced(event, data, "removal")
        case EngagementRecorded(verdict="counted", measure="measured" | "imported") if data.kind in EARNINGS:
            return _sourced(event, data, data.kind, data.quantity)
        case LessonCompleted():
            return _of_no_post(event, data, data.person_id, "lesson")
        case ActRecorded():
            return _of_no_post(event, data, data.ambassador_id, data.act, data.act_id)
        case ActWithdrawn():
            return _of_no_post(event, data, data.ambassador_id, "removal", data.act_id)
    return None


def _of_no_post(
    event: Received[Event],
    data: LessonCompleted | ActRecorded | ActWithdrawn,
    person_id: str,
    act: str,
    act_id: str | None = None,
) -> SourcedFact:
    fact = Fact(
        cause_id=event.id,
        cause_type=event.type,
        act=act,
        quantity=1,
        ambassador_id=person_id,
        program_id=data.program_id,
        post_id=None,
        content_id=None,
        network=None,
        occurred_at=to_milliseconds(data.occurred_at),
        act_id=act_id,
    )
    return SourcedFact(fact, (event.topic, event.partition, event.offset), event.traceparent, event.tracestate)


def _sourced(
    event: Received[Event],
    data: PostShared | PostRemoved | EngagementRecorded,
    act: str,
    quantity: int = 1,
) -> SourcedFact:
    fact = Fact(
        cause_id=event.id,
        cause_type=event.type,
        act=act,
        quantity=quantity,
        ambassador_id=data.ambassador_id,
        program_id=data.program_id,
        post_id=data.post_id,
        content_id=data.content_id,
        network=data.network,
        occurred_at=to_milliseconds(data.occurred_at),
        imported_at=event.time if _imported(data) else None,
    )
    return SourcedFact(fact, (event.topic, event.partition, event.offset), event.traceparent, event.tracestate)


def _imported(data: PostShared | PostRemoved | EngagementRecorded) -> bool:
    match data:
        case PostShared(method="imported") | EngagementRecorded(measure="imported"):
            return True
    return False
