"""What the producer confirms, on a real Kafka."""

from __future__ import annotations

import os
import time

from aiokafka.errors import MessageSizeTooLargeError, UnknownTopicOrPartitionError

from chassis.kafka.producer import MAX_REQUEST_BYTES, Producer, TooLarge, Unacknowledged
from chassis.settings import Settings
from herald_contracts import ProgramCreated, Record
from tests.bounds import bound
from tests.integration.harness import Harness


def record(number: int, key: bytes, size: int = 10) -> Record:
    return Record(ProgramCreated.topic, key, f"{number}".encode() + os.urandom(size), [("ce_id", b"%d" % number)])


async def test_each_key_keeps_its_order_over_as_many_batches_as_it_takes(harness: Harness) -> None:
    await harness.create_topics([ProgramCreated.topic])
    producer = Producer(harness.settings(Settings))
    try:
        sent = [record(number, b"%d" % (number % 5), size=40_000) for number in range(80)]
        assert await producer.send(sent) == [True] * 80
    finally:
        await producer.close()
    arrived: dict[bytes, list[int]] = {}
    for one in await harness.records(ProgramCreated.topic):
        arrived.setdefault(one.key, []).append(int(dict(one.headers)["ce_id"]))
    assert arrived == {b"%d" % key: list(range(key, 80, 5)) for key in range(5)}


async def test_what_cannot_be_sent_stops_its_key_and_no_other(harness: Harness) -> None:
    await harness.create_topics([ProgramCreated.topic])
    producer = Producer(harness.settings(Settings))
    try:
        large = record(1, b"k", size=MAX_REQUEST_BYTES)
        found = await producer.attempt([record(0, b"k"), large, record(2, b"k"), record(3, b"other")])
        assert [type(one) for one in found] == [type(None), TooLarge, Unacknowledged, type(None)]
        assert await producer.send([record(4, b"k")]) == [True]
    finally:
        await producer.close()
    assert sorted(await numbers(harness)) == [0, 3, 4]


async def test_what_kafka_refuses_is_not_overtaken_by_what_is_behind_it(harness: Harness) -> None:
    """More than a batch for one partition: the first one is too large for the topic, the second would not be."""
    await harness.create_topics([ProgramCreated.topic])
    for known in (True, False):  # whether Kafka has a sequence of the producer that it could continue
        producer = Producer(harness.settings(Settings))
        try:
            if known:
                assert await producer.send([record(0, b"k")]) == [True]
            found = await producer.attempt([record(1, b"k", size=1_500_000), record(2, b"k", size=600_000)])
            assert [type(one) for one in found] == [MessageSizeTooLargeError, Unacknowledged]
        finally:
            await producer.close()
    assert await numbers(harness) == [0]


async def test_a_topic_that_is_not_there_holds_nothing_else_up(harness: Harness) -> None:
    await harness.create_topics([ProgramCreated.topic])
    producer = Producer(harness.settings(Settings))
    try:
        began = time.monotonic()
        missing = record(0, b"k")._replace(topic="herald.nowhere")
        found = await producer.attempt([missing, record(1, b"k")])
        assert [type(one) for one in found] == [UnknownTopicOrPartitionError, type(None)]
        assert time.monotonic() - began < bound(5)
    finally:
        await producer.close()
    assert await numbers(harness) == [1]


async def test_each_record_apart_tells_which_one_is_refused(harness: Harness) -> None:
    await harness.create_topics([ProgramCreated.topic])
    producer = Producer(harness.settings(Settings), idempotent=False)
    try:
        sent = [record(number, b"%d" % number, size=1_500_000 if number % 3 == 1 else 10) for number in range(12)]
        found = await producer.attempt(sent, apart=True)
        assert [isinstance(one, MessageSizeTooLargeError) for one in found] == [n % 3 == 1 for n in range(12)]
        assert [one is None for one in found] == [n % 3 != 1 for n in range(12)]
    finally:
        await producer.close()
    assert sorted(await numbers(harness)) == [n for n in range(12) if n % 3 != 1]


async def numbers(harness: Harness) -> list[int]:
    return [int(dict(one.headers)["ce_id"]) for one in await harness.records(ProgramCreated.topic)]
