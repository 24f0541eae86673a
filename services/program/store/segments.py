"""People of a segment, and those who meet the criteria of a wave's cohort."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chassis.mongo import Document, Mongo, Transaction
from chassis.mongo.rows import read
from chassis.mongo.search import MAX_COUNTED
from services.program.domain.people import Person, Segment
from services.program.domain.waves import Criteria, Wave
from services.program.store.waves import MEMBERS


class Segments:
    """The people of the collection `people` by what they have in common."""

    def __init__(self, mongo: Mongo) -> None:
        self._people = mongo.db["people"]

    async def invitable(self, program_id: str, segment: Segment, limit: int, tx: Transaction) -> list[Person]:
        """People of a segment who were never asked or part of the programme, oldest first."""
        where = _of_segment(segment) | {"active": True, "memberships.program_id": {"$ne": program_id}}
        cursor = self._people.find(where, sort=[("_id", 1)], limit=limit, session=tx.session)
        return [read(Person, row) for row in await cursor.to_list()]

    async def count_segment(self, program_id: str, segment: Segment, tx: Transaction) -> tuple[dict[str, int], int]:
        """How many people of a segment are not invited for which reason, and how many can be."""
        mine = {"$filter": {"input": "$memberships", "cond": {"$eq": ["$$this.program_id", program_id]}}}
        status = {"$ifNull": [{"$first": {"$map": {"input": mine, "in": "$$this.status"}}}, None]}
        pipeline: list[dict[str, Any]] = [
            {"$match": _of_segment(segment)},
            {"$group": {"_id": {"$cond": ["$active", status, "inactive"]}, "n": {"$sum": 1}}},
        ]
        rows = await self._people.aggregate(pipeline, session=tx.session)
        found = {row["_id"]: int(row["n"]) async for row in rows}
        free = found.pop(None, 0)
        reasons = {"invited": "already_invited", "joined": "already_joined"}
        return {reasons.get(status, status): count for status, count in found.items()}, free

    async def count_ambassadors(self, program_id: str, segment: Segment) -> int:
        """How many people of a segment take part in a programme."""
        return await self._people.count_documents({**_of_segment(segment), **_joined(program_id)})

    async def recipients(
        self, program_id: str, segment: Segment, after: str | None, limit: int, tx: Transaction
    ) -> list[Person]:
        """Ambassadors of a segment who have an address, by their ids, after one."""
        where = _recipients(program_id, segment)
        if after is not None:
            where["_id"] = {"$gt": after}
        cursor = self._people.find(where, sort=[("_id", 1)], limit=limit, session=tx.session)
        return [read(Person, row) for row in await cursor.to_list()]

    async def count_recipients(self, program_id: str, segment: Segment, tx: Transaction | None = None) -> int:
        """How many ambassadors of a segment have an address."""
        where = _recipients(program_id, segment)
        return await self._people.count_documents(where, session=tx.session if tx else None)

    async def calendars_of_recipients(self, program_id: str, segment: Segment) -> dict[str, int]:
        """Whose holidays the ambassadors of a segment have who have an address, with how many they are."""
        pipeline: list[Document] = [
            {"$match": _recipients(program_id, segment)},
            {"$group": {"_id": {"$ifNull": ["$holidays", "$country"]}, "people": {"$sum": 1}}},
        ]
        return {row["_id"]: int(row["people"]) async for row in await self._people.aggregate(pipeline)}

    async def for_cohort(
        self, program_id: str, criteria: Criteria, after: str, limit: int, tx: Transaction
    ) -> list[str]:
        """Ids of ambassadors who meet the criteria of a wave, in their order, after one."""
        where = {"$and": [_of_criteria(program_id, criteria), {"_id": {"$gt": after}}]}
        cursor = self._people.find(where, {"_id": 1}, sort=[("_id", 1)], limit=limit, session=tx.session)
        return [row["_id"] for row in await cursor.to_list()]

    async def count_for_cohort(self, wave: Wave, tx: Transaction | None = None) -> int:
        """How many ambassadors meet the criteria and are in no other cohort; counting ends at 10,000."""
        place = {"$concat": [wave.program_id, "|", "$_id"]}
        elsewhere = {"$elemMatch": {"wave_id": {"$ne": wave.id}}}
        stages: list[dict[str, Any]] = [
            {"$match": _of_criteria(wave.program_id, wave.criteria)},
            {"$project": {"place": place}},
            {"$lookup": {"from": MEMBERS, "localField": "place", "foreignField": "_id", "as": "places"}},
            {"$match": {"places": {"$not": elsewhere}}},
            {"$limit": MAX_COUNTED},
            {"$count": "n"},
        ]
        found = await (await self._people.aggregate(stages, session=tx.session if tx else None)).to_list()
        return found[0]["n"] if found else 0

    async def count_outside(self, program_id: str, waves: Sequence[str], most: int, tx: Transaction) -> int:
        """How many ambassadors are in the cohort of none of these waves; counting ends at `most`."""
        stages: list[dict[str, Any]] = [
            {"$match": _joined(program_id)},
            {"$project": {"place": {"$concat": [program_id, "|", "$_id"]}}},
            {"$lookup": {"from": MEMBERS, "localField": "place", "foreignField": "_id", "as": "places"}},
            {"$match": {"places": {"$not": {"$elemMatch": {"wave_id": {"$in": list(waves)}}}}}},
            {"$limit": most},
            {"$count": "n"},
        ]
        found = await (await self._people.aggregate(stages, session=tx.session)).to_list()
        return found[0]["n"] if found else 0


def _of_segment(segment: Segment) -> dict[str, Any]:
    where: dict[str, Any] = {}
    if segment.countries:
        where["country"] = {"$in": list(segment.countries)}
    if segment.teams:
        where["team"] = {"$in": list(segment.teams)}
    if segment.sites:
        where["site"] = {"$in": list(segment.sites)}
    if segment.jobs:
        where["job"] = {"$in": list(segment.jobs)}
    if segment.levels:
        where["level"] = {"$in": list(segment.levels)}
    if segment.leaders_only:
        where["leader"] = True
    return where


def _joined(program_id: str) -> dict[str, Any]:
    return {"memberships": {"$elemMatch": {"program_id": program_id, "status": "joined"}}}


def _recipients(program_id: str, segment: Segment) -> dict[str, Any]:
    return {**_of_segment(segment), "active": True, "email": {"$type": "string"}, **_joined(program_id)}


def _of_criteria(program_id: str, criteria: Criteria) -> dict[str, Any]:
    who = {"_id": {"$in": list(criteria.people)}} if criteria.people else _of_segment(criteria.segment)
    return {**_joined(program_id), **who}
