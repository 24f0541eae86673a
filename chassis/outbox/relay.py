"""The relay: what transactions left in the outbox goes to Kafka, in order, and is then deleted.

A row that is there is pending; there is no other status. Rows are read in the order of `seq`, from one snapshot,
so that a later event of an aggregate is never seen without the earlier one.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.trace import Link, SpanKind, StatusCode
from pymongo.errors import PyMongoError

from chassis.failpoints import failpoint
from chassis.mongo import Document, Transaction
from chassis.mongo.leases import Lease
from chassis.tasks import sleep_or_event
from chassis.telemetry.otel import extract, recorded
from chassis.web.problems import Overloaded
from herald_contracts import Record

if TYPE_CHECKING:
    from chassis.runtime import Runtime

logger = logging.getLogger(__name__)
BATCH = 1000
PACE = 0.03
"""Seconds between two batches when events come fast: the more go together, the less each costs."""
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
        oldest = self._oldest
        return [Observation((datetime.now(UTC) - oldest).total_seconds() if oldest else 0.0)]

    async def ensure_indexes(self) -> None:
        await self._mongo.outbox.create_index("seq")

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
                        await self._turn(stop)
                    except (PyMongoError, Overloaded) as error:
                        logger.warning("the outbox cannot be read: %s", str(error)[:200])
                        await sleep_or_event(1, stop)
        finally:
            await self._lease.release()

    async def _listen(self) -> None:
        await self._notifier.listen(self._wake.set, lambda: self._lease.held)

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._wake.set()

    async def _turn(self, stop: asyncio.Event) -> None:
        if not await self._lease.acquire():
            self._oldest = None
            await sleep_or_event(self._lease.seconds / 4, stop)
            return
        async with self._lease.kept():
            while not stop.is_set():
                self._wake.clear()
                rows = await self._pending()
                if not self._lease.held:  # after reading: this process may have stood still meanwhile
                    break
                self._oldest = rows[0]["at"] if rows else None
                if not rows:
                    await sleep_or_event(POLL_SECONDS, self._wake)
                elif not await self._publish(rows):
                    await sleep_or_event(0.5, stop)
                elif len(rows) < BATCH:
                    await asyncio.sleep(PACE)

    async def _pending(self) -> list[Document]:
        async with self._mongo.client.start_session(snapshot=True) as session:
            cursor = self._mongo.outbox.find({}, session=session, sort=[("seq", 1)], limit=BATCH)
            return await cursor.to_list()

    async def _publish(self, rows: list[Document]) -> bool:
        """Send the rows and delete those that Kafka confirmed; False if some were not."""
        with self._tracer.start_as_current_span("publish outbox", context=extract(None)) as own:
            own.set_attribute("messaging.batch.message_count", len(rows))
            records = [_record(row) for row in rows]
            spans = [self._span(row, own) for row in rows]
            confirmed = await self._producer.send(records)
            for span, sent in zip(spans, confirmed, strict=True):
                if span is None:
                    continue
                if not sent:
                    span.set_status(StatusCode.ERROR, "not confirmed")
                span.end()
            failpoint("relay.after-ack")
            done = [row["_id"] for row, sent in zip(rows, confirmed, strict=True) if sent]
            if done:
                await self._forget(done)
                self._published.add(len(done))
            return len(done) == len(rows)

    async def _forget(self, ids: list[str]) -> None:
        """Many go in a transaction: each deleted by itself is an entry of the oplog that every change stream reads."""

        async def work(tx: Transaction | None) -> None:
            session = tx.session if tx is not None else None
            await self._mongo.outbox.delete_many({"_id": {"$in": ids}}, session=session)

        await (self._mongo.transact(work) if len(ids) >= MANY else work(None))

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


def _record(row: Document) -> Record:
    return Record(row["topic"], row["key"], row["value"], list(row["headers"].items()))
