"""Programmes, the versions of their texts, and their objectives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection

from chassis.mongo import Document, Mongo, Transaction
from chassis.web.problems import NotFound, StaleVersion
from services.program.domain.programs import Objective, Program, Text, TextKind


class Programs:
    """The collections `programs`, `texts` and `objectives`."""

    def __init__(self, mongo: Mongo) -> None:
        self._programs = mongo.db["programs"]
        self._texts = mongo.db["texts"]
        self._objectives = mongo.db["objectives"]

    async def ensure_indexes(self) -> None:
        await self._texts.create_index(["program_id", "kind", "version"], unique=True)

    async def get(self, id: str, tx: Transaction | None = None) -> Program:
        """Raises NotFound."""
        row = await self._programs.find_one({"_id": id}, session=tx.session if tx else None)
        if row is None:
            raise NotFound("programme", id)
        return _program(row)

    async def get_many(self, ids: Iterable[str], tx: Transaction | None = None) -> dict[str, Program]:
        """Those of the ids that are known, by id."""
        cursor = self._programs.find({"_id": {"$in": list(ids)}}, session=tx.session if tx else None)
        return {row["_id"]: _program(row) for row in await cursor.to_list()}

    async def page(self, after: str | None, limit: int) -> list[Program]:
        """Programmes in the order in which they were created, from an id on."""
        where = {"_id": {"$gt": after}} if after is not None else {}
        return [_program(row) for row in await self._programs.find(where, sort=[("_id", 1)], limit=limit).to_list()]

    async def insert(self, program: Program, tx: Transaction) -> None:
        await self._programs.insert_one(_document(program), session=tx.session)

    async def save(self, before: Program, after: Program, tx: Transaction) -> None:
        """Raises StaleVersion if the programme is no longer what it was before."""
        await _replace(self._programs, before.version, _document(after), tx)

    async def text(self, program_id: str, kind: TextKind, version: int) -> Text:
        """Raises NotFound."""
        row = await self._texts.find_one({"program_id": program_id, "kind": kind, "version": version})
        if row is None:
            raise NotFound(kind, f"{program_id} version {version}")
        return Text(**{name: value for name, value in row.items() if name != "_id"})

    async def insert_text(self, text: Text, tx: Transaction) -> None:
        id = f"{text.program_id}:{text.kind}:{text.version}"
        await self._texts.insert_one({"_id": id, **asdict(text)}, session=tx.session)

    async def find_objective(self, program_id: str, tx: Transaction | None = None) -> Objective | None:
        row = await self._objectives.find_one({"_id": program_id}, session=tx.session if tx else None)
        return _objective(row) if row else None

    async def save_objective(self, before: Objective | None, after: Objective, tx: Transaction) -> None:
        """Raises StaleVersion if the objective is no longer what it was before."""
        document = asdict(after) | {
            # A programme has one objective.
            "_id": after.program_id,
            "starts_on": after.starts_on.isoformat(),
            "ends_on": after.ends_on.isoformat(),
        }
        if before is None:
            await self._objectives.insert_one(document, session=tx.session)
        else:
            await _replace(self._objectives, before.version, document, tx)


async def _replace(collection: AsyncCollection[Document], version: int, document: Document, tx: Transaction) -> None:
    where: dict[str, Any] = {"_id": document["_id"], "version": version}
    result = await collection.replace_one(where, document, session=tx.session)
    if result.matched_count == 0:
        raise StaleVersion()


def _document(program: Program) -> Document:
    document = asdict(program)
    document["_id"] = document.pop("id")
    return document


def _program(row: Document) -> Program:
    values = dict(row)
    return Program(id=values.pop("_id"), languages=tuple(values.pop("languages")), **values)


def _objective(row: Document) -> Objective:
    values = dict(row)
    del values["_id"]
    starts_on, ends_on = date.fromisoformat(values.pop("starts_on")), date.fromisoformat(values.pop("ends_on"))
    return Objective(starts_on=starts_on, ends_on=ends_on, **values)
