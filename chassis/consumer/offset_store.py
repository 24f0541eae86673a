"""The offsets up to which a service has applied each partition, stored with its state and compared with Kafka's log.

A row of `offsets` says which offset of a partition is `next`, on which log (`log`, the topic's identity), and how
many records Kafka had deleted before they were consumed (`lost`). It moves forward in the transaction of the effect;
that also fences a member that lost its partition and does not know. It is set anew only where Kafka's log is no longer
the one that it speaks of.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaTimeoutError
from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from chassis.kafka.topic_ids import topic_ids
from chassis.mongo import Document, Mongo, Transaction, duplicate
from chassis.telemetry.otel import Telemetry

logger = logging.getLogger(__name__)
INBOX_DAYS = 30
Records = Sequence[ConsumerRecord[bytes, bytes]]


class Fenced(Exception):
    """Another member of the group has gone past this offset."""


class OffsetMismatch(Exception):
    """The stored offset belongs to another log than the one that is consumed, or is not where this member left it."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """Which records (topic, partition, offset) were ahead of the stored offsets; `all`: each of those asked about."""

    stored: Mapping[TopicPartition, int]
    all: bool

    def __contains__(self, place: tuple[str, int, int]) -> bool:
        topic, partition, offset = place
        return offset >= self.stored.get(TopicPartition(topic, partition), 0)


@dataclass(frozen=True, slots=True)
class _Bounds:
    first: int  # of the records in hand
    begin: int  # of the log
    end: int


@asynccontextmanager
async def _kafka_answers(seconds: float) -> AsyncIterator[None]:
    """Raises KafkaTimeoutError when Kafka does not: it is away then, and nothing is wrong with the records."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise KafkaTimeoutError from None


class OffsetStore:
    """The stored offsets of one service."""

    def __init__(self, mongo: Mongo, telemetry: Telemetry, topics: Iterable[str], *, seconds: float) -> None:
        self._rows = mongo.db["offsets"]
        self._topics = tuple(topics)
        self._seconds = seconds
        self._topic_ids: dict[str, str] = {}
        self._expected: dict[TopicPartition, int] = {}
        self._gaps: dict[TopicPartition, tuple[int, object]] = {}
        self._looked: tuple[object, set[TopicPartition]] = (None, set())
        self._lost = telemetry.counter("herald.consumer.lost", "Records that Kafka deleted before they were consumed")

    async def watch(self, client: Any) -> None:
        """Look closer at the next records if a topic was created anew. Raises KafkaError."""
        if self._changed(await self._fetch_topic_ids(client)):
            self.forget()

    async def reconcile(self, client: Any, records: Records, ahead: Callable[[], Records]) -> Records:
        """The records that the stored offsets can judge: all of them, but where a topic was created anew.

        Costs nothing where records follow on those before. Otherwise the stored offsets are compared with the log:
        that of another log starts again at its beginning, from where the partition is then read; one beyond the end
        of the log (it lost its tail) goes back as far as the inbox remembers; one before the beginning of the log
        (retention has cut it) goes on there, and what was lost is counted; one before the records in hand (Kafka
        knows of more than the database, which was restored, say) has the partition read from there, and so has one that
        is not stored at all although Kafka was told of it (the database is a new one). All partitions
        that were never looked at are judged together, by the records that come next: the first of those that were read
        `ahead`, or else from where the client is. Raises KafkaError, TimeoutError, PyMongoError.
        """
        firsts = {part: first for part, (first, _) in _offset_ranges(records).items()}
        unsure = {part for part, first in firsts.items() if self._expected.get(part) != first}
        if not unsure:
            return records
        found = await self._fetch_topic_ids(client)
        changed = self._changed(found)
        self._topic_ids.update(found)
        # What is in hand or on its way of a topic that changed may be of the old log: all of it is read again.
        again = {part for part in client.assignment() if part.topic in changed}
        again |= {part for part in unsure if part.topic in changed}
        coming = places(client) | {part: first for part, (first, _) in _offset_ranges(ahead()).items()}
        coming = {part: first for part, first in coming.items() if part not in self._expected | firsts}
        firsts |= coming
        unsure = {part for part in (unsure | set(coming)) - again if part.topic in found}
        rows = await self._stored(unsure | again)
        bounds = await self._bounds(client, {part: firsts[part] for part in unsure})
        for part in unsure | again:
            row = rows.get(_key(part))
            if row is not None and row.get("log", self._topic_ids[part.topic]) != self._topic_ids[part.topic]:
                row = await self._restart(row, self._topic_ids[part.topic])
                again.add(part)
            elif part in bounds and await self._bound(client, part, row or _unknown(part, bounds[part]), bounds[part]):
                again.add(part)
            if part in again and part in client.assignment():
                client.seek(part, (row or _unknown(part, bounds.get(part)))["next"])
        for part, place in coming.items():
            if part not in again and _is_stored_at(rows.get(_key(part)), place):
                self._expected[part] = place
        return [record for record in records if TopicPartition(record.topic, record.partition) not in again]

    async def look_back(self, client: Any) -> None:
        """Have those partitions read again of which less is stored as consumed than Kafka was told, once in an
        assignment: as `reconcile`, where no record comes that would lead to it. To be called while none is in hand.

        Raises KafkaError, TimeoutError, PyMongoError.
        """
        at = {part: place for part, place in places(client).items() if part not in self._expected}
        if at and (assignment := _assignment(client)) is not self._looked[0]:
            self._looked = (assignment, set())
        at = {part: place for part, place in at.items() if part not in self._looked[1]}
        if not at:
            return
        bounds, logs, rows = await self._bounds(client, at), await self._fetch_topic_ids(client), await self._stored(at)
        self._looked[1].update(at)
        for part, place in at.items():
            row = rows.get(_key(part)) or _unknown(part, bounds[part])
            same_log = row.get("log", logs.get(part.topic)) == logs.get(part.topic)
            untouched = part in client.assignment() and part not in self._expected
            if same_log and untouched and row["next"] < place:
                logger.warning("%s is read again from %d, although no record comes", row["_id"], row["next"])
                client.seek(part, row["next"])

    async def _stored(self, parts: Iterable[TopicPartition]) -> dict[str, Document]:
        return {row["_id"]: row async for row in self._rows.find({"_id": {"$in": [_key(part) for part in parts]}})}

    async def _bounds(self, client: Any, firsts: dict[TopicPartition, int]) -> dict[TopicPartition, _Bounds]:
        if not firsts:
            return {}
        async with _kafka_answers(self._seconds):
            begins, ends = await asyncio.gather(
                client.beginning_offsets(list(firsts)), client.end_offsets(list(firsts))
            )
        return {part: _Bounds(first, begins[part], ends[part]) for part, first in firsts.items()}

    async def _fetch_topic_ids(self, client: Any) -> dict[str, str]:
        async with _kafka_answers(self._seconds):
            return await topic_ids(client, self._topics)

    def _changed(self, found: dict[str, str]) -> set[str]:
        return {topic for topic, log in found.items() if self._topic_ids.get(topic, log) != log}

    async def _restart(self, row: Document, log: str) -> Document:
        logger.error("%s was created anew; it is read from its beginning", row["_id"])
        state = {"next": 0, "log": log}
        await self._set(row, state)
        return {**row, **state}

    async def _bound(self, client: Any, part: TopicPartition, row: Document, bounds: _Bounds) -> bool:
        """Whether the partition is to be read again from the stored offset."""
        next_ = row["next"]
        if next_ > bounds.end:
            logger.error("%s lost its tail: it ends at %d, before %d", row["_id"], bounds.end, next_)
            # Something new may have taken the place of what was lost; the inbox knows which records are not new.
            async with _kafka_answers(self._seconds):
                found = await client.offsets_for_times({part: int((time.time() - INBOX_DAYS * 86_400) * 1000)})
            remembered = found[part].offset if found[part] is not None else bounds.end
            await self._set(row, {"next": max(remembered, bounds.first)})
        elif next_ < min(bounds.begin, bounds.first):
            lost = min(bounds.begin, bounds.first) - next_
            logger.error("%s lost %d records to retention before they were consumed", row["_id"], lost)
            if await self._set(row, {"next": next_ + lost, "lost": row.get("lost", 0) + lost}):
                self._lost.add(lost, {"topic": part.topic})
        elif next_ < bounds.first and self._gaps.get(part) != (gap := (next_, _assignment(client))):
            # Once in an assignment: where the log itself has a gap, there is nothing between.
            self._gaps[part] = gap
            logger.warning("%s is read again from %d instead of %d", row["_id"], next_, bounds.first)
            return True
        return False

    async def _set(self, row: Document, state: Document) -> bool:
        """Change a row unless somebody else did."""
        changed = await self._rows.update_one({"_id": row["_id"], "next": row["next"]}, {"$set": state})
        return changed.modified_count == 1

    async def advance(self, records: Records, tx: Transaction) -> Ahead:
        """Move past these records; returns those that were still ahead.

        Raises Fenced if none were; OffsetMismatch if a topic was created anew, or if the records follow on what this
        member dealt with and the stored offset does not say so: it is to be looked at before the next attempt.
        """
        ranges = _offset_ranges(records)
        if all(self._follows(part, first) for part, (first, _) in ranges.items()):
            moves = [
                UpdateOne(
                    {"_id": _key(part), "next": first, **self._topic_id_of(part)},
                    {"$set": {"next": last + 1, "at": tx.now}},
                    upsert=first == 0,  # where nothing was consumed yet, there is no row
                )
                for part, (first, last) in ranges.items()
            ]
            try:
                moved = await self._rows.bulk_write(moves, session=tx.session, ordered=False)
            except BulkWriteError as error:
                if duplicate(error):
                    raise OffsetMismatch from None
                raise
            if moved.matched_count + moved.upserted_count < len(moves):
                raise OffsetMismatch
            return Ahead({}, all=True)
        after = {part: last + 1 for part, (_, last) in ranges.items()}
        stored = await self.read(after, tx)
        if all(stored.get(part, 0) >= end for part, end in after.items()):
            raise Fenced
        await self._rows.bulk_write(
            [
                UpdateOne(
                    {"_id": _key(part)},
                    {"$max": {"next": end}, "$set": {"at": tx.now, **self._topic_id_of(part)}},
                    upsert=True,
                )
                for part, end in after.items()
                if stored.get(part, 0) < end
            ],
            session=tx.session,
            ordered=False,
        )
        return Ahead(stored, all(first >= stored.get(part, 0) for part, (first, _) in ranges.items()))

    def _follows(self, part: TopicPartition, first: int) -> bool:
        """Whether the stored offset must be `first`: a member that finds another one has lost the partition."""
        return part.topic in self._topic_ids and self._expected.get(part) == first

    def mark_applied(self, records: Records) -> None:
        """These records are dealt with: what follows on them needs no look at the log."""
        self._expected.update(ends(records))

    def applied(self, part: TopicPartition, default: int) -> int:
        """Where the next record of a partition will be, by what this process dealt with."""
        return self._expected.get(part, default)

    def forget(self) -> None:
        """Look at the log again before the next records."""
        self._expected.clear()

    async def read(self, parts: Iterable[TopicPartition], tx: Transaction | None = None) -> dict[TopicPartition, int]:
        """The next offset to apply, of each partition that has one.

        Raises OffsetMismatch if a topic was created anew.
        """
        keys = {_key(part): part for part in parts}
        found = {}
        async for row in self._rows.find({"_id": {"$in": list(keys)}}, session=tx.session if tx else None):
            part = keys[row["_id"]]
            known = self._topic_ids.get(part.topic)
            if known is not None and row.get("log", known) != known:
                raise OffsetMismatch
            found[part] = int(row["next"])
        return found

    def _topic_id_of(self, part: TopicPartition) -> Document:
        log = self._topic_ids.get(part.topic)
        return {} if log is None else {"log": log}


def in_place(client: Any, records: Records) -> Records:
    """The records that the client still has behind it: those of a partition that was sought back come again, those of
    one that is another member's now are theirs. The same object where that is all of them."""
    at = places(client)
    gone = {part for part, (_, last) in _offset_ranges(records).items() if at.get(part, 0) <= last}
    if not gone:
        return records
    return [record for record in records if TopicPartition(record.topic, record.partition) not in gone]


def places(client: Any) -> dict[TopicPartition, int]:
    """The next offset that the client will hand out, of each assigned partition of which it is known."""
    parts = client.assignment()
    states = {part: client._subscription.subscription.assignment.state_value(part) for part in parts}  # noqa: SLF001
    return {part: state.position for part, state in states.items() if state and state.has_valid_position}


def _assignment(client: Any) -> object:
    """What the group gave this member: another object after each rebalance, which may undo a seek."""
    assignment: object = client._subscription.subscription.assignment  # noqa: SLF001
    return assignment


def ends(records: Records) -> dict[TopicPartition, int]:
    """By partition, the offset that follows on the last of these records."""
    return {part: last + 1 for part, (_, last) in _offset_ranges(records).items()}


def _offset_ranges(records: Records) -> dict[TopicPartition, tuple[int, int]]:
    """First and last offset by partition; the records of each are in order."""
    firsts: dict[tuple[str, int], int] = {}
    lasts: dict[tuple[str, int], int] = {}
    for record in records:
        part = (record.topic, record.partition)
        firsts.setdefault(part, record.offset)
        lasts[part] = record.offset
    return {TopicPartition(*part): (first, lasts[part]) for part, first in firsts.items()}


def _unknown(part: TopicPartition, bounds: _Bounds | None) -> Document:
    """The row of a partition of which nothing is stored: all that its log has is before it."""
    return {"_id": _key(part), "next": bounds.begin if bounds is not None else 0}


def _is_stored_at(row: Document | None, place: int) -> bool:
    """Whether the stored offset is there: what is taken for granted and is not costs a transaction that fails."""
    return place == (row["next"] if row is not None else 0)


def _key(part: TopicPartition) -> str:
    return f"{part.topic}:{part.partition}"
