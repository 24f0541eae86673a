"""What spans, metrics and logs may say: nothing of persons.

Libraries describe what they saw: addresses with their queries, visitors, browsers, the text of errors with the values
that caused them. Only the attributes listed here leave a process; what a newer library adds stays inside until it is
listed.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiokafka.errors import KafkaError
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Link, SpanKind, Status
from pymongo.errors import AutoReconnect, OperationFailure
from redis.exceptions import ConnectionError as RedisAway
from redis.exceptions import TimeoutError as RedisTimeout

HTTP: Final = frozenset(
    {
        "error.type",
        "http.flavor",
        "http.method",
        "http.request.method",
        "http.request.resend_count",
        "http.response.status_code",
        "http.route",
        "http.scheme",
        "http.status_code",
        "network.protocol.version",
        "url.scheme",
    }
)
SPAN_ATTRIBUTES: Final = HTTP | {
    "cloudevents.event_type",
    "db.collection.name",
    "db.mongodb.collection",
    "db.name",
    "db.namespace",
    "db.operation",
    "db.operation.name",
    "db.redis.args_length",
    "db.redis.pipeline_length",
    "db.system",
    "db.system.name",
    "exception.type",
    "herald.program.id",
    "messaging.batch.message_count",
    "messaging.consumer.group.name",
    "messaging.destination.name",
    "messaging.destination.partition.id",
    "messaging.kafka.offset",
    "messaging.message.id",
    "messaging.operation.name",
    "messaging.operation.type",
    "messaging.system",
}
CALLED: Final = frozenset({"net.peer.name", "net.peer.port", "server.address", "server.port"})
"""Whom we call. The same names on a server's span are what a visitor sent or where they are."""
METRIC_ATTRIBUTES: Final = HTTP | {"http.target"}
"""Of the metrics of libraries. `http.target` is the route there, not the address."""

_QUOTES_NO_VALUE: Final = (AutoReconnect, KafkaError, RedisAway, RedisTimeout, OSError)


class ScrubbingExporter(SpanExporter):
    """Hands spans on without what is not listed."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([scrubbed(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def scrubbed(span: ReadableSpan) -> ReadableSpan:
    """The span with the listed attributes alone; errors by their type, without their text."""
    allowed = SPAN_ATTRIBUTES | CALLED if span.kind is SpanKind.CLIENT else SPAN_ATTRIBUTES
    return ReadableSpan(
        name=span.name,
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        attributes=_listed(span.attributes, allowed),
        events=[Event(one.name, _listed(one.attributes, allowed), one.timestamp) for one in span.events],
        links=[Link(link.context) for link in span.links],
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _listed(attributes: Mapping[str, Any] | None, allowed: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in (attributes or {}).items() if name in allowed}


def format_error(error: BaseException) -> str:
    """A traceback whose errors are named by their type.

    Their text is left out, since it may quote the value that caused them, unless they are of a kind that tells of
    connections alone.
    """
    lines: list[str] = []
    _format(error, lines, set())
    return "".join(lines).rstrip("\n")


def _format(error: BaseException, lines: list[str], seen: set[int]) -> None:
    seen.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in seen:
        _format(before, lines, seen)
        lines.append("\nwhich led to:\n\n")
    lines.append("Traceback (most recent call last):\n")
    lines += traceback.format_tb(error.__traceback__)
    lines.append(f"{_described(error)}\n")
    for one in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        if id(one) not in seen:
            lines.append("\nof which:\n\n")
            _format(one, lines, seen)


def _described(error: BaseException) -> str:
    kind = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    if isinstance(error, OperationFailure):
        return f"{kind}: {error_type(error)}"
    return f"{kind}: {error}" if isinstance(error, _QUOTES_NO_VALUE) else kind


def error_type(error: OperationFailure) -> str:
    """MongoDB's name of the failure, and its code."""
    return " ".join(str(one) for one in ((error.details or {}).get("codeName"), error.code) if one)
