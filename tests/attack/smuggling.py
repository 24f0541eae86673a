"""Requests whose end two readers see in different places, and requests that are none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from tests.attack.attempt import Attempt, expect
from tests.attack.target import Target

TE = b"Transfer-Encoding: chunked"
ENCODINGS = (
    b"Transfer-Encoding: cHuNkEd", b"Transfer-Encoding : chunked", b"Transfer-Encoding:\tchunked",
    b"Transfer-Encoding:\n chunked", b"Transfer-Encoding:\r\n chunked", b"X: y\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: xchunked", b"Transfer-Encoding: chunked, identity", b"Transfer-Encoding: identity, chunked",
    b"Transfer-Encoding: chunked\x0b", b'Transfer-Encoding: "chunked"',
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x", b"Transfer-Encoding: x\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked",
)  # fmt: skip
LENGTHS = (
    b"0, 40", b"0,0", b"+0", b"-1", b"0x0", b"0 0", b"", b"4_0", b"\xd9\xa0", b"0\x00", b"0.0", b"1e1",
    b"18446744073709551616", b"99999999999999999999999999",
)  # fmt: skip
CHUNKS = (
    b"0x0\r\n\r\n", b"+0\r\n\r\n", b"-0\r\n\r\n", b" 0\r\n\r\n", b"0_0\r\n\r\n", b"0\n\n", b"0\r\r\n\r\n",
    b"g\r\n\r\n", b"\r\n0\r\n\r\n", b"1\r\naa\r\n0\r\n\r\n", b"1\r\na0\r\n\r\n", b"FFFFFFFFFFFFFFFFF\r\n",
    b"10000000000000000\r\n", b"0;\n\r\n\r\n", b'1;a="\n\r\na\r\n0\r\n\r\n', b"0\r\nX\r\n\r\n",
)  # fmt: skip
FRAMINGS: tuple[tuple[bytes, bytes], ...] = (
    (b"Content-Length: 5\r\n" + TE, b"0\r\n\r\n"),
    (TE + b"\r\nContent-Length: 5", b"0\r\n\r\n"),
    (b"Content-Length: 0\r\n" + TE, b"0\r\n\r\n"),
    *((b"Content-Length: 5\r\n" + one, b"0\r\n\r\n") for one in ENCODINGS),
    *((b"Content-Length: " + one, b"") for one in LENGTHS),
    (b"Content-Length: 0\r\nContent-Length: 40", b""),
    (b"Content-Length: 40\r\nContent-Length: 0", b""),
    (b"Content-Length : 0", b""),
    (b" Content-Length: 0", b""),
    *((TE, one) for one in CHUNKS),
)
"""Headers and body of a request; another one follows, which must never be answered."""
MALFORMED: tuple[bytes, ...] = (
    b"GET /welcome\r\n\r\n", b"GET /welcome HTTP/0.9\r\n\r\n", b"GET /welcome HTTP/2.0\r\nHost: h\r\n\r\n",
    b"GET /welcome HTTP/1.10\r\nHost: h\r\n\r\n", b"GET /welcome HTTP/1.1\x00\r\nHost: h\r\n\r\n",
    b"GET /wel\x00come HTTP/1.1\r\nHost: h\r\n\r\n", b"GET\t/welcome\tHTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET /welcome HTTP/1.1\r\nHost: h\r\nX\r\n\r\n", b"GET /welcome HTTP/1.1\r\nHost: h\r\n: x\r\n\r\n",
    b"GET /welcome HTTP/1.1\r\nHost: h\r\nX y: z\r\n\r\n", b"GET /welcome HTTP/1.1\r\nHost: h\r\nX: a\x00b\r\n\r\n",
    b"GET /welcome HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n", b"GET /welcome HTTP/1.1\r\nHost: h\r\nX\x7f: a\r\n\r\n",
    b"GET /welcome HTTP/1.1\r\nHost: h\r\nHost: evil.example\r\n\r\n", b"GET /welcome HTTP/1.1\r\n\r\n",
    b"TRACE /welcome HTTP/1.1\r\nHost: h\r\n\r\n", b"CONNECT evil.example:80 HTTP/1.1\r\nHost: h\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", b"\x00" * 64,
    b"GET  HTTP/1.1\r\nHost: h\r\n\r\n",
)  # fmt: skip


async def attack(target: Target) -> AsyncIterator[Attempt]:
    """At the one address, and at the short links behind it."""
    host = target.url.removeprefix("http://").encode()
    second = b"GET /zq-smuggled HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"
    doors = (b"/language", b"/welcome", b"/api/program/v1/me", b"/l/zqzqzq") if target.long else (b"/language",)
    for door in doors:
        start = b"POST " + door + b" HTTP/1.1\r\nHost: " + host + b"\r\n"
        sent = [start + headers + b"\r\n\r\n" + body + second for headers, body in FRAMINGS]
        for (headers, body), statuses in zip(FRAMINGS, await _all(target, sent), strict=True):
            held = len(statuses) <= 1 and not any(200 <= one < 400 or one >= 500 for one in statuses if one != 501)
            yield expect(f"{door.decode()} {headers!r} {body[:20]!r}", held, statuses)
    for request, statuses in zip(MALFORMED, await _all(target, list(MALFORMED)), strict=True):
        held = len(statuses) <= 1 and all(400 <= one < 500 or one in (501, 505) for one in statuses)
        yield expect(f"{request[:60]!r}", held, statuses)
    unread = b"PUT /api/program/v1/me HTTP/1.1\r\nHost: " + host + b"\r\nContent-Length: %d\r\n\r\n" % len(second)
    statuses = await target.raw(unread + second)
    yield expect("a request in a stranger's body", statuses == [401], statuses)
    for door in doors:  # such a length is a number: whoever may not send the body is told so, everybody else the limit
        start = b"POST " + door + b" HTTP/1.1\r\nHost: " + host + b"\r\nContent-Length: 9223372036854775808\r\n\r\n"
        statuses = await target.raw(start + second)
        name = f"a request in a body of 2^63 bytes at {door.decode()}"
        yield expect(name, statuses in ([], [303], [400], [401], [405], [413]), statuses)


async def _all(target: Target, requests: Sequence[bytes]) -> list[list[int]]:
    """The statuses of each, some at a time."""
    places = asyncio.Semaphore(10)

    async def one(request: bytes) -> list[int]:
        async with places:
            return await target.raw(request, seconds=1.5)

    return list(await asyncio.gather(*(one(request) for request in requests)))
