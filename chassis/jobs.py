"""Scheduled work of a service, done by one process at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from pymongo.errors import PyMongoError

from chassis.mongo.leases import Lease, LeaseLost
from chassis.tasks import sleep_or_event
from chassis.telemetry.otel import Telemetry, extract

if TYPE_CHECKING:
    from chassis.runtime import Runtime

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class JobContext:
    """What a run is given: `lease.transact` for writes that must not happen once another took over."""

    lease: Lease
    stop: asyncio.Event

    @property
    def may_go_on(self) -> bool:
        return self.lease.held and not self.stop.is_set()


@dataclass(frozen=True, slots=True)
class Job:
    """`run` is called every `every`, by the one process that holds the job's lease."""

    name: str
    every: timedelta
    run: Callable[[JobContext], Awaitable[None]]


async def keep_running(job: Job, runtime: Runtime, stop: asyncio.Event) -> None:
    """Run a job on its schedule until `stop`. A run that fails is logged and comes again."""
    lease = Lease(runtime.mongo, runtime.supervisor, f"job:{job.name}", seconds=15)
    try:
        while not stop.is_set():
            try:
                if await lease.acquire():
                    async with lease.kept():
                        await _on_schedule(job, lease, runtime.telemetry, stop)
            except PyMongoError as error:
                logger.warning("job %s was interrupted: %s", job.name, type(error).__name__)
            await sleep_or_event(lease.seconds / 3, stop)
    finally:
        await lease.release()


async def _on_schedule(job: Job, lease: Lease, telemetry: Telemetry, stop: asyncio.Event) -> None:
    context = JobContext(lease, stop)
    while context.may_go_on:
        with telemetry.tracer.start_as_current_span(f"job {job.name}", context=extract(None)):
            try:
                await job.run(context)
            except (PyMongoError, LeaseLost) as error:
                logger.warning("job %s was interrupted: %s", job.name, type(error).__name__)
            except Exception:
                logger.exception("job %s failed", job.name)
        await sleep_or_event(job.every.total_seconds(), stop)
