"""What a person wrote a moment ago, as the events that it caused: whatever is asked for them next waits for these.

See `chassis/web/read_after_write.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

KEPT_SECONDS = 30.0
MAX_EVENTS = 8


def recent(events: Iterable[str], now: datetime) -> list[str]:
    """The last events that happened within half a minute, each once, by the time in their ids (UUIDv7)."""
    earliest = now.timestamp() - KEPT_SECONDS
    return [one for one in dict.fromkeys(events) if _time_of(one) >= earliest][-MAX_EVENTS:]


def _time_of(event: str) -> float:
    try:
        return int(event.rpartition("/")[2].replace("-", "")[:12], 16) / 1000
    except ValueError:
        return 0.0
