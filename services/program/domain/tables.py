"""A file of a spreadsheet or an HR system as a table: bytes to headings and records.

What is understood: UTF-8, UTF-16 and Windows-1252; comma, semicolon, tab and bar between values; Excel's `sep=;`; lines
before the headings; values in quotes that hold line breaks; short rows, and empty columns at the end. A record whose
quotes or bytes are broken is reported alone: the others are read.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from chassis.web.problems import Refused, Violation

MAX_LINES = 200_000
MAX_LINE = 10_000
"""Characters of a line, and of a record that spans several."""
MAX_SPAN = 50
"""Lines of one record."""
MAX_COLUMNS = 200
HEADING_WITHIN = 20
"""The headings are among the first so many lines that are not empty."""

_DELIMITERS = (",", ";", "\t", "|")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_SEPARATOR = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LineViolation(Violation):
    """Which rule a field of a line breaks. Lines count from 1, the headings included."""

    line: int


@dataclass(frozen=True, slots=True)
class Record:
    """A row and the line on which it begins."""

    line: int
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class Table:
    """A file that can be read as a table."""

    encoding: str
    delimiter: str
    headings: tuple[str, ...]
    heading_line: int
    _lines: Sequence[str]
    _begin: int

    def records(self) -> Iterator[Record | LineViolation]:
        """Each record of the file in order, with one cell for each heading, or why it cannot be read. Empty records are
        left out."""
        at = self._begin
        while at < len(self._lines):
            found, at = _record(self._lines, at, self.delimiter)
            if isinstance(found, LineViolation):
                yield found
            elif any(cell.strip() for cell in found.cells):
                yield self._fitted(found)

    def _fitted(self, record: Record) -> Record | LineViolation:
        cells, width = list(record.cells), len(self.headings)
        if any(cell.strip() for cell in cells[width:]):
            detail = f"{len(cells)} values for {width} columns."
            return LineViolation("line", "columns", detail, record.line, params={"columns": width})
        return Record(record.line, [*cells[:width], *[""] * (width - len(cells))])


def read_table(data: bytes, known: Callable[[str], bool]) -> Table:
    """The file as a table; `known` says whether a heading is recognised.

    Raises Refused `csv-unreadable`: `workbook`, `encoding`, `empty`, `too-many-lines`, `no-columns`,
    `too-many-columns`, `quotes`.
    """
    if data.startswith(_WORKBOOKS):
        _refuse("workbook", "This is a workbook, not a CSV file: save the sheet as 'CSV UTF-8'.")
    text, encoding = _decoded(data)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    if not any(line.strip() for line in lines):
        _refuse("empty", "The file is empty.")
    if len(lines) > MAX_LINES:
        _refuse("too-many-lines", f"At most {MAX_LINES} lines.", len(lines), max=MAX_LINES)
    separator = _SEPARATOR.fullmatch(lines[0])
    headings, delimiter, begins, ends = _headings(lines, 1 if separator else 0, separator and separator[1], known)
    if ends >= len(lines):
        _refuse("empty", "The file has headings and no rows.", begins + 1)
    return Table(encoding, delimiter, headings, begins + 1, lines, ends)


def _decoded(data: bytes) -> tuple[str, str]:
    """The text and the name of its encoding. Bad bytes in a file that is UTF-8 otherwise become surrogates; a record
    with one is refused."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _strictly(data[len(mark) :], encoding), encoding
    even, odd = data[0:4096:2].count(0), data[1:4096:2].count(0)
    if max(even, odd) > min(len(data), 4096) // 8:
        encoding = "utf-16-le" if odd > even else "utf-16-be"
        return _strictly(data, encoding), encoding
    text = data.decode("utf-8", "surrogateescape")
    broken = sum("\udc80" <= sign <= "\udcff" for sign in text)
    if broken and broken >= sum(sign > "\x7f" for sign in text) - broken:
        return data.decode("cp1252", "replace"), "windows-1252"
    return text, "utf-8"


def _strictly(data: bytes, encoding: str) -> str:
    if encoding == "utf-8":
        return data.decode("utf-8", "surrogateescape")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        _refuse("encoding", "The text is in no encoding that can be read: save the file as 'CSV UTF-8'.")


def _headings(
    lines: Sequence[str], at: int, delimiter: str | None, known: Callable[[str], bool]
) -> tuple[tuple[str, ...], str, int, int]:
    """Headings and delimiter, and the indexes of their line and of the next. The headings are the line with the most
    known ones or, if there is none, the first with several values."""
    best: tuple[tuple[int, int, int], tuple[str, ...], str, int, int] | None = None
    tried = 0
    while at < len(lines) and tried < HEADING_WITHIN:
        if not lines[at].strip():
            at += 1
            continue
        tried += 1
        for sign in [delimiter] if delimiter else _DELIMITERS:
            found, after = _record(lines, at, sign)
            if isinstance(found, Record):
                cells = _trimmed(found.cells)
                score = (sum(map(known, cells)), -tried if len(cells) > 1 else -HEADING_WITHIN - tried, len(cells))
                if best is None or score > best[0]:
                    best = (score, cells, sign, at, after)
        at += 1
    if not tried:
        _refuse("empty", "The file is empty.")
    if best is None:
        _refuse("quotes", "The quotes of the first line do not close.")
    score, cells, sign, begins, ends = best
    if len(cells) < 2 and not score[0]:
        _refuse("no-columns", "The first line names no columns: is this a CSV file?", begins + 1)
    if len(cells) > MAX_COLUMNS:
        _refuse("too-many-columns", f"At most {MAX_COLUMNS} columns.", begins + 1, max=MAX_COLUMNS)
    return cells, sign, begins, ends


def _trimmed(cells: Sequence[str]) -> tuple[str, ...]:
    """The headings without empty ones at the end."""
    kept = [cell.strip() for cell in cells]
    while kept and not kept[-1]:
        kept.pop()
    return tuple(kept)


def _record(lines: Sequence[str], at: int, delimiter: str) -> tuple[Record | LineViolation, int]:
    """The record that begins on a line, and the index after it. If its quotes do not close, the next record begins on
    the next line."""
    text, after = lines[at], at + 1
    while True:
        if len(text) > MAX_LINE:
            detail = f"At most {MAX_LINE} characters a row."
            return LineViolation("line", "too-long", detail, at + 1, params={"max": MAX_LINE}), at + 1
        cells, opens = _cells(text, delimiter)
        if cells is not None:
            if any("\ud800" <= sign <= "\udfff" for sign in text):
                detail = "Some bytes are not UTF-8: save the file as 'CSV UTF-8'."
                return LineViolation("line", "not-utf-8", detail, at + 1), after
            return Record(at + 1, cells), after
        if not opens or after == len(lines) or after - at == MAX_SPAN:
            detail = "A quote opens in this row and does not close, or text follows the closing one."
            return LineViolation("line", "quotes", detail, at + 1), at + 1
        text, after = f"{text}\n{lines[after]}", after + 1


def _cells(text: str, delimiter: str) -> tuple[list[str] | None, bool]:
    """The values of a record; or None, and whether a quote is open at its end."""
    if '"' not in text:
        return text.split(delimiter), False
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), []), False
    except csv.Error as error:
        return None, "unexpected end" in str(error)


def _refuse(rule: str, detail: str, line: int = 1, **params: Any) -> NoReturn:
    error = LineViolation("body", rule, detail, line, params=params)
    raise Refused(f"The file cannot be read: line {line}: {detail}", type_="csv-unreadable", errors=[error])
