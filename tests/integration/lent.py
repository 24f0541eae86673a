"""Databases that the tests of one worker borrow, one test after another.

To make one, with its collections and indexes, takes MongoDB longer than most tests take, and the longer the more of
them there are. Borrowed ones are emptied before the next test, when nothing of the one before it runs any more.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

from chassis.settings import KafkaSettings
from tests.infra import Infra

PREFIX = f"b{secrets.token_hex(3)}"
_used: set[str] = set()
_indexes: set[tuple[str, str]] = set()
"""Those that borrowed databases have: the collection's full name, and what was asked for."""


async def lend(infra: Infra, namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Services of this process have a borrowed database, empty, where they would have one in this namespace."""
    async with AsyncMongoClient[dict[str, Any]](infra.mongo_url) as client:
        for name in sorted(_used):
            await empty(client[name])
    _used.clear()
    usual = KafkaSettings.database

    def database(settings: KafkaSettings, service: str) -> str:
        name = usual(settings, service)
        if not name.startswith(namespace):
            return name
        borrowed = PREFIX + name.removeprefix(namespace)
        _used.add(borrowed)
        return borrowed

    monkeypatch.setattr(KafkaSettings, "database", database)
    for method in ("create_index", "create_indexes"):
        monkeypatch.setattr(AsyncCollection, method, _once(getattr(AsyncCollection, method)))


def _once(create: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Asks MongoDB only for those indexes that a borrowed database does not have yet. No test removes one."""

    async def created(collection: AsyncCollection[Any], wanted: Any, *more: Any, **options: Any) -> Any:
        said = [getattr(one, "document", one) for one in wanted] if isinstance(wanted, list) else wanted
        asked = (collection.full_name, repr((said, more, sorted(options.items()))))
        if asked in _indexes:
            return None
        result = await create(collection, wanted, *more, **options)
        if collection.database.name.startswith(PREFIX):
            _indexes.add(asked)
        return result

    return created


async def empty(db: AsyncDatabase[dict[str, Any]]) -> None:
    """Its collections and their indexes stay."""
    for name in await filled(db):
        await db[name].delete_many({})


async def filled(db: AsyncDatabase[dict[str, Any]]) -> list[str]:
    """The collections that hold something, sorted, but for MongoDB's own: a few of many, found with one command."""
    names = sorted(await db.list_collection_names(filter={"name": {"$not": {"$regex": r"^system\."}}}))
    if not names:
        return []
    first, *others = names
    more = [{"$unionWith": {"coll": name, "pipeline": _named(name)}} for name in others]
    rows = await (await db[first].aggregate([*_named(first), *more])).to_list()
    return sorted(row["name"] for row in rows)


def _named(collection: str) -> list[dict[str, Any]]:
    """Gives the name of a collection that is not empty."""
    return [{"$limit": 1}, {"$project": {"_id": 0, "name": {"$literal": collection}}}]
