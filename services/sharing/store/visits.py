"""Who was seen where, as keyed hashes of one day: collections `sightings` and `visits`. Both forget in three days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from pymongo import UpdateOne

from chassis.mongo import Document, Mongo, Transaction

KEPT = timedelta(days=3)


class Visits:
    """`sightings`: browsers in which a person used Herald. `visits`: when a visitor's clicks on a link counted."""

    def __init__(self, mongo: Mongo) -> None:
        self._sightings = mongo.db["sightings"]
        self._visits = mongo.db["visits"]

    async def ensure_indexes(self) -> None:
        for collection in (self._sightings, self._visits):
            await collection.create_index("at", expireAfterSeconds=int(KEPT.total_seconds()))

    async def saw(self, visitor: str, person_id: str, at: datetime, tx: Transaction | None = None) -> None:
        """A person uses Herald in this browser."""
        await self._sightings.update_one(
            {"_id": f"{visitor}|{person_id}"}, {"$set": {"at": at}}, upsert=True, session=tx.session if tx else None
        )

    async def own(self, pairs: Iterable[tuple[str, str]], tx: Transaction) -> set[tuple[str, str]]:
        """Of pairs of visitor and person, those in which the visitor is that person."""
        ids = {f"{visitor}|{person}": (visitor, person) for visitor, person in pairs}
        rows = self._sightings.find({"_id": {"$in": list(ids)}}, {"_id": 1}, session=tx.session)
        return {ids[row["_id"]] async for row in rows}

    async def counted(self, pairs: Iterable[tuple[str, str]], tx: Transaction) -> dict[tuple[str, str], list[datetime]]:
        """When clicks counted, by pair of link code and visitor."""
        ids = {f"{code}|{visitor}": (code, visitor) for code, visitor in pairs}
        rows = self._visits.find({"_id": {"$in": list(ids)}}, session=tx.session)
        return {ids[row["_id"]]: row["counted"] async for row in rows}

    async def count(self, added: Mapping[tuple[str, str], list[datetime]], tx: Transaction) -> None:
        """These clicks counted too."""
        writes: list[UpdateOne] = []
        for (code, visitor), times in added.items():
            change: Document = {"$push": {"counted": {"$each": times}}, "$set": {"at": tx.now}}
            writes.append(UpdateOne({"_id": f"{code}|{visitor}"}, change, upsert=True))
        if writes:
            await self._visits.bulk_write(writes, session=tx.session, ordered=False)
