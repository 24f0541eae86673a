"""Waiting that ends, whatever is waited for."""

from __future__ import annotations

import asyncio
import time

import pytest

from chassis.waiting import within


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
        await within(0.05, stubborn())
    assert time.monotonic() - began < 5
    over.set()


async def test_results_and_errors_come_through() -> None:
    async def answers() -> int:
        return 7

    async def fails() -> int:
        raise ValueError("no")

    assert await within(1, answers()) == 7
    with pytest.raises(ValueError, match="no"):
        await within(1, fails())


async def test_who_waits_can_be_cancelled_and_the_work_with_it() -> None:
    ended = asyncio.Event()

    async def works() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    waiting = asyncio.ensure_future(within(60, works()))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.wait_for(ended.wait(), 5)
