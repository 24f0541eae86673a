"""More than there is room for: headers, addresses, bodies, fields."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

from tests.attack.attempt import Attempt, expect, refused
from tests.attack.target import Target

MIB = 1024 * 1024
SECONDS = 5.0


async def attack(target: Target) -> AsyncIterator[Attempt]:
    """Refused, quickly, by the status for it."""
    host = target.url.removeprefix("http://")
    start = f"GET /welcome HTTP/1.1\r\nHost: {host}\r\n".encode()
    big = 48 * MIB if target.long else 2 * MIB
    heads = {
        f"a header of {big} bytes": start + b"X: " + b"a" * big,
        "a header name of 64 KiB": start + b"a" * 65_536 + b": x\r\n\r\n",
        "100,000 headers": start + b"X: y\r\n" * 100_000 + b"\r\n",
        "a cookie of 100 KiB": start + b"Cookie: a=" + b"b" * 102_400 + b"\r\n\r\n",
        "an address of 1 MiB": b"GET /" + b"a" * MIB + b" HTTP/1.1\r\nHost: h\r\n\r\n",
        "a method of 64 KiB": b"A" * 65_536 + b" / HTTP/1.1\r\nHost: h\r\n\r\n",
    }
    for name, request in heads.items():
        began = time.monotonic()
        statuses = await target.raw(request, seconds=SECONDS)
        took = time.monotonic() - began
        held = all(400 <= one < 500 for one in statuses) and took < SECONDS
        yield expect(name, held, f"{statuses} in {took:.1f} s")
    async for attempt in _bodies(target):
        yield attempt
    yield await _alive(target)


async def _bodies(target: Target) -> AsyncIterator[Attempt]:
    feed = f"/api/content/v1/feeds/file?program_id={target.program_id}&language=en"
    marc = {"authorization": f"Bearer {await target.api.token('marc@herald.example')}"}
    async with target.client(headers=marc) as client:
        for who, name, path, size in (
            ("marc", "JSON of 2 MiB", "/api/program/v1/programs", 2 * MIB),
            ("marc", "names of 2 MiB", "/api/program/v1/people/names", 2 * MIB),
            ("emma", "a feed of 6 MiB", feed, 6 * MIB),
            ("marc", "people of 25 MiB", "/api/program/v1/imports", 25 * MIB),
            ("amina", "people of 25 MiB, by who may not send them", "/api/program/v1/imports", 25 * MIB),
        ):
            token = await target.api.token(f"{who}@herald.example")
            headers = {"content-type": "text/csv", "authorization": f"Bearer {token}"}
            wanted = 403 if who == "amina" else 413
            yield refused(name, await client.post(path, content=b"a" * size, headers=headers), wanted)
            chunked = await client.post(path, content=_chunks(size), headers=headers)
            yield refused(f"{name}, in chunks", chunked, wanted)
        caption = {"content_id": target.item_id, "network": "linkedin", "language": "en", "caption": "aé́ " * 47_500}
        began = time.monotonic()
        token = await target.api.token("amina@herald.example")
        answer = await client.post(
            "/api/sharing/v1/drafts/check", json=caption, headers={"authorization": f"Bearer {token}"}
        )
        took = time.monotonic() - began
        yield expect(
            "a caption of 190 KB", answer.status_code < 500 and took < SECONDS, f"{answer.status_code} in {took:.2f} s"
        )
        many = {"ids": [f"id-{number}" for number in range(50_000)]}
        yield refused("50,000 ids", await client.post("/api/program/v1/people/names", json=many), 413, 422)
        for limit in ("0", "-1", "1000000", "9" * 400, "1e9", "NaN"):
            yield refused(
                f"limit={limit[:10]}", await client.get("/api/program/v1/people", params={"limit": limit}), 422
            )
    async with target.hub("amina") as amina:
        csrf = await amina.csrf()
        fields = {f"field{number}": "x" for number in range(20_000)}
        for name, form in {"20,000 fields": fields, "a field of 2 MiB": {"x": "a" * 2 * MIB}}.items():
            answer = await amina.client.post("/me/privacy", data={"csrf": csrf, **form})
            yield expect(f"a form with {name}", answer.status_code < 500, answer.status_code)


async def _chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 65_536):
        yield b"a" * 65_536


async def _alive(target: Target) -> Attempt:
    async with target.client() as client:
        began = time.monotonic()
        answer = await client.get("/welcome")
        took = time.monotonic() - began
    return expect("others are served meanwhile", answer.status_code == 200 and took < SECONDS, f"{took:.2f} s")
