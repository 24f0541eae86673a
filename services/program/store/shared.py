"""What the collections of this service do alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pymongo.asynchronous.collection import AsyncCollection

from chassis.mongo import Document, Transaction
from chassis.text import terms
from chassis.web.problems import NotFound, StaleVersion


async def row_of(
    collection: AsyncCollection[Document], kind: str, program_id: str, id: str, tx: Transaction | None
) -> Document:
    """The row with that id in a programme; `kind` says what it is. Raises NotFound."""
    row = await collection.find_one({"_id": id, "program_id": program_id}, session=tx.session if tx else None)
    if row is None:
        raise NotFound(kind, id)
    return row


async def save_row(
    collection: AsyncCollection[Document], where: Document, version: int, fields: Document, tx: Transaction
) -> None:
    """Set fields of the row, which must still have that version. Raises StaleVersion."""
    found = await collection.update_one({**where, "version": version}, {"$set": fields}, session=tx.session)
    if found.matched_count == 0:
        raise StaleVersion


async def delete_row(collection: AsyncCollection[Document], id: str, version: int, tx: Transaction) -> None:
    """Delete the row, which must still have that version. Raises StaleVersion."""
    found = await collection.delete_one({"_id": id, "version": version}, session=tx.session)
    if found.deleted_count == 0:
        raise StaleVersion


async def add_terms(collection: AsyncCollection[Document], texts: Callable[[Document], Iterable[str]]) -> None:
    """Give rows of before they could be searched the terms of their texts."""
    async for row in collection.find({"terms": None}):
        await collection.update_one({"_id": row["_id"]}, {"$set": {"terms": list(terms(*texts(row)))}})
