"""What a service stands on."""

from __future__ import annotations

import asyncio
from functools import cached_property

from redis.asyncio import Redis

from chassis.clock import Clock, SystemClock
from chassis.fetch import GuardedFetch
from chassis.kafka.producer import Producer
from chassis.messages import CatalogueError, add_languages
from chassis.mongo import Mongo
from chassis.outbox.notifier import OutboxNotifier
from chassis.redis import connect
from chassis.settings import Settings, SettingsError
from chassis.supervisor import Supervisor
from chassis.telemetry.otel import Telemetry
from chassis.web.rate_limits import RateLimits
from chassis.web.tokens import Tokens


class Runtime:
    """What a service stands on, built from its settings; nothing is connected yet. Raises SettingsError."""

    def __init__(self, name: str, settings: Settings, *, clock: Clock | None = None) -> None:
        self.name = name
        self.settings = settings
        try:
            add_languages(settings.messages)
        except CatalogueError as error:
            raise SettingsError(f"HERALD_MESSAGES: {error}") from None
        self.clock: Clock = clock or SystemClock()
        self.telemetry = Telemetry(name, settings)
        self.supervisor = Supervisor(self.telemetry)
        self.mongo = Mongo(name, settings, self.clock, self.telemetry)
        self.outbox_notifier = OutboxNotifier(lambda: self.redis, settings, name)
        self.mongo.on_commit(self.outbox_notifier.notify)
        self.tokens = Tokens(settings)
        self.rate_limits = RateLimits(lambda: self.redis, settings, self.telemetry)
        self.fetch = GuardedFetch(allow=settings.fetch_allow, proxy=settings.fetch_proxy, tracer=self.telemetry.tracer)

    @cached_property
    def producer(self) -> Producer:
        return Producer(self.settings)

    @cached_property
    def dead_letter_producer(self) -> Producer:
        """Dead letters go their own way: where Kafka refuses them, events are not held up."""
        return Producer(self.settings)

    @cached_property
    def redis(self) -> Redis:
        return connect(self.settings, self.telemetry)

    async def close(self) -> None:
        """Let go of everything, within a few seconds whatever is dead."""
        await self.outbox_notifier.close()
        used = self.__dict__
        clients = [used[name].close() for name in ("producer", "dead_letter_producer") if name in used]
        if "redis" in used:
            clients.append(self.redis.aclose())
        clients += [self.mongo.close(), asyncio.to_thread(self.telemetry.close)]
        await asyncio.gather(*clients, return_exceptions=True)
