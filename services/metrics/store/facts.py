"""Facts and what is counted of them, and who was enrolled when."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, MutableMapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from pymongo import IndexModel, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from chassis.mongo import Document, Mongo, Transaction, pieces
from chassis.mongo.projection import when_newer
from chassis.principals import PRINCIPALS
from services.metrics.domain.counts import FIELDS, IMPORTED, Counts
from services.metrics.domain.enrolments import MembershipChange, intervals
from services.metrics.domain.periods import Period
from services.metrics.domain.window import Person
from services.metrics.store.changes import FigureChanges
from services.metrics.store.objectives import Objectives
from services.metrics.store.rates import RateVersions
from services.metrics.store.shared import AT_ONCE, Session

Key = tuple[str, ...]
Increments = Mapping[Key, MutableMapping[str, int]]
"""By key of a counters document, what is added to which of its fields."""
COUNTS_AT_ONCE = 500
OWN_POSTS = 200


class ContentChange(NamedTuple):
    """That an item can be shared since `at` (`shareable`: by everybody), or no longer can (`shareable` is None)."""

    id: str
    program_id: str
    revision: int
    at: datetime
    shareable: bool | None
    kind: str | None = None


class Store:
    """Facts by event id; day counters by item (`totals`), by ambassador (`person_days`), and of acts beside sharing
    (`act_days`); enrolments; what is known of programmes, items and people. The rest by subject, beside it."""

    def __init__(self, mongo: Mongo) -> None:
        db = mongo.db
        self._client = mongo.client
        self.facts = db["facts"]
        self.totals = db["totals"]
        self.person_days = db["person_days"]
        self.act_days = db["act_days"]
        self.enrolments = db["enrolments"]
        self.programs = db["programs"]
        self.contents = db["contents"]
        self.waiting = db["waiting"]
        self.objectives = Objectives(mongo)
        self.rates = RateVersions(mongo)
        self.changes = FigureChanges(mongo)
        self.principals = db[PRINCIPALS]
        self._zones: dict[str, str] = {}

    async def ensure_indexes(self) -> None:
        await self.facts.create_index([("post_id", 1), ("type", 1)])
        await self.facts.create_index(
            [("ambassador_id", 1), ("program_id", 1), ("at", -1)],
            partialFilterExpression={"type": "share"},
            name="own_shares",
        )
        await self.facts.create_index("act_id", partialFilterExpression={"act_id": {"$type": "string"}})
        await self.act_days.create_index([("program_id", 1), ("day", 1)])
        await self.totals.create_index([("program_id", 1), ("day", 1)])
        await self.person_days.create_indexes(
            [
                IndexModel([("program_id", 1), ("day", 1)]),
                IndexModel([("program_id", 1), ("ambassador_id", 1), ("day", 1)]),
            ]
        )
        await self.enrolments.create_index([("program_id", 1), ("intervals.since", 1)])
        await self.contents.create_index([("program_id", 1), ("published_at", 1)])
        await self.waiting.create_index("program_id")
        await self.objectives.ensure_indexes()
        await self.rates.ensure_indexes()
        await self.changes.ensure_indexes()
        await self.principals.create_index("leader", partialFilterExpression={"leader": True})

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncClientSession]:
        """A session whose reads all see the same moment."""
        async with self._client.start_session(snapshot=True) as session:
            yield session

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
        """Keep acts until their programme is known; each once, however often it is delivered."""
        writes = [UpdateOne({"_id": row["_id"]}, {"$setOnInsert": row}, upsert=True) for row in rows]
        for some in pieces(writes):
            await self.waiting.bulk_write(some, session=tx.session, ordered=False)

    async def take_waiting(self, program_id: str, tx: Transaction, *, limit: int = 500) -> list[Document]:
        cursor = self.waiting.find({"program_id": program_id}, session=tx.session, sort=[("_id", 1)], limit=limit)
        rows = await cursor.to_list()
        if rows:
            await self.waiting.delete_many({"_id": {"$in": [row["_id"] for row in rows]}}, session=tx.session)
        return rows

    async def programs_with_waiting(self) -> list[str]:
        """Programmes that are known although acts still wait for them."""
        awaited = await self.waiting.distinct("program_id")
        return [row["_id"] async for row in self.programs.find({"_id": {"$in": awaited}}, {"_id": 1})]

    async def booked(self, ids: Iterable[str], tx: Transaction) -> set[str]:
        """Those of the events that are facts already."""
        cursor = self.facts.find({"_id": {"$in": list(ids)}}, {"_id": 1}, session=tx.session)
        return {row["_id"] async for row in cursor}

    async def insert_facts(self, rows: Sequence[Document], tx: Transaction) -> None:
        for some in pieces(rows):
            await self.facts.insert_many(some, session=tx.session, ordered=False)

    async def facts_of_posts(self, posts: Iterable[str], tx: Transaction) -> list[Document]:
        """The facts of shares and removals; a post has few."""
        wanted = {"post_id": {"$in": list(posts)}, "type": {"$in": ["share", "removal"]}}
        return await self.facts.find(wanted, session=tx.session).to_list()

    async def facts_of_acts(self, acts: Iterable[str], tx: Transaction) -> list[Document]:
        """The facts of acts beside sharing and of their withdrawal; an act has few."""
        wanted = {"act_id": {"$in": list(acts), "$type": "string"}}
        return await self.facts.find(wanted, session=tx.session).to_list()

    async def add_acts(self, acts: Increments, tx: Transaction) -> None:
        """Add to the counters of acts beside sharing: by (program, day, ambassador, act)."""
        await self._add(self.act_days, ("program_id", "day", "ambassador_id", "act"), acts, tx)

    async def add(self, totals: Increments, persons: Increments, tx: Transaction) -> None:
        """Add to the counters: totals by (program, day, network, content), persons by (program, day, ambassador,
        network). One bulk write each."""
        await self._add(self.totals, ("program_id", "day", "network", "content_id"), totals, tx)
        await self._add(self.person_days, ("program_id", "day", "ambassador_id", "network"), persons, tx)

    async def _add(self, collection: Any, names: Key, counts: Increments, tx: Transaction) -> None:
        writes = [
            UpdateOne(
                {"_id": "|".join(key)},
                {"$inc": change, "$setOnInsert": dict(zip(names, key, strict=True))},
                upsert=True,
            )
            for key, one in counts.items()
            if (change := {name: number for name, number in one.items() if number})
        ]
        for some in pieces(writes):
            await collection.bulk_write(some, session=tx.session, ordered=False)

    async def add_membership_changes(
        self, changes: Mapping[tuple[str, str], Sequence[MembershipChange]], tx: Transaction
    ) -> None:
        """Add to the histories of (programme, person) and derive when they were enrolled: one read, one write."""
        ids = {pair: "|".join(pair) for pair in changes}
        cursor = self.enrolments.find({"_id": {"$in": list(ids.values())}}, session=tx.session)
        known = {row["_id"]: [MembershipChange(*one[:3]) for one in row["changes"]] async for row in cursor}
        writes: list[UpdateOne] = []
        for pair, id in ids.items():
            history = sorted({*known.get(id, []), *changes[pair]}, key=lambda one: (one.at, one.id))
            row: Document = {
                "program_id": pair[0],
                "person_id": pair[1],
                "changes": [[one.at, one.id, one.joined] for one in history],
                "intervals": [{"since": since, "until": until} for since, until in intervals(history)],
            }
            writes.append(UpdateOne({"_id": id}, {"$set": row}, upsert=True))
        for some in pieces(writes):
            await self.enrolments.bulk_write(some, session=tx.session, ordered=False)

    async def put_contents(self, contents: Sequence[ContentChange], tx: Transaction) -> None:
        """What can be shared, from when until when; each fact only where it is newer."""
        writes = []
        for one in contents:
            described = {} if one.shareable is None else {"shareable": one.shareable, "kind": one.kind}
            fields: dict[str, Any] = {
                "program_id": one.program_id,
                **when_newer(one.revision, {"retired_at": one.at if one.shareable is None else None}),
                **when_newer(one.revision if described else 0, described, guard="described"),
            }
            if described:
                fields["published_at"] = {"$min": ["$published_at", one.at]}
            writes.append(UpdateOne({"_id": one.id}, [{"$set": fields}], upsert=True))
        for some in pieces(writes):
            await self.contents.bulk_write(some, session=tx.session, ordered=True)

    # --- what queries read ------------------------------------------------------------------------------------

    async def program(self, program_id: str) -> Document | None:
        return await self.programs.find_one({"_id": program_id})

    def sum_totals(
        self,
        program_id: str,
        period: Period,
        group: Sequence[str],
        *,
        where: Mapping[str, str] = MappingProxyType({}),
        fields: Sequence[str] = FIELDS,
        session: Session = None,
    ) -> AsyncIterator[tuple[Key, Counts]]:
        """Counts of the period grouped by some of day, network, content_id."""
        return self._sum(self.totals, program_id, period, group, where, fields, session)

    def sum_persons(
        self,
        program_id: str,
        period: Period,
        group: Sequence[str],
        *,
        where: Mapping[str, Any] = MappingProxyType({}),
        fields: Sequence[str] = FIELDS,
        session: Session = None,
    ) -> AsyncIterator[tuple[Key, Counts]]:
        """Counts of the period grouped by some of day, network, ambassador_id."""
        return self._sum(self.person_days, program_id, period, group, where, fields, session)

    async def _sum(
        self,
        collection: Any,
        program_id: str,
        period: Period,
        group: Sequence[str],
        where: Mapping[str, Any],
        fields: Sequence[str],
        session: Session,
    ) -> AsyncIterator[tuple[Key, Counts]]:
        days = {"$gte": period.first.isoformat(), "$lte": period.last.isoformat()}
        match = {"program_id": program_id, "day": days, **where}
        sums = {name: {"$sum": f"${name}"} for name in fields}
        stages = [{"$match": match}, {"$group": {"_id": [f"${name}" for name in group], **sums}}]
        cursor = await collection.aggregate(stages, batchSize=COUNTS_AT_ONCE, session=session)
        async for row in cursor:
            yield tuple(row["_id"]), Counts.of_fields(row)

    async def acts(
        self, program_id: str, period: Period, *, people: set[str] | None = None, session: Session = None
    ) -> Counter[str]:
        """How many acts beside sharing there were in the period, by what they are; of all, or of `people`."""
        days = {"$gte": period.first.isoformat(), "$lte": period.last.isoformat()}
        found: Counter[str] = Counter()
        cursor = self.act_days.find({"program_id": program_id, "day": days}, batch_size=AT_ONCE, session=session)
        async for row in cursor:
            if people is None or row["ambassador_id"] in people:
                found[row["act"]] += row["count"]
        return found

    async def acts_by_day(self, program_id: str, period: Period, acts: Sequence[str]) -> Counter[str]:
        """How many of these acts there were on which day."""
        days = {"$gte": period.first.isoformat(), "$lte": period.last.isoformat()}
        stages: list[Document] = [
            {"$match": {"program_id": program_id, "day": days, "act": {"$in": list(acts)}}},
            {"$group": {"_id": "$day", "count": {"$sum": "$count"}}},
        ]
        return Counter({row["_id"]: row["count"] async for row in await self.act_days.aggregate(stages)})

    async def enrolled(
        self,
        program_id: str,
        start: datetime,
        end: datetime,
        *,
        people: Iterable[str] | None = None,
        session: Session = None,
    ) -> set[str]:
        """Who was enrolled at any time in [start, end), out of `people` (None: of all)."""
        overlap = {"since": {"$lt": end.timestamp()}, "$or": [{"until": None}, {"until": {"$gt": start.timestamp()}}]}
        wanted: Document = {"program_id": program_id, "intervals": {"$elemMatch": overlap}}
        chosen = [wanted]
        if people is not None:
            some = pieces([f"{program_id}|{id}" for id in people], AT_ONCE)
            chosen = [{**wanted, "_id": {"$in": ids}} for ids in some]
        found: set[str] = set()
        for one in chosen:
            cursor = self.enrolments.find(one, {"_id": 0, "person_id": 1}, batch_size=AT_ONCE, session=session)
            async for row in cursor:
                found.add(row["person_id"])
        return found

    async def people(self, ids: Iterable[str], *, session: Session = None) -> dict[str, Document]:
        """Country, team, leadership and `hidden_from_statistics` by person, as known now."""
        shown = {"country": 1, "team": 1, "leader": 1, "hidden_from_statistics": 1}
        found: dict[str, Document] = {}
        for some in pieces(list(ids), AT_ONCE):
            cursor = self.principals.find({"_id": {"$in": some}}, shown, batch_size=AT_ONCE, session=session)
            async for row in cursor:
                found[row["_id"]] = row
        return found

    async def leaders(self) -> set[str]:
        """The company's leaders, as known now."""
        cursor = self.principals.find({"leader": True}, {"_id": 1}, batch_size=AT_ONCE)
        return {row["_id"] async for row in cursor}

    async def published(self, program_id: str, start: datetime, end: datetime, *, session: Session = None) -> int:
        """How many items could be shared at some time in [start, end)."""
        available = {"published_at": {"$lt": end}, "$or": [{"retired_at": None}, {"retired_at": {"$gt": start}}]}
        wanted = {"program_id": program_id, "shareable": True, **available}
        return await self.contents.count_documents(wanted, session=session)

    async def own_shares(self, program_id: str, person_id: str, start: datetime, end: datetime) -> list[Document]:
        """The facts of a person's latest shares in [start, end), `OWN_POSTS` at most; not those that were imported."""
        where = {"ambassador_id": person_id, "program_id": program_id, "type": "share"}
        when = {"at": {"$gte": start, "$lt": end}, "method": {"$ne": IMPORTED}}
        return await self.facts.find({**where, **when}, sort=[("at", -1)], limit=OWN_POSTS).to_list()

    async def removed_before(self, posts: Sequence[str], moment: datetime) -> set[str]:
        """Those of the posts that were taken back before that moment."""
        where = {"post_id": {"$in": list(posts)}, "type": "removal", "at": {"$lt": moment}}
        return {row["post_id"] async for row in self.facts.find(where, {"post_id": 1})}

    async def clicks_after(self, shared_at: Mapping[str, datetime], within: timedelta) -> dict[str, int]:
        """How many measured and counted clicks each post had within a time after it was shared."""
        if not shared_at:
            return {}
        spans = [{"post_id": post, "type": "engagement", "at": {"$lt": at + within}} for post, at in shared_at.items()]
        counted = {"kind": "click", "verdict": "counted", "measure": "measured"}
        stages: list[Document] = [
            {"$match": {"$or": spans, **counted}},
            {"$group": {"_id": "$post_id", "clicks": {"$sum": "$quantity"}}},
        ]
        cursor = await self.facts.aggregate(stages, batchSize=AT_ONCE)
        return {row["_id"]: int(row["clicks"]) async for row in cursor}

    async def kinds(self, contents: Iterable[str]) -> dict[str, str]:
        """Of what kind the items are, as far as it is known."""
        where = {"_id": {"$in": list(contents)}, "kind": {"$type": "string"}}
        return {row["_id"]: row["kind"] async for row in self.contents.find(where, {"kind": 1})}

    async def first_day(self, program_id: str) -> date | None:
        """The first day on which anything was counted."""
        firsts = [
            await one.find_one({"program_id": program_id}, {"day": 1}, sort=[("day", 1)])
            for one in (self.totals, self.act_days)
        ]
        return min((date.fromisoformat(row["day"]) for row in firsts if row), default=None)

    async def first_shares(self, program_id: str, period: Period) -> dict[str, str]:
        """Who shared in the period, and on which day first."""
        days = {"$gte": period.first.isoformat(), "$lte": period.last.isoformat()}
        stages: list[Document] = [
            {"$match": {"program_id": program_id, "day": days}},
            {"$group": {"_id": {"person": "$ambassador_id", "day": "$day"}, "shares": {"$sum": "$shares"}}},
            {"$match": {"shares": {"$gt": 0}}},
            {"$group": {"_id": "$_id.person", "day": {"$min": "$_id.day"}}},
        ]
        cursor = await self.person_days.aggregate(stages, batchSize=AT_ONCE)
        return {row["_id"]: row["day"] async for row in cursor}


def person_of(row: Mapping[str, Any], *, enrolled: bool, finished: bool = False) -> Person:
    """A person as figures see them. Whoever keeps out of named statistics is in no group smaller than all."""
    country = None if row.get("hidden_from_statistics") else row.get("country")
    return Person(enrolled=enrolled, leader=bool(row.get("leader")), country=country, finished=finished)
