"""Herald broken on purpose: `python -m tests.fault.mutants NAME run SERVICE ROLE`, otherwise as `herald run`.

Each mutant takes one line of defence out of the chassis (or of the click log) in its own process. Nothing of Herald
knows of it. What each must be caught by stands in `mutations`.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, cast

from aiokafka.errors import KafkaError
from pymongo import UpdateOne

import chassis.kafka.producer
from chassis.consumer import INBOX, InvalidEvent, Received
from chassis.consumer.batch_decoder import Batch, Poison
from chassis.consumer.loop import COMMIT_SECONDS, ConsumerLoop
from chassis.consumer.offset_store import OffsetStore, Records
from chassis.dead_letters.writer import DeadLetterWriter
from chassis.kafka.producer import Producer
from chassis.mongo import Document, Mongo, Transaction
from chassis.mongo.leases import Lease
from chassis.outbox.relay import BATCH, Relay
from chassis.outbox.stopped import StoppedLanes, record_of
from chassis.supervisor import Task
from chassis.web.idempotency import UnitOfWork
from herald_contracts import Event
from services.program.domain import mails
from services.program.mail.sender import Sender
from services.sharing.redirect.spool import Spool

MUTANTS: dict[str, Callable[[], None]] = {}


def mutant(change: Callable[[], None]) -> Callable[[], None]:
    """Make it known under its name; its docstring says what is broken."""
    MUTANTS[change.__name__.replace("_", "-")] = change
    return change


def replace(owner: object, name: str, change: Callable[[Any], Any]) -> None:
    """Put what `change` makes of the present method in its place."""
    setattr(owner, name, change(getattr(owner, name)))


# --- consumers ---------------------------------------------------------------------------------------------------


@mutant
def no_inbox() -> None:
    """The inbox is written and never read. (Collections that serve as one by themselves stay as they are.)"""

    def change(sound: Any) -> Any:
        async def deduplicate(self: Any, events: list[Received[Event]], tx: Transaction) -> list[Received[Event]]:
            elsewhere = [one for one in events if self._consumer.inbox_of(one.type) != INBOX]
            kept = {one.id for one in await sound(self, elsewhere, tx)}
            again = [one for one in events if one.id in kept or self._consumer.inbox_of(one.type) == INBOX]
            notes = [UpdateOne({"_id": one.id}, {"$set": {"at": tx.now}}, upsert=True) for one in again]
            if notes:
                await self._inbox.bulk_write(notes, session=tx.session)
            return again

        return deduplicate

    replace(ConsumerLoop, "_deduplicate", change)


@mutant
def no_fence() -> None:
    """The stored offsets are written and never read."""

    async def read(*_: object) -> dict[object, int]:
        return {}

    replace(OffsetStore, "read", lambda _: read)
    replace(OffsetStore, "_follows", lambda _: lambda *_: False)


def nothing_read_again() -> None:
    """Stored positions behind what Kafka hands out are not noticed: by itself that mends a commit made too early."""

    async def unasked(self: Any, client: Any, records: Records, ahead: object) -> Records:
        return records

    replace(OffsetStore, "reconcile", lambda _: unasked)


@mutant
def acknowledge_first() -> None:
    """A batch's offsets are committed to Kafka before its transaction, and no stored position is asked for them."""

    def change(sound: Any) -> Any:
        async def on_batch(self: Any, batch: Batch) -> None:
            await self._commit(batch.records)
            await sound(self, batch)

        return on_batch

    replace(ConsumerLoop, "_on_batch", change)
    nothing_read_again()


@mutant
def commit_everything() -> None:
    """Partition after partition is applied, after each one every consumed position is committed, and no stored position
    is asked for them."""

    def change(sound: Any) -> Any:
        async def on_batch(self: Any, batch: Batch) -> None:
            parts: dict[tuple[str, int], list[Any]] = defaultdict(list)
            for record in batch.records:
                parts[record.topic, record.partition].append(record)
            for some in parts.values():
                await sound(self, batch.only(some))

        return on_batch

    async def commit(self: Any, _: Records) -> None:
        with contextlib.suppress(KafkaError, TimeoutError):
            await asyncio.wait_for(self._subscription.client.commit(), COMMIT_SECONDS)

    replace(ConsumerLoop, "_on_batch", change)
    replace(ConsumerLoop, "_commit", lambda _: commit)
    nothing_read_again()


@mutant
def effect_apart() -> None:
    """Offsets and inbox are written in a transaction of their own, before that of the effect."""

    async def effect(
        self: Any, records: Records, events: list[Received[Event]], tx: Transaction
    ) -> list[Received[Event]]:
        fresh: list[Received[Event]] = []

        async def note(own: Transaction) -> None:
            ahead = await self._offsets.advance(records, own)
            named = self._settings.topic
            again = [one for one in events if (named(one.topic), one.partition, one.offset) in ahead]
            fresh[:] = await self._deduplicate(again, own)

        await self._runtime.mongo.transact(note)
        if fresh:
            await self._consumer.apply(tx, fresh)
        return fresh

    replace(ConsumerLoop, "_in_transaction", lambda _: effect)


# --- dead letters ------------------------------------------------------------------------------------------------


@mutant
def dead_letters_unconfirmed() -> None:
    """Dead letters are sent without waiting whether Kafka takes them; the offsets go on."""

    def change(sound: Any) -> Any:
        async def quietly(self: Any, poison: Sequence[Poison]) -> None:
            with contextlib.suppress(Exception):
                await sound(self, poison)

        async def add(self: Any, poison: Sequence[Poison]) -> None:
            under_way.append(asyncio.ensure_future(quietly(self, poison)))

        return add

    under_way: list[asyncio.Future[None]] = []
    replace(DeadLetterWriter, "add", change)


@mutant
def dead_letters_swallowed() -> None:
    """What cannot be processed is logged and passed over."""

    async def add(*_: object) -> None:
        return None

    replace(DeadLetterWriter, "add", lambda _: add)


@mutant
def neighbours_dead_lettered() -> None:
    """A batch that fails is dead-lettered as a whole."""

    async def bisect(self: Any, batch: Batch, error: Exception) -> Batch:
        invalid = InvalidEvent("failed", type(error).__name__)
        return cast("Batch", await self._apply(batch.rejecting({event.id: invalid for event in batch.events})))

    replace(ConsumerLoop, "_bisect", lambda _: bisect)


@mutant
def cap_passes_over() -> None:
    """What the cap on dead letters has no room for is passed over: no partition is paused."""

    async def dead_letter(self: Any, batch: Batch) -> Batch:
        await self._dead_letters.add(batch.poison[: self._cap.room()])
        return batch

    replace(ConsumerLoop, "_dead_letter", lambda _: dead_letter)


# --- outbox and relay --------------------------------------------------------------------------------------------


@mutant
def publish_before_commit() -> None:
    """A transaction's events are sent to Kafka by itself, before it commits."""

    def with_producer(original: Any) -> Any:
        def init(self: Any, service: str, settings: Any, *rest: Any) -> None:
            original(self, service, settings, *rest)
            self.producer = Producer(settings)

        return init

    def change(original: Any) -> Any:
        async def attempt(self: Any, work: Any, *rest: Any) -> Any:
            async def eager(tx: Transaction) -> Any:
                result = await work(tx)
                await self.producer.send_all([record_of(row) for row in tx.rows])
                tx.rows.clear()
                return result

            return await original(self, eager, *rest)

        return attempt

    replace(Mongo, "__init__", with_producer)
    replace(Mongo, "_attempt", change)


@mutant
def relay_by_id() -> None:
    """The relay reads the rows whose id is above the last one that it published."""

    async def pending(self: Any) -> list[Document]:
        above = {"_id": {"$gt": self.__dict__.setdefault("last", "")}}
        async with self._mongo.client.start_session(snapshot=True) as session:
            rows: list[Document] = await self._mongo.outbox.find(
                above, session=session, sort=[("_id", 1)], limit=BATCH
            ).to_list()
            return rows

    def change(original: Any) -> Any:
        async def publish(self: Any, rows: list[Document]) -> bool:
            done: bool = await original(self, rows)
            if done:
                self.last = rows[-1]["_id"]
            return done

        return publish

    replace(Relay, "_pending", lambda _: pending)
    replace(Relay, "_publish", change)


@mutant
def any_order() -> None:
    """The relay publishes what waits in any order."""

    def change(original: Any) -> Any:
        async def pending(self: Any) -> list[Document]:
            rows: list[Document] = await original(self)
            random.shuffle(rows)
            return rows

        return pending

    replace(Relay, "_pending", change)


@mutant
def deleted_before_ack() -> None:
    """The relay deletes what it is about to send."""

    def change(original: Any) -> Any:
        async def publish(self: Any, rows: list[Document]) -> bool:
            await self._mongo.outbox.delete_many({"_id": {"$in": [row["_id"] for row in rows]}})
            await original(self, rows)
            return True

        return publish

    replace(Relay, "_publish", change)


@mutant
def large_event_passed_over() -> None:
    """An event that Kafka refuses is set aside alone; later ones of its key go out."""

    def change(sound: Any) -> Any:
        async def block(self: Any, rows: Sequence[Document], error: Exception) -> None:
            await sound(self, rows[:1], error)

        return block

    async def set_aside_blocked(_: Any, rows: list[Document]) -> list[Document]:
        return rows

    replace(StoppedLanes, "_block", change)
    replace(StoppedLanes, "set_aside_blocked", lambda _: set_aside_blocked)


@mutant
def tasks_left_ended() -> None:
    """A background task that ends is not started again."""
    replace(Task, "_begin", lambda sound: lambda self: None if hasattr(self, "_began") else sound(self))


@mutant
def lease_never_checked() -> None:
    """Whoever asks for a lease works as if it had it."""

    def change(original: Any) -> Any:
        async def acquire(self: Any) -> bool:
            await original(self)
            self._trusted_until = time.monotonic() + self.seconds
            return True

        return acquire

    replace(Lease, "acquire", change)


@mutant
def no_fencing() -> None:
    """A lease that was got once is believed in for ever, and no write asks for its epoch."""

    async def fence(*_: object) -> None:
        return None

    replace(Lease, "held", lambda _: property(lambda self: self.epoch > 0))
    replace(Lease, "fence", lambda _: fence)


# --- producers ---------------------------------------------------------------------------------------------------


@mutant
def not_idempotent() -> None:
    """Producers do not number what they send."""

    def change(producer: Any) -> Any:
        def plain(**options: Any) -> Any:
            return producer(**{**options, "enable_idempotence": False})

        return plain

    replace(chassis.kafka.producer, "AIOKafkaProducer", change)


# --- requests ----------------------------------------------------------------------------------------------------


@mutant
def no_spool() -> None:
    """Clicks that Kafka does not take are kept nowhere, and their visitors are sent on."""
    replace(Spool, "append", lambda _: lambda *_: None)


@mutant
def key_ignored() -> None:
    """Nobody looks at the Idempotency-Key."""
    replace(UnitOfWork, "_key", lambda _: lambda _: None)


def main() -> None:
    """Break what the first argument names, then do as `herald` does with the others."""
    name = sys.argv.pop(1)
    if name not in MUTANTS:
        sys.exit(f"there is no mutant {name}; there are {', '.join(MUTANTS)}")
    MUTANTS[name]()
    from herald.cli.app import main as herald
    from tests.fault import second_version  # noqa: F401 - lists the second version, in this process alone

    herald()


# --- mails -------------------------------------------------------------------------------------------------------


@mutant
def mail_noted_first() -> None:
    """A mail is noted as sent before it is handed over."""

    def change(sound: Any) -> Any:
        async def deliver(self: Any, mail: mails.Mail) -> None:
            await self.context.mails.save(mail, mails.sent(mail, self.context.clock.now()))
            await sound(self, mail)

        return deliver

    replace(Sender, "_deliver", change)


@mutant
def mail_never_again() -> None:
    """What a mail server did not take for now is given up."""
    replace(mails, "postponed", lambda _: lambda mail, now, code=None: mails.refused(mail, now, code))


if __name__ == "__main__":
    main()
