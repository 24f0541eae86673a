"""The producer: idempotent, acknowledged by all, bounded in time, and made anew after any failure."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Sequence
from functools import lru_cache
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError
from aiokafka.partitioner import murmur2

from chassis.settings import KafkaSettings
from chassis.tasks import run_bounded
from herald_contracts import Record

logger = logging.getLogger(__name__)
MAX_REQUEST_BYTES = 2 * 1024 * 1024


class Unacknowledged(Exception):
    """Kafka did not confirm a record in time: it may or may not be there."""


class Producer:
    """Sends records in order and tells which of them Kafka confirmed.

    After a failed send the client is discarded: a failed batch leaves a hole in its sequence numbers that
    every later batch would stumble over.
    """

    def __init__(self, settings: KafkaSettings, *, compression: str | None = "lz4") -> None:
        self._settings = settings
        self._compression = compression
        self._client: AIOKafkaProducer | None = None
        self._lock = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()

    async def send(self, records: Sequence[Record], *, timeout: float | None = None) -> list[bool]:
        """Send and wait; one boolean a record, True if Kafka confirmed it. Never raises for Kafka's sake.

        Takes at most `timeout` seconds, `kafka_timeout` by default. False means "unknown": send again.
        """
        confirmed = [False] * len(records)
        client: AIOKafkaProducer | None = None
        try:
            async with asyncio.timeout(timeout or self._settings.kafka_timeout):
                client = await self._connected()
                sent = await self._enqueue(client, records)
                results = await asyncio.gather(*(batch for batch, _ in sent), return_exceptions=True)
        except (KafkaError, TimeoutError, OSError) as error:
            logger.warning("Kafka did not take %d records: %s", len(records), type(error).__name__)
            if client is not None:
                self._discard(client)
            return confirmed
        for (_, numbers), result in zip(sent, results, strict=True):
            if not isinstance(result, BaseException):
                for number in numbers:
                    confirmed[number] = True
        if not all(confirmed):
            failure = next((type(one).__name__ for one in results if isinstance(one, BaseException)), "cannot be sent")
            logger.warning("Kafka refused %d records: %s", confirmed.count(False), failure)
            self._discard(client)
        return confirmed

    async def send_all(self, records: Sequence[Record]) -> None:
        """Send and wait; raises Unacknowledged unless all were confirmed."""
        if not all(await self.send(records)):
            raise Unacknowledged

    async def _enqueue(
        self, client: AIOKafkaProducer, records: Sequence[Record]
    ) -> list[tuple[Awaitable[Any], Sequence[int]]]:
        """The batches, one a partition unless that is too large, each with the numbers of its records.

        A fraction of the cost of sending record by record, in the same order by key. What cannot be sent is in no
        batch: it would leave a hole in the sequence numbers of those behind it.
        """
        moment = int(time.time() * 1000)
        sent: list[tuple[Awaitable[Any], Sequence[int]]] = []
        counts = {topic: await self._partitions(client, topic) for topic in {record.topic for record in records}}
        open_: dict[tuple[str, int], tuple[Any, list[int]]] = {}
        for number, record in enumerate(records):
            partitions = counts[record.topic]
            if partitions is None or len(record.value or b"") > MAX_REQUEST_BYTES:
                continue
            place = record.topic, _partition(record.key or b"", partitions)
            fields = {"timestamp": moment, "key": record.key, "value": record.value, "headers": record.headers}
            if place not in open_:
                open_[place] = (client.create_batch(), [])
            batch, numbers = open_[place]
            if batch.append(**fields) is None:
                sent.append((await self._hand_over(client, place, batch), numbers))
                batch, numbers = open_[place] = (client.create_batch(), [])
                batch.append(**fields)  # the first one is taken whatever its size
            numbers.append(number)
        for place, (batch, numbers) in open_.items():
            sent.append((await self._hand_over(client, place, batch), numbers))
        return sent

    async def _hand_over(self, client: AIOKafkaProducer, place: tuple[str, int], batch: Any) -> Awaitable[Any]:
        topic, partition = place
        batch.close()
        sent: Awaitable[Any] = await client.send_batch(batch, self._settings.topic(topic), partition=partition)
        return sent

    async def reachable(self, timeout: float) -> bool:
        """Whether Kafka answers within `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                client = await self._connected()
                await client.client.fetch_all_metadata()
        except (KafkaError, TimeoutError, OSError):
            return False
        return True

    async def _partitions(self, client: AIOKafkaProducer, topic: str) -> int | None:
        """How many the topic has; None for one that is not there, which is no fault of the other records."""
        try:
            return len(await client.partitions_for(self._settings.topic(topic)))
        except KafkaTimeoutError:
            raise
        except KafkaError:
            return None

    async def _connected(self) -> AIOKafkaProducer:
        async with self._lock:
            if self._client is None:
                client = AIOKafkaProducer(
                    **self._settings.kafka_options(),
                    compression_type=self._compression,
                    acks="all",
                    enable_idempotence=True,
                    max_batch_size=512 * 1024,
                    max_request_size=MAX_REQUEST_BYTES,
                    request_timeout_ms=int(self._settings.kafka_timeout * 1000),
                )
                try:
                    await client.start()
                except BaseException:
                    self._retire(client)
                    raise
                self._client = client
            return self._client

    def _discard(self, client: AIOKafkaProducer) -> None:
        if self._client is client:
            self._client = None
        self._retire(client)

    def _retire(self, client: AIOKafkaProducer) -> None:
        task = asyncio.get_running_loop().create_task(_end(client))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Flush and close, within 5 s even when Kafka is dead."""
        if self._client is not None:
            client, self._client = self._client, None
            try:
                await run_bounded(3, client.stop())
            except (TimeoutError, KafkaError):
                await _end(client)
        if self._closing:
            await asyncio.wait(list(self._closing), timeout=2)


@lru_cache(maxsize=65_536)
def _partition(key: bytes, partitions: int) -> int:
    """Where Kafka's own clients put a key."""
    return int(murmur2(key) & 0x7FFFFFFF) % partitions


async def _end(client: AIOKafkaProducer) -> None:
    # stop() waits for batches that a dead broker will never take; ending the sender first makes it return, and
    # keeps it from delivering later what was given up here.
    sender = client._sender.sender_task  # noqa: SLF001
    if sender is not None:
        sender.cancel()
    client._closed = True  # noqa: SLF001
    try:
        await run_bounded(2, client.client.close())
    except (TimeoutError, KafkaError, OSError):
        logger.debug("a producer did not close in time")
