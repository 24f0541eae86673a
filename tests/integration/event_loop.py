"""How long a service keeps its event loop: no step of it may take more than `LONGEST_STEP`, whatever is asked.

A step is what the loop runs between two moments in which others get their turn. Its CPU time is measured; beside other
tests on the same cores that grows too, by what they do to the caches. `make event-loop` measures alone and sends every
worst body to every route; beside other tests a step may take four times as long, and each route gets one of the bodies.
"""

from __future__ import annotations

import asyncio
import gc
import math
import os
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import httpx
import orjson
import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from chassis.service import Service

T = TypeVar("T")
ALONE: Final = os.environ.get("HERALD_EVENT_LOOP") == "alone"
LONGEST_STEP: Final = 0.05 if ALONE else 0.2
ATTEMPTS: Final = 3


class Steps:
    """The longest step so far (s), and what ran in it."""

    def __init__(self) -> None:
        self.longest = 0.0
        self.what = ""

    def note(self, seconds: float, handle: asyncio.Handle) -> None:
        if seconds > self.longest:
            self.longest, self.what = seconds, repr(handle)


@asynccontextmanager
async def measured() -> AsyncIterator[Steps]:
    """The steps of this event loop while the block runs. The collector of garbage is not the service's doing here."""
    steps, loop = Steps(), asyncio.get_running_loop()
    run = asyncio.Handle._run

    def timed(handle: asyncio.Handle) -> None:
        began = time.thread_time()
        run(handle)
        if handle._loop is loop:  # type: ignore[attr-defined]
            steps.note(time.thread_time() - began, handle)

    await asyncio.sleep(0)
    gc.disable()
    asyncio.Handle._run = timed  # type: ignore[method-assign, assignment]
    try:
        yield steps
    finally:
        asyncio.Handle._run = run  # type: ignore[method-assign]
        gc.enable()


async def quick(client: httpx.AsyncClient, method: str, path: str, **request: Any) -> httpx.Response:
    """The answer to a request. Fails if a step took too long in each of `ATTEMPTS`, as on a busy machine it may in one,
    or if the answer is a failure of the service."""
    first: httpx.Response | None = None
    longest, what = math.inf, ""
    for _ in range(ATTEMPTS):
        prepared = client.build_request(method, path, **request)
        async with measured() as steps:
            answer = await client.send(prepared)
        assert answer.status_code < 500, answer.text[:500]
        first = first or answer
        longest, what = min((longest, what), (steps.longest, steps.what))
        if longest <= LONGEST_STEP:
            return first
    assert first is not None
    raise AssertionError(f"{method} {path} ({first.status_code}): {longest * 1000:.0f} ms in one step: {what}")


async def quick_work(work: Callable[[int], Awaitable[T]]) -> T:
    """What `work` gives, which is told the number of the attempt. Fails as `quick` does."""
    longest, what = math.inf, ""
    for number in range(ATTEMPTS):
        async with measured() as steps:
            found = await work(number)
        longest, what = min((longest, what), (steps.longest, steps.what))
        if longest <= LONGEST_STEP:
            return found
    raise AssertionError(f"{longest * 1000:.0f} ms in one step: {what}")


def routes_with_bodies(service: Service) -> list[tuple[str, str, APIRoute]]:
    """Method, path and route."""
    return [
        (min(context.methods or ()), str(context.path_format), route)
        for context in iter_route_contexts(service.router.routes)
        if isinstance(route := context.original_route, APIRoute) and route.body_field is not None
    ]


def worst_bodies(route: APIRoute) -> Iterator[bytes]:
    """What costs a door most: a great many members, lists, levels, and letters that nobody sees."""
    assert route.body_field is not None
    model: Any = route.body_field.field_info.annotation
    fields: Sequence[str] = list(getattr(model, "model_fields", {})) or ["x"]
    yield orjson.dumps({f"x{number}": 0 for number in range(80_000)})
    yield orjson.dumps({f"x{number}": 0 for number in range(11_900)})
    yield b"[" * 500_000
    worst: Any
    for worst in (["\u200b"] * 150_000, [{}] * 300_000, "\u200b" * 300_000, "\ufdfa" * 300_000):
        yield orjson.dumps(dict.fromkeys(fields[:1], worst))
        if len(fields) > 1:
            yield orjson.dumps({name: worst[: 300_000 // len(fields)] for name in fields})


async def check_doors(service: Service, client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    """Every route that takes a body is quick about the worst of them."""
    found = routes_with_bodies(service)
    assert found
    slow: list[str] = []
    said = {**headers, "content-type": "application/json"}
    for number, (method, pattern, route) in enumerate(found):
        path = re.sub(r"{\w+}", "x", pattern)
        bodies = list(worst_bodies(route))
        for body in bodies if ALONE else [bodies[number % len(bodies)]]:
            try:
                answer = await quick(client, method, path, content=body, headers=said)
            except AssertionError as error:
                slow.append(f"{error} for {body[:40]!r}")
            else:
                assert 400 <= answer.status_code < 500, f"{method} {path} {answer.status_code} {body[:40]!r}"
    if slow:
        pytest.fail("\n".join(slow))
