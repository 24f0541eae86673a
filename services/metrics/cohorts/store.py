"""Who is in which cohort, which waves were started, and what closed surveys said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pymongo import IndexModel, UpdateOne

from chassis.mongo import Document, Mongo, Transaction, pieces
from chassis.mongo.projection import when_newer
from services.metrics.domain.cohorts import CohortChange, place
from services.metrics.store.shared import AT_ONCE

Pair = tuple[str, str]
"""Wave and person."""


class Cohorts:
    """The collections `waves`, `cohort_members` (by wave and person) and `survey_results`."""

    def __init__(self, mongo: Mongo) -> None:
        self._waves = mongo.db["waves"]
        self._members = mongo.db["cohort_members"]
        self._surveys = mongo.db["survey_results"]

    async def ensure_indexes(self) -> None:
        await self._waves.create_index([("program_id", 1), ("starts_on", 1)])
        await self._members.create_indexes([IndexModel([("wave_id", 1), ("entered_at", 1)]), IndexModel("person_id")])
        await self._surveys.create_index([("wave_id", 1), ("closes_on", 1)])

    # --- what consumers write -----------------------------------------------------------------------------------

    async def put_waves(self, rows: Sequence[Document], tx: Transaction) -> None:
        """Each wave's newest state."""
        writes = [
            UpdateOne(
                {"_id": row["_id"]},
                [
                    {
                        "$set": {
                            "program_id": row["program_id"],
                            **when_newer(row["revision"], {name: row[name] for name in ("starts_on", "ends_on")}),
                        }
                    }
                ],
                upsert=True,
            )
            for row in rows
        ]
        await self._waves.bulk_write(writes, session=tx.session, ordered=True)

    async def put_surveys(self, rows: Sequence[Document], tx: Transaction) -> None:
        writes = [UpdateOne({"_id": row["_id"]}, {"$set": row}, upsert=True) for row in rows]
        await self._surveys.bulk_write(writes, session=tx.session, ordered=False)

    async def add_changes(
        self, program_of: Mapping[str, str], changes: Mapping[Pair, Sequence[CohortChange]], tx: Transaction
    ) -> None:
        """Add to the histories of (wave, person) and derive their places: one read, one write."""
        ids = {pair: "|".join(pair) for pair in changes}
        known: dict[str, list[CohortChange]] = {}
        for some in pieces(list(ids.values()), AT_ONCE):
            cursor = self._members.find({"_id": {"$in": some}}, {"changes": 1}, session=tx.session)
            known |= {row["_id"]: [CohortChange(*one[:3]) for one in row["changes"]] async for row in cursor}
        writes: list[UpdateOne] = []
        for pair, id in ids.items():
            history = sorted({*known.get(id, []), *changes[pair]}, key=lambda one: (one.at, one.id))
            found = place(history)
            row: Document = {
                "program_id": program_of[pair[0]],
                "wave_id": pair[0],
                "person_id": pair[1],
                "changes": [[one.at, one.id, one.step] for one in history],
                "entered_at": found.entered_at,
                "left": found.left,
            }
            writes.append(UpdateOne({"_id": id}, {"$set": row}, upsert=True))
        for part in pieces(writes):
            await self._members.bulk_write(part, session=tx.session, ordered=False)

    # --- what queries read --------------------------------------------------------------------------------------

    async def wave(self, program_id: str, wave_id: str) -> Document | None:
        return await self._waves.find_one({"_id": wave_id, "program_id": program_id})

    async def before(self, program_id: str, starts_on: str) -> list[Document]:
        """The waves that began before that day, the last one first."""
        wanted = {"program_id": program_id, "starts_on": {"$lt": starts_on}}
        return await self._waves.find(wanted, sort=[("starts_on", -1)]).to_list()

    async def has_members(self, wave_id: str) -> bool:
        wanted = {"wave_id": wave_id, "entered_at": {"$ne": None}}
        return await self._members.find_one(wanted, {"_id": 1}) is not None

    async def members(self, wave_id: str) -> dict[str, tuple[float, bool]]:
        """Since when each member is in it, and whether they left the programme."""
        wanted = {"wave_id": wave_id, "entered_at": {"$ne": None}}
        shown = {"_id": 0, "person_id": 1, "entered_at": 1, "left": 1}
        cursor = self._members.find(wanted, shown, batch_size=AT_ONCE)
        return {row["person_id"]: (row["entered_at"], row["left"]) async for row in cursor}

    async def last_survey(self, wave_id: str) -> Document | None:
        """The last closed survey that was asked of this wave alone."""
        return await self._surveys.find_one({"wave_id": wave_id}, sort=[("closes_on", -1), ("_id", -1)])
