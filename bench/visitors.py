"""Visitors of short links over HTTP: each connection keeps one request under way, at full speed or at a pace."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle, repeat
from typing import Any

AGENTS = 20_000
"""Each request has a user agent of its own: more of them than any cache remembers come before one comes again."""
TICK = 0.001


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
    """One connection with at most one request under way; `free` is called with it after each answer."""

    def __init__(self, load: Load, requests: Iterator[bytes], free: Callable[[Visitor], None]) -> None:
        self._load, self._requests, self._free = load, requests, free
        self._data = b""
        self.busy = False
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def send(self, due: float) -> None:
        """The next request; its wait begins when it was due (`time.perf_counter`)."""
        if self._transport.is_closing():
            return
        self.busy, self._due = True, due
        self._transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        self._data += data
        if not self._data.endswith(b"\r\n\r\n"):
            return
        if not self._data.startswith(b"HTTP/1.1 302"):
            self.ended.set_exception(RuntimeError(self._data[:200].decode("latin-1")))
            self._transport.abort()
            return
        self._data, self.busy = b"", False
        self._load.answered += 1
        self._load.began.append(self._due)
        self._load.waits.append(time.perf_counter() - self._due)
        self._free(self)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def close(self) -> None:
        self._transport.close()


def agent(number: int) -> str:
    """One of `AGENTS` browsers."""
    return (
        f"Mozilla/5.0 (Linux; Android {10 + number % 7}; SM-{number:05d}) AppleWebKit/537.36 (KHTML, like Gecko) "
        f"Chrome/{100 + number % 60}.0.{number}.{number % 199} Mobile Safari/537.36"
    )


async def visit(
    port: int, codes: Sequence[str], *, connections: int, seconds: float, rate: float = 0, load: Load | None = None
) -> Load:
    """Follow links for some seconds, as fast as it goes or at `rate` requests a second; `load` grows meanwhile.

    At a rate, a request is due whether or not a connection is free: a slow answer does not hide those behind it. It is
    due at the client's first tick after its moment; how late that is, and how late the tick, is not the server's doing.
    """
    load = load or Load()
    requests = cycle(
        [
            f"GET /l/{codes[number % len(codes)]} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: {agent(number)}\r\n"
            f"Accept: text/html\r\nAccept-Language: fr,en;q=0.5\r\nReferer: https://www.linkedin.com/\r\n\r\n".encode()
            for number in range(AGENTS)
        ]
    )
    idle: deque[Visitor] = deque()
    until = 0.0

    def again(one: Visitor) -> None:
        if (now := time.perf_counter()) < until:
            one.send(now)

    loop = asyncio.get_running_loop()
    make = partial(Visitor, load, requests, idle.append if rate else again)
    visitors = [(await loop.create_connection(make, "127.0.0.1", port))[1] for _ in range(connections)]
    began = time.perf_counter()
    until = began + seconds
    if rate:
        idle.extend(visitors)
        await _at_pace(idle, began, until, rate)
    else:
        for one in visitors:
            one.send(began)
        await asyncio.sleep(seconds)
    while any(one.busy and not one.ended.done() for one in visitors):
        await asyncio.sleep(TICK)
    load.seconds = time.perf_counter() - began
    for one in visitors:
        one.close()
    await asyncio.gather(*(one.ended for one in visitors))
    return load


async def _at_pace(idle: deque[Visitor], began: float, until: float, rate: float) -> None:
    planned, due = 0, deque[float]()
    while (now := time.perf_counter()) < until:
        planned, before = int((now - began) * rate), planned
        due.extend(repeat(now, planned - before))
        while due and idle:
            idle.popleft().send(due.popleft())
        await asyncio.sleep(TICK)
