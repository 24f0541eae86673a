"""Posts that worked: the collection `examples`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pymongo import IndexModel

from chassis.mongo import Document, Mongo, Transaction
from chassis.mongo.rows import changes, document, read
from chassis.mongo.search import begin_with
from chassis.text import terms
from services.program.domain.examples import Example, ExampleState
from services.program.store.shared import delete_row, row_of, save_row


class Examples:
    """The examples of all programmes; each has few."""

    def __init__(self, mongo: Mongo) -> None:
        self._examples = mongo.db["examples"]

    async def ensure_indexes(self) -> None:
        await self._examples.create_indexes(
            [
                IndexModel([("program_id", 1), ("state", 1), ("_id", -1)]),
                IndexModel("author_id", partialFilterExpression={"author_id": {"$type": "string"}}),
                IndexModel("post_id", partialFilterExpression={"post_id": {"$type": "string"}}),
            ]
        )

    async def get(self, program_id: str, id: str, tx: Transaction | None = None) -> Example:
        """Raises NotFound."""
        return read(Example, await row_of(self._examples, "example", program_id, id, tx))

    async def find(self, program_id: str, id: str, tx: Transaction) -> Example | None:
        row = await self._examples.find_one({"_id": id, "program_id": program_id}, session=tx.session)
        return read(Example, row) if row else None

    async def page(
        self,
        program_id: str,
        *,
        state: ExampleState | None = None,
        author_id: str | None = None,
        lesson_id: str | None = None,
        query: str | None = None,
        after: str | None = None,
        limit: int,
    ) -> list[Example]:
        """The newest first."""
        where = _where(program_id, state, author_id, lesson_id, query)
        if after is not None:
            where["_id"] = {"$lt": after}
        rows = await self._examples.find(where, sort=[("_id", -1)], limit=limit).to_list()
        return [read(Example, row) for row in rows]

    async def count(
        self,
        program_id: str,
        *,
        state: ExampleState | None = None,
        author_id: str | None = None,
        lesson_id: str | None = None,
        query: str | None = None,
        tx: Transaction | None = None,
    ) -> int:
        where = _where(program_id, state, author_id, lesson_id, query)
        return await self._examples.count_documents(where, session=tx.session if tx else None)

    async def insert(self, example: Example, tx: Transaction) -> None:
        await self._examples.insert_one({**document(example), "terms": _terms(example)}, session=tx.session)

    async def save(self, before: Example, after: Example, tx: Transaction) -> None:
        """Raises StaleVersion if it has changed meanwhile."""
        fields = {**changes(after), "terms": _terms(after)}
        await save_row(self._examples, {"_id": before.id}, before.version, fields, tx)

    async def delete(self, example: Example, tx: Transaction) -> None:
        """Raises StaleVersion if it has changed meanwhile."""
        await delete_row(self._examples, example.id, example.version, tx)

    async def delete_posts(self, posts: Iterable[tuple[str, str]], tx: Transaction) -> None:
        """Delete those made of these posts, each with its author."""
        pairs = [{"post_id": post, "author_id": author} for post, author in posts]
        if pairs:
            await self._examples.delete_many({"$or": pairs}, session=tx.session)

    async def forget(self, author_id: str, program_id: str, tx: Transaction) -> None:
        """Delete what somebody offered in a programme, which they leave."""
        await self._examples.delete_many({"author_id": author_id, "program_id": program_id}, session=tx.session)


def _where(
    program_id: str, state: ExampleState | None, author_id: str | None, lesson_id: str | None, query: str | None
) -> Document:
    chosen: dict[str, Any] = {
        "program_id": program_id,
        "state": state,
        "author_id": author_id,
        "lesson_id": lesson_id,
        "$and": begin_with(query) if query else None,
    }
    return {name: value for name, value in chosen.items() if value is not None}


def _terms(example: Example) -> list[str]:
    return list(terms(example.text, *example.why.values()))
