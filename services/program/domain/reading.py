"""A file of people as `chassis.offload` reads it: first what it is, then its rows, some hundred at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from chassis.web.problems import Refused, Violation
from services.program.domain.columns import Column, chosen, heading_key, is_known, missing, recognised
from services.program.domain.imports import Row, rows, with_examples
from services.program.domain.tables import LineViolation, read_table


@dataclass(frozen=True, slots=True)
class FileHead:
    """What a file is: its encoding, the sign between its values, its columns, and those that it lacks."""

    encoding: str
    delimiter: str
    heading_line: int
    columns: tuple[Column, ...]
    missing: tuple[str, ...]


def read_people(
    data: bytes, *, remembered: Mapping[str, str], columns: Sequence[str | None] | None, size: int
) -> Iterator[Any]:
    """The head of a file, then lists of at most `size` rows or errors: what `head_of` and `rows_of` take.

    `columns` says what each column is; None: their headings do, and what is `remembered` of them.
    """
    try:
        table = read_table(data, lambda heading: is_known(heading) or bool(remembered.get(heading_key(heading))))
        named = recognised(table.headings, remembered) if columns is None else chosen(table.headings, columns)
    except Refused as refusal:
        yield {"refused": refusal.detail, "type": refusal.type, "errors": [asdict(one) for one in refusal.errors]}
        return
    lacking = missing(named)
    head = FileHead(table.encoding, table.delimiter, table.heading_line, with_examples(named, table), lacking)
    yield asdict(head)
    found = rows(table, named)
    while part := list(islice(found, size)):
        yield [
            [one.line, one.values] if isinstance(one, Row) else [asdict(error) for error in one if not lacking]
            for one in part
        ]


def head_of(item: Mapping[str, Any]) -> FileHead:
    """Raises Refused `csv-unreadable`, or Invalid for columns that cannot be these."""
    if "refused" in item:
        errors = [_violation(one) for one in item["errors"]]
        raise Refused(item["refused"], type_=item["type"], errors=errors)
    columns = tuple(Column(**{**one, "examples": tuple(one["examples"])}) for one in item["columns"])
    return FileHead(item["encoding"], item["delimiter"], item["heading_line"], columns, tuple(item["missing"]))


def rows_of(item: Sequence[Any]) -> list[Row | list[LineViolation]]:
    """Each row, or why it cannot be imported."""
    return [
        Row(one[0], one[1]) if one and isinstance(one[0], int) else [LineViolation(**error) for error in one]
        for one in item
    ]


def _violation(error: Mapping[str, Any]) -> LineViolation | Violation:
    return LineViolation(**error) if "line" in error else Violation(**error)
