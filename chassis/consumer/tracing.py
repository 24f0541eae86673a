"""The spans of consuming: `process {topic}` for each event whose trace is recorded, continued by its effect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from opentelemetry import trace
from opentelemetry.trace import Link, Span, SpanKind, StatusCode

from chassis.consumer.decoder import Received
from chassis.telemetry.otel import Telemetry, extract, inject, recorded, span_context
from herald_contracts import Event

MAX_LINKS = 128


class ConsumerTracing:
    """Spans for one group; `group` with the installation's prefix."""

    def __init__(self, group: str, telemetry: Telemetry) -> None:
        self._group = group
        self._tracer = telemetry.tracer

    @contextmanager
    def processing(self, events: Sequence[Received[Event]]) -> Iterator[list[Received[Event]]]:
        """The events, each within a `process` span where its trace is recorded.

        Current is what the effect's database calls belong to: the one event's span, or the batch's own.
        """
        spans: list[Span] = []
        try:
            within = [self._within(event, spans) for event in events]
            with self._current(spans):
                yield within
        except BaseException as error:
            for span in spans:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(StatusCode.ERROR)
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
