"""What changes in metrics: events are booked, rates are set, objectives are found to be reached."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from chassis import audit
from chassis.consumer import Received
from chassis.ids import derived_id
from chassis.mongo import Document, Transaction
from chassis.tasks import yielding
from chassis.web.http import Expected, check_version
from chassis.web.problems import Invalid, Refused, Violation
from herald_contracts import ActRecorded, ActWithdrawn, EngagementRecorded, Event, PostRemoved, PostShared
from services.metrics import event_mapping
from services.metrics.audit import RATES
from services.metrics.context import Context
from services.metrics.domain.changes import FigureChange
from services.metrics.domain.counts import IMPORTED, fields_of
from services.metrics.domain.periods import day_of
from services.metrics.domain.value import Rates, doubly_paid
from services.metrics.store.changes import FiguresVersion
from services.metrics.store.facts import Increments, Store

OfPost = PostShared | PostRemoved | EngagementRecorded
Beside = ActRecorded | ActWithdrawn
"""Acts beside sharing: of no post, item and network."""
Act = OfPost | Beside
MAX_RATE_VERSIONS = 500


class BookedAct(NamedTuple):
    """An act with the id of its event and where its trace goes on."""

    id: str
    act: Act
    traceparent: str | None


def booked_act(event: Received[Any]) -> BookedAct:
    """An act as it was received."""
    return BookedAct(event.id, event.data, event.traceparent)


async def book_events(context: Context, tx: Transaction, events: Sequence[Received[Act]]) -> None:
    """Acts become facts."""
    await book(context, tx, [booked_act(event) for event in events])


async def book(context: Context, tx: Transaction, acts: Sequence[BookedAct]) -> None:
    """Book acts that are no facts yet into facts and counters; those of an unknown programme wait for it."""
    store = context.store
    zones = await store.time_zones({one.act.program_id for one in acts}, tx)
    early = [one for one in acts if one.act.program_id not in zones]
    if early:
        await store.keep_waiting([_as_row(one) for one in early], tx)
    known = [one for one in acts if one.act.program_id in zones]
    if known:
        await _book_known(store, tx, known, zones)


async def book_waiting(context: Context, tx: Transaction, program_id: str) -> bool:
    """Book some of what came before the programme did; whether there was any."""
    rows = await context.store.take_waiting(program_id, tx)
    known_before = await context.store.booked([row["_id"] for row in rows], tx)
    if fresh := [_from_row(row) for row in rows if row["_id"] not in known_before]:
        await book(context, tx, fresh)
    return bool(rows)


async def _book_known(store: Store, tx: Transaction, acts: Sequence[BookedAct], zones: Mapping[str, str]) -> None:
    facts = [_fact(one, zones[one.act.program_id]) async for one in yielding(acts)]
    moves: list[tuple[Mapping[str, Any], str, int]] = [
        (fact, name, fact["quantity"])
        async for fact in yielding(facts)
        if fact["type"] == "engagement"
        for name in fields_of(fact["kind"], fact["verdict"], fact["measure"])
    ]
    shares = await _shares_moved(store, tx, facts)
    moves += [(where, "shares", number) for where, number in shares]
    moves += [(where, f"share_{IMPORTED}", number) for where, number in shares if where.get("method") == IMPORTED]
    totals: Increments = defaultdict(lambda: defaultdict(int))
    persons: Increments = defaultdict(lambda: defaultdict(int))
    acts_moved: Increments = defaultdict(lambda: defaultdict(int))
    changes: dict[str, FigureChange] = {one.act.program_id: FigureChange(traceparent=one.traceparent) for one in acts}
    async for where, name, number in yielding(moves):
        program, day, network = where["program_id"], where["day"], where["network"]
        totals[program, day, network, where["content_id"]][name] += number
        persons[program, day, where["ambassador_id"], network][name] += number
        changes[program].add(where, name, number)
    for where, number in await _acts_moved(store, tx, facts):
        acts_moved[where["program_id"], where["day"], where["ambassador_id"], where["act"]]["count"] += number
        changes[where["program_id"]].acts[where["day"], where["act"]] += number
    await store.insert_facts(facts, tx)
    await store.add(totals, persons, tx)
    await store.add_acts(acts_moved, tx)
    await store.changes.record(changes, tx)


async def _shares_moved(store: Store, tx: Transaction, facts: Sequence[Document]) -> list[tuple[Document, int]]:
    """Where shares come (1) and go (-1) by these facts. A share counts on its own day unless any removal of its
    post is known, whichever came first."""
    fresh = [fact for fact in facts if fact["type"] in ("share", "removal")]
    if not fresh:
        return []
    known = await store.facts_of_posts({fact["post_id"] for fact in fresh}, tx)
    return _moved(known, fresh, "post_id", "share")


async def _acts_moved(store: Store, tx: Transaction, facts: Sequence[Document]) -> list[tuple[Document, int]]:
    """Where acts beside sharing come (1) and go (-1) by these facts, as shares do."""
    fresh = [fact for fact in facts if fact["type"] in ("act", "act_withdrawal")]
    if not fresh:
        return []
    known = await store.facts_of_acts({fact["act_id"] for fact in fresh}, tx)
    return _moved(known, fresh, "act_id", "act")


def _moved(known: Sequence[Document], fresh: Sequence[Document], name: str, made: str) -> list[tuple[Document, int]]:
    before, after = _standing(known, name, made), _standing([*known, *fresh], name, made)
    gone = [(fact, -1) for id, fact in before.items() if after.get(id) != fact]
    return gone + [(fact, 1) for id, fact in after.items() if before.get(id) != fact]


def _standing(facts: Sequence[Document], name: str, made: str) -> dict[str, Document]:
    """The facts of the type `made` that count, by their `name`: the earliest of each that was never taken back."""
    removed = {fact[name] for fact in facts if fact["type"] != made}
    found = sorted((fact for fact in facts if fact["type"] == made), key=lambda one: (one["at"], one["_id"]))
    return {fact[name]: fact for fact in reversed(found) if fact[name] not in removed}


def _fact(one: BookedAct, time_zone: str) -> Document:
    act = one.act
    fact: Document = {
        "_id": one.id,
        "program_id": act.program_id,
        "ambassador_id": act.ambassador_id,
        "at": act.occurred_at,
        "day": day_of(act.occurred_at, time_zone),
    }
    if isinstance(act, Beside):
        kind = "act" if isinstance(act, ActRecorded) else "act_withdrawal"
        return fact | {"type": kind, "act_id": act.act_id, "act": act.act}
    fact |= {"post_id": act.post_id, "content_id": act.content_id, "network": act.network}
    if isinstance(act, EngagementRecorded):
        fact |= {"type": "engagement", "kind": act.kind, "verdict": act.verdict, "quantity": act.quantity}
        fact["measure"] = act.measure
    elif isinstance(act, PostShared):
        fact |= {"type": "share", "method": act.method, "edited": act.edited}
    else:
        fact["type"] = "removal"
    return fact


def _as_row(one: BookedAct) -> Document:
    return {
        "_id": one.id,
        "program_id": one.act.program_id,
        "type": one.act.type,
        "data": one.act.model_dump_json(),
        "traceparent": one.traceparent,
    }


def _from_row(row: Mapping[str, Any]) -> BookedAct:
    act = Event.registry[row["type"]].from_json(row["data"])
    assert isinstance(act, OfPost | Beside)
    return BookedAct(row["_id"], act, row["traceparent"])


async def set_rates(
    context: Context, tx: Transaction, program_id: str, wanted: Rates, today: str, *, expected: Expected | None
) -> Rates:
    """A new version of the rates; `expected` is the version that the caller has seen. Raises PreconditionRequired,
    StaleVersion, Conflict, Refused `too-many-versions`, and Invalid: `valid_from` `past` (figures that were shown do
    not change), `currency` `fixed` (amounts of two currencies do not add up), `rates.<network>` `double-counting`."""
    if wanted.valid_from < today:
        raise Invalid.one(
            "valid_from", "past", f"Rates change from today ({today}) on; history stays as it is.", today=today
        )
    latest = await context.store.rates.latest(program_id, tx.session)
    check_version(expected, latest.version)
    if latest.version and latest.currency != wanted.currency:
        raise Invalid.one("currency", "fixed", f"This programme counts in {latest.currency}.", currency=latest.currency)
    if latest.version >= MAX_RATE_VERSIONS:
        raise Refused(f"Rates can be set {MAX_RATE_VERSIONS} times.", type_="too-many-versions")
    if paid := doubly_paid(wanted.rates):
        detail = "Pay a click or an impression: an impression that led to a click would be paid twice."
        raise Invalid(
            "The rates do not hold.", errors=[Violation(f"rates.{one}", "double-counting", detail) for one in paid]
        )
    rates = replace(wanted, version=latest.version + 1)
    await context.store.rates.insert(program_id, rates, tx)
    await context.store.changes.record({program_id: FigureChange(reload=True)}, tx)
    audit.record(tx, "set_rates", RATES, program_id, before=latest, after=rates, program_id=program_id)
    return rates


@dataclass(frozen=True, slots=True)
class _Cause:
    traceparent: str | None
    tracestate: str | None = None


async def reach_objective(
    context: Context, tx: Transaction, objective: Document, value: float, version: FiguresVersion
) -> None:
    """Mark the objective and announce it, once, in the trace that moved the figure."""
    if await context.store.objectives.mark_reached(objective["_id"], objective["revision"], tx):
        cause = _Cause(version.traceparent) if version.traceparent else None
        # Named by the goal: after a rebuild it is found again, and is the same event.
        id = derived_id(
            "ObjectiveReached", objective["_id"], str(objective.get("goal_revision", objective["revision"]))
        )
        tx.emit(event_mapping.objective_reached(objective, value, tx.now), cause=cause, id=id)
