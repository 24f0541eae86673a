"""Engagements to figures: facts, counters, offsets and what moved, one transaction a batch."""

from __future__ import annotations

from functools import partial

from bench.consuming import PACKAGES, comparison
from bench.frame import Bench, Size

SAME = {"facts": "quantity", "totals": "click_counted", "person_days": "click_counted"}
BENCH = Bench(
    name="metrics",
    counted="engagements to figures: raw aiokafka and the same MongoDB writes",
    unit="events/s",
    aim=0.8,
    size=Size(rounds=3, events=60_000),
    packages=PACKAGES,
    open=partial(comparison, "metrics", SAME),
)
