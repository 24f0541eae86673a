"""Files of history between their upload and the end of their import: collections `history_imports`, `history_chunks`.

Rows are kept in chunks of what one request takes. The open page drives the import on, some seconds at a
time, under their own rights; another may go on where one stopped. What is not finished goes away after a day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import orjson
from bson.binary import Binary

from chassis.clock import Clock
from chassis.ids import new_id
from chassis.mongo import Document, Mongo
from chassis.mongo.rows import read
from chassis.offload import Offload, TooMuchWork
from services.hub.history.formats import LineError, Row, Unreadable
from services.hub.history.importer import File, Report
from services.hub.history.reading import read_history

MAX_ROWS: Final = 100_000
"""What a browser can bring; `herald history import` brings more."""
KEPT: Final = timedelta(days=1)
_REPORTS: Final = ("unread", "report", "preview")
Phase = Literal["preview", "previewed", "import", "done"]


class TooMany(ValueError):
    """More rows than a browser can bring."""


@dataclass(frozen=True, slots=True)
class Staged:
    """An import: `next` of `chunks` is what is to be done in this phase. `unread` is what was no row, `preview` what
    the preview came to, `report` what this phase came to so far."""

    id: str
    program_id: str
    source: str
    files: tuple[str, ...]
    created_by: str
    created_at: datetime
    chunks: int
    rows: int
    phase: Phase
    next: int
    unread: Report
    report: Report
    preview: Report

    @property
    def going(self) -> bool:
        return self.phase in ("preview", "import")

    @property
    def confirmable(self) -> bool:
        return self.phase == "previewed" and self.preview.new.total() > 0


class Staging:
    """Where imports wait."""

    def __init__(self, mongo: Mongo, clock: Clock, offload: Offload) -> None:
        self._imports = mongo.db["history_imports"]
        self._chunks = mongo.db["history_chunks"]
        self._clock = clock
        self._offload = offload

    async def ensure_indexes(self) -> None:
        await self._imports.create_index("expires_at", expireAfterSeconds=0)
        await self._chunks.create_index("expires_at", expireAfterSeconds=0)

    async def add(self, files: Sequence[File], *, program_id: str, time_zone: str, source: str, by: str) -> Staged:
        """Read files and set their rows aside. Raises Unreadable, TooMany."""
        now = self._clock.now()
        id, expires_at = new_id(), now + KEPT
        named = [[file.name, len(file.data)] for file in files]
        said = {"files": named, "time_zone": time_zone, "now": now, "most": MAX_ROWS}
        count = rows = 0
        unread = Report()
        try:
            async with self._offload.stream(read_history, b"".join(file.data for file in files), **said) as items:
                async for item in items:
                    if isinstance(item, dict):
                        unread = _unread(item)
                        continue
                    size, piece = item
                    await self._chunks.insert_one(
                        {"_id": f"{id}:{count}", "rows": Binary(piece.encode()), "expires_at": expires_at}
                    )
                    count, rows = count + 1, rows + size
        except TooMuchWork:
            raise TooMany from None
        staged = Staged(
            id=id,
            program_id=program_id,
            source=source,
            files=tuple(file.name for file in files),
            created_by=by,
            created_at=now,
            chunks=count,
            rows=rows + unread.refused.total(),
            phase="preview" if count else "previewed",
            next=0,
            unread=unread,
            report=unread,
            preview=unread,
        )
        await self._imports.insert_one({**_document(staged), "expires_at": expires_at})
        return staged

    async def find(self, id: str) -> Staged | None:
        row = await self._imports.find_one({"_id": id})
        return _staged(row) if row else None

    async def chunk(self, staged: Staged) -> list[Row]:
        """The rows that are to be done next. Raises LookupError where they are gone."""
        row = await self._chunks.find_one({"_id": f"{staged.id}:{staged.next}"})
        if row is None:
            raise LookupError(staged.id)
        return [Row(*values) for values in orjson.loads(row["rows"])]

    async def advance(self, staged: Staged, came_to: Report) -> Staged:
        """The import after its next chunk; as another request left it where that was quicker."""
        report = _copy(staged.report)
        report.add(came_to)
        after = replace(staged, next=staged.next + 1, report=report)
        if after.next == after.chunks and after.phase == "preview":
            after = replace(after, phase="previewed", preview=report)
        elif after.next == after.chunks:
            after = replace(after, phase="done")
        return await self._replace(staged, after)

    async def confirm(self, staged: Staged) -> Staged:
        """Have the rows imported; what is going on or done stays as it is."""
        if not staged.confirmable:
            return staged
        return await self._replace(staged, replace(staged, phase="import", next=0, report=_copy(staged.unread)))

    async def _replace(self, before: Staged, after: Staged) -> Staged:
        held = {"_id": before.id, "phase": before.phase, "next": before.next}
        change = {name: value for name, value in _document(after).items() if name != "_id"}
        found = await self._imports.update_one(held, {"$set": change})
        return after if found.matched_count else await self.find(before.id) or after


def _unread(item: dict[str, Any]) -> Report:
    """What was no row. Raises Unreadable, TooMany."""
    if "unreadable" in item:
        raise Unreadable(*(LineError(**error) for error in item["unreadable"]))
    if "too_many" in item:
        raise TooMany
    return _report(item)


def _document(staged: Staged) -> Document:
    plain = {name: getattr(staged, name) for name in Staged.__slots__ if name not in _REPORTS}
    document: Document = {**plain, **{name: _row(getattr(staged, name)) for name in _REPORTS}}
    return {"_id": document.pop("id"), **document, "files": list(staged.files)}


def _staged(row: Document) -> Staged:
    return read(Staged, row, **{name: _report(row[name]) for name in _REPORTS})


def _row(report: Report) -> Document:
    counts = {name: dict(getattr(report, name)) for name in ("new", "known", "refused")}
    return {**counts, "errors": [asdict(error) for error in report.errors]}


def _report(row: Document) -> Report:
    errors = [LineError(**error) for error in row["errors"]]
    return Report(Counter(row["new"]), Counter(row["known"]), Counter(row["refused"]), errors)


def _copy(report: Report) -> Report:
    return _report(_row(report))
