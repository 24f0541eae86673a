"""Owners whose databases were restored take back what their topics tell and they lack.

A topic is read once from its beginning, partition by partition; memory holds the events of one partition that the
database lacks. Each row is written by itself, and only as it was found: it can be broken off and done again.
"""

from __future__ import annotations

import importlib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from aiokafka import ConsumerRecord
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from chassis import audit
from chassis.kafka.topic_reader import read_topic
from chassis.mongo import Document, Transaction
from chassis.recovery import Incomplete, Kept
from herald.operations.acting import act
from herald.operations.settings import OperatorSettings
from herald_contracts import CloudEvent, Event
from herald_contracts.envelope import Undecodable, decode

OWNERS = ("program", "content", "sharing", "gamification")
PIECE = 500
Outcome = Literal["lifted", "taken back", "made", "lacking"]
OUTCOMES: tuple[Outcome, ...] = ("lifted", "taken back", "made", "lacking")


@dataclass(frozen=True, slots=True)
class Row:
    """A row that an owner lacked, as a whole or in its last state.

    `lifted`: its revision alone; `taken back`: what the events say; `made`: there was no row; `lacking`: they do not
    say enough, and `why` says what to do. `event_type` and `at` are of the last event that tells of it.
    """

    kind: str
    id: str
    topic: str
    event_type: str
    at: datetime
    outcome: Outcome
    why: str = ""


@dataclass(slots=True)
class Report:
    """What became of an owner. Of the `events` read, `unreadable` were passed over; `kinds` were looked at."""

    service: str
    kinds: tuple[str, ...] = ()
    events: int = 0
    unreadable: int = 0
    rows: list[Row] = field(default_factory=list)

    def of(self, kind: str, outcome: Outcome) -> int:
        return sum(1 for row in self.rows if (row.kind, row.outcome) == (kind, outcome))

    @property
    def lacking(self) -> list[Row]:
        return [row for row in self.rows if row.outcome == "lacking"]


def load_kept(service: str) -> Sequence[Kept]:
    """What the service keeps of its events. Raises ModuleNotFoundError where the service is not in this image."""
    found: Sequence[Kept] = importlib.import_module(f"services.{service}.recovery").KEPT
    return found


async def recover(settings: OperatorSettings, service: str, *, write: bool) -> Report:
    """Bring an owner's rows up to its topics; without `write`, only say what would be done.

    Raises KafkaError, PyMongoError, TimeoutError when these are away.
    """
    client: AsyncMongoClient[Document] = AsyncMongoClient(
        settings.mongo_url, tz_aware=True, tzinfo=UTC, serverSelectionTimeoutMS=5_000, **settings.mongo_options()
    )
    kept = load_kept(service)
    report = Report(service, tuple(dict.fromkeys(one.kind for one in kept)))
    db = client.get_database(
        settings.database(service),
        write_concern=WriteConcern("majority", wtimeout=10_000),
        read_concern=ReadConcern("majority"),
    )
    try:
        for topic in dict.fromkeys(topic for one in kept for event in one.events for topic in event.topics()):
            own = [one for one in kept if any(topic in event.topics() for event in one.events)]
            await _recover_topic(settings, topic, own, db, report, write=write)
        if write and any(row.outcome != "lacking" for row in report.rows):
            await act(client, settings, service, _recorded(report))
    finally:
        await client.close()
    return report


async def _recover_topic(
    settings: OperatorSettings,
    topic: str,
    kept: Sequence[Kept],
    db: AsyncDatabase[Document],
    report: Report,
    *,
    write: bool,
) -> None:
    lacked: list[dict[str, list[CloudEvent[Event]]]] = [defaultdict(list) for _ in kept]
    partition = 0

    async def settle() -> None:
        for one, rows in zip(kept, lacked, strict=True):
            for id, events in rows.items():
                row = await _settle(db, one, id, events, topic, write=write)
                if row is not None:
                    report.rows.append(row)
            rows.clear()

    async for piece in _pieces(settings, settings.topic(topic)):
        if piece[0].partition != partition:
            await settle()
            partition = piece[0].partition
        events = list(_decoded(piece, report))
        for one, rows in zip(kept, lacked, strict=True):
            await _collect(db, one, [event for event in events if isinstance(event.data, one.events)], rows)
    await settle()


async def _pieces(settings: OperatorSettings, name: str) -> AsyncIterator[list[ConsumerRecord[bytes, bytes]]]:
    """The records of a topic, some of one partition at a time."""
    piece: list[ConsumerRecord[bytes, bytes]] = []
    async for record in read_topic(settings.kafka_options(), name):
        if piece and (len(piece) == PIECE or piece[0].partition != record.partition):
            yield piece
            piece = []
        piece.append(record)
    if piece:
        yield piece


def _decoded(piece: Iterable[ConsumerRecord[bytes, bytes]], report: Report) -> Iterable[CloudEvent[Event]]:
    for record in piece:
        report.events += 1
        try:
            yield decode(record.headers, record.value)
        except Undecodable:
            report.unreadable += 1


async def _collect(
    db: AsyncDatabase[Document],
    kept: Kept,
    events: Sequence[CloudEvent[Event]],
    lacked: dict[str, list[CloudEvent[Event]]],
) -> None:
    """Add the events that their rows are yet to follow."""
    ids = {kept.id(event.data) for event in events}
    fields = dict.fromkeys((kept.version, *kept.compared), 1)
    found = {row["_id"]: row async for row in db[kept.collection].find({"_id": {"$in": list(ids)}}, fields)}
    for event in events:
        id = kept.id(event.data)
        if kept.lacks(found.get(id), event.data):
            lacked[id].append(event)


async def _settle(
    db: AsyncDatabase[Document], kept: Kept, id: str, events: Sequence[CloudEvent[Event]], topic: str, *, write: bool
) -> Row | None:
    """What became of a row; None where nothing was to be done."""
    last = events[-1]
    before = await db[kept.collection].find_one({"_id": id})

    def told(outcome: Outcome, why: str = "") -> Row:
        return Row(kept.kind, id, topic, last.type, last.time, outcome, why)

    try:
        after = await kept.fold(db, before, [event.data for event in events])
    except Incomplete as error:
        return told("lacking", str(error))
    if after is None:
        return None
    revisions = [number for event in events if (number := getattr(event.data, "revision", None)) is not None]
    if revisions:
        after = {**after, kept.version: max(after.get(kept.version, 0), *revisions)}
    if after == before:
        return None
    after = {**after, "_id": id}
    try:
        if write and not await _write(db, kept, before, after):
            return told("lacking", "it was changed meanwhile: do this again")
    except DuplicateKeyError as error:
        names = ", ".join((error.details or {}).get("keyPattern", {}))
        return told("lacking", f"another row has the same {names}")
    if before is None:
        return told("made")
    alone = {name for name in after.keys() | before.keys() if after.get(name) != before.get(name)} == {kept.version}
    return told("lifted" if alone else "taken back")


async def _write(db: AsyncDatabase[Document], kept: Kept, before: Document | None, after: Document) -> bool:
    """Whether the row was still as it was found. Raises DuplicateKeyError."""
    if before is None:
        await db[kept.collection].insert_one(after)
        return True
    where = {"_id": after["_id"], kept.version: before.get(kept.version)}
    return (await db[kept.collection].replace_one(where, after)).matched_count == 1


def _recorded(report: Report) -> Callable[[Transaction], Awaitable[None]]:
    async def record(tx: Transaction) -> None:
        counts = {outcome: sum(row.outcome == outcome for row in report.rows) for outcome in OUTCOMES}
        facts = {outcome.replace(" ", "_"): count for outcome, count in counts.items()}
        audit.record(tx, "recover", "database", report.service, facts=facts)

    return record
