"""What the gateway proxies with: bodies that stream both ways, headers that belong to one hop, addresses."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping

import aiohttp
from starlette.types import Receive, Scope, Send
from yarl import URL

Header = tuple[bytes, bytes]

HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
ANSWERED_BY_SERVER = frozenset((b"date", b"server"))


class RequestBody:
    """The request's body as it comes; afterwards notices that the client has left."""

    def __init__(self, headers: Iterable[Header], receive: Receive, limit: int) -> None:
        said = dict(headers)
        length = said.get(b"content-length", b"")
        self._receive = receive
        self._limit = limit
        self.announced = int(length) if length.isdigit() else 0
        self.too_large = False
        self.left = False
        self.whole = asyncio.Event()
        if not length and b"transfer-encoding" not in said:
            self.whole.set()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Raises ConnectionResetError past the limit (`too_large`) and when the client leaves (`left`)."""
        seen = 0
        while not self.whole.is_set():
            message = await self._receive()
            self.left = message["type"] == "http.disconnect"
            chunk = message.get("body", b"")
            seen += len(chunk)
            self.too_large = seen > self._limit
            if self.left or self.too_large:
                raise ConnectionResetError("the body ends early")
            if not message.get("more_body", False):
                self.whole.set()
            if chunk:
                yield chunk

    async def gone(self) -> None:
        """Returns when the client has left."""
        await self.whole.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass


async def pass_on(response: aiohttp.ClientResponse, send: Send) -> None:
    """Hands every piece of the answer on as soon as it is there."""
    async for piece in response.content.iter_any():
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def until_gone(body: RequestBody, passing: Awaitable[None]) -> None:
    """Runs `passing` and ends it when the client leaves: nothing else ends an event stream."""
    work = asyncio.ensure_future(passing)
    gone = asyncio.ensure_future(body.gone())
    try:
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            work.result()
    finally:
        for task in (work, gone):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task


def raw_path(scope: Scope) -> bytes:
    """The path as the client wrote it, without its query."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.partition(b"?")[0]


def upstream_url(upstream: str, strip: str, scope: Scope) -> URL:
    """The address behind, without the prefix `strip`: escapes and query stay as the client wrote them."""
    path = raw_path(scope)[len(strip.encode()) :] or b"/"
    query = scope.get("query_string", b"")
    text = (path + (b"?" + query if query else b"")).decode("latin-1")
    return URL(upstream.rstrip("/") + text, encoded=True)


def response_headers(headers: Iterable[Header]) -> list[Header]:
    """The headers without those of the upstream connection and those that the server in front sets."""
    kept = [(name.lower(), value) for name, value in headers]
    named_hops = connection_options(kept)
    return [
        (name, value)
        for name, value in kept
        if name not in HOP_BY_HOP and name not in ANSWERED_BY_SERVER and name not in named_hops
    ]


def connection_options(headers: Iterable[Header]) -> set[bytes]:
    """The further header names that `Connection` declares as of this hop only."""
    return {option.strip().lower() for name, value in headers if name == b"connection" for option in value.split(b",")}


async def problem(send: Send, status: int, type_: str, detail: str) -> None:
    """Answers with an RFC 9457 problem document."""
    body = json.dumps({"type": type_, "title": TITLES[status], "status": status, "detail": detail}).encode()
    headers: list[Header] = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    if status in (503, 504):
        headers.append((b"retry-after", b"2"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


TITLES: Mapping[int, str] = {
    404: "There is no such thing.",
    413: "The body is too large.",
    502: "A service answered badly.",
    503: "A service is down.",
    504: "A service took too long.",
}
