"""Little that unfolds to much: packed answers, entities, depth, numbers."""

from __future__ import annotations

import asyncio
import gzip
import time
import zlib
from collections.abc import AsyncIterator

import httpx

from chassis.fetch import FetchRefused, GuardedFetch
from tests.attack.attempt import Attempt, expect
from tests.attack.target import Target

SECONDS = 15.0
WAITING_SECONDS = 2.0
"""What others may wait meanwhile: a stalled process would have them wait for all of it."""
MIB = 1024 * 1024
ENTITIES = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
ITEM = "<item><title>{}</title><link>https://www.example.com/bomb</link><guid>bomb</guid></item>"
FILES = ("file:///etc/passwd", "/etc/passwd", "php://filter/resource=/etc/passwd", "http://127.0.0.1:1/")


def feeds(scale: int) -> dict[str, bytes]:
    """XML and JSON feeds by name."""
    found = {
        "billion laughs": _rss(ITEM.format("&a9;"), f'<!DOCTYPE rss [<!ENTITY a0 "lol">{ENTITIES}]>'),
        "quadratic entities": _rss(ITEM.format("&a;" * 20_000), f'<!DOCTYPE rss [<!ENTITY a "{"b" * 20_000}">]>'),
        "parameter entities": _rss(ITEM.format("x"), "<!DOCTYPE rss [<!ENTITY % a \"<!ENTITY b 'c'>\"> %a;]>"),
        "an entity of itself": _rss(ITEM.format("&a;"), '<!DOCTYPE rss [<!ENTITY a "&a;">]>'),
        "an external definition": _rss(ITEM.format("x"), '<!DOCTYPE rss SYSTEM "file:///etc/passwd">'),
        "depth": b"<rss><channel>" + b"<a>" * scale + b"</a>" * scale + b"</channel></rss>",
        "attributes": b"<rss " + b" ".join(b"a%d='x'" % n for n in range(scale)) + b"><channel/></rss>",
        "namespaces": b"<rss " + b" ".join(b"xmlns:a%d='u:%d'" % (n, n) for n in range(scale)) + b"><channel/></rss>",
        "never closed": b"<rss><channel>" + b"<item><title>x" * scale,
        "comments": b"<rss><!--" + b"-" * (4 * MIB) + b"--><channel/></rss>",
        "items": _rss(ITEM.format("x") * (scale // 2)),
        "markup in a title": _rss(ITEM.format("&lt;b&gt;" * scale)),
        "JSON of depth": b'{"version": "https://jsonfeed.org/version/1.1", "items": '
        + b"[" * scale
        + b"]" * scale
        + b"}",
        "JSON with a number": b'{"version": "https://jsonfeed.org/version/1.1", "items": [' + b"9" * scale + b"]}",
    }
    for name in FILES:
        found[f"an external entity {name}"] = _rss(
            ITEM.format("zq&a;"), f'<!DOCTYPE rss [<!ENTITY a SYSTEM "{name}">]>'
        )
    return found


def _rss(items: str, head: str = "") -> bytes:
    return f"<?xml version='1.0'?>{head}<rss version='2.0'><channel><title>t</title>{items}</channel></rss>".encode()


def jsons(scale: int) -> dict[str, bytes]:
    return {
        "lists of depth": b"[" * scale + b"]" * scale,
        "objects of depth": b'{"a":' * scale + b"1" + b"}" * scale,
        "a list never closed": b"[" * scale,
        "a number of many digits": b'{"caption": ' + b"9" * scale + b"}",
        "an exponent": b'{"caption": 1e99999999, "content_id": -1e99999999}',
        "not a number": b'{"caption": NaN, "content_id": Infinity}',
        "one key often": b"{" + b",".join(b'"a":1' for _ in range(scale)) + b"}",
        "many keys": b"{" + b",".join(b'"a%d":1' % n for n in range(scale)) + b"}",
        "escapes": b'{"caption": "' + b"\\u0041" * scale + b'"}',
        "lone surrogates": b'{"caption": "\\ud800", "content_id": "\\udfff", "network": "linkedin", "language": "en"}',
        "not UTF-8": b'{"caption": "\xff\xfe"}',
        "UTF-16": '{"caption": "x"}'.encode("utf-16"),
        "a byte order mark": b'\xef\xbb\xbf{"caption": 1}',
        "NUL": b'{"caption": "a\x00b"}',
    }


async def attack(target: Target) -> AsyncIterator[Attempt]:
    scale = 100_000 if target.long else 5_000
    editor, person = [await target.api.token(f"{who}@herald.example") for who in ("emma", "amina")]
    async with target.client(headers={"authorization": f"Bearer {editor}"}) as client:
        path = f"/api/content/v1/feeds/file?program_id={target.program_id}&language=en&category=sector_news"
        for name, data in feeds(scale).items():
            yield await _sent(target, client, f"feed: {name}", path, data, "application/xml", forbidden="root:")
    async with target.client(headers={"authorization": f"Bearer {person}"}) as client:
        for name, data in jsons(scale).items():
            yield await _sent(target, client, f"JSON: {name}", "/api/sharing/v1/drafts/check", data, "application/json")
        packed = {"content-encoding": "gzip", "content-type": "application/json"}
        answer = await client.post(
            "/api/sharing/v1/drafts/check", content=gzip.compress(b" " * 50 * MIB), headers=packed
        )
        yield expect("a packed request", 400 <= answer.status_code < 500, answer.status_code)
    async for attempt in _packed():
        yield attempt


async def _sent(
    target: Target, client: httpx.AsyncClient, name: str, path: str, data: bytes, kind: str, forbidden: str = "\x00"
) -> Attempt:
    """Held if it is answered in time without a failure and tells nothing of the machine, and others are served."""
    began = time.monotonic()
    sending = asyncio.ensure_future(client.post(path, content=data, headers={"content-type": kind}))
    await asyncio.sleep(0.02)
    async with target.client() as other:
        asked = time.monotonic()
        await other.get("/api/program/health/live")
        waited = time.monotonic() - asked
    answer = await sending
    took = time.monotonic() - began
    held = answer.status_code < 500 and took < SECONDS and waited < WAITING_SECONDS and forbidden not in answer.text
    return expect(name, held, f"{answer.status_code} in {took:.2f} s, others waited {waited:.2f} s")


async def _packed() -> AsyncIterator[Attempt]:
    """A server whose small answer unfolds to a gibibyte."""
    squeezer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(squeezer.compress(bytes(MIB)) for _ in range(200)) + squeezer.flush()
    bodies = {
        "gzip": bomb, "gzip, gzip": gzip.compress(bomb), "deflate": zlib.compress(bytes(MIB)), "br": b"x",
        "zstd": b"x", "identity": bytes(20 * MIB),
    }  # fmt: skip

    for encoding, body in bodies.items():

        async def answer(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, said: str = encoding, sent: bytes = body
        ) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(f"HTTP/1.1 200 OK\r\nContent-Encoding: {said}\r\nConnection: close\r\n\r\n".encode() + sent)
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            try:
                await GuardedFetch(allow=["127.0.0.1"]).get(url, max_bytes=5 * MIB, timeout=5)
                rule = "fetched"
            except FetchRefused as refusal:
                rule = refusal.rule
        yield expect(f"an answer packed as {encoding}", rule in ("too-large", "encoding", "timeout"), rule)
