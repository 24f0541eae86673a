"""Blocked lanes: what Kafka will never take as it is, set aside whole with everything behind it under the same key.

Their rows leave the outbox, where they would be read again and again, and keep their order. An operator looks at them
with `herald outbox blocked` and has them tried again or discards the row that is in the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from chassis.mongo import Document
from chassis.outbox.lanes import Lane

LANES, ROWS = "outbox_blocked", "outbox_aside"
TOO_LARGE, REFUSED = "too-large", "refused"


@dataclass(frozen=True, slots=True)
class BlockedLane:
    """A lane that stands still. `row` is the id of the event in the way, `size` its bytes, `rows` how many are aside.

    `rule` is `too-large` (for any request to Kafka) or `refused` (by Kafka, for reasons of the topic's configuration).
    """

    id: str
    topic: str
    key: bytes
    rule: str
    detail: str
    row: str
    size: int
    at: datetime
    rows: int

    @property
    def lane(self) -> Lane:
        return self.topic, self.key


def lane_id(lane: Lane) -> str:
    """How operators name a lane."""
    topic, key = lane
    return f"{topic}/{key.decode('utf-8', 'backslashreplace')}"


class BlockedLanes:
    """The blocked lanes of one service. What changes something is given the session of a transaction."""

    def __init__(self, db: AsyncDatabase[Document]) -> None:
        self._outbox = db["outbox"]
        self._lanes = db[LANES]
        self._rows = db[ROWS]

    async def ensure_indexes(self) -> None:
        await self._rows.create_index([("lane", ASCENDING), ("seq", ASCENDING)])

    async def all(self) -> list[BlockedLane]:
        """Every blocked lane, the oldest first."""
        return [_lane(row) async for row in self._lanes.find({}, sort=[("at", 1), ("_id", 1)])]

    async def find(self, id: str) -> BlockedLane | None:
        row = await self._lanes.find_one({"_id": id})
        return None if row is None else _lane(row)

    async def rows(self, id: str, *, limit: int = 0) -> list[Document]:
        """The lane's rows in their order, the one in the way first."""
        return await self._rows.find({"lane": id}, sort=[("seq", 1)], limit=limit).to_list()

    async def set_aside(
        self, rows: Sequence[Document], rule: str, detail: str, *, now: datetime, session: AsyncClientSession
    ) -> None:
        """Block the lane of `rows`, of which the first is in the way."""
        [topic, key], first = (rows[0]["topic"], bytes(rows[0]["key"])), rows[0]
        lane = {"topic": topic, "key": key, "rule": rule, "detail": detail, "row": first["_id"], "at": now}
        found = {**lane, "size": len(first["value"] or b""), "rows": len(rows)}
        await self._lanes.replace_one({"_id": lane_id((topic, key))}, found, upsert=True, session=session)
        await self._move(rows, lane_id((topic, key)), session)

    async def follow(self, lane: Lane, rows: Sequence[Document], *, session: AsyncClientSession) -> bool:
        """Set later rows of a blocked lane aside as well; False if it is blocked no more, and nothing was done."""
        id = lane_id(lane)
        found = await self._lanes.update_one({"_id": id}, {"$inc": {"rows": len(rows)}}, session=session)
        if found.matched_count:
            await self._move(rows, id, session)
        return bool(found.matched_count)

    async def _move(self, rows: Iterable[Document], id: str, session: AsyncClientSession) -> None:
        moved = [{**row, "lane": id} for row in rows]
        ids = [row["_id"] for row in moved]
        await self._rows.bulk_write(
            [UpdateOne({"_id": row["_id"]}, {"$setOnInsert": _without_id(row)}, upsert=True) for row in moved],
            session=session,
        )
        await self._outbox.delete_many({"_id": {"$in": ids}}, session=session)

    async def put_back(self, id: str, *, session: AsyncClientSession, discard: bool = False) -> int:
        """Put the lane's rows into the outbox again, in their old order; returns how many.

        With `discard` the row in the way is dropped: it is never published, and its consumers see a gap.
        """
        lane = await self._lanes.find_one_and_delete({"_id": id}, session=session)
        if lane is None:
            return 0
        rows: list[Document] = []
        async for row in self._rows.find({"lane": id}, session=session, sort=[("seq", 1)]):
            del row["lane"]
            if not (discard and row["_id"] == lane["row"]):
                rows.append(row)
        if rows:
            await self._outbox.insert_many(rows, session=session)
        await self._rows.delete_many({"lane": id}, session=session)
        return len(rows)

    async def to_probe(self) -> list[BlockedLane]:
        """Of each topic that refused something the lane whose row is the smallest: the first that may pass again."""
        found: dict[str, BlockedLane] = {}
        async for row in self._lanes.find({"rule": REFUSED}, sort=[("size", 1)]):
            found.setdefault(row["topic"], _lane(row))
        return list(found.values())


def _lane(row: dict[str, Any]) -> BlockedLane:
    return BlockedLane(
        id=row["_id"],
        topic=row["topic"],
        key=bytes(row["key"]),
        rule=row["rule"],
        detail=row["detail"],
        row=row["row"],
        size=row["size"],
        at=row["at"],
        rows=row["rows"],
    )


def _without_id(row: Document) -> Document:
    return {name: value for name, value in row.items() if name != "_id"}
