"""The cap on dead letters: a bad deployment cannot empty a topic into dead letters at full speed.

A token bucket: `burst` records at once (or four seconds' worth, if that is more), then `per_second`. Nothing waits
here. The consumer asks how much room there is, pauses the partitions whose next record finds none, and resumes them
when there is room again. An operator lifts the cap for a while with `herald deadletters resume`, which leaves a row in
the service's database.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

COLLECTION = "dead_letter_cap"
LIFTED = "lifted"
WORTH_SECONDS = 2.0
"""Paused partitions are resumed for so many seconds' worth of dead letters: each is fetched again for its turn."""
HELD_SECONDS = 4.0


class DeadLetterCap:
    """The bucket of one process. Its rate is that of the settings, or the one an operator set for a while."""

    def __init__(self, *, burst: int, per_second: float) -> None:
        self._burst = burst
        self._usual = per_second
        self._rate = per_second
        self._tokens = float(burst)
        self._at = time.monotonic()

    @property
    def _size(self) -> float:
        return max(self._burst, self._rate * HELD_SECONDS)

    def room(self) -> int:
        """How many records may be dead-lettered now."""
        now = time.monotonic()
        self._tokens = min(self._size, self._tokens + (now - self._at) * self._rate)
        self._at = now
        return max(0, int(self._tokens))

    def spend(self, count: int) -> None:
        """So many were dead-lettered."""
        self._tokens -= count

    @property
    def seconds_until_worth_it(self) -> float:
        """How long until paused partitions are to be resumed; 0 when they are."""
        missing = max(1.0, self._rate * WORTH_SECONDS) - self.room()
        return max(0.0, missing / self._rate)

    def lift(self, per_second: float | None) -> None:
        """Another rate from now on; None for the usual one."""
        self.room()
        self._rate = per_second or self._usual


async def lifted(db: AsyncDatabase[dict[str, Any]], now: datetime) -> float | None:
    """The rate that an operator set, while it holds. Raises PyMongoError."""
    row = await db[COLLECTION].find_one({"_id": LIFTED, "until": {"$gt": now}})
    return float(row["per_second"]) if row is not None else None


async def lift(
    db: AsyncDatabase[dict[str, Any]],
    *,
    per_second: float,
    until: datetime,
    by: str,
    session: AsyncClientSession | None = None,
) -> None:
    """Have every process of the service dead-letter at another rate until then. Raises PyMongoError."""
    state = {"per_second": per_second, "until": until, "by": by}
    await db[COLLECTION].update_one({"_id": LIFTED}, {"$set": state}, upsert=True, session=session)
