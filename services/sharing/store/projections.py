"""What sharing keeps of others' facts: collections `contents`, `programs`, `acknowledgements`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pymongo import UpdateOne

from chassis.mongo import Mongo, Transaction, pieces
from chassis.mongo.rows import changes, read
from chassis.web.problems import NotFound
from services.sharing.domain.posts import Content

REMEMBERED = 16_384
CONTENTS_AT_ONCE = 20


class Projections:
    """Projections of `herald.content` and `herald.program`."""

    def __init__(self, mongo: Mongo) -> None:
        self._contents = mongo.db["contents"]
        self._programs = mongo.db["programs"]
        self._acknowledgements = mongo.db["acknowledgements"]
        self._known: set[str] = set()

    # --- content ---------------------------------------------------------------------------------------------

    async def content(self, id: str, tx: Transaction | None = None) -> Content:
        """Raises NotFound."""
        row = await self._contents.find_one({"_id": id}, session=tx.session if tx else None)
        if row is None:
            raise NotFound("content", id)
        return read(Content, row)

    async def knows_content(self, id: str) -> bool:
        """Asked once of each item that is known: what is retired stays known."""
        if id not in self._known:
            if await self._contents.find_one({"_id": id}, {"_id": 1}) is None:
                return False
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known.add(id)
        return True

    async def contents(self, ids: Iterable[str], tx: Transaction) -> dict[str, Content]:
        rows = self._contents.find({"_id": {"$in": list(ids)}}, session=tx.session, batch_size=CONTENTS_AT_ONCE)
        return {row["_id"]: read(Content, row) async for row in rows}

    async def put_contents(self, contents: Iterable[Content], tx: Transaction) -> None:
        for some in pieces(list(contents), CONTENTS_AT_ONCE):
            writes = [UpdateOne({"_id": one.id}, {"$set": changes(one)}, upsert=True) for one in some]
            await self._contents.bulk_write(writes, session=tx.session, ordered=False)

    # --- programmes ------------------------------------------------------------------------------------------

    async def program(self, id: str, tx: Transaction | None = None) -> Mapping[str, Any]:
        """`name`, and `required`, the version of the guidelines to acknowledge. Raises NotFound."""
        row = await self._programs.find_one({"_id": id}, session=tx.session if tx else None)
        if row is None or "name" not in row:
            raise NotFound("program", id)
        return row

    async def put_programs(self, names: Mapping[str, str], required: Mapping[str, int], tx: Transaction) -> None:
        """Names of programmes, and versions of their guidelines of which the highest holds."""
        writes = [UpdateOne({"_id": id}, {"$set": {"name": name}}, upsert=True) for id, name in names.items()]
        writes += [
            UpdateOne({"_id": id}, {"$max": {"required": version}}, upsert=True) for id, version in required.items()
        ]
        if writes:
            await self._programs.bulk_write(writes, session=tx.session)

    async def acknowledged(self, person_id: str, program_id: str, tx: Transaction | None = None) -> int:
        """The latest version of the guidelines that this person acknowledged, 0 for none."""
        row = await self._acknowledgements.find_one(
            {"_id": f"{person_id}|{program_id}"}, session=tx.session if tx else None
        )
        return int(row["version"]) if row else 0

    async def put_acknowledgements(self, versions: Mapping[tuple[str, str], int], tx: Transaction) -> None:
        """Versions by person and programme; an earlier one never replaces a later one."""
        writes = [
            UpdateOne({"_id": f"{person}|{program}"}, {"$max": {"version": version}}, upsert=True)
            for (person, program), version in versions.items()
        ]
        if writes:
            await self._acknowledgements.bulk_write(writes, session=tx.session, ordered=False)
