"""What changes in metrics: events are booked, rates are set, objectives are found to be reached."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo.errors import DuplicateKeyError

from chassis.consumer import Received
from chassis.mongo import Document, Transaction
from chassis.problems import Conflict, Invalid
from herald_contracts import EngagementRecorded, Event, ObjectiveReached, PostRemoved, PostShared
from services.metrics.domain.counts import Counts
from services.metrics.domain.periods import day_of
from services.metrics.store import Key, Store

Act = PostShared | PostRemoved | EngagementRecorded


@dataclass(frozen=True, slots=True)
class Booked:
    """An act with the id of its event and where its trace goes on."""

    id: str
    act: Act
    traceparent: str | None


async def book(store: Store, acts: Sequence[Booked], tx: Transaction) -> None:
    """Book acts into facts and counters. Those of a programme that is not known yet wait for it."""
    zones = await store.time_zones({one.act.program_id for one in acts}, tx)
    late = [one for one in acts if one.act.program_id not in zones]
    if late:
        await store.keep_waiting([_as_row(one) for one in late], tx)
    known = [one for one in acts if one.act.program_id in zones]
    if known:
        await _book_known(store, known, zones, tx)


async def book_waiting(store: Store, program_id: str, tx: Transaction) -> None:
    """Book what came before the programme did."""
    rows = await store.take_waiting(program_id, tx)
    if rows:
        await book(store, [_from_row(row) for row in rows], tx)


async def _book_known(store: Store, acts: Sequence[Booked], zones: Mapping[str, str], tx: Transaction) -> None:
    facts = [_fact(one, zones[one.act.program_id]) for one in acts]
    removed = {fact["post_id"] for fact in facts if fact["type"] == "removal"}
    shares = {fact["post_id"]: fact for fact in facts if fact["type"] == "share"}
    if removed - shares.keys():
        shares |= await store.shares_of(removed - shares.keys(), tx)
    totals: dict[Key, Counts] = defaultdict(Counts)
    persons: dict[Key, Counts] = defaultdict(Counts)
    for fact in facts:
        # A share that is taken back leaves the day on which it was made.
        where = shares.get(fact["post_id"], fact) if fact["type"] == "removal" else fact
        program, day, network = where["program_id"], where["day"], where["network"]
        for counts in (
            totals[program, day, network, where["content_id"]],
            persons[program, day, where["ambassador_id"], network],
        ):
            _count(counts, fact)
    await store.insert_facts(facts, tx)
    await store.add(totals, persons, tx)
    await store.beat({one.act.program_id: one.traceparent for one in acts}, tx)


def _count(counts: Counts, fact: Mapping[str, Any]) -> None:
    if fact["type"] == "share":
        counts.add_share(1)
    elif fact["type"] == "removal":
        counts.add_share(-1)
    else:
        counts.add_engagement(fact["kind"], fact["verdict"], fact["quantity"])


def _fact(one: Booked, time_zone: str) -> Document:
    act = one.act
    fact: Document = {
        "_id": one.id,
        "program_id": act.program_id,
        "post_id": act.post_id,
        "ambassador_id": act.ambassador_id,
        "content_id": act.content_id,
        "network": act.network,
        "at": act.occurred_at,
        "day": day_of(act.occurred_at, time_zone),
    }
    match act:
        case PostShared():
            fact["type"] = "share"
        case PostRemoved():
            fact["type"] = "removal"
        case EngagementRecorded():
            fact |= {"type": "engagement", "kind": act.kind, "verdict": act.verdict, "quantity": act.quantity}
            fact["measure"] = act.measure
    return fact


def _as_row(one: Booked) -> Document:
    return {
        "_id": one.id,
        "program_id": one.act.program_id,
        "type": one.act.type,
        "data": one.act.model_dump_json(),
        "traceparent": one.traceparent,
    }


def _from_row(row: Mapping[str, Any]) -> Booked:
    act = Event.registry[row["type"]].from_json(row["data"])
    assert isinstance(act, PostShared | PostRemoved | EngagementRecorded)
    return Booked(row["_id"], act, row["traceparent"])


def acts_of(batch: Sequence[Received[Event]]) -> list[Booked]:
    """The acts among the events."""
    return [
        Booked(event.id, event.data, event.traceparent)
        for event in batch
        if isinstance(event.data, PostShared | PostRemoved | EngagementRecorded)
    ]


async def set_rates(store: Store, program_id: str, rates: Document, today: str, tx: Transaction) -> Document:
    """A new version of the rates. Raises Invalid for a past day: figures that were shown do not change."""
    if rates["valid_from"] < today:
        raise Invalid.one("valid_from", "past", f"Rates change from today ({today}) on; history stays as it is.")
    versions = await store.rates_of(program_id, tx)
    row = {**rates, "program_id": program_id, "version": len(versions) + 1, "set_at": tx.now}
    row["_id"] = f"{program_id}|{row['version']}"
    try:
        await store.rates.insert_one(row, session=tx.session)
    except DuplicateKeyError:
        raise Conflict("The rates were changed at the same time.", type_="rates-changed") from None
    return row


async def reach(store: Store, objective: Document, value: float, tx: Transaction) -> None:
    """Mark the objective and say so, once."""
    if await store.mark_reached(objective["_id"], objective["revision"], tx):
        tx.emit(
            ObjectiveReached(
                objective_id=objective["_id"],
                program_id=objective["program_id"],
                kpi=objective["kpi"],
                target=objective["target"],
                value=value,
                occurred_at=tx.now,
            )
        )
