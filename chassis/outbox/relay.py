"""The relay: what transactions left in the outbox goes to Kafka, in order, and is then deleted.

A row that is there is pending; there is no other status. Rows are read in the order of `seq`, from one snapshot,
so that a later event of an aggregate is never seen without the earlier one. What Kafka does not take stops the events
of its own topic and key only (`stopped.py`).
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.trace import Link, SpanKind, StatusCode
from pymongo.errors import PyMongoError

from chassis.failpoints import failpoint
from chassis.mongo import Document, Transaction
from chassis.mongo.leases import Lease, LeaseLost
from chassis.outbox.blocked import BlockedLanes
from chassis.outbox.stopped import StoppedLanes, record_of
from chassis.tasks import sleep_or_event
from chassis.telemetry.otel import extract, recorded
from chassis.web.problems import Overloaded

if TYPE_CHECKING:
    from chassis.runtime import Runtime

logger = logging.getLogger(__name__)
BATCH = 1000
PACE = 0.03
"""Seconds between two batches when many events come: larger batches cost less per event."""
MANY = 100
POLL_SECONDS = 1.0
TRACE = ("traceparent", "tracestate")


class Relay:
    """Publishes a service's outbox. Any number may run; the one with the lease works."""

    def __init__(self, runtime: Runtime) -> None:
        self._mongo = runtime.mongo
        self._producer = runtime.producer
        self._notifier = runtime.outbox_notifier
        self._supervisor = runtime.supervisor
        telemetry = runtime.telemetry
        self._tracer = telemetry.tracer
        self._lease = Lease(runtime.mongo, runtime.supervisor, "relay", seconds=10)
        self._stopped = StoppedLanes(runtime, self._lease, self._forget)
        self._wake = asyncio.Event()
        self._oldest: datetime | None = None
        self._published = telemetry.meter.create_counter(
            "herald.outbox.published", description="Events confirmed by Kafka"
        )
        telemetry.meter.create_observable_gauge(
            "herald.outbox.oldest.age",
            callbacks=[self._age],
            unit="s",
            description="Age of the oldest event that Kafka has not confirmed",
        )

    def _age(self, _: CallbackOptions) -> list[Observation]:
        oldest = min(filter(None, (self._oldest, self._stopped.oldest)), default=None)
        return [Observation((datetime.now(UTC) - oldest).total_seconds() if oldest else 0.0)]

    async def ensure_indexes(self) -> None:
        await self._mongo.outbox.create_index("seq")
        await BlockedLanes(self._mongo.db).ensure_indexes()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; what MongoDB or Kafka does not take is tried again."""
        beside = self._supervisor.beside
        try:
            async with (
                beside("outbox listener", self._listen),
                beside("outbox stop", partial(self._wake_at, stop), stop),
            ):
                while not stop.is_set():
                    try:
                        await self._publish_while_leased(stop)
                    except (PyMongoError, Overloaded, LeaseLost) as error:
                        logger.warning("the outbox cannot be read: %s", type(error).__name__)
                        await sleep_or_event(1, stop)
        finally:
            await self._lease.release()
            await self._stopped.close()

    async def _listen(self) -> None:
        await self._notifier.listen(self._wake.set, lambda: self._lease.held)

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._wake.set()

    async def _publish_while_leased(self, stop: asyncio.Event) -> None:
        if not await self._lease.acquire():
            self._oldest = None
            await sleep_or_event(self._lease.seconds / 4, stop)
            return
        async with self._lease.kept():
            await self._stopped.begin()
            async with self._supervisor.beside("outbox retries", partial(self._stopped.run, stop), stop):
                while not stop.is_set():
                    self._wake.clear()
                    rows = await self._pending()
                    if not self._lease.held:  # after reading: this process may have been stopped meanwhile
                        break
                    self._oldest = rows[0]["at"] if rows else None
                    if not rows:
                        await sleep_or_event(POLL_SECONDS, self._wake)
                    elif not await self._publish(await self._stopped.set_aside_blocked(rows)):
                        await sleep_or_event(0.5, stop)
                    elif len(rows) < BATCH:
                        await asyncio.sleep(PACE)

    async def _pending(self) -> list[Document]:
        """The first rows of the lanes that move."""
        async with self._mongo.client.start_session(snapshot=True) as session:
            cursor = self._mongo.outbox.find(self._stopped.query(), session=session, sort=[("seq", 1)], limit=BATCH)
            return await cursor.to_list()

    async def _publish(self, rows: list[Document]) -> bool:
        """Send the rows, delete those that Kafka confirmed and stop the lanes of the others; False if Kafka is away."""
        if not rows:
            return True
        with self._tracer.start_as_current_span("publish outbox", context=extract(None)) as own:
            own.set_attribute("messaging.batch.message_count", len(rows))
            records = [record_of(row) for row in rows]
            spans = [self._span(row, own) for row in rows]
            outcomes = await self._producer.attempt(records)
            for span, error in zip(spans, outcomes, strict=True):
                if span is None:
                    continue
                if error is not None:
                    span.set_attribute("error.type", type(error).__name__)
                    span.set_status(StatusCode.ERROR)
                span.end()
            failpoint("relay.after-ack")
            await self._forget([row for row, error in zip(rows, outcomes, strict=True) if error is None])
        failed = [(row, error) for row, error in zip(rows, outcomes, strict=True) if error is not None]
        if len(failed) == len(rows) and not self._stopped.were_refused(failed):
            return False
        if failed:
            await self._stopped.stop(failed)
        return True

    async def _forget(self, rows: Sequence[Document]) -> None:
        """Delete what Kafka confirmed.

        Many go in a transaction: each deleted by itself is an entry of the oplog that every change stream reads.
        """
        if not rows:
            return
        ids = [row["_id"] for row in rows]

        async def work(tx: Transaction | None) -> None:
            session = tx.session if tx is not None else None
            await self._mongo.outbox.delete_many({"_id": {"$in": ids}}, session=session)

        await (self._mongo.transact(work) if len(ids) >= MANY else work(None))
        for event_type, count in Counter(row["headers"]["ce_type"].decode() for row in rows).items():
            self._published.add(count, {"event_type": event_type})

    def _span(self, row: Document, own: trace.Span) -> trace.Span | None:
        """The event's own span, where its trace is recorded."""
        headers: dict[str, bytes] = row["headers"]
        traceparent, tracestate = (headers[name].decode() if name in headers else None for name in TRACE)
        if not recorded(traceparent):
            return None
        parent = extract(traceparent, tracestate)
        return self._tracer.start_span(
            f"send {row['topic']}",
            context=parent,
            kind=SpanKind.PRODUCER,
            links=[Link(own.get_span_context())],
            attributes={
                "messaging.system": "kafka",
                "messaging.operation.name": "send",
                "messaging.operation.type": "send",
                "messaging.destination.name": row["topic"],
                "messaging.message.id": row["_id"],
                "cloudevents.event_type": headers["ce_type"].decode(),
            },
        )
