"""Files of history as `chassis.offload` reads them: pieces of rows, in the order of kinds, then what was no row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any

import orjson

from services.hub.history.formats import LineError, Row, Unreadable
from services.hub.history.importer import Announced, File, Report, by_kind, chunks


class _TooMany(Exception):
    pass


def read_history(
    data: bytes, *, files: Sequence[tuple[str, int]], time_zone: str, now: str, most: int
) -> Iterator[Any]:
    """`[count, rows as JSON]` for each piece, then the report of what was no row; or else `{"unreadable": errors}`, or
    `{"too_many": most}` for a file of more rows.

    `files` are names and lengths of what `data` holds one after the other.
    """
    parts: list[File] = []
    at = 0
    for name, length in files:
        parts.append(File(name, data[at : at + length]))
        at += length
    moment = datetime.fromisoformat(now)
    sources = [partial(_counted, file, time_zone, moment, most) for file in parts]
    report = Report()
    try:
        announced = Announced.of(row for source in sources for row in source())
        for _, rows in by_kind(sources):
            for piece in chunks(rows, report):
                yield [len(piece), orjson.dumps([_values(announced.mark(row)) for row in piece]).decode()]
    except Unreadable as wrong:
        yield {"unreadable": [asdict(error) for error in wrong.errors]}
    except _TooMany:
        yield {"too_many": most}
    else:
        counts = {name: dict(getattr(report, name)) for name in ("new", "known", "refused")}
        yield {**counts, "errors": [asdict(error) for error in report.errors]}


def _counted(file: File, time_zone: str, now: datetime, most: int) -> Iterator[Row | list[LineError]]:
    for number, row in enumerate(file.rows(time_zone, now), 1):
        if number > most:
            raise _TooMany
        yield row


def _values(row: Row) -> list[Any]:
    return [row.kind, row.line, row.values, row.file, row.announced]
