"""A whole import: files, read anew for each pass, so that only the rows of a request are in memory at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from services.hub.clients import ServiceUnavailable
from services.hub.history.formats import LineError, Row
from services.hub.history.importer import Announced, File, Importer, Report, by_kind, chunks

TRIES: Final = 6
"""How often a request is tried that a service is too busy for, or away; the last time after half a minute."""
Tell = Callable[[int, int], None]


class Plan:
    """What some files bring. Reading them raises Unreadable."""

    def __init__(self, files: Sequence[File], time_zone: str, now: datetime) -> None:
        self._sources: list[Callable[[], Iterator[Row | list[LineError]]]] = [
            partial(file.rows, time_zone, now) for file in files
        ]
        self._announced = Announced.of(self._rows())
        self.total = sum(1 for _ in self._rows())

    def _rows(self) -> Iterator[Row | list[LineError]]:
        return (row for source in self._sources for row in source())

    async def run(self, importer: Importer, *, preview: bool, tell: Tell | None = None) -> Report:
        """Hand everything on, as a preview or for good; `tell` hears how many rows of how many are done.

        Raises ApiError where a service does not answer for half a minute, or refuses the request as a whole.
        """
        report = Report()
        done = 0
        for _, rows in by_kind(self._sources):
            for piece in chunks(rows, report):
                marked = [self._announced.mark(row) for row in piece]
                report.add(await _with_retries(partial(importer.take, marked, preview=preview)))
                done += len(piece)
                if tell is not None:
                    tell(done, self.total)
        return report


async def _with_retries(work: Callable[[], Awaitable[Report]]) -> Report:
    for attempt in range(TRIES - 1):
        try:
            return await work()
        except ServiceUnavailable:
            await asyncio.sleep(2**attempt)
    return await work()
