"""The spelling of each team: one, whoever writes it how."""

from __future__ import annotations

from collections.abc import Iterable

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from chassis.mongo import Mongo
from chassis.text import match_key

_DUPLICATE_KEY = 11000


class Teams:
    """The collection `teams`. A stored spelling stays even if the transaction that asked for it is rolled back."""

    def __init__(self, mongo: Mongo) -> None:
        self._teams = mongo.db["teams"]
        self._people = mongo.db["people"]

    async def ensure_indexes(self) -> None:
        """Store the spellings of teams that people had before this collection existed."""
        if not await self._teams.find_one({}, {"_id": 1}):
            await self.settle(await self._people.distinct("team"))

    async def spellings(self, names: Iterable[str]) -> dict[str, str]:
        """The spelling of each name's team; names of unknown teams are left out."""
        keys = {name: match_key(name) for name in names}
        cursor = self._teams.find({"_id": {"$in": list(set(keys.values()))}})
        known = {row["_id"]: row["name"] async for row in cursor}
        return {name: known[key] for name, key in keys.items() if key in known}

    async def settle(self, names: Iterable[str]) -> dict[str, str]:
        """The spelling of each name's team; the first name of an unknown team becomes its spelling."""
        wanted = list(dict.fromkeys(names))
        known = await self.spellings(wanted)
        new = [name for name in wanted if name not in known]
        if not new:
            return known
        writes = [UpdateOne({"_id": match_key(name)}, {"$setOnInsert": {"name": name}}, upsert=True) for name in new]
        try:
            await self._teams.bulk_write(writes, ordered=True)
        except BulkWriteError as error:
            # Another process settled one of them at the same moment; ordered writes stop there.
            if any(one["code"] != _DUPLICATE_KEY for one in error.details["writeErrors"]):
                raise
            return await self.settle(wanted)
        return await self.spellings(wanted)
