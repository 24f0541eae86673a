"""The service `content` on real servers: its API, the people it knows, and what tests do with them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx

from chassis.clock import FixedClock
from chassis.consumer import Received
from chassis.ids import new_id
from chassis.principals import PrincipalStore
from chassis.service import Service
from herald_contracts import AdministrativeActRecorded, AmbassadorJoined, Event
from services.content.app import build
from services.content.settings import ContentSettings
from tests.integration.harness import Harness

PROGRAM = "programme-1"
START = datetime(2026, 3, 1, 9, tzinfo=UTC)


class ContentHarness:
    """The service and its API. Calls are made as the editor unless `by` says otherwise."""

    def __init__(self, harness: Harness, service: Service, client: httpx.AsyncClient, clock: FixedClock) -> None:
        self.harness = harness
        self.service = service
        self.clock = clock
        self._client = client

    async def know(self, subject: str, *roles: str, programs: tuple[str, ...] = (), **state: Any) -> None:
        """What the worker does when it hears of a person, without Kafka between."""
        provisioned = self.harness.provisioned(subject, *roles, **{"occurred_at": START, **state})
        joined = [
            AmbassadorJoined(person_id=subject, program_id=program, consent_version=1, occurred_at=START)
            for program in programs
        ]
        principals = PrincipalStore(self.service.runtime.mongo)
        batch = [_received(event) for event in (provisioned, *joined)]
        await self.service.runtime.mongo.transact(lambda tx: principals.apply(batch, tx))

    async def call(
        self, method: str, path: str, json: Any = None, *, by: str = "editor", **options: Any
    ) -> httpx.Response:
        headers = {**self.harness.bearer(by), **options.pop("headers", {})}
        return await self._client.request(method, f"/v1{path}", json=json, headers=headers, **options)

    async def post(self, path: str, json: Any = None, **options: Any) -> Any:
        return _good(await self.call("POST", path, json, **options))

    async def get(self, path: str, **options: Any) -> Any:
        return _good(await self.call("GET", path, **options))

    async def published(self, **changes: Any) -> Any:
        """A new item, published."""
        item = await self.post("/items", order(**changes))
        await self.post(f"/items/{item['id']}/submit")
        return await self.post(f"/items/{item['id']}/publish")

    async def upload(self, path: str, body: bytes, media: str = "application/rss+xml") -> httpx.Response:
        return await self.call("POST", path, content=body, headers={"content-type": media})

    async def titles(self, by: str, **params: Any) -> list[str]:
        """The titles of a person's feed, first page."""
        return [item["title"] for item in (await self.get("/feed", by=by, params=params))["items"]]

    async def emitted(self) -> list[str]:
        """The types of the events that wait in the outbox, in order, but for those of the audit trail."""
        rows = self.service.runtime.mongo.outbox.find().sort("seq", 1)
        types = [row["headers"]["ce_type"].decode().split(".")[1] async for row in rows]
        return [one for one in types if one != AdministrativeActRecorded.__name__]


def order(title: str = "Title", **changes: Any) -> dict[str, Any]:
    return {
        "program_id": PROGRAM,
        "kind": "article",
        "category": "company_news",
        "url": "https://www.example.com/a",
        "variants": [{"language": "en", "title": title}],
        **changes,
    }


def make(harness: Harness, **settings: Any) -> tuple[Service, FixedClock]:
    clock = FixedClock(START)
    return build(harness.settings(ContentSettings, fetch_allow=("127.0.0.0/8",), **settings), clock=clock), clock


def problem(answer: httpx.Response, status: int, type_: str) -> Any:
    """The problem document of a refusal that is of this kind."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    document = answer.json()
    assert document["type"].rpartition("/")[2] == type_, document
    return document


def broken(answer: httpx.Response) -> set[tuple[str, str]]:
    """Fields and rules of an answer that says `invalid`."""
    return {(one["field"], one["rule"]) for one in problem(answer, 422, "invalid")["errors"]}


def _good(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()


def _received(event: Event) -> Received[Event]:
    return Received(new_id(), event.type, event.aggregate_id, START, event, event.topic, 0, 0, None, None)
