"""What operators do at a shell, in the audit trail as everybody's acts are."""

from __future__ import annotations

import getpass
import os
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession

from chassis.mongo import Actor, Document, Transaction
from chassis.mongo.client import OUTBOX
from chassis.principals import OPERATOR_PREFIX
from herald.operations.settings import OperatorSettings

T = TypeVar("T")
_NO_ID = re.compile(r"[^A-Za-z0-9._@-]")


def operator() -> Actor:
    """Who is at the shell: their account on this machine."""
    try:
        account = getpass.getuser()
    except (KeyError, OSError):  # a container may have no name for its user
        account = str(os.getuid())
    return Actor(OPERATOR_PREFIX + _NO_ID.sub("-", account)[:100])


async def act(
    client: AsyncMongoClient[Document],
    settings: OperatorSettings,
    service: str,
    command: Callable[[Transaction], Awaitable[T]],
) -> T:
    """The command's result, from a transaction on a service's database in the operator's name; what it emits goes out
    with the service's own events. Raises PyMongoError."""
    outbox = client[settings.database(service)][OUTBOX]

    async def work(session: AsyncClientSession) -> T:
        tx = Transaction(session, datetime.now(UTC), service=service)
        tx.actor = operator()
        result = await command(tx)
        if tx.rows:
            await outbox.insert_many(tx.rows, session=session)
        return result

    async with client.start_session() as session:
        return await session.with_transaction(work)
