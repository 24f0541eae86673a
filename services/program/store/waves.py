"""Waves, who is in their cohorts, and whom is still to be looked at for one that was started or withdrawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from pymongo import IndexModel, UpdateOne
from pymongo.errors import DuplicateKeyError

from chassis.mongo import Document, Mongo, Transaction
from chassis.mongo.rows import changes, document, read
from chassis.web.problems import Conflict
from services.program.domain.waves import Member, Wave
from services.program.store.shared import delete_row, row_of, save_row

MEMBERS = "cohort_members"


@dataclass(frozen=True, slots=True)
class Filling:
    """That a cohort is being filled (`in`) or emptied (`out`): people up to the id `after` were looked at. `again`
    says from when on they are looked at a second time, for those who joined while the wave was started."""

    id: str
    program_id: str
    direction: Literal["in", "out"]
    after: str = ""
    due: datetime | None = None
    again: datetime | None = None


class Waves:
    """The collections `waves`, `cohort_members` and `cohort_fillings`.

    A member's row has programme and person as `_id`: nobody is in two cohorts of a programme.
    """

    def __init__(self, mongo: Mongo) -> None:
        self._waves = mongo.db["waves"]
        self._members = mongo.db[MEMBERS]
        self._fillings = mongo.db["cohort_fillings"]

    async def ensure_indexes(self) -> None:
        one_running = IndexModel(
            ["program_id"], unique=True, partialFilterExpression={"state": "running"}, name="one_running_wave"
        )
        await self._waves.create_indexes([IndexModel(["program_id", "starts_on"]), one_running])
        await self._members.create_indexes([IndexModel(["wave_id", "_id"]), IndexModel("person_id")])

    async def get(self, program_id: str, id: str, tx: Transaction | None = None) -> Wave:
        """Raises NotFound."""
        return read(Wave, await row_of(self._waves, "wave", program_id, id, tx))

    async def of_program(self, program_id: str, tx: Transaction | None = None) -> list[Wave]:
        """All waves of a programme, the first one first; their number is limited."""
        session = tx.session if tx else None
        rows = await self._waves.find({"program_id": program_id}, sort=[("starts_on", 1)], session=session).to_list()
        return [read(Wave, row) for row in rows]

    async def running(self, program_id: str, tx: Transaction) -> Wave | None:
        """The wave that was started and not decided on."""
        row = await self._waves.find_one({"program_id": program_id, "state": "running"}, session=tx.session)
        return read(Wave, row) if row else None

    async def ending(self, until: date) -> list[Wave]:
        """The running waves of all programmes whose last day is that one or before."""
        rows = self._waves.find({"state": "running", "ends_on": {"$lte": until.isoformat()}}, sort=[("_id", 1)])
        return [read(Wave, row) async for row in rows]

    async def insert(self, wave: Wave, tx: Transaction) -> None:
        await self._waves.insert_one(document(wave), session=tx.session)

    async def save(self, before: Wave, after: Wave, tx: Transaction) -> None:
        """Raises StaleVersion if it has changed meanwhile, Conflict `wave-undecided` where another one runs."""
        try:
            await save_row(self._waves, {"_id": before.id}, before.version, changes(after), tx)
        except DuplicateKeyError:
            raise Conflict("Another wave has no decision yet.", type_="wave-undecided", name="") from None

    async def delete(self, wave: Wave, tx: Transaction) -> None:
        """Raises StaleVersion if it has changed meanwhile."""
        await delete_row(self._waves, wave.id, wave.version, tx)

    # --- who is in a cohort -----------------------------------------------------------------------------------

    async def members(self, program_id: str, people: Sequence[str], tx: Transaction) -> dict[str, Member]:
        """By person, those of the people who are or were in a cohort of the programme."""
        wanted = {"_id": {"$in": [_member_id(program_id, one) for one in people]}}
        rows = await self._members.find(wanted, session=tx.session).to_list()
        return {row["person_id"]: read(Member, row) for row in rows}

    async def of_person(self, person_id: str, tx: Transaction | None = None) -> list[Member]:
        """A person's places, one a programme."""
        session = tx.session if tx else None
        rows = await self._members.find({"person_id": person_id}, sort=[("_id", 1)], session=session).to_list()
        return [read(Member, row) for row in rows]

    async def some_members(self, wave_id: str, limit: int, tx: Transaction) -> list[Member]:
        rows = await self._members.find({"wave_id": wave_id}, limit=limit, session=tx.session).to_list()
        return [read(Member, row) for row in rows]

    async def members_after(self, wave_id: str, after: str, limit: int, tx: Transaction) -> list[Member]:
        """Members who are ambassadors still, in the order of their ids, after one."""
        where = {"wave_id": wave_id, "left_at": None, "_id": {"$gt": after}}
        rows = await self._members.find(where, sort=[("_id", 1)], limit=limit, session=tx.session).to_list()
        return [read(Member, row) for row in rows]

    async def count_members(self, ids: Sequence[str]) -> dict[str, tuple[int, int]]:
        """By wave, how many entered, and how many of these are ambassadors no more."""
        stages: list[Document] = [
            {"$match": {"wave_id": {"$in": list(ids)}}},
            {
                "$group": {
                    "_id": "$wave_id",
                    "entered": {"$sum": 1},
                    "left": {"$sum": {"$cond": [{"$eq": [{"$ifNull": ["$left_at", None]}, None]}, 0, 1]}},
                }
            },
        ]
        cursor = await self._members.aggregate(stages)
        return {row["_id"]: (row["entered"], row["left"]) async for row in cursor}

    async def member(self, program_id: str, person_id: str) -> Member | None:
        """A person's place in a cohort of the programme."""
        row = await self._members.find_one({"_id": _member_id(program_id, person_id)})
        return read(Member, row) if row else None

    async def count_staying(self, wave_id: str, tx: Transaction) -> int:
        """How many of a cohort are ambassadors still."""
        return await self._members.count_documents({"wave_id": wave_id, "left_at": None}, session=tx.session)

    async def enter(self, wave: Wave, people: Sequence[str], tx: Transaction) -> None:
        """Put people into the cohort; who was in it before is there again, since when they entered first."""
        writes = [
            UpdateOne(
                {"_id": _member_id(wave.program_id, one)},
                {
                    "$set": {"left_at": None},
                    "$setOnInsert": {
                        "program_id": wave.program_id,
                        "person_id": one,
                        "wave_id": wave.id,
                        "entered_at": tx.now,
                    },
                },
                upsert=True,
            )
            for one in people
        ]
        if writes:
            await self._members.bulk_write(writes, session=tx.session, ordered=False)

    async def leave(self, member: Member, tx: Transaction) -> None:
        """Note that somebody is an ambassador no more."""
        await self._members.update_one({"_id": member.id}, {"$set": {"left_at": tx.now}}, session=tx.session)

    async def take_out(self, members: Sequence[Member], tx: Transaction) -> None:
        """Forget that people were in a cohort: they can enter another."""
        await self._members.delete_many({"_id": {"$in": [one.id for one in members]}}, session=tx.session)

    # --- who is still to be looked at -------------------------------------------------------------------------

    async def begin_filling(self, filling: Filling, tx: Transaction) -> None:
        """In place of any that was under way for the wave."""
        await self._fillings.update_one(
            {"_id": filling.id}, {"$set": changes(filling)}, upsert=True, session=tx.session
        )

    async def filling(self, wave_id: str, tx: Transaction) -> Filling | None:
        row = await self._fillings.find_one({"_id": wave_id}, session=tx.session)
        return read(Filling, row) if row else None

    async def end_filling(self, wave_id: str, tx: Transaction) -> None:
        await self._fillings.delete_one({"_id": wave_id}, session=tx.session)

    async def due_fillings(self, now: datetime) -> list[Filling]:
        """Those that go on now. There is at most one a wave."""
        rows = await self._fillings.find({"$or": [{"due": None}, {"due": {"$lte": now}}]}).to_list()
        return [read(Filling, row) for row in rows]


def _member_id(program_id: str, person_id: str) -> str:
    return f"{program_id}|{person_id}"
