"""When people shared for the first time: the collection `first_posts`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from pymongo import IndexModel, UpdateOne

from chassis.ids import derived_id
from chassis.mongo import Mongo, Transaction, pieces
from chassis.mongo.rows import changes, read
from services.program.domain.first_posts import FirstPost

Key = tuple[str, str]
"""A programme and a person."""


class FirstPosts:
    """A row for each person in each programme in which they shared."""

    def __init__(self, mongo: Mongo) -> None:
        self._posts = mongo.db["first_posts"]

    async def ensure_indexes(self) -> None:
        await self._posts.create_indexes([IndexModel([("program_id", 1), ("first_at", -1)]), IndexModel("person_id")])

    async def get_many(self, keys: Iterable[Key], tx: Transaction) -> dict[Key, FirstPost]:
        """Each; one without posts where there is none."""
        wanted = {derived_id(*key): FirstPost(derived_id(*key), *key) for key in keys}
        rows = await self._posts.find({"_id": {"$in": list(wanted)}}, session=tx.session).to_list()
        found = wanted | {row["_id"]: read(FirstPost, row) for row in rows}
        return {(one.program_id, one.person_id): one for one in found.values()}

    async def put(self, posts: Mapping[Key, FirstPost], tx: Transaction) -> None:
        writes = [UpdateOne({"_id": one.id}, {"$set": changes(one)}, upsert=True) for one in posts.values()]
        for some in pieces(writes):
            await self._posts.bulk_write(some, session=tx.session, ordered=False)

    async def since(self, program_id: str, moment: datetime, people: Iterable[str], limit: int) -> list[FirstPost]:
        """Those of the people whose first post was after a moment, the newest first."""
        where = {"program_id": program_id, "first_at": {"$gt": moment}, "person_id": {"$in": list(people)}}
        rows = await self._posts.find(where, sort=[("first_at", -1)], limit=limit).to_list()
        return [read(FirstPost, row) for row in rows]
