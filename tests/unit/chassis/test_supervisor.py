"""Background work is kept running, whatever ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pymongo.errors import ServerSelectionTimeoutError

from chassis import supervisor as module
from chassis.supervisor import Supervisor


class Restarts:
    """A telemetry that only counts."""

    def __init__(self) -> None:
        self.counted: list[str] = []

    def counter(self, *_: str, **__: str) -> Any:
        return SimpleNamespace(add=lambda _, labels: self.counted.append(labels["task"]))


@pytest.fixture
def restarts() -> Restarts:
    return Restarts()


@pytest.fixture
def supervisor(restarts: Restarts, monkeypatch: pytest.MonkeyPatch) -> Supervisor:
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 0.002)
    return Supervisor(cast(Any, restarts))


class Work:
    """Runs until it is made to end in a certain way; each run is counted."""

    def __init__(self) -> None:
        self.runs = 0
        self.begun = asyncio.Event()
        self.end: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def __call__(self) -> None:
        self.runs += 1
        self.task = asyncio.current_task()
        self.end = asyncio.get_running_loop().create_future()
        self.begun.set()
        await self.end

    async def again(self) -> None:
        """Returns once it runs anew."""
        self.begun.clear()
        await asyncio.wait_for(self.begun.wait(), 60)


def fails(work: Work) -> None:
    work.end.set_exception(RuntimeError("unforeseen"))


def is_cancelled(work: Work) -> None:
    assert work.task is not None
    work.task.cancel()


def returns(work: Work) -> None:
    work.end.set_result(None)


@pytest.mark.parametrize("ends", [fails, is_cancelled, returns])
async def test_what_ends_too_early_is_started_again(
    supervisor: Supervisor, restarts: Restarts, ends: Callable[[Work], None]
) -> None:
    work = Work()
    task = supervisor.start("work", work, asyncio.Event())
    await asyncio.wait_for(work.begun.wait(), 60)
    for expected in (2, 3):
        ends(work)
        await work.again()
        assert work.runs == expected
    await task.end()
    assert restarts.counted == ["work", "work"]
    assert supervisor.names == []


async def test_what_was_told_to_stop_ends_for_good(supervisor: Supervisor, restarts: Restarts) -> None:
    stop = asyncio.Event()
    runs = []

    async def work() -> None:
        runs.append(1)
        await stop.wait()

    task = supervisor.start("work", work, stop)
    await asyncio.sleep(0)
    stop.set()
    await asyncio.wait_for(task.end(within=600), 60)
    assert (len(runs), restarts.counted) == (1, [])


async def test_what_runs_beside_a_body_ends_with_it(supervisor: Supervisor, restarts: Restarts) -> None:
    work = Work()
    async with supervisor.beside("work", work):
        await asyncio.wait_for(work.begun.wait(), 60)
        assert supervisor.names == ["work"]
    assert work.end.cancelled()
    assert (supervisor.names, restarts.counted) == ([], [])


async def test_a_stop_during_the_pause_is_heard(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 60)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 60)
    work = Work()
    task = supervisor.start("work", work)
    await asyncio.wait_for(work.begun.wait(), 60)
    fails(work)
    await asyncio.sleep(0)
    await asyncio.wait_for(task.end(within=600), 60)
    assert work.runs == 1


async def test_what_cannot_be_kept_running_makes_the_process_not_alive(supervisor: Supervisor) -> None:
    async def broken() -> None:
        raise RuntimeError("always")

    task = supervisor.start("broken", broken)
    async with asyncio.timeout(60):
        while not supervisor.failing():
            await asyncio.sleep(0.001)
    assert supervisor.failing() == ["broken does not keep running"]
    await task.end()
    assert supervisor.failing() == []


async def test_a_task_that_recovers_makes_it_alive_again(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STABLE_SECONDS", 0.05)
    sound = asyncio.Event()

    async def work() -> None:
        if not sound.is_set():
            raise RuntimeError("for a while")
        await asyncio.Event().wait()

    task = supervisor.start("work", work)
    async with asyncio.timeout(60):
        while not supervisor.failing():
            await asyncio.sleep(0.001)
        sound.set()
        while supervisor.failing():
            await asyncio.sleep(0.001)
    await task.end()


async def test_what_is_away_does_not_make_the_process_not_alive(supervisor: Supervisor, restarts: Restarts) -> None:
    async def away() -> None:
        raise ServerSelectionTimeoutError("no servers")

    task = supervisor.start("away", away)
    async with asyncio.timeout(60):
        while len(restarts.counted) <= 2 * module.TOO_OFTEN:
            await asyncio.sleep(0.001)
    assert supervisor.failing() == []
    await task.end()
