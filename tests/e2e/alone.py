"""The hub alone in a browser: its pages before services that are played (`tests/integration/hub`), without a server."""

from __future__ import annotations

import html
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote_plus, urlsplit

from playwright.async_api import Browser, Page, Route

from tests.e2e.people import DEVICES, PATIENCE
from tests.integration.hub.harness import Browser as Hub

ENCODED = {"content-encoding", "content-length", "set-cookie"}
"""Headers of an answer that are no longer right: it has been decoded, and the session is kept here."""
REFUSAL = "<main><p role='alert'>Refused here.</p></main>"


@dataclass
class Network:
    """What a browser reaches: the hub and nothing else. `pages` are shown at addresses that the hub does not have. With
    `closed`, no form gets to the hub: `sent` are those that would have, `away` is whether there is no network."""

    hub: Hub
    pages: Mapping[str, str] = field(default_factory=dict)
    closed: bool = False
    away: bool = False
    sent: list[str] = field(default_factory=list)

    async def __call__(self, route: Route) -> None:
        request, where = route.request, urlsplit(route.request.url)
        if where.path in self.pages:
            await route.fulfill(status=200, content_type="text/html; charset=utf-8", body=self.pages[where.path])
        elif where.path in ("/manage/live", "/sw.js"):
            await route.abort()
        elif self.closed and where.path.endswith("/check"):  # a sheet asks by itself
            await route.fulfill(status=200, content_type="text/html", body="")
        elif request.method == "POST" and self.away:
            await route.abort("internetdisconnected")
        elif request.method == "POST" and self.closed:
            self.sent.append(unquote_plus((request.post_data_buffer or b"").decode(errors="replace")))
            await route.fulfill(status=409, content_type="text/html", body=REFUSAL)
        else:
            headers = {name: value for name, value in request.headers.items() if name != "cookie"}
            target = f"{where.path}?{where.query}" if where.query else where.path
            found = await self.hub.client.request(
                request.method, target, content=request.post_data_buffer, headers=headers
            )
            if found.is_redirect and request.is_navigation_request():
                # A form that was sent before its script was there; a request that a redirect makes is not handed to us.
                there = html.escape(found.headers["location"])
                body = f'<meta http-equiv="refresh" content="0;url={there}">'
                await route.fulfill(status=200, content_type="text/html", body=body)
                return
            said = {name: value for name, value in found.headers.items() if name not in ENCODED}
            await route.fulfill(status=found.status_code, headers=said, body=found.content)


@asynccontextmanager
async def page_of(browser: Browser, network: Network, device: str = "phone") -> AsyncIterator[Page]:
    """A page of who is signed in at the hub."""
    context = await DEVICES[device](browser, service_workers="block")
    context.set_default_timeout(PATIENCE)
    await context.route("**/*", network)
    yield await context.new_page()
    await context.close()
