"""Every query and index of metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from pymongo import InsertOne, ReplaceOne, UpdateOne

from chassis.mongo import Document, Mongo, Transaction
from services.metrics.domain.counts import FIELDS, Counts, Enrolment, Turn, spans
from services.metrics.domain.periods import Period

Key = tuple[str, ...]
Changes = Mapping[Key, MutableMapping[str, int]]
"""By key of a counters document, what is added to which of its fields."""
AT_ONCE = 10_000  # rows of an answer: MongoDB's default is to be asked anew after 101
GOAL = ("kpi", "target", "starts_on", "ends_on")


class Store:
    """Facts by event id; day counters by item (`totals`) and by ambassador (`person_days`); enrolments; the rest."""

    def __init__(self, mongo: Mongo) -> None:
        db = mongo.db
        self.facts = db["facts"]
        self.totals = db["totals"]
        self.person_days = db["person_days"]
        self.enrolments = db["enrolments"]
        self.programs = db["programs"]
        self.contents = db["contents"]
        self.objectives = db["objectives"]
        self.rates = db["rates"]
        self.waiting = db["waiting"]
        self.pulse = db["pulse"]
        self.principals = db["principals"]
        self._zones: dict[str, str] = {}

    async def ensure_indexes(self) -> None:
        await self.facts.create_index([("post_id", 1), ("type", 1)])
        await self.totals.create_index([("program_id", 1), ("day", 1)])
        await self.person_days.create_index([("program_id", 1), ("day", 1)])
        await self.person_days.create_index([("program_id", 1), ("ambassador_id", 1), ("day", 1)])
        await self.enrolments.create_index([("program_id", 1), ("spans.since", 1)])
        await self.contents.create_index([("program_id", 1), ("published_at", 1)])
        await self.objectives.create_index([("program_id", 1), ("reached_at", 1)])
        await self.rates.create_index([("program_id", 1), ("version", 1)], unique=True)
        await self.waiting.create_index("program_id")
        await self.principals.create_index("leader", partialFilterExpression={"leader": True})

    # --- what consumers write ---------------------------------------------------------------------------------

    async def time_zones(self, programs: Iterable[str], tx: Transaction) -> dict[str, str]:
        """The time zones of those programmes that are known; they never change."""
        asked = set(programs)
        if unknown := asked - self._zones.keys():
            cursor = self.programs.find({"_id": {"$in": list(unknown)}}, {"time_zone": 1}, session=tx.session)
            self._zones.update({row["_id"]: row["time_zone"] async for row in cursor})
        return {program: self._zones[program] for program in asked & self._zones.keys()}

    async def put_programs(self, rows: Sequence[Document], tx: Transaction) -> None:
        writes = [UpdateOne({"_id": row["_id"]}, {"$set": row}, upsert=True) for row in rows]
        await self.programs.bulk_write(writes, session=tx.session, ordered=False)

    async def keep_waiting(self, rows: Sequence[Document], tx: Transaction) -> None:
        """Each once, however often it is told."""
        writes = [UpdateOne({"_id": row["_id"]}, {"$setOnInsert": row}, upsert=True) for row in rows]
        await self.waiting.bulk_write(writes, session=tx.session, ordered=False)

    async def take_waiting(self, program_id: str, tx: Transaction, *, limit: int = 500) -> list[Document]:
        cursor = self.waiting.find({"program_id": program_id}, session=tx.session, sort=[("_id", 1)], limit=limit)
        rows = await cursor.to_list()
        if rows:
            await self.waiting.delete_many({"_id": {"$in": [row["_id"] for row in rows]}}, session=tx.session)
        return rows

    async def overdue(self) -> list[str]:
        """Programmes that are known although something still waits for them."""
        awaited = await self.waiting.distinct("program_id")
        return [row["_id"] async for row in self.programs.find({"_id": {"$in": awaited}}, {"_id": 1})]

    async def booked(self, ids: Iterable[str], tx: Transaction) -> set[str]:
        """Those of the events that are facts already."""
        cursor = self.facts.find({"_id": {"$in": list(ids)}}, {"_id": 1}, session=tx.session)
        return {row["_id"] async for row in cursor}

    async def insert_facts(self, rows: Sequence[Document], tx: Transaction) -> None:
        await self.facts.insert_many(rows, session=tx.session, ordered=False)

    async def facts_of_posts(self, posts: Iterable[str], tx: Transaction) -> list[Document]:
        """The facts of shares and removals."""
        wanted = {"post_id": {"$in": list(posts)}, "type": {"$in": ["share", "removal"]}}
        return await self.facts.find(wanted, session=tx.session).to_list()

    async def add(self, totals: Changes, persons: Changes, tx: Transaction) -> None:
        """Add to the counters: totals by (program, day, network, content), persons by (program, day, ambassador,
        network). One bulk write each."""
        await self._add(self.totals, ("program_id", "day", "network", "content_id"), totals, tx)
        await self._add(self.person_days, ("program_id", "day", "ambassador_id", "network"), persons, tx)

    async def _add(self, collection: Any, names: Key, counts: Changes, tx: Transaction) -> None:
        writes = [
            UpdateOne(
                {"_id": "|".join(key)},
                {"$inc": change, "$setOnInsert": dict(zip(names, key, strict=True))},
                upsert=True,
            )
            for key, one in counts.items()
            if (change := {name: number for name, number in one.items() if number})
        ]
        if writes:
            await collection.bulk_write(writes, session=tx.session, ordered=False)

    async def enrol(self, turns: Mapping[tuple[str, str], Sequence[Turn]], tx: Transaction) -> None:
        """Add to the histories of (programme, person) and derive when they were enrolled: one read, one write."""
        if not turns:
            return
        ids = {pair: "|".join(pair) for pair in turns}
        cursor = self.enrolments.find({"_id": {"$in": list(ids.values())}}, session=tx.session)
        known = {row["_id"]: [Turn(*one) for one in row["turns"]] async for row in cursor}
        writes: list[ReplaceOne[Document]] = []
        for pair, id in ids.items():
            history = sorted({*known.get(id, []), *turns[pair]}, key=lambda one: (one.at, one.id))
            row: Document = {
                "program_id": pair[0],
                "person_id": pair[1],
                "turns": [[one.at, one.id, one.joined] for one in history],
                "spans": [{"since": since, "until": until} for since, until in spans(history)],
            }
            writes.append(ReplaceOne({"_id": id}, row, upsert=True))
        await self.enrolments.bulk_write(writes, session=tx.session, ordered=False)

    async def put_contents(self, writes: Sequence[UpdateOne | InsertOne[Document]], tx: Transaction) -> None:
        await self.contents.bulk_write(writes, session=tx.session, ordered=True)

    async def put_objective(self, row: Document, tx: Transaction) -> None:
        """Set the objective unless a later revision is there. What was reached stays so unless its goal moved."""
        known = await self.objectives.find_one({"_id": row["_id"]}, session=tx.session)
        if known is not None and known["revision"] >= row["revision"]:
            return
        if known is not None and all(known[name] == row[name] for name in GOAL):
            row = {**row, "reached_at": known["reached_at"]}
        await self.objectives.replace_one({"_id": row["_id"]}, row, upsert=True, session=tx.session)

    async def beat(self, programs: Mapping[str, str | None], tx: Transaction) -> None:
        """Say that the figures of these programmes moved, and in which trace."""
        writes = [
            UpdateOne(
                {"_id": program_id},
                {"$inc": {"beats": 1}, "$set": {"traceparent": traceparent, "at": tx.now}},
                upsert=True,
            )
            for program_id, traceparent in programs.items()
        ]
        if writes:
            await self.pulse.bulk_write(writes, session=tx.session, ordered=False)

    # --- what queries read ------------------------------------------------------------------------------------

    async def program(self, program_id: str) -> Document | None:
        return await self.programs.find_one({"_id": program_id})

    async def sum_totals(
        self,
        program_id: str,
        period: Period,
        group: Sequence[str],
        *,
        where: Mapping[str, str] = MappingProxyType({}),
        fields: Sequence[str] = FIELDS,
    ) -> dict[Key, Counts]:
        """Counts of the period grouped by some of day, network, content_id."""
        return await self._sum(self.totals, program_id, period, group, where, fields)

    async def sum_persons(
        self,
        program_id: str,
        period: Period,
        group: Sequence[str],
        *,
        where: Mapping[str, Any] = MappingProxyType({}),
        fields: Sequence[str] = FIELDS,
    ) -> dict[Key, Counts]:
        """Counts of the period grouped by some of day, network, ambassador_id."""
        return await self._sum(self.person_days, program_id, period, group, where, fields)

    async def _sum(
        self,
        collection: Any,
        program_id: str,
        period: Period,
        group: Sequence[str],
        where: Mapping[str, Any],
        fields: Sequence[str],
    ) -> dict[Key, Counts]:
        days = {"$gte": period.first.isoformat(), "$lte": period.last.isoformat()}
        match = {"program_id": program_id, "day": days, **where}
        sums = {name: {"$sum": f"${name}"} for name in fields}
        stages = [{"$match": match}, {"$group": {"_id": [f"${name}" for name in group], **sums}}]
        cursor = await collection.aggregate(stages, batchSize=AT_ONCE)
        return {tuple(row["_id"]): Counts.of_fields(row) async for row in cursor}

    async def enrolments_of(self, program_id: str, start: datetime, end: datetime) -> list[Enrolment]:
        """Enrolments of whom was enrolled at any time in [start, end)."""
        overlap = {"since": {"$lt": end.timestamp()}, "$or": [{"until": None}, {"until": {"$gt": start.timestamp()}}]}
        wanted = {"program_id": program_id, "spans": {"$elemMatch": overlap}}
        cursor = self.enrolments.find(wanted, {"person_id": 1, "spans": 1}, batch_size=AT_ONCE)
        return [Enrolment(row["person_id"], one["since"], one["until"]) async for row in cursor for one in row["spans"]]

    async def people(self, ids: Iterable[str]) -> dict[str, Document]:
        """Country, team and leadership by person, as known now."""
        wanted = {"_id": {"$in": list(ids)}}
        cursor = self.principals.find(wanted, {"country": 1, "team": 1, "leader": 1}, batch_size=AT_ONCE)
        return {row["_id"]: row async for row in cursor}

    async def leaders(self) -> set[str]:
        """The company's leaders, as known now."""
        cursor = self.principals.find({"leader": True}, {"_id": 1}, batch_size=AT_ONCE)
        return {row["_id"] async for row in cursor}

    async def published(self, program_id: str, start: datetime, end: datetime) -> int:
        """How many items could be shared at some time in [start, end)."""
        available = {"published_at": {"$lt": end}, "$or": [{"retired_at": None}, {"retired_at": {"$gt": start}}]}
        return await self.contents.count_documents({"program_id": program_id, "shareable": True, **available})

    async def rates_of(self, program_id: str, tx: Transaction | None = None) -> list[Document]:
        session = tx.session if tx else None
        return await self.rates.find({"program_id": program_id}, sort=[("version", 1)], session=session).to_list()

    async def objective_of(self, program_id: str) -> Document | None:
        return await self.objectives.find_one({"program_id": program_id}, sort=[("starts_on", -1)])

    async def open_objectives(self, limit: int = 500) -> list[Document]:
        return await self.objectives.find({"reached_at": None}, limit=limit).to_list()

    async def mark_reached(self, objective_id: str, revision: int, tx: Transaction) -> bool:
        """Whether it was this call that marked it."""
        found = await self.objectives.update_one(
            {"_id": objective_id, "revision": revision, "reached_at": None},
            {"$set": {"reached_at": tx.now}},
            session=tx.session,
        )
        return found.modified_count == 1

    async def beat_of(self, program_id: str) -> Document | None:
        return await self.pulse.find_one({"_id": program_id})
