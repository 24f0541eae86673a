"""Rights that a caller gives themselves: scopes, roles and claims in a correctly signed token, and doors of others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx

from tests.attack.attempt import Attempt, expect, refused
from tests.attack.doors import api_operations, media_type
from tests.attack.target import Target

SCOPES = (
    "admin", "manager", "editor", "ambassador", "admin manager editor ambassador", "openid admin", "herald:admin",
    "herald:*", "*", "herald", "herald:engagements:read", "HERALD:ENGAGEMENTS:WRITE", "herald:engagements:write:all",
    "",
)  # fmt: skip
CLAIMS: tuple[dict[str, Any], ...] = (
    {"roles": ["admin"]}, {"role": "admin"}, {"groups": ["admin", "administrators"]}, {"scope": "admin manager editor"},
    {"scp": ["admin"]}, {"realm_access": {"roles": ["admin"]}}, {"permissions": ["*"]}, {"is_admin": True},
    {"azp": "herald-cli", "client_id": "herald-cli", "scope": "admin"}, {"amr": ["admin"]},
)  # fmt: skip
OPEN_TO_PERSONS = {
    ("program", "GET", "/v1/me/mails"), ("program", "PUT", "/v1/me/mails"),
    ("program", "PUT", "/v1/me"), ("program", "GET", "/v1/me"), ("program", "PATCH", "/v1/me"),
    ("program", "GET", "/v1/me/invitations"), ("program", "POST", "/v1/people/names"),
    ("program", "GET", "/v1/programs"), ("program", "GET", "/v1/programs/{program_id}"),
    ("program", "GET", "/v1/programs/{program_id}/objectives"),
    ("program", "GET", "/v1/programs/{program_id}/consent"),
    ("program", "GET", "/v1/programs/{program_id}/guidelines"),
    ("program", "GET", "/v1/programs/{program_id}/learning"), ("program", "GET", "/v1/programs/{program_id}/identity"),
    ("program", "GET", "/v1/programs/{program_id}/answers"),
    ("program", "GET", "/v1/programs/{program_id}/feedback/mine"),
    ("program", "POST", "/v1/programs/{program_id}/feedback/mine/seen"),
    ("program", "GET", "/v1/programs/{program_id}/events/upcoming"),
    ("program", "GET", "/v1/programs/{program_id}/expert-acts/mine"),
    ("program", "GET", "/v1/programs/{program_id}/examples/mine"),
    ("program", "GET", "/v1/programs/{program_id}/examples/shown"),
    ("program", "GET", "/v1/programs/{program_id}/job-offers"),
    ("program", "GET", "/v1/programs/{program_id}/deputies/mine"),
    ("program", "GET", "/v1/programs/{program_id}/prepared"),
    ("program", "GET", "/v1/programs/{program_id}/prepared/mine"),
    ("program", "GET", "/v1/programs/{program_id}/referrals/mine"), ("sharing", "GET", "/v1/networks"),
    ("sharing", "GET", "/v1/posts"), ("metrics", "GET", "/v1/definitions"), ("metrics", "GET", "/v1/me/figures"),
    ("metrics", "GET", "/v1/me/tip"),
    ("gamification", "GET", "/v1/me/points"), ("gamification", "GET", "/v1/me/ledger"),
    ("program", "POST", "/v1/programs/{program_id}/leave"), ("program", "POST", "/v1/programs/{program_id}/decline"),
    ("program", "GET", "/v1/me/viewers"),
    ("program", "GET", "/v1/me/place"), ("program", "GET", "/v1/me/cohorts"), ("content", "GET", "/v1/feed"),
    ("program", "GET", "/v1/programs/{program_id}/admission"),
    ("program", "POST", "/v1/programs/{program_id}/withdraw-application"),
    ("gamification", "GET", "/v1/programs/{program_id}/rules"),
}  # fmt: skip
"""What a person without any role may do: their own things, and what is said to everybody."""


LINK = "/v1/mail/{reader}/{kind}/{program_id}"
BY_SECRET = {
    ("program", "GET", "/v1/calendars/{secret}"), ("program", "GET", LINK), ("program", "POST", f"{LINK}/unsubscribe"),
    ("program", "POST", f"{LINK}/subscribe"), ("program", "GET", "/v1/referral-links/{code}"),
}  # fmt: skip
"""What nobody signs in for: the address itself is the secret, and a guessed one leads nowhere."""


async def attack(target: Target) -> AsyncIterator[Attempt]:
    """Each operation by strangers, machines with foreign scopes, and a person who has no role."""
    nobody = await target.api.token("attack.nobody@herald.example")
    await target.api.call("attack.nobody@herald.example", "PUT", "/program/v1/me", {})
    machines = {scope: target.machine(scope) for scope in SCOPES}
    async with target.client() as client:
        for service, method, path in api_operations():
            name, url = f"{service} {method} {path}", address(target, service, path)
            scopes = SCOPES if target.long else SCOPES[4:5]
            tokens = [None, nobody, *(machines[scope] for scope in scopes)]
            stranger, person, *clients = await asyncio.gather(
                *(_ask(client, method, url, one, kind=media_type(service, method, path)) for one in tokens)
            )
            yield refused(f"a stranger: {name}", stranger, 404 if (service, method, path) in BY_SECRET else 401)
            if (service, method, path) not in OPEN_TO_PERSONS:
                yield refused(f"a person without a role: {name}", person)
            for scope, answer in zip(scopes, clients, strict=True):
                statuses = (404,) if (service, method, path) in BY_SECRET else (401, 403)
                yield refused(f"a machine with {scope!r}: {name}", answer, *statuses)
        async for attempt in _claims(target, client):
            yield attempt


async def _claims(target: Target, client: httpx.AsyncClient) -> AsyncIterator[Attempt]:
    """Rights come from what Herald knows of a person, whatever their token says."""
    subject = {"sub": "attack-claims", "email": None}
    doors = (
        "/api/program/v1/people",
        "/api/content/v1/items",
        "/api/program/v1/people/export",
        "/api/sharing/v1/deadletters",
    )
    for claims in CLAIMS:
        token = target.signed(target.claims(**subject, **claims))
        for url in doors:
            yield refused(f"{claims}: {url}", await _ask(client, "GET", url, token), 401, 403)
    taken = target.signed(target.claims(sub="attack-thief", email="ines@herald.example", email_verified=False))
    signed_in = await _ask(client, "PUT", "/api/program/v1/me", taken, {})
    people = await _ask(client, "GET", "/api/program/v1/people", taken)
    yield expect(
        "an administrator's address that nobody verified",
        people.status_code in (401, 403),
        (signed_in.status_code, people.status_code),
    )


def address(target: Target, service: str, path: str) -> str:
    """The operation's address, with ids of things that are there."""
    ids = {"{program_id}": target.program_id, "{item_id}": target.item_id}
    for name, value in ids.items():
        path = path.replace(name, value)
    return f"/api/{service}{path}".replace("{version}", "1").replace("{", "").replace("}", "")


async def _ask(
    client: httpx.AsyncClient, method: str, url: str, token: str | None, json: Any = None, kind: str | None = None
) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    if kind:
        headers["content-type"] = kind
    async with client.stream(method, url, headers=headers, json=json) as answer:
        if answer.is_error or "event-stream" not in answer.headers.get("content-type", ""):
            await answer.aread()
        return answer
