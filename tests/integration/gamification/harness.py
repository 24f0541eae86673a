"""A programme with its people and their acts, made from the example events; time stands at today's noon."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx

from chassis.clock import FixedClock
from chassis.consumer import Received
from chassis.ids import new_id
from chassis.jobs import JobContext
from chassis.mongo.leases import Lease
from chassis.service import Service
from herald.contracts.examples import example
from herald_contracts import (
    ActRecorded,
    ActWithdrawn,
    AmbassadorJoined,
    EngagementRecorded,
    Event,
    PersonUpdated,
    PostRemoved,
    PostShared,
    ProgramCreated,
)
from services.gamification import commands, jobs
from services.gamification.domain.ledger import SourcedFact
from services.gamification.domain.rebuilds import Rebuild
from services.gamification.projections import fact_of
from tests.integration.harness import Harness

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
PROGRAM = "prog"


def clock() -> FixedClock:
    return FixedClock(NOON)


def created(program: str = PROGRAM, **changes: Any) -> ProgramCreated:
    data = {**example("ProgramCreated").data, "program_id": program, "time_zone": "Europe/Paris", **changes}
    return ProgramCreated(**{**data, "occurred_at": NOON})


def joined(person: str, program: str = PROGRAM) -> AmbassadorJoined:
    data = example("AmbassadorJoined", "joined").data
    data = {**data, "person_id": person, "program_id": program, "occurred_at": NOON}
    return AmbassadorJoined(**data)


def updated(person: PersonUpdated | Any, **changes: Any) -> PersonUpdated:
    """The person's next state."""
    state = person.model_dump(exclude={"origin"})
    return PersonUpdated(**{**state, "revision": person.revision + 1, **changes})


def shared(person: str, post: str, **changes: Any) -> PostShared:
    data = {**example("PostShared", "own-words").data, "ambassador_id": person, "post_id": post, "program_id": PROGRAM}
    return PostShared(**{**data, "network": "linkedin", "occurred_at": NOON, **changes})


def removed(post: PostShared, **changes: Any) -> PostRemoved:
    kept = post.model_dump(include={"post_id", "ambassador_id", "program_id", "content_id", "network"})
    return PostRemoved(**{**kept, "reason": "ambassador", "occurred_at": NOON, **changes})


def engaged(post: PostShared, kind: str = "click", **changes: Any) -> EngagementRecorded:
    kept = post.model_dump(include={"post_id", "ambassador_id", "program_id", "content_id", "network"})
    state = {"kind": kind, "quantity": 1, "verdict": "counted", "measure": "measured", "occurred_at": NOON}
    return EngagementRecorded(**{**kept, **state, **changes})


def acted(person: str, act: str = "talk", id: str = "a1") -> ActRecorded:
    data = {**example("ActRecorded").data, "ambassador_id": person, "act": act, "act_id": id, "program_id": PROGRAM}
    return ActRecorded(**{**data, "occurred_at": NOON})


def unacted(act: ActRecorded) -> ActWithdrawn:
    return ActWithdrawn(**act.model_dump(), reason="manager")


def received(event: Event) -> Received[Any]:
    """An event as the consumer gets it, without Kafka between."""
    return Received(
        id=new_id(),
        type=event.type,
        subject=event.aggregate_id,
        time=NOON,
        data=event,
        topic=event.topic,
        partition=0,
        offset=0,
        traceparent=None,
        tracestate=None,
    )


def fact(event: Event) -> SourcedFact:
    """What the consumer makes of an event."""
    found = fact_of(received(event))
    assert found is not None
    return found


async def populate(service: Service, members: dict[str, dict[str, Any]], points: dict[str, int]) -> None:
    """People who joined, and balances of all time, put straight into the database: a crowd at once."""
    db = service.runtime.mongo.db
    people = [
        {
            "_id": id,
            "active": True,
            "roles": ["ambassador"],
            "country": "FR",
            "team": "Sales",
            "leader": False,
            "memberships": [PROGRAM],
            **state,
        }
        for id, state in members.items()
    ]
    balances = [
        {"_id": f"{PROGRAM}|{id}|all", "program_id": PROGRAM, "period": "all", "ambassador_id": id, "points": score}
        for id, score in points.items()
    ]
    await db["principals"].insert_many(people)
    await db["balances"].insert_many(balances)


async def know_program(service: Service, time_zone: str = "UTC") -> None:
    """Make the programme known, without Kafka between."""
    await service.runtime.mongo.transact(lambda tx: service.context.programs.add(PROGRAM, time_zone, tx))


async def rebuilt(service: Service) -> Rebuild:
    """A rebuild of the programme, from its request to its end."""
    context, runtime = service.context, service.runtime
    asked = await runtime.mongo.transact(lambda tx: commands.request_rebuild(context, tx, PROGRAM, by="root"))
    await work_on_rebuilds(service)
    found: Rebuild = await context.rebuilds.find(asked.id)
    return found


async def work_on_rebuilds(service: Service) -> None:
    """What the job does, until nothing is open or its lease is lost."""
    lease = Lease(service.runtime.mongo, service.runtime.supervisor, "job:rebuilds")
    assert await lease.acquire()
    try:
        await jobs.rebuild(service.context, JobContext(lease, asyncio.Event()))
    finally:
        await lease.release()


async def ledger(service: Service) -> dict[str, tuple[str, int, str, str]]:
    """Every entry: whose, points, rule, day."""
    return {
        row["_id"]: (row["ambassador_id"], row["points"], row["rule"], row["day"])
        async for row in service.runtime.mongo.db["ledger"].find()
    }


async def sums(service: Service) -> dict[str, dict[str, Any]]:
    """Every balance and every total."""
    db = service.runtime.mongo.db
    return {name: {row.pop("_id"): row async for row in db[name].find()} for name in ("balances", "totals")}


async def points_of(client: httpx.AsyncClient, harness: Harness, person: str, **params: str) -> dict[str, Any]:
    answer = await client.get("/v1/me/points", params={"program_id": PROGRAM, **params}, headers=harness.bearer(person))
    return dict(answer.json())
