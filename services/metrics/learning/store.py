"""Who completed which lesson: the collection `lessons_completed`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from pymongo import IndexModel

from chassis.mongo import Document, Mongo, Transaction, pieces
from services.metrics.store.shared import AT_ONCE, Session


class LessonsCompleted:
    """A row for each person and lesson; `first_day` says that the person had all of the first-day path then."""

    def __init__(self, mongo: Mongo) -> None:
        self._rows = mongo.db["lessons_completed"]

    async def ensure_indexes(self) -> None:
        await self._rows.create_indexes(
            [
                IndexModel([("program_id", 1), ("at", 1)]),
                IndexModel([("program_id", 1), ("person_id", 1)], partialFilterExpression={"first_day": True}),
            ]
        )

    async def add(self, rows: Sequence[Document], tx: Transaction) -> list[Document]:
        """Those of the rows that were not there, which are now."""
        new = {row["_id"]: row for row in rows}
        for some in pieces(list(new), AT_ONCE):
            cursor = self._rows.find({"_id": {"$in": some}}, {"_id": 1}, session=tx.session)
            async for row in cursor:
                del new[row["_id"]]
        for part in pieces(list(new.values())):
            await self._rows.insert_many(part, session=tx.session, ordered=False)
        return list(new.values())

    async def count(
        self,
        program_id: str,
        start: datetime,
        end: datetime,
        *,
        people: set[str] | None = None,
        session: Session = None,
    ) -> int:
        """How many lessons were completed in [start, end), by all or by `people`."""
        where: Document = {"program_id": program_id, "at": {"$gte": start, "$lt": end}}
        if people is None:
            return await self._rows.count_documents(where, session=session)
        cursor = self._rows.find(where, {"person_id": 1}, batch_size=AT_ONCE, session=session)
        return sum([row["person_id"] in people async for row in cursor])

    async def by_day(self, program_id: str, start: datetime, end: datetime, time_zone: str) -> Mapping[str, int]:
        """How many were completed on each day, in the time zone."""
        day = {"$dateToString": {"date": "$at", "format": "%Y-%m-%d", "timezone": time_zone}}
        stages: list[Document] = [
            {"$match": {"program_id": program_id, "at": {"$gte": start, "$lt": end}}},
            {"$group": {"_id": day, "lessons": {"$sum": 1}}},
        ]
        cursor = await self._rows.aggregate(stages, batchSize=AT_ONCE)
        return {row["_id"]: int(row["lessons"]) async for row in cursor}

    async def finished(
        self, program_id: str, end: datetime, *, people: Iterable[str] | None = None, session: Session = None
    ) -> set[str]:
        """Who had completed the first-day path before `end`, out of `people` (None: of all)."""
        where: Document = {"program_id": program_id, "first_day": True, "at": {"$lt": end}}
        chosen = [where]
        if people is not None:
            chosen = [{**where, "person_id": {"$in": some}} for some in pieces(list(people), AT_ONCE)]
        found: set[str] = set()
        for one in chosen:
            cursor = self._rows.find(one, {"_id": 0, "person_id": 1}, batch_size=AT_ONCE, session=session)
            async for row in cursor:
                found.add(row["person_id"])
        return found
