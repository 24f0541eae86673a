"""Clicks on a disk that no links process has any more, sent to a real Kafka."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest
from redis.asyncio import Redis
from typer.testing import CliRunner, Result

from herald.cli.links import app
from herald_contracts import Record
from services.sharing.redirect.drain import entry_of
from services.sharing.redirect.spool import Spool
from tests.bounds import bound
from tests.integration.harness import Harness
from tests.integration.process import process_of


def fill(folder: Path, clicks: int, *, segment_bytes: int = 2_000) -> list[bytes]:
    """Leave so many clicks in several segments, as a process that was killed does; returns their ids."""
    spool = Spool(folder, max_bytes=2**30, segment_bytes=segment_bytes)
    ids = [f"id-{number}".encode() for number in range(clicks)]
    for start in range(0, clicks, 500):
        some = [Record("herald.clicks", b"code", b'{"n":1}', [("ce_id", id)]) for id in ids[start : start + 500]]
        spool.append([entry_of(record) for record in some])
    spool.close()
    return ids


async def drained(spool: Path, *options: str) -> Result:
    """What `herald links drain` says: a command has an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, app, ["drain", "--spool", str(spool), *options])


async def test_what_a_process_left_is_sent_once_and_then_nothing_is_left(
    harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HERALD_KAFKA_BOOTSTRAP", harness.infra.kafka_bootstrap)
    monkeypatch.setenv("HERALD_NAMESPACE", harness.namespace)
    await harness.create_topics(["herald.clicks"])
    ids = fill(tmp_path, 1_200)
    torn = sorted(tmp_path.iterdir())[-1]
    with torn.open("ab") as file:
        file.write(b"\0\0\1")
    for sent in (1_200, 0):
        said = await drained(tmp_path)
        assert (said.exit_code, f"{sent} clicks sent" in said.output) == (0, True), said.output
    assert list(tmp_path.iterdir()) == []
    found = [dict(record.headers)["ce_id"] for record in await harness.records("herald.clicks")]
    assert sorted(found) == sorted(ids)


async def test_what_kafka_does_not_take_stays_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERALD_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    fill(tmp_path, 3)
    said = await drained(tmp_path, "--within", "0")
    assert (said.exit_code, "are left in" in said.output) == (1, True), said.output
    assert [len(list(segment.entries)) for segment in Spool(tmp_path, max_bytes=0).take()] == [3]


async def test_a_process_that_ends_sends_what_is_on_its_disk_beyond_its_grace(harness: Harness, tmp_path: Path) -> None:
    """Its grace is too short for all; it takes as long as it may beyond it, and no longer than it needs."""
    clicks = 20_000
    await harness.create_topics(["herald.clicks"])
    async with process_of(harness, tmp_path, "sharing", "links", HERALD_GRACE="1", HERALD_SPOOL_GRACE="20"):
        fill(tmp_path / "spool", clicks, segment_bytes=2**20)
    assert Spool(tmp_path / "spool", max_bytes=0).size() == 0
    assert len(await harness.records("herald.clicks")) == clicks


async def test_who_comes_while_a_process_ends_is_sent_on(harness: Harness, tmp_path: Path) -> None:
    """By connections that were open already, as those of a load balancer are: until they are closed."""
    await harness.create_topics(["herald.clicks"])
    async with Redis.from_url(harness.infra.redis_url) as redis:
        await redis.set(f"{harness.namespace}:sharing:link:abcd1234", "https://example.com/", ex=600)
    answers: list[bytes] = []
    slowest = 0.0

    async def visit(port: int) -> None:
        nonlocal slowest
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        began = time.monotonic()
        try:
            while True:
                writer.write(b"GET /l/abcd1234 HTTP/1.1\r\nHost: links\r\n\r\n")
                answers.append(await reader.readuntil(b"\r\n\r\n"))
                slowest = max(slowest, time.monotonic() - began)
                await asyncio.sleep(0.03)  # so that there are moments without a click
                began = time.monotonic()
        except (asyncio.IncompleteReadError, ConnectionError):
            slowest = max(slowest, time.monotonic() - began)
        writer.close()

    async with process_of(harness, tmp_path, "sharing", "links") as running:
        visitors = [asyncio.ensure_future(visit(running.port)) for _ in range(10)]
        while len(answers) < 100:
            await asyncio.sleep(0.01)
        os.kill(running.pid, signal.SIGTERM)
        await asyncio.wait(visitors, timeout=60)
    assert [one.exception() for one in visitors if one.done()] == [None] * 10
    assert {one.partition(b"\r\n")[0] for one in answers} == {b"HTTP/1.1 302 Found"}
    assert slowest < bound(4)
    spool = Spool(tmp_path / "spool", max_bytes=0)
    left = sum(len(segment.entries) for segment in spool.take())
    assert len(await harness.records("herald.clicks")) + left >= len(answers)
