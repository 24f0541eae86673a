"""Posts and what other systems reported of them: collections `posts`, `taps`, `reports`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from pymongo import DESCENDING, IndexModel, UpdateOne
from pymongo.errors import DuplicateKeyError

from chassis.mongo import Document, Mongo, Transaction, pieces
from chassis.mongo.rows import document, read
from chassis.mongo.search import MAX_COUNTED
from chassis.web.problems import NotFound, Overloaded, StaleVersion
from services.sharing.domain.posts import ONE_TAP, Post, PostReference, TitledPost

REPORTS_KEPT = timedelta(days=100)  # longer than what is reported may be ago
TAPS_KEPT = timedelta(minutes=10)
OF_REFERENCE = dict.fromkeys(("link_code", *PostReference._fields[1:]), 1)


class Posts:
    """A document a post; the short link's code is unique among them."""

    def __init__(self, mongo: Mongo) -> None:
        self._posts = mongo.db["posts"]
        self._taps = mongo.db["taps"]
        self._reports = mongo.db["reports"]

    async def ensure_indexes(self) -> None:
        await self._posts.create_indexes(
            [
                IndexModel("link_code", unique=True),
                IndexModel([("ambassador_id", 1), ("_id", DESCENDING)]),
                IndexModel([("ambassador_id", 1), ("content_id", 1)]),
                IndexModel("restorable_until", partialFilterExpression={"restorable_until": {"$type": "date"}}),
            ]
        )
        await self._reports.create_index("at", expireAfterSeconds=int(REPORTS_KEPT.total_seconds()))
        await self._taps.create_index("at", expireAfterSeconds=int(TAPS_KEPT.total_seconds()))

    # --- one post --------------------------------------------------------------------------------------------

    async def get(self, id: str, *, tx: Transaction | None = None) -> Post:
        """Raises NotFound."""
        row = await self._posts.find_one({"_id": id}, session=tx.session if tx else None)
        if row is None:
            raise NotFound("post", id)
        return read(Post, row)

    async def add(self, post: Post, tx: Transaction) -> None:
        """Raises Overloaded where another link has that code, which is one of 10^14: the next attempt has another."""
        try:
            await self._posts.insert_one(document(post), session=tx.session)
        except DuplicateKeyError:
            raise Overloaded("No short link was free. Please try again.", retry_after=1) from None

    async def add_many(self, posts: Iterable[Post], tx: Transaction) -> None:
        """Posts whose ids and links nobody else can have."""
        documents = [document(post) for post in posts]
        if documents:
            await self._posts.insert_many(documents, session=tx.session, ordered=False)

    async def replace(self, post: Post, tx: Transaction) -> None:
        """Store what a command changed. Raises StaleVersion if another one was quicker."""
        names = ("version", "removed_at", "removed_reason", "restorable_until")
        changed = {name: getattr(post, name) for name in names}
        result = await self._posts.update_one(
            {"_id": post.id, "version": post.version - 1}, {"$set": changed}, session=tx.session
        )
        if result.matched_count == 0:
            raise StaleVersion("The post was changed in the meantime.")

    async def just_shared(self, tap_id: str, tx: Transaction) -> Post | None:
        """The post that the same tap made a moment ago, if it stands."""
        tap = await self._taps.find_one({"_id": tap_id}, session=tx.session)
        if tap is None or tx.now - tap["at"] >= ONE_TAP:
            return None
        row = await self._posts.find_one({"_id": tap["post_id"], "removed_at": None}, session=tx.session)
        return read(Post, row) if row else None

    async def note_tap(self, tap_id: str, post: Post, tx: Transaction) -> None:
        """Remember the tap; a second one at the same moment collides here and sees this one's post."""
        await self._taps.update_one(
            {"_id": tap_id},
            {"$set": {"post_id": post.id, "at": tx.now}},
            upsert=True,
            session=tx.session,
        )

    # --- many ------------------------------------------------------------------------------------------------

    async def page_of(
        self, ambassador_id: str, program_id: str | None, *, before: str | None, limit: int
    ) -> list[Post]:
        """A person's posts, newest first, without those taken back."""
        query: Document = {"ambassador_id": ambassador_id, "removed_at": None}
        if program_id is not None:
            query["program_id"] = program_id
        if before is not None:
            query["_id"] = {"$lt": before}
        rows = self._posts.find(query, sort=[("_id", DESCENDING)], limit=limit)
        return [read(Post, row) async for row in rows]

    async def count_of(self, ambassador_id: str, program_id: str | None) -> int:
        """How many they are, 10,000 at most."""
        query: Document = {"ambassador_id": ambassador_id, "removed_at": None}
        if program_id is not None:
            query["program_id"] = program_id
        return await self._posts.count_documents(query, limit=MAX_COUNTED)

    async def newest_titles(self, ambassador_id: str, program_id: str | None, *, limit: int) -> list[tuple[str, str]]:
        """Id and title of the same, the newest."""
        query: Document = {"ambassador_id": ambassador_id, "removed_at": None}
        if program_id is not None:
            query["program_id"] = program_id
        rows = self._posts.find(query, {"title": 1}, sort=[("_id", DESCENDING)], limit=limit)
        return [(row["_id"], str(row.get("title") or "")) async for row in rows]

    async def in_order(self, ids: Sequence[str]) -> list[Post]:
        """The posts with these ids that still stand, newest first."""
        wanted = {"_id": {"$in": list(ids)}, "removed_at": None}
        return [read(Post, row) async for row in self._posts.find(wanted, sort=[("_id", DESCENDING)])]

    async def networks_by_content(self, ambassador_id: str, content_ids: Iterable[str]) -> dict[str, set[str]]:
        """Of these items those that a person shared, each with the networks, without what was taken back."""
        query: Document = {"ambassador_id": ambassador_id, "content_id": {"$in": list(content_ids)}, "removed_at": None}
        found: dict[str, set[str]] = {}
        async for row in self._posts.find(query, {"content_id": 1, "network": 1}):
            found.setdefault(row["content_id"], set()).add(row["network"])
        return found

    async def removals_due(self, now: datetime, limit: int) -> list[str]:
        """Posts whose removal can be undone no more, the longest first."""
        rows = self._posts.find(
            {"restorable_until": {"$lte": now}}, {"_id": 1}, sort=[("restorable_until", 1)], limit=limit
        )
        return [row["_id"] async for row in rows]

    async def behind(self, codes: Iterable[str], tx: Transaction) -> dict[str, PostReference]:
        """Which post each of these links is of; those that are of none are left out."""
        rows = self._posts.find({"link_code": {"$in": list(set(codes))}}, OF_REFERENCE, session=tx.session)
        fields = PostReference._fields[1:]
        return {row["link_code"]: PostReference(row["_id"], *(row[name] for name in fields)) async for row in rows}

    async def titles_of(self, ambassador_id: str, ids: Iterable[str]) -> list[TitledPost]:
        """Of these posts those of the ambassador, taken back or not."""
        wanted = {"_id": {"$in": list(ids)}, "ambassador_id": ambassador_id}
        rows = self._posts.find(wanted, dict.fromkeys(TitledPost._fields[1:], 1))
        return [read(TitledPost, row) async for row in rows]

    async def by_ids(self, ids: Iterable[str], tx: Transaction) -> dict[str, Post]:
        rows = self._posts.find({"_id": {"$in": list(set(ids))}}, session=tx.session)
        return {row["_id"]: read(Post, row) async for row in rows}

    async def count(self, counts: Mapping[str, Mapping[str, int]], tx: Transaction) -> None:
        """Add to posts' counters: by post id, then by field (`clicks.bot`, `engagements.like`)."""
        writes = [UpdateOne({"_id": id}, {"$inc": dict(fields)}) for id, fields in counts.items()]
        for some in pieces(writes):
            await self._posts.bulk_write(some, session=tx.session, ordered=False)

    async def target(self, code: str) -> str | None:
        """Where a short link leads."""
        row = await self._posts.find_one({"link_code": code}, {"target": 1})
        return str(row["target"]) if row else None

    # --- what other systems report ---------------------------------------------------------------------------

    async def reported(self, keys: Iterable[str], tx: Transaction) -> dict[str, str]:
        """Fingerprints of the reports that came before, by key."""
        rows = self._reports.find({"_id": {"$in": list(keys)}}, session=tx.session)
        return {row["_id"]: row["fingerprint"] async for row in rows}

    async def note_reports(self, fingerprints: Mapping[str, str], tx: Transaction) -> None:
        rows: Sequence[Document] = [
            {"_id": key, "fingerprint": fingerprint, "at": tx.now} for key, fingerprint in fingerprints.items()
        ]
        if rows:
            await self._reports.insert_many(rows, session=tx.session, ordered=False)
