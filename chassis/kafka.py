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
from chassis.waiting import within
from herald_contracts import Record

logger = logging.getLogger(__name__)


class Unacknowledged(Exception):
    """Kafka did not confirm a record in time: it may or may not be there."""


class Producer:
    """Sends records in order and tells which of them Kafka confirmed.

    After a failed send the client is discarded: a failed batch leaves a hole in its sequence numbers that
    every later batch would stumble over.
    """

    def __init__(self, settings: KafkaSettings, *, linger_ms: int = 2, compression: str | None = "lz4") -> None:
        self._settings = settings
        self._options: dict[str, Any] = {"linger_ms": linger_ms, "compression_type": compression}
        self._client: AIOKafkaProducer | None = None
        self._lock = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()

    async def send(self, records: Sequence[Record]) -> list[bool]:
        """Send and wait; one boolean a record, True if Kafka confirmed it. Never raises for Kafka's sake.

        Takes at most `kafka_timeout` seconds. False means "unknown": send again.
        """
        confirmed = [False] * len(records)
        client: AIOKafkaProducer | None = None
        try:
            async with asyncio.timeout(self._settings.kafka_timeout):
                client = await self._connected()
                sent = [await self._enqueue(client, record) for record in records]
                results = await asyncio.gather(*sent, return_exceptions=True)
        except (KafkaError, TimeoutError, OSError) as error:
            logger.warning("Kafka did not take %d records: %s", len(records), type(error).__name__)
            if client is not None:
                self._discard(client)
            return confirmed
        confirmed = [not isinstance(result, BaseException) for result in results]
        if not all(confirmed):
            failure = next(result for result in results if isinstance(result, BaseException))
            logger.warning("Kafka refused %d records: %s", confirmed.count(False), type(failure).__name__)
            self._discard(client)
        return confirmed

    async def send_all(self, records: Sequence[Record]) -> None:
        """Send and wait; raises Unacknowledged unless all were confirmed."""
        if not all(await self.send(records)):
            raise Unacknowledged

    async def send_together(self, records: Sequence[Record], *, timeout: float) -> bool:
        """Send records of one topic, those of each partition as one batch; True if Kafka confirmed all of them.

        For high rates: a fraction of the cost of `send`, in the same order by key. Never raises for Kafka's sake;
        takes at most `timeout` seconds. False means "unknown": send all of them again.
        """
        client: AIOKafkaProducer | None = None
        try:
            async with asyncio.timeout(timeout):
                client = await self._connected()
                await asyncio.gather(*await self._enqueue_together(client, records))
        except (KafkaError, TimeoutError, OSError) as error:
            logger.warning("Kafka did not take %d records: %s", len(records), type(error).__name__)
            if client is not None:
                self._discard(client)
            return False
        return True

    async def _enqueue_together(self, client: AIOKafkaProducer, records: Sequence[Record]) -> list[Awaitable[Any]]:
        topic = self._settings.topic(records[0].topic)
        partitions = len(await client.partitions_for(topic))
        moment = int(time.time() * 1000)
        sent: list[Awaitable[Any]] = []
        batches: dict[int, Any] = {}
        for record in records:
            partition = _partition(record.key, partitions)
            batch = batches.get(partition)
            if batch is None:
                batch = batches[partition] = client.create_batch()
            fields = {"timestamp": moment, "key": record.key, "value": record.value, "headers": record.headers}
            if batch.append(**fields) is None:
                sent.append(await client.send_batch(batch, topic, partition=partition))
                batch = batches[partition] = client.create_batch()
                batch.append(**fields)
        for partition, batch in batches.items():
            batch.close()
            sent.append(await client.send_batch(batch, topic, partition=partition))
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

    async def _enqueue(self, client: AIOKafkaProducer, record: Record) -> Awaitable[Any]:
        try:
            sent: Awaitable[Any] = await client.send(
                self._settings.topic(record.topic), record.value, key=record.key, headers=record.headers
            )
            return sent
        except KafkaTimeoutError:
            raise
        except KafkaError as error:  # too large, say: this record's own failure, not its neighbours'
            failed: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            failed.set_exception(error)
            return failed

    async def _connected(self) -> AIOKafkaProducer:
        async with self._lock:
            if self._client is None:
                client = AIOKafkaProducer(
                    **self._settings.kafka_options(),
                    **self._options,
                    acks="all",
                    enable_idempotence=True,
                    max_batch_size=512 * 1024,
                    max_request_size=2 * 1024 * 1024,
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
                await within(3, client.stop())
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
        await within(2, client.client.close())
    except (TimeoutError, KafkaError, OSError):
        logger.debug("a producer did not close in time")
