"""Waiting that ends, whatever is waited for."""

from __future__ import annotations

import asyncio
import contextlib
import time
from types import SimpleNamespace
from typing import Any

import pytest

from chassis.mongo.leases import Lease
from chassis.supervisor import Supervisor
from chassis.tasks import cancel_and_wait, run_bounded, run_until
from tests.bounds import bound


async def test_what_will_not_be_cancelled_is_left_behind() -> None:
    over = asyncio.Event()

    async def stubborn() -> None:
        while not over.is_set():
            try:
                await over.wait()
            except asyncio.CancelledError:
                continue

    began = time.monotonic()
    with pytest.raises(TimeoutError):
        await run_bounded(0.05, stubborn())
    assert time.monotonic() - began < bound(5)
    over.set()


async def test_results_and_errors_come_through() -> None:
    async def answers() -> int:
        return 7

    async def fails() -> int:
        raise ValueError("no")

    assert await run_bounded(1, answers()) == 7
    with pytest.raises(ValueError, match="no"):
        await run_bounded(1, fails())


async def test_who_waits_can_be_cancelled_and_the_work_with_it() -> None:
    ended = asyncio.Event()

    async def works() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    waiting = asyncio.ensure_future(run_bounded(60, works()))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.wait_for(ended.wait(), 60)


async def test_a_task_that_loses_its_cancellation_is_cancelled_again() -> None:
    lost = 0

    async def loses_one() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if lost:
                    raise
                lost += 1

    task = asyncio.ensure_future(loses_one())
    await asyncio.sleep(0)
    await asyncio.wait_for(cancel_and_wait(task), 60)
    assert lost == 1


async def test_a_lease_is_let_go_although_its_renewal_loses_the_cancellation() -> None:
    class Deaf(Lease):
        renewing = asyncio.Event()

        async def acquire(self) -> bool:
            if not self.renewing.is_set():
                self.renewing.set()
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.sleep(60)
            return True

    mongo: Any = SimpleNamespace(db={"leases": None})
    lease = Deaf(mongo, Supervisor(), "relay", seconds=0.03)

    async def work() -> None:
        async with lease.kept():
            await lease.renewing.wait()

    await asyncio.wait_for(work(), 60)


async def test_work_goes_on_until_it_ends_or_is_told_to() -> None:
    stop = asyncio.Event()
    ended: list[str] = []

    async def long() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("long")

    async def fails() -> None:
        raise ValueError("no")

    await run_until(stop, asyncio.sleep(0))
    with pytest.raises(ValueError, match="no"):
        await run_until(stop, fails())
    asyncio.get_running_loop().call_later(0.01, stop.set)
    await run_until(stop, long())
    assert ended == ["long"]
    outer = asyncio.ensure_future(run_until(asyncio.Event(), long()))
    await asyncio.sleep(0.01)
    await cancel_and_wait(outer)
    assert ended == ["long", "long"]
