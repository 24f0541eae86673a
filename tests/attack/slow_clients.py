"""Clients that begin and do not go on, while others want to be served."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from statistics import median

from tests.attack.attempt import Attempt, expect
from tests.attack.target import Target

HONEST = 100
SLOWER = 1.5
UNFELT_SECONDS = 0.1
"""A median that nobody feels, whatever it was before: some milliseconds are what else a machine does."""
TRIES = 3
"""How often it is measured again: what else a machine does is not the attack's."""
WAIT_SECONDS = 40.0
"""Beyond the limits of time for headers and for two parts of a body, and what looks for those who are over them."""


async def attack(target: Target) -> AsyncIterator[Attempt]:
    host = target.url.removeprefix("http://")
    token = await target.api.token("amina@herald.example")
    post = f"POST /api/sharing/v1/drafts/check HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
    signed = f"{post}Authorization: Bearer {token}\r\n"
    kinds = {
        "silent": "",
        "half a request line": "GET /wel",
        "half a head": f"GET /welcome HTTP/1.1\r\nHost: {host}\r\nX: ",
        "no end of the head": f"GET /welcome HTTP/1.1\r\nHost: {host}\r\n",
        "a stranger's first byte": f"{post}Content-Length: 1000\r\n\r\n{{",
        "a stranger's first chunk": f"{post}Transfer-Encoding: chunked\r\n\r\n1\r\n{{\r\n",
        "a person's first byte": f"{signed}Content-Length: 1000\r\n\r\n{{",
        "a person's first chunk": f"{signed}Transfer-Encoding: chunked\r\n\r\n1\r\n{{\r\n",
        "a form's first byte": f"POST /me/privacy HTTP/1.1\r\nHost: {host}\r\nContent-Length: 99\r\n\r\na",
    }
    many = 120 if target.long else 35
    before = await _honest(target)
    sockets = [await _begin(target, text) for text in kinds.values() for _ in range(many)]
    try:
        beside = await _honest(target)
        name = f"{len(sockets)} slow clients beside {HONEST} honest requests"
        yield expect(name, beside[0] == HONEST, _told(before, beside))
        most = max(before[1] * SLOWER, 0.0 if target.long else UNFELT_SECONDS)
        for _ in range(TRIES):
            if beside[1] > most:
                beside = await _honest(target)
        yield expect("the honest wait no longer", beside[1] <= most, _told(before, beside))
        if target.long:
            for number, name in enumerate(kinds):
                closed = await _closed(sockets[number * many : (number + 1) * many])
                yield expect(f"{name}: closed in time", closed == many, f"{closed} of {many}")
    finally:
        for _, writer in sockets:
            writer.close()


async def _begin(target: Target, text: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection(*target.address)
    writer.write(text.encode())
    return reader, writer


async def _honest(target: Target) -> tuple[int, float]:
    """How many of the honest were served, and the median of their seconds."""
    took: list[float] = []

    async def one() -> None:
        async with target.client() as client:
            for _ in range(HONEST // 5):
                began = time.monotonic()
                answer = await client.get("/welcome")
                if answer.status_code == 200:
                    took.append(time.monotonic() - began)

    await asyncio.gather(*(one() for _ in range(5)))
    return len(took), median(took) if took else float("inf")


async def _closed(sockets: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]) -> int:
    """How many of these connections the server has ended, with or without an answer."""

    async def one(reader: asyncio.StreamReader) -> bool:
        with suppress(ConnectionError):
            async with asyncio.timeout(WAIT_SECONDS):
                while await reader.read(65_536):
                    pass
        return True

    found = await asyncio.gather(*(one(reader) for reader, _ in sockets), return_exceptions=True)
    return sum(outcome is True for outcome in found)


def _told(before: tuple[int, float], beside: tuple[int, float]) -> str:
    return f"{beside[0]} served, median {before[1] * 1000:.0f} ms before, {beside[1] * 1000:.0f} ms beside"
