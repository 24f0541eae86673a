"""The objectives of programmes, and which of them are reached."""

from __future__ import annotations

from pymongo import IndexModel

from chassis.mongo import Document, Mongo, Transaction

GOAL = ("kpi", "target", "starts_on", "ends_on")


class Objectives:
    """The collection `objectives`."""

    def __init__(self, mongo: Mongo) -> None:
        self._rows = mongo.db["objectives"]

    async def ensure_indexes(self) -> None:
        await self._rows.create_indexes(
            [IndexModel([("program_id", 1), ("ends_on", 1)]), IndexModel([("reached_at", 1), ("_id", 1)])]
        )

    async def put(self, row: Document, tx: Transaction) -> None:
        """Set the objective unless a later revision is there. What was reached stays so unless its goal moved."""
        known = await self._rows.find_one({"_id": row["_id"]}, session=tx.session)
        if known is not None and known["revision"] >= row["revision"]:
            return
        row["goal_revision"] = row["revision"]
        if known is not None and all(known[name] == row[name] for name in GOAL):
            goal = known.get("goal_revision", known["revision"])
            row = {**row, "reached_at": known["reached_at"], "goal_revision": goal}
        await self._rows.update_one({"_id": row["_id"]}, {"$set": row}, upsert=True, session=tx.session)

    async def mark_reached(self, objective_id: str, revision: int, tx: Transaction) -> bool:
        """Whether it was this call that marked it."""
        found = await self._rows.update_one(
            {"_id": objective_id, "revision": revision, "reached_at": None},
            {"$set": {"reached_at": tx.now}},
            session=tx.session,
        )
        return found.modified_count == 1

    async def get(self, program_id: str, objective_id: str) -> Document | None:
        return await self._rows.find_one({"_id": objective_id, "program_id": program_id})

    async def of_program(self, program_id: str, state: str, start: int = 0, *, limit: int) -> list[Document]:
        """Objectives of a programme in a state, those that end first first."""
        wanted = {"program_id": program_id, "state": {"$in": ["open", None]} if state == "open" else state}
        order = [("ends_on", 1), ("_id", 1)]
        return await self._rows.find(wanted, sort=order, skip=start, limit=limit).to_list()

    async def open(self, after: str = "", *, limit: int = 200) -> list[Document]:
        """Objectives that were not reached yet, in the order of their ids; not those that were withdrawn."""
        wanted = {"reached_at": None, "state": {"$ne": "withdrawn"}, "_id": {"$gt": after}}
        return await self._rows.find(wanted, sort=[("_id", 1)], limit=limit).to_list()
