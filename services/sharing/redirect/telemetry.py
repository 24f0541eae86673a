"""What is seen of the redirect: spans of some clicks, and how long all visitors waited."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping

from opentelemetry import trace
from opentelemetry.trace import Link, Span, SpanKind
from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Exemplar

from chassis.runtime import Runtime
from chassis.telemetry.exposition import add_histogram, exemplar
from chassis.telemetry.otel import LATENCY_BUCKETS, extract
from chassis.web.traces import foreign_context
from herald_contracts import LinkClicked

Headers = Mapping[bytes, bytes]


AT_ONCE = 2.0
"""Clicks traced one right after the other: spans of many at once would hold up everybody else."""


class Tracing:
    """Which clicks get spans: at most so many a second, so that tracing never costs more than that."""

    def __init__(self, runtime: Runtime, a_second: float) -> None:
        self._tracer = runtime.telemetry.tracer
        self._a_second = a_second
        self._left = min(AT_ONCE, a_second)
        self._at = time.monotonic()

    def begin(self, method: str, headers: Headers, *, trusted: bool) -> Span | None:
        """The SERVER span of a click that is traced. A trusted proxy's `traceparent` is continued, a stranger's
        is linked to."""
        now = time.monotonic()
        self._left, self._at = min(AT_ONCE, self._left + (now - self._at) * self._a_second), now
        if self._left < 1:
            return None
        self._left -= 1
        said = headers.get(b"traceparent", b"")
        foreign = None if trusted or not said else foreign_context(said)
        span = self._tracer.start_span(
            "GET /l/{code}",
            context=extract(said.decode("latin-1") if trusted else ""),
            kind=SpanKind.SERVER,
            links=[Link(foreign)] if foreign else None,
            attributes={"http.request.method": method, "http.route": "/l/{code}"},
        )
        return span if span.is_recording() else None

    def send(self, server: Span, event_id: str) -> Span:
        """The PRODUCER span of a traced click."""
        return self._tracer.start_span(
            f"send {LinkClicked.topic}",
            context=trace.set_span_in_context(server),
            kind=SpanKind.PRODUCER,
            attributes={
                "messaging.system": "kafka",
                "messaging.operation.name": "send",
                "messaging.operation.type": "send",
                "messaging.destination.name": LinkClicked.topic,
                "messaging.message.id": event_id,
                "cloudevents.event_type": LinkClicked.type,
            },
        )


class Latency:
    """How visitors were answered, and how long they waited, as Prometheus reads it; counting costs a fraction of a
    microsecond."""

    def __init__(self) -> None:
        self._counts = [0] * (len(LATENCY_BUCKETS) + 1)
        self._sum = 0.0
        self._exemplars: dict[int, Exemplar] = {}
        self._answers: defaultdict[int, int] = defaultdict(int, {302: 0, 500: 0, 503: 0})

    def observe(self, seconds: float, status: int, span: Span | None) -> None:
        """Note an answer; `span` is that of the request, where it is traced."""
        bucket = bisect_left(LATENCY_BUCKETS, seconds)
        self._counts[bucket] += 1
        self._sum += seconds
        self._answers[status] += 1
        if span is not None:
            where = span.get_span_context()
            self._exemplars[bucket] = exemplar(where.trace_id, where.span_id, seconds, time.time_ns())

    def collect(self) -> Iterator[Metric]:
        waited = Metric("herald_links_redirect_seconds", "From a request for a short link to its answer", "histogram")
        add_histogram(waited, {}, LATENCY_BUCKETS, self._counts, self._sum, dict(self._exemplars))
        yield waited
        answers = Metric("herald_links_answers", "Requests for short links by the status of the answer", "counter")
        for status, count in sorted(dict(self._answers).items()):
            answers.add_sample("herald_links_answers_total", {"status": str(status)}, count)
        yield answers
