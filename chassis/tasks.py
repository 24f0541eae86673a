"""Waiting that ends, and long work that lets others have their turn."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")
LOST_SECONDS = 1.0
TURN_SECONDS = 0.01


async def run_bounded(seconds: float, work: Awaitable[T]) -> T:
    """The result of `work`. Raises TimeoutError after so many seconds, whatever `work` makes of being cancelled.

    `asyncio.wait_for` would wait for the cancelled work to end; with a broker that is dead, some of aiokafka's never
    does.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait([task], timeout=seconds)
    finally:
        if not task.done():
            task.cancel()
            task.add_done_callback(_forget)
    if not task.done():
        raise TimeoutError
    return task.result()


async def run_until(stop: asyncio.Event, work: Awaitable[None]) -> None:
    """Run `work` to its end or until `stop`, when it is cancelled. Raises what it raises."""
    running, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
    finally:
        await cancel_and_wait(stopping)
        await cancel_and_wait(running)


async def yielding(items: Iterable[T]) -> AsyncIterator[T]:
    """The items, one by one. Whenever they and what is done with them took 10 ms, the event loop gets its turn."""
    until = time.perf_counter() + TURN_SECONDS
    for item in items:
        yield item
        if time.perf_counter() > until:
            await asyncio.sleep(0)
            until = time.perf_counter() + TURN_SECONDS


async def sleep_or_event(seconds: float, event: asyncio.Event) -> None:
    """So many seconds, or less where the event comes first."""
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)


async def cancel_and_wait(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait for its end, whatever that is.

    Once may not be enough: PyMongo loses some cancellations, and the loop around it would go on for ever.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=LOST_SECONDS)
    _forget(task)


def _forget(task: asyncio.Future[T]) -> None:
    if not task.cancelled():
        task.exception()
