"""Databases that the tests of one worker borrow, one test after another.

To make one, with its collections and indexes, takes MongoDB longer than most tests take, and the longer the more of
them there are. Borrowed ones are emptied before the next test, when nothing of the one before it runs any more.
"""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from chassis.settings import KafkaSettings
from tests.infra import Infra

PREFIX = f"b{secrets.token_hex(3)}"
_used: set[str] = set()


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
