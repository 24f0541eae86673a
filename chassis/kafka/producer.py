"""The producer: idempotent, acknowledged by all, bounded in time, and made anew after any failure."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError, UnknownTopicOrPartitionError
from aiokafka.partitioner import murmur2

from chassis.settings import KafkaSettings
from chassis.tasks import run_bounded
from herald_contracts import Record

logger = logging.getLogger(__name__)
MAX_REQUEST_BYTES = 2 * 1024 * 1024
METADATA_SECONDS, METADATA_PAUSE = 1.0, 0.1
"""How long records of topics that are there wait for one that is not."""
BATCH_BYTES = 512 * 1024


class Unacknowledged(Exception):
    """Kafka did not confirm a record in time: it may or may not be there."""


class TooLarge(Exception):
    """The record is larger than any request to Kafka may be: no later attempt will send it."""


Place = tuple[str, int]


@dataclass(slots=True)
class _Batch:
    """A batch of one partition, with the numbers of its records."""

    builder: Any
    numbers: list[int] = field(default_factory=list)


class Producer:
    """Sends records in order and tells which of them Kafka confirmed.

    A record that fails takes no record of another partition with it; those behind it in its partition, and all later
    ones of its key, are not sent. After a failed send the client is discarded: a failed batch leaves a hole in its
    sequence numbers that every later batch would stumble over. Without `idempotent` there are none, and each partition
    gets on by itself; Kafka may then keep a record twice.
    """

    def __init__(self, settings: KafkaSettings, *, compression: str | None = "lz4", idempotent: bool = True) -> None:
        self._settings = settings
        self._compression = compression
        self._idempotent = idempotent
        self._client: AIOKafkaProducer | None = None
        self._lock = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()

    async def send(self, records: Sequence[Record], *, timeout: float | None = None) -> list[bool]:
        """Send and wait; one boolean a record, True if Kafka confirmed it. False means "unknown": send again.

        Takes at most `timeout` seconds, `kafka_timeout` by default. Raises nothing that Kafka is the cause of.
        """
        return [error is None for error in await self.attempt(records, timeout=timeout)]

    async def send_all(self, records: Sequence[Record]) -> None:
        """Send and wait; raises Unacknowledged unless all were confirmed."""
        if not all(await self.send(records)):
            raise Unacknowledged

    async def attempt(
        self, records: Sequence[Record], *, timeout: float | None = None, apart: bool = False
    ) -> list[Exception | None]:
        """As `send`, but one error a record, None if Kafka confirmed it.

        TooLarge and a KafkaError say what is in the way (of the record, or of another in its batch; with `apart` each
        record is a batch of its own), Unacknowledged that it is unknown. Where some are confirmed, the others are
        waited for only a third of the time.
        """
        deadline = time.monotonic() + (timeout or self._settings.kafka_timeout)
        outcomes: list[Exception | None] = [Unacknowledged()] * len(records)
        client: AIOKafkaProducer | None = None
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                client = await self._connected()
                batches = await self._batches(client, records, outcomes, apart=apart)
        except (KafkaError, TimeoutError, OSError) as error:
            logger.warning("Kafka did not take %d records: %s", len(records), type(error).__name__)
            if client is not None:
                self._discard(client)
            return outcomes
        unsent = await self._deliver(client, batches, outcomes, deadline)
        if unsent:
            failure = next((error for error in outcomes if error is not None), None)
            logger.warning("Kafka refused %d records: %s", unsent, type(failure).__name__)
            self._discard(client)
        return outcomes

    async def _deliver(
        self,
        client: AIOKafkaProducer,
        batches: dict[Place, list[_Batch]],
        outcomes: list[Exception | None],
        deadline: float,
    ) -> int:
        """Hand the batches over and wait; returns how many of their records were not confirmed."""
        handed: dict[asyncio.Future[Any], list[int]] = {}
        for place, own in batches.items():
            if len(own) == 1:
                with suppress(KafkaError, OSError, TimeoutError):
                    async with asyncio.timeout(deadline - time.monotonic()):
                        handed[await self._hand_over(client, place, own[0])] = own[0].numbers
            else:  # a task costs more than handing over
                handed[asyncio.ensure_future(self._one_by_one(client, place, own, outcomes))] = []
        waiting: set[asyncio.Future[Any]] = set(handed)
        for share in (1 / 3, 1.0):
            if waiting:
                left = max(0.0, deadline - time.monotonic()) * share
                done, waiting = await asyncio.wait(waiting, timeout=left)
                for one in done:
                    _settle(outcomes, handed[one], one)
            if None in outcomes:
                break
        for one in waiting:
            one.cancel()
        sent = [number for own in batches.values() for batch in own for number in batch.numbers]
        return sum(outcomes[number] is not None for number in sent)

    async def _one_by_one(
        self, client: AIOKafkaProducer, place: Place, batches: Sequence[_Batch], outcomes: list[Exception | None]
    ) -> None:
        """The batches of one partition, up to the first that fails: Kafka would take those behind it before it."""
        for batch in batches:
            sent = await self._hand_over(client, place, batch)
            await asyncio.wait([sent])
            _settle(outcomes, batch.numbers, sent)
            if self._idempotent and outcomes[batch.numbers[0]] is not None:
                return

    async def _batches(
        self, client: AIOKafkaProducer, records: Sequence[Record], outcomes: list[Exception | None], *, apart: bool
    ) -> dict[Place, list[_Batch]]:
        """The batches of each partition, in order; a fraction of the cost of sending record by record.

        What cannot be sent is in no batch, and neither is what comes behind it under the same key.
        """
        moment = int(time.time() * 1000)
        counts = await self._partitions(client, {record.topic for record in records})
        batches: dict[Place, list[_Batch]] = {}
        stopped: set[tuple[str, bytes | None]] = set()
        for number, record in enumerate(records):
            partitions = counts[record.topic]
            if isinstance(partitions, KafkaError):
                outcomes[number] = partitions
                continue
            if stopped and (record.topic, record.key) in stopped:
                continue
            if len(record.value or b"") > MAX_REQUEST_BYTES:
                outcomes[number] = TooLarge()
                stopped.add((record.topic, record.key))
                continue
            place = record.topic, _partition(record.key or b"", partitions)
            fields = {"timestamp": moment, "key": record.key, "value": record.value, "headers": record.headers}
            own = batches.setdefault(place, [])
            if not own or apart or own[-1].builder.append(**fields) is None:
                own.append(_Batch(client.create_batch()))
                own[-1].builder.append(**fields)  # the first one is taken whatever its size
            own[-1].numbers.append(number)
        return batches

    async def _hand_over(self, client: AIOKafkaProducer, place: Place, batch: _Batch) -> asyncio.Future[Any]:
        topic, partition = place
        batch.builder.close()
        sent: asyncio.Future[Any] = await client.send_batch(
            batch.builder, self._settings.topic(topic), partition=partition
        )
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

    async def _partitions(self, client: AIOKafkaProducer, topics: Collection[str]) -> dict[str, int | KafkaError]:
        """How many partitions each topic has, or why that cannot be had. Raises KafkaError when Kafka is away."""
        deadline = time.monotonic() + METADATA_SECONDS
        asked: list[str] = []
        while True:
            found = {topic: self._known_partitions(client, topic) for topic in topics}
            missing = [topic for topic, one in found.items() if isinstance(one, UnknownTopicOrPartitionError)]
            if not missing or time.monotonic() > deadline:
                return found
            if asked == missing:
                await asyncio.sleep(METADATA_PAUSE)
            for topic in missing:
                client.client.add_topic(self._settings.topic(topic))
            await client.client.force_metadata_update()
            asked = missing

    def _known_partitions(self, client: AIOKafkaProducer, topic: str) -> int | KafkaError:
        name, cluster = self._settings.topic(topic), client.client.cluster
        partitions = cluster.partitions_for_topic(name)
        if partitions:
            return len(partitions)
        refused = name in cluster.unauthorized_topics
        return TopicAuthorizationFailedError(name) if refused else UnknownTopicOrPartitionError(name)

    async def _connected(self) -> AIOKafkaProducer:
        async with self._lock:
            if self._client is None:
                client = AIOKafkaProducer(
                    **self._settings.kafka_options(),
                    compression_type=self._compression,
                    acks="all",
                    enable_idempotence=self._idempotent,
                    max_batch_size=BATCH_BYTES,
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


def _settle(outcomes: list[Exception | None], numbers: Sequence[int], batch: asyncio.Future[Any]) -> None:
    """All records of a batch share what became of it."""
    error = asyncio.CancelledError() if batch.cancelled() else batch.exception()
    outcome = error if error is None or isinstance(error, KafkaError) else Unacknowledged()
    for number in numbers:
        outcomes[number] = outcome


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
