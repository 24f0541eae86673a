"""Uses the hub like a browser without JavaScript: sign in, open a form, send it."""

from __future__ import annotations

import asyncio
import secrets
from html.parser import HTMLParser
from typing import Any

import httpx

from herald.demo.api import TRIES, Unexpected


class _Fields(HTMLParser):
    """Hidden inputs and texts of the page's forms; of several with one name the last counts."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._area: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        name = said.get("name")
        if tag == "input" and name and said.get("type") in ("hidden", None):
            self.values[name] = said.get("value") or ""
        elif tag == "textarea" and name:
            self._area = name
            self.values[name] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = None

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self.values[self._area] += data


class Browser:
    """One person's session with the hub."""

    def __init__(self, url: str, agent: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=url, follow_redirects=True, timeout=30, trust_env=False, headers={"User-Agent": agent}
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def sign_in(self, persona: str) -> None:
        """Signs in through the development issuer's page. Raises Unexpected."""
        page = await self._ask("GET", "/auth/sign-in")
        await self._ask("POST", str(page.url), data={"persona": persona})

    async def read(self, path: str) -> str:
        """A page. Raises Unexpected."""
        return (await self._ask("GET", path)).text

    async def send(self, page: str, action: str, **fields: str) -> str:
        """Sends one of the page's forms, with these fields beside its hidden ones; the address of the page after it."""
        form = _Fields()
        form.feed(await self.read(page))
        return str((await self._ask("POST", action, data={**form.values, **fields})).url)

    async def share(self, content_id: str, network: str) -> str:
        """Both taps: the sheet, then the share; returns the id of the trace that the second one begins."""
        sheet = await self._ask("GET", f"/feed/{content_id}/share", params={"network": network})
        fields = _Fields()
        fields.feed(sheet.text)
        trace_id, span_id = secrets.token_hex(16), secrets.token_hex(8)
        headers = {"traceparent": f"00-{trace_id}-{span_id}-01"}
        form = {**fields.values, "network": network}
        await self._ask("POST", f"/feed/{content_id}/share", data=form, headers=headers)
        return trace_id

    async def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Gets a page; tries again if the answer is that Herald is busy. Raises Unexpected."""
        answer = await self._client.request(method, path, **options)
        for _ in range(TRIES):
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            await asyncio.sleep(float(answer.headers.get("retry-after", 1)))
            answer = await self._client.request(method, path, **options)
        if answer.is_error:
            raise Unexpected(f"{answer.request.method} {answer.request.url.path} of the hub: {answer.status_code}")
        return answer
