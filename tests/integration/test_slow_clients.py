"""A thousand clients that send little, slowly or nothing cost a hundred honest ones next to nothing, in every process
that listens.

In `make test` it is told by the CPU time of the process, which other tests beside it do not change. How long the honest
wait is measured with HERALD_SLOW_CLIENTS=all (`make attack`, alone on the machine), of the hub, too, and of all APIs
behind one address."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.integration.harness import Harness
from tests.integration.process import process_of
from tests.slow_clients import Target, measure, within

MOST = 1.5
CODE = "abcd1234"
EVERYWHERE = os.environ.get("HERALD_SLOW_CLIENTS") == "all"
MOST_CORES = 0.15 if EVERYWHERE else 0.5
"""Beside other tests a second of this process does less."""

PROCESSES = [
    ("content", "api", "/v1/items", 200),
    ("sharing", "links", f"/l/{CODE}", 302),
    *([("hub", "api", "/welcome", 200), ("all", "api", "/api/content/v1/items", 200)] if EVERYWHERE else []),
]


@pytest.mark.parametrize(("service", "role", "path", "status"), PROCESSES)
async def test_slow_clients_cost_honest_ones_nothing(
    harness: Harness, tmp_path: Path, service: str, role: str, path: str, status: int
) -> None:
    await harness.know("content", "ada", "editor")
    await harness.create_topics(["herald.clicks"])
    async with Redis.from_url(harness.infra.redis_url) as redis:
        await redis.set(f"{harness.namespace}:sharing:link:{CODE}", "https://example.com/", ex=600)
    variables = {
        "HERALD_HTTP_HEADER_SECONDS": "5",
        "HERALD_HTTP_BODY_GAP_SECONDS": "5",
        "HERALD_RATE_GENERAL": "10000/second",  # the honest ones share one token
    }
    async with process_of(harness, tmp_path, service, role, **variables) as running:
        headers = harness.bearer("ada") if "items" in path else {}
        target = Target("127.0.0.1", running.port, path, status, headers, running.pid)
        if EVERYWHERE:
            waits = await within(MOST, partial(measure, target, rounds=2, seconds=3.0))
        else:
            waits = await measure(target, rounds=1, seconds=3.0)
    print(f"{service} {role}: {waits}")
    assert waits.connected > 500
    assert waits.cores <= MOST_CORES, str(waits)
    assert waits.ratio <= MOST or not EVERYWHERE, str(waits)
