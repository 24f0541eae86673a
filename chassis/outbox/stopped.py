"""What a relay does about rows that Kafka does not take: each stops its own lane and no other.

- A topic that is missing or not allowed: its lanes wait; one row of it is tried again after 0.5 s, then after pauses
  that double up to 10 s.
- A partition that does not answer: the lanes concerned wait in the same way.
- A row that is too large: its lane is blocked, that is set aside whole (`blocked`). What Kafka itself refused is tried
  again every 20 s by the smallest such row of each topic, because an operator may have raised the topic's limit.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from aiokafka.errors import (
    InvalidTopicError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from opentelemetry.metrics import Observation
from pymongo.errors import PyMongoError

from chassis.kafka.producer import Producer, TooLarge
from chassis.mongo import Document, Transaction
from chassis.mongo.leases import Lease, LeaseLost
from chassis.outbox.blocked import REFUSED, TOO_LARGE, BlockedLane, BlockedLanes, lane_id
from chassis.outbox.lanes import Lane, WaitingLanes, lane_of
from chassis.tasks import sleep_or_event
from chassis.web.problems import Overloaded
from herald_contracts import Record

if TYPE_CHECKING:
    from chassis.runtime import Runtime

logger = logging.getLogger(__name__)
OF_THE_TOPIC = (UnknownTopicOrPartitionError, TopicAuthorizationFailedError, InvalidTopicError)
OF_THE_ROW = (TooLarge, MessageSizeTooLargeError, RecordListTooLargeError, PolicyViolationError)
RETRY_SECONDS = 0.5
PROBE_SECONDS = 20.0
AT_ONCE = 50
Failed = Sequence[tuple[Document, Exception]]


def record_of(row: Document) -> Record:
    return Record(row["topic"], row["key"], row["value"], list(row["headers"].items()))


class StoppedLanes:
    """The lanes of one service's outbox that do not move. Only the holder of the relay's lease uses it."""

    def __init__(
        self, runtime: Runtime, lease: Lease, published: Callable[[Sequence[Document]], Awaitable[None]]
    ) -> None:
        self._mongo = runtime.mongo
        self._lease = lease
        self._published = published
        self._store = BlockedLanes(runtime.mongo.db)
        self._waiting = WaitingLanes()
        self._blocked: set[Lane] = set()
        self._guard = asyncio.Lock()
        self._probed = 0.0
        # One by one and without sequence numbers: a row that is refused leaves no hole before the next one.
        self._producer = Producer(runtime.settings, idempotent=False)
        self.oldest: datetime | None = None
        gauge = runtime.telemetry.meter.create_observable_gauge
        gauge(
            "herald.outbox.blocked.lanes",
            callbacks=[lambda _: [Observation(len(self._blocked))]],
            description="Topics and keys whose events were set aside because one of them cannot be sent",
        )
        gauge(
            "herald.outbox.waiting.lanes",
            callbacks=[lambda _: [Observation(len(self._waiting))]],
            description="Topics and keys that Kafka does not take now, each tried again by itself",
        )

    async def begin(self) -> None:
        """To be called with the lease in hand, before the first row is read. Raises PyMongoError."""
        self._waiting = WaitingLanes()
        self._blocked = {one.lane for one in await self._store.all()}
        self.oldest = None

    async def close(self) -> None:
        await self._producer.close()

    def query(self) -> Document:
        """A filter of the rows that may be sent."""
        return self._waiting.query()

    def were_refused(self, failed: Failed) -> bool:
        """Whether Kafka answered that rows or topics are in the way; otherwise it is Kafka that is away."""
        return any(isinstance(error, OF_THE_TOPIC + OF_THE_ROW) for _, error in failed)

    # --- rows at hand ----------------------------------------------------------------------------------------

    async def set_aside_blocked(self, rows: list[Document]) -> list[Document]:
        """Set aside what is behind a blocked row; returns the others."""
        behind: dict[Lane, list[Document]] = defaultdict(list)
        for row in rows if self._blocked else ():
            if (lane := lane_of(row)) in self._blocked:
                behind[lane].append(row)
        if not behind:
            return rows
        async with self._guard:
            for lane, own in behind.items():
                if not await self._lease.transact(partial(self._follow, lane, own)):
                    self._blocked.discard(lane)  # it was put back: all of it comes with the next read
        return [row for row in rows if lane_of(row) not in behind]

    async def _follow(self, lane: Lane, rows: Sequence[Document], tx: Transaction) -> bool:
        return await self._store.follow(lane, rows, session=tx.session)

    async def stop(self, failed: Failed) -> None:
        """Stop the lanes of rows that were not confirmed; `failed` is in the order of the outbox."""
        suspects: dict[Lane, list[Document]] = {}
        for row, error in failed:
            lane = lane_of(row)
            if lane in suspects:
                suspects[lane].append(row)
            elif isinstance(error, OF_THE_TOPIC):
                self._waiting.wait(row["topic"])
            elif isinstance(error, OF_THE_ROW):
                suspects[lane] = [row]
            else:
                self._waiting.wait(lane)
        if suspects:
            await self._isolate(list(suspects.values()))

    async def _isolate(self, lanes: Sequence[list[Document]]) -> None:
        """Send the first row of each of these lanes apart, and block the lanes whose row is refused by itself."""
        outcomes = await self._producer.attempt([record_of(rows[0]) for rows in lanes], apart=True)
        await self._published([rows[0] for rows, error in zip(lanes, outcomes, strict=True) if error is None])
        for rows, error in zip(lanes, outcomes, strict=True):
            if isinstance(error, OF_THE_ROW):
                await self._block(rows, error)
            elif error is not None:
                self._waiting.wait(lane_of(rows[0]))

    async def _block(self, rows: Sequence[Document], error: Exception) -> None:
        rule = TOO_LARGE if isinstance(error, TooLarge) else REFUSED
        lane = lane_of(rows[0])

        async def work(tx: Transaction) -> None:
            await self._store.set_aside(rows, rule, type(error).__name__, now=tx.now, session=tx.session)

        async with self._guard:
            await self._lease.transact(work)
            self._blocked.add(lane)
        logger.error("the lane %s is blocked by event %s: %s", lane_id(lane), rows[0]["_id"], type(error).__name__)

    # --- trying again ----------------------------------------------------------------------------------------

    async def run(self, stop: asyncio.Event) -> None:
        """Try what waits again, each when it is due, until `stop`."""
        while not stop.is_set():
            await sleep_or_event(RETRY_SECONDS, stop)
            try:
                self.oldest = await self._oldest() if self._waiting else None
                for start in range(0, len(due := self._waiting.due()), AT_ONCE):
                    await self._retry(due[start : start + AT_ONCE])
                if self._blocked:
                    await self._look_at_blocked()
            except (PyMongoError, Overloaded, LeaseLost) as error:
                logger.warning("stopped lanes cannot be tried now: %s", type(error).__name__)

    async def _oldest(self) -> datetime | None:
        row = await self._mongo.outbox.find_one({}, {"at": 1}, sort=[("seq", 1)])
        return row["at"] if row else None

    async def _retry(self, due: Sequence[Lane | str]) -> None:
        rows: dict[Lane | str, Document] = {}
        for one in due:
            row = await self._first(one)
            if row is None:
                self._waiting.resume(one)
            else:
                rows[one] = row
        if not rows or not self._lease.held:
            return
        outcomes = await self._producer.attempt([record_of(row) for row in rows.values()], apart=True)
        await self._published([row for row, error in zip(rows.values(), outcomes, strict=True) if error is None])
        for (one, row), error in zip(rows.items(), outcomes, strict=True):
            if error is None:
                self._waiting.resume(one)
            elif isinstance(error, OF_THE_ROW):
                await self._block([row], error)
                self._waiting.resume(one)
            else:
                self._waiting.wait(one)

    async def _first(self, one: Lane | str) -> Document | None:
        query = {"topic": one} if isinstance(one, str) else {"topic": one[0], "key": one[1]}
        async with self._mongo.client.start_session(snapshot=True) as session:
            return await self._mongo.outbox.find_one(query, session=session, sort=[("seq", 1)])

    async def _look_at_blocked(self) -> None:
        """Notice what an operator put back, and probe what Kafka refused."""
        async with self._guard:
            self._blocked &= {one.lane for one in await self._store.all()}
        if time.monotonic() - self._probed < PROBE_SECONDS:
            return
        self._probed = time.monotonic()
        for lane in await self._store.to_probe():
            rows = await self._store.rows(lane.id, limit=1)
            if not rows or not self._lease.held:
                continue
            [error] = await self._producer.attempt([record_of(rows[0])], apart=True)
            if error is None:
                await self._put_back(lane, published=True)
                for other in await self._store.all():
                    if other.topic == lane.topic and other.rule == REFUSED:
                        await self._put_back(other)

    async def _put_back(self, lane: BlockedLane, *, published: bool = False) -> None:
        """Let a lane go on, without its first row where that was published."""

        async def work(tx: Transaction) -> None:
            await self._store.put_back(lane.id, session=tx.session, discard=published)

        await self._lease.transact(work)
        logger.info("the lane %s goes on", lane.id)
