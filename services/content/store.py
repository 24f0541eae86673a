"""Every query and index of content's database: items and feed sources."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING, IndexModel

from chassis.mongo import Document, Mongo, Transaction
from chassis.mongo.rows import changes, document, read
from chassis.mongo.search import MAX_COUNTED, begin_with
from chassis.text import line, terms
from chassis.web.problems import NotFound, StaleVersion
from services.content.domain.items import EntryKey, Item, audiences, position
from services.content.domain.sources import Source, item_id

MAX_KNOWN: Final = 2000
"""How many stored entries one reading is compared with: the newest that share a link or a guid with it."""
MAX_FEED_COUNTED: Final = 1000
FEED_INDEX: Final = "feed"
PAGE_LETTERS: Final = 200_000
"""Letters of text after which a page ends."""


class Store:
    """Reads outside a transaction see committed data. Writes happen in a transaction and raise StaleVersion if the
    version before is no longer stored."""

    def __init__(self, mongo: Mongo) -> None:
        self.items = mongo.db["items"]
        self.sources = mongo.db["sources"]

    async def ensure_indexes(self) -> None:
        """One for each question below; the feed's holds published items only."""
        by_filters = [[], ["program_id"], ["state"], ["program_id", "state"]]
        await self.items.create_indexes(
            [
                IndexModel(
                    [("program_id", ASCENDING), ("audiences", ASCENDING), ("position", DESCENDING)],
                    name=FEED_INDEX,
                    partialFilterExpression={"state": "published"},
                ),
                IndexModel([("program_id", ASCENDING), ("copy.url", ASCENDING)]),
                IndexModel("copy.expires_at", partialFilterExpression={"expires": True}),
                *(
                    IndexModel(
                        [("source_id", ASCENDING), (f"entry.{name}", ASCENDING)],
                        partialFilterExpression={"source_id": {"$type": "string"}},
                    )
                    for name in ("link", "guid")
                ),
                *(IndexModel([*((name, ASCENDING) for name in one), ("listed", DESCENDING)]) for one in by_filters),
                IndexModel([("terms", ASCENDING), ("program_id", ASCENDING)]),
            ]
        )
        await self.sources.create_indexes(
            [
                IndexModel([("program_id", ASCENDING), ("listed", DESCENDING)]),
                IndexModel("listed"),
                IndexModel("next_poll_at", partialFilterExpression={"next_poll_at": {"$type": "date"}}),
            ]
        )

        async for row in self.items.find({"terms": None}):  # Of before titles could be searched; by the index.
            await self.items.update_one({"_id": row["_id"]}, {"$set": {"terms": _terms(read(Item, row))}})

    # --- items ---------------------------------------------------------------------------------------------------

    async def program_of_item(self, id: str) -> str:
        """Raises NotFound."""
        row = await self.items.find_one({"_id": id}, {"program_id": 1})
        if row is None:
            raise NotFound("item", id)
        return str(row["program_id"])

    async def get_item(self, id: str, tx: Transaction | None = None) -> Item:
        """Raises NotFound."""
        row = await self.items.find_one({"_id": id}, session=tx.session if tx else None)
        if row is None:
            raise NotFound("content", id)
        return read(Item, row)

    async def insert_items(self, items: Sequence[Item], tx: Transaction) -> None:
        if items:
            await self.items.insert_many([item_row(item) for item in items], session=tx.session)

    async def save_item(self, item: Item, follows: int, tx: Transaction) -> None:
        """Follows on version `follows`. Raises StaleVersion."""
        found = await self.items.update_one(
            {"_id": item.id, "version": follows}, {"$set": {**changes(item), **_indexed(item)}}, session=tx.session
        )
        if found.matched_count == 0:
            raise StaleVersion("It was changed in the meantime.")

    async def known_entries(self, source_id: str, keys: Sequence[EntryKey], tx: Transaction) -> list[EntryKey]:
        """The items of the source that share a link or a guid with one of the entries: the newest, and all that match
        an entry exactly."""
        ids = {item_id(source_id, key): key for key in keys}
        named = {name: sorted({getattr(key, name) for key in keys} - {""}) for name in ("link", "guid")}
        shared = [{"source_id": source_id, f"entry.{name}": {"$in": found}} for name, found in named.items() if found]
        same = await self.items.find({"_id": {"$in": list(ids)}}, {"entry": 1}, session=tx.session).to_list()
        if shared:
            alike = self.items.find({"$or": shared}, {"entry": 1}, session=tx.session)
            same += await alike.sort("listed", DESCENDING).limit(MAX_KNOWN).to_list()
        # An item that was taken back from its events has no entry: its id says which one it is.
        return [read(EntryKey, row["entry"]) if row.get("entry") else ids[row["_id"]] for row in same]

    async def ids_by_address(
        self, program_id: str, addresses: Iterable[str], tx: Transaction | None = None
    ) -> dict[str, str]:
        """The programme's items at these addresses, the oldest of each."""
        cursor = self.items.find(
            {"program_id": program_id, "copy.url": {"$in": list(addresses)}},
            {"copy.url": 1},
            sort=[("listed", DESCENDING)],
            session=tx.session if tx else None,
        )
        return {row["copy"]["url"]: row["_id"] async for row in cursor}

    async def items_by_id(self, ids: Iterable[str]) -> dict[str, Item]:
        """Those of the ids that are items."""
        cursor = self.items.find({"_id": {"$in": list(ids)}})
        return {row["_id"]: read(Item, row) async for row in cursor}

    async def items_page(
        self, program_id: str | None, state: str | None, query: str | None, before: str | None, limit: int
    ) -> tuple[list[Item], str | None, int]:
        """Items, newest first, where the next page begins, and how many there are on all pages (at most 10,000).

        `query` names beginnings of words of their titles.
        """
        named = (("program_id", program_id), ("state", state))
        wanted: Document = {name: value for name, value in named if value is not None}
        if query is not None:
            wanted["$and"] = begin_with(query)
        rows, following = await _page(self.items.find, wanted, "listed", before, limit)
        total = await self.items.count_documents(wanted, limit=MAX_COUNTED)
        return [read(Item, row) for row in rows], following, total

    async def feed_page(
        self, programs: Iterable[str], keys: Sequence[str], now: datetime, before: str | None, limit: int
    ) -> tuple[list[Item], str | None]:
        """Published items of the programmes under any of the audience keys, pinned and newest first.

        The index is walked in order once for each programme and key, and the walks are merged: the cost is that of
        the page. What has expired but is not yet retired is passed over.
        """
        wanted = _visible(programs, keys, now)
        if not wanted["program_id"]["$in"]:
            return [], None
        rows, following = await _page(self.items.find, wanted, "position", before, limit, hint=FEED_INDEX)
        return [read(Item, row) for row in rows], following

    async def feed_search(
        self,
        programs: Iterable[str],
        keys: Sequence[str],
        now: datetime,
        query: str,
        before: str | None,
        limit: int,
    ) -> tuple[list[Item], str | None]:
        """Those of them whose titles have the beginnings of words: the cost is that of what is found."""
        wanted = {**_visible(programs, keys, now), "$and": begin_with(query)}
        rows, following = await _page(self.items.find, wanted, "position", before, limit)
        return [read(Item, row) for row in rows], following

    async def feed_count(self, programs: Iterable[str], keys: Sequence[str], now: datetime, query: str | None) -> int:
        """How many there are of either; 1,000 at most, for every feed that is opened is counted."""
        wanted = _visible(programs, keys, now)
        if not wanted["program_id"]["$in"]:
            return 0
        if query is not None:
            return await self.items.count_documents({**wanted, "$and": begin_with(query)}, limit=MAX_FEED_COUNTED)
        return await self.items.count_documents(wanted, limit=MAX_FEED_COUNTED, hint=FEED_INDEX)

    async def find_visible(self, id: str, programs: Iterable[str], keys: Sequence[str], now: datetime) -> Item | None:
        """The item, if `feed_page` could show it."""
        row = await self.items.find_one({"_id": id, **_visible(programs, keys, now)})
        return read(Item, row) if row else None

    async def expired(self, now: datetime, limit: int) -> list[str]:
        """Ids of published items whose time is over, longest over first."""
        cursor = self.items.find({"expires": True, "copy.expires_at": {"$lte": now}}, {"_id": 1})
        return [row["_id"] async for row in cursor.sort("copy.expires_at", ASCENDING).limit(limit)]

    # --- sources -------------------------------------------------------------------------------------------------

    async def get_source(self, id: str, tx: Transaction | None = None) -> Source:
        """Raises NotFound."""
        found = await self.find_source(id, tx)
        if found is None:
            raise NotFound("feed", id)
        return found

    async def find_source(self, id: str, tx: Transaction | None = None) -> Source | None:
        row = await self.sources.find_one({"_id": id}, session=tx.session if tx else None)
        return read(Source, row) if row else None

    async def insert_source(self, source: Source, tx: Transaction) -> None:
        await self.sources.insert_one(
            {**document(source), "listed": _listed(source.created_at, source.id)}, session=tx.session
        )

    async def save_source(self, source: Source, follows: int, tx: Transaction) -> None:
        """Follows on version `follows`. Raises StaleVersion."""
        found = await self.sources.update_one(
            {"_id": source.id, "version": follows}, {"$set": changes(source)}, session=tx.session
        )
        if found.matched_count == 0:
            raise StaleVersion("It was changed in the meantime.")

    async def delete_source(self, id: str, tx: Transaction) -> None:
        """Raises NotFound."""
        if (await self.sources.delete_one({"_id": id}, session=tx.session)).deleted_count == 0:
            raise NotFound("feed", id)

    async def sources_page(
        self, program_id: str | None, query: str | None, before: str | None, limit: int
    ) -> tuple[list[Source], str | None]:
        """Sources, newest first, and where the next page begins; `query` is a part of a title or an address."""
        rows, following = await _page(self.sources.find, _sources(program_id, query), "listed", before, limit)
        return [read(Source, row) for row in rows], following

    async def count_sources(self, program_id: str | None, query: str | None) -> int:
        return await self.sources.count_documents(_sources(program_id, query), limit=MAX_COUNTED)

    async def due(self, now: datetime, limit: int) -> list[Source]:
        """Sources that it is time to look at, longest due first."""
        cursor = self.sources.find({"next_poll_at": {"$type": "date", "$lte": now}})
        return [read(Source, row) async for row in cursor.sort("next_poll_at", ASCENDING).limit(limit)]


async def _page(
    find: Any, wanted: Document, order: str, before: str | None, limit: int, **options: Any
) -> tuple[list[Document], str | None]:
    """A page in descending order of a field that is unique, and the value after which the next one begins: at most
    `limit` rows, fewer where they are long."""
    if before is not None:
        wanted = {**wanted, order: {"$lt": before}}
    rows: list[Document] = []
    letters = 0
    async with find(wanted, **options).sort(order, DESCENDING).limit(limit + 1) as cursor:
        async for row in cursor:
            if len(rows) == limit or letters > PAGE_LETTERS:
                return rows, rows[-1][order]
            rows.append(row)
            letters += _letters(row)
    return rows, None


def _letters(row: Document) -> int:
    """How much text a row brings, roughly; a source has little."""
    copy = row.get("copy", {})
    captions, variants = copy.get("captions") or (), copy.get("variants") or ()
    return sum(len(one["text"]) for one in captions) + sum(len(one["title"]) + len(one["summary"]) for one in variants)


def _visible(programs: Iterable[str], keys: Sequence[str], now: datetime) -> Document:
    return {
        "state": "published",
        "program_id": {"$in": sorted(programs)},
        "audiences": {"$in": list(keys)},
        "copy.expires_at": {"$not": {"$lte": now}},
    }


def _sources(program_id: str | None, query: str | None) -> Document:
    """A programme has few, and their own index holds them together."""
    wanted: Document = {"program_id": program_id} if program_id is not None else {}
    if query is not None:
        part = {"$regex": re.escape(line(query)), "$options": "i"}
        wanted["$or"] = [{"title": part}, {"url": part}]
    return wanted


def _listed(created_at: datetime, id: str) -> str:
    return f"{created_at.isoformat(timespec='milliseconds')}{id}"


def item_row(item: Item) -> Document:
    """The whole row of an item."""
    return {**document(item), **_indexed(item)}


def _indexed(item: Item) -> Document:
    """The fields of an item that its indexes need."""
    return {
        "listed": _listed(item.created_at, item.id),
        "position": position(item),
        "audiences": list(audiences(item.copy.targeting)),
        "expires": item.copy.expires_at is not None and item.state == "published",
        "terms": _terms(item),
    }


def _terms(item: Item) -> list[str]:
    return list(terms(*(one.title for one in item.copy.variants)))
