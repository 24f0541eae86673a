"""Traces and metrics of one service: OpenTelemetry providers of its own, nothing global, nothing of persons."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import Counter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
from opentelemetry.trace import SpanContext
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import CollectorRegistry

from chassis.settings import Settings
from chassis.telemetry.exposition import OtelCollector, encode
from chassis.telemetry.scrubbing import METRIC_ATTRIBUTES, ScrubbingExporter

CLOSE_SECONDS = 2.0
_PROPAGATOR = TraceContextTextMapPropagator()
LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


def extract(traceparent: str | None, tracestate: str | None = None) -> Context:
    """The context that W3C headers carry; an empty one where they are missing or malformed."""
    carrier = {"traceparent": traceparent or "", "tracestate": tracestate or ""}
    return _PROPAGATOR.extract({name: value for name, value in carrier.items() if value}, context=Context())


def inject(context: Context | None = None) -> tuple[str | None, str | None]:
    """`traceparent` and `tracestate` of a context (the current one by default)."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier, context=context)
    return carrier.get("traceparent"), carrier.get("tracestate")


def recorded(traceparent: str | None) -> bool:
    """Whether what follows from it is to have spans: its trace is recorded, or there is none yet."""
    return traceparent is None or not traceparent.endswith(("00", "02"))


def span_context(context: Context) -> SpanContext:
    return trace.get_current_span(context).get_span_context()


class FileSpanExporter(SpanExporter):
    """Spans as JSON lines in a file; when it is full it becomes `<name>.1` and a new one begins."""

    def __init__(self, path: Path, *, max_bytes: int = 32 * 1024 * 1024) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._max_bytes = max_bytes
        self._lock = threading.Lock()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        lines = "".join(json.dumps(_plain(span), separators=(",", ":")) + "\n" for span in spans)
        try:
            with self._lock:
                if self._path.exists() and self._path.stat().st_size > self._max_bytes:
                    self._path.replace(self._path.with_suffix(self._path.suffix + ".1"))
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(lines)
        except OSError:
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS


def _plain(span: ReadableSpan) -> dict[str, Any]:
    context = span.get_span_context() or trace.INVALID_SPAN_CONTEXT
    return {
        "trace_id": f"{context.trace_id:032x}",
        "span_id": f"{context.span_id:016x}",
        "parent_id": f"{span.parent.span_id:016x}" if span.parent else None,
        "name": span.name,
        "kind": span.kind.name,
        "service": span.resource.attributes.get("service.name"),
        "start": span.start_time,
        "end": span.end_time,
        "status": span.status.status_code.name,
        "attributes": dict(span.attributes or {}),
        "links": [
            {"trace_id": f"{link.context.trace_id:032x}", "span_id": f"{link.context.span_id:016x}"}
            for link in span.links
        ],
    }


class Telemetry:
    """A service's tracer, its meter and what `/metrics` shows of it."""

    def __init__(self, service: str, settings: Settings) -> None:
        resource = Resource.create({"service.name": service, "service.namespace": "herald"})
        self.service = service
        self.tracer_provider = TracerProvider(
            resource=resource, sampler=ParentBasedTraceIdRatio(settings.trace_ratio), shutdown_on_exit=False
        )
        exporter = _exporter(settings)
        if exporter is not None:
            self.tracer_provider.add_span_processor(
                BatchSpanProcessor(ScrubbingExporter(exporter), schedule_delay_millis=500, max_queue_size=20_000)
            )
        reader = InMemoryMetricReader()
        self.registry = CollectorRegistry()
        self.meter_provider = MeterProvider(
            metric_readers=[reader],
            resource=resource,
            views=[
                View(
                    instrument_name="herald.*.seconds",
                    aggregation=ExplicitBucketHistogramAggregation(LATENCY_BUCKETS),
                ),
                View(instrument_name="http.*", attribute_keys=set(METRIC_ATTRIBUTES)),
            ],
            shutdown_on_exit=False,
        )
        self.registry.register(OtelCollector(reader))
        self.tracer = self.tracer_provider.get_tracer("herald")
        self.meter = self.meter_provider.get_meter("herald")

    def counter(self, name: str, description: str, **first: str) -> Counter:
        """A counter that is exported from the start, at 0 with the attributes `first`: Prometheus sees the first
        increase only if it saw the 0 before."""
        counter = self.meter.create_counter(name, description=description)
        counter.add(0, first)
        return counter

    def close(self) -> None:
        """Hand over what is still buffered, for at most 2 s: with a dead collector the SDK's own time-outs do not
        hold (`force_flush` takes none, `shutdown` waits for 30 s)."""
        ending = threading.Thread(target=self._shut_down, daemon=True)
        ending.start()
        ending.join(CLOSE_SECONDS)

    def _shut_down(self) -> None:
        self.tracer_provider.shutdown()
        self.meter_provider.shutdown()


def _exporter(settings: Settings) -> SpanExporter | None:
    if settings.otlp_endpoint:
        return OTLPSpanExporter(settings.otlp_endpoint.rstrip("/") + "/v1/traces", timeout=5)
    if settings.spans_file:
        return FileSpanExporter(settings.spans_file)
    return None


def exposition(telemetries: Iterable[Telemetry], accept: str = "") -> tuple[bytes, str]:
    """All metrics, told apart by the label `service`, and their media type: OpenMetrics with exemplars where `accept`
    (a header) asks for it, or else Prometheus' text format."""
    return encode({telemetry.service: telemetry.registry for telemetry in telemetries}, accept)
