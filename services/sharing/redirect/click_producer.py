"""Clicks on their way to Kafka: many share one acknowledgement, and what Kafka does not take goes to disk.

A click is *kept* once Kafka acknowledged it or it is fsync'd in the spool; only then is its visitor sent on. While
Kafka is away clicks go straight to the spool; what is there is sent, oldest first, as soon as Kafka answers again.
What was sent but not acknowledged in time may come twice, with the same `ce_id`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from opentelemetry.metrics import CallbackOptions, Observation

from chassis.kafka.producer import Producer
from chassis.supervisor import Supervisor
from chassis.tasks import sleep_or_event
from chassis.telemetry.otel import Telemetry
from herald_contracts import Record
from services.sharing.redirect.drain import SEND_SECONDS, drain, entry_of
from services.sharing.redirect.spool import Spool, SpoolFull

logger = logging.getLogger(__name__)
PACE, FEW, PACE_OF_FEW = 0.0025, 8, 0.01
"""Seconds from one group to the next, or until then to one of few clicks: the more share an acknowledgement, the less
each costs, and a group costs about as much as ten clicks."""
RETRY_SECONDS = 1.0


class ClickProducer:
    """`put` is called by the redirect, `run` beside it. One event loop; one writer."""

    def __init__(
        self,
        producer: Producer,
        spool: Spool,
        telemetry: Telemetry,
        supervisor: Supervisor,
        *,
        timeout: float,
        last_seconds: float = 2.0,
    ) -> None:
        """`timeout`: seconds until Kafka has a click, or else the disk. `last_seconds`: how long what is on disk at the
        end is sent, as long as Kafka takes it."""
        self._supervisor = supervisor
        self._producer = producer
        self._spool = spool
        self._timeout = timeout
        self._last_seconds = last_seconds
        self._waiting: list[Record] = []
        self._then: list[Callable[[], None]] = []
        self._some = asyncio.Event()
        self._enough = asyncio.Event()
        self._ending = asyncio.Event()
        self._over = False
        self._keeping_last: asyncio.Future[None] | None = None
        self._answers = True
        self._counts = {"kafka": 0, "spool": 0, "lost": 0, "drained": 0}
        self._instruments(telemetry)

    def _instruments(self, telemetry: Telemetry) -> None:
        telemetry.meter.create_observable_counter(
            "herald.links.clicks",
            callbacks=[lambda _: [Observation(count, {"kept": where}) for where, count in self._counts.items()]],
            description="Clicks by where they were kept; lost: neither Kafka nor the disk took them",
        )
        telemetry.meter.create_observable_gauge(
            "herald.links.spool.size", callbacks=[self._depth], unit="By", description="Clicks waiting on disk"
        )
        telemetry.meter.create_observable_gauge(
            "herald.links.spool.limit",
            callbacks=[lambda _: [Observation(self._spool.max_bytes)]],
            unit="By",
            description="Bytes that clicks waiting on disk may take",
        )

    def _depth(self, _: CallbackOptions) -> list[Observation]:
        return [Observation(self._spool.size())]

    @property
    def waiting(self) -> int:
        """Clicks that are not kept yet."""
        return len(self._waiting)

    def put(self, record: Record, then: Callable[[], None]) -> None:
        """Have `then` called when the click is kept, or (counted as lost) cannot be; also after the end of `run`."""
        if not self._waiting:
            self._some.set()
        self._waiting.append(record)
        self._then.append(then)
        if len(self._waiting) == FEW:
            self._enough.set()
        if self._over and (self._keeping_last is None or self._keeping_last.done()):
            self._keeping_last = asyncio.ensure_future(self._keep_last())

    async def run(self, stop: asyncio.Event) -> None:
        """Keep clicks until `stop`, and then those that still wait. What comes later, by connections that were open
        already, goes to disk."""
        writer = self._supervisor.start("click writer", self._write, self._ending)
        drainer = self._supervisor.start("click spool", partial(self._drain, stop), stop)
        try:
            await stop.wait()
            await drainer.end(within=SEND_SECONDS)
            self._ending.set()
            self._some.set()
            self._enough.set()
            await writer.end(within=SEND_SECONDS)
            self._over, self._answers = True, False
            await self._keep_last()
            await self._drain_at_last()
        finally:
            await drainer.end()
            await writer.end()
        await asyncio.to_thread(self._spool.close)
        await self._producer.close()

    # --- the way of a group ----------------------------------------------------------------------------------

    async def _write(self) -> None:
        while self._waiting or not self._ending.is_set():
            await self._some.wait()
            began = time.monotonic()
            self._some.clear()
            self._enough.clear()
            await self._keep_waiting()
            if not self._ending.is_set():
                await self._gather(began)

    async def _keep_last(self) -> None:
        while self._waiting:
            await self._keep_waiting()

    async def _keep_waiting(self) -> None:
        group, self._waiting = self._waiting, []
        kept, self._then = self._then, []
        try:
            if group:
                await self._keep(group)
        except asyncio.CancelledError:
            # Not kept yet: nobody is sent on, and the next run of this task has them first.
            self._waiting, self._then = [*group, *self._waiting], [*kept, *self._then]
            self._some.set()
            raise
        except Exception:
            logger.exception("%d clicks could not be kept", len(group))
            self._counts["lost"] += len(group)
        _answer_visitors(kept)

    async def _gather(self, began: float) -> None:
        """Let the next group come together, so long after the last `began` (`time.monotonic`)."""
        taken = time.monotonic() - began
        if taken < PACE:
            await asyncio.sleep(PACE - taken)
        if not self._enough.is_set() and taken < PACE_OF_FEW:
            await sleep_or_event(PACE_OF_FEW - max(taken, PACE), self._enough)

    async def _keep(self, group: Sequence[Record]) -> None:
        if self._answers:
            if await self._sent(group):
                self._counts["kafka"] += len(group)
                return
            self._answers = False
            logger.warning("Kafka does not answer: clicks go to the spool")
        try:
            await asyncio.to_thread(self._spool.append, [entry_of(record) for record in group])
        except (OSError, SpoolFull) as error:
            self._counts["lost"] += len(group)
            logger.error("%d clicks are lost: the spool fails (%s)", len(group), type(error).__name__)
        else:
            self._counts["spool"] += len(group)

    async def _sent(self, group: Sequence[Record]) -> bool:
        try:
            return all(await self._producer.send(group, timeout=self._timeout))
        except Exception:
            logger.exception("a group of clicks could not be sent")
            return False

    # --- the way back ----------------------------------------------------------------------------------------

    async def _drain(self, stop: asyncio.Event) -> None:
        """Send what is on disk, as soon as Kafka answers; also what earlier processes left there."""
        while not stop.is_set():
            try:
                if self._spool.size():
                    self._answers = await self._drained(stop)
                elif not self._answers:
                    self._answers = await self._producer.reachable(SEND_SECONDS)
            except OSError as error:
                logger.error("the spool cannot be read: %s", type(error).__name__)
            await sleep_or_event(RETRY_SECONDS, stop)

    async def _drain_at_last(self) -> None:
        """Send what is on disk: nobody may mount it again for long (a pod scaled away)."""
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(self._last_seconds):
                if self._spool.size():
                    await self._drained(asyncio.Event())

    async def _drained(self, stop: asyncio.Event) -> bool:
        """Hand on every segment that is free; False as soon as Kafka does not take one."""
        return await drain(self._spool, self._producer, stop, self._count_drained)

    def _count_drained(self, clicks: int) -> None:
        self._counts["drained"] += clicks


def _answer_visitors(kept: Sequence[Callable[[], None]]) -> None:
    for then in kept:
        try:
            then()
        except Exception:
            logger.exception("a visitor could not be answered")
