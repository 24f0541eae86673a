"""A wave beside the wave before, as its page shows them."""

from __future__ import annotations

from typing import Any

import pytest

from services.hub.pages.waves import compared

SHOWN: dict[str, Any] = {"status": "shown", "value": 0.6, "low": 0.4, "high": 0.8}
NONE: dict[str, Any] = {"status": "too_early", "value": None}


def figures(**differences: Any) -> dict[str, Any]:
    of_wave = {"participation": SHOWN, "retention": NONE, "enps": NONE}
    return {**of_wave, "before": of_wave, "differences": differences}


@pytest.mark.parametrize(("target", "reached"), [(0.6, True), (0.61, False), (None, None)])
def test_a_target_is_reached_or_not_where_there_is_a_figure(target: float | None, reached: bool | None) -> None:
    targets = {} if target is None else dict.fromkeys(("participation", "retention"), target)
    participation, retention, _ = compared(figures(), targets)
    assert participation.reached is reached
    assert retention.reached is None


@pytest.mark.parametrize(
    ("low", "high", "clear"), [(0.01, 0.2, True), (-0.3, -0.01, True), (0.0, 0.2, False), (-0.1, 0.2, False)]
)
def test_a_difference_is_clear_where_its_interval_does_not_hold_nothing(low: float, high: float, clear: bool) -> None:
    found = compared(figures(participation={"value": (low + high) / 2, "low": low, "high": high}), {})
    assert [one.clear for one in found] == [clear, False, False]


def test_the_first_wave_stands_alone_and_without_metrics_there_is_nothing() -> None:
    [first, *_] = compared({**figures(), "before": None}, {})
    assert (first.before, first.difference, first.clear) == (None, None, False)
    assert compared(None, {}) == []
