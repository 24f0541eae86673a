"""Nothing that a library says of persons leaves a process: spans, metrics and logs."""

from __future__ import annotations

import json
import logging
from typing import Any

import pydantic
import pytest
from aiokafka.errors import KafkaConnectionError
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanKind, StatusCode
from pymongo.errors import DuplicateKeyError

from chassis.settings import Settings
from chassis.telemetry.logs import JsonFormatter
from chassis.telemetry.otel import Telemetry, exposition
from chassis.telemetry.scrubbing import CALLED, SPAN_ATTRIBUTES, ScrubbingExporter

SECRET = "jane.doe@corp.example"
PERSONAL = (
    "client.address", "http.client_ip", "http.host", "http.target", "http.url", "http.user_agent", "net.peer.ip",
    "network.peer.address", "url.full", "url.path", "url.query", "user_agent.original", "db.statement",
    "db.query.text", "exception.message", "exception.stacktrace", "anything.new",
)  # fmt: skip


def exported(kind: SpanKind, attributes: dict[str, Any]) -> Any:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(ScrubbingExporter(exporter)))
    tracer = provider.get_tracer("test")
    with tracer.start_as_current_span("before") as before:
        pass
    with tracer.start_as_current_span("GET", kind=kind, links=[Link(before.get_span_context(), {"who": SECRET})]) as it:
        it.set_attributes(attributes)
        it.add_event("asked", {"url.full": SECRET, "exception.type": "KeyError"})
        it.record_exception(KeyError(SECRET))
        it.set_status(StatusCode.ERROR, SECRET)
    return exporter.get_finished_spans()[1]


@pytest.mark.parametrize("kind", list(SpanKind))
def test_a_span_says_what_is_listed_and_nothing_else(kind: SpanKind) -> None:
    span = exported(kind, {**dict.fromkeys(PERSONAL, SECRET), **dict.fromkeys(SPAN_ATTRIBUTES, "kept")})
    assert SECRET not in span.to_json()
    assert set(span.attributes) == SPAN_ATTRIBUTES
    assert span.status.status_code is StatusCode.ERROR
    assert [dict(event.attributes) for event in span.events] == [
        {"exception.type": "KeyError"},
        {"exception.type": "KeyError"},
    ]
    assert len(span.links) == 1


def test_whom_we_call_is_said_and_what_a_visitor_calls_us_is_not() -> None:
    called = dict.fromkeys(CALLED, "www.example.com")
    assert exported(SpanKind.CLIENT, called).attributes == called
    assert exported(SpanKind.SERVER, called).attributes == {}


def test_a_metric_of_a_library_says_the_route_and_no_host() -> None:
    telemetry = Telemetry("test", settings())
    meter = telemetry.meter_provider.get_meter("opentelemetry.instrumentation.asgi")
    said = {"http.host": SECRET, "http.server_name": SECRET, "net.host.name": SECRET, "http.target": "/v1/people/{id}"}
    meter.create_histogram("http.server.duration").record(1, said)
    text = exposition([telemetry])[0].decode()
    assert 'http_target="/v1/people/{id}"' in text
    assert SECRET not in text


def settings() -> Settings:
    return Settings(
        kafka_bootstrap="k:1", mongo_url="mongodb://m", redis_url="redis://r", public_url="http://h", issuer="http://i"
    )


class Form(pydantic.BaseModel):
    age: int


def failures() -> list[BaseException]:
    """Errors of the kinds that quote what they were given."""
    found: list[BaseException] = [
        KeyError(SECRET),
        ValueError(f"invalid literal: {SECRET}"),
        DuplicateKeyError(f"E11000 dup key: {SECRET}", 11000, {"codeName": "DuplicateKey", "keyValue": SECRET}),
        ExceptionGroup(SECRET, [ValueError(SECRET)]),
    ]
    with pytest.raises(pydantic.ValidationError) as caught:
        Form.model_validate({"age": SECRET})
    return [*found, caught.value]


@pytest.mark.parametrize("error", failures(), ids=lambda error: type(error).__name__)
def test_a_log_names_an_error_and_where_it_was_raised_without_its_text(error: BaseException) -> None:
    line = logged(error)
    assert SECRET not in line
    assert type(error).__name__ in line
    assert "_raise" in line
    assert "TypeError" in line


def test_the_text_of_an_error_that_tells_of_a_connection_is_kept() -> None:
    assert "broker:9092 is away" in logged(KafkaConnectionError("broker:9092 is away"))


def test_a_task_that_fails_unseen_is_logged_without_its_error() -> None:
    message = f"Task exception was never retrieved\nfuture: <Task exception=ValueError('{SECRET}')>"
    line = JsonFormatter().format(logging.makeLogRecord({"name": "asyncio", "msg": message}))
    assert json.loads(line)["message"] == "Task exception was never retrieved"


def logged(error: BaseException) -> str:
    def _raise() -> None:
        try:
            raise error
        except BaseException as cause:
            raise TypeError(SECRET) from cause

    try:
        _raise()
    except TypeError as raised:
        record = logging.makeLogRecord({"name": "x", "msg": "it failed", "exc_info": (type(raised), raised, None)})
        return JsonFormatter().format(record)
    raise AssertionError
