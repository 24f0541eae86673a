"""Clicks on their way back from disk: each segment of a spool to Kafka, oldest first.

What was sent and not acknowledged in time, or sent by a process that was killed before it removed the segment, may come
twice, with the same `ce_id`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import orjson

from chassis.kafka.producer import Producer
from chassis.settings import KafkaSettings
from herald_contracts import Record
from services.sharing.redirect.spool import Segment, Spool

SEND_SECONDS = 10.0
AT_ONCE = 1000
PAUSE_SECONDS = 1.0


def entry_of(record: Record) -> bytes:
    """A click as the spool keeps it."""
    return orjson.dumps(
        {
            "topic": record.topic,
            "key": record.key.decode(),
            "value": record.value.decode(),
            "headers": [(name, value.decode()) for name, value in record.headers],
        }
    )


def record_of(entry: bytes) -> Record:
    read = orjson.loads(entry)
    headers = [(name, value.encode()) for name, value in read["headers"]]
    return Record(read["topic"], read["key"].encode(), read["value"].encode(), headers)


async def drain(
    spool: Spool,
    producer: Producer,
    stop: asyncio.Event | None = None,
    drained: Callable[[int], None] = lambda _: None,
) -> bool:
    """Hand on every segment that nobody else holds, until `stop`; False as soon as Kafka does not take one.

    `drained` is told how many clicks each had. Raises OSError for a disk that cannot be read.
    """
    for segment in spool.take():
        stopped = stop is not None and stop.is_set()
        try:
            sent = not stopped and await _send(segment, producer)
        except BaseException:
            segment.release()
            raise
        if not sent:
            segment.release()
            return stop is not None and stop.is_set()
        drained(len(segment.entries))
        await asyncio.to_thread(segment.drop)
    return True


async def _send(segment: Segment, producer: Producer) -> bool:
    records = [record_of(entry) for entry in segment.entries]
    for start in range(0, len(records), AT_ONCE):
        if not all(await producer.send(records[start : start + AT_ONCE], timeout=SEND_SECONDS)):
            return False
    return True


async def drain_until_empty(
    settings: KafkaSettings, spool: Spool, seconds: float, drained: Callable[[int], None] = lambda _: None
) -> int:
    """Drain a spool that no process of its own has any more, trying again until nothing is left or so many seconds are
    over; returns how many bytes are left. Raises OSError for a disk that cannot be read."""
    producer = Producer(settings, compression=None)
    deadline = time.monotonic() + seconds
    try:
        while spool.size():
            await drain(spool, producer, drained=drained)
            if not spool.size() or time.monotonic() > deadline:
                break
            await asyncio.sleep(min(PAUSE_SECONDS, max(0.0, deadline - time.monotonic())))
    finally:
        await producer.close()
    return spool.size()
