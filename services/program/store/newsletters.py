"""The newsletters of programmes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from chassis.mongo import Mongo, Transaction
from chassis.mongo.rows import changes, document, read
from services.program.domain.newsletters import Newsletter, NewsletterState
from services.program.store.shared import row_of, save_row

BEGUN: Final = ("sending", "sent", "stopped")


class Newsletters:
    """The collection `newsletters`."""

    def __init__(self, mongo: Mongo) -> None:
        self._newsletters = mongo.db["newsletters"]

    async def ensure_indexes(self) -> None:
        await self._newsletters.create_index([("program_id", 1), ("_id", -1)])
        await self._newsletters.create_index("state")

    async def get(self, program_id: str, id: str, tx: Transaction | None = None) -> Newsletter:
        """Raises NotFound."""
        return read(Newsletter, await row_of(self._newsletters, "newsletter", program_id, id, tx))

    async def page(
        self, program_id: str, states: Sequence[NewsletterState], after: str | None, limit: int
    ) -> list[Newsletter]:
        """Newsletters of a programme in one of the states (none means any), the last one first, after an id."""
        where: dict[str, Any] = {"program_id": program_id}
        if states:
            where["state"] = {"$in": list(states)}
        if after is not None:
            where["_id"] = {"$lt": after}
        rows = await self._newsletters.find(where, sort=[("_id", -1)], limit=limit).to_list()
        return [read(Newsletter, row) for row in rows]

    async def count_open(self, program_id: str, tx: Transaction) -> int:
        where = {"program_id": program_id, "state": {"$nin": list(BEGUN)}}
        return await self._newsletters.count_documents(where, session=tx.session)

    async def count_scheduled(self, program_id: str) -> int:
        """How many are scheduled or were begun."""
        where = {"program_id": program_id, "state": {"$in": ["scheduled", *BEGUN]}}
        return await self._newsletters.count_documents(where)

    async def in_state(self, state: NewsletterState) -> list[Newsletter]:
        rows = await self._newsletters.find({"state": state}, sort=[("_id", 1)]).to_list()
        return [read(Newsletter, row) for row in rows]

    async def insert(self, newsletter: Newsletter, tx: Transaction) -> None:
        await self._newsletters.insert_one(document(newsletter), session=tx.session)

    async def save(self, before: Newsletter, after: Newsletter, tx: Transaction) -> None:
        """Raises StaleVersion if it has changed meanwhile."""
        await save_row(self._newsletters, {"_id": before.id}, before.version, changes(after), tx)

    async def delete(self, newsletter: Newsletter, tx: Transaction) -> None:
        await self._newsletters.delete_one({"_id": newsletter.id}, session=tx.session)
