"""The index of dead letters: quick among a hundred thousand, and made anew from Kafka."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import TypeVar

from chassis.dead_letters.index import Wanted, follow
from chassis.dead_letters.record import topic_of
from chassis.dead_letters.store import DeadLetterStore
from chassis.kafka.producer import Producer
from chassis.runtime import Runtime
from chassis.settings import Settings
from herald_contracts import Record
from tests.bounds import bound
from tests.integration.harness import Harness

T = TypeVar("T")
MANY = 100_000
A_SECOND = bound(1)
PREFIX = "herald_deadletter_"


async def quickly(work: Awaitable[T]) -> T:
    """What it gives, within a second where nothing runs beside."""
    began = time.monotonic()
    found = await work
    took = time.monotonic() - began
    assert took < A_SECOND, f"it took {took:.2f} s"
    return found


def dead_letter(number: int) -> Record:
    said = {"id": f"d{number:06}", "rule": ("json-invalid", "failed")[number % 100 == 0], "topic": "herald.program"}
    said |= {"detail": "x", "partition": str(number % 12), "offset": str(number), "timestamp": "1"}
    headers = [("ce_type", b"herald.ProgramCreated.v1"), *((PREFIX + name, one.encode()) for name, one in said.items())]
    return Record(topic_of("gamification"), b"k%d" % number, b"{", headers)


async def test_a_hundred_thousand_are_listed_shown_and_replayed_within_a_second(harness: Harness) -> None:
    settings = harness.settings(Settings)
    runtime = Runtime("gamification", settings)
    await harness.create_topics(["herald.program", topic_of("gamification")])
    store = DeadLetterStore("gamification", settings, runtime.mongo.db)
    await store.index.ensure_indexes()
    producer = Producer(settings)
    for start in range(0, MANY, 5000):
        await producer.send_all([dead_letter(number) for number in range(start, start + 5000)])
    await follow(store.index, "gamification", settings, seconds=None)

    assert sum(one.count for one in await quickly(store.index.groups())) == MANY
    page = await quickly(store.index.page(Wanted(), after=None, limit=50))
    assert len(page) == 50
    assert [one.origin for one in page] == sorted(one.origin for one in page)
    later = await quickly(store.index.page(Wanted(rule="failed"), after=("herald.program", 8, 50_000), limit=50))
    assert len(later) == 50
    assert {one.rule for one in later} == {"failed"}
    assert await quickly(store.index.count(Wanted(rule="failed"))) == MANY // 100
    found = await quickly(store.index.find(later[0].id))
    assert found == later[0]
    content = await quickly(store.topic.content(found))
    assert content is not None
    assert (content.key, content.value) == (b"k%d" % found.offset, b"{")

    async def replay() -> list[str]:
        return [one.id async for one in store.replay([found], producer, per_second=50, by="ines")]

    assert await quickly(replay()) == [found.id]
    assert await store.index.find(found.id) is None
    assert len(await harness.records("herald.program")) == 1

    await producer.close()
    await runtime.close()


async def test_a_resolution_may_be_read_before_its_dead_letter_and_a_new_topic_begins_anew(harness: Harness) -> None:
    settings = harness.settings(Settings)
    runtime = Runtime("gamification", settings)
    store = DeadLetterStore("gamification", settings, runtime.mongo.db)
    await store.index.begin("one topic")
    await store.index.resolve(["d000007"], "dropped", datetime.now(UTC))
    await harness.create_topics([topic_of("gamification")])
    producer = Producer(settings)
    await producer.send_all([dead_letter(7), dead_letter(8)])
    records = await harness.records(topic_of("gamification"))
    await store.index.take(records)
    assert [one.id for one in await store.index.page(Wanted(), after=None, limit=9)] == ["d000008"]
    assert await store.index.begin("one topic") == {one.partition: one.offset + 1 for one in records}
    assert await store.index.begin("another topic") == {}
    assert await store.index.page(Wanted(), after=None, limit=9) == []

    await store.index.clear()
    await follow(store.index, "gamification", settings, seconds=None)
    assert [one.id for one in await store.index.page(Wanted(), after=None, limit=9)] == ["d000007", "d000008"]
    await producer.close()
    await runtime.close()
