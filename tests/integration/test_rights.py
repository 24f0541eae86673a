"""Each route of each API, called as each caller: what the table of rights says is what they meet."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, get_type_hints

import httpx
import pytest
from fastapi import FastAPI

from chassis.service import Service
from herald.contracts.rights import ALLOWED, PAGE, Operation, read_table
from herald.local.plan import SERVICES
from services.program.app import build as build_program
from services.program.commands.programs import create_program
from services.program.domain.people import Membership, Person
from services.program.settings import ProgramSettings
from tests.integration.harness import Harness, eventually

VALUES = {"version": "1"}
REFUSALS = {
    (401, "unauthenticated"): "401",
    **{
        (403, type_): "403"
        for type_ in ("inactive", "person-needed", "role-missing", "scope-missing", "unknown-person")
    },
}
ROLES = {
    "person": [],
    "ambassador": ["ambassador"],
    "editor": ["editor"],
    "manager": ["manager"],
    "administrator": ["admin"],
    "left": ["admin"],
}


@dataclass
class Callers:
    """The Authorization header of each kind of caller."""

    harness: Harness
    strangers: Iterator[int] = field(default_factory=lambda: iter(range(10_000)))

    def headers(self, name: str) -> dict[str, str]:
        if name == "nobody":
            return {}
        if name == "unknown":  # a sign-in makes them known: each is another one
            return self.harness.bearer(f"stranger-{next(self.strangers)}")
        if name in ROLES:
            return self.harness.bearer(name)
        scopes = () if name == "machine" else (name,)
        client = f"client of {name}"  # each has rates of its own
        return {"Authorization": f"Bearer {self.harness.issuer.machine_token(client, *scopes)}"}


async def settle(harness: Harness, service: Service) -> None:
    """Have the service know one person of each kind."""
    if service.name != "program":
        rows = [
            {"_id": name, "accounts": [harness.issuer.account(name)], "roles": roles, "active": name != "left"}
            for name, roles in ROLES.items()
        ]
        await service.runtime.mongo.db["principals"].insert_many(rows)
        return
    context, now = service.context, datetime.now(UTC)
    order: dict[str, Any] = {
        "name": "Voices",
        "time_zone": "UTC",
        "languages": ["en"],
        "consent": {"en": "Freely."},
        "open": True,
    }
    made = await service.runtime.mongo.transact(lambda tx: create_program(context, tx, **order))
    people = [
        Person(
            id=name,
            name=name,
            country="FR",
            team="IT",
            locale="fr",
            accounts=(harness.issuer.account(name),),
            active=name != "left",
            grants=tuple(role for role in roles if role != "ambassador"),  # type: ignore[misc]
            memberships=(Membership(made.id, "joined", now, consent_version=1),) if "ambassador" in roles else (),
            created_at=now,
            updated_at=now,
        )
        for name, roles in ROLES.items()
    ]
    await service.runtime.mongo.transact(lambda tx: context.people.write(tx, created=people))


def requests_of(document: dict[str, Any], operation: Operation) -> dict[str, Any]:
    """A request that has everything but sense: it is refused for its content, or finds nothing."""
    method, path = operation
    url = path
    for name in [part[1:-1] for part in path.split("/") if part.startswith("{")]:
        url = url.replace(f"{{{name}}}", VALUES.get(name, "nothing"))
    body = document["paths"].get(path, {}).get(method.lower(), {}).get("requestBody", {}).get("content", {})
    if not body:
        return {"method": method, "url": url}
    media = next(iter(body))
    content = b"{}" if media == "application/json" else b"nothing"
    return {"method": method, "url": url, "content": content, "headers": {"Content-Type": media}}


async def met(client: httpx.AsyncClient, request: dict[str, Any], headers: dict[str, str]) -> str:
    whole = {**request, "headers": {**request.get("headers", {}), **headers}}
    busy = httpx.codes.SERVICE_UNAVAILABLE
    answer = await eventually(lambda: client.request(**whole), until=lambda found: found.status_code != busy)
    assert answer.status_code < 500 and answer.status_code not in (405, 429), (request, answer.text)  # noqa: PT018
    problem = answer.headers["content-type"] == "application/problem+json" if answer.content else False
    return REFUSALS.get((answer.status_code, answer.json()["type"] if problem else ""), ALLOWED)


@pytest.mark.parametrize("name", SERVICES)
async def test_each_caller_meets_what_the_table_says(harness: Harness, name: str) -> None:
    table = read_table(PAGE.read_text("utf-8"), name)
    assert len(table) > 10
    build = importlib.import_module(f"services.{name}.app").build
    settings: Any = harness.settings(
        get_type_hints(build)["settings"], **({"visitor_key": "A" * 43} if name == "sharing" else {})
    )
    service: Service = build(settings)
    app = service.asgi()
    assert isinstance(app, FastAPI)
    callers, wrong = Callers(harness), []
    async with harness.api(service) as client:
        await settle(harness, service)
        for operation, expected in table.items():
            request = requests_of(app.openapi(), operation)
            for caller, answer in expected.items():
                found = await met(client, request, callers.headers(caller))
                if found != answer:
                    wrong.append((*operation, caller, found, answer))
    await service.runtime.close()
    assert wrong == []


@pytest.mark.parametrize("scope", ["admin", "herald:admin", "herald:metrics:write", "HERALD:METRICS:READ", "person"])
async def test_no_other_word_of_a_token_opens_anything(harness: Harness, scope: str) -> None:
    """Neither as a machine's scope, nor as a claim of a person who has no role."""
    service = build_program(harness.settings(ProgramSettings))
    async with harness.api(service) as client:
        await settle(harness, service)
        machine = {"Authorization": f"Bearer {harness.issuer.machine_token('client', scope)}"}
        assert (await client.get("/v1/programs", headers=machine)).json()["type"] == "scope-missing"
        assert (await client.get("/v1/people", headers=machine)).json()["type"] == "person-needed"
        person = harness.bearer("person", scope=f"{scope} herald:programs:read", roles=[scope, "admin"], scp=[scope])
        assert (await client.get("/v1/people", headers=person)).json()["type"] == "role-missing"
    await service.runtime.close()
