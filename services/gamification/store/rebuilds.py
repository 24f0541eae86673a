"""Rebuilds of balances: those that wait or run, and for a month those that are done."""

from __future__ import annotations

from pymongo import IndexModel

from chassis.mongo import Mongo, Transaction
from chassis.mongo.rows import document, read
from services.gamification.domain.rebuilds import OPEN, Rebuild

KEPT_SECONDS = 30 * 86_400


class Rebuilds:
    """The collection `rebuilds`. A programme has at most one that is open."""

    def __init__(self, mongo: Mongo) -> None:
        self._rebuilds = mongo.db["rebuilds"]

    async def ensure_indexes(self) -> None:
        await self._rebuilds.create_indexes(
            [
                IndexModel(
                    "program_id",
                    unique=True,
                    partialFilterExpression={"open": True},
                    name="one_open_a_programme",
                ),
                IndexModel([("open", 1), ("requested_at", 1)]),
                IndexModel("finished_at", expireAfterSeconds=KEPT_SECONDS),
            ]
        )

    async def find(self, id: str, tx: Transaction | None = None) -> Rebuild | None:
        row = await self._rebuilds.find_one({"_id": id}, session=tx.session if tx else None)
        return read(Rebuild, row) if row else None

    async def find_open(self, program_id: str, tx: Transaction) -> Rebuild | None:
        """The programme's rebuild that waits or runs."""
        row = await self._rebuilds.find_one({"program_id": program_id, "open": True}, session=tx.session)
        return read(Rebuild, row) if row else None

    async def next_open(self) -> Rebuild | None:
        """The oldest that waits or runs, of any programme."""
        row = await self._rebuilds.find_one({"open": True}, sort=[("requested_at", 1)])
        return read(Rebuild, row) if row else None

    async def put(self, rebuild: Rebuild, tx: Transaction) -> None:
        row = {**document(rebuild), "open": rebuild.state in OPEN}
        await self._rebuilds.update_one({"_id": row.pop("_id")}, {"$set": row}, upsert=True, session=tx.session)
