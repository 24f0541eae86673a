"""What ambassadors ask and say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chassis.mongo import Mongo, Transaction
from chassis.mongo.rows import changes, document, read
from chassis.mongo.search import begin_with
from chassis.text import terms
from services.program.domain.feedback import Feedback, FeedbackKind, FeedbackState
from services.program.store.shared import row_of, save_row

NEWEST_FIRST = [("_id", -1)]


class FeedbackStore:
    """The collection `feedback`."""

    def __init__(self, mongo: Mongo) -> None:
        self._feedback = mongo.db["feedback"]

    async def ensure_indexes(self) -> None:
        await self._feedback.create_index([("program_id", 1), *NEWEST_FIRST])
        await self._feedback.create_index([("program_id", 1), ("person_id", 1), *NEWEST_FIRST])
        await self._feedback.create_index([("program_id", 1), ("published_at", -1), ("_id", -1)])

    async def get(self, program_id: str, id: str, tx: Transaction | None = None) -> Feedback:
        """Raises NotFound."""
        return read(Feedback, await row_of(self._feedback, "feedback", program_id, id, tx))

    async def insert(self, feedback: Feedback, tx: Transaction) -> None:
        await self._feedback.insert_one({**document(feedback), "terms": _terms(feedback)}, session=tx.session)

    async def save(self, before: Feedback, after: Feedback, tx: Transaction) -> None:
        """Raises StaleVersion if it has changed meanwhile."""
        fields = {**changes(after), "terms": _terms(after)}
        await save_row(self._feedback, {"_id": before.id}, before.version, fields, tx)

    async def delete(self, feedback: Feedback, tx: Transaction) -> None:
        await self._feedback.delete_one({"_id": feedback.id}, session=tx.session)

    async def count_waiting(self, program_id: str, person_id: str, tx: Transaction) -> int:
        where = {"program_id": program_id, "person_id": person_id, "answered_at": None}
        return await self._feedback.count_documents(where, session=tx.session)

    async def page(
        self,
        program_id: str,
        kind: FeedbackKind | None,
        state: FeedbackState | None,
        query: str | None,
        after: str | None,
        limit: int,
    ) -> list[Feedback]:
        """The newest first, after an id."""
        where = _where(program_id, kind, state, query)
        if after is not None:
            where["_id"] = {"$lt": after}
        rows = await self._feedback.find(where, sort=NEWEST_FIRST, limit=limit).to_list()
        return [read(Feedback, row) for row in rows]

    async def count(
        self, program_id: str, kind: FeedbackKind | None, state: FeedbackState | None, query: str | None
    ) -> int:
        return await self._feedback.count_documents(_where(program_id, kind, state, query))

    async def of_person(self, program_id: str, person_id: str, limit: int) -> list[Feedback]:
        """What a person wrote, the newest first."""
        where = {"program_id": program_id, "person_id": person_id}
        rows = await self._feedback.find(where, sort=NEWEST_FIRST, limit=limit).to_list()
        return [read(Feedback, row) for row in rows]

    async def set_seen(self, program_id: str, person_id: str, now: datetime, tx: Transaction) -> None:
        """A person has seen all that they were answered."""
        where = {"program_id": program_id, "person_id": person_id, "answered_at": {"$ne": None}}
        await self._feedback.update_many(where, {"$set": {"seen_at": now}}, session=tx.session)

    async def published(
        self,
        program_id: str,
        kind: FeedbackKind,
        *,
        done: bool | None,
        since: datetime | None,
        after: tuple[datetime, str] | None,
        limit: int,
    ) -> list[Feedback]:
        """What is in public, the last published first, after a position."""
        clauses: list[Mapping[str, Any]] = [
            {
                "program_id": program_id,
                "kind": kind,
                "published_at": {"$ne": None} if since is None else {"$gte": since},
            }
        ]
        if done is not None:
            clauses.append({"done": done})
        if after is not None:
            at, id = after
            clauses.append({"$or": [{"published_at": {"$lt": at}}, {"published_at": at, "_id": {"$lt": id}}]})
        sort = [("published_at", -1), ("_id", -1)]
        return [
            read(Feedback, row)
            for row in await self._feedback.find({"$and": clauses}, sort=sort, limit=limit).to_list()
        ]


def _where(
    program_id: str, kind: FeedbackKind | None, state: FeedbackState | None, query: str | None
) -> dict[str, Any]:
    where: dict[str, Any] = {"program_id": program_id}
    if kind is not None:
        where["kind"] = kind
    if state is not None:
        where["answered_at"] = None if state == "waiting" else {"$ne": None}
    if query:
        where["$and"] = begin_with(query)
    return where


def _terms(feedback: Feedback) -> list[str]:
    return list(terms(feedback.text, *(one.said for one in feedback.public.values())))
