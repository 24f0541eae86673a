"""Events, and who has what to do with them: the collections `company_events` and `attendances`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from chassis.ids import derived_id
from chassis.mongo import Document, Mongo, Transaction
from chassis.mongo.rows import changes, document, read
from chassis.web.problems import NotFound, StaleVersion
from services.program.domain.company_events import Attendance, CompanyEvent
from services.program.store.shared import row_of, save_row


class CompanyEvents:
    """Events of programmes."""

    def __init__(self, mongo: Mongo) -> None:
        self._events = mongo.db["company_events"]
        self._attendances = mongo.db["attendances"]

    async def ensure_indexes(self) -> None:
        await self._events.create_indexes(
            [
                IndexModel([("program_id", 1), ("ends_at", 1), ("_id", 1)]),
                IndexModel([("program_id", 1), ("_id", -1)]),
                IndexModel("code", unique=True),
            ]
        )
        await self._attendances.create_indexes([IndexModel([("event_id", 1), ("_id", 1)]), IndexModel("person_id")])

    async def get(self, program_id: str, id: str, tx: Transaction | None = None) -> CompanyEvent:
        """Raises NotFound."""
        return read(CompanyEvent, await row_of(self._events, "event", program_id, id, tx))

    async def by_code(self, code: str, tx: Transaction | None = None) -> CompanyEvent:
        """Raises NotFound."""
        row = await self._events.find_one({"code": code}, session=tx.session if tx else None)
        if row is None:
            raise NotFound("event", code)
        return read(CompanyEvent, row)

    async def upcoming(self, program_id: str, now: datetime, limit: int) -> list[CompanyEvent]:
        """Those that are planned and not over, the next one first."""
        where = {"program_id": program_id, "state": "planned", "ends_at": {"$gt": now}}
        rows = await self._events.find(where, sort=[("ends_at", 1), ("_id", 1)], limit=limit).to_list()
        return [read(CompanyEvent, row) for row in rows]

    async def page(self, program_id: str, after: str | None, limit: int) -> list[CompanyEvent]:
        """All of them, the newest first."""
        where: Document = {"program_id": program_id}
        if after is not None:
            where["_id"] = {"$lt": after}
        rows = await self._events.find(where, sort=[("_id", -1)], limit=limit).to_list()
        return [read(CompanyEvent, row) for row in rows]

    async def count_upcoming(self, program_id: str, now: datetime, tx: Transaction) -> int:
        where = {"program_id": program_id, "ends_at": {"$gt": now}}
        return await self._events.count_documents(where, session=tx.session)

    async def insert(self, event: CompanyEvent, tx: Transaction) -> None:
        await self._events.insert_one(document(event), session=tx.session)

    async def save(self, before: CompanyEvent, after: CompanyEvent, tx: Transaction) -> None:
        """Raises StaleVersion if it has changed meanwhile."""
        await save_row(self._events, {"_id": before.id}, before.version, changes(after), tx)

    # --- who has what to do with them ------------------------------------------------------------------------------

    async def attendance(self, event: CompanyEvent, person_id: str, tx: Transaction) -> Attendance:
        """A person's; version 0 where nothing is known of it."""
        id = derived_id(event.id, person_id)
        row = await self._attendances.find_one({"_id": id}, session=tx.session)
        return read(Attendance, row) if row else Attendance(id, event.program_id, event.id, person_id, version=0)

    async def save_attendance(self, before: Attendance, after: Attendance, tx: Transaction) -> None:
        """Raises StaleVersion if it has changed meanwhile."""
        if before.version:
            await save_row(self._attendances, {"_id": before.id}, before.version, changes(after), tx)
            return
        try:
            await self._attendances.insert_one(document(after), session=tx.session)
        except DuplicateKeyError:
            raise StaleVersion from None

    async def forget_replies(self, program_id: str, person_id: str, tx: Transaction) -> None:
        """Delete what a person answered to invitations of a programme, but for events that they were at."""
        where = {"person_id": person_id, "program_id": program_id, "checked_in_at": None}
        await self._attendances.delete_many(where, session=tx.session)

    async def own(self, person_id: str, events: Sequence[str]) -> Mapping[str, Attendance]:
        """A person's, by event."""
        ids = [derived_id(one, person_id) for one in events]
        rows = self._attendances.find({"_id": {"$in": ids}})
        return {row["event_id"]: read(Attendance, row) async for row in rows}

    async def attendances(self, event_id: str, after: str | None, limit: int) -> list[Attendance]:
        """Of all who said that they come or were there."""
        where: dict[str, Any] = {"event_id": event_id, **_THERE}
        if after is not None:
            where["_id"] = {"$gt": after}
        rows = await self._attendances.find(where, sort=[("_id", 1)], limit=limit).to_list()
        return [read(Attendance, row) for row in rows]

    async def counts(self, events: Sequence[str], tx: Transaction | None = None) -> Mapping[str, tuple[int, int]]:
        """How many said that they come, and how many were there, by event."""
        there = {"$cond": [{"$ifNull": ["$checked_in_at", False]}, 1, 0]}
        stages: list[Document] = [
            {"$match": {"event_id": {"$in": list(events)}}},
            {
                "$group": {
                    "_id": "$event_id",
                    "coming": {"$sum": {"$cond": ["$coming", 1, 0]}},
                    "there": {"$sum": there},
                }
            },
        ]
        cursor = await self._attendances.aggregate(stages, session=tx.session if tx else None)
        return {row["_id"]: (row["coming"], row["there"]) async for row in cursor}


_THERE: Document = {"$or": [{"coming": True}, {"checked_in_at": {"$ne": None}}]}
