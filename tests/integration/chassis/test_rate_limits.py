"""Rates are counted for the whole installation, and in the process while Redis is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from chassis.runtime import Runtime
from chassis.settings import Settings
from chassis.web.problems import TooManyRequests
from chassis.web.rate_limits import RateLimits
from tests.integration.harness import Harness


@pytest.fixture
async def runtimes(harness: Harness) -> AsyncIterator[list[Runtime]]:
    """Two processes of one service."""
    made = [Runtime("content", harness.settings(Settings)) for _ in range(2)]
    yield made
    await asyncio.gather(*(one.close() for one in made))


def limits_of(runtime: Runtime) -> RateLimits:
    return RateLimits(lambda: runtime.redis, runtime.settings, runtime.telemetry)


async def test_processes_share_a_callers_rate(runtimes: list[Runtime]) -> None:
    one, other = map(limits_of, runtimes)
    left = [(await limits.hit("drafts", "3/hour", "ann")).remaining for limits in (one, other, one)]
    assert left == [2, 1, 0]
    with pytest.raises(TooManyRequests) as refused:
        await other.hit("drafts", "3/hour", "ann")
    headers = refused.value.headers
    assert headers is not None
    assert 0 < int(headers["Retry-After"]) <= 3600
    assert headers["RateLimit-Policy"] == '"drafts";q=3;w=3600'
    assert headers["RateLimit"].startswith('"drafts";r=0;t=')
    assert (await other.hit("drafts", "3/hour", "bob")).remaining == 2
    assert (await other.hit("uploads", "3/hour", "ann")).remaining == 2


async def test_without_redis_the_process_counts_by_itself(harness: Harness) -> None:
    runtime = Runtime("content", harness.settings(Settings, redis_url="redis://127.0.0.1:1/0"))
    limits = limits_of(runtime)
    try:
        assert [(await limits.hit("drafts", "2/hour", "ann")).remaining for _ in range(2)] == [1, 0]
        with pytest.raises(TooManyRequests):
            await limits.hit("drafts", "2/hour", "ann")
    finally:
        await runtime.close()


async def test_keys_leave_redis_by_themselves(runtimes: list[Runtime]) -> None:
    await limits_of(runtimes[0]).hit("drafts", "3/second", "ann")
    redis: Redis = runtimes[0].redis
    keys = [key async for key in redis.scan_iter(match=runtimes[0].settings.redis_key("limits") + "*")]
    assert keys
    assert all([await redis.pttl(key) > 0 for key in keys])
