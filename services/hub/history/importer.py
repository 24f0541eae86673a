"""Rows of history to the services that keep them, some hundred at a time: as a preview, or for good.

Rows go in the order of `KINDS`. The same rows again change nothing, so an import that stopped is simply begun again.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from services.hub.clients import Apis, Json, Refusal
from services.hub.history.formats import COUNTS, KINDS, Kind, LineError, Row, read
from services.hub.paths import ApiPath, v1

CHUNK: Final = 500
CHUNK_BYTES: Final = 400_000
SENT_BYTES: Final = 900_000
"""Of JSON; the APIs take a little more."""
"""Rows a request; what the APIs take at most."""
MAX_ERRORS: Final = 1000
Source = Callable[[], Iterator[Row | list[LineError]]]


@dataclass
class Report:
    """What rows came to: how many are new, known already or refused, by kind; and the first errors."""

    new: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    errors: list[LineError] = field(default_factory=list)

    @property
    def valid(self) -> int:
        return self.new.total() + self.known.total()

    def refuse(self, kind: str, *errors: LineError) -> None:
        """One row of this kind cannot be imported."""
        self.refused[kind] += 1
        self.errors.extend(errors[: max(0, MAX_ERRORS - len(self.errors))])

    def add(self, other: Report) -> None:
        self.new.update(other.new)
        self.known.update(other.known)
        self.refused.update(other.refused)
        self.errors.extend(other.errors[: max(0, MAX_ERRORS - len(self.errors))])


@dataclass(frozen=True, slots=True)
class Announced:
    """Items (by address and id) and posts (by id) that the import itself brings."""

    items: frozenset[str]
    posts: frozenset[str]

    @classmethod
    def of(cls, rows: Iterable[Row | list[LineError]]) -> Announced:
        items: set[str] = set()
        posts: set[str] = set()
        for row in rows:
            if isinstance(row, Row) and row.kind == "item":
                items.update(row.values[name] for name in ("url", "id") if name in row.values)
            elif isinstance(row, Row) and row.kind == "post" and "id" in row.values:
                posts.add(row.values["id"])
        return cls(frozenset(items), frozenset(posts))

    def mark(self, row: Row) -> Row:
        """The row, knowing whether what it names comes with it."""
        named = {"post": ("item", self.items), "engagement": ("post", self.posts)}.get(row.kind)
        return replace(row, announced=row.values[named[0]] in named[1]) if named else row


@dataclass(frozen=True, slots=True)
class File:
    """A file of history by its name."""

    name: str
    data: bytes

    def rows(self, time_zone: str, now: Any) -> Iterator[Row | list[LineError]]:
        """As `formats.read`, each row and error with the file's name. Raises Unreadable."""
        for found in read(self.data, time_zone=time_zone, now=now):
            if isinstance(found, Row):
                yield replace(found, file=self.name)
            else:
                yield [replace(error, file=self.name) for error in found]


def chunks(rows: Iterable[Row | list[LineError]], report: Report) -> Iterator[list[Row]]:
    """Valid rows of one kind in pieces; what is no row is refused in `report`."""

    def valid() -> Iterator[Row]:
        for row in rows:
            if isinstance(row, Row):
                yield row
            else:
                report.refuse("line", *row)

    piece: list[Row] = []
    size = 0
    for row in valid():
        own = len(json.dumps(row.values))
        if piece and (len(piece) == CHUNK or size + own > CHUNK_BYTES):
            yield piece
            piece, size = [], 0
        piece.append(row)
        size += own
    if piece:
        yield piece


class Importer:
    """Hands rows on for one programme. `source` names the product that they come from."""

    def __init__(self, apis: Apis, program_id: str, source: str) -> None:
        self._apis = apis
        self._program_id = program_id
        self._source = source
        self._people: dict[str, str] = {}
        self._items: dict[str, Json] = {}

    async def take(self, rows: Sequence[Row], *, preview: bool) -> Report:
        """Import at most `CHUNK` rows of one kind, or say what importing them would come to.

        Raises what `Apis.call` raises, Refusal only where it concerns the request as a whole.
        """
        report = Report()
        if not rows:
            return report
        match rows[0].kind:
            case "membership":
                await self._memberships(rows, preview, report)
            case "item":
                await self._take_items(rows, preview, report)
            case "post":
                await self._posts(rows, preview, report)
            case "engagement":
                await self._engagements(rows, preview, report)
        return report

    async def _memberships(self, rows: Sequence[Row], preview: bool, report: Report) -> None:
        people = await self._resolve_people(rows)
        bodies = []
        for row in _with_known(rows, people, "person", report, "Nobody here has this address or external id."):
            person_id = people[row.values["person"]]
            body = {"person_id": person_id, **_some(row, "joined_at", "left_at")}
            bodies.append((row, {"id": _name(row, person_id, row.values["joined_at"]), **body}))
        path = v1("programs", self._program_id, "history", "memberships")
        await self._send("program", path, bodies, preview, report)

    async def _take_items(self, rows: Sequence[Row], preview: bool, report: Report) -> None:
        names = ("url", "title", "summary", "language", "kind", "category", "published_at", "retired_at", "shareable")
        bodies = [(row, {"id": _name(row, row.values["url"]), **_some(row, *names)}) for row in rows]
        await self._send("content", v1("history", "items"), bodies, preview, report)

    async def _posts(self, rows: Sequence[Row], preview: bool, report: Report) -> None:
        people, items = await self._resolve_people(rows), await self._resolve_items(rows)
        bodies = []
        for row in _with_known(rows, people, "person", report, "Nobody here has this address or external id."):
            item = items.get(row.values["item"])
            if item is None and preview and row.announced:
                report.new["post"] += 1
                continue
            if item is None:
                detail = "No item has this address or id; import it first."
                report.refuse("post", LineError(row.line, "item", "unknown", detail, row.file))
                continue
            person_id = people[row.values["person"]]
            body = {
                "id": _name(row, person_id, item["id"], row.values["network"], row.values["posted_at"]),
                "ambassador_id": person_id,
                "content_id": item["id"],
                "title": item["title"],
                "url": item["url"],
                "language": row.values.get("language") or item["language"],
                "counts": _counted(row),
                **_some(row, "network", "posted_at", "text"),
            }
            bodies.append((row, body))
        await self._send("sharing", v1("history", "posts"), bodies, preview, report)

    async def _engagements(self, rows: Sequence[Row], preview: bool, report: Report) -> None:
        bodies = []
        for row in rows:
            id = _name(row, row.values["post"], row.values["counted_at"])
            bodies.append((row, {"id": id, **_some(row, "post", "counted_at"), "counts": _counted(row)}))
        await self._send("sharing", v1("history", "engagements"), bodies, preview, report)

    async def _resolve_people(self, rows: Iterable[Row]) -> Mapping[str, str]:
        """Ids by what the file says: an e-mail address or an external id. Who is not known is left out."""
        wanted = list(dict.fromkeys(row.values["person"] for row in rows))
        if asked := [one for one in wanted if one not in self._people]:
            answer = await self._apis.call("program", "POST", v1("people", "resolve"), {"people": asked})
            self._people.update(answer.data["people"])
        return {one: self._people[one] for one in wanted if one in self._people}

    async def _resolve_items(self, rows: Iterable[Row]) -> Mapping[str, Json]:
        wanted = list(dict.fromkeys(row.values["item"] for row in rows))
        if asked := [one for one in wanted if one not in self._items]:
            body = {"program_id": self._program_id, "source": self._source, "items": asked}
            answer = await self._apis.call("content", "POST", v1("items", "resolve"), body)
            self._items.update(answer.data["items"])
        return {one: self._items[one] for one in wanted if one in self._items}

    async def _send(
        self, service: str, path: ApiPath, rows: list[tuple[Row, Json]], preview: bool, report: Report
    ) -> None:
        """One request; rows that its door refuses are reported by line and the others are sent again."""
        if not rows:
            return
        body = {"source": self._source, "preview": preview, "items": [one for _, one in rows]}
        if service != "program":
            body["program_id"] = self._program_id
        if len(rows) > 1 and len(json.dumps(body)) > SENT_BYTES:
            middle = len(rows) // 2
            await self._send(service, path, rows[:middle], preview, report)
            await self._send(service, path, rows[middle:], preview, report)
            return
        try:
            answer = await self._apis.call(service, "POST", path, body, key=None if preview else _key(path, body))
        except Refusal as refusal:
            wrong = _by_row(refusal)
            if not wrong:
                raise
            for number, errors in wrong.items():
                row, _ = rows[number]
                report.refuse(row.kind, *(replace(error, line=row.line, file=row.file) for error in errors))
            left = [one for number, one in enumerate(rows) if number not in wrong]
            await self._send(service, path, left, preview, report)
            return
        for (row, _), came_to in zip(rows, answer.data["items"], strict=True):
            later = preview and row.announced and came_to["rule"] == "unknown"
            if came_to["outcome"] == "refused" and not later:
                error = LineError(row.line, came_to["field"], came_to["rule"], came_to["detail"], row.file)
                report.refuse(row.kind, error)
            elif came_to["outcome"] == "known":
                report.known[row.kind] += 1
            else:
                report.new[row.kind] += 1


def by_kind(sources: Sequence[Source]) -> Iterator[tuple[Kind, Iterator[Row | list[LineError]]]]:
    """The rows of all sources, kind by kind; what is no row comes with the first kind."""
    for kind in KINDS:
        yield kind, _of_kind(sources, kind)


def _of_kind(sources: Sequence[Source], kind: Kind) -> Iterator[Row | list[LineError]]:
    for source in sources:
        for row in source():
            if (row.kind if isinstance(row, Row) else KINDS[0]) == kind:
                yield row


def _with_known(rows: Sequence[Row], known: Mapping[str, Any], name: str, report: Report, detail: str) -> Iterator[Row]:
    """Rows that name something known; the others are refused."""
    for row in rows:
        if row.values[name] in known:
            yield row
        else:
            report.refuse(row.kind, LineError(row.line, name, "unknown", detail, row.file))


def _some(row: Row, *names: str) -> Json:
    return {name: row.values[name] for name in names if name in row.values}


def _counted(row: Row) -> dict[str, int]:
    return {kind: row.values[name] for name, kind in COUNTS.items() if row.values.get(name)}


def _name(row: Row, *said: str) -> str:
    """The row's id, or else a digest of what it says."""
    given: str | None = row.values.get("id")
    return given or hashlib.sha256("\x1f".join(said).encode()).hexdigest()[:40]


def _key(path: ApiPath, body: Json) -> str:
    return hashlib.sha256(json.dumps([path, body], sort_keys=True).encode()).hexdigest()


def _by_row(refusal: Refusal) -> dict[int, list[LineError]]:
    """What the door found wrong, by the number of the row; empty where the fault is another."""
    found: dict[int, list[LineError]] = {}
    for error in refusal.errors:
        match str(error.get("field", "")).split("."):
            case ["items", number, *rest] if number.isdigit():
                rule, detail = str(error.get("rule", "")), str(error.get("detail", ""))
                wrong = LineError(0, ".".join(rest) or "line", rule, detail, params=error.get("params") or {})
                found.setdefault(int(number), []).append(wrong)
            case _:
                return {}
    return found
