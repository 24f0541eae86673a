"""Visitors of short links over HTTP: each connection keeps one request under way, at full speed or at a pace."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


@dataclass
class Load:
    """What a client saw: requests answered 302, the time it took, when each began and how long it took, in seconds."""

    answered: int = 0
    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    began: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return self.answered / self.seconds

    def wait(self, share: float) -> float:
        return sorted(self.waits)[int(share * (len(self.waits) - 1))]


class Visitor(asyncio.Protocol):
    """One connection with one request under way; with `every`, one starts each so many seconds."""

    def __init__(
        self, load: Load, requests: list[bytes], until: float, every: float, done: asyncio.Future[None]
    ) -> None:
        self._load, self._requests, self._until, self._every, self._done = load, requests, until, every, done
        self._next = secrets.randbelow(len(requests))
        self._due = 0.0
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._due = time.perf_counter() + self._every * secrets.randbelow(1000) / 1000
        self._send()

    def _send(self) -> None:
        now = time.perf_counter()
        if self._every and now < self._due:
            asyncio.get_running_loop().call_later(self._due - now, self._send)
            return
        if now >= self._until or self._transport.is_closing():
            self._end()
            return
        # Where a pace is given, a wait begins when the request was due: a slow answer does not hide the next.
        self._began = self._due if self._every else now
        self._due += self._every
        self._next = (self._next + 1) % len(self._requests)
        self._transport.write(self._requests[self._next])

    def data_received(self, data: bytes) -> None:
        self._data += data
        if not self._data.endswith(b"\r\n\r\n"):
            return
        if not self._data.startswith(b"HTTP/1.1 302"):
            self._done.set_exception(RuntimeError(self._data[:200].decode("latin-1")))
            self._transport.abort()
            return
        self._data = b""
        self._load.answered += 1
        self._load.began.append(self._began)
        self._load.waits.append(time.perf_counter() - self._began)
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        self._end()

    def _end(self) -> None:
        self._transport.close()
        if not self._done.done():
            self._done.set_result(None)


async def visit(
    port: int, codes: Sequence[str], *, connections: int, seconds: float, rate: float = 0, load: Load | None = None
) -> Load:
    """Follow links for some seconds, as fast as it goes or at `rate` requests a second; `load` grows meanwhile."""
    load = load or Load()
    requests = [
        f"GET /l/{code} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: {BROWSER}\r\nAccept: text/html\r\n"
        f"Accept-Language: fr,en;q=0.5\r\nReferer: https://www.linkedin.com/\r\n\r\n".encode()
        for code in codes
    ]
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    until, every = began + seconds, connections / rate if rate else 0.0
    ends = [loop.create_future() for _ in range(connections)]
    for end in ends:
        await loop.create_connection(partial(Visitor, load, requests, until, every, end), "127.0.0.1", port)
    await asyncio.gather(*ends)
    load.seconds = time.perf_counter() - began
    return load
