"""How many people there are, by what they are in a programme, where they are and what they do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from chassis.mongo import Document, Mongo
from chassis.text import match_key
from services.program.domain import fields
from services.program.domain.diversity import Cell
from services.program.domain.people import Group, Groups, Status

_GROUPED = {"country": fields.UNKNOWN_COUNTRY, "team": fields.UNKNOWN_TEAM, "site": None}


class Headcounts:
    """The collection `people`, counted."""

    def __init__(self, mongo: Mongo) -> None:
        self._people = mongo.db["people"]

    async def of_company(self) -> int:
        """How many people are with the company, as far as Herald knows them."""
        return await self._people.count_documents({"active": True})

    async def count_by_status(self, program_id: str) -> dict[Status, int]:
        """How many people have each status in a programme."""
        pipeline: list[dict[str, Any]] = [
            {"$match": {"memberships.program_id": program_id}},
            {"$unwind": "$memberships"},
            {"$match": {"memberships.program_id": program_id}},
            {"$group": {"_id": "$memberships.status", "n": {"$sum": 1}}},
        ]
        return {row["_id"]: row["n"] async for row in await self._people.aggregate(pipeline)}

    async def count_of_links(self, program_id: str, links: Sequence[str]) -> dict[str, dict[Status, int]]:
        """How many people followed each link, by what they are in the programme now."""
        pipeline: list[dict[str, Any]] = [
            {"$match": {"memberships.link_id": {"$in": list(links)}}},
            {"$unwind": "$memberships"},
            {"$match": {"memberships.program_id": program_id, "memberships.link_id": {"$in": list(links)}}},
            {"$group": {"_id": {"link": "$memberships.link_id", "status": "$memberships.status"}, "n": {"$sum": 1}}},
        ]
        found: dict[str, dict[Status, int]] = {}
        async for row in await self._people.aggregate(pipeline):
            found.setdefault(row["_id"]["link"], {})[row["_id"]["status"]] = row["n"]
        return found

    async def count_leaders(self, program_id: str) -> dict[str, int]:
        """How many leaders with the company have each status in a programme, `none` or `paused`."""
        own = {
            "$filter": {"input": {"$ifNull": ["$memberships", []]}, "cond": {"$eq": ["$$this.program_id", program_id]}}
        }
        pipeline: list[dict[str, Any]] = [
            {"$match": {"leader": True, "active": True}},
            {"$project": {"own": {"$first": own}}},
            {
                "$group": {
                    "_id": {"$ifNull": ["$own.status", "none"]},
                    "n": {"$sum": 1},
                    "paused": {"$sum": {"$cond": [{"$ifNull": ["$own.paused_since", False]}, 1, 0]}},
                }
            },
        ]
        rows = await (await self._people.aggregate(pipeline)).to_list()
        return {**{row["_id"]: row["n"] for row in rows}, "paused": sum(row["paused"] for row in rows)}

    async def groups(self, program_id: str | None, most: int) -> Groups:
        """Countries, teams and sites with the numbers of their people and of the programme's ambassadors: the `most`
        with the most people, by name."""
        mine = {"$and": [{"$eq": ["$$this.program_id", program_id]}, {"$eq": ["$$this.status", "joined"]}]}
        joined = {"$size": {"$filter": {"input": {"$ifNull": ["$memberships", []]}, "cond": mine}}}
        facets = {
            name: [
                {"$match": {name: {"$nin": [None, unknown]}}},
                {"$group": {"_id": f"${name}", "people": {"$sum": 1}, "ambassadors": {"$sum": joined}}},
                {"$sort": {"people": -1, "_id": 1}},
                {"$limit": most},
            ]
            for name, unknown in _GROUPED.items()
        }
        [found] = await (await self._people.aggregate([{"$match": {"active": True}}, {"$facet": facets}])).to_list()
        return Groups(*(_groups(found[name]) for name in _GROUPED))

    async def diversity(self, program_id: str) -> dict[str, list[Cell]]:
        """Everybody with the company by what they do, their level, country and site, with the programme's ambassadors
        and those who were never asked."""
        own = {
            "$filter": {"input": {"$ifNull": ["$memberships", []]}, "cond": {"$eq": ["$$this.program_id", program_id]}}
        }
        status = {"$first": {"$map": {"input": own, "in": "$$this.status"}}}
        counted = {
            "people": {"$sum": 1},
            "ambassadors": {"$sum": {"$cond": [{"$eq": [status, "joined"]}, 1, 0]}},
            "free": {"$sum": {"$cond": [{"$eq": [{"$ifNull": [status, None]}, None]}, 1, 0]}},
        }
        fields = {"jobs": "job", "levels": "level", "countries": "country", "sites": "site"}
        facets = {
            name: [{"$group": {"_id": {"name": f"${field}", **_within(name)}, **counted}}]
            for name, field in fields.items()
        }
        [found] = await (await self._people.aggregate([{"$match": {"active": True}}, {"$facet": facets}])).to_list()
        return {name: _cells(found[name], _GROUPED["country"]) for name in fields}


def _groups(rows: Iterable[Document]) -> tuple[Group, ...]:
    found = [Group(row["_id"], row["people"], row["ambassadors"]) for row in rows]
    return tuple(sorted(found, key=lambda one: (match_key(one.name), one.name)))


def _within(dimension: str) -> dict[str, str]:
    return {"within": "$country"} if dimension == "sites" else {}


def _cells(rows: Iterable[Document], unknown: str | None) -> list[Cell]:
    """`unknown` is the country of whom none is known."""

    def known(name: str | None) -> str | None:
        return None if name == unknown else name

    return [
        Cell(
            known(row["_id"].get("name")),
            row["people"],
            row["ambassadors"],
            row["free"],
            known(row["_id"].get("within")),
        )
        for row in rows
    ]
