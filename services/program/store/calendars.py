"""Secret addresses of calendars, and hand-over notes: the collections `calendar_feeds` and `handovers`."""

from __future__ import annotations

from pymongo.errors import DuplicateKeyError

from chassis.mongo import Mongo, Transaction
from chassis.mongo.rows import changes, document, read
from chassis.web.problems import StaleVersion
from services.program.domain.calendars import Feed, Handover
from services.program.store.shared import save_row


class Calendars:
    """What the team's calendar keeps beside what it shows."""

    def __init__(self, mongo: Mongo) -> None:
        self._feeds = mongo.db["calendar_feeds"]
        self._handovers = mongo.db["handovers"]

    async def ensure_indexes(self) -> None:
        await self._feeds.create_index(["program_id", "person_id"], unique=True)

    async def find_feed(self, id: str) -> Feed | None:
        row = await self._feeds.find_one({"_id": id})
        return read(Feed, row) if row else None

    async def feed_of(self, program_id: str, person_id: str, tx: Transaction | None = None) -> Feed | None:
        wanted = {"program_id": program_id, "person_id": person_id}
        row = await self._feeds.find_one(wanted, session=tx.session if tx else None)
        return read(Feed, row) if row else None

    async def replace_feed(self, before: Feed | None, after: Feed | None, tx: Transaction) -> None:
        if before is not None:
            await self._feeds.delete_one({"_id": before.id}, session=tx.session)
        if after is not None:
            await self._feeds.insert_one(document(after), session=tx.session)

    async def handover(self, program_id: str, tx: Transaction | None = None) -> Handover:
        row = await self._handovers.find_one({"_id": program_id}, session=tx.session if tx else None)
        return read(Handover, row, program_id=program_id) if row else Handover(program_id)

    async def save_handover(self, before: Handover, after: Handover, tx: Transaction) -> None:
        """Raises StaleVersion if they have changed meanwhile."""
        if before.updated_at is not None:
            await save_row(self._handovers, {"_id": before.program_id}, before.version, changes(after), tx)
            return
        try:
            await self._handovers.insert_one({"_id": after.program_id, **document(after)}, session=tx.session)
        except DuplicateKeyError:
            raise StaleVersion from None
