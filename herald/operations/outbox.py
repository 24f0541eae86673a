"""The blocked lanes of all services' outboxes, for operators."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC

from pymongo import AsyncMongoClient

from chassis import audit
from chassis.mongo import Document, Transaction
from chassis.outbox.blocked import BlockedLane, BlockedLanes
from herald.operations.acting import act
from herald.operations.settings import OperatorSettings

SERVICES = ("program", "content", "sharing", "gamification", "metrics")


@dataclass(frozen=True, slots=True)
class Blocked:
    """A blocked lane and its service."""

    service: str
    lane: BlockedLane


class Outboxes:
    """Raises PyMongoError where MongoDB is away."""

    def __init__(self, client: AsyncMongoClient[Document], settings: OperatorSettings) -> None:
        self._client = client
        self._settings = settings

    def _store(self, service: str) -> BlockedLanes:
        return BlockedLanes(self._client[self._settings.database(service)])

    async def blocked(self, service: str = "", lane: str = "") -> list[Blocked]:
        """The blocked lanes, of one service or with one id where these are given."""
        services = (service,) if service else SERVICES
        found = [Blocked(name, one) for name in services for one in await self._store(name).all()]
        return [one for one in found if not lane or one.lane.id == lane]

    async def row(self, blocked: Blocked) -> Document | None:
        """The row that is in the way."""
        return next(iter(await self._store(blocked.service).rows(blocked.lane.id, limit=1)), None)

    async def put_back(self, blocked: Blocked, *, discard: bool = False) -> int:
        """Puts the lane's events back into the outbox, without the first if it is discarded; returns how many."""
        store, lane = self._store(blocked.service), blocked.lane

        async def put_back(tx: Transaction) -> int:
            count = await store.put_back(lane.id, session=tx.session, discard=discard)
            facts = {"topic": lane.topic, "rule": lane.rule, "events_set_aside": lane.rows}
            # An event in several versions has one row for each, whose id ends with a slash and a number.
            id = lane.row.partition("/")[0]
            audit.record(tx, "discard_event" if discard else "retry_event", "event", id, facts=facts)
            return count

        return await act(self._client, self._settings, blocked.service, put_back)


@asynccontextmanager
async def outboxes(settings: OperatorSettings) -> AsyncIterator[Outboxes]:
    """The outboxes of an installation, while the body runs."""
    client: AsyncMongoClient[Document] = AsyncMongoClient(
        settings.mongo_url, tz_aware=True, tzinfo=UTC, serverSelectionTimeoutMS=5_000, **settings.mongo_options()
    )
    try:
        yield Outboxes(client, settings)
    finally:
        await client.close()
