"""For whom something was asked a moment ago, in this process."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime

REMEMBERED = 10_000


class Asked:
    """Names with when each was noted last; the oldest are forgotten beyond 10,000."""

    def __init__(self) -> None:
        self._at: OrderedDict[str, datetime] = OrderedDict()

    def note(self, name: str, now: datetime) -> None:
        self._at[name] = now
        self._at.move_to_end(name)
        if len(self._at) > REMEMBERED:
            self._at.popitem(last=False)

    def within(self, seconds: float, name: str, now: datetime) -> bool:
        """Whether it was noted in the last so many seconds."""
        at = self._at.get(name)
        return at is not None and (now - at).total_seconds() <= seconds
