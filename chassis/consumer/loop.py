"""The one consumer loop: at-least-once delivery, exactly-once effect, one bad record never in its neighbours' way.

A batch that Kafka hands over is decoded, what cannot be decoded is dead-lettered, and the rest goes to the
service's handler in one MongoDB transaction with the offsets and the inbox. Only then are the offsets committed
to Kafka. The stored offset of each partition advances only forward, which also fences a consumer that lost its
partition and does not know. A batch that fails is tried event by event; the event that keeps failing is
dead-lettered and the others go on.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, KafkaTimeoutError
from opentelemetry.metrics import CallbackOptions, Observation
from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure

from chassis.consumer.batch_decoder import Batch, BatchDecoder
from chassis.consumer.declaration import INBOX, Consumer, InvalidEvent, Retry
from chassis.consumer.decoder import Received
from chassis.consumer.offset_store import (
    INBOX_DAYS,
    Fenced,
    OffsetMismatch,
    OffsetStore,
    Records,
    ends,
    in_place,
    places,
)
from chassis.consumer.subscription import Subscription
from chassis.dead_letters.writer import DeadLetterWriter
from chassis.failpoints import failpoint
from chassis.kafka.producer import Unacknowledged
from chassis.mongo import Document, Transaction, duplicate, unreachable
from chassis.runtime import Runtime
from chassis.tasks import cancel_and_wait, run_bounded, sleep_or_event
from chassis.web.problems import Overloaded
from herald_contracts import Event, Undecodable

logger = logging.getLogger(__name__)
T = TypeVar("T")
RETRIES = 5
STEP_SECONDS = 40.0  # longer than a transaction may collide (10 s) and a socket be silent (20 s)
COMMIT_SECONDS = 5.0
LOOK_SECONDS = 5.0
CHECK_SECONDS = 1.0
LATENCIES_A_BATCH = 50


class ConsumerEnded(Exception):
    """A task of the consumer has ended although nobody asked for it."""


class ConsumerLoop:
    """Runs a Consumer against Kafka for one service."""

    def __init__(self, consumer: Consumer, runtime: Runtime) -> None:
        self._consumer = consumer
        self._runtime = runtime
        self._settings = runtime.settings
        self._inbox = runtime.mongo.db[INBOX]
        self._repeats = False
        self._ahead: Records = ()
        self._turn: asyncio.Task[None] | None = None
        self._committing: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        settings, topics = runtime.settings, tuple(runtime.settings.topic(topic) for topic in consumer.topics)
        self._subscription = Subscription(runtime.name, settings, topics, consumer.max_batch)
        self._batch_decoder = BatchDecoder(runtime.name, consumer, settings, runtime.telemetry)
        self._deadletters = DeadLetterWriter(runtime)
        self._offsets = OffsetStore(runtime.mongo, runtime.telemetry, topics, seconds=settings.kafka_timeout)
        self._ends: dict[TopicPartition, int] = {}
        self._progress = time.monotonic()
        self._busy = False
        self._instruments(runtime)

    def _instruments(self, runtime: Runtime) -> None:
        meter = runtime.telemetry.meter
        self._applied = meter.create_counter("herald.consumer.applied", description="Events applied, once each")
        self._skipped = meter.create_counter(
            "herald.consumer.skipped",
            description="Deliveries without effect: repeats and types not asked for",
        )
        self._latency = meter.create_histogram(
            "herald.commit_to_effect.seconds", unit="s", description="From an event's time to its effect here"
        )
        meter.create_observable_gauge(
            "herald.consumer.lag", callbacks=[self._lag], description="Records not yet consumed, by partition"
        )

    async def ensure_indexes(self) -> None:
        await self._inbox.create_index("at", expireAfterSeconds=INBOX_DAYS * 86400)

    # --- lifecycle -------------------------------------------------------------------------------------------

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop`; reconnects for as long as Kafka is away.

        Raises ConsumerEnded when a task that this rests on has ended by itself; it may then be run again, and what was
        in hand comes again.
        """
        self._stop = stop
        try:
            await self._subscription.start(self._consume, stop)
            async with self._runtime.supervisor.beside("consumer topics", self._look, stop):
                while not stop.is_set():
                    if self._subscription.ended or _lost(self._turn):
                        raise ConsumerEnded
                    await sleep_or_event(CHECK_SECONDS, stop)
        finally:
            if under_way := [task for task in (self._turn, self._committing) if task is not None]:
                if stop.is_set():
                    await asyncio.wait(under_way, timeout=self._settings.grace / 3)
                await asyncio.gather(*map(cancel_and_wait, under_way))
            self._turn = self._committing = None
            await self._subscription.close()

    async def _look(self) -> None:
        """Where each partition ends, and whether a topic was created anew although its records seem to carry on."""
        while not self._stop.is_set():
            client = self._subscription.client
            self._subscription.rest()
            try:
                async with asyncio.timeout(self._settings.kafka_timeout):
                    await self._offsets.watch(client)
                    self._ends = await client.end_offsets(list(client.assignment()))
            except (KafkaError, TimeoutError, OSError) as error:
                logger.info("the topics could not be looked at: %s", type(error).__name__)
            await sleep_or_event(LOOK_SECONDS, self._stop)

    @property
    def assigned(self) -> bool:
        """Whether Kafka answered and gave this member its share of the partitions."""
        return self._subscription.assigned

    @property
    def stuck(self) -> bool:
        """Whether records wait and nothing moved for five minutes although nothing outside is to blame."""
        return self._busy and time.monotonic() - self._progress > 300

    def _lag(self, _: CallbackOptions) -> list[Observation]:
        """By what Kafka said last of where each partition ends, which it does not while records are in hand."""
        client = self._subscription.client
        found = []
        for part, place in (places(client) if client is not None else {}).items():
            if part in self._ends:
                applied = self._offsets.applied(part, place) if self._busy else place
                labels = {"topic": part.topic, "partition": part.partition}
                found.append(Observation(max(0, self._ends[part] - applied), labels))
        return found

    # --- one batch -------------------------------------------------------------------------------------------

    async def _consume(self, records: Records) -> None:
        await self._insist(lambda: self._take(records))

    async def _insist(self, work: Callable[[], Awaitable[T]]) -> T:
        """Whatever nobody foresaw is told and tried again: a batch that is given up is missed only by the next record
        of its partitions, which may be long in coming. Raises what `work` raises once this ends."""
        while True:
            try:
                return await work()
            except asyncio.CancelledError:
                if self._stop.is_set() or (own := asyncio.current_task()) is None or own.cancelling():
                    raise
                logger.error("a batch was cancelled by nobody, and is tried again")
            except Exception:
                if self._stop.is_set():
                    raise
                logger.exception("a batch failed in a way that nobody foresaw, and is tried again")
            await sleep_or_event(1, self._stop)

    async def _take(self, records: Records) -> None:
        """Decode while the batch before is still being applied; return as soon as the turn comes to this one."""
        self._ahead = records
        batch = await self._batch_decoder.read(records)
        if self._turn is not None:
            await asyncio.wait([self._turn])
        self._ahead = ()
        if not self._stop.is_set():
            # The batch before may have sent the client elsewhere, or another member may have got a partition.
            if (here := in_place(self._subscription.client, records)) is not records:
                batch = await self._batch_decoder.read(here)
            self._turn = asyncio.ensure_future(self._finish(batch))
            await asyncio.sleep(0)  # its first command is on its way to MongoDB while the next batch is unpacked

    async def _finish(self, batch: Batch) -> None:
        self._busy, began = True, time.monotonic()
        try:
            done = await self._insist(lambda: self._until_applied(batch))
        finally:
            self._busy = False
            self._subscription.applied(time.monotonic() - began)
        if done and not self._stop.is_set():
            if self._committing is not None:
                await asyncio.wait([self._committing])
            self._committing = asyncio.ensure_future(self._commit(done))

    async def _until_applied(self, batch: Batch) -> Records:
        """Apply the batch, whatever it takes: wait while MongoDB or Kafka is away, isolate what is bad.

        Returns the records that are dealt with: all, but those of a topic that was created anew, which come again.
        """
        delay = 0.1
        while batch.records and not self._stop.is_set():
            try:
                records = await self._bounded(
                    self._offsets.reconcile(self._subscription.client, batch.records, lambda: self._ahead)
                )
                if records is not batch.records:
                    batch = await self._batch_decoder.read(records)
                await self._apply(batch)
            except Fenced:
                logger.info("a partition went to another member; its batch is left to them")
                break
            except OffsetMismatch:
                self._offsets.forget()
            except Exception as error:  # noqa: BLE001 - classified below
                if not _outage(error):
                    await self._in_halves(batch.records, error)
                    break
                logger.warning("waiting for what is away: %s", type(error).__name__)
                await sleep_or_event(delay, self._stop)
                delay = min(5.0, delay * 2)
            else:
                self._progress = time.monotonic()
                break
        if not self._stop.is_set():
            self._offsets.mark_applied(batch.records)
        return batch.records

    async def _bounded(self, step: Coroutine[Any, Any, T]) -> T:
        """A step that hangs in a library is given up, as an outage (KafkaTimeoutError): what it still does is fenced.

        Raises what the step raises.
        """
        task = asyncio.ensure_future(step)
        try:
            return await run_bounded(STEP_SECONDS, task)
        except TimeoutError:
            if task.done() and not task.cancelled():
                raise
            logger.error("a batch hangs, and is tried again")
            raise KafkaTimeoutError from None

    async def _in_halves(self, records: Records, error: Exception) -> None:
        """Narrow down what fails: its neighbours are applied together, in their order."""
        if len(records) == 1:
            await self._retry_or_bury(records[0], error)
            return
        logger.warning("a batch of %d failed (%s); trying its halves", len(records), type(error).__name__)
        middle = len(records) // 2
        for half in (records[:middle], records[middle:]):
            await self._until_applied(await self._batch_decoder.read(half))

    async def _retry_or_bury(self, record: ConsumerRecord[bytes, bytes], error: Exception) -> None:
        """One record failed: retry what is transient in its place, then dead-letter it."""
        delay = 0.1
        attempts = RETRIES if isinstance(error, Retry) else 0
        while attempts and not self._stop.is_set():
            attempts -= 1
            await sleep_or_event(delay, self._stop)
            delay = min(3.0, delay * 2)
            try:
                await self._apply(await self._batch_decoder.read([record]))
            except Retry as again:
                error = again
            except (Fenced, OffsetMismatch):
                await self._until_applied(await self._batch_decoder.read([record]))
                return
            except Exception as other:  # noqa: BLE001 - classified below
                if _outage(other):
                    await self._until_applied(await self._batch_decoder.read([record]))
                    return
                error = other
                break
            else:
                return
        if self._stop.is_set():
            return
        if not isinstance(error, InvalidEvent | Retry):
            logger.error("an event cannot be applied", exc_info=error)
        if isinstance(error, InvalidEvent):
            await self._bury(record, error.rule, error.detail)
        else:
            await self._bury(record, "failed", " ".join([type(error).__name__, *_code(error)]))

    async def _bury(self, record: ConsumerRecord[bytes, bytes], rule: str, detail: str) -> None:
        delay = 0.1
        while not self._stop.is_set():
            try:
                await self._bounded(self._deadletters.add([(record, rule, detail)]))
                await self._bounded(self._runtime.mongo.transact(lambda tx: self._offsets.advance([record], tx)))
            except (Fenced, OffsetMismatch):
                return
            except Exception as error:
                if not _outage(error):  # it stays in hand until it can be buried: nothing is passed over
                    logger.exception("a record cannot be dead-lettered")
                await sleep_or_event(delay, self._stop)
                delay = min(5.0, delay * 2)
            else:
                return

    async def _bury_poison(self, poison: list[tuple[ConsumerRecord[bytes, bytes], Undecodable]]) -> None:
        """Dead-letter what cannot be decoded, unless an earlier delivery of it was."""
        stored = await self._offsets.read({TopicPartition(record.topic, record.partition) for record, _ in poison})
        await self._deadletters.add(
            [
                (record, error.rule, error.detail)
                for record, error in poison
                if record.offset >= stored.get(TopicPartition(record.topic, record.partition), 0)
            ]
        )

    async def _apply(self, batch: Batch) -> None:
        if batch.poison:
            await self._bounded(self._bury_poison(batch.poison))
        with self._batch_decoder.traced(batch) as events:
            fresh = await self._bounded(self._once(batch.records, events))
        failpoint("consumer.after-transaction")
        self._measure(batch, fresh)

    async def _once(self, records: Records, events: list[Received[Event]]) -> list[Received[Event]]:
        """Apply the events that never were, in one transaction; returns these.

        Whether there are any that were is not asked as long as none came up: their ids are taken, so that the
        transaction fails and leaves nothing; then, and for the next batch, it is asked first.
        """
        try:
            fresh = await self._runtime.mongo.transact(lambda tx: self._effect(records, events, tx))
        except (BulkWriteError, DuplicateKeyError) as error:
            if self._repeats or not duplicate(error):
                raise
            self._repeats = True
            fresh = await self._runtime.mongo.transact(lambda tx: self._effect(records, events, tx))
        self._repeats = len(fresh) < len(events)
        return fresh

    async def _effect(self, records: Records, events: list[Received[Event]], tx: Transaction) -> list[Received[Event]]:
        """Apply the events that never were; returns these."""
        ahead = await self._offsets.advance(records, tx)
        fresh = events
        if not ahead.all:
            named = self._settings.topic
            fresh = [event for event in events if (named(event.topic), event.partition, event.offset) in ahead]
        fresh = await self._unseen(fresh, tx)
        if fresh:
            await self._consumer.apply(tx, fresh)
        return fresh

    async def _unseen(self, events: list[Received[Event]], tx: Transaction) -> list[Received[Event]]:
        """The events that were never applied, each once; they are noted as applied."""
        first: dict[str, Received[Event]] = {}
        for event in events:
            first.setdefault(event.id, event)
        seen = await self._applied_before(first.values(), tx) if self._repeats else set()
        fresh = [event for id, event in first.items() if id not in seen]
        rows: list[Document] = [
            {"_id": event.id, "at": tx.now} for event in fresh if self._consumer.inbox_of(event.type) == INBOX
        ]
        if rows:
            await self._inbox.insert_many(rows, session=tx.session, ordered=False)
        return fresh

    async def _applied_before(self, events: Iterable[Received[Event]], tx: Transaction) -> set[str]:
        """The ids of those events that are in their inbox."""
        ids: dict[str, list[str]] = defaultdict(list)
        for event in events:
            ids[self._consumer.inbox_of(event.type)].append(event.id)
        found: set[str] = set()
        for inbox, some in ids.items():
            cursor = self._runtime.mongo.db[inbox].find({"_id": {"$in": some}}, {"_id": 1}, session=tx.session)
            found.update([row["_id"] async for row in cursor])
        return found

    async def _commit(self, records: Records) -> None:
        client = self._subscription.client
        owned = {part: end for part, end in ends(records).items() if part in client.assignment()}
        try:
            if owned:
                await run_bounded(COMMIT_SECONDS, client.commit(owned))
        except (KafkaError, TimeoutError) as error:
            # The stored offsets hold: what Kafka delivers again has no effect.
            logger.info("offsets were not committed: %s", type(error).__name__)

    def _measure(self, batch: Batch, fresh: list[Received[Event]]) -> None:
        now = datetime.now(UTC)
        for event in fresh[:: len(fresh) // LATENCIES_A_BATCH + 1]:
            self._latency.record(max(0.0, (now - event.time).total_seconds()), {"event_type": event.type})
        for event_type, count in Counter(event.type for event in fresh).items():
            self._applied.add(count, {"event_type": event_type})
        for reason, count in {**batch.skipped, "repeat": len(batch.events) - len(fresh)}.items():
            if count:
                self._skipped.add(count, {"reason": reason})


def _lost(task: asyncio.Task[None] | None) -> bool:
    """Whether the work of a batch was given up half-way."""
    return task is not None and task.done() and (task.cancelled() or task.exception() is not None)


def _code(error: Exception) -> list[str]:
    """MongoDB's own number for what went wrong."""
    return [str(error.code)] if isinstance(error, OperationFailure) and error.code is not None else []


def _outage(error: BaseException) -> bool:
    """Whether something outside is away, so that waiting is right and nothing is wrong with the event."""
    return isinstance(error, KafkaError | Unacknowledged | Overloaded) or unreachable(error)
