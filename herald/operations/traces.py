"""Traces as operators look for them: by their id in the local span files or in Jaeger, or by a post in Kafka."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from chassis.kafka.topic_reader import read_topic
from chassis.settings import StoreSettings
from chassis.telemetry.otel import extract, span_context
from herald_contracts import PostShared, Undecodable, decode

JAEGER_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Span:
    """A span; times in nanoseconds since 1970."""

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    kind: str
    service: str
    start: int
    end: int
    status: str
    attributes: dict[str, Any]
    links: list[dict[str, str]]

    @property
    def milliseconds(self) -> float:
        return (self.end - self.start) / 1e6


def read_spans(folder: Path, trace_id: str = "") -> list[Span]:
    """The spans of a trace, or of all, in the local files, by start, without repeats."""
    found: dict[str, Span] = {}
    for line in _lines(folder):
        if trace_id in line:
            raw = json.loads(line)
            if trace_id in ("", raw["trace_id"]):
                found[raw["span_id"]] = Span(**raw)
    return sorted(found.values(), key=lambda span: span.start)


def _lines(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("*.jsonl*")):
        with path.open(encoding="utf-8") as file:
            for line in file:
                if line.endswith("\n"):
                    yield line


# --- Jaeger ----------------------------------------------------------------------------------------------------------


def ask_jaeger(url: str, trace_id: str) -> list[Span]:
    """The spans of a trace that Jaeger keeps, by start; none where it keeps no such trace. Raises httpx.HTTPError."""
    answer = httpx.get(f"{url.rstrip('/')}/api/traces/{trace_id}", timeout=JAEGER_SECONDS)
    if answer.status_code == 404:
        return []
    return spans_of_jaeger(answer.raise_for_status().json()["data"])


def spans_of_jaeger(traces: Iterable[Mapping[str, Any]]) -> list[Span]:
    """The spans of Jaeger's answer to `/api/traces`, by start."""
    found = [_span(raw, trace["processes"]) for trace in traces for raw in trace["spans"]]
    return sorted(found, key=lambda span: span.start)


def _span(raw: Mapping[str, Any], processes: Mapping[str, Any]) -> Span:
    tags = {tag["key"]: tag["value"] for tag in raw["tags"]}
    kind, status = tags.pop("span.kind", "internal"), tags.pop("otel.status_code", "UNSET")
    failed = tags.pop("error", False)
    # Of a parent that a span links to as well, as a consumer's does, Jaeger keeps the link alone.
    parents = [one["spanID"] for one in raw["references"] if one["refType"] == "CHILD_OF"] or [
        one["spanID"] for one in raw["references"] if one["traceID"] == raw["traceID"]
    ]
    links = [one for one in raw["references"] if one["refType"] != "CHILD_OF"]
    start = raw["startTime"] * 1000
    return Span(
        trace_id=raw["traceID"].zfill(32),
        span_id=raw["spanID"],
        parent_id=parents[0] if parents else None,
        name=raw["operationName"],
        kind=kind.upper(),
        service=processes[raw["processID"]]["serviceName"],
        start=start,
        end=start + raw["duration"] * 1000,
        status="ERROR" if failed else status,
        attributes=tags,
        links=[{"trace_id": one["traceID"].zfill(32), "span_id": one["spanID"]} for one in links],
    )


# --- from a post -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fact:
    """What happened to a post, when, and the trace that it happened in, where it is recorded."""

    event_type: str
    at: datetime
    trace_id: str | None


async def facts_of_post(settings: StoreSettings, post_id: str) -> list[Fact]:
    """What Kafka holds of a post, in order; the first is what the tap on "share" caused.

    The topic is read whole: about 50,000 records a second. Raises KafkaError, TimeoutError.
    """
    found = []
    wanted = ("ce_subject", post_id.encode())
    async for record in read_topic(settings.kafka_options(), settings.topic(PostShared.topic)):
        if wanted not in record.headers:
            continue
        try:
            event = decode(record.headers, record.value)
        except Undecodable:
            continue
        context = span_context(extract(event.traceparent))
        trace_id = f"{context.trace_id:032x}" if context.is_valid else None
        found.append(Fact(event.type, event.time, trace_id))
    return sorted(found, key=lambda fact: fact.at)
