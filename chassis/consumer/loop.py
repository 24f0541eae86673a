"""The consumer loop: at-least-once delivery, exactly-once effect. A bad record does not stop its neighbours.

`chassis/consumer/__init__.py` describes the steps of a batch; each step is a method here. Each kind of failure is
retried in one place:

| failure | where |
|---|---|
| a transaction collides with another | `Mongo.transact`, for 10 s |
| MongoDB or Kafka is away, or a step hangs | `_apply`, with growing pauses, for as long as it lasts |
| an event was applied before | `_apply_once`, once more, asking the inbox first |
| an event fails, whatever the reason | not at all: `_bisect` finds it, and it is dead-lettered |
| this code itself fails | `_retry`, every second |
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, KafkaTimeoutError
from opentelemetry.metrics import CallbackOptions, Observation
from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure, PyMongoError

from chassis.consumer.batch_decoder import Batch, BatchDecoder
from chassis.consumer.declaration import INBOX, Consumer, InvalidEvent, InvalidEvents
from chassis.consumer.decoder import Decoder, Received
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
from chassis.consumer.tracing import ConsumerTracing
from chassis.dead_letters.cap import DeadLetterCap, lifted
from chassis.dead_letters.writer import DeadLetterWriter
from chassis.failpoints import failpoint
from chassis.mongo import Document, Transaction, duplicate
from chassis.outages import is_outage
from chassis.runtime import Runtime
from chassis.tasks import cancel_and_wait, run_bounded, sleep_or_event
from chassis.telemetry.otel import extract, recorded
from herald_contracts import Event

logger = logging.getLogger(__name__)
T = TypeVar("T")
FIRST_DELAY, LONGEST_DELAY = 0.1, 5.0  # seconds between two attempts while something is away
STEP_SECONDS = 40.0  # longer than a transaction may collide (10 s) and a socket be silent (20 s)
COMMIT_SECONDS = 5.0
LOOK_SECONDS = 5.0
CHECK_SECONDS = 1.0
A_TURN, TURN_SECONDS = 500, 0.2  # dead letters there must be room for before a paused partition resumes, and its time
HELD_SECONDS = 1.0  # until paused partitions notice that an operator lifted the cap
LATENCIES_A_BATCH = 50


class ConsumerEnded(Exception):
    """A task of the consumer ended by itself."""


class ConsumerLoop:
    """Runs a Consumer against Kafka for one service."""

    def __init__(self, consumer: Consumer, runtime: Runtime) -> None:
        self._consumer = consumer
        self._runtime = runtime
        self._settings = runtime.settings
        self._inbox = runtime.mongo.db[INBOX]
        self._repeats = False
        self._ahead: Records = ()
        self._applying: asyncio.Task[None] | None = None
        self._committing: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        settings, topics = runtime.settings, tuple(runtime.settings.topic(topic) for topic in consumer.topics)
        self._subscription = Subscription(runtime.name, settings, topics, consumer.max_batch)
        names = {settings.topic(topic): topic for topic in consumer.topics}
        self._batch_decoder = BatchDecoder(Decoder(runtime.name, consumer, names))
        self._tracing = ConsumerTracing(settings.group(runtime.name), runtime.telemetry)
        self._cap = DeadLetterCap(burst=settings.deadletter_burst, per_second=settings.deadletter_rate)
        self._held = asyncio.Event()
        self._dead_letters = DeadLetterWriter(runtime, self._cap)
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
            "herald.consumer.paused",
            callbacks=[self._paused],
            description="Partitions that the cap on dead letters has paused, by topic",
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
            await self._subscription.start(self._decode, self._on_batch, self._retry, stop)
            supervisor = self._runtime.supervisor
            async with (
                supervisor.beside("consumer topics", self._watch_topics, stop),
                supervisor.beside("consumer pauses", self._resume, stop),
            ):
                while not stop.is_set():
                    if self._subscription.ended or _lost(self._applying):
                        raise ConsumerEnded
                    await sleep_or_event(CHECK_SECONDS, stop)
        finally:
            if under_way := [task for task in (self._applying, self._committing) if task is not None]:
                if stop.is_set():
                    await asyncio.wait(under_way, timeout=self._settings.grace / 3)
                await asyncio.gather(*map(cancel_and_wait, under_way))
            self._applying = self._committing = None
            await self._subscription.close()

    async def _watch_topics(self) -> None:
        """Where each partition ends, and whether a topic was created anew although its records seem to carry on."""
        while not self._stop.is_set():
            client = self._subscription.client
            self._subscription.fetch_less_when_idle()
            try:
                async with asyncio.timeout(self._settings.kafka_timeout):
                    await self._offsets.watch(client)
                    self._ends = await client.end_offsets(list(client.assignment()))
                # Bounded by itself: a command that is cancelled half-way may leave MongoDB's client without a way on.
                if not self._busy and not self._ahead:
                    await self._offsets.look_back(client)
            except (KafkaError, PyMongoError, TimeoutError, OSError) as error:
                logger.info("the topics could not be looked at: %s", type(error).__name__)
            await sleep_or_event(LOOK_SECONDS, self._stop)

    async def _resume(self) -> None:
        """Resume what the cap on dead letters has paused, as soon as it lets so many through that it is worth it."""
        while not self._stop.is_set():
            await self._held.wait()
            self._held.clear()
            while self._subscription.paused and not self._stop.is_set():
                try:
                    self._cap.lift(await lifted(self._runtime.mongo.db, self._runtime.clock.now()))
                except PyMongoError as error:
                    logger.info("the cap could not be looked at: %s", type(error).__name__)
                if wait := self._cap.seconds_until_worth_it:
                    await sleep_or_event(min(wait, HELD_SECONDS), self._stop)
                else:
                    self._subscription.resume(at_most=max(1, self._cap.room() // A_TURN))
                    await sleep_or_event(TURN_SECONDS, self._stop)

    @property
    def assigned(self) -> bool:
        """Whether Kafka answered and gave this member its share of the partitions."""
        return self._subscription.assigned

    @property
    def stuck(self) -> bool:
        """Whether records wait and nothing moved for five minutes although nothing outside is to blame."""
        return self._busy and time.monotonic() - self._progress > 300

    def _paused(self, _: CallbackOptions) -> list[Observation]:
        counts = Counter(part.topic for part in self._subscription.paused)
        topics = map(self._settings.topic, self._consumer.topics)
        return [Observation(counts[topic], {"topic": topic}) for topic in topics]

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

    async def _decode(self, records: Records) -> Batch:
        """Decode while the batch before is still being applied."""
        self._ahead = records
        return await self._batch_decoder.decode(records)

    async def _on_batch(self, batch: Batch) -> None:
        """Wait for the batch before, begin this one, and return, so that the next is fetched and decoded meanwhile."""
        if self._applying is not None:
            await asyncio.wait([self._applying])
        self._ahead = ()
        if not self._stop.is_set():
            # The batch before may have sent the client elsewhere, or another member may have got a partition.
            here = batch.only(in_place(self._subscription.client, batch.records))
            self._applying = asyncio.ensure_future(self._apply_and_commit(here))
            await asyncio.sleep(0)  # its first command is on its way to MongoDB while the next batch is unpacked

    async def _apply_and_commit(self, batch: Batch) -> None:
        self._busy, began = True, time.monotonic()
        try:
            done = await self._retry(lambda: self._apply(batch))
        finally:
            self._busy = False
            self._subscription.applied(time.monotonic() - began)
        if done.records and not self._stop.is_set():
            if self._committing is not None:
                await asyncio.wait([self._committing])
            self._committing = asyncio.ensure_future(self._commit(done.records))

    async def _retry(self, work: Callable[[], Awaitable[T]]) -> T:
        """The retry of what nobody foresaw: a batch that is given up is missed only by the next record of its
        partitions, which may be long in coming. Raises what `work` raises once this ends."""
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

    async def _apply(self, batch: Batch) -> Batch:
        """Have every record applied or dead-lettered; the retry of outages, for as long as they last.

        Returns what was dealt with: all, but records of a topic that was created anew, and those behind a record that
        the cap on dead letters holds back. Both come again.
        """
        delay = FIRST_DELAY
        while batch.records and not self._stop.is_set():
            try:
                batch = batch.only(
                    await self._bounded(
                        self._offsets.reconcile(self._subscription.client, batch.records, lambda: self._ahead)
                    )
                )
                batch = await self._dead_letter(batch)
                await self._apply_events(batch)
            except Fenced:
                logger.info("a partition went to another member; its batch is left to them")
                break
            except OffsetMismatch:
                self._offsets.forget()
            except InvalidEvents as error:
                rejecting = batch.rejecting(error.invalid)
                if len(rejecting.poison) == len(batch.poison):
                    return await self._bisect(batch, error)
                batch = rejecting
            except Exception as error:  # noqa: BLE001 - classified here
                if not is_outage(error):
                    return await self._bisect(batch, error)
                logger.warning("waiting for what is away: %s", type(error).__name__)
                await sleep_or_event(delay, self._stop)
                delay = min(LONGEST_DELAY, delay * 2)
            else:
                self._progress = time.monotonic()
                break
        if not self._stop.is_set():
            self._offsets.mark_applied(batch.records)
        return batch

    async def _bisect(self, batch: Batch, error: Exception) -> Batch:
        """Narrow down what fails: its neighbours are applied together, in their order; the one is dead-lettered.

        Raises `error` where a record fails that is no event: it stays in hand.
        """
        if len(batch.records) > 1:
            logger.warning("a batch of %d failed (%s); trying its halves", len(batch.records), type(error).__name__)
            first, second = batch.halves()
            done = await self._apply(first)
            # The first half may have had the client sent back to where the cap holds a partition.
            return done + await self._apply(second.only(in_place(self._subscription.client, second.records)))
        if not batch.events:
            raise error
        if not isinstance(error, InvalidEvent):
            logger.error("an event cannot be applied", exc_info=error)
            error = InvalidEvent("failed", " ".join([type(error).__name__, *_code(error)]))
        return await self._apply(batch.rejecting({event.id: error for event in batch.events}))

    async def _dead_letter(self, batch: Batch) -> Batch:
        """Dead-letter the batch's poison, as far as the cap lets it; the batch without what must wait."""
        if not batch.poison:
            return batch
        parts = {TopicPartition(record.topic, record.partition) for record, _ in batch.poison}
        stored = await self._bounded(self._offsets.read(parts))
        fresh = [one for one in batch.poison if one[0].offset >= stored.get(_partition(one[0]), 0)]
        held = held_back([record for record, _ in fresh], self._cap.room())
        if held:
            self._subscription.hold(held)
            self._held.set()
            batch = batch.only([one for one in batch.records if one.offset < held.get(_partition(one), one.offset + 1)])
            fresh = [one for one in fresh if one[0].offset < held.get(_partition(one[0]), one[0].offset + 1)]
        await self._bounded(self._dead_letters.add(fresh))
        return batch

    async def _apply_events(self, batch: Batch) -> None:
        if batch.records:
            with self._tracing.processing(batch.events) as events:
                fresh = await self._bounded(self._apply_once(batch.records, events))
            failpoint("consumer.after-transaction")
            self._measure(batch, len(events), fresh)

    async def _apply_once(self, records: Records, events: list[Received[Event]]) -> list[Received[Event]]:
        """Apply the events that never were, in one transaction; returns these.

        Whether there are any that were is not asked as long as none came up: their ids are taken, so that the
        transaction fails and leaves nothing; then, and for the next batch, it is asked first.
        """
        try:
            fresh = await self._runtime.mongo.transact(lambda tx: self._in_transaction(records, events, tx))
        except (BulkWriteError, DuplicateKeyError) as error:
            if self._repeats or not duplicate(error):
                raise
            self._repeats = True
            fresh = await self._runtime.mongo.transact(lambda tx: self._in_transaction(records, events, tx))
        self._repeats = len(fresh) < len(events)
        return fresh

    async def _in_transaction(
        self, records: Records, events: list[Received[Event]], tx: Transaction
    ) -> list[Received[Event]]:
        """Offsets, inbox and effect of the events that never were applied; returns these."""
        ahead = await self._offsets.advance(records, tx)
        fresh = events
        if not ahead.all:
            named = self._settings.topic
            fresh = [event for event in events if (named(event.topic), event.partition, event.offset) in ahead]
        fresh = await self._deduplicate(fresh, tx)
        if fresh:
            await self._consumer.apply(tx, fresh)
        return fresh

    async def _deduplicate(self, events: list[Received[Event]], tx: Transaction) -> list[Received[Event]]:
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

    async def _commit(self, records: Records) -> None:
        client = self._subscription.client
        owned = {part: end for part, end in ends(records).items() if part in client.assignment()}
        try:
            if owned:
                await run_bounded(COMMIT_SECONDS, client.commit(owned))
        except (KafkaError, TimeoutError) as error:
            # The stored offsets hold: what Kafka delivers again has no effect.
            logger.info("offsets were not committed: %s", type(error).__name__)

    def _measure(self, batch: Batch, events: int, fresh: Sequence[Received[Event]]) -> None:
        """Once a batch, after its transaction: one that was tried again is counted once."""
        now = datetime.now(UTC)
        for event in fresh[:: len(fresh) // LATENCIES_A_BATCH + 1]:
            traced = extract(event.traceparent) if event.traceparent and recorded(event.traceparent) else None
            late = max(0.0, (now - event.time).total_seconds())
            self._latency.record(late, {"event_type": event.type}, context=traced)
        for event_type, count in Counter(event.type for event in fresh).items():
            self._applied.add(count, {"event_type": event_type})
        for reason, count in {**batch.passed_over, "repeat": events - len(fresh)}.items():
            if count:
                self._skipped.add(count, {"reason": reason})


def held_back(poison: Sequence[ConsumerRecord[bytes, bytes]], room: int) -> dict[TopicPartition, int]:
    """Where each partition must stop so that no more than `room` of these records are dead-lettered, none of the
    partitions at the cost of another. Of those that need not stop there is no entry."""
    offsets: dict[TopicPartition, list[int]] = defaultdict(list)
    for record in poison:
        offsets[_partition(record)].append(record.offset)
    held = {}
    for left, (part, own) in zip(
        range(len(offsets), 0, -1), sorted(offsets.items(), key=lambda one: len(one[1])), strict=True
    ):
        share = min(len(own), room // left)
        room -= share
        if share < len(own):
            held[part] = own[share]
    return held


def _partition(record: ConsumerRecord[bytes, bytes]) -> TopicPartition:
    return TopicPartition(record.topic, record.partition)


def _lost(task: asyncio.Task[None] | None) -> bool:
    """Whether the work of a batch was given up half-way."""
    return task is not None and task.done() and (task.cancelled() or task.exception() is not None)


def _code(error: Exception) -> list[str]:
    """MongoDB's own number for what went wrong."""
    return [str(error.code)] if isinstance(error, OperationFailure) and error.code is not None else []
