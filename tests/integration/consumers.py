"""The consumers of all services on their real databases, without Kafka between."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, get_type_hints

from chassis.consumer import Consumer, Received
from chassis.ids import derived_id
from chassis.mongo import Transaction
from chassis.service import Service
from herald.contracts.services import PLACEHOLDERS
from herald.local.plan import SERVICES
from herald_contracts import Event, decode
from tests.infra import Infra
from tests.integration.lent import empty, filled

BOOKKEEPING = frozenset(("outbox", "inbox", "offsets", "leases", "figure_changes", "figure_versions"))
"""Collections that say how something was done, not what is so."""
VOLATILE = frozenset(("at", "booked_at", "waiting"))
"""Fields of the moment of writing, or of what is still to be done."""
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def received(event: Event, *, id: str | None = None, offset: int = 0) -> Received[Event]:
    """As it comes from Kafka; its id follows from what it says."""
    return Received(
        id=id or derived_id(event.type, event.model_dump_json()),
        type=event.type,
        subject=event.aggregate_id,
        time=START,
        data=event,
        topic=event.own_topic,
        partition=0,
        offset=offset,
        traceparent=None,
        tracestate=None,
    )


class Applied:
    """A service to whose consumer events are handed."""

    def __init__(self, service: Service, consumer: Consumer) -> None:
        self.service = service
        self.consumer = consumer

    @property
    def name(self) -> str:
        return self.service.name

    def wants(self, event_type: str) -> bool:
        return any(event.type == event_type for event in self.consumer.events)

    async def empty(self) -> None:
        await empty(self.service.runtime.mongo.db)

    async def take(self, events: Iterable[Received[Event]]) -> None:
        """Each of the events that the service takes, in a transaction of its own."""
        for event in events:
            if self.wants(event.type):
                await self.service.runtime.mongo.transact(partial(self._apply, [event]))

    async def _apply(self, events: Sequence[Received[Event]], tx: Transaction) -> None:
        await self.consumer.apply(tx, events)

    async def state(self) -> dict[str, list[Any]]:
        """What the service keeps, without the order in which it came to know it and without sums of nothing."""
        db = self.service.runtime.mongo.db
        found = {}
        for name in await filled(db):
            if name in BOOKKEEPING:
                continue
            rows = [_settled(row) for row in await db[name].find({}).to_list()]
            if kept := sorted((row for row in rows if len(row) > 1), key=repr):
                found[name] = kept
        return found


def _settled(value: Any) -> Any:
    if isinstance(value, dict):
        settled = {name: _settled(one) for name, one in sorted(value.items()) if name not in VOLATILE}
        numbers = {name: one for name, one in settled.items() if type(one) is int}
        return {} if numbers and not any(numbers.values()) else settled
    if isinstance(value, list):
        return sorted((_settled(one) for one in value), key=repr)
    return value


@asynccontextmanager
async def services(infra: Infra, namespace: str, *names: str, **settings: Any) -> AsyncIterator[list[Service]]:
    """Services with their databases and indexes, and nothing that runs. `settings` goes to those that have such."""
    found: list[Service] = []
    try:
        for name in names:
            found.append(service := _built(name, infra, namespace, settings))
            if service.ensure_indexes is not None:
                await service.ensure_indexes()
        yield found
    finally:
        for service in found:
            await service.runtime.mongo.close()
            service.runtime.telemetry.close()


@asynccontextmanager
async def consumers(infra: Infra, namespace: str) -> AsyncIterator[dict[str, Applied]]:
    """Every service that consumes, by name."""
    async with services(infra, namespace, *SERVICES) as found:
        yield {one.name: Applied(one, one.consumer) for one in found if one.consumer is not None}


async def refusals(emitter: Service, infra: Infra, namespace: str) -> list[str]:
    """Of what a service has in its outbox, what a consumer does not take, and why. The door took all of it.

    Raises AssertionError where there is nothing.
    """
    rows = await emitter.runtime.mongo.outbox.find({}, sort=[("seq", 1)]).to_list()
    assert rows, "nothing was emitted"
    found = []
    async with consumers(infra, namespace) as applied:
        for row in rows:
            event = decode(list(row["headers"].items()), row["value"])
            for one in applied.values():
                try:
                    await one.take([received(event.data, id=event.id)])
                except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
                    found.append(f"{one.name}: {event.type} {row['value']!r}: {error!r}")
    return found


def _built(name: str, infra: Infra, namespace: str, settings: Mapping[str, Any]) -> Service:
    build = importlib.import_module(f"services.{name}.app").build
    settings_class = get_type_hints(build)["settings"]
    given = {
        "namespace": namespace,
        "kafka_bootstrap": infra.kafka_bootstrap,
        "mongo_url": infra.mongo_url,
        "redis_url": infra.redis_url,
        **{field: value for field, value in settings.items() if field in settings_class.model_fields},
    }
    required = {
        field: PLACEHOLDERS[f"HERALD_{field.upper()}"]
        for field, info in settings_class.model_fields.items()
        if info.is_required() and field not in given
    }
    service: Service = build(settings_class(**required, **given))
    return service
