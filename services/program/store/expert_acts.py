"""What ambassadors declared as experts: the collection `expert_acts`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from chassis.mongo import Document, Mongo, Transaction
from chassis.mongo.rows import changes, document, read
from chassis.mongo.search import MAX_COUNTED, begin_with
from chassis.text import terms
from chassis.web.problems import Conflict
from services.program.domain.expert_acts import ExpertAct, ExpertActState
from services.program.store.shared import row_of, save_row


class ExpertActs:
    """Talks, articles and podcasts. Of what counts or waits to (`live`), each person has each link once."""

    def __init__(self, mongo: Mongo) -> None:
        self._acts = mongo.db["expert_acts"]

    async def ensure_indexes(self) -> None:
        await self._acts.create_indexes(
            [
                IndexModel([("program_id", 1), ("state", 1), ("_id", -1)]),
                IndexModel([("program_id", 1), ("person_id", 1), ("_id", -1)]),
                IndexModel(
                    [("program_id", 1), ("person_id", 1), ("link", 1)],
                    unique=True,
                    partialFilterExpression={"live": True},
                    name="live_link",
                ),
                IndexModel("expires_at", partialFilterExpression={"live": True}),
            ]
        )

    async def get(self, program_id: str, id: str, tx: Transaction | None = None) -> ExpertAct:
        """Raises NotFound."""
        return read(ExpertAct, await row_of(self._acts, "expert act", program_id, id, tx))

    async def page(
        self,
        program_id: str,
        *,
        person_id: str | None = None,
        state: ExpertActState | None = None,
        query: str | None = None,
        after: str | None,
        limit: int,
    ) -> list[ExpertAct]:
        """The newest first."""
        where = _where(program_id, person_id, state, query)
        if after is not None:
            where["_id"] = {"$lt": after}
        rows = await self._acts.find(where, sort=[("_id", -1)], limit=limit).to_list()
        return [read(ExpertAct, row) for row in rows]

    async def count(
        self,
        program_id: str,
        *,
        person_id: str | None = None,
        state: ExpertActState | None = None,
        query: str | None = None,
        tx: Transaction | None = None,
    ) -> int:
        """How many they are, 10,000 at most."""
        where = _where(program_id, person_id, state, query)
        return await self._acts.count_documents(where, limit=MAX_COUNTED, session=tx.session if tx else None)

    async def overdue(self, now: datetime, limit: int) -> list[ExpertAct]:
        """What counts or waits although its time is over."""
        rows = await self._acts.find({"live": True, "expires_at": {"$lte": now}}, limit=limit).to_list()
        return [read(ExpertAct, row) for row in rows]

    async def insert(self, act: ExpertAct, tx: Transaction) -> None:
        """Raises Conflict `already-declared`."""
        try:
            await self._acts.insert_one(
                {**document(act), "live": act.live, "terms": list(terms(act.title))}, session=tx.session
            )
        except DuplicateKeyError:
            raise _declared() from None

    async def save(self, before: ExpertAct, after: ExpertAct, tx: Transaction) -> None:
        """Raises StaleVersion if it has changed meanwhile, Conflict `already-declared`."""
        fields = {**changes(after), "live": after.live}
        try:
            await save_row(self._acts, {"_id": before.id}, before.version, fields, tx)
        except DuplicateKeyError:
            raise _declared() from None


def _where(program_id: str, person_id: str | None, state: ExpertActState | None, query: str | None) -> Document:
    chosen: dict[str, Any] = {"program_id": program_id, "person_id": person_id, "state": state}
    if query:
        chosen["$and"] = begin_with(query)
    return {name: value for name, value in chosen.items() if value is not None}


def _declared() -> Conflict:
    return Conflict("This link was declared already.", type_="already-declared")
