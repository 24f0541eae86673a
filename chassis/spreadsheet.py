"""CSV that is safe to open in a spreadsheet: text that a spreadsheet would run as a formula is kept text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Final

BOM: Final = "\ufeff"
"""At the head of a file: without it Excel does not read UTF-8."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_SEMICOLON: Final = frozenset({"fr", "de"})
"""Languages whose spreadsheets separate values by semicolons, since their decimal sign is a comma."""

Cell = str | int | float | bool | None


def delimiter(language: str) -> str:
    """What spreadsheets of a language expect between values."""
    return ";" if language.partition("-")[0] in _SEMICOLON else ","


def csv_lines(rows: Iterable[Iterable[Cell]], delimiter: str = ",") -> str:
    """The rows as lines of CSV. Text that begins like a formula gets an apostrophe before it; numbers stay numbers;
    truth is `yes` or `no`, and None is empty."""
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, lineterminator="\r\n")
    writer.writerows([_cell(value) for value in row] for row in rows)
    return file.getvalue()


def _cell(value: Cell) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return f"'{value}" if value.lstrip(" ").startswith(_FORMULA) else value
    return value
