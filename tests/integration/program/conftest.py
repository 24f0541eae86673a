"""The service `program` on real servers, and people who call it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from chassis.service import Service
from herald_contracts import AdministrativeActRecorded, CloudEvent, Event, decode
from services.program.app import build
from services.program.settings import ProgramSettings
from tests.integration.harness import Harness

CONSENT = {"fr": "Je participe de mon plein gré.", "en": "I take part of my own free will."}
GUIDELINES = {"fr": "## Parlez en votre nom", "en": "## Speak for yourself"}
OBJECTIVE = {
    "use_case": "employer_brand",
    "kpi": "participation_rate",
    "baseline": 0.08,
    "target": 0.35,
    "starts_on": "2026-03-01",
    "ends_on": "2026-06-30",
}

RECRUITING_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass
class ProgramHarness:
    """The API as people call it: `who` is the subject of their token, and their e-mail address before the @."""

    harness: Harness
    service: Service
    client: httpx.AsyncClient
    ids: dict[str, str] = field(default_factory=dict)

    async def call(
        self, who: str, method: str, path: str, json: Any = None, *, headers: dict[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        sent = {**self.harness.bearer(who), **(headers or {})}
        return await self.client.request(method, f"/v1{path}", json=json, headers=sent, **more)

    async def ok(self, who: str, method: str, path: str, json: Any = None, **more: Any) -> Any:
        """The JSON of an answer that must be a good one."""
        answer = await self.call(who, method, path, json, **more)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def refused(self, who: str, method: str, path: str, json: Any = None, **more: Any) -> tuple[int, str]:
        """Status and type of the problem that must be the answer."""
        answer = await self.call(who, method, path, json, **more)
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        return answer.status_code, answer.json()["type"]

    async def sign_in(self, who: str, *roles: str, **claims: Any) -> str:
        """A first sign-in, and the roles that an administrator grants; gives the person's id."""
        said = {"email": f"{who}@x.example", "email_verified": True, "name": who.title(), "country": "FR"}
        token = self.harness.bearer(who, **{**said, "team": "IT", **claims})
        answer = await self.client.put("/v1/me", json={}, headers=token)
        assert answer.status_code == 200, answer.text
        id: str = answer.json()["id"]
        self.ids[who] = id
        if roles:
            person = await self.call("root", "GET", f"/people/{id}")
            match = {"If-Match": person.headers["etag"]}
            await self.ok("root", "PATCH", f"/people/{id}", {"roles": list(roles)}, headers=match)
        return id

    async def create_program(self, **order: Any) -> str:
        """A programme of the manager `max`; gives its id."""
        body = {"name": "Voices", "time_zone": "Europe/Paris", "languages": ["fr", "en"], "consent": CONSENT}
        id: str = (await self.ok("max", "POST", "/programs", {**body, **order}))["id"]
        return id

    async def invite(self, program_id: str, *who: str) -> Any:
        people = [self.ids[one] for one in who]
        return await self.ok("max", "POST", f"/programs/{program_id}/invitations", {"people": people})

    async def upload(self, text: str | bytes, who: str = "max", **more: Any) -> httpx.Response:
        headers = {"Content-Type": "text/csv"}
        return await self.call(who, "POST", "/imports", content=text, headers=headers, **more)

    async def emitted(self) -> list[CloudEvent[Event]]:
        """What waits in the outbox, in order, but for the audit trail."""
        return [event for event in await self._outbox() if not isinstance(event.data, AdministrativeActRecorded)]

    async def acts(self) -> list[AdministrativeActRecorded]:
        """The acts of the audit trail that wait in the outbox, in order."""
        found = [event.data for event in await self._outbox()]
        return [one for one in found if isinstance(one, AdministrativeActRecorded)]

    async def _outbox(self) -> list[CloudEvent[Event]]:
        rows = await self.service.runtime.mongo.outbox.find({}, sort=[("seq", 1)]).to_list()
        return [decode(list(row["headers"].items()), row["value"]) for row in rows]

    async def emitted_types(self) -> list[str]:
        return [event.type.split(".")[1] for event in await self.emitted()]

    async def forget(self) -> None:
        """Empty the outbox: what was told so far does not matter to the test."""
        await self.service.runtime.mongo.outbox.delete_many({})

    async def state(self) -> dict[str, list[Any]]:
        """Everything that is stored, but the answers kept for repeated requests."""
        db = self.service.runtime.mongo.db
        names = [name for name in await db.list_collection_names() if name != "idempotency"]
        return {name: await db[name].find({}, sort=[("_id", 1)]).to_list() for name in sorted(names)}


@pytest.fixture
async def service(borrowed: None, harness: Harness) -> AsyncIterator[Service]:
    own = {"program_admins": "root@x.example", "recruiting_secrets": RECRUITING_SECRET}
    found = build(harness.settings(ProgramSettings, **own))
    yield found
    await found.runtime.close()


@pytest.fixture
async def program(harness: Harness, service: Service) -> AsyncIterator[ProgramHarness]:
    """With the administrator `root` and the manager `max`."""
    async with harness.api(service) as client:
        program = ProgramHarness(harness, service, client)
        await program.sign_in("root")
        await program.sign_in("max", "manager")
        await program.forget()
        yield program
