"""A day's engagements of a programme, from a seed, and a topic that holds them for as many rounds as it takes."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer
from pymongo import MongoClient

from bench.harness import Harness
from chassis.ids import new_id
from chassis.kafka.producer import Producer
from chassis.kafka.topic_reader import partitions_of
from chassis.settings import KafkaSettings
from herald.operations.topics import apply_topics, load_topics
from herald_contracts import EngagementRecorded, Event, ProgramCreated, Record, encode

PROGRAM = "bench-program"
ZONE = "Europe/Paris"
AMBASSADORS, POSTS, CONTENTS = 2_000, 6_000, 40
NETWORKS = ("linkedin", "x", "facebook", "whatsapp", "email")
KINDS = (("click", 85), ("like", 10), ("comment", 3), ("repost", 2))
VERDICTS = (("counted", 70), ("repeat", 15), ("bot", 10), ("self", 3), ("prefetch", 2))
AT_ONCE = 2_000
IDLE_SECONDS = 60.0
T = TypeVar("T")


def engagements(count: int, *, seed: int = 7) -> Iterator[EngagementRecorded]:
    """Clicks and reactions of one day, of ambassadors as they come."""
    chance = random.Random(seed)
    morning = datetime.now(UTC).replace(hour=6, minute=0, second=0, microsecond=0) - timedelta(days=1)
    kinds, verdicts = ([value for value, _ in of] for of in (KINDS, VERDICTS))
    weights = [[weight for _, weight in of] for of in (KINDS, VERDICTS)]
    for _ in range(count):
        post = chance.randrange(POSTS)
        [kind] = chance.choices(kinds, weights[0])
        yield EngagementRecorded(
            post_id=f"post-{post}",
            ambassador_id=f"ambassador-{post % AMBASSADORS}",
            program_id=PROGRAM,
            content_id=f"content-{post % CONTENTS}",
            network=NETWORKS[post % len(NETWORKS)],
            kind=kind,
            quantity=1,
            verdict=chance.choices(verdicts, weights[1])[0] if kind == "click" else "counted",
            measure="measured",
            occurred_at=morning + timedelta(seconds=chance.randrange(12 * 3600)),
        )


def record(event: Event) -> Record:
    """As it travels at a high rate: of clicks only so many a second are traced, the rest say that they are not."""
    id = new_id()
    trace = id.replace("-", "")
    return encode(event, id=id, time=datetime.now(UTC), traceparent=f"00-{trace}-{trace[16:]}-00")


class Log:
    """Topics with a programme and, once `fill`ed, its day's engagements; readers that begin anew each round.

    A reader keeps, in a database of its own, the next offset of each partition in `offsets`, as Herald does.
    """

    def __init__(self, harness: Harness, count: int, *, partitions_times: int = 1) -> None:
        self.namespace = harness.namespace()
        self.count = count
        self.bytes = 0
        self._settings = KafkaSettings(namespace=self.namespace, kafka_bootstrap=harness.kafka_bootstrap)
        self._mongo: MongoClient[dict[str, Any]] = MongoClient(harness.mongo_url)
        self.topic = self._settings.topic(EngagementRecorded.topic)
        asyncio.run(self._begin(partitions_times))

    async def _begin(self, partitions_times: int) -> None:
        topics = [one.model_copy(update={"partitions": one.partitions * partitions_times}) for one in load_topics()]
        await apply_topics(self._settings.kafka_bootstrap, self.namespace, topics=topics)
        producer = Producer(self._settings)
        program = ProgramCreated(
            program_id=PROGRAM, name="Bench", time_zone=ZONE, languages=["en"], occurred_at=datetime.now(UTC)
        )
        await producer.send_all([record(program)])
        await producer.close()

    def wait_for_program(self, reader: str) -> None:
        """Returns once the reader knows the programme. Raises SystemExit."""
        deadline = time.monotonic() + IDLE_SECONDS
        while self.database(reader)["programs"].find_one({"_id": PROGRAM, "time_zone": ZONE}) is None:
            if time.monotonic() > deadline:
                raise SystemExit(f"{reader} does not hear of the programme")
            time.sleep(0.02)

    def fill(self) -> None:
        """Put the engagements on the topic."""
        asyncio.run(self._fill())

    async def _fill(self) -> None:
        producer = Producer(self._settings)
        waiting: list[Record] = []
        for event in engagements(self.count):
            waiting.append(record(event))
            self.bytes += _size(waiting[-1])
            if len(waiting) == AT_ONCE:
                await _sent(producer, waiting)
                waiting = []
        if waiting:
            await _sent(producer, waiting)
        await producer.close()

    def database(self, service: str) -> Any:
        return self._mongo[f"{self.namespace}_herald_{service}"]

    def close(self) -> None:
        for name in self._mongo.list_database_names():
            if name.startswith(f"{self.namespace}_"):
                self._mongo.drop_database(name)
        self._mongo.close()

    def begin_anew(self, reader: str, *, keep: tuple[str, ...] = ()) -> None:
        """Forget what a reader applied, but for the collections to `keep`. It must not be running."""
        database = self.database(reader)
        for name in database.list_collection_names():
            if name not in keep:
                database[name].drop()
        asyncio.run(self._rewind(self._settings.group(reader)))

    async def _rewind(self, group: str) -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._settings.kafka_bootstrap, group_id=group, enable_auto_commit=False
        )
        await consumer.start()
        try:
            parts = await partitions_of(self._settings.kafka_options(), self.topic)
            consumer.assign(parts)
            await consumer.commit(dict.fromkeys(parts, 0))
        finally:
            await consumer.stop()

    def applied(self, reader: str) -> int:
        """How many records of the topic the reader has committed the effect of."""
        rows = self.database(reader)["offsets"].find({"_id": {"$regex": f"^{self.topic}:"}})
        return sum(int(row["next"]) for row in rows)

    def rate(self, reader: str) -> float:
        """Records a second, from the first effect that is seen to the last one. Raises SystemExit."""
        first, last, count = self.drained(reader, time.monotonic)
        return count / (last - first)

    def drained(self, reader: str, probe: Callable[[], T]) -> tuple[T, T, int]:
        """What `probe` says at the first effect that is seen and at the last, and the number of records between them.

        Raises SystemExit when nothing moves for a minute.
        """
        first: tuple[T, int] | None = None
        moved, last = time.monotonic(), 0
        while True:
            found = self.applied(reader)
            if found > last:
                moved, last = time.monotonic(), found
                first = first or (probe(), found)
            if first is not None and last >= self.count:
                return first[0], probe(), last - first[1]
            if time.monotonic() - moved > IDLE_SECONDS:
                raise SystemExit(f"{reader} stands still at {last:,} of {self.count:,}")
            time.sleep(0.01)


async def _sent(producer: Producer, records: list[Record]) -> None:
    if not all(await producer.send(records, timeout=30)):
        raise SystemExit("Kafka does not take the engagements")


def _size(record: Record) -> int:
    parts = [record.key, record.value, *(name.encode() + (value or b"") for name, value in record.headers)]
    return sum(len(part or b"") for part in parts)
