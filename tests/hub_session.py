"""A person at the hub, without a browser: the cookies of a session, and its forms."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

_CSRF = re.compile(r'data-csrf="([0-9a-f]+)"')


class HubSession:
    """Signed in as a persona once `sign_in` has returned; redirects are not followed."""

    def __init__(self, url: str, **headers: str) -> None:
        self.client = httpx.AsyncClient(base_url=url, trust_env=False, timeout=60, headers=headers)

    async def sign_in(self, persona: str, back: str = "/") -> httpx.Response:
        """By the development issuer; the answer of the hub that ends the sign-in."""
        asked = await self.client.get("/auth/sign-in", params={"back": back})
        chosen = await self.client.post(asked.headers["location"], data={"persona": persona})
        return await self.client.get(chosen.headers["location"])

    async def csrf(self) -> str:
        """What the forms of a page carry now."""
        page = await self.client.get("/me")
        found = _CSRF.search(page.text)
        if found is None:
            raise AssertionError(f"no form's token at {page.status_code} {page.url}")
        return found[1]

    async def post(self, path: str, form: Mapping[str, Any] | None = None, **options: Any) -> httpx.Response:
        """A form of this session."""
        return await self.client.post(path, data={"csrf": await self.csrf(), **(form or {})}, **options)


@asynccontextmanager
async def hub_session(url: str, persona: str | None = None, **headers: str) -> AsyncIterator[HubSession]:
    """A session that ends here, of a persona or of nobody yet."""
    session = HubSession(url, **headers)
    async with session.client:
        if persona is not None:
            await session.sign_in(persona)
        yield session
