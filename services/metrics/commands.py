"""What changes in metrics: events are booked, rates are set, objectives are found to be reached."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from pymongo.errors import DuplicateKeyError

from chassis.consumer import Received
from chassis.mongo import Document, Transaction
from chassis.web.http import check_version
from chassis.web.problems import Conflict, Invalid, Violation
from herald_contracts import EngagementRecorded, Event, ObjectiveReached, PostRemoved, PostShared
from services.metrics.domain.counts import field_of
from services.metrics.domain.periods import day_of
from services.metrics.domain.value import doubly_paid
from services.metrics.store import Changes, Store

Act = PostShared | PostRemoved | EngagementRecorded
ACTS: tuple[type[Event], ...] = (PostShared, PostRemoved, EngagementRecorded)


class Booked(NamedTuple):
    """An act with the id of its event and where its trace goes on."""

    id: str
    act: Act
    traceparent: str | None


async def book(store: Store, acts: Sequence[Booked], tx: Transaction) -> None:
    """Book acts that no fact tells of yet into facts and counters; those of an unknown programme wait for it."""
    zones = await store.time_zones({one.act.program_id for one in acts}, tx)
    late = [one for one in acts if one.act.program_id not in zones]
    if late:
        await store.keep_waiting([_as_row(one) for one in late], tx)
    known = [one for one in acts if one.act.program_id in zones]
    if known:
        await _book_known(store, known, zones, tx)


async def book_waiting(store: Store, program_id: str, tx: Transaction) -> bool:
    """Book some of what came before the programme did; whether there was any."""
    rows = await store.take_waiting(program_id, tx)
    known_before = await store.booked([row["_id"] for row in rows], tx)
    if fresh := [_from_row(row) for row in rows if row["_id"] not in known_before]:
        await book(store, fresh, tx)
    return bool(rows)


async def _book_known(store: Store, acts: Sequence[Booked], zones: Mapping[str, str], tx: Transaction) -> None:
    facts = [_fact(one, zones[one.act.program_id]) for one in acts]
    moves: list[tuple[Mapping[str, Any], str, int]] = [
        (fact, name, fact["quantity"])
        for fact in facts
        if fact["type"] == "engagement" and (name := field_of(fact["kind"], fact["verdict"], fact["measure"]))
    ]
    moves += [(where, "shares", number) for where, number in await _shares_moved(store, facts, tx)]
    totals: Changes = defaultdict(lambda: defaultdict(int))
    persons: Changes = defaultdict(lambda: defaultdict(int))
    for where, name, number in moves:
        program, day, network = where["program_id"], where["day"], where["network"]
        totals[program, day, network, where["content_id"]][name] += number
        persons[program, day, where["ambassador_id"], network][name] += number
    await store.insert_facts(facts, tx)
    await store.add(totals, persons, tx)
    await store.beat({one.act.program_id: one.traceparent for one in acts}, tx)


async def _shares_moved(store: Store, facts: Sequence[Document], tx: Transaction) -> list[tuple[Document, int]]:
    """Where shares come (1) and go (-1) by these facts. A share counts on its own day unless any removal of its
    post is known, whichever was heard of first."""
    told = [fact for fact in facts if fact["type"] != "engagement"]
    if not told:
        return []
    known = await store.facts_of_posts({fact["post_id"] for fact in told}, tx)
    before, after = _standing(known), _standing([*known, *told])
    gone = [(share, -1) for post, share in before.items() if after.get(post) != share]
    return gone + [(share, 1) for post, share in after.items() if before.get(post) != share]


def _standing(facts: Sequence[Document]) -> dict[str, Document]:
    """The shares that count, by post: the earliest of each that was never taken back."""
    removed = {fact["post_id"] for fact in facts if fact["type"] == "removal"}
    shares = sorted((fact for fact in facts if fact["type"] == "share"), key=lambda one: (one["at"], one["_id"]))
    return {share["post_id"]: share for share in reversed(shares) if share["post_id"] not in removed}


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
    if isinstance(act, EngagementRecorded):
        fact |= {"type": "engagement", "kind": act.kind, "verdict": act.verdict, "quantity": act.quantity}
        fact["measure"] = act.measure
    else:
        fact["type"] = "share" if isinstance(act, PostShared) else "removal"
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
    return [Booked(event.id, cast("Act", event.data), event.traceparent) for event in batch if type(event.data) in ACTS]


async def set_rates(
    store: Store, program_id: str, rates: Document, today: str, tx: Transaction, *, expected: int | None
) -> Document:
    """A new version of the rates; `expected` is the version that the caller has seen. Raises PreconditionRequired,
    StaleVersion, and Invalid: `valid_from` `past` (figures that were shown do not change),
    `currency` `fixed` (amounts of two currencies do not add up), `rates.<network>` `double-counting`."""
    if rates["valid_from"] < today:
        raise Invalid.one("valid_from", "past", f"Rates change from today ({today}) on; history stays as it is.")
    versions = await store.rates_of(program_id, tx)
    check_version(expected, len(versions))
    if versions and versions[0]["currency"] != rates["currency"]:
        raise Invalid.one("currency", "fixed", f"This programme counts in {versions[0]['currency']}.")
    if paid := doubly_paid(rates["rates"]):
        detail = "Pay a click or an impression: an impression that led to a click would be paid twice."
        raise Invalid(
            "The rates do not hold.", errors=[Violation(f"rates.{one}", "double-counting", detail) for one in paid]
        )
    row = {**rates, "program_id": program_id, "version": len(versions) + 1, "set_at": tx.now}
    row["_id"] = f"{program_id}|{row['version']}"
    try:
        await store.rates.insert_one(row, session=tx.session)
    except DuplicateKeyError:
        raise Conflict("The rates were changed at the same time.", type_="rates-changed") from None
    return row


@dataclass(frozen=True, slots=True)
class _Cause:
    traceparent: str | None
    tracestate: str | None = None


async def reach(store: Store, objective: Document, value: float, traceparent: str | None, tx: Transaction) -> None:
    """Mark the objective and say so, once, in the trace that moved the figure."""
    if await store.mark_reached(objective["_id"], objective["revision"], tx):
        tx.emit(
            ObjectiveReached(
                objective_id=objective["_id"],
                program_id=objective["program_id"],
                kpi=objective["kpi"],
                target=objective["target"],
                value=value,
                occurred_at=tx.now,
            ),
            cause=_Cause(traceparent) if traceparent else None,
        )
