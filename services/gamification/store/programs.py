"""Programmes with their rules, and facts that wait for a programme that is not known yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from pymongo import UpdateOne

from chassis.mongo import Document, Mongo, Transaction
from chassis.mongo.rows import document, read
from chassis.web.problems import NotFound
from services.gamification.domain.ledger import Fact, SourcedFact
from services.gamification.domain.rules import DEFAULT_RULES, Program, RuleSet, zone_of


class Programs:
    """The collections `programs` and `waiting`.

    A document of `programs` without a time zone stands for a programme that facts wait for: who lets a fact wait
    and who makes the programme known both write it, so that neither can miss the other.
    """

    def __init__(self, mongo: Mongo) -> None:
        self._programs = mongo.db["programs"]
        self._waiting = mongo.db["waiting"]

    async def ensure_indexes(self) -> None:
        await self._waiting.create_index([("program_id", 1), ("place", 1)])

    async def get(self, program_id: str, tx: Transaction | None = None) -> Program:
        """Raises NotFound."""
        found = await self.get_many([program_id], tx)
        if program_id not in found:
            raise NotFound("program", program_id)
        return found[program_id]

    async def get_many(self, ids: Iterable[str], tx: Transaction | None = None) -> dict[str, Program]:
        """Those of the ids that are known."""
        cursor = self._programs.find(
            {"_id": {"$in": list(ids)}, "time_zone": {"$exists": True}},
            session=tx.session if tx else None,
            batch_size=1,  # a programme may have thousands of rules
        )
        return {row["_id"]: _program(row) async for row in cursor}

    async def add(self, program_id: str, time_zone: str, tx: Transaction) -> None:
        """Make a programme known, with the default rules; one that is known stays as it is."""
        state = {"time_zone": time_zone, "version": DEFAULT_RULES.version, "rule_sets": [document(DEFAULT_RULES)]}
        if await self._programs.find_one({"_id": program_id, "time_zone": {"$exists": True}}, session=tx.session):
            return
        await self._programs.update_one({"_id": program_id}, {"$set": state}, upsert=True, session=tx.session)

    async def append_rules(self, program_id: str, rules: RuleSet, tx: Transaction) -> None:
        """Add the version that follows the latest."""
        await self._programs.update_one(
            {"_id": program_id, "version": rules.version - 1},
            {"$set": {"version": rules.version}, "$push": {"rule_sets": document(rules)}},
            session=tx.session,
        )

    async def keep_waiting(self, facts: Sequence[SourcedFact], tx: Transaction) -> None:
        """Keep facts until their programme is known."""
        await self._waiting.bulk_write(
            [UpdateOne({"_id": one.fact.cause_id}, {"$setOnInsert": _waiting_row(one)}, upsert=True) for one in facts],
            session=tx.session,
            ordered=False,
        )
        await self._programs.bulk_write(
            [
                UpdateOne({"_id": program_id}, {"$inc": {"waiting": count}}, upsert=True)
                for program_id, count in Counter(one.fact.program_id for one in facts).items()
            ],
            session=tx.session,
            ordered=False,
        )

    async def take_waiting(self, program_id: str, tx: Transaction, *, limit: int) -> list[SourcedFact]:
        """The first facts that waited for the programme, in their order; they wait no more."""
        cursor = self._waiting.find({"program_id": program_id}, session=tx.session).sort("place", 1).limit(limit)
        rows = await cursor.to_list()
        if rows:
            await self._waiting.delete_many({"_id": {"$in": [row["_id"] for row in rows]}}, session=tx.session)
        return [_sourced_fact(row) for row in rows]

    async def with_waiting(self) -> list[str]:
        """Programmes that are known although facts still wait for them."""
        awaited = await self._waiting.distinct("program_id")
        wanted = {"_id": {"$in": awaited}, "time_zone": {"$exists": True}}
        return [row["_id"] async for row in self._programs.find(wanted, {"_id": 1})]


def _program(row: Document) -> Program:
    return Program(row["_id"], zone_of(row["time_zone"]), tuple(read(RuleSet, one) for one in row["rule_sets"]))


def _waiting_row(one: SourcedFact) -> Document:
    topic, partition, offset = one.place
    return {
        "program_id": one.fact.program_id,
        "place": {"topic": topic, "partition": partition, "offset": offset},
        "fact": one.fact._asdict(),
        "traceparent": one.traceparent,
        "tracestate": one.tracestate,
    }


def _sourced_fact(row: dict[str, Any]) -> SourcedFact:
    place = row["place"]
    return SourcedFact(
        fact=read(Fact, row["fact"]),
        place=(place["topic"], place["partition"], place["offset"]),
        traceparent=row["traceparent"],
        tracestate=row["tracestate"],
    )
