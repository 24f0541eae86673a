"""The company of a run, set up through the real APIs, and a client that retries as a careful caller does."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from herald.development.issuer import COMMAND_CLIENT, MACHINE_CLIENT, PERSONA_GRANT, derived_secret, read_key
from herald.development.personas import PERSONAS
from tests.fault.system import Reached

ADMIN, EDITOR, MANAGER = (f"{name}@herald.example" for name in ("ines", "emma", "marc"))
MACHINE = "the reporting machine"
AMBASSADORS = 16
ITEMS = 6
NETWORKS = ("linkedin", "x", "facebook", "whatsapp", "email", "device")
ATTEMPT_SECONDS = 8.0
PATIENCE = 75.0
TEXTS = {"en": "A text to agree to.", "fr": "Un texte à accepter."}


class Refused(Exception):
    """An answer that a retry will not change."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[:300]}")
        self.status = answer.status_code


class NoAnswer(Exception):
    """No answer for as long as one could wait: whether it happened is unknown."""


class Client:
    """Requests with a token; what is not answered or answered "later" is asked again with the same key."""

    def __init__(self, system: Reached) -> None:
        self._http = httpx.AsyncClient(base_url=system.url, trust_env=False, timeout=ATTEMPT_SECONDS)
        key = read_key(Path(system.home.issuer_key))
        self._secrets = {name: derived_secret(key, name) for name in (COMMAND_CLIENT, MACHINE_CLIENT)}
        self._tokens: dict[str, str] = {}
        self.latencies: list[tuple[float, float]] = []
        self.retries = 0
        self.gave_up: list[str] = []
        """Requests without a good answer, and what came last."""

    async def close(self) -> None:
        await self._http.aclose()

    async def call(
        self,
        who: str,
        method: str,
        path: str,
        json: Any = None,
        *,
        key: str | None = None,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
        patience: float = PATIENCE,
    ) -> httpx.Response:
        """Raises Refused, NoAnswer."""
        deadline = time.monotonic() + patience
        while True:
            sent = dict(headers or {})
            if key is not None:
                sent["Idempotency-Key"] = key
            began = time.monotonic()
            answer = await self._attempt(who, method, path, json, content, sent)
            self.latencies.append((began, time.monotonic() - began))
            if isinstance(answer, httpx.Response) and answer.is_success:
                return answer
            if isinstance(answer, httpx.Response) and not _later(answer):
                raise Refused(answer)
            if time.monotonic() > deadline:
                last = answer if isinstance(answer, str) else f"{answer.status_code} {answer.text[:80]}"
                self.gave_up.append(f"{method} {path.partition('?')[0]}: {last}")
                raise NoAnswer(f"{method} {path}")
            self.retries += 1
            await asyncio.sleep(0.3)

    async def _attempt(
        self, who: str, method: str, path: str, json: Any, content: bytes | None, headers: dict[str, str]
    ) -> httpx.Response | str:
        """An answer, or why there is none."""
        try:
            headers["Authorization"] = f"Bearer {await self.token(who)}"
            answer = await self._http.request(method, f"/api{path}", json=json, content=content, headers=headers)
        except httpx.HTTPError as error:
            return type(error).__name__
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._tokens.pop(who, None)
            return f"401 {answer.text[:80]}"
        return answer

    async def token(self, who: str) -> str:
        """An access token of a persona, or of the machine client. Raises httpx.HTTPError."""
        if who not in self._tokens:
            client = MACHINE_CLIENT if who == MACHINE else COMMAND_CLIENT
            form = {"client_id": client, "client_secret": self._secrets[client]}
            form |= (
                {"grant_type": "client_credentials"}
                if who == MACHINE
                else {"grant_type": PERSONA_GRANT, "persona": who}
            )
            answer = await self._http.post("/issuer/token", data=form)
            answer.raise_for_status()
            self._tokens[who] = answer.json()["access_token"]
        return self._tokens[who]


def _later(answer: httpx.Response) -> bool:
    """Whether asking again with the same key is right."""
    in_use = answer.status_code == httpx.codes.CONFLICT and "idempotency-key-in-use" in answer.text
    return in_use or answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.is_server_error


@dataclass(slots=True)
class World:
    """What the workload may use: ids of people by address, the programme, published items."""

    client: Client
    program_id: str = ""
    people: dict[str, str] = field(default_factory=dict)
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    revisions: dict[str, int] = field(default_factory=dict)


async def set_up(system: Reached) -> World:
    """People, roles, a programme with ambassadors, and published items; returns when everyone may share."""
    world = World(Client(system))
    await _people(world)
    await _programme(world)
    await _ambassadors(world)
    for number in range(ITEMS):
        await _item(world, number)
    await asyncio.gather(*(_may_share(world, who) for who in world.people))
    for id in world.people.values():
        person = await world.client.call(ADMIN, "GET", f"/program/v1/people/{id}")
        world.revisions[id] = int(person.headers["etag"].strip('"')) + 1
    return world


async def _people(world: World) -> None:
    call = world.client.call
    await _until_known(world, ADMIN)
    rows = ["email,name,country,team,role,level,site,locale,leader,external_id"]
    rows += [f"{one.email},{one.name},{one.country},{one.team},x,,,en,false,{one.key}" for one in PERSONAS]
    rows += [
        f"p{number}@fault.example,Person {number},FR,Team {number % 3},x,,,en,false,E{number}"
        for number in range(AMBASSADORS)
    ]
    content = "\n".join(rows).encode()
    preview = (
        await call(ADMIN, "POST", "/program/v1/imports", content=content, headers={"Content-Type": "text/csv"})
    ).json()
    await call(ADMIN, "POST", f"/program/v1/imports/{preview['id']}/confirm")
    while (await call(ADMIN, "GET", f"/program/v1/imports/{preview['id']}")).json()["state"] != "done":
        await asyncio.sleep(0.1)
    for who, role in ((EDITOR, "editor"), (MANAGER, "manager")):
        me = (await call(who, "PUT", "/program/v1/me", {})).json()
        person = await call(ADMIN, "GET", f"/program/v1/people/{me['id']}")
        roles = sorted({*person.json()["roles"], role})
        headers = {"If-Match": person.headers["etag"]}
        await call(ADMIN, "PATCH", f"/program/v1/people/{me['id']}", {"roles": roles}, headers=headers)


async def _until_known(world: World, who: str) -> None:
    await world.client.call(who, "PUT", "/program/v1/me", {})


async def _programme(world: World) -> None:
    call = world.client.call
    made = {"name": "Fault", "time_zone": "UTC", "languages": ["en", "fr"], "consent": TEXTS}
    world.program_id = (await call(MANAGER, "POST", "/program/v1/programs", made)).json()["id"]
    path = f"/program/v1/programs/{world.program_id}"
    await call(MANAGER, "POST", f"{path}/guidelines", {"texts": TEXTS, "material": True})


async def _ambassadors(world: World) -> None:
    call = world.client.call
    found = (await call(MANAGER, "GET", "/program/v1/people?limit=100")).json()["items"]
    chosen = {one["email"]: one["id"] for one in found if (one.get("email") or "").endswith("@fault.example")}
    path = f"/program/v1/programs/{world.program_id}"
    await call(MANAGER, "POST", f"{path}/invitations", {"people": list(chosen.values())})
    version = (await call(MANAGER, "GET", f"{path}/consent?language=en")).json()["version"]
    for who in chosen:
        await call(who, "PUT", "/program/v1/me", {})
        await call(who, "POST", f"{path}/join", {"consent_version": version})
        await call(who, "POST", f"{path}/guidelines/1/acknowledge")
    world.people = chosen


async def _item(world: World, number: int) -> None:
    call = world.client.call
    copy = item_copy(world.program_id, f"Item {number}", number)
    await _editor_known(world)
    made = (await call(EDITOR, "POST", "/content/v1/items", copy, key=f"item-{number}")).json()
    await call(EDITOR, "POST", f"/content/v1/items/{made['id']}/submit")
    await call(EDITOR, "POST", f"/content/v1/items/{made['id']}/publish")
    world.items[made["id"]] = copy


def item_copy(program_id: str, title: str, number: int) -> dict[str, Any]:
    """An item as an editor writes it."""
    return {
        "program_id": program_id,
        "kind": "article",
        "category": "company_news",
        "url": f"https://www.fault.example/{number}",
        "shareable": True,
        "variants": [{"language": "en", "title": title, "summary": "What happened."}],
        "captions": [],
        "targeting": {"countries": [], "teams": []},
    }


async def _editor_known(world: World) -> None:
    """Content has heard of the editor's role."""
    async with asyncio.timeout(30):
        while True:
            try:
                await world.client.call(EDITOR, "GET", "/content/v1/items?limit=1")
            except Refused:
                await asyncio.sleep(0.1)
            else:
                return


async def _may_share(world: World, who: str) -> None:
    """Sharing has heard of the person, the items and the acknowledgement."""
    async with asyncio.timeout(30):
        for content_id in world.items:
            draft = {"content_id": content_id, "network": "x", "language": "en", "caption": "A check"}
            while True:
                try:
                    await world.client.call(who, "POST", "/sharing/v1/drafts/check", draft)
                except Refused:
                    await asyncio.sleep(0.1)
                else:
                    break
