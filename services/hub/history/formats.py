"""Files of history: CSV or JSON lines, to rows and errors by line.

A CSV file holds rows of one kind, a file of JSON lines may mix kinds. The columns, or the keys of a line, show which:

- ``joined_at``: a past membership (``person``, ``joined_at``, ``left_at``).
- ``published_at``: an item (``url``, ``title``, ``published_at``, ``retired_at``, ``language``, ``kind``, ``category``,
  ``summary``, ``shareable``).
- ``posted_at``: a post (``person``, ``item``, ``network``, ``posted_at``, ``text``, ``language``), with counts.
- ``counted_at``: what came of a post later (``post``, ``counted_at``), with counts.

Counts are ``clicks``, ``likes``, ``comments``, ``reposts``, ``impressions``. Every row may have an ``id``, which names
it in the product that it comes from. Times are RFC 3339; without an offset they are of the programme's time zone. A day
alone is its noon; of a joining its first moment, of a leaving its last.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as member
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

Kind = Literal["membership", "item", "post", "engagement"]
KINDS: Final[tuple[Kind, ...]] = ("membership", "item", "post", "engagement")
"""In the order in which they are imported: each names only what came before it."""
KIND_BY_COLUMN: Final[Mapping[str, Kind]] = {
    "joined_at": "membership",
    "published_at": "item",
    "posted_at": "post",
    "counted_at": "engagement",
}
COUNTS: Final = {
    "clicks": "click",
    "likes": "like",
    "comments": "comment",
    "reposts": "repost",
    "impressions": "impression",
}
MAX_BYTES: Final = 64 * 1024 * 1024
MAX_ROWS: Final = 500_000
MAX_LINE: Final = 20_000
MAX_COUNT: Final = 1_000_000
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_YES: Final = frozenset({"1", "true", "yes", "y", "oui", "o", "vrai", "ja", "wahr"})
_NO: Final = frozenset({"", "0", "false", "no", "n", "non", "faux", "nein", "falsch"})
_WORD: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@dataclass(frozen=True, slots=True)
class LineError:
    """Which rule a field of a line breaks. Lines count from 1, a CSV file's header included; `detail` is English."""

    line: int
    field: str
    rule: str
    detail: str
    file: str = ""
    params: Mapping[str, Any] = member(default_factory=dict, kw_only=True)


@dataclass(frozen=True, slots=True)
class Row:
    """A valid row. `values` are what the APIs take, times as RFC 3339 in UTC; what the file leaves out is absent.
    `announced` is True where another row of the same import brings the item or post that this one names.
    """

    kind: Kind
    line: int
    values: Mapping[str, Any]
    file: str = ""
    announced: bool = False


class Unreadable(ValueError):
    """A file that is no table at all; `errors` say why."""

    def __init__(self, *errors: LineError) -> None:
        super().__init__(errors[0].detail)
        self.errors = errors


class _Wrong(ValueError):
    def __init__(self, rule: str, detail: str, **params: Any) -> None:
        super().__init__(detail)
        self.rule = rule
        self.detail = detail
        self.params = params


def read(data: bytes, *, time_zone: str, now: datetime) -> Iterator[Row | list[LineError]]:
    """Each row of a file in order, or why it cannot be imported. Raises Unreadable before the first row.

    CSV or JSON lines, as the first character shows; UTF-8 or UTF-16 with or without BOM; comma, semicolon or tab.
    """
    if len(data) > MAX_BYTES:
        most = MAX_BYTES // 2**20
        detail = f"At most {most} MiB; split the file."
        raise Unreadable(LineError(1, "file", "too-large", detail, params={"max": most}))
    text = _decoded(data)
    if not text.strip():
        raise Unreadable(LineError(1, "file", "empty", "The file is empty."))
    found = _json_lines(text) if text.lstrip()[0] in "{[" else _csv_rows(text)
    return _read(found, ZoneInfo(time_zone), now)


def _decoded(data: bytes) -> str:
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        detail = "Not UTF-8: save the file as 'CSV UTF-8'."
        raise Unreadable(LineError(line, "file", "not-utf-8", detail)) from None


Found = tuple[int, Mapping[str, Any] | _Wrong]


def _json_lines(text: str) -> Iterator[Found]:
    for line, raw in enumerate(text.splitlines(), 1):
        if not raw.strip():
            continue
        if len(raw) > MAX_LINE:
            yield line, _Wrong("too-long", f"At most {MAX_LINE} characters a line.", max=MAX_LINE)
            continue
        try:
            value = json.loads(raw)
        except (ValueError, RecursionError) as error:
            yield line, _Wrong("json", f"No JSON: {str(error)[:200]}")
            continue
        yield line, value if isinstance(value, dict) else _Wrong("json", "Each line is one JSON object.")


def _csv_rows(text: str) -> Iterator[Found]:
    """Rows by column name. Raises Unreadable for a header that cannot be used."""
    first = next(line for line in text.splitlines() if line.strip())
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header = next((cells for cells in _cells(reader) if not isinstance(cells, _Wrong) and any(cells)), [])
    columns = [cell.strip().lower() for cell in header]
    naming = [column for column in columns if column in KIND_BY_COLUMN]
    if len(naming) != 1:
        detail = f"One of the columns {', '.join(KIND_BY_COLUMN)} says what the rows are; the header is: {first[:200]}"
        raise Unreadable(LineError(reader.line_num or 1, "header", "kind-unknown", detail))
    known = set(_FIELDS[KIND_BY_COLUMN[naming[0]]])
    unknown = [column for column in columns if column not in known]
    if unknown:
        detail = f"Columns of such rows are {', '.join(_FIELDS[KIND_BY_COLUMN[naming[0]]])}."
        raise Unreadable(
            *(LineError(reader.line_num, one[:100] or "header", "column-unknown", detail) for one in unknown)
        )
    return _named(reader, columns)


def _named(reader: Any, columns: list[str]) -> Iterator[Found]:
    for cells in _cells(reader):
        line = reader.line_num
        if isinstance(cells, _Wrong):
            yield line, cells
        elif any(cell.strip() for cell in cells):
            if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
                yield line, _Wrong("columns", f"{len(cells)} values for {len(columns)} columns.", columns=len(columns))
            else:
                yield line, {name: cell for name, cell in zip(columns, cells, strict=False) if cell.strip()}


def _cells(reader: Any) -> Iterator[list[str] | _Wrong]:
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield _Wrong("quotes", str(error))


def _read(found: Iterable[Found], zone: ZoneInfo, now: datetime) -> Iterator[Row | list[LineError]]:
    for number, (line, said) in enumerate(found, 1):
        if number > MAX_ROWS:
            detail = f"At most {MAX_ROWS} rows; split the file."
            yield [LineError(line, "file", "too-many-rows", detail, params={"max": MAX_ROWS})]
            return
        yield (
            [LineError(line, "line", said.rule, said.detail, params=said.params)]
            if isinstance(said, _Wrong)
            else _row(line, said, zone, now)
        )


def _row(line: int, said: Mapping[str, Any], zone: ZoneInfo, now: datetime) -> Row | list[LineError]:
    naming = [name for name in KIND_BY_COLUMN if said.get(name) not in (None, "")]
    if len(naming) != 1:
        return [LineError(line, "line", "kind-unknown", f"One of {', '.join(KIND_BY_COLUMN)} says what a row is.")]
    kind = KIND_BY_COLUMN[naming[0]]
    values: dict[str, Any] = {}
    fields = _FIELDS[kind]
    known = f"Known are {', '.join(fields)}."
    errors = [LineError(line, _said(name), "column-unknown", known) for name in said if name not in fields]
    for name, (needed, take) in fields.items():
        value = said.get(name)
        try:
            if value is None or value == "":
                if needed:
                    raise _Wrong("required", "A value is needed.")
                continue
            values[name] = take(value, zone)
        except _Wrong as wrong:
            errors.append(LineError(line, name, wrong.rule, wrong.detail, params=wrong.params))
    errors += [] if errors else _order(line, values, now)
    return errors or Row(kind, line, {name: _plain(value) for name, value in values.items()})


def _said(name: object) -> str:
    """The name of a column as far as it can be shown and stored."""
    return str(name)[:100].encode("utf-8", "replace").decode()


def _order(line: int, values: Mapping[str, Any], now: datetime) -> Iterator[LineError]:
    for name in (*KIND_BY_COLUMN, "left_at", "retired_at"):
        if name in values and values[name] > now:
            yield LineError(line, name, "future", "This has not happened yet.")
        if name in values and values[name] < EARLIEST:
            yield LineError(line, name, "too-early", f"Not before {EARLIEST.date()}.")
    for first, last in (("joined_at", "left_at"), ("published_at", "retired_at")):
        if last in values and values[last] <= values[first]:
            yield LineError(line, last, "order", f"After {first}.")


def _plain(value: Any) -> Any:
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z") if isinstance(value, datetime) else value


Take = Callable[[Any, ZoneInfo], Any]


def _text(value: Any, _: ZoneInfo, *, maximum: int, lines: bool = False) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise _Wrong("text", "A text is needed.")
    text = value.replace("\r\n", "\n").strip()
    if not text:
        raise _Wrong("required", "A value is needed.")
    if len(text) > maximum:
        raise _Wrong("too-long", f"At most {maximum} characters.", max=maximum)
    if any((ord(sign) < 32 or "\ud800" <= sign <= "\udfff") and not (lines and sign in "\n\t") for sign in text):
        raise _Wrong("control-character", "Control characters are not accepted.")
    return text


def _word(value: Any, zone: ZoneInfo) -> str:
    word = _text(value, zone, maximum=64).lower().replace(" ", "_")
    if not _WORD.fullmatch(word):
        raise _Wrong("word", "Letters, digits, hyphens and underscores, such as linkedin.")
    return word


def _language(value: Any, zone: ZoneInfo) -> str:
    tag = _text(value, zone, maximum=35).replace("_", "-")
    tag = tag[:1].lower() + tag[1:] if "-" not in tag else tag.partition("-")[0].lower() + tag[tag.index("-") :]
    if not _LANGUAGE.fullmatch(tag):
        raise _Wrong("language", "A language tag, such as fr or en-GB.")
    return tag


def _boolean(value: Any, _: ZoneInfo) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in _YES or word in _NO:
        return word in _YES
    raise _Wrong("boolean", "Write yes or no.")


def _count(value: Any, _: ZoneInfo) -> int:
    text = str(value).strip().replace("\u00a0", "").replace("\u202f", "").replace(" ", "")
    if isinstance(value, bool) or not (text.isascii() and text.isdigit()):
        raise _Wrong("whole-number", "A whole number, 0 or more.")
    if len(text) > 12 or int(text) > MAX_COUNT:
        raise _Wrong("at-most", f"At most {MAX_COUNT}.", max=MAX_COUNT)
    return int(text)


def _time(value: Any, zone: ZoneInfo, *, at: time = time(12), days: int = 0) -> datetime:
    """`at` is the time of a day alone, moved on by `days`."""
    text = str(value).strip()
    try:
        if len(text) == 10:
            moment = datetime.combine(date.fromisoformat(text) + timedelta(days=days), at, zone)
        else:
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _Wrong("time", "A day such as 2026-09-30, or an RFC 3339 time.") from None


_id: Final = partial(_text, maximum=200)
_counts: Final[dict[str, tuple[bool, Take]]] = dict.fromkeys(COUNTS, (False, _count))
_FIELDS: Final[Mapping[Kind, Mapping[str, tuple[bool, Take]]]] = {
    "membership": {
        "id": (False, _id),
        "person": (True, partial(_text, maximum=254)),
        "joined_at": (True, partial(_time, at=time())),
        "left_at": (False, partial(_time, at=time(), days=1)),
    },
    "item": {
        "id": (False, _id),
        "url": (True, partial(_text, maximum=2048)),
        "title": (True, partial(_text, maximum=300)),
        "summary": (False, partial(_text, maximum=2000, lines=True)),
        "language": (False, _language),
        "kind": (False, _word),
        "category": (False, _word),
        "published_at": (True, _time),
        "retired_at": (False, _time),
        "shareable": (False, _boolean),
    },
    "post": {
        "id": (False, _id),
        "person": (True, partial(_text, maximum=254)),
        "item": (True, partial(_text, maximum=2048)),
        "network": (True, _word),
        "posted_at": (True, _time),
        "text": (False, partial(_text, maximum=5000, lines=True)),
        "language": (False, _language),
        **_counts,
    },
    "engagement": {
        "id": (False, _id),
        "post": (True, _id),
        "counted_at": (True, _time),
        **_counts,
    },
}
