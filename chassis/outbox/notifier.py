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
        self._rung = False
        self._ringing: asyncio.Task[None] | None = None
        self._wake: Callable[[], None] | None = None
        self._at_home: Callable[[], bool] = lambda: False

    def notify(self) -> None:
        """Announce new rows. Returns at once; sends nothing where this process runs the relay itself.

        To be called on the event loop. Redis being away is no error.
        """
        if self._wake is not None:
            self._wake()
        self._rung = not self._at_home()
        if self._rung and (self._ringing is None or self._ringing.done()):
            # Outside of the request's trace.
            self._ringing = asyncio.get_running_loop().create_task(self._say(), context=Context())

    async def _say(self) -> None:
        with suppress_instrumentation():
            while self._rung:
                self._rung = False
                try:
                    await self._redis().publish(self._channel, "")
                except RedisError as error:
                    logger.debug("the relay was not woken: %s", type(error).__name__)
                    await asyncio.sleep(AWAY_SECONDS)
                await asyncio.sleep(PACE)

    async def listen(self, wake: Callable[[], None], at_home: Callable[[], bool]) -> None:
        """Call `wake` at each message, until cancelled. `at_home` says whether this process publishes."""
        self._wake, self._at_home = wake, at_home
        with suppress_instrumentation():
            while True:
                try:
                    async with self._redis().pubsub(ignore_subscribe_messages=True) as words:
                        await words.subscribe(self._channel)
                        wake()
                        while True:
                            if await words.get_message(timeout=LISTEN_SECONDS) is not None:
                                wake()
                except RedisError as error:
                    logger.debug("the relay only polls for a while: %s", type(error).__name__)
                await asyncio.sleep(AWAY_SECONDS)

    async def close(self) -> None:
        if self._ringing is not None:
            await cancel_and_wait(self._ringing)
