"""Lanes of the outbox that wait, and when each is tried again.

A lane is a topic and a key: the events of one aggregate, whose order is kept. A lane that Kafka does not take waits by
itself and no other does. Where a topic is missing or refused, all of its lanes wait together.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from chassis.mongo import Document

Lane = tuple[str, bytes]
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
"""Seconds until a lane is tried again; doubled each time."""
MOST_LANES = 1000
"""With more waiting lanes their topics wait as a whole: each waiting lane is named in every read of the outbox."""


def lane_of(row: Document) -> Lane:
    return row["topic"], bytes(row["key"])


@dataclass(slots=True)
class _Pause:
    seconds: float
    until: float


class WaitingLanes:
    """What a relay remembers of lanes, and of whole topics by their name; a new relay finds out anew."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pauses: dict[Lane | str, _Pause] = {}

    def __len__(self) -> int:
        return len(self._pauses)

    def wait(self, what: Lane | str) -> None:
        """It is not to be read until it was tried again with success."""
        before = self._pauses.get(what)
        seconds = FIRST_PAUSE if before is None else min(LONGEST_PAUSE, before.seconds * 2)
        self._pauses[what] = _Pause(seconds, self._clock() + seconds)
        if isinstance(what, str):
            for lane in [one for one in self._lanes() if one[0] == what]:
                del self._pauses[lane]
        elif len(lanes := self._lanes()) > MOST_LANES:
            for topic in {topic for topic, _ in lanes}:
                self.wait(topic)

    def _lanes(self) -> list[Lane]:
        return [one for one in self._pauses if not isinstance(one, str)]

    def due(self) -> list[Lane | str]:
        """What is to be tried now."""
        now = self._clock()
        return [one for one, pause in self._pauses.items() if pause.until <= now]

    def resume(self, what: Lane | str) -> None:
        """It may be read again."""
        self._pauses.pop(what, None)

    def query(self) -> Document:
        """A filter of the rows that do not wait."""
        if not self._pauses:
            return {}
        topics = [one for one in self._pauses if isinstance(one, str)]
        keys: dict[str, list[bytes]] = defaultdict(list)
        for topic, key in self._lanes():
            keys[topic].append(key)
        others = {"topic": {"$nin": [*topics, *keys]}}
        return {"$or": [others, *({"topic": topic, "key": {"$nin": some}} for topic, some in keys.items())]}
