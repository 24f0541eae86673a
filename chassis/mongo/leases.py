"""Leases in MongoDB: at most one holder at a time. An epoch that only rises tells it from an earlier holder."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from pymongo import ReturnDocument
from pymongo.errors import PyMongoError

from chassis.ids import new_id

if TYPE_CHECKING:
    from chassis.mongo.client import Document, Mongo, Transaction
    from chassis.supervisor import Supervisor

logger = logging.getLogger(__name__)
T = TypeVar("T")


class LeaseLost(Exception):
    """Another holder has taken over; what this one was about to do must not happen."""


class Lease:
    """A named lease. Time is the database server's, so that no host's clock matters; the holder stops
    trusting it a third early by its own monotonic clock."""

    def __init__(self, mongo: Mongo, supervisor: Supervisor, name: str, *, seconds: float = 10.0) -> None:
        self._mongo = mongo
        self._supervisor = supervisor
        self._leases = mongo.db["leases"]
        self._holder = new_id()
        self._trusted_until = 0.0
        self.name = name
        self.seconds = seconds
        self.epoch = 0

    @property
    def held(self) -> bool:
        return time.monotonic() < self._trusted_until

    async def acquire(self) -> bool:
        """Take it or renew it; False while another holds it. Raises PyMongoError."""
        asked = time.monotonic()
        mine = {"$eq": ["$holder", self._holder]}
        free = {"$or": [mine, {"$lte": [{"$ifNull": ["$until", "$$NOW"]}, "$$NOW"]}]}
        risen = {"$add": [{"$ifNull": ["$epoch", 0]}, 1]}
        found: Document | None = await self._leases.find_one_and_update(
            {"_id": self.name},
            [
                {
                    "$set": {
                        "epoch": {"$cond": [{"$and": [free, {"$not": [mine]}]}, risen, "$epoch"]},
                        "holder": {"$cond": [free, self._holder, "$holder"]},
                        "until": {"$cond": [free, {"$add": ["$$NOW", int(self.seconds * 1000)]}, "$until"]},
                    }
                }
            ],
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        if found is None or found["holder"] != self._holder:
            self._trusted_until = 0.0
            return False
        self.epoch = int(found["epoch"])
        self._trusted_until = asked + self.seconds * 2 / 3
        return True

    async def fence(self, tx: Transaction) -> None:
        """Make a transaction fail with LeaseLost unless this holder still has the lease when it commits."""
        result = await self._leases.update_one(
            {"_id": self.name, "holder": self._holder, "epoch": self.epoch},
            {"$inc": {"fenced": 1}},
            session=tx.session,
        )
        if result.matched_count == 0:
            raise LeaseLost(self.name)

    async def release(self) -> None:
        """Let another take over at once; where MongoDB is away the lease runs out by itself."""
        self._trusted_until = 0.0
        try:
            await self._leases.update_one(
                {"_id": self.name, "holder": self._holder}, [{"$set": {"until": "$$NOW", "holder": None}}]
            )
        except PyMongoError:
            logger.debug("the lease %s was left to run out", self.name)

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Renew in the background while the body runs. Once it is lost, `held` stays False until the body has ended."""
        async with self._supervisor.beside(f"lease {self.name}", partial(self._renew, self.epoch)):
            yield

    async def _renew(self, epoch: int) -> None:
        while True:
            await asyncio.sleep(self.seconds / 3)
            try:
                if not await self.acquire() or self.epoch != epoch:
                    break
            except PyMongoError:
                logger.debug("the lease %s could not be renewed", self.name)
        self._trusted_until = 0.0  # somebody else may have held it meanwhile: what began before must not go on
        await asyncio.Event().wait()

    async def transact(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """A transaction that commits only under this lease."""

        async def fenced(tx: Transaction) -> T:
            await self.fence(tx)
            return await work(tx)

        return await self._mongo.transact(fenced)
