"""`herald` with motor behind `chassis/mongo/client.py`, for a comparison alone: motor is no dependency (see ADR 0002).

    python -m bench.with_motor run metrics worker

motor's calls differ from those of PyMongo's asynchronous client in a few that are awaited there and not here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from motor import motor_asyncio as motor

import chassis.mongo.client
from herald.cli.app import main

Client: Any = motor.AsyncIOMotorClient
Session: Any = motor.AsyncIOMotorClientSession
Collection: Any = motor.AsyncIOMotorCollection


def adapt() -> None:
    """Give motor's classes the calls that the chassis makes."""
    start_session, close = Client.start_session, Client.close
    aggregate, watch = Collection.aggregate, Collection.watch

    @asynccontextmanager
    async def session_of(self: Any, **options: Any) -> AsyncIterator[Any]:
        session = await start_session(self, **options)
        try:
            yield session
        finally:
            await session.end_session()

    async def begin(self: Any, **options: Any) -> None:
        self.delegate.start_transaction(**options)

    async def closed(self: Any) -> None:
        close(self)

    async def aggregated(self: Any, *args: Any, **options: Any) -> Any:
        return aggregate(self, *args, **options)

    async def watched(self: Any, *args: Any, **options: Any) -> Any:
        return watch(self, *args, **options)

    Client.start_session, Client.close, Session.start_transaction = session_of, closed, begin
    Collection.aggregate, Collection.watch = aggregated, watched
    vars(chassis.mongo.client)["AsyncMongoClient"] = Client


if __name__ == "__main__":
    adapt()
    main()
