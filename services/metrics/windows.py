"""Windows that are kept up to date: opened by one read of everything, then moved on by what changed."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import dataclass, field

from chassis.mongo import Document
from chassis.tasks import yielding
from services.metrics.domain.periods import Period
from services.metrics.domain.window import Base, Person, Window
from services.metrics.learning.store import LessonsCompleted
from services.metrics.store.changes import FiguresVersion
from services.metrics.store.facts import Store, person_of

MAX_WINDOWS = 256
MAX_CHANGES = 2_000
"""Beyond so many changes at once, reading everything costs less."""
FRESH_SECONDS = 600.0
"""A window is opened anew after this: what moves no version (a person's country, who leads) is then seen."""


@dataclass(slots=True)
class _Entry:
    window: Window | None = None
    opened: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Windows:
    """The windows that this process looks at, the least used forgotten first. They show no group of fewer than `least`
    people."""

    def __init__(self, store: Store, lessons: LessonsCompleted, least: int) -> None:
        self._store = store
        self._lessons = lessons
        self._least = least
        self._entries: OrderedDict[tuple[str, Period], _Entry] = OrderedDict()

    async def at_version(self, program: Document, period: Period, version: FiguresVersion) -> Window:
        """The window with at least the changes up to `version`. Read it before the next await: others move it on."""
        key = (program["_id"], period)
        entry = self._entries.setdefault(key, _Entry())
        self._entries.move_to_end(key)
        while len(self._entries) > MAX_WINDOWS:
            self._entries.popitem(last=False)
        async with entry.lock:
            window = entry.window
            if window is None or time.monotonic() - entry.opened > FRESH_SECONDS:
                window = None
            elif window.version < version.number:
                window = await self._advance(program, window, version)
            if window is None:
                window, entry.opened = await self._open(program, period), time.monotonic()
            entry.window = window
            return window

    def forget(self) -> None:
        """Open every window anew when it is next asked for."""
        self._entries.clear()

    async def _open(self, program: Document, period: Period) -> Window:
        store, program_id = self._store, program["_id"]
        start, end = period.bounds(program["time_zone"])
        async with store.snapshot() as session:
            version = await store.changes.version_of(program_id, session)
            totals = store.sum_totals(program_id, period, ("day", "network"), session=session)
            counts = {(day, network): one async for (day, network), one in totals}
            clicked = ("shares", "click_counted")
            items = store.sum_totals(program_id, period, ("content_id",), fields=clicked, session=session)
            contents = {content: one async for (content,), one in items}
            persons = store.sum_persons(program_id, period, ("ambassador_id",), fields=("shares",), session=session)
            shares = {person: one.shares async for (person,), one in persons}
            enrolled = await store.enrolled(program_id, start, end, session=session)
            rows = await store.people(enrolled | shares.keys(), session=session)
            available = await store.published(program_id, start, end, session=session)
            rates = await store.rates.of_program(program_id, session)
            acts = await store.acts(program_id, period, session=session)
            lessons = await self._lessons.count(program_id, start, end, session=session)
            finished = await self._lessons.finished(program_id, end, session=session)
        ids = enrolled | shares.keys()
        people = {
            id: person_of(rows.get(id, {}), enrolled=id in enrolled, finished=id in finished)
            async for id in yielding(ids)
        }
        bounds = start.timestamp(), end.timestamp()
        base = Base(counts, contents, shares, people, available, rates, acts, lessons, bounds)
        return await asyncio.to_thread(Window, period, version.number, base, self._least)

    async def _advance(self, program: Document, window: Window, version: FiguresVersion) -> Window | None:
        """The window with the changes since; None where it must be opened anew."""
        after = window.version
        if version.number - after > MAX_CHANGES:
            return None
        async with aclosing(self._store.changes.between(program["_id"], after, version.number)) as changes:
            async for some in changes:
                expected = range(window.version + 1, window.version + 1 + len(some))
                if [number for number, _ in some] != list(expected) or any(change.reload for _, change in some):
                    return None
                ids = {id for _, change in some for id in window.people_of(change)}
                people = await self._people(program, window.period, ids) if ids else {}
                async for number, change in yielding(some):
                    window.apply(change, {id: people[id] for id in window.people_of(change)}, number)
        return window if window.version == version.number else None

    async def _people(self, program: Document, period: Period, ids: Iterable[str]) -> dict[str, Person]:
        start, end = period.bounds(program["time_zone"])
        asked = list(ids)
        enrolled = await self._store.enrolled(program["_id"], start, end, people=asked)
        rows = await self._store.people(asked)
        finished = await self._lessons.finished(program["_id"], end, people=asked)
        return {
            id: person_of(rows.get(id, {}), enrolled=id in enrolled, finished=id in finished)
            async for id in yielding(asked)
        }
