"""Which clicks are traced."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from services.sharing.redirect import telemetry
from services.sharing.redirect.telemetry import Tracing


@pytest.mark.parametrize(("a_second", "traced"), [(20.0, 21), (1.0, 1), (0.0, 0)])
def test_a_second_of_clicks_has_its_traces_one_here_and_one_there(
    monkeypatch: pytest.MonkeyPatch, a_second: float, traced: int
) -> None:
    at = [100.0]
    monkeypatch.setattr(telemetry, "time", SimpleNamespace(monotonic=lambda: at[0]))
    runtime: Any = SimpleNamespace(telemetry=SimpleNamespace(tracer=TracerProvider().get_tracer("test")))
    tracing = Tracing(runtime, a_second)
    moments = []
    for click in range(1_000):
        at[0] = 100.0 + click / 1_000
        if tracing.begin("GET", {}, trusted=False) is not None:
            moments.append(click)
    assert len(moments) == traced
    assert all(later - first >= 40 for first, later in zip(moments, moments[2:], strict=False))
