"""Visual identities of programmes."""

from __future__ import annotations

from pymongo.errors import DuplicateKeyError

from chassis.mongo import Mongo, Transaction
from chassis.mongo.rows import changes, document, read
from chassis.web.problems import StaleVersion
from services.program.domain.identity import Identity
from services.program.store.shared import save_row


class Identities:
    """The collection `identities`: a row a programme, once it has one."""

    def __init__(self, mongo: Mongo) -> None:
        self._identities = mongo.db["identities"]

    async def find(self, program_id: str, tx: Transaction | None = None) -> Identity | None:
        row = await self._identities.find_one({"_id": program_id}, session=tx.session if tx else None)
        return read(Identity, row) if row else None

    async def insert(self, identity: Identity, tx: Transaction) -> None:
        """Raises StaleVersion if the programme has one meanwhile."""
        try:
            await self._identities.insert_one(document(identity), session=tx.session)
        except DuplicateKeyError:
            raise StaleVersion from None

    async def save(self, before: Identity, after: Identity, tx: Transaction) -> None:
        """Raises StaleVersion if it has changed meanwhile."""
        await save_row(self._identities, {"_id": before.id}, before.version, changes(after), tx)
