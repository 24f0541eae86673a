"""Who was seen where, as keyed hashes of one day: collection `visits`, which forgets in three days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from pymongo import UpdateOne

from chassis.mongo import Document, Mongo, Transaction, pieces
from services.sharing.redirect.click_policy import Click, History

KEPT = timedelta(days=3)
LATEST = 20
"""HEAD requests, and links followed, that are kept of a visitor: more than any rule asks for."""


class Visits:
    """`<visitor>|<person>`: a browser in which a person used Herald (`own`), and which links of theirs were followed in
    it. `<code>|<visitor>`: when a visitor's clicks on a link counted, and when they made HEAD requests of it."""

    def __init__(self, mongo: Mongo) -> None:
        self._visits = mongo.db["visits"]

    async def ensure_indexes(self) -> None:
        await self._visits.create_index("at", expireAfterSeconds=int(KEPT.total_seconds()))

    async def saw(self, visitor: str, person_id: str, at: datetime, tx: Transaction | None = None) -> None:
        """A person uses Herald in this browser."""
        await self._visits.update_one(
            {"_id": f"{visitor}|{person_id}"},
            {"$set": {"own": True, "at": at}},
            upsert=True,
            session=tx.session if tx else None,
        )

    async def history(self, clicks: Sequence[Click], tx: Transaction) -> History:
        """What is known of the visitors of these clicks."""
        pairs = {(visitor, click.author) for click in clicks for visitor in click.visitors}
        places = {(click.code, visitor) for click in clicks for visitor in click.visitors}
        ids = {f"{one}|{other}": (one, other) for one, other in [*pairs, *places]}
        history = History()
        if not ids:
            return history
        async for row in self._visits.find({"_id": {"$in": list(ids)}}, session=tx.session):
            pair = ids[row["_id"]]
            if row.get("own", not row.keys() & {"followed", "counted", "heads"}):
                history.own.add(pair)
            history.counted[pair] += row.get("counted", ())
            history.heads[pair] += row.get("heads", ())
            history.followed[pair] += [(one["code"], one["at"]) for one in row.get("followed", ())]
        return history

    async def add(self, new: History, tx: Transaction) -> None:
        """Keep what became known of visitors."""
        changes: dict[tuple[str, str], Document] = defaultdict(dict)
        for pair, times in new.counted.items():
            changes[pair]["counted"] = {"$each": times}
        for pair, times in new.heads.items():
            changes[pair]["heads"] = {"$each": times[-LATEST:], "$slice": -LATEST}
        for pair, links in new.followed.items():
            followed = [{"code": code, "at": at} for code, at in links[-LATEST:]]
            changes[pair]["followed"] = {"$each": followed, "$slice": -LATEST}
        writes = [
            UpdateOne({"_id": f"{one}|{other}"}, {"$push": pushed, "$set": {"at": tx.now}}, upsert=True)
            for (one, other), pushed in changes.items()
        ]
        for some in pieces(writes):
            await self._visits.bulk_write(some, session=tx.session, ordered=False)
