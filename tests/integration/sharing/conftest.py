"""Sharing on real servers: a programme, an item, an ambassador, the API, the worker and the redirect."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from chassis.service import Service
from chassis.web.protocol import bounded
from herald_contracts import (
    AmbassadorJoined,
    Caption,
    ContentPublished,
    EngagementRecorded,
    Event,
    GuidelineAcknowledged,
    GuidelinePublished,
    ProgramCreated,
    Targeting,
    Variant,
)
from services.sharing.app import build
from services.sharing.settings import SharingSettings
from tests.integration.harness import Harness, eventually

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
VISITOR_KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()


@dataclass
class SharingHarness:
    """The service `sharing`. `api` and `links` are clients; `known` publishes events and waits for their effect."""

    harness: Harness
    service: Service
    api: httpx.AsyncClient
    spool: Path

    @property
    def db(self) -> Any:
        return self.service.runtime.mongo.db

    async def known(self, *events: Event) -> None:
        ids = await self.harness.publish(*events)

        async def applied() -> int:
            return int(await self.db["inbox"].count_documents({"_id": {"$in": ids}}))

        await eventually(applied, until=lambda count: count == len(ids))

    async def ambassador(self, name: str, *roles: str, **state: Any) -> dict[str, str]:
        """A member of programme `p1` who acknowledged its guidelines; returns their headers."""
        await self.harness.person(name, "ambassador", *roles, **state)
        now = datetime.now(UTC)
        await self.known(
            AmbassadorJoined(person_id=name, program_id="p1", consent_version=1, occurred_at=now),
            GuidelineAcknowledged(person_id=name, program_id="p1", version=1, occurred_at=now),
        )

        async def there() -> object:
            return await self.db["principals"].find_one({"_id": name, "active": True, "memberships": "p1"})

        await eventually(there)
        return self.harness.bearer(name)

    async def share(self, headers: dict[str, str], **changes: Any) -> httpx.Response:
        body = {"content_id": "c1", "network": "linkedin", "language": "fr", "caption": "Bonjour"} | changes
        return await self.api.post("/v1/posts", json=body, headers=headers)

    async def engagements(self, count: int) -> list[EngagementRecorded]:
        """The first `count` events on herald.engagements, once they are there."""

        async def read() -> list[Any]:
            return await self.harness.events("herald.engagements")

        found = await eventually(read, until=lambda events: len(events) >= count)
        return [event.data for event in found]

    @asynccontextmanager
    async def links(self, **changes: Any) -> AsyncIterator[httpx.AsyncClient]:
        """The redirect with a life of its own, served by uvicorn on a real socket."""
        settings = settings_of(self.harness, self.spool, **changes)
        service = build(settings)
        role = service.roles["links"]()
        config = uvicorn.Config(
            role.app,
            port=0,
            log_config=None,
            lifespan="off",
            http=bounded(role.protocol, settings.http_limits),
            server_header=False,
            proxy_headers=False,
        )
        server = uvicorn.Server(config)
        serving = asyncio.ensure_future(server.serve())
        await eventually(_async(lambda: server.started))
        await role.start()
        port = server.servers[0].sockets[0].getsockname()[1]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers={"User-Agent": BROWSER}) as client:
            try:
                yield client
            finally:
                await role.stop()
                server.should_exit = True
                await serving
                await service.runtime.close()


def _async(probe: Any) -> Any:
    async def asked() -> Any:
        return probe()

    return asked


def settings_of(harness: Harness, spool: Path, **changes: Any) -> SharingSettings:
    usual = {"visitor_key": VISITOR_KEY, "spool_dir": spool, "wait_seconds": 0.0}
    return harness.settings(SharingSettings, **{**usual, **changes})


def published(**changes: Any) -> ContentPublished:
    """An item that all of programme `p1` may share."""
    state: dict[str, Any] = {
        "content_id": "c1",
        "program_id": "p1",
        "revision": 1,
        "occurred_at": datetime.now(UTC),
        "kind": "article",
        "category": "company_news",
        "url": "https://example.com/usine?lang=fr#top",
        "shareable": True,
        "variants": [Variant(language="fr", title="Notre usine"), Variant(language="en", title="Our plant")],
        "captions": [Caption(caption_id="k1", language="fr", text="Fier de notre usine !")],
        "targeting": Targeting(),
    }
    return ContentPublished(**{**state, **changes})


def program() -> Iterable[Event]:
    now = datetime.now(UTC)
    return (
        ProgramCreated(program_id="p1", name="Été 2026", time_zone="Europe/Paris", languages=["fr"], occurred_at=now),
        GuidelinePublished(program_id="p1", version=1, material=True, languages=["fr"], occurred_at=now),
    )


@pytest.fixture
async def sharing(borrowed: None, harness: Harness, tmp_path: Path) -> AsyncIterator[SharingHarness]:
    service = build(settings_of(harness, tmp_path / "spool"))
    async with harness.worker(service), harness.api(service) as api:
        found = SharingHarness(harness, service, api, tmp_path / "spool")
        await found.known(*program(), published())
        yield found
    await service.runtime.close()
