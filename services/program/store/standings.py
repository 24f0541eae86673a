"""What starter templates set in programmes: the collection `applied_templates`."""

from __future__ import annotations

from pymongo.errors import DuplicateKeyError

from chassis.ids import derived_id
from chassis.mongo import Mongo, Transaction
from chassis.mongo.rows import changes, document, read
from chassis.web.problems import StaleVersion
from services.program.domain.templates import Standing
from services.program.store.shared import save_row


class Standings:
    """The collection `applied_templates`: a row for each template that was ever applied to a programme."""

    def __init__(self, mongo: Mongo) -> None:
        self._rows = mongo.db["applied_templates"]

    async def ensure_indexes(self) -> None:
        await self._rows.create_index("program_id")

    async def get(self, program_id: str, template: str, tx: Transaction | None = None) -> Standing:
        """Of version 0 where it was never applied."""
        id = derived_id(program_id, "template", template)
        row = await self._rows.find_one({"_id": id}, session=tx.session if tx else None)
        return read(Standing, row) if row else Standing(id, program_id, template, 0)

    async def of_program(self, program_id: str) -> list[Standing]:
        """The templates that stand in a programme, by their names."""
        where = {"program_id": program_id, "applied_at": {"$ne": None}}
        return [read(Standing, row) for row in await self._rows.find(where, sort=[("template", 1)]).to_list()]

    async def save(self, before: Standing, after: Standing, tx: Transaction) -> None:
        """Raises StaleVersion if it has changed meanwhile."""
        if before.version:
            await save_row(self._rows, {"_id": before.id}, before.version, changes(after), tx)
            return
        try:
            await self._rows.insert_one(document(after), session=tx.session)
        except DuplicateKeyError:
            raise StaleVersion from None
