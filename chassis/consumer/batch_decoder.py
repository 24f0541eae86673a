"""What a batch of records holds: events for the handler, each within its trace, and what is poison."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from aiokafka import ConsumerRecord
from opentelemetry import trace
from opentelemetry.trace import Link, Span, SpanKind, StatusCode

from chassis.consumer.declaration import Consumer
from chassis.consumer.decoder import Decoder, Received
from chassis.consumer.offset_store import Records
from chassis.dead_letters.writer import REPLAYED_FOR
from chassis.settings import Settings
from chassis.telemetry.otel import Telemetry, extract, inject, recorded, span_context
from herald_contracts import Event, Undecodable
from herald_contracts.envelope import decode, text_headers

AT_ONCE = 50
MAX_LINKS = 128


@dataclass(slots=True)
class Batch:
    """What a batch holds, by what is to be done with it; `skipped` counts by reason what asks for nothing."""

    records: Records
    events: list[Received[Event]] = field(default_factory=list)
    poison: list[tuple[ConsumerRecord[bytes, bytes], Undecodable]] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)


class BatchDecoder:
    """Reads batches for one service's consumer."""

    def __init__(self, service: str, consumer: Consumer, settings: Settings, telemetry: Telemetry) -> None:
        self._service = service
        self._consumer = consumer
        self._group = settings.group(service)
        self._topics = {settings.topic(topic): topic for topic in consumer.topics}
        self._decoder = Decoder(consumer.events, self._topics)
        self._tracer = telemetry.tracer

    async def read(self, records: Records) -> Batch:
        """Decode all that can be, and let others have their turn meanwhile."""
        batch = Batch(records)
        for number, record in enumerate(records, 1):
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
            event = self._decoder.quick(record) or self._closely(record, batch)
            if event is not None:
                batch.events.append(event)
        return batch

    def _closely(self, record: ConsumerRecord[bytes, bytes], batch: Batch) -> Received[Event] | None:
        headers = text_headers(record.headers)
        if headers.get(REPLAYED_FOR, self._service) != self._service:
            batch.skipped["replayed-for-another"] += 1
            return None
        event_type = headers.get("ce_type", "")
        try:
            if not self._consumer.wants(event_type) and event_type.startswith("herald."):
                if not self._consumer.knows_other_version(event_type):
                    batch.skipped["not-asked-for"] += 1
                    return None
                raise Undecodable("version-unknown", event_type)
            event = decode(headers, record.value)
        except Undecodable as error:
            batch.poison.append((record, error))
            return None
        return Received(
            id=event.id,
            type=event.type,
            subject=event.subject,
            time=event.time,
            data=event.data,
            topic=self._topics[record.topic],
            partition=record.partition,
            offset=record.offset,
            traceparent=event.traceparent,
            tracestate=event.tracestate,
        )

    def _span(self, event: Received[Event]) -> Span:
        parent = extract(event.traceparent, event.tracestate)
        sender = span_context(parent)
        return self._tracer.start_span(
            f"process {event.topic}",
            context=parent,
            kind=SpanKind.CONSUMER,
            links=[Link(sender)] if sender.is_valid else [],
            attributes={
                "messaging.system": "kafka",
                "messaging.operation.name": "process",
                "messaging.operation.type": "process",
                "messaging.destination.name": event.topic,
                "messaging.destination.partition.id": str(event.partition),
                "messaging.consumer.group.name": self._group,
                "messaging.kafka.offset": event.offset,
                "messaging.message.id": event.id,
                "cloudevents.event_type": event.type,
            },
        )

    @contextmanager
    def traced(self, batch: Batch) -> Iterator[list[Received[Event]]]:
        """The batch's events, each within a `process` span where its trace is recorded.

        Current is what the effect's database calls belong to: the one event's span, or the batch's own.
        """
        spans: list[Span] = []
        try:
            events = [self._within(event, spans) for event in batch.events]
            with self._current(spans):
                yield events
        except BaseException as error:
            for span in spans:
                span.set_status(StatusCode.ERROR, type(error).__name__)
            raise
        finally:
            for span in spans:
                span.end()

    def _within(self, event: Received[Event], spans: list[Span]) -> Received[Event]:
        if not recorded(event.traceparent):
            return event
        span = self._span(event)
        spans.append(span)
        traceparent, tracestate = inject(trace.set_span_in_context(span))
        return event._replace(traceparent=traceparent, tracestate=tracestate)

    def _current(self, spans: Sequence[Span]) -> AbstractContextManager[Span]:
        if len(spans) == 1:
            return trace.use_span(spans[0], end_on_exit=False)
        return self._tracer.start_as_current_span(
            "process batch",
            context=extract(None),
            links=[Link(span.get_span_context()) for span in spans[:MAX_LINKS]],
            attributes={
                "messaging.system": "kafka",
                "messaging.consumer.group.name": self._group,
                "messaging.batch.message_count": len(spans),
            },
        )
