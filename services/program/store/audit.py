"""The audit trail of all services. There is nothing here that changes or deletes a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pymongo import DESCENDING, IndexModel

from chassis.mongo import Mongo, Transaction
from chassis.mongo.rows import read
from chassis.mongo.search import MAX_COUNTED
from herald_contracts import AdministrativeActRecorded
from services.program.domain.audit import Act, ActFilter

ACTS = "audit_trail"
_BY = ("service", "act", "actor_id", "object_type", "object_id", "program_id", "session")
_NEWEST_FIRST = [("occurred_at", DESCENDING), ("_id", DESCENDING)]


class AuditTrail:
    """The collection `audit_trail`: an act a document, under the id of its event."""

    def __init__(self, mongo: Mongo) -> None:
        self._acts = mongo.db[ACTS]

    async def ensure_indexes(self) -> None:
        by = [IndexModel([(name, 1), *_NEWEST_FIRST]) for name in _BY]
        await self._acts.create_indexes([IndexModel(_NEWEST_FIRST), *by])

    async def add(self, acts: Sequence[tuple[str, AdministrativeActRecorded]], tx: Transaction) -> None:
        await self._acts.insert_many([{"_id": id, **act.model_dump()} for id, act in acts], session=tx.session)

    async def page(self, wanted: ActFilter, before: Sequence[Any] | None, limit: int) -> list[Act]:
        """Acts, newest first, from a position on, which is the time and id of the last one seen."""
        where = _where(wanted)
        if before is not None:
            at, id = before
            where["$or"] = [{"occurred_at": {"$lt": at}}, {"occurred_at": at, "_id": {"$lt": id}}]
        rows = await self._acts.find(where, sort=_NEWEST_FIRST, limit=limit).to_list()
        return [read(Act, row) for row in rows]

    async def count(self, wanted: ActFilter) -> int:
        """How many acts there are, 10,000 at most: each of the filters has an index."""
        return await self._acts.count_documents(_where(wanted), limit=MAX_COUNTED)


def _where(wanted: ActFilter) -> dict[str, Any]:
    where: dict[str, Any] = {name: value for name in _BY if (value := getattr(wanted, name)) is not None}
    times = {"$gte": wanted.since, "$lt": wanted.until}
    if given := {operator: at for operator, at in times.items() if at is not None}:
        where["occurred_at"] = given
    return where
