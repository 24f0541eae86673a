"""The ledger, and what is kept beside it by increments: balances by period, totals by day and rule."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from pymongo import DeleteOne, IndexModel, UpdateOne

from chassis.mongo import Document, Mongo, Transaction, pieces
from chassis.mongo.rows import document, read
from chassis.mongo.search import MAX_COUNTED
from chassis.tasks import yielding
from services.gamification.domain.ledger import (
    BalanceKey,
    Claim,
    Claims,
    Entry,
    Fact,
    LedgerState,
    Total,
    TotalKey,
    balance_changes,
    total_changes,
)
from services.gamification.domain.periods import ALL, labels

Write = UpdateOne | DeleteOne
READ_AT_ONCE = 2000
TOTALS_AT_ONCE = 500
REBUILT_AT_ONCE = 5
"""Persons, each with all their days."""
ADDED_AT_ONCE = 250
"""Entries; each moves four balances."""


class Ledger:
    """The collections `ledger`, `balances` and `totals`, and `removals` of posts and acts.

    Their documents are named so that all that a person has in a programme lies together:
    `<program>|<ambassador>|<period>` and `<program>|<ambassador>|<day>`.
    """

    def __init__(self, mongo: Mongo) -> None:
        self._ledger = mongo.db["ledger"]
        self._balances = mongo.db["balances"]
        self._totals = mongo.db["totals"]
        self._removals = mongo.db["removals"]

    async def ensure_indexes(self) -> None:
        await self._ledger.create_indexes(
            [
                IndexModel([("program_id", 1), ("ambassador_id", 1), ("occurred_at", 1), ("_id", 1)]),
                IndexModel("post_id", partialFilterExpression={"act": "share"}),
                IndexModel("act_id", partialFilterExpression={"act_id": {"$type": "string"}}),
            ]
        )
        await self._balances.create_index([("program_id", 1), ("period", 1), ("points", 1), ("ambassador_id", 1)])

    async def state_for(self, claimed: Sequence[Claims], tx: Transaction) -> LedgerState:
        """What of the ledger these facts touch."""
        state = LedgerState()
        await self._read_claimed([claim for one in claimed for claim in one.claims], state, tx)
        removals = [one.fact for one in claimed if one.fact.act == "removal"]
        posts = list({fact.post_id for fact in removals if fact.act_id is None})
        acts = list({fact.act_id for fact in removals if fact.act_id is not None})
        await self._read_reversible({"post_id": {"$in": posts}, "act": "share"}, posts, state, tx)
        await self._read_reversible({"act_id": {"$in": acts, "$type": "string"}}, acts, state, tx)
        made = {one.fact.reversed_by for one in claimed if one.fact.act != "removal"} - {None}
        if made:
            async for row in self._removals.find({"_id": {"$in": list(made)}}, session=tx.session):
                state.removals[row["_id"]] = read(Fact, row["fact"])
        return state

    async def _read_reversible(
        self, where: Document, removed: Sequence[str | None], state: LedgerState, tx: Transaction
    ) -> None:
        """The entries and reversals of what was removed."""
        if not removed:
            return
        async for row in self._ledger.find(where, session=tx.session):
            entry = read(Entry, row)
            state.reversible.setdefault(entry.reversed_by, []).append(entry)

    async def _read_claimed(self, claims: Sequence[Claim], state: LedgerState, tx: Transaction) -> None:
        """Which of the entries exist, and the totals that limit them."""
        for some in pieces(claims, READ_AT_ONCE):
            ids = {"_id": {"$in": [claim.id for claim in some]}}
            async for row in self._ledger.find(ids, {"_id": 1}, session=tx.session, batch_size=READ_AT_ONCE):
                state.ids.add(row["_id"])
        limiting: dict[str, dict[str, TotalKey]] = defaultdict(dict)
        async for claim in yielding(claims):
            if claim.rule.limited:
                limiting[_total_id(claim.total)][claim.rule.id] = claim.total
        for wanted in pieces(list(limiting), READ_AT_ONCE):
            found = self._totals.find({"_id": {"$in": wanted}}, session=tx.session, batch_size=TOTALS_AT_ONCE)
            async for row in found:
                for rule, key in limiting[row["_id"]].items():
                    state.totals[key] = _total(row["rules"].get(rule))

    async def note_removals(self, facts: Sequence[Fact], tx: Transaction) -> None:
        """Remember what was taken back, for posts and acts that come later; the first removal holds."""
        writes = [
            UpdateOne({"_id": fact.reversed_by}, {"$setOnInsert": {"fact": document(fact)}}, upsert=True)
            for fact in facts
        ]
        if writes:
            await self._removals.bulk_write(writes, session=tx.session, ordered=False)

    async def add(self, entries: Sequence[Entry], tx: Transaction) -> None:
        """Append entries; balances and totals move with them. Three writes for so many entries at a time."""
        for some in pieces(entries, ADDED_AT_ONCE):
            await self._add(some, tx)

    async def _add(self, entries: Sequence[Entry], tx: Transaction) -> None:
        rows = [{**_row(entry), "booked_at": tx.now} for entry in entries]
        await self._ledger.insert_many(rows, session=tx.session, ordered=False)
        await self._balances.bulk_write(
            [
                UpdateOne(
                    {"_id": _balance_id(key)}, {"$inc": {"points": points}, "$setOnInsert": _names(key)}, upsert=True
                )
                for key, points in sorted(balance_changes(entries).items(), key=lambda one: _balance_id(one[0]))
            ],
            session=tx.session,
            ordered=False,
        )
        by_day: dict[str, dict[str, int]] = defaultdict(dict)
        for key, change in sorted(total_changes(entries).items(), key=lambda one: _total_id(one[0])):
            by_day[_total_id(key)] |= {
                f"rules.{key.rule}.acts": change.acts,
                f"rules.{key.rule}.points": change.points,
            }
        await self._totals.bulk_write(
            [UpdateOne({"_id": id}, {"$inc": change}, upsert=True) for id, change in by_day.items()],
            session=tx.session,
            ordered=False,
        )

    async def page(
        self,
        program_id: str,
        ambassador_id: str,
        *,
        posts: Sequence[str] | None = None,
        before: tuple[datetime, str] | None,
        limit: int,
    ) -> list[Entry]:
        """A person's entries, of all their posts or of some, the latest act first; those after `before` (time and id
        of an entry)."""
        chosen = _entries(program_id, ambassador_id, posts)
        if before is not None:
            moment, id = before
            chosen["$or"] = [
                {"occurred_at": {"$lt": moment}},
                {"occurred_at": moment, "_id": {"$lt": id}},
            ]
        cursor = self._ledger.find(chosen).sort([("occurred_at", -1), ("_id", -1)]).limit(limit)
        return [read(Entry, row) async for row in cursor]

    async def count(self, program_id: str, ambassador_id: str, posts: Sequence[str] | None = None) -> int:
        """How many they are, 10,000 at most."""
        return await self._ledger.count_documents(_entries(program_id, ambassador_id, posts), limit=MAX_COUNTED)

    async def balances_of(self, program_id: str, ambassador_id: str, periods: Sequence[str]) -> list[int]:
        """A person's points in each of the periods."""
        ids = [_balance_id(BalanceKey(program_id, period, ambassador_id)) for period in periods]
        found = {row["_id"]: row["points"] async for row in self._balances.find({"_id": {"$in": ids}})}
        return [found.get(id, 0) for id in ids]

    async def totals_of(self, program_id: str, ambassador_id: str, day: date) -> dict[str, Total]:
        """What each rule has counted and given a person on a day."""
        row = await self._totals.find_one({"_id": _total_id(TotalKey(program_id, ambassador_id, day, ""))})
        return {rule: _total(found) for rule, found in (row or {}).get("rules", {}).items()}

    # --- rebuilding ------------------------------------------------------------------------------------------

    async def count_ambassadors(self, program_id: str) -> int:
        """How many have a balance."""
        return await self._balances.count_documents({"program_id": program_id, "period": ALL})

    async def ambassadors_after(self, program_id: str, after: str, tx: Transaction, *, limit: int) -> list[str]:
        """The next who have an entry, in order. Costs as many reads as are asked for."""
        found: list[str] = []
        while len(found) < limit:
            wanted = {"program_id": program_id, "ambassador_id": {"$gt": found[-1] if found else after}}
            order = [("program_id", 1), ("ambassador_id", 1)]
            row = await self._ledger.find_one(wanted, {"ambassador_id": 1}, sort=order, session=tx.session)
            if row is None:
                break
            found.append(row["ambassador_id"])
        return found

    async def with_balance_after(self, program_id: str, after: str, tx: Transaction, *, limit: int) -> list[str]:
        """The next who have a balance, in the order of balances. Costs as many reads as are asked for."""
        found: list[str] = []
        while len(found) < limit:
            last = found[-1] if found else after
            first = f"{program_id}|{last}|~" if last else f"{program_id}|"
            wanted = {"_id": {"$gt": first, "$lt": f"{program_id}}}"}}
            row = await self._balances.find_one(wanted, {"ambassador_id": 1}, sort=[("_id", 1)], session=tx.session)
            if row is None:
                break
            found.append(row["ambassador_id"])
        return found

    async def without_entries(self, program_id: str, ambassadors: Sequence[str], tx: Transaction) -> list[str]:
        """Those of them who have no entry."""
        found = []
        for one in ambassadors:
            wanted = {"program_id": program_id, "ambassador_id": one}
            if await self._ledger.find_one(wanted, {"_id": 1}, session=tx.session) is None:
                found.append(one)
        return found

    async def rebuild(self, program_id: str, ambassadors: Sequence[str], tx: Transaction) -> tuple[int, int]:
        """Make balances and totals of these persons the sums of their entries.

        Returns how many entries were added up, and how many documents had to be corrected.
        """
        count = corrected = 0
        for some in pieces(ambassadors, REBUILT_AT_ONCE):
            entries, balances, totals = await self._sums(program_id, some, tx)
            count += entries
            for collection, expected in ((self._balances, balances), (self._totals, totals)):
                ranges = [{"_id": {"$gte": f"{program_id}|{one}|", "$lt": f"{program_id}|{one}}}"}} for one in some]
                rows = collection.find({"$or": ranges}, session=tx.session, batch_size=TOTALS_AT_ONCE)
                writes = _corrections({row["_id"]: row async for row in rows}, expected)
                for piece in pieces(writes):
                    await collection.bulk_write(piece, session=tx.session, ordered=False)
                corrected += len(writes)
        return count, corrected

    async def _sums(
        self, program_id: str, ambassadors: Sequence[str], tx: Transaction
    ) -> tuple[int, dict[str, Document], dict[str, Document]]:
        """Number of entries, and what the documents of `balances` and `totals` must be, by id."""
        pipeline: list[Document] = [
            {"$match": {"program_id": program_id, "ambassador_id": {"$in": list(ambassadors)}}},
            {
                "$group": {
                    "_id": {"ambassador": "$ambassador_id", "day": "$day", "rule": "$rule"},
                    "points": {"$sum": "$points"},
                    "acts": {"$sum": "$acts"},
                    "entries": {"$sum": 1},
                }
            },
        ]
        count = 0
        balances: dict[str, Document] = {}
        totals: dict[str, Document] = {}
        async for row in await self._ledger.aggregate(pipeline, session=tx.session, batchSize=TOTALS_AT_ONCE):
            count += row["entries"]
            ambassador, day, rule = row["_id"]["ambassador"], date.fromisoformat(row["_id"]["day"]), row["_id"]["rule"]
            for period in labels(day):
                key = BalanceKey(program_id, period, ambassador)
                balance = balances.setdefault(_balance_id(key), {**_names(key), "points": 0})
                balance["points"] += row["points"]
            total = totals.setdefault(_total_id(TotalKey(program_id, ambassador, day, rule)), {"rules": {}})
            total["rules"][rule] = {"acts": row["acts"], "points": row["points"]}
        return count, balances, totals


def _entries(program_id: str, ambassador_id: str, posts: Sequence[str] | None) -> Document:
    chosen: Document = {"program_id": program_id, "ambassador_id": ambassador_id}
    return chosen if posts is None else {**chosen, "post_id": {"$in": list(posts)}}


def _corrections(stored: Mapping[str, Document], expected: Mapping[str, Document]) -> list[Write]:
    writes: list[Write] = [DeleteOne({"_id": id}) for id in stored.keys() - expected.keys()]
    for id, row in expected.items():
        if stored.get(id) != {"_id": id, **row}:
            writes.append(UpdateOne({"_id": id}, {"$set": row}, upsert=True))
    return writes


def _balance_id(key: BalanceKey) -> str:
    return f"{key.program_id}|{key.ambassador_id}|{key.period}"


def _total_id(key: TotalKey) -> str:
    return f"{key.program_id}|{key.ambassador_id}|{key.day.isoformat()}"


def _names(key: BalanceKey) -> Document:
    return {"program_id": key.program_id, "period": key.period, "ambassador_id": key.ambassador_id}


def _total(row: Mapping[str, int] | None) -> Total:
    return Total(row["acts"], row["points"]) if row else Total()


def _row(entry: Entry) -> Document:
    return {
        "_id": entry.id,
        "ambassador_id": entry.ambassador_id,
        "program_id": entry.program_id,
        "points": entry.points,
        "acts": entry.acts,
        "worth": entry.worth,
        "rule": entry.rule,
        "rule_version": entry.rule_version,
        "act": entry.act,
        "cause_id": entry.cause_id,
        "cause_type": entry.cause_type,
        "post_id": entry.post_id,
        "content_id": entry.content_id,
        "network": entry.network,
        "day": entry.day.isoformat(),
        "occurred_at": entry.occurred_at,
        "reverses": entry.reverses,
        "act_id": entry.act_id,
    }
