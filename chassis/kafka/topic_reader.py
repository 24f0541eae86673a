"""Reading a topic from its beginning to its present end, without a consumer group; it changes nothing on Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from chassis.kafka.tolerant_parser import tolerate
from chassis.kafka.topic_ids import topic_ids

READ_MS = 500
CONNECT_SECONDS = 30.0
CLOSE_SECONDS = 5.0


async def partitions_of(options: Mapping[str, Any], topic: str) -> list[TopicPartition]:
    """The topic's partitions; none if there is no such topic. Raises KafkaError."""
    admin = AIOKafkaAdminClient(**options)
    async with asyncio.timeout(CONNECT_SECONDS):
        await admin.start()
    try:
        [found] = await admin.describe_topics([topic])
    finally:
        await asyncio.wait_for(admin.close(), CLOSE_SECONDS)
    return [TopicPartition(topic, number) for number in sorted(one["partition"] for one in found["partitions"])]


async def topic_ids_of(options: Mapping[str, Any], topics: Sequence[str]) -> dict[str, str]:
    """The identity of each topic that exists, which is another once it was created anew. Raises KafkaError."""
    consumer = AIOKafkaConsumer(**options, enable_auto_commit=False)
    async with asyncio.timeout(CONNECT_SECONDS):
        await consumer.start()
    try:
        return await topic_ids(consumer, topics)
    finally:
        await asyncio.wait_for(consumer.stop(), CLOSE_SECONDS)


async def read_topic(
    options: Mapping[str, Any], topic: str, *, starts: Mapping[int, int] | None = None
) -> AsyncIterator[ConsumerRecord[bytes, bytes]]:
    """Every record that the topic holds now, partition by partition, in order; memory for one fetch.

    `starts` gives the first offset wanted of a partition. Raises KafkaError, TimeoutError when Kafka is away.
    """
    parts = await partitions_of(options, topic)
    tolerate()
    consumer = AIOKafkaConsumer(**options, enable_auto_commit=False, auto_offset_reset="earliest")
    async with asyncio.timeout(CONNECT_SECONDS):
        await consumer.start()
    try:
        consumer.assign(parts)
        ends = await consumer.end_offsets(parts) if parts else {}
        beginnings = await consumer.beginning_offsets(parts) if parts else {}
        for part in parts:
            consumer.seek(part, max(beginnings[part], (starts or {}).get(part.partition, 0)))
        for part in parts:
            while await consumer.position(part) < ends[part]:
                batch: Mapping[Any, list[ConsumerRecord[bytes, bytes]]]
                batch = await consumer.getmany(part, timeout_ms=READ_MS)
                for record in batch.get(part, ()):
                    yield record
    finally:
        await asyncio.wait_for(consumer.stop(), CLOSE_SECONDS)


async def at_offsets(
    options: Mapping[str, Any], topic: str, places: Sequence[tuple[int, int]]
) -> AsyncIterator[tuple[int, ConsumerRecord[bytes, bytes]]]:
    """The records at these (partition, offset), each with its number in `places`, without those that are gone.

    Raises KafkaError, TimeoutError when Kafka is away.
    """
    tolerate()
    consumer = AIOKafkaConsumer(**options, enable_auto_commit=False, auto_offset_reset="earliest")
    async with asyncio.timeout(CONNECT_SECONDS):
        await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, partition) for partition in {partition for partition, _ in places}])
        for number, (partition, offset) in enumerate(places):
            part = TopicPartition(topic, partition)
            consumer.seek(part, offset)
            async with asyncio.timeout(CONNECT_SECONDS):
                record = await consumer.getone(part)
            if record.offset == offset:
                yield number, record
    finally:
        await asyncio.wait_for(consumer.stop(), CLOSE_SECONDS)
