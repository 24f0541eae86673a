"""Windows that are kept up to date: opened by one read of everything, then moved on by what changed."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from chassis.mongo import Document
from services.metrics.domain.periods import Period
from services.metrics.domain.window import Base, Person, Window
from services.metrics.store import FiguresVersion, Store, person_of

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
    """The windows that this process looks at, the least used forgotten first."""

    def __init__(self, store: Store) -> None:
        self._store = store
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
            version = await store.version_of(program_id, session)
            counts = await store.sum_totals(program_id, period, ("day", "network"), session=session)
            contents = await store.sum_totals(
                program_id, period, ("content_id",), fields=("shares", "click_counted"), session=session
            )
            shares = await store.sum_persons(
                program_id, period, ("ambassador_id",), fields=("shares",), session=session
            )
            enrolments = await store.enrolments_of(program_id, start, end, session=session)
            enrolled = {one.person_id for one in enrolments}
            rows = await store.people(enrolled | {key[0] for key in shares}, session=session)
            available = await store.published(program_id, start, end, session=session)
            rates = await store.rates_of(program_id, session)
        ids = enrolled | {key[0] for key in shares}
        base = Base(
            counts={(day, network): one for (day, network), one in counts.items()},
            contents={key[0]: one for key, one in contents.items()},
            shares={key[0]: one.shares for key, one in shares.items()},
            people={id: person_of(rows.get(id, {}), enrolled=id in enrolled) for id in ids},
            available=available,
            rates=rates,
        )
        return Window(period, version.number, base)

    async def _advance(self, program: Document, window: Window, version: FiguresVersion) -> Window | None:
        """The window with the changes since; None where it must be opened anew."""
        missing = version.number - window.version
        if missing > MAX_CHANGES:
            return None
        changes = await self._store.changes_between(program["_id"], window.version, version.number)
        if len(changes) != missing or any(change.reload for _, change in changes):
            return None
        ids: set[str] = set()
        for _, change in changes:
            ids |= window.people_of(change)
        people = await self._people(program, window.period, ids) if ids else {}
        for number, change in changes:
            window.apply(change, {id: people[id] for id in window.people_of(change)}, number)
        return window

    async def _people(self, program: Document, period: Period, ids: Iterable[str]) -> dict[str, Person]:
        start, end = (moment.timestamp() for moment in period.bounds(program["time_zone"]))
        asked = list(ids)
        enrolments = await self._store.enrolments_of_people(program["_id"], asked)
        enrolled = {one.person_id for one in enrolments if one.overlaps(start, end)}
        rows = await self._store.people(asked)
        return {id: person_of(rows.get(id, {}), enrolled=id in enrolled) for id in asked}
