"""The Herald that is attacked, and what attackers have: personas, machine clients, the issuer's key, raw sockets."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey

from herald.demo.api import Api
from herald.development.issuer import ALGORITHM, read_key
from herald.development.personas import subject_of
from herald.local.home import Home
from tests.hub_session import HubSession, hub_session

STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")


@dataclass(frozen=True)
class Target:
    """Addresses, keys, and a programme of its own in which things are there to be attacked."""

    url: str
    home: Home
    api: Api
    program_id: str
    item_id: str
    short_url: str
    long: bool

    @cached_property
    def key(self) -> RSAKey:
        key = read_key(self.home.issuer_key)
        key.ensure_kid()
        return key

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return parts.hostname or "127.0.0.1", parts.port or 80

    def hub(self, persona: str | None = None, **headers: str) -> AbstractAsyncContextManager[HubSession]:
        return hub_session(self.url, persona, **headers)

    def client(self, **options: Any) -> httpx.AsyncClient:
        """A client without a session."""
        return httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=30, **options)

    def claims(self, **changes: Any) -> dict[str, Any]:
        """What a good token of a person says; None leaves a claim out."""
        now = int(time.time())
        claims = {
            "iss": f"{self.url}/issuer", "aud": "herald", "sub": subject_of("amina@herald.example"), "iat": now,
            "exp": now + 600, "email": "amina@herald.example", "email_verified": True, **changes,
        }  # fmt: skip
        return {name: value for name, value in claims.items() if value is not None}

    def signed(self, claims: dict[str, Any], **header: Any) -> str:
        """A token with the issuer's own signature."""
        return jwt.encode({"alg": ALGORITHM, "kid": self.key.kid, **header}, claims, self.key)

    def machine(self, scope: str) -> str:
        """A correctly signed token of a machine client that nobody has limited yet, with whatever scope."""
        client = f"attack-{secrets.token_hex(4)}"
        return self.signed(self.claims(sub=client, client_id=client, scope=scope, email=None))

    async def raw(self, data: bytes, *, seconds: float = 2.0, where: str = "") -> list[int]:
        """The statuses that come back for these bytes until the server closes, or says nothing more for `seconds`."""
        parts = urlsplit(where or self.url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
        received = b""
        try:
            writer.write(data)
            await writer.drain()
            while part := await asyncio.wait_for(reader.read(65536), seconds):
                received += part
        except (TimeoutError, ConnectionError):
            pass
        finally:
            writer.close()
        return [int(status) for status in STATUS.findall(received)]


@asynccontextmanager
async def target_of(url: str, home: Home, *, long: bool) -> AsyncIterator[Target]:
    """The target, once the programme that is attacked is there."""
    from tests.attack.ground import prepare

    api = Api(url, home)
    try:
        program_id, item_id, short_url = await prepare(api)
        yield Target(url, home, api, program_id, item_id, short_url, long)
    finally:
        await api.close()
