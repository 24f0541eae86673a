"""Collections whose rows tell nothing of when they came.

A collection keeps its rows in the order of their insertion, and an id that holds the time tells it, too. In these the
rows lie in the order of their ids, which are random.
"""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from pymongo.errors import CollectionInvalid, OperationFailure

from chassis.mongo import Mongo

NAMESPACE_EXISTS: Final = 48


async def ensure_clustered(mongo: Mongo, name: str) -> None:
    """Make the collection, clustered by `_id`, unless it is there."""
    try:
        await mongo.db.create_collection(name, clusteredIndex={"key": {"_id": 1}, "unique": True})
    except CollectionInvalid:
        return
    except OperationFailure as error:
        if error.code != NAMESPACE_EXISTS:
            raise


def random_id() -> str:
    """A UUIDv4: nothing but chance, where `chassis.ids.new_id` begins with the time."""
    return str(uuid4())
