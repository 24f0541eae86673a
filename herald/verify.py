"""Whether nothing was lost: each service's positions, inbox and dead letters against what is on the topics.

Read-only, and in bounded memory: a topic is read once from its beginning, in pieces, and each piece is looked up.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aiokafka import ConsumerRecord
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from chassis.deadletters import REPLAYED_FOR
from chassis.letters import Letters
from chassis.mongo import Document
from chassis.reading import read_topic
from herald.operator import OperatorSettings
from herald.topics import load_topics
from herald_contracts.envelope import text_headers

PIECE = 2000
INBOX_SECONDS = 29 * 86_400
# Beside the inbox: collections that keep some events by id, and so are their inbox.
INBOXES = {"metrics": ("inbox", "facts", "waiting")}
EXAMPLES = 5
Origin = tuple[str, int, int]


@dataclass(slots=True)
class Account:
    """What became of the records that one service was to take from one topic.

    `consumed` = `applied` + `buried` (dead-lettered) + `passed` (types not asked for) + `aged` (older than the
    inbox remembers; applied by the position alone) + `missing`, which must be 0. `pending` are not consumed yet.
    """

    service: str
    topic: str
    consumed: int = 0
    applied: int = 0
    buried: int = 0
    passed: int = 0
    aged: int = 0
    pending: int = 0
    missing: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Outbox:
    """What a service has committed and Kafka has not confirmed yet."""

    service: str
    pending: int
    oldest_seconds: float


@dataclass(slots=True)
class Report:
    accounts: list[Account] = field(default_factory=list)
    outboxes: list[Outbox] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return all(account.missing == 0 for account in self.accounts)

    @property
    def settled(self) -> bool:
        """Whether nothing is under way either."""
        return (
            self.ok
            and all(account.pending == 0 for account in self.accounts)
            and all(outbox.pending == 0 for outbox in self.outboxes)
        )


async def verify(settings: OperatorSettings) -> Report:
    """Check every consumer of `contracts/topics`. Raises KafkaError and PyMongoError when these are away."""
    client: AsyncMongoClient[Document] = AsyncMongoClient(
        settings.mongo_url, tz_aware=True, tzinfo=UTC, serverSelectionTimeoutMS=5_000
    )
    report = Report()
    try:
        services: set[str] = set()
        for topic in load_topics():
            for subscription in topic.consumers:
                if subscription.dead_letters is None:
                    continue
                services.add(subscription.group)
                db = client[settings.database(subscription.group)]
                account = Account(subscription.group, topic.name)
                await _audit(account, set(subscription.events), settings, db)
                report.accounts.append(account)
            services.add(topic.owner)
        for service in sorted(services):
            report.outboxes.append(await _outbox(service, client[settings.database(service)]))
    finally:
        await client.close()
    return report


async def _audit(account: Account, wanted: set[str], settings: OperatorSettings, db: AsyncDatabase[Document]) -> None:
    name = settings.topic(account.topic)
    letters = Letters(account.service, settings)
    buried = {letter.origin for letter in await letters.all() if letter.topic == name}
    positions = {
        int(row["_id"].rpartition(":")[2]): int(row["next"])
        async for row in db["offsets"].find({"_id": {"$regex": f"^{name}:"}})
    }
    async for piece in _pieces(settings, name):
        behind = [record for record in piece if record.offset < positions.get(record.partition, 0)]
        account.pending += len(piece) - len(behind)
        account.consumed += len(behind)
        await _settle(account, behind, wanted, buried, db)


async def _settle(
    account: Account,
    records: list[ConsumerRecord[bytes, bytes]],
    wanted: set[str],
    buried: set[Origin],
    db: AsyncDatabase[Document],
) -> None:
    headers = [text_headers(record.headers) for record in records]
    ids = [one["ce_id"] for one in headers if one.get("ce_type") in wanted and "ce_id" in one]
    seen: set[str] = set()
    for inbox in INBOXES.get(account.service, ("inbox",)):
        seen.update([row["_id"] async for row in db[inbox].find({"_id": {"$in": ids}}, {"_id": 1})])
    forgotten = (datetime.now(UTC).timestamp() - INBOX_SECONDS) * 1000
    for record, said in zip(records, headers, strict=True):
        origin = (record.topic, record.partition, record.offset)
        if origin in buried:
            account.buried += 1
        elif said.get("ce_id") in seen:
            account.applied += 1
        elif _passed(account, said, wanted):
            account.passed += 1
        elif record.timestamp < forgotten:
            account.aged += 1
        else:
            account.missing += 1
            if len(account.examples) < EXAMPLES:
                account.examples.append(f"{record.partition}/{record.offset} {said.get('ce_id', 'without id')}")


def _passed(account: Account, said: Mapping[str, str], wanted: set[str]) -> bool:
    """Whether the service was to pass it over: a type it does not take, or a replay for another service."""
    event_type = said.get("ce_type", "")
    if event_type.startswith("herald.") and event_type not in wanted:
        return True
    return said.get(REPLAYED_FOR, account.service) != account.service


async def _pieces(settings: OperatorSettings, name: str) -> AsyncIterator[list[ConsumerRecord[bytes, bytes]]]:
    piece: list[ConsumerRecord[bytes, bytes]] = []
    async for record in read_topic(settings.kafka_options(), name):
        piece.append(record)
        if len(piece) == PIECE:
            yield piece
            piece = []
    if piece:
        yield piece


async def _outbox(service: str, db: AsyncDatabase[Document]) -> Outbox:
    count = await db["outbox"].count_documents({})
    first = await db["outbox"].find_one({}, sort=[("seq", 1)])
    age = (datetime.now(UTC) - first["at"]).total_seconds() if first else 0.0
    return Outbox(service, count, age)
