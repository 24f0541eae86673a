"""Imports: one document each, and its valid rows in chunks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pymongo import IndexModel, ReturnDocument, UpdateOne

from chassis.mongo import Document, Mongo, Transaction
from chassis.mongo.rows import document, read
from chassis.web.problems import Conflict, NotFound
from services.program.domain.imports import Import, Plan, Row, State

CHUNK_ROWS = 500
CHUNK_BYTES = 8 * 1024 * 1024
MAX_HEADINGS = 2000
MAX_ERRORS = 1000
AT_ONCE = 100
PREVIEW_KEPT = timedelta(days=1)
ROWS_KEPT = timedelta(days=8)
RESULT_KEPT = timedelta(days=30)


class Imports:
    """The collections `imports`, `import_rows`, `import_files` and `import_headings`; an import that is not confirmed
    expires after a day."""

    def __init__(self, mongo: Mongo) -> None:
        self._imports = mongo.db["imports"]
        self._rows = mongo.db["import_rows"]
        self._files = mongo.db["import_files"]
        self._headings = mongo.db["import_headings"]

    async def ensure_indexes(self) -> None:
        expires = IndexModel("expires_at", expireAfterSeconds=0)
        await self._imports.create_indexes([expires, IndexModel(["state", "touched_at"])])
        for collection in (self._rows, self._files):
            await collection.create_indexes([expires, IndexModel("import_id")])

    async def get(self, id: str, tx: Transaction | None = None) -> Import:
        """Raises NotFound."""
        row = await self._imports.find_one({"_id": id}, session=tx.session if tx else None)
        if row is None:
            raise NotFound("import", id)
        return read(Import, row)

    async def insert(self, one: Import, tx: Transaction) -> None:
        row = {**document(one), "expires_at": one.created_at + PREVIEW_KEPT}
        await self._imports.insert_one(row, session=tx.session)

    async def replace(self, one: Import, tx: Transaction) -> None:
        """The preview of the same file under other columns. Raises Conflict if it is no longer a preview."""
        row = document(one)
        where = {"_id": row.pop("_id"), "state": "previewed"}
        found = await self._imports.update_one(where, {"$set": row}, session=tx.session)
        if not found.matched_count:
            raise Conflict("It was confirmed in the meantime.", type_="already-confirmed")

    async def put_file(self, import_id: str, data: bytes, now: datetime) -> None:
        """Keep a file as long as its preview, so that its columns can be chosen."""
        for number, start in enumerate(range(0, len(data), CHUNK_BYTES)):
            part = {"_id": f"{import_id}:{number}", "import_id": import_id, "number": number}
            part |= {"data": data[start : start + CHUNK_BYTES], "expires_at": now + PREVIEW_KEPT}
            await self._files.insert_one(part)

    async def file(self, import_id: str) -> bytes:
        """Raises NotFound once it is gone."""
        parts = await self._files.find({"import_id": import_id}, sort=[("number", 1)]).to_list()
        if not parts:
            raise NotFound("file of import", import_id)
        return b"".join(part["data"] for part in parts)

    async def remembered(self) -> dict[str, str]:
        """What was chosen for headings before, by their keys; "" for one to ignore."""
        cursor = self._headings.find({}, sort=[("at", -1)], limit=MAX_HEADINGS)
        return {row["_id"]: row["column"] async for row in cursor}

    async def remember(self, chosen: Mapping[str, str], tx: Transaction) -> None:
        writes = [
            UpdateOne({"_id": key}, {"$set": {"column": column, "at": tx.now}}, upsert=True)
            for key, column in chosen.items()
        ]
        if writes:
            await self._headings.bulk_write(writes, session=tx.session)

    async def put_chunk(self, import_id: str, number: int, rows: Sequence[Row], now: datetime) -> None:
        """Store rows for a limited time: those of an import that is never stored expire."""
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
        """Claims the next chunk; returns the import as it was before, None if there is nothing to do. Two processes
        that claim the same chunk conflict, and one retries."""
        row = await self._imports.find_one_and_update(
            {"_id": id, "state": "importing"},
            {"$inc": {"next_chunk": 1}, "$set": {"touched_at": tx.now}},
            return_document=ReturnDocument.BEFORE,
            session=tx.session,
        )
        return read(Import, row) if row else None

    async def advance(self, id: str, came_to: Plan, tx: Transaction) -> None:
        """Add a chunk's results to the figures."""
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

    async def finish(self, one: Import, state: State, tx: Transaction) -> None:
        """Ends the import. Its personal data is deleted at once, its figures expire later."""
        change: Document = {"state": state, "finished_at": tx.now, "sample": [], "expires_at": tx.now + RESULT_KEPT}
        change["columns"] = [document(replace(column, examples=())) for column in one.columns]
        await self._imports.update_one({"_id": one.id}, {"$set": change}, session=tx.session)

    async def forget(self, one: Import) -> None:
        """What was kept of the file and its rows."""
        await self._rows.delete_many({"import_id": one.rows_id})
        await self._files.delete_many({"import_id": one.id})

    async def unfinished(self, *, rows_over: int, untouched_since: datetime) -> list[str]:
        """Confirmed imports that no process works on: those too large for a request, and abandoned ones."""
        where = {
            "state": "importing",
            "$or": [{"valid": {"$gt": rows_over}}, {"touched_at": {"$lt": untouched_since}}],
        }
        rows = await self._imports.find(where, {"_id": 1}, sort=[("confirmed_at", 1)], limit=AT_ONCE).to_list()
        return [row["_id"] for row in rows]
