"""The tasks of programmes' teams, and the content mix that programmes want: the collections `tasks` and `mixes`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from pymongo.errors import DuplicateKeyError

from chassis.mongo import Document, Mongo, Transaction
from chassis.mongo.rows import changes, document, read
from chassis.mongo.search import begin_with
from chassis.text import terms
from chassis.web.problems import StaleVersion
from services.program.domain.mixes import Mix, no_mix
from services.program.domain.tasks import MAX_TASKS, Task, TaskState
from services.program.store.shared import row_of, save_row


class Tasks:
    """The collection `tasks`."""

    def __init__(self, mongo: Mongo) -> None:
        self._tasks = mongo.db["tasks"]

    async def ensure_indexes(self) -> None:
        await self._tasks.create_index(["program_id", "state", "due_on", "_id"])
        await self._tasks.create_index(["program_id", "due_on"])

    async def get(self, program_id: str, id: str, tx: Transaction | None = None) -> Task:
        """Raises NotFound."""
        return read(Task, await row_of(self._tasks, "task", program_id, id, tx))

    async def known(self, ids: Iterable[str], tx: Transaction | None) -> set[str]:
        """Those of the ids that are there."""
        wanted = {"_id": {"$in": list(ids)}}
        return {row["_id"] async for row in self._tasks.find(wanted, {"_id": 1}, session=tx.session if tx else None)}

    async def page(
        self,
        program_id: str,
        state: TaskState | None,
        owner_id: str | None,
        query: str | None,
        after: Sequence[str] | None,
        limit: int,
    ) -> list[Task]:
        """Tasks by the day when they are due, after a position: day and id of the last one of the page before."""
        where = _where(program_id, state, owner_id, query)
        if after is not None:
            day, id = after
            where["$or"] = [{"due_on": {"$gt": day}}, {"due_on": day, "_id": {"$gt": id}}]
        rows = await self._tasks.find(where, sort=[("due_on", 1), ("_id", 1)], limit=limit).to_list()
        return [read(Task, row) for row in rows]

    async def count(
        self,
        program_id: str,
        state: TaskState | None = None,
        owner_id: str | None = None,
        query: str | None = None,
        tx: Transaction | None = None,
    ) -> int:
        where = _where(program_id, state, owner_id, query)
        return await self._tasks.count_documents(where, session=tx.session if tx else None)

    async def due(self, program_id: str, first: date, last: date) -> list[Task]:
        """What is due on these days, both included."""
        days = {"$gte": first.isoformat(), "$lte": last.isoformat()}
        where = {"program_id": program_id, "due_on": days}
        return [read(Task, row) for row in await self._tasks.find(where, limit=MAX_TASKS).to_list()]

    async def insert(self, tasks: Sequence[Task], tx: Transaction) -> None:
        if tasks:
            await self._tasks.insert_many([_row(one) for one in tasks], session=tx.session)

    async def save(self, before: Task, after: Task, tx: Transaction) -> None:
        """Raises StaleVersion if the task has changed meanwhile."""
        await save_row(self._tasks, {"_id": before.id}, before.version, {**changes(after), "terms": _terms(after)}, tx)

    async def some(self, program_id: str, ids: Iterable[str], tx: Transaction | None) -> list[Task]:
        """Those of the ids that are there."""
        where = {"program_id": program_id, "_id": {"$in": list(ids)}}
        found = self._tasks.find(where, sort=[("due_on", 1), ("_id", 1)], session=tx.session if tx else None)
        return [read(Task, row) async for row in found]

    async def delete_all(self, tasks: Sequence[Task], tx: Transaction) -> None:
        if tasks:
            await self._tasks.delete_many({"_id": {"$in": [one.id for one in tasks]}}, session=tx.session)

    async def delete(self, task: Task, tx: Transaction) -> None:
        await self._tasks.delete_one({"_id": task.id}, session=tx.session)


def _where(program_id: str, state: TaskState | None, owner_id: str | None, query: str | None) -> dict[str, Any]:
    asked: Mapping[str, Any] = {"state": state, "owner_id": owner_id, "$and": begin_with(query) if query else None}
    return {"program_id": program_id, **{name: value for name, value in asked.items() if value is not None}}


def _row(task: Task) -> Document:
    return {**document(task), "terms": _terms(task)}


def _terms(task: Task) -> list[str]:
    return list(terms(task.title, task.notes))


class Mixes:
    """The collection `mixes`."""

    def __init__(self, mongo: Mongo) -> None:
        self._mixes = mongo.db["mixes"]

    async def get(self, program_id: str, tx: Transaction | None = None) -> Mix:
        row = await self._mixes.find_one({"_id": program_id}, session=tx.session if tx else None)
        return read(Mix, row, program_id=program_id) if row else no_mix(program_id)

    async def save(self, before: Mix, after: Mix, tx: Transaction) -> None:
        """Raises StaleVersion if it has changed meanwhile."""
        if before.updated_at is None:
            try:
                await self._mixes.insert_one({"_id": after.program_id, **document(after)}, session=tx.session)
            except DuplicateKeyError:
                raise StaleVersion from None
        else:
            await save_row(self._mixes, {"_id": before.program_id}, before.version, changes(after), tx)
