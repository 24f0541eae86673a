"""What the producer confirms, on a real Kafka."""

from __future__ import annotations

import os

from chassis.kafka.producer import MAX_REQUEST_BYTES, Producer
from chassis.settings import Settings
from herald_contracts import ProgramCreated, Record
from tests.integration.harness import Stage


def record(number: int, key: bytes, size: int = 10) -> Record:
    return Record(ProgramCreated.topic, key, f"{number}".encode() + os.urandom(size), [("ce_id", b"%d" % number)])


async def test_each_key_keeps_its_order_over_as_many_batches_as_it_takes(stage: Stage) -> None:
    await stage.create_topics([ProgramCreated.topic])
    producer = Producer(stage.settings(Settings))
    try:
        sent = [record(number, b"%d" % (number % 5), size=40_000) for number in range(80)]
        assert await producer.send(sent) == [True] * 80
    finally:
        await producer.close()
    arrived: dict[bytes, list[int]] = {}
    for one in await stage.records(ProgramCreated.topic):
        arrived.setdefault(one.key, []).append(int(dict(one.headers)["ce_id"]))
    assert arrived == {b"%d" % key: list(range(key, 80, 5)) for key in range(5)}


async def test_what_cannot_be_sent_leaves_its_neighbours_alone(stage: Stage) -> None:
    await stage.create_topics([ProgramCreated.topic])
    producer = Producer(stage.settings(Settings))
    try:
        sent = [record(0, b"k"), record(1, b"k", size=MAX_REQUEST_BYTES), record(2, b"k")]
        assert await producer.send(sent) == [True, False, True]
        assert await producer.send([record(3, b"k")]) == [True]
    finally:
        await producer.close()
    assert [int(dict(one.headers)["ce_id"]) for one in await stage.records(ProgramCreated.topic)] == [0, 2, 3]
