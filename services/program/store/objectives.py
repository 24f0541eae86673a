"""The objectives of programmes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from chassis.mongo import Document, Mongo, Transaction
from chassis.mongo.rows import changes, document, read
from chassis.mongo.search import MAX_COUNTED, begin_with
from chassis.text import terms
from chassis.web.problems import NotFound
from services.program.domain.objectives import Objective, ObjectiveState
from services.program.store.shared import add_terms, save_row

AT_ONCE = 200


class Objectives:
    """The collection `objectives`.

    While a programme had one objective, its row had the programme's id as `_id`, and its own as `id`: such rows are
    read and written as they are.
    """

    def __init__(self, mongo: Mongo) -> None:
        self._objectives = mongo.db["objectives"]

    async def ensure_indexes(self) -> None:
        await self._objectives.create_index(["program_id", "ends_on"])
        await add_terms(self._objectives, lambda row: _texts(_read(row)))

    async def get(self, program_id: str, id: str, tx: Transaction | None = None) -> Objective:
        """Raises NotFound."""
        row = await self._objectives.find_one(_one(program_id, id), session=tx.session if tx else None)
        if row is None:
            raise NotFound("objective", id)
        return _read(row)

    async def page(
        self,
        program_id: str,
        state: ObjectiveState | None,
        after: Sequence[str] | None,
        limit: int,
        query: str | None = None,
    ) -> list[Objective]:
        """Objectives of a programme in a state, by their last day, after a position: last day and id of the last one
        of the page before."""
        clauses = _wanted(program_id, state, query)
        if after is not None:
            day, id = after
            clauses.append({"$or": [{"ends_on": {"$gt": day}}, {"ends_on": day, "_id": {"$gt": id}}]})
        order = [("ends_on", 1), ("_id", 1)]
        return [_read(row) for row in await self._objectives.find({"$and": clauses}, sort=order, limit=limit).to_list()]

    async def count(self, program_id: str, state: ObjectiveState | None, query: str | None) -> int:
        """How many of them there are, 10,000 at most."""
        wanted = {"$and": _wanted(program_id, state, query)}
        return await self._objectives.count_documents(wanted, limit=MAX_COUNTED)

    async def known(self, ids: Iterable[str], tx: Transaction | None) -> set[str]:
        """Those of the ids that are there, whatever their state."""
        found = self._objectives.find({"_id": {"$in": list(ids)}}, {"_id": 1}, session=tx.session if tx else None)
        return {row["_id"] async for row in found}

    async def some(self, program_id: str, ids: Iterable[str], tx: Transaction | None) -> list[Objective]:
        """Those of the ids that are there, by their last day."""
        where = {"program_id": program_id, "_id": {"$in": list(ids)}}
        found = self._objectives.find(where, sort=[("ends_on", 1), ("_id", 1)], session=tx.session if tx else None)
        return [_read(row) async for row in found]

    async def within(self, program_id: str, first: date, last: date) -> list[Objective]:
        """Those that begin or end on one of these days."""
        days = {"$gte": first.isoformat(), "$lte": last.isoformat()}
        where = {"program_id": program_id, "$or": [{"starts_on": days}, {"ends_on": days}]}
        return [_read(row) for row in await self._objectives.find(where, limit=AT_ONCE).to_list()]

    async def owned_by(self, person_id: str, tx: Transaction) -> list[Objective]:
        """Those that somebody sees to, of all programmes."""
        rows = await self._objectives.find({"owner_id": person_id}, session=tx.session).to_list()
        return [_read(row) for row in rows]

    async def count_open(self, program_id: str, tx: Transaction | None = None) -> int:
        where = {"program_id": program_id, "state": {"$in": ["open", None]}}
        return await self._objectives.count_documents(where, session=tx.session if tx else None)

    async def insert(self, objective: Objective, tx: Transaction) -> None:
        await self._objectives.insert_one(objective_row(objective), session=tx.session)

    async def save(self, before: Objective, after: Objective, tx: Transaction) -> None:
        """Raises StaleVersion if the objective has changed meanwhile."""
        fields = {**changes(after), "terms": _terms(after)}
        await save_row(self._objectives, _one(before.program_id, before.id), before.version, fields, tx)


def objective_row(objective: Objective) -> Document:
    """The whole row of an objective."""
    return {**document(objective), "terms": _terms(objective)}


def _one(program_id: str, id: str) -> Document:
    return {"program_id": program_id, "$or": [{"_id": id}, {"id": id}]}


def _read(row: Document) -> Objective:
    return read(Objective, row, id=row.get("id", row["_id"]))


def _wanted(program_id: str, state: ObjectiveState | None, query: str | None) -> list[Mapping[str, Any]]:
    clauses: list[Mapping[str, Any]] = [{"program_id": program_id}]
    if state is not None:
        clauses.append({"state": {"$in": [state, None]} if state == "open" else state})
    return [*clauses, *begin_with(query)] if query else clauses


def _texts(objective: Objective) -> tuple[str, str]:
    return objective.title, objective.learned


def _terms(objective: Objective) -> list[str]:
    return list(terms(*_texts(objective)))
