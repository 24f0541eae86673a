"""Engagements to points: ledger, balances, a day's totals, what is announced of them, one transaction a batch."""

from __future__ import annotations

from functools import partial

from bench.consuming import PACKAGES, comparison
from bench.frame import Bench, Size

SAME = {"ledger": "points", "balances": "points", "inbox": "at"}
BENCH = Bench(
    name="gamification",
    counted="engagements to points: raw aiokafka and the same MongoDB writes",
    unit="events/s",
    aim=0.8,
    size=Size(rounds=3, events=40_000),
    packages=PACKAGES,
    open=partial(comparison, "gamification", SAME),
)
