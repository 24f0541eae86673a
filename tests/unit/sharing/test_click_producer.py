"""Clicks that share an acknowledgement."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chassis.supervisor import Supervisor
from chassis.telemetry.otel import Telemetry
from herald_contracts import Record
from services.sharing.redirect.click_producer import FEW, ClickProducer
from services.sharing.redirect.spool import Spool


class Broker:
    """Takes everything, a group at a time; `takes=False`: nothing."""

    def __init__(self, *, takes: bool) -> None:
        self.takes = takes
        self.groups: list[int] = []

    async def send(self, records: Sequence[Record], *, timeout: float) -> list[bool]:
        self.groups.append(len(records))
        return [self.takes] * len(records)

    async def reachable(self, timeout: float) -> bool:
        return self.takes

    async def close(self) -> None:
        return None


def click_log(broker: Any, spool: Spool | Path) -> ClickProducer:
    settings: Any = SimpleNamespace(trace_ratio=0.0, otlp_endpoint=None, spans_file=None)
    spool = Spool(spool, max_bytes=2**20) if isinstance(spool, Path) else spool
    return ClickProducer(broker, spool, Telemetry("t", settings), Supervisor(), timeout=1)


@pytest.mark.parametrize("takes", [True, False])
async def test_each_is_told_when_it_is_kept_whatever_becomes_of_the_others(tmp_path: Path, takes: bool) -> None:
    broker = Broker(takes=takes)
    log = click_log(broker, tmp_path)
    stop, told, last = asyncio.Event(), list[int](), asyncio.Event()

    def gone() -> None:
        told.append(1)
        raise ConnectionResetError

    running = asyncio.ensure_future(log.run(stop))
    for then in (lambda: told.append(0), gone, lambda: told.append(2), last.set):
        log.put(Record("herald.clicks", b"k", b"{}", []), then)
    assert log.waiting == 4
    await asyncio.wait_for(last.wait(), 60)
    assert told == [0, 1, 2]
    assert broker.groups[0] == 4  # what is on disk may have been tried again since
    assert log.waiting == 0
    stop.set()
    await asyncio.wait_for(running, 60)
    spooled = [entry for segment in Spool(tmp_path, max_bytes=2**20).take() for entry in segment.entries]
    assert len(spooled) == (0 if takes else 4)


async def test_few_wait_for_others_but_no_longer_than_it_takes_them_to_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.sharing.redirect.click_producer.PACE_OF_FEW", 60)
    broker = Broker(takes=True)
    log = click_log(broker, tmp_path)
    stop, first, last = asyncio.Event(), asyncio.Event(), asyncio.Event()
    running = asyncio.ensure_future(log.run(stop))
    log.put(Record("herald.clicks", b"k", b"{}", []), first.set)
    await asyncio.wait_for(first.wait(), 60)
    for _ in range(FEW - 1):
        log.put(Record("herald.clicks", b"k", b"{}", []), lambda: None)
        await asyncio.sleep(0)
    log.put(Record("herald.clicks", b"k", b"{}", []), last.set)
    await asyncio.wait_for(last.wait(), 60)
    assert broker.groups == [1, FEW]
    stop.set()
    await asyncio.wait_for(running, 60)


async def test_what_waits_at_the_end_is_kept(tmp_path: Path) -> None:
    broker = Broker(takes=True)
    log = click_log(broker, tmp_path)
    stop, kept = asyncio.Event(), asyncio.Event()
    log.put(Record("herald.clicks", b"k", b"{}", []), kept.set)
    stop.set()
    await asyncio.wait_for(log.run(stop), 60)
    assert kept.is_set()


async def test_what_is_on_disk_at_the_end_is_sent_if_kafka_takes_it_by_then(tmp_path: Path) -> None:
    broker = Broker(takes=False)
    log = click_log(broker, tmp_path)
    stop, kept = asyncio.Event(), asyncio.Event()
    running = asyncio.ensure_future(log.run(stop))
    log.put(Record("herald.clicks", b"k", b"{}", []), kept.set)
    await asyncio.wait_for(kept.wait(), 60)
    spool = Spool(tmp_path, max_bytes=2**20)
    assert spool.size()
    broker.takes = True
    stop.set()
    await asyncio.wait_for(running, 60)
    assert spool.size() == 0


def run_of(name: str) -> asyncio.Task[None]:
    [task] = [one for one in asyncio.all_tasks() if one.get_name() == name]
    return task


@pytest.mark.parametrize("name", ["click writer", "click spool", "clicks"])
async def test_whichever_task_ends_every_click_is_kept_before_its_visitor_is_sent_on(tmp_path: Path, name: str) -> None:
    taken: list[Record] = []
    begun, go_on = asyncio.Event(), asyncio.Event()

    class Slow(Broker):
        async def send(self, records: Sequence[Record], *, timeout: float) -> list[bool]:
            begun.set()
            await go_on.wait()
            taken.extend(records)
            return [True] * len(records)

    log = click_log(Slow(takes=True), tmp_path)
    stop, told = asyncio.Event(), list[int]()
    supervisor = Supervisor()
    running = supervisor.start("clicks", lambda: log.run(stop), stop)
    await asyncio.sleep(0)
    log.put(Record("herald.clicks", b"k", b"1", []), lambda: told.append(1))
    await asyncio.wait_for(begun.wait(), 60)
    ended = run_of(name)
    ended.cancel()
    await asyncio.wait([ended], timeout=60)
    assert told == []
    go_on.set()
    log.put(Record("herald.clicks", b"k", b"2", []), lambda: told.append(2))
    async with asyncio.timeout(60):
        while told != [1, 2]:
            await asyncio.sleep(0.01)
    assert [one.value for one in taken] == [b"1", b"2"]
    async with asyncio.timeout(60):
        while not {"click writer", "click spool", "clicks"} <= {task.get_name() for task in asyncio.all_tasks()}:
            await asyncio.sleep(0.01)
    stop.set()
    await running.end(within=5)


async def test_a_segment_whose_draining_is_cancelled_is_drained_by_the_next_run(tmp_path: Path) -> None:
    broker = Broker(takes=False)
    log = click_log(broker, tmp_path)
    stop, kept = asyncio.Event(), asyncio.Event()
    hanging, hung = asyncio.Event(), asyncio.Event()
    running = asyncio.ensure_future(log.run(stop))
    log.put(Record("herald.clicks", b"k", b"{}", []), kept.set)
    await asyncio.wait_for(kept.wait(), 60)
    refuse = broker.send

    async def hang(records: Sequence[Record], *, timeout: float) -> list[bool]:
        hung.set()
        await hanging.wait()
        return await refuse(records, timeout=timeout)

    assert any(tmp_path.glob("*.spool"))
    broker.send = hang  # type: ignore[method-assign]
    await asyncio.wait_for(hung.wait(), 60)
    run_of("click spool").cancel()
    broker.takes = True
    hanging.set()
    async with asyncio.timeout(60):
        while any(tmp_path.glob("*.spool")):
            await asyncio.sleep(0.01)
    stop.set()
    await asyncio.wait_for(running, 60)


async def test_who_comes_after_the_end_is_sent_on_and_the_click_is_on_disk(tmp_path: Path) -> None:
    broker = Broker(takes=True)
    spool = Spool(tmp_path, max_bytes=2**20)
    log = click_log(broker, spool)
    stop = asyncio.Event()
    stop.set()
    await asyncio.wait_for(log.run(stop), 60)
    for _ in range(2):
        kept = asyncio.Event()
        log.put(Record("herald.clicks", b"k", b"{}", []), kept.set)
        await asyncio.wait_for(kept.wait(), 60)
    assert (log.waiting, broker.groups) == (0, [])
    assert sum(len(segment.entries) for segment in spool.take()) == 2
