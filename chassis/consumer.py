"""The one consumer class: at-least-once delivery, exactly-once effect, one bad record never in its neighbours' way.

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
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from opentelemetry import trace
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.trace import Link, Span, SpanKind, StatusCode
from pymongo.errors import BulkWriteError, DuplicateKeyError

from chassis.chassis import Chassis
from chassis.deadletters import REPLAYED_FOR, DeadLetters
from chassis.decoding import Decoder, Received
from chassis.failpoints import failpoint
from chassis.kafka import Unacknowledged
from chassis.mongo import Document, Transaction, unreachable
from chassis.positions import INBOX_DAYS, Fenced, Moved, Positions, Records
from chassis.problems import Overloaded
from chassis.records import tolerate
from chassis.telemetry import extract, inject, recorded, span_context
from chassis.waiting import within
from herald_contracts import Event, Undecodable
from herald_contracts.envelope import decode, text_headers

__all__ = ["Consumer", "ConsumerLoop", "Fenced", "Handler", "InvalidEvent", "Received", "Retry"]
logger = logging.getLogger(__name__)
INBOX = "inbox"
RETRIES = 5
COMMIT_SECONDS = 5.0
RECONNECT_MS = 500
METADATA_SECONDS = 30.0  # until a new partition is noticed
LOOK_SECONDS = 5.0
IDLE_POLL_MS = 20
FETCH_WAIT_MS = 25  # a partition that was read empty waits for as long as the fetch under way waits for the others
MAX_LINKS = 128
LATENCIES_A_BATCH = 50
DUPLICATE_KEY = 11000


class InvalidEvent(Exception):
    """The event can never be applied: it is dead-lettered without a retry. `rule` is a stable word."""

    def __init__(self, rule: str, detail: str = "") -> None:
        super().__init__(f"{rule}: {detail}" if detail else rule)
        self.rule = rule
        self.detail = detail


class Retry(Exception):
    """What the event needs is not there yet: it is tried again in its place, a bounded number of times."""


Handler = Callable[[Sequence[Received[Event]], Transaction], Awaitable[None]]


@dataclass(slots=True)
class _Decoded:
    """What a batch holds, by what is to be done with it."""

    events: list[Received[Event]] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    poison: list[tuple[ConsumerRecord[bytes, bytes], Undecodable]] = field(default_factory=list)


class Consumer:
    """The events a service takes, and what it does with them.

    `handle` gets them in the order of each partition, each once, only the declared types, and writes with
    `tx.session`. It may be called again with the same events after its transaction was undone.

    `kept` names the collection in which `handle` itself inserts every event of some types under its id: that is their
    inbox, and they are not noted a second time.
    """

    def __init__(
        self,
        events: Iterable[type[Event]],
        handle: Handler,
        *,
        max_batch: int = 1000,
        kept: Mapping[type[Event], str] = MappingProxyType({}),
    ) -> None:
        self.events = tuple(events)
        self.topics = tuple(sorted({event.topic for event in self.events}))
        self.handle = handle
        self.max_batch = max_batch
        self._types = {event.type for event in self.events}
        self._kept = {event.type: collection for event, collection in kept.items()}

    def wants(self, event_type: str) -> bool:
        return event_type in self._types

    def inbox_of(self, event_type: str) -> str:
        """The collection that has the ids of the events of this type that were applied."""
        return self._kept.get(event_type, INBOX)

    def knows_other_version(self, event_type: str) -> bool:
        """Whether it is a handled event in a version that is not."""
        name = event_type.rpartition(".")[0]
        return any(known.rpartition(".")[0] == name for known in self._types)


class ConsumerLoop:
    """Runs a Consumer against Kafka for one service."""

    def __init__(self, consumer: Consumer, chassis: Chassis) -> None:
        self._consumer = consumer
        self._chassis = chassis
        self._settings = chassis.settings
        self._group = chassis.settings.group(chassis.name)
        self._topic_names = {chassis.settings.topic(topic): topic for topic in consumer.topics}
        self._inbox = chassis.mongo.db[INBOX]
        self._repeats = False
        self._tracer = chassis.telemetry.tracer
        self._stop = asyncio.Event()
        self._broker: KafkaBroker | None = None
        self._subscriber: Any = None
        self._deadletters = DeadLetters(chassis)
        self._decoder = Decoder(consumer.events, self._topic_names)
        self._positions = Positions(
            chassis.mongo, chassis.telemetry, self._topic_names, seconds=chassis.settings.kafka_timeout
        )
        self._ends: dict[TopicPartition, int] = {}
        self._progress = time.monotonic()
        self._busy = False
        self._instruments(chassis)

    def _instruments(self, chassis: Chassis) -> None:
        meter = chassis.telemetry.meter
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
        """Consume until `stop`; reconnects for as long as Kafka is away. Never raises."""
        ending = asyncio.get_running_loop().create_task(stop.wait())
        ending.add_done_callback(lambda _: self._stop.set())
        while not stop.is_set():
            try:
                await self._start()
                break
            except (KafkaError, OSError, TimeoutError) as error:
                logger.warning("Kafka cannot be reached: %s", type(error).__name__)
                await self._close()
                await self._pause(1)
        looking = asyncio.ensure_future(self._look())
        await stop.wait()
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        await self._close()

    async def _look(self) -> None:
        """Where each partition ends, and whether a topic was created anew although its records seem to carry on."""
        while not self._stop.is_set():
            client = self._client
            try:
                async with asyncio.timeout(self._settings.kafka_timeout):
                    await self._positions.watch(client)
                    self._ends = await client.end_offsets(list(client.assignment()))
            except (KafkaError, TimeoutError, OSError) as error:
                logger.info("the topics could not be looked at: %s", type(error).__name__)
            await self._pause(LOOK_SECONDS)

    async def _start(self) -> None:
        tolerate()
        options = self._settings.kafka_options()
        broker = KafkaBroker(
            options.pop("bootstrap_servers"),
            client_id=f"herald-{self._chassis.name}",
            graceful_timeout=self._settings.grace / 3,
            apply_types=False,
            logger=None,
            allow_auto_create_topics=False,
            retry_backoff_ms=RECONNECT_MS,
            metadata_max_age_ms=int(METADATA_SECONDS * 1000),
            **_faststream_security(options),
        )
        subscriber = broker.subscriber(
            *self._topic_names,
            batch=True,
            group_id=self._group,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            max_records=self._consumer.max_batch,
            batch_timeout_ms=IDLE_POLL_MS,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            session_timeout_ms=10_000,
            heartbeat_interval_ms=2_000,
            max_poll_interval_ms=int(self._settings.kafka_max_poll * 1000),
            parser=_parse,
            decoder=_undecoded,
            no_reply=True,
        )

        @subscriber
        async def consume(message: Any) -> None:
            await self._consume(message)

        self._broker, self._subscriber = broker, subscriber
        async with asyncio.timeout(30):
            await broker.start()

    async def _close(self) -> None:
        if self._broker is None:
            return
        broker, self._broker = self._broker, None
        try:
            await within(self._settings.grace / 2, broker.stop())
        except (TimeoutError, KafkaError) as error:
            logger.warning("Kafka did not answer the farewell: %s", type(error).__name__)

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return

    @property
    def assigned(self) -> bool:
        """Whether Kafka answered and gave this member its share of the partitions."""
        client = self._client
        return client is not None and client._coordinator is not None and bool(client.subscription())  # noqa: SLF001

    @property
    def stuck(self) -> bool:
        """Whether records wait and nothing moved for five minutes although nothing outside is to blame."""
        return self._busy and time.monotonic() - self._progress > 300

    @property
    def _client(self) -> Any:
        return self._subscriber.consumer if self._subscriber is not None else None

    def _lag(self, _: CallbackOptions) -> list[Observation]:
        """By what Kafka said last of where each partition ends, which it does not while records are in hand."""
        client = self._client
        if client is None:
            return []
        found = []
        for part in client.assignment():
            state = client._subscription.subscription.assignment.state_value(part)  # noqa: SLF001
            if part not in self._ends or state is None or not state.has_valid_position:
                continue
            applied = self._positions.applied(part, state.position) if self._busy else state.position
            labels = {"topic": part.topic, "partition": part.partition}
            found.append(Observation(max(0, self._ends[part] - applied), labels))
        return found

    # --- one batch -------------------------------------------------------------------------------------------

    async def _consume(self, message: KafkaMessage) -> None:
        records: Records = message.raw_message
        self._busy = True
        try:
            done = await self._until_applied(records)
        finally:
            self._busy = False
        if done and not self._stop.is_set():
            await self._commit(done)

    async def _until_applied(self, records: Records) -> Records:
        """Apply the batch, whatever it takes: wait while MongoDB or Kafka is away, isolate what is bad.

        Returns the records that are dealt with: all, but those of a topic that was created anew, which come again.
        """
        delay = 0.1
        while records and not self._stop.is_set():
            try:
                records = await self._positions.sound(self._client, records)
                await self._apply(records)
            except Fenced:
                logger.info("a partition went to another member; its batch is left to them")
                break
            except Moved:
                self._positions.forget()
            except Exception as error:  # noqa: BLE001 - classified below
                if not _outage(error):
                    await self._one_by_one(records, error)
                    break
                logger.warning("waiting for what is away: %s", type(error).__name__)
                await self._pause(delay)
                delay = min(5.0, delay * 2)
            else:
                self._progress = time.monotonic()
                break
        if not self._stop.is_set():
            self._positions.passed(records)
        return records

    async def _one_by_one(self, records: Records, error: Exception) -> None:
        if len(records) == 1:
            await self._retry_or_bury(records[0], error)
            return
        logger.warning("a batch of %d failed (%s); trying each by itself", len(records), type(error).__name__)
        for record in records:
            await self._until_applied([record])

    async def _retry_or_bury(self, record: ConsumerRecord[bytes, bytes], error: Exception) -> None:
        """One record failed: retry what is transient in its place, then dead-letter it."""
        delay = 0.1
        attempts = RETRIES if isinstance(error, Retry) else 0
        while attempts and not self._stop.is_set():
            attempts -= 1
            await self._pause(delay)
            delay = min(3.0, delay * 2)
            try:
                await self._apply([record])
            except Retry as again:
                error = again
            except (Fenced, Moved):
                await self._until_applied([record])
                return
            except Exception as other:  # noqa: BLE001 - classified below
                if _outage(other):
                    await self._until_applied([record])
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
            await self._bury(record, "failed", type(error).__name__)

    async def _bury(self, record: ConsumerRecord[bytes, bytes], rule: str, detail: str) -> None:
        delay = 0.1
        while not self._stop.is_set():
            try:
                await self._deadletters.add([(record, rule, detail)])
                await self._chassis.mongo.transact(lambda tx: self._positions.advance([record], tx))
            except (Fenced, Moved):
                return
            except Exception as error:
                if not _outage(error):
                    raise
                await self._pause(delay)
                delay = min(5.0, delay * 2)
            else:
                return

    async def _bury_poison(self, poison: list[tuple[ConsumerRecord[bytes, bytes], Undecodable]]) -> None:
        """Dead-letter what cannot be decoded, unless an earlier delivery of it was."""
        stored = await self._positions.read({TopicPartition(record.topic, record.partition) for record, _ in poison})
        await self._deadletters.add(
            [
                (record, error.rule, error.detail)
                for record, error in poison
                if record.offset >= stored.get(TopicPartition(record.topic, record.partition), 0)
            ]
        )

    async def _apply(self, records: Records) -> None:
        decoded = self._decode(records)
        try:
            if decoded.poison:
                await self._bury_poison(decoded.poison)
            with self._batch_span(decoded):
                fresh = await self._once(records, decoded.events)
        except BaseException as error:
            for span in decoded.spans:
                span.set_status(StatusCode.ERROR, type(error).__name__)
            raise
        finally:
            for span in decoded.spans:
                span.end()
        failpoint("consumer.after-transaction")
        self._measure(fresh)
        if repeats := len(decoded.events) - len(fresh):
            self._skipped.add(repeats, {"reason": "repeat"})

    async def _once(self, records: Records, events: list[Received[Event]]) -> list[Received[Event]]:
        """Apply the events that never were, in one transaction; returns these.

        Whether there are any that were is not asked as long as none came up: their ids are taken, so that the
        transaction fails and leaves nothing; then, and for the next batch, it is asked first.
        """
        try:
            fresh = await self._chassis.mongo.transact(lambda tx: self._effect(records, events, tx))
        except (BulkWriteError, DuplicateKeyError) as error:
            if self._repeats or not _taken(error):
                raise
            self._repeats = True
            fresh = await self._chassis.mongo.transact(lambda tx: self._effect(records, events, tx))
        self._repeats = len(fresh) < len(events)
        return fresh

    async def _effect(self, records: Records, events: list[Received[Event]], tx: Transaction) -> list[Received[Event]]:
        """Apply the events that never were; returns these."""
        ahead = await self._positions.advance(records, tx)
        fresh = events
        if not ahead.all:
            named = self._settings.topic
            fresh = [event for event in events if (named(event.topic), event.partition, event.offset) in ahead]
        fresh = await self._unseen(fresh, tx)
        if fresh:
            await self._consumer.handle(fresh, tx)
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
            cursor = self._chassis.mongo.db[inbox].find({"_id": {"$in": some}}, {"_id": 1}, session=tx.session)
            found.update([row["_id"] async for row in cursor])
        return found

    async def _commit(self, records: Records) -> None:
        offsets: dict[TopicPartition, int] = defaultdict(int)
        for record in records:
            partition = TopicPartition(record.topic, record.partition)
            offsets[partition] = max(offsets[partition], record.offset + 1)
        client = self._client
        if client is None:
            return
        owned = {partition: end for partition, end in offsets.items() if partition in client.assignment()}
        try:
            if owned:
                await within(COMMIT_SECONDS, client.commit(owned))
        except (KafkaError, TimeoutError) as error:
            # The stored offsets hold: what Kafka delivers again has no effect.
            logger.info("offsets were not committed: %s", type(error).__name__)

    # --- decoding and telemetry ------------------------------------------------------------------------------

    def _decode(self, records: Records) -> _Decoded:
        decoded = _Decoded()
        for record in records:
            if (sound := self._decoder.quick(record)) is not None:
                decoded.events.append(self._traced(sound, record, decoded))
                continue
            headers = text_headers(record.headers)
            if headers.get(REPLAYED_FOR, self._chassis.name) != self._chassis.name:
                self._skipped.add(1, {"reason": "replayed-for-another"})
                continue
            event_type = headers.get("ce_type", "")
            if not self._consumer.wants(event_type) and event_type.startswith("herald."):
                if not self._consumer.knows_other_version(event_type):
                    self._skipped.add(1, {"reason": "not-asked-for"})
                    continue
                decoded.poison.append((record, Undecodable("version-unknown", event_type)))
                continue
            try:
                event = decode(headers, record.value)
            except Undecodable as error:
                decoded.poison.append((record, error))
                continue
            received: Received[Event] = Received(
                id=event.id,
                type=event.type,
                subject=event.subject,
                time=event.time,
                data=event.data,
                topic=self._topic_names[record.topic],
                partition=record.partition,
                offset=record.offset,
                traceparent=event.traceparent,
                tracestate=event.tracestate,
            )
            decoded.events.append(self._traced(received, record, decoded))
        return decoded

    def _traced(
        self, event: Received[Event], record: ConsumerRecord[bytes, bytes], decoded: _Decoded
    ) -> Received[Event]:
        """The event within a `process` span, where its trace is recorded."""
        if not recorded(event.traceparent):
            return event
        span = self._span(record, event.id, event.type, extract(event.traceparent, event.tracestate))
        decoded.spans.append(span)
        traceparent, tracestate = inject(trace.set_span_in_context(span))
        return replace(event, traceparent=traceparent, tracestate=tracestate)

    def _span(self, record: ConsumerRecord[bytes, bytes], id: str, event_type: str, parent: Any) -> Span:
        topic = self._topic_names[record.topic]
        sender = span_context(parent)
        return self._tracer.start_span(
            f"process {topic}",
            context=parent,
            kind=SpanKind.CONSUMER,
            links=[Link(sender)] if sender.is_valid else [],
            attributes={
                "messaging.system": "kafka",
                "messaging.operation.name": "process",
                "messaging.operation.type": "process",
                "messaging.destination.name": topic,
                "messaging.destination.partition.id": str(record.partition),
                "messaging.consumer.group.name": self._group,
                "messaging.kafka.offset": record.offset,
                "messaging.message.id": id,
                "cloudevents.event_type": event_type,
            },
        )

    def _batch_span(self, decoded: _Decoded) -> Any:
        """Make current what the effect's database calls belong to: the one event's span, or the batch's own."""
        if len(decoded.spans) == 1:
            return trace.use_span(decoded.spans[0], end_on_exit=False)
        return self._tracer.start_as_current_span(
            "process batch",
            context=extract(None),
            links=[Link(span.get_span_context()) for span in decoded.spans[:MAX_LINKS]],
            attributes={
                "messaging.system": "kafka",
                "messaging.consumer.group.name": self._group,
                "messaging.batch.message_count": len(decoded.spans),
            },
        )

    def _measure(self, events: list[Received[Event]]) -> None:
        now = datetime.now(UTC)
        counts: dict[str, int] = defaultdict(int)
        for event in events:
            counts[event.type] += 1
        for event in events[:: len(events) // LATENCIES_A_BATCH + 1]:
            self._latency.record(max(0.0, (now - event.time).total_seconds()), {"event_type": event.type})
        for event_type, count in counts.items():
            self._applied.add(count, {"event_type": event_type})


def _taken(error: BulkWriteError | DuplicateKeyError) -> bool:
    """Whether all that is wrong is that a unique key is there already."""
    if isinstance(error, DuplicateKeyError):
        return True
    found = (error.details or {}).get("writeErrors", ())
    return bool(found) and all(one.get("code") == DUPLICATE_KEY for one in found)


async def _parse(message: Records) -> KafkaMessage:
    """FastStream's own parser fails on a null or non-UTF-8 header and loses the batch; this one reads none."""
    return KafkaMessage(body=b"", raw_message=tuple(message), consumer=None)  # type: ignore[arg-type]


async def _undecoded(message: KafkaMessage) -> KafkaMessage:
    return message


def _outage(error: BaseException) -> bool:
    """Whether something outside is away, so that waiting is right and nothing is wrong with the event."""
    return isinstance(error, KafkaError | Unacknowledged | Overloaded) or (
        not isinstance(error, BulkWriteError) and unreachable(error)
    )


def _faststream_security(options: dict[str, Any]) -> dict[str, Any]:
    if "security_protocol" not in options:
        return {}
    from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

    context = options.get("ssl_context")
    if "sasl_mechanism" not in options:
        return {"security": BaseSecurity(ssl_context=context, use_ssl=context is not None)}
    kinds = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}
    return {
        "security": kinds[options["sasl_mechanism"]](
            username=options["sasl_plain_username"],
            password=options["sasl_plain_password"],
            ssl_context=context,
            use_ssl=context is not None,
        )
    }
