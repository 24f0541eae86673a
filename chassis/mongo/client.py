"""The service's database, and the transaction in which state, events and deduplication are written together."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import pymongo
from bson.codec_options import CodecOptions
from bson.timestamp import Timestamp
from opentelemetry import trace
from opentelemetry.instrumentation.pymongo import CommandTracer
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
)
from pymongo.monitoring import CommandFailedEvent, CommandStartedEvent
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from chassis.clock import Clock
from chassis.failpoints import failpoint
from chassis.ids import new_id
from chassis.telemetry.otel import inject
from chassis.web.problems import Overloaded
from herald_contracts import Event, encode

if TYPE_CHECKING:
    from chassis.settings import Settings
    from chassis.telemetry.otel import Telemetry

Document = dict[str, Any]
T = TypeVar("T")
TRANSACTION_SECONDS = 10.0
PAUSE_SECONDS = 0.5
"""Longest pause between two attempts of a transaction. With a shorter one, many writers of one document
keep colliding (a hundred on a slow machine did, for 10 s)."""
OUTBOX = "outbox"
PING_SECONDS = 3.0
WRITTEN_AT_ONCE = 500
DUPLICATE_KEY = 11000
AWAY = frozenset((6, 7, 64, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436))
"""Error codes of a server that ends, starts or steps down, or cannot reach its peers. Source: the drivers'
specification of retryable reads, and 64, a write concern that was not met in time."""


class Caused(Protocol):
    """What an emitted event follows from: it continues that trace."""

    @property
    def traceparent(self) -> str | None: ...

    @property
    def tracestate(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person's id, or `client:<id>` of a machine. `session` is the SHA-256 (hex) of their sign-in."""

    id: str
    session: str | None = None


class Transaction:
    """One MongoDB transaction. Everything read or written with `session` holds together, or not at all.

    `actor` is None where the system acts by itself. `audited` says that the audit trail has what was done
    (`chassis.audit`).
    """

    __slots__ = ("_outcome", "_rows", "actor", "audited", "now", "service", "session")

    def __init__(
        self,
        session: AsyncClientSession,
        now: datetime,
        outcome: list[Callable[[], None]] | None = None,
        *,
        service: str = "",
    ) -> None:
        self.session = session
        self.now = now
        self.service = service
        self.actor: Actor | None = None
        self.audited = False
        self._rows: list[Document] = []
        self._outcome = [] if outcome is None else outcome

    def on_outcome(self, call: Callable[[], None]) -> None:
        """Have it called once, after the commit or when the work ends by an error of its own.

        For what is no part of the transaction, such as a counter: an attempt that is tried again does not call it.
        """
        self._outcome.append(call)

    def emit(self, event: Event, *versions: Event, cause: Caused | None = None, id: str | None = None) -> str:
        """Queue an event for Kafka in this transaction; returns its `ce_id`: a new one, or `id` where the fact names
        it (found again after a rebuild, it is the same event).

        `versions` are the same fact in other versions of its type. They go out behind it under the same id, so that
        who takes several applies it once (ADR 0009). The event continues the trace of `cause`, or else of the current
        span. Raises ValueError for a version of another fact, or with another key.
        """
        traceparent, tracestate = (cause.traceparent, cause.tracestate) if cause else inject()
        id = id or new_id()
        for number, one in enumerate((event, *versions)):
            if (fact := one.type.rpartition(".")[0]) != event.type.rpartition(".")[0]:
                raise ValueError(f"{fact} is no version of {event.type}")
            if (one.own_topic, one.partition_key) != (event.own_topic, event.partition_key):
                raise ValueError(f"{one.type} goes elsewhere than {event.type}")
            record = encode(one, id=id, time=self.now, traceparent=traceparent, tracestate=tracestate)
            self._rows.append(
                {
                    "_id": f"{id}/{number}" if number else id,
                    # The server fills in an empty timestamp: cluster time, which follows the order of commits of
                    # one aggregate whatever the clocks of the hosts say.
                    "seq": Timestamp(0, 0),
                    "topic": record.topic,
                    "key": record.key,
                    "value": record.value,
                    "headers": dict(record.headers),
                    "at": self.now,
                }
            )
        return id

    @property
    def rows(self) -> list[Document]:
        return self._rows


class _Commands(CommandTracer):
    """Spans of commands that belong to a recorded trace: what is polled all the time would be traces of one span."""

    def started(self, event: CommandStartedEvent) -> None:
        if trace.get_current_span().is_recording():
            super().started(event)


def _failed(span: trace.Span, event: CommandFailedEvent) -> None:
    span.set_attribute("error.type", str(event.failure.get("codeName", "failed")))


class Mongo:
    """A service's MongoDB: its database, and `transact`."""

    def __init__(self, service: str, settings: Settings, clock: Clock, telemetry: Telemetry) -> None:
        self._service = service
        self._clock = clock
        self._wake: list[Callable[[], None]] = []
        self.client: AsyncMongoClient[Document] = AsyncMongoClient(
            settings.mongo_url,
            tz_aware=True,
            tzinfo=UTC,
            connect=False,
            serverSelectionTimeoutMS=3_000,
            connectTimeoutMS=3_000,
            socketTimeoutMS=20_000,
            timeoutMS=None,
            maxPoolSize=50,
            waitQueueTimeoutMS=2_000,
            retryWrites=True,
            appname=f"herald-{service}",
            event_listeners=[_Commands(telemetry.tracer, failed_hook=_failed)],
            **settings.mongo_options(),
        )
        self.db: AsyncDatabase[Document] = self.client.get_database(
            settings.database(service),
            codec_options=CodecOptions(tz_aware=True, tzinfo=UTC),
            write_concern=WriteConcern("majority", wtimeout=10_000),
            read_concern=ReadConcern("majority"),
        )
        self.outbox = self.db[OUTBOX]

    def on_commit(self, wake: Callable[[], None]) -> None:
        """Have `wake` called after each commit of this process that left something in the outbox."""
        self._wake.append(wake)

    async def transact(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run `work` in a transaction and commit it; retried as a whole while it collides with others.

        `work` must have no effect outside its transaction. Raises what `work` raises, after undoing
        everything; raises Overloaded if it still collides after 10 s; PyMongoError when MongoDB is away.
        """
        deadline = time.monotonic() + TRANSACTION_SECONDS
        attempt = 0
        while True:
            attempt += 1
            outcome: list[Callable[[], None]] = []
            try:
                result = await self._attempt(work, deadline, outcome)
            except PyMongoError as error:
                if not collides(error):
                    raise
                if time.monotonic() > deadline:
                    raise Overloaded("Too many changes of the same thing at once.") from error
            except Exception:
                _call(outcome)
                raise
            else:
                _call(outcome)
                return result
            await asyncio.sleep(random.uniform(0, min(PAUSE_SECONDS, 0.002 * 2**attempt)))  # noqa: S311

    async def _attempt(
        self, work: Callable[[Transaction], Awaitable[T]], deadline: float, outcome: list[Callable[[], None]]
    ) -> T:
        async with self.client.start_session() as session:
            await session.start_transaction(
                read_concern=ReadConcern("snapshot"),
                write_concern=WriteConcern("majority", wtimeout=10_000),
                read_preference=ReadPreference.PRIMARY,
            )
            try:
                tx = Transaction(session, self._clock.now(), outcome, service=self._service)
                result = await work(tx)
                if len(tx.rows) == 1:  # at a fifth less than a bulk of one
                    await self.outbox.insert_one(tx.rows[0], session=session)
                else:
                    for some in pieces(tx.rows):
                        await self.outbox.insert_many(some, session=session, ordered=True)
            except BaseException:
                if session.in_transaction:
                    await _abort(session)
                raise
            failpoint("transaction.before-commit")
            await _commit(session, deadline)
            failpoint("transaction.after-commit")
        if tx.rows:
            for wake in self._wake:
                wake()
        return result

    async def ping(self) -> None:
        """Raises PyMongoError when the primary cannot be reached within 3 s."""
        with pymongo.timeout(PING_SECONDS):
            await self.client.admin.command("ping")

    async def close(self) -> None:
        await self.client.close()


def _call(outcome: Iterable[Callable[[], None]]) -> None:
    for call in outcome:
        call()


def pieces(rows: Sequence[T], size: int = WRITTEN_AT_ONCE) -> Iterator[Sequence[T]]:
    """The rows in their order, some at a time: what one command sends is encoded in one step of the event loop."""
    return (rows[start : start + size] for start in range(0, len(rows), size))


async def _commit(session: AsyncClientSession, deadline: float) -> None:
    while True:
        try:
            await session.commit_transaction()
        except PyMongoError as error:
            if not error.has_error_label("UnknownTransactionCommitResult") or time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.05)
        else:
            return


async def _abort(session: AsyncClientSession) -> None:
    try:
        await session.abort_transaction()
    except PyMongoError:
        return


def collides(error: PyMongoError) -> bool:
    """Whether the whole transaction may simply be tried again."""
    return error.has_error_label("TransientTransactionError") and not isinstance(error, ConnectionFailure)


def duplicate(error: BulkWriteError | DuplicateKeyError) -> bool:
    """Whether all that is wrong is that a unique key is there already."""
    if isinstance(error, DuplicateKeyError):
        return True
    found = (error.details or {}).get("writeErrors", ())
    return bool(found) and all(one.get("code") == DUPLICATE_KEY for one in found)


def unreachable(error: BaseException) -> bool:
    """Whether MongoDB could not be reached or did not answer in time: trying again later may succeed."""
    if not isinstance(error, PyMongoError) or isinstance(error, DuplicateKeyError):
        return False
    if isinstance(error, BulkWriteError):
        said = error.details or {}
        codes = {one.get("code") for kind in ("writeErrors", "writeConcernErrors") for one in said.get(kind, ())}
        return bool(codes) and codes <= AWAY
    return (
        isinstance(error, ConnectionFailure | ExecutionTimeout)
        or (isinstance(error, OperationFailure) and error.code in AWAY)
        or error.timeout
        or error.has_error_label("TransientTransactionError")
        or error.has_error_label("UnknownTransactionCommitResult")
        or error.has_error_label("RetryableWriteError")
    )
