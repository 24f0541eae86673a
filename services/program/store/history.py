"""Memberships of the past: collection `past_memberships`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from chassis.mongo import Document, Mongo, Transaction
from services.program.domain.history import PastMembership


class History:
    """A document a membership; they are added, and never change."""

    def __init__(self, mongo: Mongo) -> None:
        self._past = mongo.db["past_memberships"]

    async def ensure_indexes(self) -> None:
        await self._past.create_index([("person_id", 1), ("program_id", 1)])

    async def add(self, memberships: Sequence[PastMembership], tx: Transaction) -> None:
        documents: list[Document] = []
        for one in memberships:
            document = asdict(one)
            document["_id"] = document.pop("id")
            documents.append(document)
        if documents:
            await self._past.insert_many(documents, session=tx.session, ordered=False)

    async def of_people(self, program_id: str, ids: Iterable[str], tx: Transaction) -> list[PastMembership]:
        where = {"person_id": {"$in": list(ids)}, "program_id": program_id}
        return [_past(row) async for row in self._past.find(where, session=tx.session)]


def _past(row: Document) -> PastMembership:
    names = PastMembership.__slots__
    return PastMembership(id=row["_id"], **{name: row[name] for name in names if name != "id"})
