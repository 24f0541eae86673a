"""The objectives of programmes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chassis.mongo import Document, Mongo, Transaction
from chassis.mongo.rows import changes, document, read
from chassis.web.problems import NotFound
from services.program.domain.objectives import Objective, ObjectiveState
from services.program.store.shared import save_row


class Objectives:
    """The collection `objectives`.

    While a programme had one objective, its row had the programme's id as `_id`, and its own as `id`: such rows are
    read and written as they are.
    """

    def __init__(self, mongo: Mongo) -> None:
        self._objectives = mongo.db["objectives"]

    async def ensure_indexes(self) -> None:
        await self._objectives.create_index(["program_id", "ends_on"])

    async def get(self, program_id: str, id: str, tx: Transaction | None = None) -> Objective:
        """Raises NotFound."""
        row = await self._objectives.find_one(_one(program_id, id), session=tx.session if tx else None)
        if row is None:
            raise NotFound("objective", id)
        return _read(row)

    async def page(
        self, program_id: str, state: ObjectiveState | None, after: Sequence[str] | None, limit: int
    ) -> list[Objective]:
        """Objectives of a programme in a state, by their last day, after a position: last day and id of the last one
        of the page before."""
        clauses: list[Mapping[str, Any]] = [{"program_id": program_id}]
        if state is not None:
            clauses.append({"state": {"$in": [state, None]} if state == "open" else state})
        if after is not None:
            day, id = after
            clauses.append({"$or": [{"ends_on": {"$gt": day}}, {"ends_on": day, "_id": {"$gt": id}}]})
        order = [("ends_on", 1), ("_id", 1)]
        return [_read(row) for row in await self._objectives.find({"$and": clauses}, sort=order, limit=limit).to_list()]

    async def count_open(self, program_id: str, tx: Transaction) -> int:
        where = {"program_id": program_id, "state": {"$in": ["open", None]}}
        return await self._objectives.count_documents(where, session=tx.session)

    async def insert(self, objective: Objective, tx: Transaction) -> None:
        await self._objectives.insert_one(document(objective), session=tx.session)

    async def save(self, before: Objective, after: Objective, tx: Transaction) -> None:
        """Raises StaleVersion if the objective has changed meanwhile."""
        await save_row(self._objectives, _one(before.program_id, before.id), before.version, changes(after), tx)


def _one(program_id: str, id: str) -> Document:
    return {"program_id": program_id, "$or": [{"_id": id}, {"id": id}]}


def _read(row: Document) -> Objective:
    return read(Objective, row, id=row.get("id", row["_id"]))
