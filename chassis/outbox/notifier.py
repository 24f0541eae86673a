"""A Redis message wakes the relay early when another process of the service commits. Nothing depends on it.

A message that is lost, because Redis is away or nobody listens yet, costs the time until the relay looks by itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextvars import Context

from opentelemetry.instrumentation.utils import suppress_instrumentation
from redis.asyncio import Redis
from redis.exceptions import RedisError

from chassis.settings import Settings
from chassis.tasks import cancel_and_wait

logger = logging.getLogger(__name__)
PACE = 0.02
"""Seconds between two messages of a process. One message stands for all commits since the last one."""
LISTEN_SECONDS = 5.0
AWAY_SECONDS = 2.0


class OutboxNotifier:
    """`notify` where the outbox was written, `listen` where it is published."""

    def __init__(self, redis: Callable[[], Redis], settings: Settings, service: str) -> None:
        self._redis = redis
        self._channel = settings.redis_key(service, "outbox")
        self._unannounced = False
        self._publishing: asyncio.Task[None] | None = None
        self._wake: Callable[[], None] | None = None
        self._publishes_here: Callable[[], bool] = lambda: False

    def notify(self) -> None:
        """Announce new rows. Returns at once; sends nothing where this process runs the relay itself.

        To be called on the event loop. Redis being away is no error.
        """
        if self._wake is not None:
            self._wake()
        self._unannounced = not self._publishes_here()
        if self._unannounced and (self._publishing is None or self._publishing.done()):
            # Outside of the request's trace.
            self._publishing = asyncio.get_running_loop().create_task(self._publish(), context=Context())

    async def _publish(self) -> None:
        with suppress_instrumentation():
            while self._unannounced:
                self._unannounced = False
                try:
                    await self._redis().publish(self._channel, "")
                except RedisError as error:
                    logger.debug("the relay was not woken: %s", type(error).__name__)
                    await asyncio.sleep(AWAY_SECONDS)
                await asyncio.sleep(PACE)

    async def listen(self, wake: Callable[[], None], publishes_here: Callable[[], bool]) -> None:
        """Call `wake` at each message, until cancelled. `publishes_here` says whether this process publishes."""
        self._wake, self._publishes_here = wake, publishes_here
        with suppress_instrumentation():
            while True:
                try:
                    async with self._redis().pubsub(ignore_subscribe_messages=True) as subscription:
                        await subscription.subscribe(self._channel)
                        wake()
                        while True:
                            if await subscription.get_message(timeout=LISTEN_SECONDS) is not None:
                                wake()
                except RedisError as error:
                    logger.debug("the relay only polls for a while: %s", type(error).__name__)
                await asyncio.sleep(AWAY_SECONDS)

    async def close(self) -> None:
        if self._publishing is not None:
            await cancel_and_wait(self._publishing)
