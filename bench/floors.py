"""Floors of the consumers: raw aiokafka, orjson, and the same MongoDB writes in one transaction a batch.

    python -m bench.floors metrics|gamification

Runs until SIGTERM. Nothing is checked, traced or measured here, nothing is looked up, no batch is ever tried again;
limits of a day are kept in memory. What it leaves in MongoDB and announces on Kafka is what Herald does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import orjson
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from bson.timestamp import Timestamp
from pymongo import AsyncMongoClient, UpdateOne
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

BATCH = 1000
ZONE = ZoneInfo("Europe/Paris")
POINTS = {"click": 2, "like": 1, "comment": 3, "repost": 5}
CLICK_POINTS_A_DAY = 40
Event = tuple[str, dict[str, Any], datetime]
Record: TypeAlias = "ConsumerRecord[bytes, bytes]"
Announced = list[dict[str, Any]]
Writes = Callable[[Any, Any, Sequence[Event]], Awaitable[Announced]]


async def metrics(db: Any, session: Any, events: Sequence[Event]) -> Announced:
    """Facts, counters by item and by person, the version of the figures and by what they moved."""
    facts = []
    totals: dict[str, dict[str, Any]] = defaultdict(lambda: defaultdict(int))
    persons: dict[str, dict[str, Any]] = defaultdict(lambda: defaultdict(int))
    names: dict[str, dict[str, str]] = {}
    for id, said, at in events:
        day = at.astimezone(ZONE).date().isoformat()
        program, network = said["program_id"], said["network"]
        facts.append(
            {
                "_id": id,
                "program_id": program,
                "post_id": said["post_id"],
                "ambassador_id": said["ambassador_id"],
                "content_id": said["content_id"],
                "network": network,
                "at": at,
                "day": day,
                "type": "engagement",
                "kind": said["kind"],
                "verdict": said["verdict"],
                "quantity": said["quantity"],
                "measure": said["measure"],
            }
        )
        field = f"click_{said['verdict']}" if said["kind"] == "click" else said["kind"]
        for counters, last in ((totals, "content_id"), (persons, "ambassador_id")):
            parts = {"program_id": program, "day": day, "network": network, last: said[last]}
            key = f"{program}|{day}|{network}|{said[last]}"
            counters[key][field] += said["quantity"]
            names[key] = parts
    await db.facts.insert_many(facts, session=session, ordered=False)
    for collection, counters in ((db.totals, totals), (db.person_days, persons)):
        writes = [
            UpdateOne({"_id": key}, {"$inc": changed, "$setOnInsert": names[key]}, upsert=True)
            for key, changed in counters.items()
        ]
        await collection.bulk_write(writes, session=session, ordered=False)
    program, now = facts[-1]["program_id"], datetime.now(UTC)
    row = await db.figure_versions.find_one_and_update(
        {"_id": program},
        {"$inc": {"version": 1}, "$set": {"traceparent": None, "at": now}},
        upsert=True,
        return_document=True,
        session=session,
    )
    moved: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for key, added in totals.items():
        _, day, network, _ = key.split("|")
        for field, number in added.items():
            moved[day, network][field] += number
    change = {"_id": f"{program}|{row['version']}", "at": now, "counts": [[*by, one] for by, one in moved.items()]}
    await db.figure_changes.insert_one(change, session=session)
    return []


class Gamification:
    """Ledger, balances, totals of a day, what is announced of them, and the ids of the events."""

    def __init__(self) -> None:
        self._given: dict[str, int] = defaultdict(int)

    async def __call__(self, db: Any, session: Any, events: Sequence[Event]) -> Announced:
        now = datetime.now(UTC)
        await db.inbox.insert_many([{"_id": id, "at": now} for id, _, _ in events], session=session, ordered=False)
        rows, rows_out = [], []
        balances: dict[str, int] = defaultdict(int)
        parts: dict[str, dict[str, str]] = {}
        totals: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for id, said, at in events:
            day = at.astimezone(ZONE).date()
            points = self._points(said, f"{said['ambassador_id']}{day}")
            if not points:
                continue
            row = _entry(id, said, at, day.isoformat(), points, now)
            rows.append(row)
            rows_out.append(_announcement(row, now))
            whose = f"{said['program_id']}|{said['ambassador_id']}"
            year, week, _ = day.isocalendar()
            for period in (f"{year}-W{week:02}", f"{day:%Y-%m}", f"{day.year}-Q{(day.month - 1) // 3 + 1}", "all"):
                key = f"{whose}|{period}"
                balances[key] += points
                parts[key] = {
                    "program_id": said["program_id"], "period": period, "ambassador_id": said["ambassador_id"]
                }  # fmt: skip
            total = totals[f"{whose}|{day.isoformat()}"]
            total[f"rules.{said['kind']}.acts"] += 1
            total[f"rules.{said['kind']}.points"] += points
        if rows:
            await db.ledger.insert_many(rows, session=session, ordered=False)
            await db.balances.bulk_write(
                [
                    UpdateOne({"_id": key}, {"$inc": {"points": points}, "$setOnInsert": parts[key]}, upsert=True)
                    for key, points in balances.items()
                ],
                session=session,
                ordered=False,
            )
            await db.totals.bulk_write(
                [UpdateOne({"_id": key}, {"$inc": change}, upsert=True) for key, change in totals.items()],
                session=session,
                ordered=False,
            )
            await db.outbox.insert_many(rows_out, session=session, ordered=True)
        return rows_out

    def _points(self, said: dict[str, Any], whose: str) -> int:
        if said["verdict"] != "counted":
            return 0
        points = POINTS[said["kind"]] * int(said["quantity"])
        if said["kind"] == "click":
            points = min(points, CLICK_POINTS_A_DAY - self._given[whose])
            self._given[whose] += points
        return points


def _entry(id: str, said: dict[str, Any], at: datetime, day: str, points: int, now: datetime) -> dict[str, Any]:
    return {
        "_id": f"{id}-{said['kind']}",
        "ambassador_id": said["ambassador_id"],
        "program_id": said["program_id"],
        "points": points,
        "acts": said["quantity"],
        "worth": points,
        "rule": said["kind"],
        "rule_version": 1,
        "act": said["kind"],
        "cause_id": id,
        "cause_type": "herald.EngagementRecorded.v1",
        "post_id": said["post_id"],
        "content_id": said["content_id"],
        "network": said["network"],
        "day": day,
        "occurred_at": at,
        "reverses": None,
        "booked_at": now,
    }


def _announcement(row: dict[str, Any], now: datetime) -> dict[str, Any]:
    said = {
        "entry_id": row["_id"],
        **{name: row[name] for name in ("ambassador_id", "program_id", "points", "rule", "rule_version")},
        **{name: row[name] for name in ("cause_id", "cause_type", "occurred_at")},
    }
    key, moment = row["ambassador_id"].encode(), now.isoformat(timespec="milliseconds").encode()
    headers = {
        "ce_specversion": b"1.0",
        "ce_id": row["_id"].encode(),
        "ce_type": b"herald.PointsAwarded.v1",
        "ce_source": b"/herald/gamification",
        "ce_subject": row["_id"].encode(),
        "ce_time": moment,
        "ce_dataschema": b"urn:herald:PointsAwarded:v1",
        "ce_partitionkey": key,
        "content-type": b"application/json",
        "traceparent": b"00-0123456789abcdef0123456789abcdef-0123456789abcdef-00",
    }
    seq = Timestamp(0, 0)
    value = orjson.dumps(said)
    return {"seq": seq, "topic": "herald.recognition", "key": key, "value": value, "headers": headers, "at": now}


WRITES: dict[str, Callable[[], Writes]] = {"metrics": lambda: metrics, "gamification": Gamification}


async def index(db: Any, name: str) -> None:
    """The indexes that Herald keeps on what is written here."""
    if name == "metrics":
        await db.facts.create_index([("post_id", 1), ("type", 1)])
        await db.totals.create_index([("program_id", 1), ("day", 1)])
        await db.person_days.create_index([("program_id", 1), ("day", 1)])
        await db.person_days.create_index([("program_id", 1), ("ambassador_id", 1), ("day", 1)])
    else:
        await db.inbox.create_index("at", expireAfterSeconds=30 * 86400)
        await db.outbox.create_index("seq")
        await db.ledger.create_index([("program_id", 1), ("ambassador_id", 1), ("occurred_at", 1), ("_id", 1)])
        await db.ledger.create_index("post_id", partialFilterExpression={"act": "share"})
        await db.balances.create_index([("program_id", 1), ("period", 1), ("points", 1), ("ambassador_id", 1)])


async def run(name: str) -> None:
    namespace, writes = os.environ["HERALD_NAMESPACE"], WRITES[name]()
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(os.environ["HERALD_MONGO_URL"], tz_aware=True)
    db = client[f"{namespace}_herald_floor-{name}"]
    await index(db, name)
    topic = f"{namespace}.herald.engagements"
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=os.environ["HERALD_KAFKA_BOOTSTRAP"],
        group_id=f"{namespace}.floor-{name}",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=os.environ["HERALD_KAFKA_BOOTSTRAP"],
        acks="all",
        enable_idempotence=True,
        compression_type="lz4",
        linger_ms=2,
    )
    await consumer.start()
    await producer.start()
    try:
        while True:
            got = await consumer.getmany(timeout_ms=250, max_records=BATCH)
            if got:
                announced = await _apply(client, db, got, writes)
                await consumer.commit()
                await _publish(producer, db, namespace, announced)
    finally:
        await consumer.stop()
        await producer.stop()
        await client.close()


async def _publish(producer: AIOKafkaProducer, db: Any, namespace: str, announced: Announced) -> None:
    """Send what was announced and take it out of the outbox."""
    if not announced:
        return
    sent = [
        await producer.send(
            f"{namespace}.{row['topic']}", row["value"], key=row["key"], headers=list(row["headers"].items())
        )
        for row in announced
    ]
    await asyncio.gather(*sent)
    await db.outbox.delete_many({"_id": {"$in": [row["_id"] for row in announced]}})


async def _apply(client: Any, db: Any, got: dict[TopicPartition, list[Record]], writes: Writes) -> Announced:
    events = [_decoded(record) for records in got.values() for record in records]
    moves = [
        UpdateOne({"_id": f"{place.topic}:{place.partition}"}, {"$set": {"next": records[-1].offset + 1}}, upsert=True)
        for place, records in got.items()
    ]
    async with client.start_session() as session:
        await session.start_transaction(
            read_concern=ReadConcern("snapshot"), write_concern=WriteConcern("majority", wtimeout=10_000)
        )
        await db.offsets.bulk_write(moves, session=session, ordered=False)
        announced = await writes(db, session, events)
        await session.commit_transaction()
    return announced


def _decoded(record: Record) -> Event:
    said = orjson.loads(record.value or b"")
    id = next(value for name, value in record.headers if name == "ce_id").decode()
    return id, said, datetime.fromisoformat(said["occurred_at"])


async def main() -> None:
    running = asyncio.ensure_future(run(sys.argv[1]))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await running


if __name__ == "__main__":
    uvloop.run(main())
