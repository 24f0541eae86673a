"""Lessons, paths, and who completed what: the collections `lessons`, `paths` and `completions`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from chassis.mongo import Document, Mongo, Transaction
from chassis.mongo.rows import changes, document, read
from chassis.mongo.search import begin_with
from chassis.text import terms
from services.program.domain.lessons import MAX_LESSONS, MAX_PATHS, Completion, Lesson, Path, State
from services.program.store.shared import delete_row, row_of, save_row

READ_AT_ONCE = 20
"""Lessons; each may hold texts in many languages, written and published."""


class Lessons:
    """What there is to learn in programmes."""

    def __init__(self, mongo: Mongo) -> None:
        self._lessons = mongo.db["lessons"]
        self._paths = mongo.db["paths"]
        self._completions = mongo.db["completions"]

    async def ensure_indexes(self) -> None:
        await self._lessons.create_index(["program_id", "_id"])
        await self._lessons.create_index(
            ["program_id", "starter"], unique=True, partialFilterExpression={"starter": {"$type": "string"}}
        )
        await self._paths.create_index(["program_id", "position", "_id"])
        await self._paths.create_index(
            ["program_id", "starter"], unique=True, partialFilterExpression={"starter": {"$type": "string"}}
        )
        await self._completions.create_index(["program_id", "person_id"])
        await self._completions.create_index(["program_id", "lesson_id"])

    async def get(self, program_id: str, id: str, tx: Transaction | None = None) -> Lesson:
        """Raises NotFound."""
        return read(Lesson, await row_of(self._lessons, "lesson", program_id, id, tx))

    async def page(
        self, program_id: str, query: str | None, state: State | None, after: str | None, limit: int
    ) -> list[Lesson]:
        """Lessons in the order in which they were made."""
        where = _where(program_id, query, state)
        if after is not None:
            where["_id"] = {"$gt": after}
        cursor = self._lessons.find(where, sort=[("_id", 1)], limit=limit, batch_size=READ_AT_ONCE)
        return [read(Lesson, row) async for row in cursor]

    async def count(self, program_id: str, query: str | None = None, state: State | None = None) -> int:
        return await self._lessons.count_documents(_where(program_id, query, state))

    async def readable(self, program_id: str) -> list[Lesson]:
        """The published lessons, without their drafts."""
        where = {"program_id": program_id, "state": "published"}
        cursor = self._lessons.find(where, {"draft": 0}, sort=[("_id", 1)], limit=MAX_LESSONS, batch_size=READ_AT_ONCE)
        return [read(Lesson, row, draft=None) async for row in cursor]

    async def readable_ids(self, program_id: str, tx: Transaction) -> set[str]:
        """The ids of the published lessons."""
        where = {"program_id": program_id, "state": "published"}
        return {row["_id"] async for row in self._lessons.find(where, {"_id": 1}, session=tx.session)}

    async def usable(self, program_id: str, tx: Transaction) -> set[str]:
        """The ids of those that are not retired."""
        where = {"program_id": program_id, "state": {"$ne": "retired"}}
        return {row["_id"] async for row in self._lessons.find(where, {"_id": 1}, session=tx.session)}

    async def starters(self, program_id: str, tx: Transaction | None) -> dict[str, str]:
        """Ids of the lessons that Herald brought, by their names."""
        where = {"program_id": program_id, "starter": {"$type": "string"}}
        cursor = self._lessons.find(where, {"starter": 1}, session=tx.session if tx else None)
        return {row["starter"]: row["_id"] async for row in cursor}

    async def insert(self, lesson: Lesson, tx: Transaction) -> None:
        await self._lessons.insert_one({**document(lesson), "terms": _terms(lesson)}, session=tx.session)

    async def save(self, before: Lesson, after: Lesson, tx: Transaction) -> None:
        """Raises StaleVersion if the lesson has changed meanwhile."""
        fields = {**changes(after), "terms": _terms(after)}
        await save_row(self._lessons, {"_id": before.id}, before.version, fields, tx)

    async def some(self, program_id: str, ids: Iterable[str], tx: Transaction | None) -> list[Lesson]:
        """Those of the ids that are there, in the order in which they were made."""
        where = {"program_id": program_id, "_id": {"$in": list(ids)}}
        found = self._lessons.find(
            where, sort=[("_id", 1)], batch_size=READ_AT_ONCE, session=tx.session if tx else None
        )
        return [read(Lesson, row) async for row in found]

    async def delete(self, lesson: Lesson, tx: Transaction) -> None:
        """Raises StaleVersion if the lesson has changed meanwhile."""
        await delete_row(self._lessons, lesson.id, lesson.version, tx)

    # --- paths -----------------------------------------------------------------------------------------------

    async def path(self, program_id: str, id: str, tx: Transaction | None = None) -> Path:
        """Raises NotFound."""
        return read(Path, await row_of(self._paths, "path", program_id, id, tx))

    async def paths(self, program_id: str, tx: Transaction | None = None) -> list[Path]:
        """In their order."""
        cursor = self._paths.find(
            {"program_id": program_id},
            sort=[("position", 1), ("_id", 1)],
            limit=MAX_PATHS,
            session=tx.session if tx else None,
        )
        return [read(Path, row) async for row in cursor]

    async def insert_path(self, path: Path, tx: Transaction) -> None:
        await self._paths.insert_one(document(path), session=tx.session)

    async def save_path(self, before: Path, after: Path, tx: Transaction) -> None:
        """Raises StaleVersion if the path has changed meanwhile."""
        await save_row(self._paths, {"_id": before.id}, before.version, changes(after), tx)

    async def delete_path(self, path: Path, tx: Transaction) -> None:
        await self._paths.delete_one({"_id": path.id}, session=tx.session)

    # --- who completed what ----------------------------------------------------------------------------------

    async def completion(self, id: str, tx: Transaction) -> Completion | None:
        row = await self._completions.find_one({"_id": id}, session=tx.session)
        return read(Completion, row) if row else None

    async def add_completion(self, completion: Completion, tx: Transaction) -> None:
        await self._completions.insert_one(document(completion), session=tx.session)

    async def completed_by(
        self, program_id: str, person_id: str, tx: Transaction | None = None
    ) -> dict[str, Completion]:
        """What a person completed, by lesson."""
        where = {"program_id": program_id, "person_id": person_id}
        cursor = self._completions.find(where, session=tx.session if tx else None)
        return {row["lesson_id"]: read(Completion, row) async for row in cursor}

    async def completed_among(self, lesson_id: str, person_ids: Iterable[str], tx: Transaction) -> set[str]:
        """Which of the people completed a lesson."""
        where = {"lesson_id": lesson_id, "person_id": {"$in": list(person_ids)}}
        rows = self._completions.find(where, {"person_id": 1}, session=tx.session)
        return {row["person_id"] async for row in rows}

    async def required_for(self, program_id: str, right: str, tx: Transaction) -> list[str]:
        """The ids of the lessons that can be read and that a right requires."""
        where = {"program_id": program_id, "state": "published", "published.required_for": right}
        return [
            row["_id"] async for row in self._lessons.find(where, {"_id": 1}, sort=[("_id", 1)], session=tx.session)
        ]

    async def required(self, published_before: datetime) -> list[Lesson]:
        """The lessons that everybody needs before they share and that could be read since then, of all programmes."""
        where = {"state": "published", "published.required_for": "share"}
        rows = self._lessons.find({**where, "published_at": {"$lte": published_before}}, sort=[("_id", 1)])
        return [read(Lesson, row) async for row in rows]

    async def completions(
        self, program_id: str, lesson_ids: Iterable[str], tx: Transaction | None = None
    ) -> Mapping[str, int]:
        """How many people completed each of the lessons."""
        pipeline: list[Document] = [
            {"$match": {"program_id": program_id, "lesson_id": {"$in": list(lesson_ids)}}},
            {"$group": {"_id": "$lesson_id", "people": {"$sum": 1}}},
        ]
        rows = await self._completions.aggregate(pipeline, session=tx.session if tx else None)
        return {row["_id"]: int(row["people"]) async for row in rows}


def _where(program_id: str, query: str | None, state: State | None) -> dict[str, Any]:
    where: dict[str, Any] = {"program_id": program_id}
    if state is not None:
        where["state"] = state
    if query:
        where["$and"] = begin_with(query)
    return where


def _terms(lesson: Lesson) -> list[str]:
    return list(terms(*(text.title for text in lesson.latest.texts.values())))
