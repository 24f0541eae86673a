"""People from a CSV file: bytes to rows and errors, and rows to new and changed persons.

A file that cannot be read as a table at all is refused whole (`read`); a row that breaks a rule is reported and
left out, and its neighbours are not (`Sheet.rows`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, NoReturn

from chassis.web.problems import Refused, Violation
from services.program.domain import fields
from services.program.domain.fields import FieldError
from services.program.domain.people import Person, change

COLUMNS = ("email", "name", "country", "team", "role", "level", "site", "locale", "leader", "external_id")
REQUIRED = ("name", "country", "team")
DELIMITERS = (",", ";", "\t")
MAX_LINES = 200_000
MAX_LINE_BYTES = 10_000
MAX_FAULTS = 100


@dataclass(frozen=True, slots=True)
class LineViolation(Violation):
    """Which rule a field of a line breaks. Lines count from 1, the header included."""

    line: int


@dataclass(frozen=True, slots=True)
class Row:
    """A valid row: attributes of a person by their name in `Person`. What the file does not say is absent."""

    line: int
    values: Mapping[str, Any]


def _or_none(read: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda value: read(value) if value.strip() else None


# What many rows have in common is read once.
_few = lru_cache(maxsize=2048)
_READERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "email": ("email", fields.email),
    "name": ("name", fields.text),
    "country": ("country", _few(fields.country)),
    "team": ("team", _few(fields.text)),
    "role": ("job", _few(_or_none(fields.text))),
    "level": ("level", _few(_or_none(fields.text))),
    "site": ("site", _few(_or_none(fields.text))),
    "locale": ("locale", _few(fields.locale)),
    "leader": ("leader", _few(fields.truth)),
    "external_id": ("external_id", partial(fields.text, maximum=fields.MAX_EXTERNAL_ID)),
}
_KEPT_WHEN_BLANK = frozenset({"email", "locale", "external_id"})


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file that can be read as a table."""

    data: bytes
    delimiter: str
    columns: tuple[str, ...]
    header_line: int

    def rows(self) -> Iterator[Row | list[LineViolation]]:
        """Each row of the file in order, or why it cannot be imported. Rows without any value are no rows."""
        first: dict[tuple[str, str], int] = {}
        for line, text in _lines(self.data):
            if line <= self.header_line:
                continue
            cells = _cells(text, self.delimiter)
            if any(cell.strip() for cell in cells):
                yield self._row(line, cells, first)

    def _row(self, line: int, cells: list[str], first: dict[tuple[str, str], int]) -> Row | list[LineViolation]:
        if len(cells) != len(self.columns):
            detail = f"{len(cells)} values for {len(self.columns)} columns."
            return [LineViolation("line", "columns", detail, line)]
        values: dict[str, Any] = {}
        errors: list[LineViolation] = []
        for column, cell in zip(self.columns, cells, strict=True):
            name, read = _READERS[column]
            if column in _KEPT_WHEN_BLANK and not cell.strip():
                continue
            try:
                values[name] = read(cell)
            except FieldError as error:
                errors.append(LineViolation(column, error.rule, error.detail, line))
        failed = {error.field for error in errors}
        if not failed & {"email", "external_id"} and not values.keys() & {"email", "external_id"}:
            errors.append(LineViolation("email", "required", "An e-mail address or an external_id is needed.", line))
        for column in ("email", "external_id"):
            if column in values:
                before = first.setdefault((column, values[column]), line)
                if before != line:
                    errors.append(LineViolation(column, "duplicate", f"Line {before} has it already.", line))
        return errors or Row(line, values)


def read(data: bytes) -> Sheet:
    """The file as a table: UTF-8 (with or without BOM), a header with known columns, quotes that close on their
    line, at most `MAX_LINES` of them.

    Comma, semicolon and tab all separate, as spreadsheets of different countries write them. Raises Refused
    `csv-unreadable`, naming line, field and rule of each fault (the first 100).
    """
    data = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    delimiter, columns, header_line = _header(data)
    faults: list[LineViolation] = []
    line = header_line
    for line, raw in enumerate(io.BytesIO(data), 1):
        fault = _fault(line, raw.rstrip(b"\n"), delimiter, columns)
        if fault is not None:
            faults.append(fault)
            if len(faults) == MAX_FAULTS:
                break
    if faults:
        _refuse(faults)
    if line == header_line:
        _refuse([LineViolation("body", "empty", "The file has a header and no rows.", line)])
    if line > MAX_LINES:
        _refuse([LineViolation("body", "too-many-lines", f"At most {MAX_LINES} lines.", line)])
    return Sheet(data, delimiter, columns, header_line)


def _header(data: bytes) -> tuple[str, tuple[str, ...], int]:
    line, raw = next(((line, raw) for line, raw in enumerate(io.BytesIO(data), 1) if raw.strip()), (1, b""))
    if not raw:
        _refuse([LineViolation("body", "empty", "The file is empty.", line)])
    delimiter = max(DELIMITERS, key=lambda sign: raw.count(sign.encode()))
    fault = _fault(line, raw.rstrip(b"\n"), delimiter, ())
    if fault is not None:
        _refuse([fault])
    text = raw.decode().rstrip("\n")
    columns = tuple(cell.strip().lower() for cell in _cells(text, delimiter))
    errors = [
        LineViolation(column[:100], "column-unknown", f"Known columns are {', '.join(COLUMNS)}.", line)
        for column in columns
        if column not in COLUMNS
    ]
    errors += [
        LineViolation(column, "column-duplicate", "This column is there twice.", line)
        for column in COLUMNS
        if columns.count(column) > 1
    ]
    errors += [
        LineViolation(column, "column-missing", "This column is needed.", line)
        for column in REQUIRED
        if column not in columns
    ]
    if not {"email", "external_id"} & set(columns):
        errors.append(LineViolation("email", "column-missing", "A column email or external_id is needed.", line))
    if errors:
        _refuse(errors[:MAX_FAULTS])
    return delimiter, columns, line


def _refuse(errors: Sequence[LineViolation]) -> NoReturn:
    first = errors[0]
    raise Refused(
        f"The file cannot be read: line {first.line}, {first.field}: {first.detail}",
        type_="csv-unreadable",
        errors=errors,
    )


def _fault(line: int, raw: bytes, delimiter: str, columns: Sequence[str]) -> LineViolation | None:
    """Why a line is no part of a table."""
    if len(raw) > MAX_LINE_BYTES:
        return LineViolation("line", "too-long", f"At most {MAX_LINE_BYTES} bytes a line.", line)
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        column = raw[: error.start].decode().count(delimiter)
        detail = f"Byte {raw[error.start]:#04x} is not UTF-8: save the file as 'CSV UTF-8'."
        return LineViolation(_named(columns, column), "not-utf-8", detail, line)
    if '"' not in text:
        return None
    broken = _broken_quote(text, delimiter)
    if broken is None:
        return None
    detail = "A quote opens here and does not close on this line, or text follows the closing one."
    return LineViolation(_named(columns, broken), "quotes", detail, line)


def _broken_quote(text: str, delimiter: str) -> int | None:
    """The column (from 0) whose quotes break the rules of RFC 4180; a value does not span lines here."""
    try:
        next(csv.reader([text], delimiter=delimiter, strict=True), None)
    except csv.Error:
        pass
    else:
        return None
    column, state = 0, "start"
    for sign in text:
        if state == "quoted":
            state = "closed" if sign == '"' else "quoted"
        elif sign == delimiter:
            column, state = column + 1, "start"
        elif sign == '"' and state in ("start", "closed"):
            state = "quoted"
        elif state == "closed":
            break
        else:
            state = "plain"
    return column


def _named(columns: Sequence[str], index: int) -> str:
    return columns[index] if index < len(columns) else "line"


def _lines(data: bytes) -> Iterator[tuple[int, str]]:
    return ((line, raw.decode().rstrip("\n")) for line, raw in enumerate(io.BytesIO(data), 1))


def _cells(text: str, delimiter: str) -> list[str]:
    return next(csv.reader([text], delimiter=delimiter, strict=True), [])


@dataclass(frozen=True, slots=True)
class Plan:
    """What rows make of the people that are known; each person at most once."""

    created: list[Person]
    changed: list[tuple[Person, Person]]
    """Before and after."""
    unchanged: int
    errors: list[LineViolation]


def plan(
    rows: Iterable[Row], known: Iterable[Person], *, now: datetime, new_id: Callable[[], str], locale: str
) -> Plan:
    """Match each row to a person, by external id and else by e-mail, and see what it changes.

    `known` holds everybody who has an e-mail or external id of the rows. `locale` is given to new people whose
    row names none. Rows that would mix up two people, or bring back one who was deactivated, are errors.
    """
    by_key: dict[tuple[str, str], Person] = {}
    for person in known:
        by_key.update(dict.fromkeys(_keys(person), person))
    found = Plan([], [], 0, [])
    unchanged, seen = 0, set[str]()
    for row in rows:
        by_id = by_key.get(("external_id", row.values.get("external_id", "")))
        by_email = by_key.get(("email", row.values.get("email", "")))
        why = _why_not(row, by_id, by_email, seen)
        if why is not None:
            found.errors.append(why)
            continue
        before = by_email if by_id is None else by_id
        if before is None:
            after = Person(**{"id": new_id(), "locale": locale, "created_at": now, "updated_at": now, **row.values})
            found.created.append(after)
        else:
            after = _updated(before, row, now)
            if after is before:
                unchanged += 1
            else:
                found.changed.append((before, after))
            for key in _keys(before):
                del by_key[key]
        seen.add(after.id)
        by_key.update(dict.fromkeys(_keys(after), after))
    return Plan(found.created, found.changed, unchanged, found.errors)


def _updated(person: Person, row: Row, now: datetime) -> Person:
    values = dict(row.values)
    if person.locale_chosen:
        values.pop("locale", None)
    return change(person, now, **values)


def _keys(person: Person) -> list[tuple[str, str]]:
    return [(name, value) for name in ("email", "external_id") if (value := getattr(person, name))]


def _why_not(row: Row, by_id: Person | None, by_email: Person | None, seen: set[str]) -> LineViolation | None:
    """Why a row cannot be taken for the person it seems to speak of."""
    column, person = ("email", by_email) if by_id is None else ("external_id", by_id)
    if person is None:
        return None
    if by_email is not None and by_email.id != person.id:
        return LineViolation("email", "belongs-to-another", "Another person has this e-mail address.", row.line)
    if by_id is None and person.external_id and "external_id" in row.values:
        return LineViolation("external_id", "differs", "The person with this e-mail has another one.", row.line)
    if not person.active:
        return LineViolation(column, "inactive", "This person was deactivated.", row.line)
    if person.id in seen:
        return LineViolation(column, "duplicate", "An earlier line speaks of the same person.", row.line)
    return None
