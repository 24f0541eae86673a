"""Job offers, ambassadors' links to them, and who applied by these: the collections `job_offers`, `referral_links`,
`referrals` and `recruiting_calls`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import IndexModel, UpdateOne

from chassis.mongo import Document, Mongo, Transaction
from chassis.mongo.projection import when_newer
from chassis.mongo.rows import changes, document, read
from chassis.mongo.search import MAX_COUNTED
from chassis.web.problems import NotFound
from services.program.domain.referrals import JobOffer, Referral, ReferralLink, ReferralState
from services.program.store.shared import row_of, save_row

CALLS_KEPT_SECONDS = 86_400


class Referrals:
    """What is known of referrals. A candidate has one referral by a link while they are known by name."""

    def __init__(self, mongo: Mongo) -> None:
        self._offers = mongo.db["job_offers"]
        self._links = mongo.db["referral_links"]
        self._referrals = mongo.db["referrals"]
        self._calls = mongo.db["recruiting_calls"]

    async def ensure_indexes(self) -> None:
        await self._offers.create_index([("program_id", 1), ("open", 1), ("_id", -1)])
        await self._links.create_index([("program_id", 1), ("person_id", 1), ("job_id", 1)], unique=True)
        await self._referrals.create_indexes(
            [
                IndexModel([("program_id", 1), ("state", 1), ("_id", -1)]),
                IndexModel([("program_id", 1), ("person_id", 1), ("_id", -1)]),
                IndexModel(
                    [("link", 1), ("candidate", 1)],
                    unique=True,
                    partialFilterExpression={"candidate": {"$type": "string"}},
                ),
                IndexModel("delete_at", partialFilterExpression={"candidate": {"$type": "string"}}),
            ]
        )
        await self._calls.create_index("at", expireAfterSeconds=CALLS_KEPT_SECONDS)

    # --- job offers ------------------------------------------------------------------------------------------------

    async def put_offers(self, offers: Iterable[JobOffer], tx: Transaction) -> None:
        """Each as its latest revision has it; one that was retired keeps its title."""
        for one in offers:
            fields: dict[str, Any] = {"program_id": one.program_id, "revision": one.revision, "open": one.open}
            if one.titles:
                fields |= {"titles": dict(one.titles), "url": one.url}
            update = [{"$set": when_newer(one.revision, fields)}]
            await self._offers.bulk_write([UpdateOne({"_id": one.id}, update, upsert=True)], session=tx.session)

    async def offer(self, program_id: str, id: str, tx: Transaction | None = None) -> JobOffer:
        """Raises NotFound."""
        row = await row_of(self._offers, "job offer", program_id, id, tx)
        if "titles" not in row:
            raise NotFound("job offer", id)
        return read(JobOffer, row)

    async def offers(self, program_id: str, after: str | None, limit: int) -> list[JobOffer]:
        """Those that are open, the newest first."""
        where: Document = {"program_id": program_id, "open": True, "titles": {"$exists": True}}
        if after is not None:
            where["_id"] = {"$lt": after}
        rows = await self._offers.find(where, sort=[("_id", -1)], limit=limit).to_list()
        return [read(JobOffer, row) for row in rows]

    async def offers_by_id(self, ids: Iterable[str]) -> Mapping[str, JobOffer]:
        rows = self._offers.find({"_id": {"$in": list(ids)}, "titles": {"$exists": True}})
        return {row["_id"]: read(JobOffer, row) async for row in rows}

    # --- links -----------------------------------------------------------------------------------------------------

    async def link(self, code: str, tx: Transaction | None = None) -> ReferralLink:
        """Raises NotFound."""
        row = await self._links.find_one({"_id": code}, session=tx.session if tx else None)
        if row is None:
            raise NotFound("referral link", code)
        return read(ReferralLink, row)

    async def own_link(self, program_id: str, person_id: str, job_id: str, tx: Transaction) -> ReferralLink | None:
        where = {"program_id": program_id, "person_id": person_id, "job_id": job_id}
        row = await self._links.find_one(where, session=tx.session)
        return read(ReferralLink, row) if row else None

    async def own_links(self, program_id: str, person_id: str, jobs: Sequence[str]) -> Mapping[str, str]:
        """Codes of a person's links, by job offer."""
        where = {"program_id": program_id, "person_id": person_id, "job_id": {"$in": list(jobs)}}
        return {row["job_id"]: row["_id"] async for row in self._links.find(where)}

    async def insert_link(self, link: ReferralLink, tx: Transaction) -> None:
        await self._links.insert_one(document(link), session=tx.session)

    # --- referrals -------------------------------------------------------------------------------------------------

    async def get(self, program_id: str, id: str, tx: Transaction) -> Referral:
        """Raises NotFound."""
        return read(Referral, await row_of(self._referrals, "referral", program_id, id, tx))

    async def find(self, link: str, candidate: str, tx: Transaction) -> Referral | None:
        row = await self._referrals.find_one({"link": link, "candidate": candidate}, session=tx.session)
        return read(Referral, row) if row else None

    async def page(
        self,
        program_id: str,
        *,
        person_id: str | None = None,
        state: ReferralState | None = None,
        after: str | None,
        limit: int,
    ) -> list[Referral]:
        """The newest first."""
        where = _where(program_id, person_id, state)
        if after is not None:
            where["_id"] = {"$lt": after}
        rows = await self._referrals.find(where, sort=[("_id", -1)], limit=limit).to_list()
        return [read(Referral, row) for row in rows]

    async def count(self, program_id: str, *, person_id: str | None = None, state: ReferralState | None = None) -> int:
        """How many they are, 10,000 at most."""
        return await self._referrals.count_documents(_where(program_id, person_id, state), limit=MAX_COUNTED)

    async def to_forget(self, now: datetime, limit: int) -> list[Referral]:
        """Those whose candidate is known although the day has come."""
        where = {"candidate": {"$type": "string"}, "delete_at": {"$lte": now}}
        return [read(Referral, row) for row in await self._referrals.find(where, limit=limit).to_list()]

    async def insert(self, referral: Referral, tx: Transaction) -> None:
        await self._referrals.insert_one(document(referral), session=tx.session)

    async def save(self, before: Referral, after: Referral, tx: Transaction) -> None:
        """Raises StaleVersion if it has changed meanwhile."""
        await save_row(self._referrals, {"_id": before.id}, before.version, changes(after), tx)

    # --- calls of the recruiting system ----------------------------------------------------------------------------

    async def call(self, id: str, tx: Transaction) -> str | None:
        """The fingerprint of a call that took effect."""
        row = await self._calls.find_one({"_id": id}, session=tx.session)
        return row["fingerprint"] if row else None

    async def note_call(self, id: str, fingerprint: str, tx: Transaction) -> None:
        row = {"_id": id, "fingerprint": fingerprint, "at": tx.now}
        await self._calls.insert_one(row, session=tx.session)


def _where(program_id: str, person_id: str | None, state: ReferralState | None) -> Document:
    chosen: dict[str, Any] = {"program_id": program_id, "person_id": person_id, "state": state}
    return {name: value for name, value in chosen.items() if value is not None}
