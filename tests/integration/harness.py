"""What integration tests share: a namespace on the real servers, services that run in it, and its topics."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import AsyncMongoClient

from chassis.ids import new_id
from chassis.kafka.topic_reader import read_topic
from chassis.service import Service
from chassis.settings import Settings
from herald_contracts import CloudEvent, Event, PersonProvisioned, Record, Undecodable, decode, encode
from tests.infra import Infra
from tests.issuer import Issuer

T = TypeVar("T")
S = TypeVar("S", bound=Settings)
PARTITIONS = 2


async def eventually(
    probe: Callable[[], Awaitable[T]], *, until: Callable[[T], object] = bool, within: float = 60.0
) -> T:
    """The first answer of `probe` that satisfies `until`. Raises AssertionError with the last one after `within` s."""
    deadline = time.monotonic() + within
    while True:
        found = await probe()
        if until(found):
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"still {found!r} after {within} s")
        await asyncio.sleep(0.02)


async def drained(service: Service) -> None:
    """Wait until all that the service has to tell is on Kafka."""
    await eventually(lambda: service.runtime.mongo.outbox.count_documents({}), until=lambda rows: rows == 0)


@dataclass
class Harness:
    """The namespace of one test. Topics are named without it everywhere."""

    infra: Infra
    namespace: str
    issuer: Issuer
    variables: dict[str, Any] = field(default_factory=dict)
    _producer: asyncio.Task[AIOKafkaProducer] | None = None

    def settings(self, cls: type[S], **changes: Any) -> S:
        """A service's settings in this namespace."""
        values: dict[str, Any] = {
            "namespace": self.namespace,
            "kafka_bootstrap": self.infra.kafka_bootstrap,
            "mongo_url": self.infra.mongo_url,
            "redis_url": self.infra.redis_url,
            "public_url": "http://herald.test",
            "issuer": self.issuer.url,
            "grace": 5.0,
            **self.variables,
            **changes,
        }
        return cls(**values)

    def name(self, topic: str) -> str:
        return f"{self.namespace}.{topic}"

    async def create_topics(self, topics: Iterable[str]) -> None:
        """Create those topics that are not there yet, and wait until they can be used."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.infra.kafka_bootstrap)
        await admin.start()
        try:
            there = set(await admin.list_topics())
            wanted = [self.name(topic) for topic in topics if self.name(topic) not in there]
            if wanted:
                await admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in wanted])

            async def ready() -> bool:
                found = await admin.describe_topics(wanted)
                return all(
                    topic["partitions"] and all(one["leader"] >= 0 for one in topic["partitions"]) for topic in found
                )

            if wanted:
                await eventually(ready)
        finally:
            await admin.close()

    async def publish(self, *events: Event, ids: Sequence[str] = (), at: datetime | None = None) -> list[str]:
        """Put events on Kafka as their owner would, now or as if it were `at`; returns their ids."""
        names = list(ids) or [new_id() for _ in events]
        for event, id in zip(events, names, strict=True):
            await self.publish_record(encode(event, id=id, time=at or datetime.now(UTC)))
        return names

    async def close(self) -> None:
        if self._producer is not None:
            await (await self._producer).stop()

    async def publish_record(self, record: Record, *, partition: int | None = None) -> None:
        if self._producer is None:
            self._producer = asyncio.create_task(self._start_producer())
        await (await self._producer).send_and_wait(
            self.name(record.topic), record.value, key=record.key, headers=record.headers, partition=partition
        )

    async def _start_producer(self) -> AIOKafkaProducer:
        bootstrap = self.infra.kafka_bootstrap
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
        await producer.start()
        return producer

    async def records(self, topic: str) -> list[Any]:
        """Everything on the topic now, from offset 0, partition by partition."""
        options = {"bootstrap_servers": self.infra.kafka_bootstrap}
        return [record async for record in read_topic(options, self.name(topic))]

    async def rewind(self, group: str, topics: Iterable[str]) -> None:
        """Set a group's committed offsets back to 0. No member may be there."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.infra.kafka_bootstrap, group_id=self.name(group), enable_auto_commit=False
        )
        await consumer.start()
        try:
            parts = [TopicPartition(self.name(topic), number) for topic in topics for number in range(PARTITIONS)]
            consumer.assign(parts)
            await consumer.commit(dict.fromkeys(parts, 0))
        finally:
            await consumer.stop()

    async def events(self, topic: str) -> list[CloudEvent[Event]]:
        """All events on the topic now that decode."""
        found = []
        for record in await self.records(topic):
            try:
                found.append(decode(record.headers, record.value))
            except Undecodable:
                continue
        return found

    def provisioned(self, subject: str, *roles: str, **state: Any) -> PersonProvisioned:
        """That there is such a person, who signs in as `subject`."""
        return PersonProvisioned(
            **{
                "person_id": subject,
                "revision": 1,
                "accounts": [self.issuer.account(subject)],
                "roles": list(roles),
                "active": True,
                "country": "FR",
                "team": "Sales",
                "locale": "fr",
                "origin": "import",
                "occurred_at": datetime.now(UTC),
                **state,
            }
        )

    async def person(self, subject: str, *roles: str, **state: Any) -> PersonProvisioned:
        """Publish that there is such a person."""
        event = self.provisioned(subject, *roles, **state)
        await self.publish(event)
        return event

    async def know(self, service: str, subject: str, *roles: str) -> None:
        """Have a service's database say that there is such a person, as their events would."""
        async with AsyncMongoClient[dict[str, Any]](self.infra.mongo_url) as client:
            row = {"_id": subject, "accounts": [self.issuer.account(subject)], "roles": roles, "active": True}
            await client[self.settings(Settings).database(service)]["principals"].insert_one(row)

    def bearer(self, subject: str, **claims: Any) -> dict[str, str]:
        """The header of a signed-in person."""
        return {"Authorization": f"Bearer {self.issuer.token(subject, **claims)}"}

    @asynccontextmanager
    async def api(self, service: Service) -> AsyncIterator[httpx.AsyncClient]:
        """The service's API, without a network between."""
        stop = asyncio.Event()
        beside = asyncio.ensure_future(service.serve_api(stop))
        transport = httpx.ASGITransport(app=service.asgi(), raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url="http://herald.test")
        try:
            await eventually(service.unready, until=lambda reasons: not reasons)
            yield client
        finally:
            await client.aclose()
            stop.set()
            await beside

    @asynccontextmanager
    async def worker(self, service: Service) -> AsyncIterator[Service]:
        """The service's worker: consumer, relay and jobs; its topics are created first."""
        own = {f"herald.deadletters.{service.name}"}
        if service.consumer is not None:
            own.update(service.consumer.topics)
        own.update(
            event.topic.format(service=service.name)
            for event in Event.registry.values()
            if event.source.format(service=service.name) == f"/herald/{service.name}"
        )
        await self.create_topics(own)
        stop = asyncio.Event()
        working = asyncio.ensure_future(service.work(stop))
        try:
            await eventually(service.unready, until=lambda reasons: not reasons)
            yield service
        finally:
            stop.set()
            await working


@asynccontextmanager
async def open_harness(infra: Infra, namespace: str, issuer: Issuer) -> AsyncIterator[Harness]:
    """A harness whose producer, if it needed one, is closed at the end."""
    harness = Harness(infra, namespace, issuer)
    try:
        yield harness
    finally:
        await harness.close()
