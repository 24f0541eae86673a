"""Faults of what a service has to tell: topics that are not there, events that are too large."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from bson.timestamp import Timestamp
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from chassis.ids import new_id
from herald.operations.topics import load_topics
from tests.fault.evidence import Document, read_topics
from tests.fault.harness import FaultHarness

NOWHERE = "herald.nowhere"
UNSENT = 1500
"""More than a relay reads at once."""
TOPIC = "herald.content"
PADDING = 700_000
"""Random bytes, twice as many as hexadecimal digits: above the topic's limit of a megabyte."""
ENOUGH = "3000000"
FRESH_SECONDS = 5.0


async def lanes_stopped(harness: FaultHarness) -> None:
    """One topic is missing, with more events than are read at once, and one event is too large for its topic."""
    client: AsyncMongoClient[Document] = AsyncMongoClient(harness.system.mongo_direct, tz_aware=True, tzinfo=UTC)
    db = client["herald_content"]
    admin = AIOKafkaAdminClient(bootstrap_servers=harness.system.kafka)
    await admin.start()
    try:
        await harness.terminate("workers")
        key = await _enlarge(harness, db)
        await db["outbox"].insert_many([_unsent(number) for number in range(UNSENT)])
        await harness.restart("workers")
        await harness.until(lambda: _set_aside(db, key), "the lane of the large event is set aside whole")
        await harness.until(lambda: _others_go_on(db), "every other lane goes on", within=60)
        limit = {**next(one.config for one in load_topics() if one.name == TOPIC), "max.message.bytes": ENOUGH}
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, TOPIC, limit)])
        await admin.create_topics([NewTopic(NOWHERE, 3, 1)])
        await harness.until(lambda: _nothing_left(db), "what stood still goes on by itself", within=90)
        arrived = (await read_topics(harness.system.kafka, [NOWHERE]))[NOWHERE]
        numbers: dict[bytes | None, list[int]] = {}
        for one in arrived:
            numbers.setdefault(one.key, []).append(int(one.said("number")))
        harness.holds("all of the missing topic's events arrive", len(arrived) >= UNSENT, len(arrived))
        first = {own: list(dict.fromkeys(some)) for own, some in numbers.items()}
        harness.holds("each lane in its order", all(some == sorted(some) for some in first.values()))
    finally:
        await admin.close()
        await client.close()


async def _enlarge(harness: FaultHarness, db: AsyncDatabase[Document]) -> bytes:
    """Make the first of several waiting events of one item too large; returns the item's key."""
    found: list[Document] = []

    async def several() -> bool:
        waiting: dict[bytes, list[Document]] = {}
        async for row in db["outbox"].find({"topic": TOPIC}, sort=[("seq", 1)]):
            waiting.setdefault(bytes(row["key"]), []).append(row)
        found[:] = next((rows for rows in waiting.values() if len(rows) > 1), [])
        return len(found) > 1

    await harness.until(several, "an item has several events in the outbox", within=60)
    first = found[0]
    data: dict[str, Any] = json.loads(first["value"])
    value = json.dumps({**data, "padding": os.urandom(PADDING).hex()}).encode()
    await db["outbox"].update_one({"_id": first["_id"]}, {"$set": {"value": value}})
    return bytes(first["key"])


def _unsent(number: int) -> Document:
    """A row for a topic that is not there, before all others."""
    return {
        "_id": new_id(),
        "seq": Timestamp(1, number + 1),
        "topic": NOWHERE,
        "key": b"k%d" % (number % 7),
        "value": b"{}",
        "headers": {"number": b"%d" % number, "ce_type": b"herald.Nothing.v1"},
        "at": datetime.now(UTC),
    }


async def _set_aside(db: AsyncDatabase[Document], key: bytes) -> bool:
    lane = await db["outbox_blocked"].find_one({"topic": TOPIC, "key": key})
    left = await db["outbox"].count_documents({"topic": TOPIC, "key": key})
    return lane is not None and lane["rows"] > 1 and left == 0


async def _others_go_on(db: AsyncDatabase[Document]) -> bool:
    """Whether nothing waits for long but the topic that is missing."""
    row = await db["outbox"].find_one({"topic": {"$ne": NOWHERE}}, sort=[("seq", 1)])
    still = await db["outbox"].count_documents({"topic": NOWHERE}) == UNSENT
    return still and (row is None or (datetime.now(UTC) - row["at"]).total_seconds() < FRESH_SECONDS)


async def _nothing_left(db: AsyncDatabase[Document]) -> bool:
    return not await db["outbox_aside"].count_documents({}) and not await db["outbox"].count_documents(
        {"topic": NOWHERE}
    )
