"""Who may be seen on a programme's leaderboards, with how many points; and what changes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from pymongo.asynchronous.change_stream import AsyncChangeStream

from chassis.mongo import Document, Mongo
from services.gamification.domain.periods import ALL
from services.gamification.domain.standings import Change, Group, Member

CHUNK = 1000
CHANGE_WAIT_MS = 100


class Standings:
    """Reads `balances` and `principals` together.

    Ranked are those who are with the company, are ambassadors of the programme and opted out neither of rankings nor of
    named statistics: a line of a leaderboard is both.
    """

    def __init__(self, mongo: Mongo) -> None:
        self._db = mongo.db
        self._balances = mongo.db["balances"]
        self._principals = mongo.db["principals"]

    async def ensure_indexes(self) -> None:
        await self._principals.create_index("memberships")

    async def visible(self, program_id: str, ids: Iterable[str]) -> dict[str, Member]:
        """Those of the ids that may be ranked."""
        cursor = self._principals.find(
            {"_id": {"$in": list(ids)}, **_may_be_ranked(program_id)}, {"country": 1, "team": 1, "leader": 1}
        )
        return {row["_id"]: Member(row["country"], row["team"], row["leader"]) async for row in cursor}

    async def members(self, program_id: str) -> AsyncIterator[list[str]]:
        """The ids of all who may be ranked, in pieces."""
        cursor = self._principals.find(_may_be_ranked(program_id), {"_id": 1}).batch_size(CHUNK)
        piece: list[str] = []
        async for row in cursor:
            piece.append(row["_id"])
            if len(piece) == CHUNK:
                yield piece
                piece = []
        if piece:
            yield piece

    async def points(self, program_id: str, periods: Sequence[str], ids: Sequence[str]) -> dict[tuple[str, str], int]:
        """Points by (period, person), of those who have any."""
        wanted = [f"{program_id}|{id}|{period}" for id in ids for period in periods]
        cursor = self._balances.find({"_id": {"$in": wanted}, "points": {"$gt": 0}})
        return {(row["period"], row["ambassador_id"]): row["points"] async for row in cursor}

    async def scores(self, program_id: str, period: str) -> AsyncIterator[list[tuple[str, int]]]:
        """Everybody's points, ranked or not, in descending order, in pieces."""
        chosen: Document = {"program_id": program_id, "period": period, "points": {"$gt": 0}}
        cursor = (
            self._balances.find(chosen, {"_id": 0, "ambassador_id": 1, "points": 1})
            .sort([("points", -1), ("ambassador_id", -1)])
            .batch_size(CHUNK)
        )
        piece: list[tuple[str, int]] = []
        async for row in cursor:
            piece.append((row["ambassador_id"], row["points"]))
            if len(piece) == CHUNK:
                yield piece
                piece = []
        if piece:
            yield piece

    async def groups(self, program_id: str, period: str, group: Group) -> list[tuple[str, int, int]]:
        """Name, points and number of ambassadors of each team or country."""
        pipeline: list[Document] = [
            {"$match": _may_be_ranked(program_id)},
            {"$project": {"group": f"${group}", "balance": {"$concat": [program_id, "|", "$_id", "|", period]}}},
            {"$lookup": {"from": "balances", "localField": "balance", "foreignField": "_id", "as": "balance"}},
            {
                "$group": {
                    "_id": "$group",
                    "points": {"$sum": {"$sum": "$balance.points"}},
                    "ambassadors": {"$sum": 1},
                }
            },
        ]
        cursor = await self._principals.aggregate(pipeline, batchSize=CHUNK)
        return [(row["_id"], row["points"], row["ambassadors"]) async for row in cursor]

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[Changes]:
        """What changes from now on. Every booking moves the balance of all time. Raises PyMongoError."""
        async with await self._db.watch(
            [
                {
                    "$match": {
                        "operationType": {"$in": ["insert", "update", "replace", "delete"]},
                        "$or": [
                            {"ns.coll": "principals"},
                            {"ns.coll": "balances", "documentKey._id": {"$regex": rf"\|{ALL}$"}},
                        ],
                    }
                },
                {"$project": {"ns.coll": 1, "documentKey": 1}},
            ],
            max_await_time_ms=CHANGE_WAIT_MS,
        ) as stream:
            yield Changes(stream)


class Changes:
    """Persons whose standing may have changed, as they do."""

    def __init__(self, stream: AsyncChangeStream[Document]) -> None:
        self._stream = stream

    async def next(self) -> Change | None:
        """The next change; None where there is none for a moment."""
        event = await self._stream.try_next()
        if event is None:
            return None
        id: str = event["documentKey"]["_id"]
        if event["ns"]["coll"] == "principals":
            return Change(id, None)
        program_id, person_id, _ = id.split("|")
        return Change(person_id, program_id)


def _may_be_ranked(program_id: str) -> Document:
    return {
        "memberships": program_id,
        "active": True,
        "hidden_from_rankings": {"$ne": True},
        "hidden_from_statistics": {"$ne": True},
    }
