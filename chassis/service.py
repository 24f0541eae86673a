"""A service as its composition root builds it, and its life: open, work, end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from fastapi import APIRouter
from pymongo.errors import PyMongoError
from starlette.types import ASGIApp

from chassis.consumer import Consumer
from chassis.dead_letters.index import DeadLetterIndex, DeadLetterIndexer
from chassis.jobs import Job, keep_running
from chassis.outbox.blocked import BlockedLanes
from chassis.outbox.relay import Relay
from chassis.principals import PrincipalLookup
from chassis.runtime import Runtime
from chassis.tasks import sleep_or_event
from chassis.web import app as web
from chassis.web import idempotency

if TYPE_CHECKING:
    from chassis.consumer.loop import ConsumerLoop
    from chassis.web.protocol import BoundedHttpProtocol

logger = logging.getLogger(__name__)
Background = Callable[[asyncio.Event], Coroutine[Any, Any, None]]


class Role(Protocol):
    """A process of its own kind (sharing's links): an ASGI app with a life, and what speaks HTTP for it.

    Its end may take `last_seconds` more than the grace.
    """

    last_seconds: float

    @property
    def app(self) -> ASGIApp: ...

    @property
    def protocol(self) -> type[BoundedHttpProtocol]: ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


async def _nothing() -> None:
    return None


@dataclass
class Service:
    """One service: its routes, its consumer, its jobs, and what they are made of."""

    name: str
    runtime: Runtime
    description: str = ""
    router: APIRouter = field(default_factory=APIRouter)
    context: Any = None
    principals: PrincipalLookup | None = None
    consumer: Consumer | None = None
    jobs: Sequence[Job] = ()
    ensure_indexes: Callable[[], Awaitable[None]] = _nothing
    background: Mapping[str, Background] = field(default_factory=dict)
    max_body: Mapping[str, int] = field(default_factory=dict)
    roles: Mapping[str, Callable[[], Role]] = field(default_factory=dict)
    app: Callable[[], ASGIApp] | None = None

    def __post_init__(self) -> None:
        self._indexed = False
        self._relay: Relay | None = None
        self._loop: ConsumerLoop | None = None

    def asgi(self) -> ASGIApp:
        """The HTTP application of role `api`."""
        return self.app() if self.app is not None else web.create_app(self)

    async def prepare(self, stop: asyncio.Event) -> None:
        """Create the indexes, for as long as it takes MongoDB to be there."""
        while not stop.is_set():
            try:
                await self._ensure_indexes()
            except PyMongoError as error:
                logger.warning("%s waits for MongoDB: %s", self.name, type(error).__name__)
                await sleep_or_event(1, stop)
            else:
                self._indexed = True
                return

    async def _ensure_indexes(self) -> None:
        mongo = self.runtime.mongo
        await mongo.outbox.create_index("seq")
        await BlockedLanes(mongo.db).ensure_indexes()
        await idempotency.ensure_indexes(mongo)
        await DeadLetterIndex(self.name, mongo.db).ensure_indexes()
        await self.ensure_indexes()

    async def create_indexes(self) -> None:
        """Every index that the roles would create when they start, before one of them does. Raises PyMongoError."""
        await self._ensure_indexes()
        if self.consumer is not None:
            await self._consumer_loop(self.consumer).ensure_indexes()

    def _consumer_loop(self, consumer: Consumer) -> ConsumerLoop:
        if self._loop is None:
            # With FastStream: a tenth of the start of an API, which has no use for it.
            from chassis.consumer.loop import ConsumerLoop

            self._loop = ConsumerLoop(consumer, self.runtime)
        return self._loop

    async def serve_api(self, stop: asyncio.Event) -> None:
        """What role `api` does beside answering requests, until `stop`."""
        await self.prepare(stop)
        await self._together(self.background, stop)

    async def work(self, stop: asyncio.Event) -> None:
        """Role `worker`: consumer, relay and jobs, until `stop`; returns when all of them have ended."""
        await self.prepare(stop)
        if stop.is_set():
            return
        if self._relay is None:
            self._relay = Relay(self.runtime)
        running: dict[str, Background] = {"relay": self._relay.run}
        if self.consumer is not None:
            loop = self._consumer_loop(self.consumer)
            await loop.ensure_indexes()
            running["consumer"] = loop.run
            running["dead-letter index"] = DeadLetterIndexer(self.runtime).run
        running |= {f"job {job.name}": partial(keep_running, job, self.runtime) for job in self.jobs}
        await self._together(running, stop)

    async def _together(self, running: Mapping[str, Background], stop: asyncio.Event) -> None:
        """Keep all of these running until `stop`; returns when they have ended."""
        supervisor = self.runtime.supervisor
        tasks = [supervisor.start(name, partial(run, stop), stop) for name, run in running.items()]
        try:
            await stop.wait()
        finally:
            await supervisor.end(*tasks, within=self.runtime.settings.grace * 0.6 if stop.is_set() else 0.0)

    def stuck(self) -> list[str]:
        """Why this process should be replaced: no progress of its own making. Empty when it is fine."""
        reasons = self.runtime.supervisor.failing()
        if self._loop is not None and self._loop.stuck:
            reasons.append("the consumer makes no progress")
        return reasons

    async def unready(self) -> list[str]:
        """Why this process should get no work now. Empty when it is ready."""
        reasons = [] if self._indexed else ["starting"]
        try:
            await self.runtime.mongo.ping()
        except PyMongoError:
            reasons.append("MongoDB cannot be reached")
        if self._loop is not None and not self._loop.assigned:
            reasons.append("no partitions assigned yet")
        return reasons + self.stuck()
