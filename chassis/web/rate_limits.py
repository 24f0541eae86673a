"""How often one caller may ask: counted on Redis for the whole installation, in this process while Redis is away.

A limit belongs to a person or a machine client, or to an address where nobody has signed in. The answer carries
`RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10); beyond the limit it is 429 with
`Retry-After`.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import RateLimiter, SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from redis.asyncio import Redis

from chassis.settings import Settings
from chassis.telemetry.otel import Telemetry
from chassis.web.problems import TooManyRequests

logger = logging.getLogger(__name__)
AWAY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a caller stands with one limit: what is left of it, and in how many seconds it is whole again."""

    name: str
    limit: int
    window: int
    remaining: int
    reset: int

    @property
    def headers(self) -> dict[str, str]:
        return {
            "RateLimit-Policy": f'"{self.name}";q={self.limit};w={self.window}',
            "RateLimit": f'"{self.name}";r={self.remaining};t={self.reset}',
        }


class RateLimits:
    """The limits of one service. `redis` is called when a limit is first counted there."""

    def __init__(self, redis: Callable[[], Redis], settings: Settings, telemetry: Telemetry) -> None:
        self._redis = redis
        self._settings = settings
        self._shared: RateLimiter | None = None
        self._local: RateLimiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._away_until = 0.0
        self._refused = telemetry.counter(
            "herald.http.rate_limited", "Requests answered 429, by limit", limit="general"
        )

    async def hit(self, name: str, rate: str, caller: str) -> Standing:
        """Count one request of `caller` on Redis. Raises TooManyRequests beyond the rate."""
        item = parse(rate)
        if time.monotonic() >= self._away_until:
            try:
                return await self._count(self._limiter(), name, item, caller)
            except StorageError as error:
                logger.warning("rates are counted in this process: %s", type(error.storage_error).__name__)
                self._away_until = time.monotonic() + AWAY_SECONDS
        return await self._count(self._local, name, item, caller)

    async def hit_locally(self, name: str, rate: str, caller: str) -> Standing:
        """Count one request of `caller` in this process: what protects the process itself costs no other server."""
        return await self._count(self._local, name, parse(rate), caller)

    def _limiter(self) -> RateLimiter:
        if self._shared is None:
            storage = RedisStorage(
                "redis://",  # the pool below knows where it is
                wrap_exceptions=True,
                implementation="redispy",
                key_prefix=self._settings.redis_key("limits"),
                connection_pool=self._redis().connection_pool,  # type: ignore[arg-type]
            )
            self._shared = SlidingWindowCounterRateLimiter(storage)
        return self._shared

    async def _count(self, limiter: RateLimiter, name: str, item: RateLimitItem, caller: str) -> Standing:
        taken = await limiter.hit(item, name, caller)
        stats = await limiter.get_window_stats(item, name, caller)
        reset = max(1, math.ceil(stats.reset_time - time.time()))
        standing = Standing(name, item.amount, item.get_expiry(), stats.remaining if taken else 0, reset)
        if not taken:
            self._refused.add(1, {"limit": name})
            raise TooManyRequests(
                f"At most {item.amount} in {item.get_expiry()} s; try again in {reset} s.",
                headers={"Retry-After": str(reset), **standing.headers},
                limit=name,
            )
        return standing
