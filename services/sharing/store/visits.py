"""Who was seen where, as keyed hashes of one day: collection `visits`, which forgets in three days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from pymongo import UpdateOne

from chassis.mongo import Document, Mongo, Transaction

KEPT = timedelta(days=3)
Pairs = Iterable[tuple[str, str]]


class Visits:
    """`<visitor>|<person>`: a browser in which a person used Herald. `<code>|<visitor>`: when a visitor's clicks on a
    link counted. In one collection, for both are asked about each batch of clicks."""

    def __init__(self, mongo: Mongo) -> None:
        self._visits = mongo.db["visits"]

    async def ensure_indexes(self) -> None:
        await self._visits.create_index("at", expireAfterSeconds=int(KEPT.total_seconds()))

    async def saw(self, visitor: str, person_id: str, at: datetime, tx: Transaction | None = None) -> None:
        """A person uses Herald in this browser."""
        await self._visits.update_one(
            {"_id": f"{visitor}|{person_id}"}, {"$set": {"at": at}}, upsert=True, session=tx.session if tx else None
        )

    async def seen(
        self, owners: Pairs, visitors: Pairs, tx: Transaction
    ) -> tuple[set[tuple[str, str]], dict[tuple[str, str], list[datetime]]]:
        """Of pairs of visitor and person, those in which the visitor is that person; and when clicks counted, by pair
        of link code and visitor."""
        own = {f"{visitor}|{person}": (visitor, person) for visitor, person in owners}
        counted = {f"{code}|{visitor}": (code, visitor) for code, visitor in visitors}
        if not counted:
            return set(), {}
        rows = await self._visits.find({"_id": {"$in": [*own, *counted]}}, session=tx.session).to_list()
        return (
            {own[row["_id"]] for row in rows if row["_id"] in own},
            {counted[row["_id"]]: row["counted"] for row in rows if row["_id"] in counted},
        )

    async def count(self, added: Mapping[tuple[str, str], list[datetime]], tx: Transaction) -> None:
        """These clicks counted too."""
        writes: list[UpdateOne] = []
        for (code, visitor), times in added.items():
            change: Document = {"$push": {"counted": {"$each": times}}, "$set": {"at": tx.now}}
            writes.append(UpdateOne({"_id": f"{code}|{visitor}"}, change, upsert=True))
        if writes:
            await self._visits.bulk_write(writes, session=tx.session, ordered=False)
