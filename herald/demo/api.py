"""A client of Herald's APIs: over HTTP at the one address, with a token for each user."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import httpx

from herald.development.issuer import COMMAND_CLIENT, PERSONA_GRANT, derived_secret, read_key
from herald.local.home import Home

TRIES = 5


class Unexpected(Exception):
    """An answer that the demo does not expect; the text names the user, the request and the problem."""


class Api:
    """Calls the services through the one address; at most `at_once` requests are under way."""

    def __init__(self, url: str, home: Home, *, at_once: int = 12) -> None:
        self.url = url
        self.home = home
        self._client = httpx.AsyncClient(
            base_url=url, timeout=30, trust_env=False, limits=httpx.Limits(max_connections=at_once, keepalive_expiry=2)
        )
        self._places = asyncio.Semaphore(at_once)
        self._secret = derived_secret(read_key(home.issuer_key), COMMAND_CLIENT)
        self._tokens: dict[str, str] = {}

    @property
    def client(self) -> httpx.AsyncClient:
        """The options of the HTTP client."""
        return self._client

    async def close(self) -> None:
        await self._client.aclose()

    async def token(self, email: str) -> str:
        """A bearer token of the development issuer for an address."""
        if email not in self._tokens:
            form = {
                "grant_type": PERSONA_GRANT,
                "persona": email,
                "client_id": COMMAND_CLIENT,
                "client_secret": self._secret,
            }
            async with self._places:
                answer = await self._client.post("/issuer/token", data=form)
            if answer.is_error:
                raise Unexpected(f"no token for {email}: {answer.text[:300]}")
            self._tokens[email] = answer.json()["access_token"]
        return self._tokens[email]

    async def call(
        self,
        who: str,
        method: str,
        path: str,
        json: Any = None,
        *,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
        allow: tuple[int, ...] = (),
    ) -> httpx.Response:
        """One request as `who`. Raises Unexpected for an error status that is not in `allow`.

        Mutating requests carry an Idempotency-Key, so that a retry after 503 has its effect once.
        """
        sent = {"Authorization": f"Bearer {await self.token(who)}", **(headers or {})}
        if method != "GET":
            sent["Idempotency-Key"] = secrets.token_hex(16)
        answer = await self._send(method, path, json, content, sent)
        if answer.is_error and answer.status_code not in allow:
            raise Unexpected(f"{method} {path} as {who}: {answer.status_code} {answer.text[:500]}")
        return answer

    async def _send(
        self, method: str, path: str, json: Any, content: bytes | None, headers: dict[str, str]
    ) -> httpx.Response:
        for _ in range(TRIES):
            async with self._places:
                answer = await self._client.request(method, f"/api{path}", json=json, content=content, headers=headers)
            if answer.status_code not in (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE):
                return answer
            await asyncio.sleep(float(answer.headers.get("retry-after", 1)))
        raise Unexpected(f"{method} {path}: still busy after {TRIES} tries")

    async def get(self, who: str, path: str, **params: Any) -> Any:
        query = httpx.QueryParams({name: value for name, value in params.items() if value is not None})
        return (await self.call(who, "GET", f"{path}?{query}" if query else path)).json()

    async def post(self, who: str, path: str, json: Any = None, **options: Any) -> Any:
        answer = await self.call(who, "POST", path, json, **options)
        return answer.json() if answer.content else None

    async def pages(self, who: str, path: str, **params: Any) -> list[Any]:
        """All items of a list, page by page."""
        found: list[Any] = []
        cursor: str | None = None
        while True:
            page = await self.get(who, path, **params, cursor=cursor)
            found.extend(page["items"])
            cursor = page["next"]
            if cursor is None:
                return found
