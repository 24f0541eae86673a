"""The routes by which an administrator looks at a service's dead letters, replays and drops them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from openapi_spec_validator import validate
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from chassis.consumer import Consumer, InvalidEvent, Received, on
from chassis.ids import new_id
from chassis.mongo import Transaction
from chassis.principals import PEOPLE, PrincipalStore
from chassis.runtime import Runtime
from chassis.service import Service
from chassis.settings import Settings
from herald_contracts import Event, ProgramCreated, Record, encode
from tests.fuzz import examples
from tests.integration.harness import Harness, eventually

PATH = "/v1/deadletters"
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


class Bug:
    """What is wrong with the service until somebody mends it."""

    there = True


def build(settings: Settings, bug: Bug) -> Service:
    runtime = Runtime("gamification", settings)
    principals = PrincipalStore(runtime.mongo)
    seen = runtime.mongo.db["seen"]

    async def handle(_: object, tx: Transaction, batch: Sequence[Received[Event]]) -> None:
        await principals.apply(batch, tx)
        for event in batch:
            if isinstance(event.data, ProgramCreated):
                if bug.there and event.data.name == "hard":
                    raise InvalidEvent("too-hard", event.data.program_id)
                order = await seen.count_documents({}, session=tx.session)
                await seen.insert_one({"_id": event.data.program_id, "order": order}, session=tx.session)

    consumer = Consumer(None, [on(*PEOPLE, ProgramCreated, do=handle)])
    return Service(name="gamification", runtime=runtime, principals=principals, consumer=consumer)


def created(id: str, name: str = "hard") -> ProgramCreated:
    return ProgramCreated(
        program_id=id, name=name, time_zone="Europe/Paris", languages=["fr"], occurred_at=datetime.now(UTC)
    )


class DeadLetterHarness:
    """The service, its API, and an administrator in front of it."""

    def __init__(self, harness: Harness, service: Service, api: httpx.AsyncClient, bug: Bug) -> None:
        self.harness, self.service, self.api, self.bug = harness, service, api, bug

    async def ask(self, method: str, path: str = "", *, by: str = "ines", **options: Any) -> httpx.Response:
        return await self.api.request(method, PATH + path, headers=self.harness.bearer(by), **options)

    async def waiting(self, count: int) -> dict[str, Any]:
        async def look() -> dict[str, Any]:
            found: dict[str, Any] = (await self.ask("GET")).json()
            return found

        return await eventually(look, until=lambda found: found.get("total") == count)

    async def seen(self) -> list[str]:
        return [row["_id"] async for row in self.service.runtime.mongo.db["seen"].find(sort=[("order", 1)])]


@asynccontextmanager
async def open_dead_letters(harness: Harness) -> AsyncIterator[DeadLetterHarness]:
    bug = Bug()
    service = build(harness.settings(Settings), bug)
    async with harness.worker(service), harness.api(service) as api:
        await harness.person("ines", "admin")
        await harness.person("marc", "manager")
        dead_letters = DeadLetterHarness(harness, service, api, bug)
        await eventually(
            lambda: dead_letters.ask("GET", by="marc"), until=lambda answer: answer.json()["type"] == "role-missing"
        )
        yield dead_letters
    await service.runtime.close()


@pytest.fixture
async def dead_letters(harness: Harness) -> AsyncIterator[DeadLetterHarness]:
    async with open_dead_letters(harness) as found:
        yield found


async def test_dead_letters_are_listed_shown_replayed_in_order_and_closed(dead_letters: DeadLetterHarness) -> None:
    broken = encode(created("x", "easy"), id=new_id(), time=datetime.now(UTC))
    headers = [*broken.headers, ("odd", None), ("bytes", b"\xff\x1b[2J")]
    key = b"same"
    for name in ("p1", "p2", "p3"):
        one = encode(created(name), id=new_id(), time=datetime.now(UTC))
        await dead_letters.harness.publish_record(Record(one.topic, key, one.value, one.headers))
    await dead_letters.harness.publish_record(Record(broken.topic, key, b'{"programme": "\xc3\xa9"}', headers))  # type: ignore[arg-type]
    found = await dead_letters.waiting(4)
    assert {(one["rule"], one["count"]) for one in found["groups"]} == {("too-hard", 3), ("schema-mismatch", 1)}
    offsets = [one["offset"] for one in found["items"]]
    assert (len(offsets), offsets) == (4, sorted(set(offsets)))
    page = (await dead_letters.ask("GET", params={"rule": "too-hard", "limit": 2})).json()
    rest = (await dead_letters.ask("GET", params={"rule": "too-hard", "limit": 2, "cursor": page["next"]})).json()
    assert [one["detail"] for one in page["items"] + rest["items"]] == ["p1", "p2", "p3"]
    assert (page["total"], rest["next"]) == (3, None)

    [bad] = (await dead_letters.ask("GET", params={"rule": "schema-mismatch"})).json()["items"]
    shown = (await dead_letters.ask("GET", f"/{bad['id']}")).json()
    assert (shown["key"], shown["value"], shown["json_value"]) == ("same", '{\n  "programme": "é"\n}', True)
    told = {one["name"]: one["value"] for one in shown["headers"]}
    assert (told["odd"], told["bytes"]) == (None, "\\xff\\x1b[2J")
    assert not [name for name in told if name.startswith("herald_")]

    order = {"rule": "too-hard"}
    dry = (await dead_letters.ask("POST", "/replay", json=order)).json()
    assert (dry["dry_run"], dry["done"], dry["left"], len(dry["items"])) == (True, 0, 3, 3)
    assert (await dead_letters.ask("GET")).json()["total"] == 4
    dead_letters.bug.there = False
    go = {**order, "before": dry["before"], "dry_run": False}
    done = (await dead_letters.ask("POST", "/replay", json=go)).json()
    assert (done["done"], done["left"]) == (3, 0)
    await eventually(dead_letters.seen, until=lambda seen: seen == ["p1", "p2", "p3"])
    again = (await dead_letters.ask("POST", "/replay", json=go)).json()
    assert (again["done"], again["left"]) == (0, 0)

    assert (await dead_letters.ask("POST", "/drop", json={"ids": [bad["id"]]})).json()["left"] == 1
    assert (await dead_letters.ask("POST", "/drop", json={"ids": [bad["id"]], "dry_run": False})).json()["done"] == 1
    await dead_letters.waiting(0)
    assert (await dead_letters.ask("GET", f"/{bad['id']}")).status_code == 404


async def test_a_replay_is_for_the_service_that_failed_alone(dead_letters: DeadLetterHarness) -> None:
    await dead_letters.harness.publish(created("p1"))
    [letter] = (await dead_letters.waiting(1))["items"]
    order = {"ids": [letter["id"]], "dry_run": False}
    assert (await dead_letters.ask("POST", "/replay", json=order)).json()["done"] == 1

    async def ids() -> list[str]:
        return [one["id"] for one in (await dead_letters.ask("GET")).json()["items"]]

    # It fails again, as a dead letter of its own.
    await eventually(ids, until=lambda found: len(found) == 1 and found != [letter["id"]])
    [replayed] = [one for one in await dead_letters.harness.records("herald.program") if one.offset > letter["offset"]]
    assert dict(replayed.headers)["herald_replayed_for"] == b"gamification"
    other = [(name, b"metrics" if name == "herald_replayed_for" else value) for name, value in replayed.headers]
    dead_letters.bug.there = False
    topic = "herald.program"
    await dead_letters.harness.publish_record(Record(topic, replayed.key, replayed.value, other))
    await dead_letters.harness.publish(created("after"))
    await eventually(dead_letters.seen, until=lambda seen: seen == ["after"])


async def test_only_administrators_may(dead_letters: DeadLetterHarness) -> None:
    for method, path in (("GET", ""), ("GET", f"/{new_id()}"), ("POST", "/replay"), ("POST", "/drop")):
        options: dict[str, Any] = {"json": {}} if method == "POST" else {}
        assert (await dead_letters.ask(method, path, by="marc", **options)).status_code == 403
        assert (await dead_letters.api.request(method, PATH + path, **options)).status_code == 401


async def test_without_kafka_it_says_so(harness: Harness) -> None:
    service = build(harness.settings(Settings, kafka_bootstrap="127.0.0.1:1", kafka_timeout=1.0), Bug())
    principal = {"_id": "ines", "accounts": [harness.issuer.account("ines")], "roles": ["admin"], "active": True}
    await service.runtime.mongo.db["principals"].insert_one(principal)
    at = datetime.now(UTC)
    row = {
        "_id": "d1",
        "open": True,
        "rule": "failed",
        "detail": "",
        "topic": "t",
        "partition": 0,
        "offset": 1,
        "at": at,
    }
    row |= {"event_type": "", "event_id": "", "written": 0, "size": 1, "left_out": "", "place": [0, 0]}
    await service.runtime.mongo.db["dead_letters"].insert_one(row)
    async with harness.api(service) as api:
        listed = await api.get(PATH, headers=harness.bearer("ines"))
        assert [one["id"] for one in listed.json()["items"]] == ["d1"]
        answer = await api.get(PATH + "/d1", headers=harness.bearer("ines"))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    await service.runtime.close()


async def test_the_routes_keep_to_their_description(dead_letters: DeadLetterHarness) -> None:
    document = (await dead_letters.api.get("/openapi.json")).json()
    validate(document)
    schema = schemathesis.openapi.from_dict(document)
    calls: list[Any] = []
    for result in schema.get_all_operations():

        @settings(max_examples=examples(4), suppress_health_check=list(HealthCheck), database=None)
        @given(case=result.ok().as_strategy())  # type: ignore[union-attr]
        def collect(case: Any) -> None:
            calls.append(case)

        await asyncio.to_thread(collect)
    answered = Counter[int]()
    for case in calls:
        request = case.as_transport_kwargs(base_url="http://herald.test", headers=dead_letters.harness.bearer("ines"))
        request.pop("cookies", None)
        try:
            answer = await dead_letters.api.request(**request)
        except (httpx.InvalidURL, UnicodeEncodeError):
            continue
        case.validate_response(answer, checks=CHECKS)
        answered[answer.status_code] += 1
    assert answered[200] > 0
    assert answered.total() >= 20
