"""The hub on a real MongoDB, with a transport in place of the other services."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet
from starlette.types import ASGIApp

from chassis.clock import FixedClock
from chassis.service import Service
from services.hub.app import build
from services.hub.context import Context
from services.hub.sessions import Session
from services.hub.settings import HubSettings
from tests.infra import Infra

URL = "http://127.0.0.1:8080"
SERVICES = ("program", "content", "sharing", "gamification", "metrics")
ME = {
    "id": "person-1",
    "name": "Amina Belkacem",
    "email": "amina@herald.example",
    "roles": ["ambassador", "manager", "editor", "admin"],
    "country": "FR",
    "team": "Engineering",
    "locale": "fr",
    "leader": False,
    "hidden_from_rankings": False,
    "hidden_from_statistics": False,
    "programs": [{"program_id": "p1", "status": "joined", "must_acknowledge": False}],
    "invitations": [],
}
PROGRAMS = {"items": [{"id": "p1", "name": "Voices", "time_zone": "Europe/Paris", "languages": ["fr", "en"]}]}
POINTS = {"total": 40, "this_week": 4, "this_month": 9, "rank": 2, "hidden": False}
ANSWERS: dict[str, Any] = {
    "/v1/me": ME,
    "/v1/programs": PROGRAMS,
    "/v1/me/points": POINTS,
    "/v1/me/viewers": {"items": [], "more": False},
    "/v1/me/mails": {"choices": [], "stopped": None, "mails": []},
}


NOBODY = dict.fromkeys(("invited", "joined", "declined", "left"), 0)
EMPTY: dict[str, Any] = {
    "/v1/me/figures": {"figures": {"shares": 0, "clicks_raw": 0, "clicks_counted": 0, "engagements": 0}},
    "/v1/programs/p1/ambassadors": {"counts": NOBODY, "items": [], "next": None},
    "/v1/programs/p1/audience": {"ambassadors": 0},
    "/v1/programs/p1/figures": {"figures": {}},
    "/v1/programs/p1/guidelines": httpx.Response(404, json={"type": "not-found"}),
    "/v1/programs/p1/consent": {"text": "Freely.", "version": 1, "language": "en"},
    "/v1/programs/p1/calendar": {"items": []},
    "/v1/programs/p1/calendar/feed": {"since": None},
    "/v1/programs/p1/handover": {"text": "", "written_by": None, "updated_at": None},
    "/v1/programs/p1/mix": {"shares": {}},
    "/v1/programs/p1/setup": {"steps": []},
    "/v1/programs/p1/guardrails": {"disclosures": {}, "forbidden": []},
}


class Network:
    """Answers for every service but those that are `down`; remembers what was asked."""

    def __init__(self) -> None:
        self.down: set[str] = set()
        self.asked: list[httpx.Request] = []
        self.answers: dict[str, Any] = dict(ANSWERS)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if request.url.host in self.down:
            raise httpx.ConnectError("nobody there")
        answer = self.answers.get(request.url.path)
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, httpx.Response):
            return answer
        return httpx.Response(200, json={"items": [], "next": None} if answer is None else answer)


class Browser:
    """The hub's application, and a client of it with a signed-in session."""

    def __init__(
        self, service: Service, app: ASGIApp, network: Network, clock: FixedClock, client: httpx.AsyncClient
    ) -> None:
        self.app = app
        self.context: Context = service.context
        self.mongo = service.runtime.mongo
        self.network = network
        self.clock = clock
        self.client = client

    async def sign_in(self, seconds: int = 3600) -> Session:
        tokens = {
            "access": "the-access-token",
            "refresh": "the-refresh-token",
            "until": self.clock.now().timestamp() + seconds,
        }
        session = await self.context.sessions.begin({"tokens": tokens}, signed_in=True)
        self.client.cookies.set("herald_session", session.name)
        return session


@asynccontextmanager
async def open_browser(infra: Infra, namespace: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Browser]:
    environment = {
        **infra.environment,
        "HERALD_NAMESPACE": namespace,
        "HERALD_PUBLIC_URL": URL,
        "HERALD_ISSUER": f"{URL}/issuer",
        "HERALD_HUB_CLIENT_SECRET": "hush",
        "HERALD_SESSION_KEY": Fernet.generate_key().decode(),
        **{f"HERALD_{name.upper()}_URL": f"http://{name}" for name in SERVICES},
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    network, clock = Network(), FixedClock(datetime.now(UTC))
    service = build(HubSettings(), clock=clock, transport=httpx.MockTransport(network))
    await service.ensure_indexes()
    app = service.asgi()
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
        yield Browser(service, app, network, clock, client)
    await service.runtime.close()
