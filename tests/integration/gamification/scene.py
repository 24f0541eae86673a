"""A programme with its people and their acts, made from the example events; time stands at today's noon."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx

from chassis.clock import FixedClock
from chassis.consumer import Received
from chassis.ids import new_id
from chassis.service import Service
from herald.contracts.examples import example
from herald_contracts import (
    AmbassadorJoined,
    EngagementRecorded,
    Event,
    PersonUpdated,
    PostRemoved,
    PostShared,
    ProgramCreated,
)
from services.gamification.projections import told
from services.gamification.store.programmes import Told
from tests.integration.harness import Stage

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
PROGRAM = "prog"


def clock() -> FixedClock:
    return FixedClock(NOON)


def created(program: str = PROGRAM, **changes: Any) -> ProgramCreated:
    data = {**example("ProgramCreated").data, "program_id": program, "time_zone": "Europe/Paris", **changes}
    return ProgramCreated(**{**data, "occurred_at": NOON})


def joined(person: str, program: str = PROGRAM) -> AmbassadorJoined:
    data = {**example("AmbassadorJoined").data, "person_id": person, "program_id": program, "occurred_at": NOON}
    return AmbassadorJoined(**data)


def updated(person: PersonUpdated | Any, **changes: Any) -> PersonUpdated:
    """The person's next state."""
    state = person.model_dump(exclude={"origin"})
    return PersonUpdated(**{**state, "revision": person.revision + 1, **changes})


def shared(person: str, post: str, **changes: Any) -> PostShared:
    data = {**example("PostShared").data, "ambassador_id": person, "post_id": post, "program_id": PROGRAM}
    return PostShared(**{**data, "network": "linkedin", "occurred_at": NOON, **changes})


def removed(post: PostShared, **changes: Any) -> PostRemoved:
    kept = post.model_dump(include={"post_id", "ambassador_id", "program_id", "content_id", "network"})
    return PostRemoved(**{**kept, "reason": "ambassador", "occurred_at": NOON, **changes})


def engaged(post: PostShared, kind: str = "click", **changes: Any) -> EngagementRecorded:
    kept = post.model_dump(include={"post_id", "ambassador_id", "program_id", "content_id", "network"})
    state = {"kind": kind, "quantity": 1, "verdict": "counted", "measure": "measured", "occurred_at": NOON}
    return EngagementRecorded(**{**kept, **state, **changes})


def fact(event: Event) -> Told:
    """What the consumer makes of an event, without Kafka between."""
    received = Received(
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
    found = told(received)
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


async def points_of(client: httpx.AsyncClient, stage: Stage, person: str, **params: str) -> dict[str, Any]:
    answer = await client.get("/v1/me/points", params={"program_id": PROGRAM, **params}, headers=stage.bearer(person))
    return dict(answer.json())
