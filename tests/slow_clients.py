"""Slow clients beside honest ones: what those who send little, slowly or nothing cost the others.

`measure` runs both against one address and compares the waits of the honest while the slow ones are there with those
while they are not, in turns, so that what else happens on the machine meets both alike.
"""

from __future__ import annotations

import asyncio
import os
import random
import resource
import socket
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp

HONEST: Final = 100
SLOW: Final = 1000
PAUSE_SECONDS: Final = 0.5
"""Between two requests of an honest client."""
DRIP_SECONDS: Final = 1.0
"""Between two bytes of a slow one."""
SETTLE_SECONDS: Final = 1.0
CONNECTED_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class Target:
    """What honest clients ask for, and which status they are to get; `headers` carry their token, if any,
    and `pid` is the process that is asked."""

    host: str
    port: int
    path: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    pid: int = 0


@dataclass(frozen=True, slots=True)
class Waits:
    """How long honest clients waited (s), without and beside slow ones, how many slow ones were connected, and what the
    process spent in each case (s of CPU); `seconds` are those of either."""

    alone: tuple[float, ...]
    beside: tuple[float, ...]
    connected: int
    cpu_alone: float
    cpu_beside: float
    seconds: float

    @property
    def p99_alone(self) -> float:
        return percentile(self.alone, 0.99)

    @property
    def p99_beside(self) -> float:
        return percentile(self.beside, 0.99)

    @property
    def ratio(self) -> float:
        return self.p99_beside / self.p99_alone

    @property
    def cores(self) -> float:
        """What the slow ones take: what was spent beside them beyond that many requests without them, by second."""
        expected = self.cpu_alone / len(self.alone) * len(self.beside)
        return (self.cpu_beside - expected) / self.seconds

    def __str__(self) -> str:
        return (
            f"p99 {self.p99_alone * 1000:.1f} ms alone, {self.p99_beside * 1000:.1f} ms beside {self.connected} slow "
            f"clients: {self.ratio:.2f} x ({len(self.alone)} and {len(self.beside)} requests), {self.cores:.2f} cores"
        )


def percentile(values: tuple[float, ...], share: float) -> float:
    """The value that this share of the values does not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


async def measure(
    target: Target,
    *,
    honest: int = HONEST,
    slow: int = SLOW,
    rounds: int = 3,
    seconds: float = 4.0,
) -> Waits:
    """The waits in `rounds` turns of `seconds` without and `seconds` with slow clients.

    Raises AssertionError where an honest client gets another answer than it should.
    """
    _allow_files(honest + slow + 100)
    alone: list[float] = []
    beside: list[float] = []
    connected = slow
    spent = [0.0, 0.0]
    connector = aiohttp.TCPConnector(limit=honest, keepalive_timeout=60)
    async with aiohttp.ClientSession(connector=connector, headers=target.headers, auto_decompress=False) as session:
        await _honest(session, target, honest, 2 * PAUSE_SECONDS)  # connections are made
        for _ in range(rounds):
            with _cpu(target.pid, spent, 0):
                alone += await _honest(session, target, honest, seconds)
            crowd = _Crowd(target, slow)
            dripping = asyncio.ensure_future(crowd.run())
            try:
                await _until(lambda crowd=crowd: crowd.connected >= slow)  # type: ignore[misc]
                await asyncio.sleep(SETTLE_SECONDS)
                with _cpu(target.pid, spent, 1):
                    beside += await _honest(session, target, honest, seconds)
                connected = min(connected, crowd.connected)
            finally:
                dripping.cancel()
                await asyncio.gather(dripping, return_exceptions=True)
    return Waits(tuple(alone), tuple(beside), connected, spent[0], spent[1], rounds * seconds)


@contextmanager
def _cpu(pid: int, spent: list[float], place: int) -> Iterator[None]:
    """Adds what the process spends meanwhile (s)."""
    began = cpu_seconds(pid)
    yield
    spent[place] += cpu_seconds(pid) - began


async def _until(probe: Callable[[], bool]) -> None:
    async with asyncio.timeout(CONNECTED_SECONDS):
        while not probe():
            await asyncio.sleep(0.05)


async def _honest(session: aiohttp.ClientSession, target: Target, count: int, seconds: float) -> list[float]:
    """The waits of `count` clients, each of which asks every now and then for so many seconds."""
    until = time.monotonic() + seconds
    waits: list[float] = []
    url = f"http://{target.host}:{target.port}{target.path}"

    async def client() -> None:
        await asyncio.sleep(random.random() * PAUSE_SECONDS)
        while time.monotonic() < until:
            began = time.perf_counter()
            async with session.get(url, allow_redirects=False) as answer:
                await answer.read()
                waits.append(time.perf_counter() - began)
                assert answer.status == target.status, f"{answer.status} for an honest client"
            await asyncio.sleep(PAUSE_SECONDS)

    await asyncio.gather(*(client() for _ in range(count)))
    return waits


class _Crowd:
    """Sockets of which each does one of the things that hold a careless server, for as long as they are let."""

    def __init__(self, target: Target, count: int) -> None:
        self._address = (target.host, target.port)
        said = "".join(f"{name}: {value}\r\n" for name, value in target.headers.items())
        get, post = f"GET {target.path} HTTP/1.1\r\nhost: h\r\n", f"POST {target.path} HTTP/1.1\r\nhost: h\r\n"
        body = "content-type: application/json\r\ncontent-length: 1000\r\n\r\n{"
        kinds = ["", get, f"{get}x-slow: ", f"{post}{body}", f"{post}{said}{body}", f"{get}{said}\r\n"]
        self._begins = [kinds[number % len(kinds)].encode() for number in range(count)]
        self._drips = [b"" if begin == b"" or begin.endswith(b"\r\n\r\n") else b"a" for begin in self._begins]
        self._sockets: list[socket.socket | None] = [None] * count

    @property
    def connected(self) -> int:
        return sum(one is not None for one in self._sockets)

    async def run(self) -> None:
        """Connect all; drip; whoever is let go comes again."""
        tenth = max(1, len(self._sockets) // 20)
        try:
            while True:
                for start in range(0, len(self._sockets), tenth):
                    for number in range(start, min(start + tenth, len(self._sockets))):
                        self._step(number)
                    await asyncio.sleep(DRIP_SECONDS / 20)
        finally:
            for one in self._sockets:
                if one is not None:
                    one.close()

    def _step(self, number: int) -> None:
        there = self._sockets[number]
        if there is None:
            there = self._sockets[number] = socket.socket()
            there.setblocking(False)
            there.connect_ex(self._address)
            self._begun(number, there)
        elif not self._drip(there, self._drips[number]):
            there.close()
            self._sockets[number] = None

    def _begun(self, number: int, there: socket.socket) -> None:
        """Over loopback a connection is there at once; elsewhere the beginning goes out with a later drip."""
        with suppress(OSError):
            there.send(self._begins[number])

    def _drip(self, there: socket.socket, drip: bytes) -> bool:
        """Whether the server still holds the connection."""
        try:
            while there.recv(65536):
                pass
        except BlockingIOError:
            pass
        except OSError:
            return False
        else:
            return False
        try:
            there.send(drip)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True


def cpu_seconds(pid: int) -> float:
    """What a process of Linux has spent so far (s); 0 for none."""
    if not pid:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _allow_files(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(soft, count)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


async def within(limit: float, attempt: Callable[[], Awaitable[Waits]], *, attempts: int = 3) -> Waits:
    """The first measurement whose ratio is within the limit, or else the last: a machine that does other things at
    once may spoil one."""
    found = await attempt()
    for _ in range(attempts - 1):
        if found.ratio <= limit:
            break
        found = await attempt()
    return found
