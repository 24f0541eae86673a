"""Faults of Kafka, MongoDB and Redis, and of the way to them."""

from __future__ import annotations

import asyncio
import time

from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError
from redis.asyncio import Redis

from tests.fault.evidence import Document
from tests.fault.harness import MAIN, FaultHarness
from tests.fault.world import MANAGER


async def broker_killed(harness: FaultHarness) -> None:
    for pause in (0.0, 12.0):
        await harness.kill_server("kafka")
        began = time.monotonic()
        await asyncio.sleep(pause)
        await harness.start_server("kafka")
        visits, redirected, _ = harness.redirects(began)
        enough = redirected >= visits * 0.9 or not harness.alone
        harness.holds("links redirect without a broker", enough, f"{redirected} of {visits}")
        await asyncio.sleep(2)


async def broker_stopped(harness: FaultHarness) -> None:
    began = time.monotonic()
    async with harness.frozen_server("kafka"):
        await asyncio.sleep(10)
        harness.as_quick_as_before(began)
        grows = harness.depths.outbox > 10 or not harness.alone  # beside MongoDB's own faults nothing is committed
        harness.holds("the outbox grows", grows, f"at most {harness.depths.outbox} rows")


async def broker_away_at_start(harness: FaultHarness) -> None:
    await asyncio.gather(*(harness.terminate(name) for name in MAIN))
    async with harness.network("kafka", "reset"):
        await asyncio.gather(*(harness.process(name).start() for name in MAIN))
        await asyncio.sleep(10)
        for name in MAIN:
            harness.holds(f"{name} lives without a broker", harness.process(name).running)


async def answers_dropped(harness: FaultHarness) -> None:
    """Requests arrive, answers do not, and then the connection breaks: short enough to be sent again in place."""
    for _ in range(5):
        async with harness.network("kafka", "drop-answers"):
            await asyncio.sleep(harness.chance.uniform(0.15, 0.35))
        await asyncio.sleep(harness.chance.uniform(0.5, 1.5))


async def mongod_faults(harness: FaultHarness) -> None:
    await harness.kill_server("mongod")
    await asyncio.sleep(1)
    await harness.start_server("mongod")
    await asyncio.sleep(3)
    async with harness.frozen_server("mongod"):
        await asyncio.sleep(6)
    await asyncio.sleep(2)
    client: AsyncMongoClient[Document] = AsyncMongoClient(harness.system.mongo_direct)
    await harness.interrupts()
    try:
        await client.admin.command({"replSetStepDown": 3, "force": True})
    except PyMongoError as error:
        harness.holds("the primary stepped down", error.has_error_label("RetryableWriteError"), error)
    finally:
        await client.close()
    await asyncio.sleep(3)


async def redis_faults(harness: FaultHarness) -> None:
    """Afterwards the leaderboards, which are kept there, are what the balances say."""
    await harness.kill_server("redis")
    await asyncio.sleep(4)
    await harness.start_server("redis")
    await asyncio.sleep(1)
    redis = Redis(port=harness.system.ports["redis"])
    try:
        await redis.flushall()
    finally:
        await redis.aclose()
    await harness.quiet()
    await harness.until(lambda: _leaderboard_right(harness), "the leaderboard is that of the balances")


async def _leaderboard_right(harness: FaultHarness) -> bool:
    """The leaderboard has exactly the points of those who have some and do not hide."""
    world = harness.workload.world
    path = f"/gamification/v1/programs/{world.program_id}/leaderboard?period=all&limit=100"
    shown = (await world.client.call(MANAGER, "GET", path)).json()["items"]
    client: AsyncMongoClient[Document] = AsyncMongoClient(harness.system.mongo_direct)
    try:
        visible = {"_id": {"$in": list(world.people.values())}, "hidden_from_statistics": {"$ne": True}}
        people = [row["_id"] async for row in client["herald_program"]["people"].find(visible)]
        positive = {"program_id": world.program_id, "period": "all", "points": {"$gt": 0}}
        found = client["herald_gamification"]["balances"].find({**positive, "ambassador_id": {"$in": people}})
        expected = {row["ambassador_id"]: row["points"] async for row in found}
    finally:
        await client.close()
    return {one["person_id"]: one["points"] for one in shown} == expected
