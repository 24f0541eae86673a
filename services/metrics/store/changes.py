"""By what the figures of programmes moved, for those who follow them live."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Literal, NamedTuple

from pymongo import UpdateOne

from chassis.mongo import Mongo, Transaction
from chassis.principals import PRINCIPALS
from services.metrics.domain.changes import FigureChange
from services.metrics.store.shared import Session

CHANGES_AT_ONCE = 10
"""Each may tell of a thousand events."""
CHANGES_KEPT_SECONDS = 3_600
WATCH_MS = 1_000


class FiguresVersion(NamedTuple):
    """How often the figures of a programme moved, and the trace in which they did last."""

    number: int = 0
    traceparent: str | None = None


Kind = Literal["figures", "person"]


class Moved(NamedTuple):
    """That the figures of a programme moved, or that something of a person changed; `id` is theirs."""

    kind: Kind
    id: str


class FigureChanges:
    """`figure_versions` says how often the figures of a programme moved, and `figure_changes` by what: one document a
    transaction, numbered without gaps in the order of commits, kept for an hour."""

    def __init__(self, mongo: Mongo) -> None:
        self._versions = mongo.db["figure_versions"]
        self._changes = mongo.db["figure_changes"]

    async def ensure_indexes(self) -> None:
        await self._changes.create_index("at", expireAfterSeconds=CHANGES_KEPT_SECONDS)

    async def record(self, changes: Mapping[str, FigureChange], tx: Transaction) -> None:
        """Number what moves the figures of these programmes, and keep it for those who follow them."""
        if not changes:
            return
        bumps = [
            UpdateOne(
                {"_id": program_id},
                {"$inc": {"version": 1}, "$set": {"traceparent": change.traceparent, "at": tx.now}},
                upsert=True,
            )
            for program_id, change in changes.items()
        ]
        await self._versions.bulk_write(bumps, session=tx.session, ordered=False)
        cursor = self._versions.find({"_id": {"$in": list(changes)}}, {"version": 1}, session=tx.session)
        numbers = {row["_id"]: row["version"] async for row in cursor}
        rows = [
            {
                "_id": _change_id(program_id, numbers[program_id]),
                "version": numbers[program_id],
                "at": tx.now,
                **change.to_row(),
            }
            for program_id, change in changes.items()
        ]
        await self._changes.insert_many(rows, session=tx.session, ordered=False)

    async def version_of(self, program_id: str, session: Session = None) -> FiguresVersion:
        row = await self._versions.find_one({"_id": program_id}, session=session)
        return FiguresVersion(row["version"], row["traceparent"]) if row else FiguresVersion()

    async def between(
        self, program_id: str, after: int, until: int
    ) -> AsyncGenerator[list[tuple[int, FigureChange]], None]:
        """The changes of versions in (after, until], in order and some at a time; those that are no longer kept are
        missing."""
        wanted = {"$gt": _change_id(program_id, after), "$lte": _change_id(program_id, until)}
        cursor = self._changes.find({"_id": wanted}, sort=[("_id", 1)], batch_size=CHANGES_AT_ONCE)
        some: list[tuple[int, FigureChange]] = []
        async for row in cursor:
            some.append((row["version"], FigureChange.from_row(row)))
            if len(some) == CHANGES_AT_ONCE:
                yield some
                some = []
        if some:
            yield some

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[AsyncIterator[Moved | None]]:
        """The programme whose figures moved or the person of whom something changed, as they do; None at least every
        second. Raises PyMongoError."""
        watched = {"$match": {"ns.coll": {"$in": [self._versions.name, PRINCIPALS]}}}
        async with await self._versions.database.watch([watched], max_await_time_ms=WATCH_MS) as stream:

            async def moved() -> AsyncIterator[Moved | None]:
                while True:
                    change = await stream.try_next()
                    if change is None or "documentKey" not in change:
                        yield None
                    else:
                        kind: Kind = "person" if change["ns"]["coll"] == PRINCIPALS else "figures"
                        yield Moved(kind, change["documentKey"]["_id"])

            yield moved()


def _change_id(program_id: str, version: int) -> str:
    return f"{program_id}|{version:012}"
