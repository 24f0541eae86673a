"""What is really there: every record of every topic from offset 0, and the documents of every store.

Read with plain clients; nothing here imports the code under test. Contracts are read from their files.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import UnknownTopicOrPartitionError
from pymongo import AsyncMongoClient

ROOT = Path(__file__).resolve().parents[2]
DEAD = "herald.deadletters."
LETTER = "herald_deadletter_"
SERVICES = ("program", "content", "sharing", "gamification", "metrics")
UNREAD = {
    "idempotency", "taps", "figure_versions", "figure_changes", "leases", "dead_letters", "dead_letter_index",
}  # fmt: skip
READ_SECONDS = 300.0
Document = dict[str, Any]
Place = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Record:
    """One record; `id`, `type`, `trace` and `data` as far as it says them readably."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    id: str = ""
    type: str = ""
    trace: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> Place:
        return (self.topic, self.partition, self.offset)

    def said(self, name: str) -> str:
        """A header's text; empty where there is none that can be read."""
        return _texts(self.headers).get(name, "")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter of `service`, and the place that its record came from."""

    service: str
    rule: str
    detail: str
    origin: Place
    record: Record


@dataclass(slots=True)
class Evidence:
    """`records` by topic in the order of partition and offset; `stores` by service, collection and `_id`."""

    records: dict[str, list[Record]]
    stores: dict[str, dict[str, dict[str, Document]]]
    consumers: Mapping[str, Mapping[str, frozenset[str]]]

    def store(self, service: str, collection: str) -> dict[str, Document]:
        return self.stores.get(service, {}).get(collection, {})

    def of_type(self, name: str) -> list[Record]:
        """All records of an event type, given as `PostShared`, in the order of their topic."""
        wanted = f"herald.{name}.v1"
        return [
            record for topic in self.records if not topic.startswith(DEAD) for record in self.records[topic]
            if record.type == wanted
        ]  # fmt: skip

    def dead_letters(self) -> list[DeadLetter]:
        """Every dead letter, repeats included."""
        found = []
        for topic, records in self.records.items():
            if not topic.startswith(DEAD):
                continue
            for record in records:
                said = _texts(record.headers)
                if f"{LETTER}resolution" in said or f"{LETTER}topic" not in said:
                    continue
                origin = (
                    said[f"{LETTER}topic"], int(said[f"{LETTER}partition"]), int(said[f"{LETTER}offset"]),
                )  # fmt: skip
                rule, detail = said.get(f"{LETTER}rule", ""), said.get(f"{LETTER}detail", "")
                found.append(DeadLetter(topic.removeprefix(DEAD), rule, detail, origin, record))
        return found


@lru_cache(maxsize=1)
def contract() -> dict[str, Any]:
    """The topic files by topic."""
    files = sorted((ROOT / "contracts" / "topics").glob("*.yaml"))
    return {found["name"]: found for found in (yaml.safe_load(file.read_text()) for file in files)}


def consumers() -> dict[str, dict[str, frozenset[str]]]:
    """What each of Herald's services takes: event types by topic."""
    found: dict[str, dict[str, frozenset[str]]] = {}
    for topic, said in contract().items():
        for one in said["consumers"]:
            if one.get("dead_letters"):
                found.setdefault(one["group"], {})[topic] = frozenset(one["events"])
    return found


def _texts(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in headers:
        if value is not None:
            try:
                found[name] = bytes(value).decode()
            except UnicodeDecodeError:
                continue
    return found


def record_of(
    topic: str,
    partition: int,
    offset: int,
    key: bytes | None,
    value: bytes | None,
    headers: Iterable[tuple[str, bytes | None]],
) -> Record:
    """A record with what can be read of it."""
    kept = tuple((name, None if one is None else bytes(one)) for name, one in headers)
    said = _texts(kept)
    try:
        data = json.loads(value or b"")
    except (ValueError, RecursionError):
        data = {}
    return Record(
        topic, partition, offset, key, value, kept,
        id=said.get("ce_id", ""),
        type=said.get("ce_type", ""),
        trace=said.get("traceparent", "")[3:35],
        data=data if isinstance(data, dict) else {},
    )  # fmt: skip


async def read_topics(bootstrap: str, topics: Iterable[str]) -> dict[str, list[Record]]:
    """Each topic from offset 0 to its end. Raises KafkaError, TimeoutError."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest", fetch_max_wait_ms=50,
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )  # fmt: skip
    found: dict[str, list[Record]] = {topic: [] for topic in topics}
    async with asyncio.timeout(READ_SECONDS):
        await consumer.start()
        try:
            parts = await _partitions(consumer, found)
            consumer.assign(parts)
            await consumer.seek_to_beginning(*parts)
            ends = await consumer.end_offsets(parts)
            open_parts = {part for part in parts if ends[part] > 0}
            while open_parts:
                for part, batch in (await consumer.getmany(timeout_ms=500)).items():
                    found[part.topic] += [
                        record_of(part.topic, part.partition, one.offset, one.key, one.value, one.headers)
                        for one in batch
                    ]
                open_parts = {part for part in open_parts if await consumer.position(part) < ends[part]}
        finally:
            await consumer.stop()
    for records in found.values():
        records.sort(key=lambda one: (one.partition, one.offset))
    return found


async def _partitions(consumer: AIOKafkaConsumer, topics: Iterable[str]) -> list[TopicPartition]:
    metadata = await consumer._client.fetch_all_metadata()
    found = {topic: sorted(metadata.partitions_for_topic(topic) or ()) for topic in topics}
    missing = [topic for topic, numbers in found.items() if not numbers]
    if missing:
        raise UnknownTopicOrPartitionError(", ".join(missing))
    return [TopicPartition(topic, number) for topic, numbers in found.items() for number in numbers]


async def end_offsets(bootstrap: str, topics: Iterable[str]) -> dict[tuple[str, int], int]:
    """The end of every partition. Raises KafkaError, TimeoutError."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, request_timeout_ms=3000)
    async with asyncio.timeout(10):
        await consumer.start()
        try:
            ends = await consumer.end_offsets(await _partitions(consumer, topics))
        finally:
            await consumer.stop()
    return {(part.topic, part.partition): end for part, end in ends.items()}


async def read_stores(mongo_url: str) -> dict[str, dict[str, dict[str, Document]]]:
    """Every document of every service. Raises PyMongoError."""
    client: AsyncMongoClient[Document] = AsyncMongoClient(mongo_url, tz_aware=True, tzinfo=UTC)
    found: dict[str, dict[str, dict[str, Document]]] = {}
    try:
        for service in SERVICES:
            db = client[f"herald_{service}"]
            found[service] = {}
            for name in await db.list_collection_names():
                if name not in UNREAD:
                    found[service][name] = {str(row["_id"]): row async for row in db[name].find({})}
    finally:
        await client.close()
    return found


async def read_evidence(bootstrap: str, mongo_url: str) -> Evidence:
    """Everything, at a moment when nothing is under way."""
    return Evidence(await read_topics(bootstrap, contract()), await read_stores(mongo_url), consumers())


async def pending(bootstrap: str, mongo_url: str) -> list[str]:
    """What is still under way: outbox rows, and records that a service has not consumed; empty when settled."""
    ends = await end_offsets(bootstrap, contract())
    client: AsyncMongoClient[Document] = AsyncMongoClient(mongo_url, serverSelectionTimeoutMS=3_000)
    found = []
    try:
        for service in SERVICES:
            db = client[f"herald_{service}"]
            if rows := await db["outbox"].count_documents({}) + await db["outbox_aside"].count_documents({}):
                found.append(f"{service}: {rows} in the outbox")
            reached = {row["_id"]: row["next"] async for row in db["offsets"].find({})}
            for topic in consumers().get(service, {}):
                behind = sum(
                    max(0, end - reached.get(f"{topic}:{number}", 0))
                    for (name, number), end in ends.items()
                    if name == topic
                )
                if behind:
                    found.append(f"{service}: {behind} of {topic}")
    finally:
        await client.close()
    return found
