"""People from a file: records to rows and errors, and rows to new and changed persons.

A row that breaks a rule is reported and left out; the others are imported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache, partial
from itertools import islice
from typing import Any, Literal

from chassis.text import cut, match_key, name, names_something
from services.program.domain import fields
from services.program.domain.columns import Column
from services.program.domain.fields import FieldError
from services.program.domain.people import Person, change
from services.program.domain.tables import LineViolation, Record, Table


@dataclass(frozen=True, slots=True)
class Row:
    """A valid row: attributes of a person by their name in `Person`. Attributes that the file does not give are
    absent."""

    line: int
    values: Mapping[str, Any]


def _or_none(read: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda value: read(value) if names_something(value) else None


# Values that many rows share are parsed once.
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
    "leader": ("leader", _few(fields.boolean)),
    "external_id": ("external_id", partial(fields.text, maximum=fields.MAX_EXTERNAL_ID)),
}
_KEPT_WHEN_BLANK = frozenset({"email", "locale", "external_id"})
_KEYS = ("email", "external_id")
_AS_TEXT = re.compile(r"""="([^"]*)"|'([=+\-@＝＋－＠].*)""", re.DOTALL)


def rows(table: Table, columns: Sequence[Column]) -> Iterator[Row | list[LineViolation]]:
    """Each row of a file in order, or why it cannot be imported."""
    names = [one.column for one in columns]
    first: dict[tuple[str, str], int] = {}
    for record in table.records():
        yield [record] if isinstance(record, LineViolation) else _row(record, names, first)


def _row(record: Record, names: Sequence[str | None], first: dict[tuple[str, str], int]) -> Row | list[LineViolation]:
    values: dict[str, Any] = {}
    errors: list[LineViolation] = []
    for column, cell in _values_by_column(record, names).items():
        attribute, read = _READERS[column]
        if column in _KEPT_WHEN_BLANK and not cell.strip():
            continue
        try:
            if "\n" in cell.strip():
                raise FieldError("line-break", "A line break is in this value.")
            values[attribute] = read(cell)
        except FieldError as error:
            errors.append(LineViolation(column, error.rule, error.detail, record.line, params=error.params))
    failed = {error.field for error in errors}
    if not failed.intersection(_KEYS) and not values.keys() & {*_KEYS}:
        errors.append(LineViolation("email", "required", "An e-mail address or an external_id is needed.", record.line))
    for column in _KEYS:
        if column in values:
            before = first.setdefault((column, values[column]), record.line)
            if before != record.line:
                detail = f"Line {before} has it already."
                errors.append(LineViolation(column, "repeated", detail, record.line, params={"line": before}))
    return errors or Row(record.line, values)


def _values_by_column(record: Record, names: Sequence[str | None]) -> dict[str, str]:
    """The cells by column. `="007"` and `'=x` are unwrapped: spreadsheets mark text that way."""
    said: dict[str, str] = {}
    for column, cell in zip(names, record.cells, strict=True):
        if column is not None:
            as_text = _AS_TEXT.fullmatch(cell.strip())
            said[column] = cell if as_text is None else as_text[1] or as_text[2] or ""
    in_two = [said.pop(column) for column in ("first_name", "last_name") if column in said]
    if in_two and not said.get("name", "").strip():
        said["name"] = " ".join(in_two)
    return said


def teams_of(found: Iterable[Row]) -> list[str]:
    """The teams that rows name, each spelling once, in order."""
    return list(dict.fromkeys(row.values["team"] for row in found if "team" in row.values))


def respelled(found: Iterable[Row], spellings: Mapping[str, str]) -> list[Row]:
    """The rows with the canonical spelling of their teams."""
    return [
        replace(row, values={**row.values, "team": spellings[row.values["team"]]})
        if row.values.get("team") in spellings
        else row
        for row in found
    ]


def first_spellings(found: Iterable[Row], known: dict[str, str]) -> dict[str, str]:
    """Each team as the file spelled it first; `known` has these by key and grows."""
    return {team: known.setdefault(match_key(team), team) for team in teams_of(found)}


def with_examples(columns: Sequence[Column], table: Table, count: int = 3) -> tuple[Column, ...]:
    """The columns with their first values, to recognise them by."""
    examples: list[list[str]] = [[] for _ in columns]
    for record in islice(table.records(), 100):
        if isinstance(record, Record):
            for kept, cell in zip(examples, record.cells, strict=True):
                if len(kept) < count and (value := name(cell)) and value not in kept:
                    kept.append(cut(value, 60))
    return tuple(replace(one, examples=tuple(kept)) for one, kept in zip(columns, examples, strict=True))


State = Literal["previewed", "importing", "done", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """An import. `new`, `changed` and `unchanged` are the preview's; `created`, `updated`, `kept` and `failed` count
    the results since it was confirmed, `done` is their sum. `missing` names columns without which no row is valid."""

    id: str
    state: State = "previewed"
    encoding: str = "utf-8"
    delimiter: str = ","
    columns: Sequence[Column] = ()
    missing: Sequence[str] = ()
    edition: int = 0
    """Rises each time that columns are chosen."""
    total: int = 0
    valid: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    errors_total: int = 0
    errors: Sequence[LineViolation] = ()
    sample: Sequence[Row] = ()
    chunks: int = 0
    next_chunk: int = 0
    created: int = 0
    updated: int = 0
    kept: int = 0
    failed: int = 0
    created_by: str
    created_at: datetime
    confirmed_at: datetime | None = None
    finished_at: datetime | None = None
    touched_at: datetime

    @property
    def rows_id(self) -> str:
        """The key of its stored rows."""
        return f"{self.id}.{self.edition}" if self.edition else self.id

    @property
    def done(self) -> int:
        return self.created + self.updated + self.kept + self.failed


@dataclass(frozen=True, slots=True)
class Plan:
    """What rows change in the people that are known; each person at most once."""

    created: list[Person]
    changed: list[tuple[Person, Person]]
    """Before and after."""
    unchanged: int
    errors: list[LineViolation]


def plan(
    rows: Iterable[Row], known: Iterable[Person], *, now: datetime, new_id: Callable[[], str], locale: str
) -> Plan:
    """Match each row to a person, by external id or else by e-mail, and compute its changes.

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
    """Why a row cannot be applied to the person that it matches."""
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
        return LineViolation(column, "repeated-person", "An earlier line speaks of the same person.", row.line)
    return None
