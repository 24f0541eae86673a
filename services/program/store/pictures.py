"""Pictures, and apart from what is known of them their bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from chassis.mongo import Mongo, Transaction
from chassis.mongo.rows import document, read
from chassis.web.problems import NotFound
from services.program.domain.pictures import Picture, Size
from services.program.store.shared import row_of


class Pictures:
    """The collections `pictures` and `picture_bytes`."""

    def __init__(self, mongo: Mongo) -> None:
        self._pictures = mongo.db["pictures"]
        self._bytes = mongo.db["picture_bytes"]

    async def ensure_indexes(self) -> None:
        await self._pictures.create_index(["program_id"])
        await self._pictures.create_index(["used_by", "created_at"])

    async def get(self, program_id: str, id: str, tx: Transaction | None = None) -> Picture:
        """Raises NotFound."""
        return read(Picture, await row_of(self._pictures, "picture", program_id, id, tx))

    async def get_many(self, ids: Iterable[str], tx: Transaction | None = None) -> dict[str, Picture]:
        """The pictures with these ids, by id; unknown ids are left out."""
        cursor = self._pictures.find({"_id": {"$in": list(ids)}}, session=tx.session if tx else None)
        return {row["_id"]: read(Picture, row) for row in await cursor.to_list()}

    async def content(self, id: str, size: Size) -> tuple[Picture, bytes]:
        """Raises NotFound."""
        row = await self._pictures.find_one({"_id": id})
        held = await self._bytes.find_one({"_id": id}, {size: 1})
        if row is None or held is None:
            raise NotFound("picture", id)
        return read(Picture, row), bytes(held[size])

    async def count(self, program_id: str, tx: Transaction) -> int:
        return await self._pictures.count_documents({"program_id": program_id}, session=tx.session)

    async def insert(self, picture: Picture, content: Mapping[Size, bytes], tx: Transaction) -> None:
        await self._pictures.insert_one(document(picture), session=tx.session)
        held: dict[str, Any] = {"_id": picture.id, **{str(size): one for size, one in content.items()}}
        await self._bytes.insert_one(held, session=tx.session)

    async def set_user(self, picture: Picture, used_by: str, tx: Transaction) -> None:
        await self._pictures.update_one({"_id": picture.id}, {"$set": {"used_by": used_by}}, session=tx.session)

    async def delete(self, id: str, tx: Transaction) -> None:
        await self._pictures.delete_one({"_id": id}, session=tx.session)
        await self._bytes.delete_one({"_id": id}, session=tx.session)

    async def unused(self, before: datetime, limit: int) -> list[str]:
        """Ids of pictures that nothing shows and that came before a moment."""
        where = {"used_by": None, "created_at": {"$lt": before}}
        return [row["_id"] for row in await self._pictures.find(where, {"_id": 1}, limit=limit).to_list()]

    async def delete_unused(self, id: str, tx: Transaction) -> None:
        """Delete a picture unless something shows it by now."""
        found = await self._pictures.delete_one({"_id": id, "used_by": None}, session=tx.session)
        if found.deleted_count:
            await self._bytes.delete_one({"_id": id}, session=tx.session)
