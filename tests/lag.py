"""`python -m tests.lag`: how late others have their turn while a long body is read in a thread, for each route's worst.

Wall time on a quiet machine: the thread shares the interpreter with the event loop. No server is needed.
"""

from __future__ import annotations

import asyncio
import time
from importlib import import_module
from types import SimpleNamespace
from typing import Any, cast

from chassis.service import Service
from chassis.web.http import MAX_MEMBERS, MAX_VALUES
from chassis.web.json_bodies import _parsed, _validator
from tests.integration.event_loop import routes_with_bodies, worst_bodies

SERVICES = ("content", "gamification", "metrics", "program", "sharing")
ATTEMPTS = 3
SHOWN = 5


async def lateness(body: bytes, validate: Any) -> float:
    """Seconds by which a turn of the loop came late."""
    longest, reading = 0.0, asyncio.ensure_future(asyncio.to_thread(read, body, validate))
    while not reading.done():
        began = time.perf_counter()
        await asyncio.sleep(0.001)
        longest = max(longest, time.perf_counter() - began - 0.001)
    await reading
    return longest


def read(body: bytes, validate: Any) -> None:
    try:
        value = _parsed(body)
    except ValueError:
        return
    validate(value, body)


async def main() -> None:
    found: list[tuple[float, str]] = []
    for name in SERVICES:
        service = SimpleNamespace(router=import_module(f"services.{name}.api").router)
        for method, path, route in routes_with_bodies(cast("Service", service)):
            validate = _validator(route)
            for body in worst_bodies(route):
                if body.count(b":") <= MAX_MEMBERS and body.count(b",") <= MAX_VALUES:
                    longest = min([await lateness(body, validate) for _ in range(ATTEMPTS)])
                    found.append((longest, f"{name}: {method} {path}, {len(body)} bytes of {body[:24]!r}"))
    for seconds, what in sorted(found, reverse=True)[:SHOWN]:
        print(f"{seconds * 1000:5.0f} ms  {what}")


if __name__ == "__main__":
    asyncio.run(main())
