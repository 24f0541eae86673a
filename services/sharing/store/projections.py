"""What sharing keeps of others' facts: collections `contents`, `programs`, `acknowledgements`,
`lessons` and `completions`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pymongo import UpdateOne

from chassis.mongo import Mongo, Transaction, pieces
from chassis.mongo.projection import when_newer
from chassis.mongo.rows import changes, read
from chassis.web.problems import NotFound
from services.sharing.domain.posts import Content, RequiredLesson

REMEMBERED = 16_384
CONTENTS_AT_ONCE = 20


class Projections:
    """Projections of `herald.content` and `herald.program`."""

    def __init__(self, mongo: Mongo) -> None:
        self._contents = mongo.db["contents"]
        self._programs = mongo.db["programs"]
        self._acknowledgements = mongo.db["acknowledgements"]
        self._lessons = mongo.db["lessons"]
        self._completions = mongo.db["completions"]
        self._known: set[str] = set()

    async def ensure_indexes(self) -> None:
        await self._lessons.create_index(["program_id", "required_for"])

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
        """`name`, `required`, the version of the guidelines to acknowledge, and whether it is `archived`. Raises
        NotFound."""
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

    async def put_archived(self, id: str, revision: int, archived: bool, tx: Transaction) -> None:
        """That a programme is over or not, unless a later revision said so already."""
        fields = when_newer(revision, {"archived": archived}, guard="archive_revision")
        await self._programs.update_one({"_id": id}, [{"$set": fields}], upsert=True, session=tx.session)

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

    # --- lessons ---------------------------------------------------------------------------------------------

    async def lessons_left(
        self, person_id: str, program_id: str, right: str, tx: Transaction | None = None
    ) -> tuple[str, ...]:
        """The lessons that this person has to complete before they may do something, in the order in which they were
        made."""
        session = tx.session if tx else None
        wanted = {"program_id": program_id, "required_for": right}
        required = [
            row["_id"] async for row in self._lessons.find(wanted, {"_id": 1}, sort=[("_id", 1)], session=session)
        ]
        if not required:
            return ()
        ids = {f"{person_id}|{lesson}": lesson for lesson in required}
        rows = self._completions.find({"_id": {"$in": list(ids)}}, session=session)
        done = {ids[row["_id"]] async for row in rows}
        return tuple(lesson for lesson in required if lesson not in done)

    async def put_lessons(self, lessons: Iterable[RequiredLesson], tx: Transaction) -> None:
        """What lessons are required for; an earlier revision never replaces a later one."""
        found = {lesson.id: lesson for lesson in lessons}
        wanted = {"_id": {"$in": list(found)}}
        known = {row["_id"]: row["revision"] async for row in self._lessons.find(wanted, session=tx.session)}
        writes = [
            UpdateOne({"_id": lesson.id}, {"$set": changes(lesson)}, upsert=True)
            for lesson in found.values()
            if lesson.revision > known.get(lesson.id, 0)
        ]
        if writes:
            await self._lessons.bulk_write(writes, session=tx.session, ordered=False)

    async def put_completions(self, completed: Iterable[tuple[str, str]], tx: Transaction) -> None:
        """Persons with the lessons that they completed."""
        writes = [
            UpdateOne({"_id": f"{person}|{lesson}"}, {"$setOnInsert": {"lesson_id": lesson}}, upsert=True)
            for person, lesson in completed
        ]
        if writes:
            await self._completions.bulk_write(writes, session=tx.session, ordered=False)
