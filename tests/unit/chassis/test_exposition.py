"""Metrics by their names for Prometheus; in OpenMetrics with the trace of what fell into a bucket."""

from __future__ import annotations

import json
import logging

from opentelemetry._logs import SeverityNumber
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as text_format

from chassis.settings import Settings
from chassis.telemetry.logs import JsonFormatter
from chassis.telemetry.otel import Telemetry, exposition
from chassis.telemetry.otlp_logs import OtlpHandler
from services.sharing.redirect.telemetry import Latency

SECRET = "jane.doe@corp.example"
OPEN_METRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"


def telemetry(service: str) -> Telemetry:
    return Telemetry(
        service,
        Settings(
            kafka_bootstrap="k:1",
            mongo_url="mongodb://m",
            redis_url="redis://r",
            public_url="http://h",
            issuer="http://i",
        ),
    )


def families_of(*telemetries: Telemetry) -> dict[str, Metric]:
    """What OpenMetrics says of them."""
    body, media_type = exposition(telemetries, OPEN_METRICS)
    assert media_type.startswith("application/openmetrics-text; version=1.0.0")
    return {family.name: family for family in open_metrics(body.decode())}  # type: ignore[no-untyped-call]


def measured() -> tuple[Telemetry, int]:
    """A service with a counter, a gauge of bytes, and a histogram of which one value was measured in a trace."""
    one = telemetry("sharing")
    one.counter("herald.test.things", "Things", kind="a").add(2, {"kind": "b"})
    one.meter.create_gauge("herald.test.size", unit="By").set(7)
    duration = one.meter.create_histogram("herald.test.seconds", unit="s")
    duration.record(0.3, {"route": "/x"})
    with one.tracer.start_as_current_span("GET /x") as span:
        duration.record(4.0, {"route": "/x"})
        trace_id = span.get_span_context().trace_id
    return one, trace_id


def test_openmetrics_leads_from_a_slow_bucket_to_its_trace() -> None:
    one, trace_id = measured()
    families = families_of(one)
    buckets = {s.labels["le"]: s for s in families["herald_test_seconds"].samples if s.name.endswith("_bucket")}
    found = buckets["5.0"].exemplar
    assert found is not None
    assert (found.labels["trace_id"], found.value) == (f"{trace_id:032x}", 4.0)
    assert [le for le, sample in buckets.items() if sample.exemplar] == ["5.0"]
    assert [buckets[le].value for le in ("0.25", "0.5", "2.5", "5.0", "+Inf")] == [0, 1, 1, 2, 2]
    assert {s.labels["kind"]: s.value for s in families["herald_test_things"].samples} == {"a": 0, "b": 2}
    assert [s.value for s in families["herald_test_size_bytes"].samples] == [7]


def test_without_asking_for_it_the_text_format_is_told() -> None:
    body, media_type = exposition([measured()[0]])
    assert media_type.startswith("text/plain; version=0.0.4")
    families = {family.name: family for family in text_format(body.decode())}
    assert families["herald_test_seconds"].type == "histogram"
    assert {s.name for s in families["herald_test_seconds"].samples if not s.name.endswith("_bucket")} == {
        "herald_test_seconds_count",
        "herald_test_seconds_sum",
    }
    assert " # {" not in body.decode()


def test_services_of_one_process_are_told_apart_and_the_process_is_told_once() -> None:
    one, other = measured()[0], telemetry("content")
    other.counter("herald.test.things", "Things", kind="a")
    families = families_of(one, other)
    assert {s.labels["service"] for s in families["herald_test_things"].samples} == {"sharing", "content"}
    assert [s.labels for s in families["process_cpu_seconds"].samples] == [{"service": "all"}]
    alone = {family.name: family for family in text_format(exposition([one])[0].decode())}
    assert [s.labels for s in alone["process_open_fds"].samples] == [{"service": "sharing"}]


def test_answers_to_visitors_are_counted_by_status_with_a_trace_where_there_is_one() -> None:
    one, latency = telemetry("sharing"), Latency()
    one.registry.register(latency)
    with TracerProvider().get_tracer("t").start_as_current_span("GET /l/{code}") as span:
        latency.observe(0.02, 302, None)
        latency.observe(0.3, 503, span)
    families = families_of(one)
    assert {s.labels["status"]: s.value for s in families["herald_links_answers"].samples} == {
        "302": 1, "500": 0, "503": 1,
    }  # fmt: skip
    [slow] = [s for s in families["herald_links_redirect_seconds"].samples if s.exemplar]
    assert slow.labels["le"] == "0.5"
    assert slow.exemplar is not None
    assert slow.exemplar.labels["trace_id"] == f"{span.get_span_context().trace_id:032x}"


def test_a_line_of_the_log_names_its_trace_and_one_outside_of_a_trace_names_none() -> None:
    record = logging.makeLogRecord({"name": "test", "msg": "done"})
    assert json.loads(JsonFormatter().format(record)).keys() == {"time", "level", "logger", "message"}
    with TracerProvider().get_tracer("t").start_as_current_span("POST /v1/posts") as span:
        line = json.loads(JsonFormatter().format(record))
    context = span.get_span_context()
    assert (line["trace_id"], line["span_id"]) == (f"{context.trace_id:032x}", f"{context.span_id:016x}")


def test_the_log_goes_to_the_collector_with_its_trace_and_without_the_text_of_errors() -> None:
    exporter = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
    handler = OtlpHandler("sharing", exporter)
    logger = logging.Logger("chassis.test")  # noqa: LOG001 - of its own, so that no other handler hears it
    logger.addHandler(handler)
    with TracerProvider().get_tracer("t").start_as_current_span("POST /v1/posts") as span:
        try:
            raise ValueError(SECRET)
        except ValueError:
            logger.exception("%d clicks could not be kept", 3)
    handler.emit(logging.makeLogRecord({"name": "opentelemetry.exporter", "msg": "the collector is away"}))
    handler.close()
    [sent] = exporter.get_finished_logs()
    record = sent.log_record
    assert (record.body, record.trace_id) == ("3 clicks could not be kept", span.get_span_context().trace_id)
    assert record.severity_number is SeverityNumber.ERROR
    assert record.attributes is not None
    assert "ValueError" in str(record.attributes["error"])
    assert SECRET not in str(record.attributes)
    assert sent.resource.attributes["service.name"] == "sharing"
