"""Deputies and what they prepared: the collections `deputies` and `prepared`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from chassis.mongo import Mongo, Transaction
from chassis.mongo.rows import changes, document, read
from chassis.web.problems import Conflict
from services.program.domain.deputies import Deputy, Prepared
from services.program.store.shared import row_of, save_row

NEWEST_FIRST = [("_id", -1)]


class Deputies:
    """Who prepares for whom, and what. Two people have one deputyship at a time, an item waits once for a leader."""

    def __init__(self, mongo: Mongo) -> None:
        self._deputies = mongo.db["deputies"]
        self._prepared = mongo.db["prepared"]

    async def ensure_indexes(self) -> None:
        pair = IndexModel(
            ["program_id", "leader_id", "person_id"],
            unique=True,
            partialFilterExpression={"live": True},
            name="one_live",
        )
        await self._deputies.create_indexes([pair, IndexModel(["leader_id"]), IndexModel(["person_id"])])
        waiting = IndexModel(
            ["program_id", "leader_id", "content_id"],
            unique=True,
            partialFilterExpression={"state": "waiting"},
            name="one_waiting",
        )
        await self._prepared.create_indexes([waiting, IndexModel(["leader_id"]), IndexModel(["deputy_id"])])

    # --- deputies ----------------------------------------------------------------------------------------------

    async def get(self, program_id: str, id: str, tx: Transaction | None = None) -> Deputy:
        """Raises NotFound."""
        return read(Deputy, await row_of(self._deputies, "deputy", program_id, id, tx))

    async def of_person(
        self, program_id: str, person_id: str, limit: int, tx: Transaction | None = None
    ) -> list[Deputy]:
        """Those that a person has or is, the newest first."""
        where = {"program_id": program_id, "$or": [{"leader_id": person_id}, {"person_id": person_id}]}
        session = tx.session if tx else None
        rows = await self._deputies.find(where, sort=NEWEST_FIRST, limit=limit, session=session).to_list()
        return [read(Deputy, row) for row in rows]

    async def live(self, program_id: str, person_id: str, tx: Transaction | None = None) -> list[Deputy]:
        """Those of them that hold or wait for an answer."""
        either = [{"leader_id": person_id}, {"person_id": person_id}]
        where = {"program_id": program_id, "live": True, "$or": either}
        rows = await self._deputies.find(where, session=tx.session if tx else None).to_list()
        return [read(Deputy, row) for row in rows]

    async def insert(self, deputy: Deputy, tx: Transaction) -> None:
        """Raises Conflict `already-deputy`."""
        try:
            await self._deputies.insert_one({**document(deputy), "live": deputy.live}, session=tx.session)
        except DuplicateKeyError:
            raise Conflict("They were asked, or prepare for you.", type_="already-deputy") from None

    async def save(self, before: Deputy, after: Deputy, tx: Transaction) -> None:
        """Raises StaleVersion if it has changed meanwhile."""
        fields = {**changes(after), "live": after.live}
        await save_row(self._deputies, {"_id": before.id}, before.version, fields, tx)

    # --- what they prepared ------------------------------------------------------------------------------------

    async def prepared(self, program_id: str, id: str, tx: Transaction | None = None) -> Prepared:
        """Raises NotFound."""
        return read(Prepared, await row_of(self._prepared, "prepared share", program_id, id, tx))

    async def waiting(self, program_id: str, leader_id: str, tx: Transaction | None = None) -> list[Prepared]:
        """What waits for a leader, the newest first; their number is limited."""
        where = {"program_id": program_id, "leader_id": leader_id, "state": "waiting"}
        rows = await self._prepared.find(where, sort=NEWEST_FIRST, session=tx.session if tx else None).to_list()
        return [read(Prepared, row) for row in rows]

    async def prepared_by(self, program_id: str, person_id: str, limit: int) -> list[Prepared]:
        """What a deputy prepared, the newest first."""
        where = {"program_id": program_id, "deputy_id": person_id}
        return [
            read(Prepared, row) for row in await self._prepared.find(where, sort=NEWEST_FIRST, limit=limit).to_list()
        ]

    async def insert_prepared(self, prepared: Prepared, tx: Transaction) -> None:
        """Raises Conflict `already-prepared`."""
        try:
            await self._prepared.insert_one(document(prepared), session=tx.session)
        except DuplicateKeyError:
            raise _waits() from None

    async def save_prepared(self, before: Prepared, after: Prepared, tx: Transaction) -> None:
        """Raises StaleVersion if it has changed meanwhile, Conflict `already-prepared`."""
        try:
            await save_row(self._prepared, {"_id": before.id}, before.version, changes(after), tx)
        except DuplicateKeyError:
            raise _waits() from None

    async def note_shared(self, items: Iterable[tuple[str, str, str]], now: datetime, tx: Transaction) -> None:
        """What waited for a leader who shared that item (programme, leader, item) waits no more."""
        shared = set(items)
        where = {"leader_id": {"$in": sorted({one[1] for one in shared})}, "state": "waiting"}
        rows = await self._prepared.find(where, session=tx.session).to_list()
        waited = [read(Prepared, row) for row in rows]
        for one in waited:
            if (one.program_id, one.leader_id, one.content_id) not in shared:
                continue
            await self._prepared.update_one(
                {"_id": one.id},
                {"$set": {"state": "shared", "updated_at": now}, "$inc": {"version": 1}},
                session=tx.session,
            )

    async def withdraw_for(self, program_id: str, leader_id: str, now: datetime, tx: Transaction) -> None:
        """Nothing waits for a leader who has left."""
        await self._prepared.update_many(
            {"program_id": program_id, "leader_id": leader_id, "state": "waiting"},
            {"$set": {"state": "withdrawn", "updated_at": now}, "$inc": {"version": 1}},
            session=tx.session,
        )


def _waits() -> Conflict:
    return Conflict("This item waits for them already.", type_="already-prepared")
