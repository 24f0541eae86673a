"""Imports between preview and confirmation: one document each, and its valid rows in chunks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from pymongo import IndexModel, ReturnDocument

from chassis.mongo import Document, Mongo, Transaction
from chassis.mongo.rows import document, read
from chassis.web.problems import NotFound
from services.program.domain.imports import LineViolation, Plan, Row

CHUNK_ROWS = 500
MAX_ERRORS = 1000
PREVIEW_KEPT = timedelta(days=1)
ROWS_KEPT = timedelta(days=8)
RESULT_KEPT = timedelta(days=30)

State = Literal["previewed", "importing", "done", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """An import. `new`, `changed` and `unchanged` are the preview's; `created`, `updated`, `kept` and `failed`
    count what confirming it came to so far, `done` their sum."""

    id: str
    state: State = "previewed"
    total: int = 0
    valid: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    errors_total: int = 0
    errors: Sequence[LineViolation] = ()
    sample: Sequence[Row] = ()
    chunks: int = 0
    next_chunk: int = 0
    created: int = 0
    updated: int = 0
    kept: int = 0
    failed: int = 0
    created_by: str
    created_at: datetime
    confirmed_at: datetime | None = None
    finished_at: datetime | None = None
    touched_at: datetime

    @property
    def done(self) -> int:
        return self.created + self.updated + self.kept + self.failed


class Imports:
    """The collections `imports` and `import_rows`; what is not confirmed goes away by itself after a day."""

    def __init__(self, mongo: Mongo) -> None:
        self._imports = mongo.db["imports"]
        self._rows = mongo.db["import_rows"]

    async def ensure_indexes(self) -> None:
        expires = IndexModel("expires_at", expireAfterSeconds=0)
        await self._imports.create_indexes([expires, IndexModel(["state", "touched_at"])])
        await self._rows.create_indexes([expires, IndexModel("import_id")])

    async def get(self, id: str, tx: Transaction | None = None) -> Import:
        """Raises NotFound."""
        row = await self._imports.find_one({"_id": id}, session=tx.session if tx else None)
        if row is None:
            raise NotFound("import", id)
        return read(Import, row)

    async def insert(self, one: Import, tx: Transaction) -> None:
        row = {**document(one), "expires_at": one.created_at + PREVIEW_KEPT}
        await self._imports.insert_one(row, session=tx.session)

    async def put_chunk(self, import_id: str, number: int, rows: Sequence[Row], now: datetime) -> None:
        """Keep rows for a while; an import that never comes to be leaves nothing behind in the end."""
        chunk: Document = {
            "_id": f"{import_id}:{number}",
            "import_id": import_id,
            "rows": [document(row) for row in rows],
            "expires_at": now + ROWS_KEPT,
        }
        await self._rows.insert_one(chunk)

    async def chunk(self, import_id: str, number: int, tx: Transaction) -> list[Row] | None:
        found = await self._rows.find_one({"_id": f"{import_id}:{number}"}, session=tx.session)
        return [read(Row, row) for row in found["rows"]] if found else None

    async def confirm(self, id: str, tx: Transaction) -> None:
        change: dict[str, Any] = {
            "$set": {"state": "importing", "confirmed_at": tx.now, "touched_at": tx.now},
            "$unset": {"expires_at": ""},
        }
        await self._imports.update_one({"_id": id}, change, session=tx.session)

    async def claim_chunk(self, id: str, tx: Transaction) -> Import | None:
        """The import as it was before its next chunk was taken; None when there is nothing to do. Two processes
        that take the same one collide, and one of them tries again."""
        row = await self._imports.find_one_and_update(
            {"_id": id, "state": "importing"},
            {"$inc": {"next_chunk": 1}, "$set": {"touched_at": tx.now}},
            return_document=ReturnDocument.BEFORE,
            session=tx.session,
        )
        return read(Import, row) if row else None

    async def advance(self, id: str, came_to: Plan, tx: Transaction) -> None:
        """Count what a chunk came to."""
        counts = {
            "created": len(came_to.created),
            "updated": len(came_to.changed),
            "kept": came_to.unchanged,
            "failed": len(came_to.errors),
            "errors_total": len(came_to.errors),
        }
        errors = [document(error) for error in came_to.errors]
        change: dict[str, Any] = {"$inc": counts, "$push": {"errors": {"$each": errors, "$slice": MAX_ERRORS}}}
        await self._imports.update_one({"_id": id}, change, session=tx.session)

    async def finish(self, id: str, state: State, tx: Transaction) -> None:
        """The import has ended; what it holds of persons goes at once, its figures after a while."""
        change: Document = {"state": state, "finished_at": tx.now, "sample": [], "expires_at": tx.now + RESULT_KEPT}
        await self._imports.update_one({"_id": id}, {"$set": change}, session=tx.session)

    async def forget_rows(self, import_id: str) -> None:
        await self._rows.delete_many({"import_id": import_id})

    async def unfinished(self, *, rows_over: int, untouched_since: datetime) -> list[str]:
        """Confirmed imports that nobody works on: those too large for a request, and abandoned ones."""
        where = {
            "state": "importing",
            "$or": [{"valid": {"$gt": rows_over}}, {"touched_at": {"$lt": untouched_since}}],
        }
        rows = await self._imports.find(where, {"_id": 1}, sort=[("confirmed_at", 1)]).to_list()
        return [row["_id"] for row in rows]
