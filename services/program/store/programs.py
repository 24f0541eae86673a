"""Programmes, and the versions of their texts."""

from __future__ import annotations

from collections.abc import Iterable

from chassis.mongo import Mongo, Transaction
from chassis.mongo.rows import changes, document, read
from chassis.web.problems import NotFound
from services.program.domain.programs import Program, Text, TextKind
from services.program.store.shared import save_row


class Programs:
    """The collections `programs` and `texts`."""

    def __init__(self, mongo: Mongo) -> None:
        self._programs = mongo.db["programs"]
        self._texts = mongo.db["texts"]

    async def ensure_indexes(self) -> None:
        await self._texts.create_index(["program_id", "kind", "version"], unique=True)

    async def get(self, id: str, tx: Transaction | None = None) -> Program:
        """Raises NotFound."""
        row = await self._programs.find_one({"_id": id}, session=tx.session if tx else None)
        if row is None:
            raise NotFound("programme", id)
        return read(Program, row)

    async def get_many(self, ids: Iterable[str], tx: Transaction | None = None) -> dict[str, Program]:
        """The programmes with these ids, by id; unknown ids are left out."""
        cursor = self._programs.find({"_id": {"$in": list(ids)}}, session=tx.session if tx else None)
        return {row["_id"]: read(Program, row) for row in await cursor.to_list()}

    async def page(self, after: str | None, limit: int) -> list[Program]:
        """Programmes in order of creation, after an id."""
        where = {"_id": {"$gt": after}} if after is not None else {}
        return [
            read(Program, row) for row in await self._programs.find(where, sort=[("_id", 1)], limit=limit).to_list()
        ]

    async def insert(self, program: Program, tx: Transaction) -> None:
        await self._programs.insert_one(document(program), session=tx.session)

    async def save(self, before: Program, after: Program, tx: Transaction) -> None:
        """Raises StaleVersion if the programme has changed meanwhile."""
        await save_row(self._programs, {"_id": before.id}, before.version, changes(after), tx)

    async def text(self, program_id: str, kind: TextKind, version: int, tx: Transaction | None = None) -> Text:
        """Raises NotFound."""
        where = {"program_id": program_id, "kind": kind, "version": version}
        row = await self._texts.find_one(where, session=tx.session if tx else None)
        if row is None:
            raise NotFound(kind, f"{program_id} version {version}")
        return read(Text, row)

    async def insert_text(self, text: Text, tx: Transaction) -> None:
        id = f"{text.program_id}:{text.kind}:{text.version}"
        await self._texts.insert_one({"_id": id, **document(text)}, session=tx.session)
