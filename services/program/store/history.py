"""Memberships of the past: collection `past_memberships`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chassis.mongo import Mongo, Transaction
from chassis.mongo.rows import document, read
from services.program.domain.history import PastMembership


class History:
    """A document a membership; they are added, and never change."""

    def __init__(self, mongo: Mongo) -> None:
        self._past = mongo.db["past_memberships"]

    async def ensure_indexes(self) -> None:
        await self._past.create_index([("person_id", 1), ("program_id", 1)])

    async def add(self, memberships: Sequence[PastMembership], tx: Transaction) -> None:
        if memberships:
            await self._past.insert_many([document(one) for one in memberships], session=tx.session, ordered=False)

    async def of_people(self, program_id: str, ids: Iterable[str], tx: Transaction) -> list[PastMembership]:
        where = {"person_id": {"$in": list(ids)}, "program_id": program_id}
        return [read(PastMembership, row) async for row in self._past.find(where, session=tx.session)]
