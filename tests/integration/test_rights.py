"""Each route of each API, called as each caller: what the table of rights says is what they meet."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, get_type_hints

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from chassis.service import Service
from chassis.web.rights import right_of
from chassis.web.tokens import DEVICE_ISSUER, account_of
from herald.contracts.rights import ALLOWED, PAGE, Operation, read_table
from herald.local.plan import SERVICES
from services.program.app import build as build_program
from services.program.commands.programs import create_program
from services.program.domain.people import Device, Membership, Person, ProgramGrant, ProgramGrantRole
from services.program.settings import ProgramSettings
from tests.fuzz import one_in
from tests.integration.harness import Harness, eventually

pytestmark = pytest.mark.usefixtures("borrowed")
VALUES = {"version": "1"}
REFUSALS = {
    (401, "unauthenticated"): "401",
    (401, "signature-refused"): "401",
    **{
        (403, type_): "403"
        for type_ in (
            "account-needed",
            "device-needed",
            "inactive",
            "person-needed",
            "role-missing",
            "scope-missing",
            "unknown-person",
        )
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
THEIRS = "theirs"
DEVICES = ("hdv_" + "D" * 43, "hdv_" + "E" * 43)
"""Of an ambassador who is an administrator too, but not on these. The second one signs itself out."""
ROLES_IN_ONE: dict[str, ProgramGrantRole] = {"editor of one": "editor", "manager of one": "manager"}
"""Who has a role in the programme `THEIRS` alone."""


@dataclass
class Callers:
    """The Authorization header of each kind of caller."""

    harness: Harness
    strangers: Iterator[int] = field(default_factory=lambda: iter(range(10_000)))

    def headers(self, name: str, path: str = "") -> dict[str, str]:
        if name == "nobody":
            return {}
        if name == "device":
            return {"Authorization": f"Bearer {DEVICES[path == '/v1/device/end']}"}
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
        rows: list[dict[str, Any]] = [
            {"_id": name, "accounts": [harness.issuer.account(name)], "roles": roles, "active": name != "left"}
            for name, roles in ROLES.items()
        ]
        rows += [
            {
                "_id": name,
                "accounts": [harness.issuer.account(name)],
                "program_roles": [{"program_id": THEIRS, "role": role}],
                "active": True,
            }
            for name, role in ROLES_IN_ONE.items()
        ]
        on_device = [account_of(DEVICE_ISSUER, one) for one in DEVICES]
        rows.append({"_id": "device", "accounts": on_device, "roles": ["ambassador", "admin"], "active": True})
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
            program_grants=(ProgramGrant(THEIRS, ROLES_IN_ONE[name]),) if name in ROLES_IN_ONE else (),
            memberships=(Membership(made.id, "joined", now, consent_version=1),) if "ambassador" in roles else (),
            created_at=now,
            updated_at=now,
        )
        for name, roles in {**ROLES, **{one: [] for one in ROLES_IN_ONE}}.items()
    ]
    until = now + timedelta(hours=1)
    devices = tuple(Device(account_of(DEVICE_ISSUER, one), now, until) for one in DEVICES)
    [admin] = [one for one in people if one.id == "administrator"]
    joined = (Membership(made.id, "joined", now, consent_version=1),)
    people.append(replace(admin, id="device", accounts=(), devices=devices, memberships=joined))
    await service.runtime.mongo.transact(lambda tx: context.people.write(tx, created=people))


@asynccontextmanager
async def open_service(harness: Harness, name: str) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    """The application of a service that knows the callers, and a client of it."""
    build = importlib.import_module(f"services.{name}.app").build
    own = {"visitor_key": "A" * 43} if name == "sharing" else {}
    settings: Any = harness.settings(get_type_hints(build)["settings"], rate_general="10000/second", **own)
    service: Service = build(settings)
    app = service.asgi()
    assert isinstance(app, FastAPI)
    async with harness.api(service) as client:
        await settle(harness, service)
        yield app, client
    await service.runtime.close()


def requests_of(document: dict[str, Any], operation: Operation, program: str = "nothing") -> dict[str, Any]:
    """A request that has everything but sense: it is refused for its content, or finds nothing."""
    method, path = operation
    url = path
    for name in [part[1:-1] for part in path.split("/") if part.startswith("{")]:
        url = url.replace(f"{{{name}}}", {**VALUES, "program_id": program}.get(name, "nothing"))
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
    callers, wrong = Callers(harness), []
    async with open_service(harness, name) as (app, client):
        for operation, expected in table.items():
            request = requests_of(app.openapi(), operation)
            for caller, answer in expected.items():
                found = await met(client, request, callers.headers(caller, operation[1]))
                if found != answer:
                    wrong.append((*operation, caller, found, answer))
    assert wrong == []


BODIES: dict[str, dict[str, Any]] = {
    "of another kind": {"content": b"<a/>", "headers": {"Content-Type": "application/xml"}},
    "that is no JSON": {"content": b"{", "headers": {"Content-Type": "application/json"}},
    "of too many parts": {"content": b"[" + b"," * 50_000 + b"]", "headers": {"Content-Type": "application/json"}},
    "announced as too large": {"content": b"{}", "headers": {"Content-Length": str(2**40)}},
    "that is too large": {"content": b" " * (1024 * 1024 + 1), "headers": {"Content-Type": "application/json"}},
    "without a key that counts": {"content": b"{}", "headers": {"Idempotency-Key": "\u00e9".encode()}},
}


@pytest.mark.parametrize("name", SERVICES)
async def test_who_may_not_call_is_told_so_whatever_the_body_is(harness: Harness, name: str) -> None:
    callers, wrong, tried = Callers(harness), [], 0
    async with open_service(harness, name) as (app, client):
        for turn, (operation, expected) in enumerate(read_table(PAGE.read_text("utf-8"), name).items()):
            if operation[0] in ("GET", "HEAD"):
                continue
            request = requests_of(app.openapi(), operation)
            refused = [one for one in ("nobody", "left", "machine", "person", "device") if expected[one] != ALLOWED]
            for caller, (kind, body) in one_in(3, list(product(refused, BODIES.items())), turn):
                found = await met(client, {**request, **body}, callers.headers(caller))
                tried += 1
                if found != expected[caller]:
                    wrong.append((*operation, caller, kind, found))
    assert tried > 10
    assert wrong == []


@pytest.mark.parametrize("name", SERVICES)
async def test_a_role_in_one_programme_counts_there_and_nowhere_else(harness: Harness, name: str) -> None:
    """Where a route names its programme, whoever holds a role in that one meets what whoever holds it everywhere
    meets; elsewhere, what a person without a role meets. Some routes learn from their object which programme it is."""
    wrong: list[Any] = []
    opened: set[str] = set()
    async with open_service(harness, name) as (app, client):
        learnt = operations_of_any_programme(app)
        cases = product(read_table(PAGE.read_text("utf-8"), name).items(), ("editor", "manager"), (THEIRS, "another"))
        for (operation, expected), role, program in cases:
            place = program_in(app.openapi(), operation)
            request = requests_of(app.openapi(), operation, program)
            if place == "query":
                request["params"] = {"program_id": program}
            counts = operation in learnt or (bool(place) and program == THEIRS)
            wanted = expected[role if counts else "person"]
            found = await met(client, request, harness.bearer(f"{role} of one"))
            if found != wanted:
                wrong.append((*operation, role, program, found, wanted))
            if found != expected["person"]:
                opened.add(place)
    assert wrong == []
    assert "path" in opened or name == "content"


def operations_of_any_programme(app: FastAPI) -> set[Operation]:
    """Those for which a role in any programme is enough, until their object is known."""
    return {
        (method, str(context.path_format or context.path))
        for context in iter_route_contexts(app.routes)
        for method in context.methods or ()
        if right_of(context.original_route)[1]
    }


def program_in(document: dict[str, Any], operation: Operation) -> str:
    """Where a route names its programme: in its path or its query; empty where it names none."""
    method, path = operation
    if "{program_id}" in path:
        return "path"
    parameters = document["paths"].get(path, {}).get(method.lower(), {}).get("parameters", [])
    return "query" if any((one["name"], one["in"]) == ("program_id", "query") for one in parameters) else ""


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
