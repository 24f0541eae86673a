"""What Kafka may hold and may do to a consumer: each ends as docs/guides/consuming.md says, and nothing stops."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.errors import KafkaError
from aiokafka.record.util import calc_crc32c
from pymongo import AsyncMongoClient

from chassis.consumer import Consumer, Received, loop, on, subscription
from chassis.ids import new_id
from chassis.mongo import Transaction
from chassis.principals import PEOPLE, PrincipalStore
from chassis.runtime import Runtime
from chassis.service import Service
from chassis.settings import Settings
from chassis.telemetry.otel import exposition
from herald_contracts import AmbassadorJoined, AmbassadorLeft, Event, ProgramCreated, Record, encode
from tests.integration.harness import PARTITIONS, Harness, eventually

TOPIC = "herald.program"
LETTERS = "herald.deadletters.gamification"
Headers = list[tuple[str, bytes | None]]


def build(settings: Settings) -> Service:
    """Notes each programme that it hears of, and how often."""
    runtime = Runtime("gamification", settings)
    principals = PrincipalStore(runtime.mongo)
    seen = runtime.mongo.db["seen"]

    async def handle(_: object, tx: Transaction, batch: Sequence[Received[Event]]) -> None:
        await principals.apply(batch, tx)
        for event in batch:
            if isinstance(event.data, ProgramCreated):
                await seen.update_one(
                    {"_id": event.data.program_id}, {"$inc": {"n": 1}}, upsert=True, session=tx.session
                )

    return Service(
        name="gamification", runtime=runtime, consumer=Consumer(None, [on(*PEOPLE, ProgramCreated, do=handle)])
    )


def record(name: str, **changed: bytes | None) -> Record:
    """A programme by that name, with headers replaced or added (`ce_id`, or `x_more` for `x-more`)."""
    event = ProgramCreated(
        program_id=name, name=name, time_zone="Europe/Paris", languages=["fr"], occurred_at=datetime.now(UTC)
    )
    plain = encode(event, id=new_id(), time=datetime.now(UTC))
    headers: dict[str, bytes | None] = {**dict(plain.headers), **changed}
    return Record(plain.topic, plain.key, plain.value, list(headers.items()))  # type: ignore[arg-type]


def metric(service: Service, start: str) -> float:
    """The sum of a metric's samples that start so."""
    lines = exposition([service.runtime.telemetry])[0].decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(start))


class Listener:
    """The service, which may be stopped and started again."""

    def __init__(self, harness: Harness) -> None:
        self.harness = harness
        self.service = build(harness.settings(Settings, grace=3.0, kafka_timeout=5.0))

    @asynccontextmanager
    async def working(self) -> AsyncIterator[Service]:
        self.service = build(self.harness.settings(Settings, grace=3.0, kafka_timeout=5.0))
        async with self.harness.worker(self.service):
            yield self.service
        await self.service.runtime.close()

    async def counts(self) -> dict[str, int]:
        return {row["_id"]: row["n"] async for row in self.service.runtime.mongo.db["seen"].find()}

    async def hears(self, *names: str) -> None:
        """Returns once it has heard of these, each once."""
        found = await eventually(self.counts, until=lambda found: set(names) <= found.keys())
        assert {name: found[name] for name in names} == dict.fromkeys(names, 1)

    async def letters(self, count: int) -> list[dict[str, bytes | None]]:
        found = await eventually(lambda: self.harness.records(LETTERS), until=lambda found: len(found) >= count)
        assert len(found) == count
        return [dict(letter.headers) for letter in found]


@pytest.fixture
def listener(harness: Harness) -> Listener:
    return Listener(harness)


@asynccontextmanager
async def administration(harness: Harness) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=harness.infra.kafka_bootstrap)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def patiently(work: Callable[[], Awaitable[Any]]) -> Any:
    """Until Kafka's brokers agree that a topic is there, or is gone."""

    async def attempt() -> list[Any]:
        try:
            return [await work()]
        except KafkaError:
            return []

    return (await eventually(attempt))[0]


async def test_what_is_only_unusual_is_applied(harness: Harness, listener: Listener) -> None:
    unusual: dict[str, dict[str, bytes | None]] = {
        "header of 64 KB": {"x_more": b"x" * 65_536},
        "tracestate of 64 KB": {"tracestate": b"a=" + b"x" * 65_536, "traceparent": b"00-" + b"1" * 65_536},
        "future time": {"ce_time": b"2999-12-31T23:59:59Z"},
        "identity that is no UUID": {"ce_id": "né à 8 h".encode()},
        "header without a value": {"x_null": None},
        "header that is no text": {"x_bytes": b"\xff\xfe"},
    }
    async with listener.working() as service:
        for name, headers in unusual.items():
            await harness.publish_record(record(name.replace(" ", "-"), **headers), partition=0)
        await listener.hears(*(name.replace(" ", "-") for name in unusual))
        assert await harness.records(LETTERS) == []
        assert metric(service, "herald_consumer_applied_total") == len(unusual)


async def test_what_breaks_a_rule_is_dead_lettered_whole_with_its_reason(harness: Harness, listener: Listener) -> None:
    broken: list[tuple[str, dict[str, bytes | None]]] = [
        ("header-invalid", {"ce_id": b"x" * 65_536}),
        ("header-invalid", {"ce_subject": b"x" * 65_536}),
        ("header-invalid", {"ce_time": b"9999-12-31T23:59:59-23:00"}),
        ("header-invalid", {"ce_time": b"tomorrow"}),
        ("header-missing", {"ce_id": None}),
        ("header-missing", {"ce_type": b"\xff"}),
        ("type-unknown", {"ce_type": b"elsewhere.ProgramCreated.v1"}),
        ("version-unknown", {"ce_type": b"herald.ProgramCreated.v9"}),
    ]
    async with listener.working() as service:
        sent = [record("broken", **headers) for _, headers in broken]
        for one in sent:
            await harness.publish_record(one, partition=0)
            await harness.publish_record(record(f"after-{sent.index(one)}"), partition=0)
        await listener.hears(*(f"after-{number}" for number in range(len(broken))))
        letters = await listener.letters(len(broken))
        assert metric(service, "herald_deadletters_total") == len(broken)
    by_offset = {int(letter["herald_deadletter_offset"] or b""): letter for letter in letters}
    for number, (rule, _) in enumerate(broken):
        letter = by_offset[number * 2]
        assert letter["herald_deadletter_rule"] == rule.encode()
        assert dict(sent[number].headers).items() <= letter.items()


async def test_a_type_that_is_not_asked_for_is_passed_over_and_counted(harness: Harness, listener: Listener) -> None:
    async with listener.working() as service:
        await harness.publish_record(record("p", ce_type=b"herald.PersonForgotten.v1"))
        await harness.publish_record(record("q", ce_type=b"herald." + b"x" * 200))
        await harness.publish_record(record("next"))
        await listener.hears("next")
        await eventually(lambda: _now(metric(service, "herald_consumer_skipped_total")), until=lambda n: n == 2)
        assert await harness.records(LETTERS) == []


async def _now(value: float) -> float:
    return value


async def test_events_of_nobody_that_is_known_are_applied_and_make_no_caller(
    harness: Harness, listener: Listener
) -> None:
    async with listener.working() as service:
        now = datetime.now(UTC)
        await harness.publish(
            AmbassadorLeft(person_id="gone", program_id="p", reason="left", occurred_at=now),
            AmbassadorJoined(person_id="early", program_id="p", consent_version=1, occurred_at=now),
        )
        await harness.publish_record(record("next"))
        await listener.hears("next")
        await eventually(lambda: _now(metric(service, "herald_consumer_applied_total")), until=lambda n: n == 3)
        known = await PrincipalStore(service.runtime.mongo).get_many(["gone", "early"])
        assert {id: (one.active, one.memberships) for id, one in known.items()} == {
            "gone": (False, frozenset()),
            "early": (False, frozenset({"p"})),
        }
        assert await harness.records(LETTERS) == []


async def test_a_record_larger_than_any_dead_letter_is_dead_lettered_without_its_value(
    harness: Harness, listener: Listener
) -> None:
    plain = record("large")
    async with listener.working():
        await harness.create_topics([LETTERS])
        producer = AIOKafkaProducer(
            bootstrap_servers=harness.infra.kafka_bootstrap, compression_type="lz4", max_request_size=8_000_000
        )
        await producer.start()
        try:
            await producer.send_and_wait(
                harness.name(TOPIC), b"{" + b" " * 5_000_000, key=plain.key, headers=list(plain.headers), partition=0
            )
        finally:
            await producer.stop()
        await harness.publish_record(record("after"), partition=0)
        await listener.hears("after")
        [letter] = await listener.letters(1)
        assert letter["herald_deadletter_rule"] == b"json-invalid"
        assert b"5000" in (letter["herald_deadletter_left_out"] or b"")
        assert dict(plain.headers).items() <= letter.items()


async def test_partitions_that_are_added_are_consumed_too(
    harness: Harness, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "METADATA_SECONDS", 1.0)
    async with listener.working(), administration(harness) as admin:
        await harness.publish_record(record("before"), partition=0)
        await listener.hears("before")
        await admin.create_partitions({harness.name(TOPIC): NewPartitions(PARTITIONS + 1)})
        producer = AIOKafkaProducer(bootstrap_servers=harness.infra.kafka_bootstrap, metadata_max_age_ms=100)
        await producer.start()
        try:
            # The broker may hear of the partition after whoever asked for it.
            await eventually(
                lambda: producer.partitions_for(harness.name(TOPIC)), until=lambda known: PARTITIONS in known
            )
            one = record("added")
            await producer.send_and_wait(
                harness.name(TOPIC), one.value, key=one.key, headers=list(one.headers), partition=PARTITIONS
            )
        finally:
            await producer.stop()
        await listener.hears("added")


async def test_what_retention_cut_before_it_was_consumed_is_counted_and_the_rest_applied(
    harness: Harness, listener: Listener
) -> None:
    async with listener.working():
        for number in range(3):
            await harness.publish_record(record(f"p{number}"), partition=0)
        await listener.hears("p0", "p1", "p2")
    for number in range(3, 10):
        await harness.publish_record(record(f"p{number}"), partition=0)
    async with administration(harness) as admin:
        await admin.delete_records({TopicPartition(harness.name(TOPIC), 0): RecordsToDelete(8)})
    async with listener.working() as service:
        await listener.hears("p8", "p9")
        assert "p5" not in await listener.counts()
        assert metric(service, "herald_consumer_lost_total") == 5
        row = await service.runtime.mongo.db["offsets"].find_one({"_id": f"{harness.name(TOPIC)}:0"})
        assert row is not None
        assert (row["next"], row["lost"]) == (10, 5)


@pytest.mark.parametrize("state", ["running", "stopped", "idle", "lost", "lost and idle"])
async def test_a_database_that_was_restored_gets_again_what_kafka_believes_to_be_consumed(
    harness: Harness, listener: Listener, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    monkeypatch.setattr(loop, "LOOK_SECONDS", 0.5)
    async with listener.working() as service:
        for number in range(5):
            await harness.publish_record(record(f"p{number}"), partition=0)
        await listener.hears(*(f"p{number}" for number in range(5)))
        db = service.runtime.mongo.db
        async with administration(harness) as admin:
            place, group = TopicPartition(harness.name(TOPIC), 0), harness.name("gamification")
            await eventually(
                lambda: admin.list_consumer_group_offsets(group), until=lambda known: known[place].offset == 5
            )
        # As it was after two of them, or before there were any.
        left = 0 if "lost" in state else 2
        await db["seen"].delete_many({"_id": {"$in": [f"p{number}" for number in range(left, 5)]}})
        known = [row["_id"] async for row in db["inbox"].find({}, sort=[("_id", 1)])]
        await db["inbox"].delete_many({"_id": {"$in": known[left:]}})
        if left:
            await db["offsets"].update_one({"_id": f"{harness.name(TOPIC)}:0"}, {"$set": {"next": left}})
        if state == "running":
            await harness.publish_record(record("p5"), partition=0)
            await listener.hears(*(f"p{number}" for number in range(6)))
    if not left:
        async with AsyncMongoClient[dict[str, Any]](harness.infra.mongo_url) as client:
            await client[db.name]["offsets"].delete_many({})
    if state in ("stopped", "lost"):
        await harness.publish_record(record("p5"), partition=0)
    async with listener.working():
        await listener.hears(*(f"p{number}" for number in range(5 if "idle" in state else 6)))
        assert set((await listener.counts()).values()) == {1}


@pytest.mark.parametrize("state", ["running", "stopped"])
@pytest.mark.parametrize("records", [2, 9])
async def test_a_topic_that_is_created_anew_is_consumed_from_its_beginning(
    harness: Harness, listener: Listener, monkeypatch: pytest.MonkeyPatch, state: str, records: int
) -> None:
    monkeypatch.setattr(loop, "LOOK_SECONDS", 0.5)
    monkeypatch.setattr(subscription, "METADATA_SECONDS", 1.0)

    async def anew() -> None:
        async with administration(harness) as admin:
            await admin.delete_topics([harness.name(TOPIC)])
            await patiently(lambda: _create(admin, harness.name(TOPIC)))
        producer = AIOKafkaProducer(bootstrap_servers=harness.infra.kafka_bootstrap)
        await producer.start()
        try:
            for number in range(records):
                one = record(f"new{number}")
                await patiently(
                    lambda one=one: producer.send_and_wait(  # type: ignore[misc]
                        harness.name(TOPIC), one.value, key=one.key, headers=list(one.headers), partition=0
                    )
                )
        finally:
            await producer.stop()

    async with listener.working():
        for number in range(5):
            await harness.publish_record(record(f"old{number}"), partition=0)
        await listener.hears(*(f"old{number}" for number in range(5)))
        if state == "running":
            await anew()
            await listener.hears(*(f"new{number}" for number in range(records)))
    if state == "stopped":
        await anew()
        async with listener.working():
            await listener.hears(*(f"new{number}" for number in range(records)))


async def _create(admin: AIOKafkaAdminClient, topic: str) -> None:
    answer = await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
    [(_, code, *_)] = answer.topic_errors
    if code:
        raise KafkaError(f"not yet: {code}")


async def test_a_log_that_lost_its_tail_is_consumed_from_there(harness: Harness, listener: Listener) -> None:
    async with listener.working() as service:
        await harness.publish_record(record("before"), partition=0)
        await listener.hears("before")
        offsets = service.runtime.mongo.db["offsets"]
        await offsets.update_one({"_id": f"{harness.name(TOPIC)}:0"}, {"$set": {"next": 7}})
    async with listener.working():
        await harness.publish_record(record("after"), partition=0)
        await listener.hears("after")


async def test_a_header_whose_name_is_no_text_stops_nothing(harness: Harness, listener: Listener) -> None:
    plain = record("odd")
    async with listener.working():
        producer = AIOKafkaProducer(bootstrap_servers=harness.infra.kafka_bootstrap)
        await producer.start()
        try:
            batch = producer.create_batch()
            batch.append(timestamp=1, key=plain.key, value=plain.value, headers=[*plain.headers, ("QZ", b"1")])
            data = bytearray(bytes(batch._build()).replace(b"QZ", b"\xff\xfe"))
            data[17:21] = calc_crc32c(data[21:]).to_bytes(4, "big")
            batch._buffer = data
            await (await producer.send_batch(batch, harness.name(TOPIC), partition=0))
        finally:
            await producer.stop()
        await harness.publish_record(record("after"), partition=0)
        await listener.hears("after")
