"""The background work of a worker on real servers: whichever task ends, it comes back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from chassis.consumer import Consumer, Received, on
from chassis.jobs import Job, JobContext
from chassis.mongo import Transaction
from chassis.runtime import Runtime
from chassis.service import Service
from chassis.settings import Settings
from herald_contracts import Event, ProgramCreated
from tests.bounds import bound
from tests.integration.harness import PARTITIONS, Harness, eventually

TASKS = {
    "relay",
    "outbox listener",
    "outbox stop",
    "outbox retries",
    "lease relay",
    "consumer",
    "consumer pauses",
    "consumer topics",
    "dead-letter index",
    "lease dead-letter-index",
    "job tick",
    "lease job:tick",
}


class Worker:
    """A service that counts the events it gets and the runs of its job."""

    def __init__(self, settings: Settings) -> None:
        self.applied: list[str] = []
        self.ticks = 0
        self.service = Service(
            name="gamification",
            runtime=Runtime("gamification", settings),
            consumer=Consumer(None, [on(ProgramCreated, do=self._apply)]),
            jobs=[Job("tick", timedelta(milliseconds=50), self._tick)],
        )

    async def counts(self) -> tuple[int, int]:
        """Events applied and runs of the job."""
        return len(self.applied), self.ticks

    async def _apply(self, _: None, tx: Transaction, batch: Sequence[Received[ProgramCreated]]) -> None:
        self.applied += [event.subject for event in batch]

    async def _tick(self, _: JobContext) -> None:
        self.ticks += 1


def created(id: str) -> ProgramCreated:
    return ProgramCreated(program_id=id, name="P", time_zone="UTC", languages=["fr"], occurred_at=datetime.now(UTC))


def run_of(name: str) -> asyncio.Task[None]:
    [task] = [one for one in asyncio.all_tasks() if one.get_name() == name]
    return task


def is_cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()


def fails(task: asyncio.Task[None]) -> None:
    """What the task waits for gives an exception that nobody foresaw."""
    waits_for = task._fut_waiter  # type: ignore[attr-defined]
    while isinstance(waits_for, asyncio.Task):
        waits_for = waits_for._fut_waiter  # type: ignore[attr-defined]
    if waits_for is None or waits_for.done():
        task.cancel()
    else:
        waits_for.set_exception(RuntimeError("unforeseen"))


@pytest.mark.parametrize("ends", [is_cancelled, fails])
async def test_each_background_task_is_ended_in_turn_and_comes_back(
    harness: Harness, ends: Callable[[asyncio.Task[None]], None]
) -> None:
    worker = Worker(harness.settings(Settings))
    supervisor = worker.service.runtime.supervisor

    async def names() -> set[str]:
        return {task.get_name() for task in asyncio.all_tasks()} & TASKS

    async with harness.worker(worker.service) as service:
        await eventually(names, until=lambda found: found == TASKS)
        assert set(supervisor.names) == TASKS
        for number, name in enumerate(sorted(TASKS)):
            task = run_of(name)
            ends(task)
            await eventually(_done(task))
            await eventually(names, until=lambda found: found == TASKS)
            ticks = worker.ticks
            await harness.publish(created(f"p{number}"))
            await eventually(worker.counts, until=partial(_both_moved, number + 1, ticks))
        assert service.stuck() == []
    assert sorted(worker.applied) == sorted(f"p{number}" for number in range(len(TASKS)))
    assert supervisor.names == []


async def test_a_worker_that_is_told_to_end_does_so_at_once(harness: Harness) -> None:
    """None of its tasks waits to be cancelled, as it would be towards the end of the grace."""
    worker = Worker(harness.settings(Settings, grace=100.0))
    async with harness.worker(worker.service):
        await eventually(_true(lambda: {task.get_name() for task in asyncio.all_tasks()} >= TASKS))
        told = time.monotonic()
    assert time.monotonic() - told < bound(15)


def _both_moved(applied: int, ticks: int, found: tuple[int, int]) -> bool:
    return found[0] >= applied and found[1] > ticks


def _done(task: asyncio.Task[None]) -> Callable[[], Awaitable[bool]]:
    return _true(task.done)


def _true(condition: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def found() -> bool:
        return condition()

    return found


async def test_a_batch_in_hand_whose_task_is_cancelled_is_applied_all_the_same(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No later record comes that would show the gap."""
    worker = Worker(harness.settings(Settings))
    begun = asyncio.Event()
    held: list[asyncio.Task[None]] = []
    assert worker.service.consumer is not None
    apply = worker.service.consumer.apply

    async def hangs_once(tx: Transaction, batch: Sequence[Received[Event]]) -> None:
        if not held:
            begun.set()
            await asyncio.sleep(60)
        await apply(tx, batch)

    monkeypatch.setattr(worker.service.consumer, "apply", hangs_once)
    async with harness.worker(worker.service) as service:
        await harness.publish(created("p1"))
        await asyncio.wait_for(begun.wait(), 60)
        held.append(service._loop._applying)  # type: ignore[union-attr, arg-type]
        held[0].cancel()
        await eventually(_true(lambda: worker.applied == ["p1"]))


async def test_a_member_without_partitions_is_ready_once_the_group_has_agreed(harness: Harness) -> None:
    workers = [Worker(harness.settings(Settings)) for _ in range(PARTITIONS + 1)]
    first, *others = (worker.service for worker in workers)
    async with harness.worker(first):
        assert await first.unready() == []
        stop = asyncio.Event()
        running = [asyncio.ensure_future(one.work(stop)) for one in others]
        try:
            for one in others:
                await eventually(one.unready, until=lambda reasons: not reasons)
        finally:
            stop.set()
            await asyncio.gather(*running)


async def test_a_subscription_that_was_only_asked_for_is_not_ready(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The group never comes to an agreement: nobody has partitions."""
    from aiokafka.consumer.group_coordinator import GroupCoordinator

    async def never(*_: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(GroupCoordinator, "_on_join_complete", never)
    worker = Worker(harness.settings(Settings))
    await harness.create_topics([*worker.service.consumer.topics, "herald.recognition"])  # type: ignore[union-attr]
    stop = asyncio.Event()
    running = asyncio.ensure_future(worker.service.work(stop))
    try:
        subscribed = _true(lambda: bool(_client(worker) and _client(worker).subscription()))
        await eventually(subscribed)
        assert await worker.service.unready() == ["no partitions assigned yet"]
    finally:
        stop.set()
        await running


def _client(worker: Worker) -> Any:
    loop = worker.service._loop
    return loop and loop._subscription.client
