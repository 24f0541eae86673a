"""Commands as a process of their own: each writes a share and has one event to tell.

    python -m bench.commands herald|floor COUNT RATE     (RATE a second; 0: as fast as 48 callers can)
    python -m bench.commands relay

`herald` commits share and event in one transaction and leaves the event to the relay; `floor` commits the share
in the same kind of transaction and then sends the event itself, so that a crash in between would lose it. Prints,
as JSON, when it began and when each command was committed (seconds since 1970, by the event's id).
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import uvloop

from chassis.ids import new_id
from chassis.kafka.producer import Producer
from chassis.mongo import Transaction
from chassis.outbox.relay import Relay
from chassis.runtime import Runtime
from chassis.settings import Settings
from herald_contracts import PostShared, encode

CALLERS = 48
SHARES = "shares"


def shared(number: int) -> PostShared:
    return PostShared(
        post_id=new_id(),
        ambassador_id=f"ambassador-{number % 500}",
        program_id="bench-program",
        content_id=f"content-{number % 40}",
        network="linkedin",
        language="en",
        edited=False,
        link_code=f"code{number:08d}",
        method="dialog",
        occurred_at=datetime.now(UTC),
    )


async def by_outbox(runtime: Runtime, number: int) -> str:
    """State and event in one transaction; returns the event's id."""
    event = shared(number)

    async def work(tx: Transaction) -> str:
        await runtime.mongo.db[SHARES].insert_one(
            event.model_dump(mode="json") | {"_id": event.post_id}, session=tx.session
        )
        return tx.emit(event)

    return await runtime.mongo.transact(work)


class Direct:
    """State in a transaction, then the event straight to Kafka."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer

    async def __call__(self, runtime: Runtime, number: int) -> str:
        event, id = shared(number), new_id()
        row = event.model_dump(mode="json") | {"_id": event.post_id}
        await runtime.mongo.transact(lambda tx: runtime.mongo.db[SHARES].insert_one(row, session=tx.session))
        await self._producer.send_all([encode(event, id=id, time=datetime.now(UTC))])
        return id


Command = Callable[[Runtime, int], Awaitable[str]]


async def issue(runtime: Runtime, command: Command, count: int, rate: float) -> dict[str, float]:
    """`count` commands, each by one of the callers when it is due; when each was committed, by event."""
    committed: dict[str, float] = {}
    numbers = iter(range(count))
    began = time.perf_counter()

    async def call() -> None:
        for number in numbers:
            if rate:
                await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            id = await command(runtime, number)
            committed[id] = time.time()

    await asyncio.gather(*(call() for _ in range(CALLERS)))
    return committed


async def commands(kind: str, count: int, rate: float) -> None:
    runtime = Runtime("bench", Settings())
    command: Command = by_outbox if kind == "herald" else Direct(runtime.producer)
    # Connections are made and the relay is at work before the clock runs.
    await asyncio.gather(*(command(runtime, number) for number in range(CALLERS)))
    while await runtime.mongo.outbox.find_one({}):
        await asyncio.sleep(0.05)
    began = time.time()
    committed = await issue(runtime, command, count, rate)
    print(json.dumps({"began": began, "committed": committed}), flush=True)
    await runtime.close()


async def relay() -> None:
    runtime = Runtime("bench", Settings())
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    running = Relay(runtime)
    await running.ensure_indexes()
    await running.run(stop)
    await runtime.close()


if __name__ == "__main__":
    if sys.argv[1] == "relay":
        uvloop.run(relay())
    else:
        uvloop.run(commands(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
