"""The end of telemetry when nobody takes it."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from chassis.telemetry import otel
from tests.bounds import bound


class Stuck(SpanExporter):
    """Takes a batch and never comes back with it."""

    def __init__(self) -> None:
        self.took = threading.Event()
        self.over = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.took.set()
        self.over.wait(30)
        return SpanExportResult.FAILURE


def test_a_collector_that_never_answers_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = Stuck()
    monkeypatch.setattr(otel, "_exporter", lambda _: stuck)
    settings: Any = SimpleNamespace(trace_ratio=1.0)
    told = otel.Telemetry("t", settings)
    for _ in range(600):
        told.tracer.start_span("s").end()
    assert stuck.took.wait(10)
    began = time.monotonic()
    told.close()
    assert time.monotonic() - began < bound(2 * otel.CLOSE_SECONDS)
    stuck.over.set()
