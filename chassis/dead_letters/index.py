"""The index of a service's dead letters, in its MongoDB: a page costs little even among 100,000.

Kafka is the source of truth. The index follows the dead-letter topic and can be dropped at any time: it is then read
again from the beginning. One worker of a service keeps it, under a lease; writing the same records again changes
nothing.

`dead_letters` has a row for each dead letter; `open` is False once its resolution was read, which may be before it.
`dead_letter_index` has the next offset of each partition of the topic, and which topic that was.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from pymongo import IndexModel, UpdateOne
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from chassis.dead_letters.record import DeadLetter, Resolution, read_dead_letter, topic_of
from chassis.kafka.tolerant_parser import tolerate
from chassis.kafka.topic_ids import topic_ids
from chassis.kafka.topic_reader import CLOSE_SECONDS, CONNECT_SECONDS
from chassis.mongo.leases import Lease
from chassis.settings import KafkaSettings
from chassis.tasks import run_until, sleep_or_event

if TYPE_CHECKING:
    from chassis.runtime import Runtime

logger = logging.getLogger(__name__)
Document = dict[str, Any]
RETENTION_SECONDS = 90 * 86_400  # of the dead-letter topics; what is gone there is gone here
AT_ONCE = 1000
WAIT_MS = 1000
LOOK_SECONDS = 60.0
PAUSE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which open dead letters: these, or all of a type and a rule, dead-lettered by then. Empty means any."""

    ids: tuple[str, ...] = ()
    event_type: str = ""
    rule: str = ""
    before: datetime | None = None

    @property
    def query(self) -> Document:
        query: Document = {"open": True}
        if self.ids:
            query["_id"] = {"$in": list(self.ids)}
        if self.event_type:
            query["event_type"] = self.event_type
        if self.rule:
            query["rule"] = self.rule
        if self.before is not None:
            query["at"] = {"$lte": self.before}
        return query


@dataclass(frozen=True, slots=True)
class Group:
    """How many open dead letters have a type and a rule in common."""

    event_type: str
    rule: str
    count: int


class DeadLetterIndex:
    """Reads and writes of the index. Everything raises PyMongoError when MongoDB is away."""

    def __init__(self, service: str, db: AsyncDatabase[Document]) -> None:
        self._service = service
        self._rows = db["dead_letters"]
        self._state = db["dead_letter_index"]

    async def ensure_indexes(self) -> None:
        origin = [("topic", 1), ("partition", 1), ("offset", 1)]
        await self._rows.create_indexes(
            [
                IndexModel([("open", 1), *origin]),
                IndexModel([("open", 1), ("event_type", 1), ("rule", 1), *origin]),
                IndexModel("at", expireAfterSeconds=RETENTION_SECONDS),
            ]
        )

    # --- reading ---------------------------------------------------------------------------------------------

    async def page(self, wanted: Wanted, *, after: tuple[str, int, int] | None, limit: int) -> list[DeadLetter]:
        """Open dead letters in the order of their origin, from behind the origin `after`."""
        query = wanted.query
        if after is not None:
            topic, partition, offset = after
            query["$or"] = [
                {"topic": topic, "partition": partition, "offset": {"$gt": offset}},
                {"topic": topic, "partition": {"$gt": partition}},
                {"topic": {"$gt": topic}},
            ]
        cursor = self._rows.find(query, sort=[("topic", 1), ("partition", 1), ("offset", 1)], limit=limit)
        return [self._dead_letter(row) async for row in cursor]

    async def find(self, id: str) -> DeadLetter | None:
        """An open dead letter."""
        row = await self._rows.find_one({"_id": id, "open": True})
        return self._dead_letter(row) if row is not None else None

    async def groups(self) -> list[Group]:
        """Of all open dead letters, the largest first."""
        counted: list[Document] = [
            {"$match": {"open": True}},
            {"$group": {"_id": {"event_type": "$event_type", "rule": "$rule"}, "count": {"$sum": 1}}},
            {"$sort": {"count": -1, "_id": 1}},
        ]
        cursor = await self._rows.aggregate(counted)
        return [Group(**row["_id"], count=row["count"]) async for row in cursor]

    async def count(self, wanted: Wanted, *, whole: bool | None = None) -> int:
        """How many; only those that were kept whole, or were not, where that is said."""
        query = wanted.query
        if whole is not None:
            query["left_out"] = "" if whole else {"$ne": ""}
        return await self._rows.count_documents(query)

    def _dead_letter(self, row: Mapping[str, Any]) -> DeadLetter:
        return DeadLetter(
            id=row["_id"],
            service=self._service,
            rule=row["rule"],
            detail=row["detail"],
            topic=row["topic"],
            partition=row["partition"],
            offset=row["offset"],
            at=row["at"],
            event_type=row["event_type"],
            event_id=row["event_id"],
            written=row["written"],
            size=row["size"],
            left_out=row["left_out"],
            place=(row["place"][0], row["place"][1]),
        )

    # --- writing ---------------------------------------------------------------------------------------------

    async def resolve(self, ids: Iterable[str], resolution: Resolution, at: datetime) -> None:
        """What Kafka has confirmed is known here at once."""
        writes = [_resolved(id, resolution, at) for id in ids]
        if writes:
            await self._rows.bulk_write(writes, ordered=False)

    async def take(self, records: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        """Write what these records of the topic say, and that they were read. They are in the order of each
        partition."""
        writes = [write for record in records if (write := self._write(record)) is not None]
        if writes:
            await self._rows.bulk_write(writes, ordered=False)
        nexts = {str(record.partition): record.offset + 1 for record in records}
        if nexts:
            state = {f"next.{partition}": offset for partition, offset in nexts.items()}
            await self._state.update_one({"_id": "topic"}, {"$set": state}, upsert=True)

    async def begin(self, topic_id: str) -> dict[int, int]:
        """The next offset to read of each partition; none for a topic that is not the one that was indexed, of which
        nothing is kept."""
        state = await self._state.find_one({"_id": "topic"})
        if state is not None and state.get("topic_id") == topic_id:
            return {int(partition): int(offset) for partition, offset in state.get("next", {}).items()}
        await self.clear()
        await self._state.update_one({"_id": "topic"}, {"$set": {"topic_id": topic_id}}, upsert=True)
        return {}

    async def clear(self) -> None:
        """Forget everything: it is read again from the topic."""
        await self._state.delete_many({})
        await self._rows.delete_many({})

    def _write(self, record: ConsumerRecord[bytes, bytes]) -> UpdateOne | None:
        one = read_dead_letter(self._service, record)
        if one is None:
            return None
        if one.resolution is not None:
            return _resolved(one.id, one.resolution, one.at)
        row = {
            "rule": one.rule,
            "detail": one.detail,
            "topic": one.topic,
            "partition": one.partition,
            "offset": one.offset,
            "at": one.at,
            "event_type": one.event_type,
            "event_id": one.event_id,
            "written": one.written,
            "size": one.size,
            "left_out": one.left_out,
            "place": list(one.place),
        }
        return UpdateOne({"_id": one.id}, {"$set": row, "$setOnInsert": {"open": True}}, upsert=True)


def _resolved(id: str, resolution: str, at: datetime) -> UpdateOne:
    state = {"open": False, "resolution": resolution, "resolved_at": at}
    return UpdateOne({"_id": id}, {"$set": state, "$setOnInsert": {"at": at}}, upsert=True)


async def follow(
    index: DeadLetterIndex, service: str, settings: KafkaSettings, *, seconds: float | None, lease: Lease | None = None
) -> None:
    """Read the dead-letter topic on from where the index is, for so many seconds and while the lease is held; without
    `seconds`, up to its present end. Raises KafkaError, TimeoutError, PyMongoError."""
    topic = settings.topic(topic_of(service))
    tolerate()
    client = AIOKafkaConsumer(
        **settings.kafka_options(),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=WAIT_MS,
    )
    async with asyncio.timeout(CONNECT_SECONDS):
        await client.start()
    try:
        identity = (await topic_ids(client, [topic])).get(topic)
        if identity is None:
            return
        nexts = await index.begin(identity)
        parts = [TopicPartition(topic, number) for number in await _partitions(client, topic)]
        client.assign(parts)
        beginnings, ends = await client.beginning_offsets(parts), await client.end_offsets(parts)
        places = {part: max(beginnings[part], min(nexts.get(part.partition, 0), ends[part])) for part in parts}
        for part, place in places.items():
            client.seek(part, place)
        deadline = None if seconds is None else asyncio.get_running_loop().time() + seconds
        while (lease is None or lease.held) and (deadline is None or asyncio.get_running_loop().time() < deadline):
            if deadline is None and all(places[part] >= ends[part] for part in parts):
                return
            found = await client.getmany(timeout_ms=WAIT_MS, max_records=AT_ONCE)
            await index.take([record for records in found.values() for record in records])
            places = {part: await client.position(part) for part in parts}
    finally:
        await asyncio.wait_for(client.stop(), CLOSE_SECONDS)


async def _partitions(client: AIOKafkaConsumer, topic: str) -> list[int]:
    async with asyncio.timeout(CONNECT_SECONDS):
        await client._client.force_metadata_update()  # noqa: SLF001
        while not (found := client.partitions_for_topic(topic)):
            client._client.add_topic(topic)  # noqa: SLF001
            await client._client.force_metadata_update()  # noqa: SLF001
    return sorted(found)


class DeadLetterIndexer:
    """Keeps the index of one service: a background task of its workers, at work in one of them."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._index = DeadLetterIndex(runtime.name, runtime.mongo.db)

    async def run(self, stop: asyncio.Event) -> None:
        """Follow the topic until `stop`."""
        lease = Lease(self._runtime.mongo, self._runtime.supervisor, "dead-letter-index", seconds=15)
        try:
            while not stop.is_set():
                try:
                    if await lease.acquire():
                        async with lease.kept():
                            await self._follow(lease, stop)
                except (PyMongoError, KafkaError, TimeoutError, OSError) as error:
                    logger.info("dead letters cannot be indexed: %s", type(error).__name__)
                await sleep_or_event(PAUSE_SECONDS, stop)
        finally:
            await lease.release()

    async def _follow(self, lease: Lease, stop: asyncio.Event) -> None:
        while lease.held and not stop.is_set():
            name, settings = self._runtime.name, self._runtime.settings
            await run_until(stop, follow(self._index, name, settings, seconds=LOOK_SECONDS, lease=lease))
            await sleep_or_event(1, stop)
