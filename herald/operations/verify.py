"""Whether nothing was lost: each service's offsets, inbox and dead letters against what is on the topics.

Read-only, and in bounded memory: a topic is read once from its beginning, in pieces, and each piece is looked up; the
origins of dead letters are kept in a temporary file.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from chassis.dead_letters.record import REPLAYED_FOR
from chassis.dead_letters.store import DeadLetterTopic
from chassis.kafka.topic_reader import read_topic, topic_ids_of
from chassis.mongo import Document
from chassis.outbox.blocked import LANES, ROWS
from herald.operations.settings import OperatorSettings
from herald.operations.topics import Topic, load_topics
from herald_contracts.envelope import text_headers

PIECE = 2000
INBOX_SECONDS = 29 * 86_400
# Beside the inbox: collections that keep some events by id, and so are their inbox.
INBOXES = {"metrics": ("inbox", "facts", "waiting"), "program": ("inbox", "audit_trail")}
EXAMPLES = 5
MAX_TEXT = 300


@dataclass(slots=True)
class Account:
    """How one service handled the records of one topic.

    `found` (on the topic) = `applied` + `dead_lettered` + `pending` (not consumed yet) + `passed_over` (not meant
    for it) + `aged` (older than the inbox remembers; applied, as its offset shows) + `missing`, which must be 0.
    `lost` are those that retention deleted before they were consumed: they are on the topic no more.
    """

    service: str
    topic: str
    found: int = 0
    applied: int = 0
    dead_lettered: int = 0
    passed_over: int = 0
    aged: int = 0
    pending: int = 0
    missing: int = 0
    lost: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Outbox:
    """What a service has committed and Kafka has not confirmed yet. `blocked` events are set aside, in `blocked_lanes`
    topics and keys, until an operator decides."""

    service: str
    pending: int
    oldest_seconds: float
    blocked_lanes: int = 0
    blocked: int = 0


@dataclass(slots=True)
class Report:
    accounts: list[Account] = field(default_factory=list)
    outboxes: list[Outbox] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return all(account.missing == 0 == account.lost for account in self.accounts)

    @property
    def settled(self) -> bool:
        """Whether nothing is pending either."""
        return (
            self.ok
            and all(account.pending == 0 for account in self.accounts)
            and all(outbox.pending == 0 == outbox.blocked for outbox in self.outboxes)
        )


async def verify(settings: OperatorSettings) -> Report:
    """Check every consumer of `contracts/topics`. Raises KafkaError and PyMongoError when these are away."""
    client: AsyncMongoClient[Document] = AsyncMongoClient(
        settings.mongo_url, tz_aware=True, tzinfo=UTC, serverSelectionTimeoutMS=5_000, **settings.mongo_options()
    )
    report = Report()
    try:
        topics = load_topics()
        topic_ids = await topic_ids_of(settings.kafka_options(), [settings.topic(topic.name) for topic in topics])
        for service in sorted({one.group for topic in topics for one in topic.consumers if one.dead_letters}):
            db = client[settings.database(service)]
            report.accounts += await _audit(service, topics, topic_ids, settings, db)
        for owner in sorted({topic.owner for topic in topics}):
            report.outboxes.append(await _outbox(owner, client[settings.database(owner)]))
    finally:
        await client.close()
    return report


@dataclass(frozen=True, slots=True)
class _Entry:
    """The parts of a record that are compared."""

    partition: int
    offset: int
    written: int
    event_type: str
    event_id: str
    meant_for: str


class _DeadLettered:
    """The records that a service dead-lettered, in a temporary file."""

    def __init__(self) -> None:
        self._rows = sqlite3.connect("")
        self._rows.execute("CREATE TABLE dead_lettered (origin TEXT PRIMARY KEY) WITHOUT ROWID")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._rows.close()

    async def read(self, dead_letters: DeadLetterTopic) -> None:
        async for one in dead_letters.read():
            if one.resolution is None:
                origin = _origin(one.topic, one.partition, one.offset, one.written)
                self._rows.execute("INSERT OR IGNORE INTO dead_lettered VALUES (?)", (origin,))

    def among(self, topic: str, entries: Sequence[_Entry]) -> set[tuple[int, int]]:
        """Those of the entries that are dead letters, as (partition, offset)."""
        places = {
            _origin(topic, one.partition, one.offset, one.written): (one.partition, one.offset) for one in entries
        }
        wanted = json.dumps(list(places))
        rows = self._rows.execute(
            "SELECT origin FROM dead_lettered WHERE origin IN (SELECT value FROM json_each(?))", (wanted,)
        )
        return {places[origin] for (origin,) in rows}


def _origin(topic: str, partition: int, offset: int, written: int) -> str:
    return f"{topic}/{partition}/{offset}/{written}"


async def _audit(
    service: str,
    topics: Sequence[Topic],
    topic_ids: Mapping[str, str],
    settings: OperatorSettings,
    db: AsyncDatabase[Document],
) -> list[Account]:
    """The accounts of one service. Its offsets are read before its dead letters: whatever was dead-lettered before
    its offset moved on is there then."""
    known = []
    for topic in topics:
        for subscription in topic.consumers:
            if subscription.group == service:
                account = Account(service, topic.name)
                name = settings.topic(topic.name)
                known.append(
                    (account, set(subscription.events), await _offsets(account, name, topic_ids.get(name), db))
                )
    with _DeadLettered() as dead_lettered:
        await dead_lettered.read(DeadLetterTopic(service, settings))
        for account, wanted, next_offsets in known:
            name = settings.topic(account.topic)
            async for piece in _pieces(settings, name):
                behind = [one for one in piece if one.offset < next_offsets.get(one.partition, 0)]
                account.found += len(piece)
                account.pending += len(piece) - len(behind)
                await _settle(account, behind, wanted, dead_lettered.among(name, behind), db)
    return [account for account, _, _ in known]


async def _offsets(account: Account, name: str, log: str | None, db: AsyncDatabase[Document]) -> dict[int, int]:
    """The next offset of each partition, without those of a topic that was deleted."""
    found = {}
    async for row in db["offsets"].find({"_id": {"$regex": f"^{re.escape(name)}:"}}):
        if row.get("log", log) == log:
            found[int(row["_id"].rpartition(":")[2])] = int(row["next"])
            account.lost += int(row.get("lost", 0))
    return found


async def _settle(
    account: Account,
    entries: Sequence[_Entry],
    wanted: set[str],
    dead_lettered: set[tuple[int, int]],
    db: AsyncDatabase[Document],
) -> None:
    ids = [one.event_id for one in entries if one.event_type in wanted]
    seen: set[str] = set()
    for inbox in INBOXES.get(account.service, ("inbox",)):
        seen.update([row["_id"] async for row in db[inbox].find({"_id": {"$in": ids}}, {"_id": 1})])
    forgotten = (datetime.now(UTC).timestamp() - INBOX_SECONDS) * 1000
    for one in entries:
        if (one.partition, one.offset) in dead_lettered:
            account.dead_lettered += 1
        elif one.event_id in seen:
            account.applied += 1
        elif _passed_over(account, one, wanted):
            account.passed_over += 1
        elif one.written < forgotten:
            account.aged += 1
        else:
            account.missing += 1
            if len(account.examples) < EXAMPLES:
                account.examples.append(f"{one.partition}/{one.offset} {one.event_id or 'without id'}")


def _passed_over(account: Account, one: _Entry, wanted: set[str]) -> bool:
    """Whether the service passes it over: a type that it does not consume, or a replay for another service."""
    if one.event_type.startswith("herald.") and one.event_type not in wanted:
        return True
    return one.meant_for not in ("", account.service)


async def _pieces(settings: OperatorSettings, name: str) -> AsyncIterator[list[_Entry]]:
    piece: list[_Entry] = []
    async for record in read_topic(settings.kafka_options(), name):
        said = text_headers(record.headers)
        texts = (said.get(header, "")[:MAX_TEXT] for header in ("ce_type", "ce_id", REPLAYED_FOR))
        piece.append(_Entry(record.partition, record.offset, record.timestamp, *texts))
        if len(piece) == PIECE:
            yield piece
            piece = []
    if piece:
        yield piece


async def _outbox(service: str, db: AsyncDatabase[Document]) -> Outbox:
    count = await db["outbox"].count_documents({})
    first = await db["outbox"].find_one({}, sort=[("seq", 1)])
    age = (datetime.now(UTC) - first["at"]).total_seconds() if first else 0.0
    return Outbox(service, count, age, await db[LANES].count_documents({}), await db[ROWS].count_documents({}))
