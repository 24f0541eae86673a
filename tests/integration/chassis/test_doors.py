"""A real process, and clients that send little, slowly or nothing: they hold no place of it."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx

from tests.integration.harness import Harness
from tests.integration.process import Running, process_of

PLACES = 8
HEADER_SECONDS = 2


def content_api(harness: Harness, folder: Path) -> AbstractAsyncContextManager[Running]:
    """A process of content's API with few places."""
    return process_of(
        harness,
        folder,
        "content",
        "api",
        HERALD_MAX_CONCURRENCY=str(PLACES),
        HERALD_HTTP_HEADER_SECONDS=str(HEADER_SECONDS),
        HERALD_HTTP_BODY_GAP_SECONDS=str(HEADER_SECONDS),
    )


async def send(port: int, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    await writer.drain()
    return reader, writer


def request(token: str = "", *, length: int = 100) -> bytes:
    bearer = f"authorization: Bearer {token}\r\n" if token else ""
    return (
        f"POST /v1/items HTTP/1.1\r\nhost: h\r\n{bearer}content-type: application/json\r\n"
        f"content-length: {length}\r\n\r\n{{"
    ).encode()


async def test_those_who_wait_hold_no_place(harness: Harness, tmp_path: Path) -> None:
    await harness.know("content", "ada", "editor")
    token, unknown = (harness.bearer(name)["Authorization"].removeprefix("Bearer ") for name in ("ada", "nobody"))
    async with content_api(harness, tmp_path) as running, asyncio.TaskGroup() as group:
        waiting = [
            group.create_task(send(running.port, data))
            for data in [
                b"",
                b"POST /v1/items HTTP/1.1\r\nhost: h\r\nx",
                request(),
                request("nonsense"),
                request(unknown),
                request(token),
            ]
            for _ in range(2 * PLACES)
        ]
        opened = await asyncio.gather(*waiting)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.port}", trust_env=False) as client:
            for _ in range(3 * PLACES):
                answer = await client.get("/v1/items", headers=harness.bearer("nobody"))
                assert answer.status_code == 403, "known as a stranger, not turned away at the door"
        async with asyncio.timeout(HEADER_SECONDS + 10):
            answers = await asyncio.gather(*(reader.read() for reader, _ in opened))
        silent, unfinished, unsigned, forged, refused, slow = (
            {answer[9:12] for answer in answers[start : start + 2 * PLACES]}
            for start in range(0, len(answers), 2 * PLACES)
        )
        assert silent == {b""}
        assert unfinished == {b"408"}
        assert unsigned == forged == {b"401"}
        assert refused == {b"403"}
        assert slow == {b"408"}


async def test_endless_headers_cost_nothing(harness: Harness, tmp_path: Path) -> None:
    async with content_api(harness, tmp_path) as running:
        reader, writer = await send(running.port, b"GET /v1/items HTTP/1.1\r\nhost: h\r\nx: ")
        sent = 0
        try:
            async with asyncio.timeout(60):
                while not reader.at_eof() and sent < 48 * 1024 * 1024:
                    writer.write(b"a" * 65536)
                    await writer.drain()
                    sent += 65536
        except ConnectionError:
            pass
        assert sent < 16 * 1024 * 1024


async def answers(port: int, *requests: bytes) -> list[tuple[int, bytes]]:
    """Statuses and bodies of requests that follow each other on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found = []
    try:
        async with asyncio.timeout(60):
            for one in requests:
                writer.write(one)
                await writer.drain()
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
                lengths = [line.partition(":")[2] for line in head if line.startswith("content-length:")]
                found.append((int(head[0].split()[1]), await reader.readexactly(int(lengths[0]))))
    finally:
        writer.close()
    return found


async def test_refusals_on_a_real_socket(harness: Harness, tmp_path: Path) -> None:
    """Who one is comes before what one sends, a body in chunks is measured too, and an error ends no connection."""
    await harness.know("content", "ada", "editor")
    token, unknown = (harness.bearer(name)["Authorization"] for name in ("ada", "nobody"))

    def post(body: bytes, *headers: str) -> bytes:
        lines = ["POST /v1/items HTTP/1.1", "host: h", "content-type: application/json", *headers, "", ""]
        return "\r\n".join(lines).encode() + body

    def get(path: str, *headers: str) -> bytes:
        return "\r\n".join([f"GET {path} HTTP/1.1", "host: h", *headers, "", ""]).encode()

    signed, of_a_stranger = f"authorization: {token}", f"authorization: {unknown}"
    chunks = (b"10000\r\n" + b" " * 0x10000 + b"\r\n") * 17 + b"0\r\n\r\n"
    async with content_api(harness, tmp_path) as running:
        malformed = post(b"{", "content-length: 1")
        [(anonymous, _)] = await answers(running.port, malformed)
        [(stranger, _)] = await answers(running.port, post(b"{", "content-length: 1", of_a_stranger))
        [(known, _)] = await answers(running.port, post(b"{", "content-length: 1", signed))
        assert (anonymous, stranger, known) == (401, 403, 400)
        [(large, said)] = await answers(running.port, post(chunks, "transfer-encoding: chunked", signed))
        assert (large, b"body-too-large" in said) == (413, True)
        kept = await answers(
            running.port,
            get("/nowhere"),
            get("/v1/items"),
            malformed,
            get("/v1/items", of_a_stranger),
            get("/health/ready"),
        )
        assert [status for status, _ in kept] == [404, 401, 401, 403, 200]
