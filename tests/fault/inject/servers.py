"""Faults of Kafka, MongoDB and Redis, and of the way to them."""

from __future__ import annotations

import asyncio
import time

from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError
from redis.asyncio import Redis

from tests.fault.evidence import (
    Document,
    read_stores,
)
from tests.fault.stage import MAIN, Stage
from tests.fault.world import MANAGER


async def broker_killed(stage: Stage) -> None:
    for pause in (0.0, 12.0):
        await stage.kill_server("kafka")
        began = time.monotonic()
        await asyncio.sleep(pause)
        await stage.start_server("kafka")
        visits, redirected, _ = stage.redirects(began)
        enough = redirected >= visits * 0.9 or not stage.alone
        stage.holds("links redirect without a broker", enough, f"{redirected} of {visits}")
        await asyncio.sleep(2)


async def broker_stopped(stage: Stage) -> None:
    began = time.monotonic()
    async with stage.frozen_server("kafka"):
        await asyncio.sleep(10)
        stage.as_quick_as_before(began)
        grows = stage.depths.outbox > 10 or not stage.alone  # beside MongoDB's own faults nothing is committed
        stage.holds("the outbox grows", grows, f"at most {stage.depths.outbox} rows")


async def broker_away_at_start(stage: Stage) -> None:
    await asyncio.gather(*(stage.terminate(name) for name in MAIN))
    async with stage.network("kafka", "reset"):
        await asyncio.gather(*(stage.process(name).start() for name in MAIN))
        await asyncio.sleep(10)
        for name in MAIN:
            stage.holds(f"{name} lives without a broker", stage.process(name).running)


async def answers_dropped(stage: Stage) -> None:
    """Requests arrive, answers do not, and then the connection breaks: short enough to be sent again in place."""
    for _ in range(5):
        async with stage.network("kafka", "drop-answers"):
            await asyncio.sleep(stage.chance.uniform(0.15, 0.35))
        await asyncio.sleep(stage.chance.uniform(0.5, 1.5))


async def mongod_faults(stage: Stage) -> None:
    await stage.kill_server("mongod")
    await asyncio.sleep(1)
    await stage.start_server("mongod")
    await asyncio.sleep(3)
    async with stage.frozen_server("mongod"):
        await asyncio.sleep(6)
    await asyncio.sleep(2)
    client: AsyncMongoClient[Document] = AsyncMongoClient(stage.system.mongo_direct)
    await stage.interrupts()
    try:
        await client.admin.command({"replSetStepDown": 3, "force": True})
    except PyMongoError as error:
        stage.holds("the primary stepped down", error.has_error_label("RetryableWriteError"), error)
    finally:
        await client.close()
    await asyncio.sleep(3)


async def redis_faults(stage: Stage) -> None:
    """Afterwards the leaderboards, which are kept there, are what the balances say."""
    await stage.kill_server("redis")
    await asyncio.sleep(4)
    await stage.start_server("redis")
    await asyncio.sleep(1)
    redis = Redis(port=stage.system.ports["redis"])
    try:
        await redis.flushall()
    finally:
        await redis.aclose()
    await stage.quiet()
    await stage.until(lambda: _leaderboard_right(stage), "the leaderboard is that of the balances")


async def _leaderboard_right(stage: Stage) -> bool:
    world = stage.workload.world
    path = f"/gamification/v1/programs/{world.program_id}/leaderboard?period=all&limit=100"
    shown = (await world.client.call(MANAGER, "GET", path)).json()["items"]
    balances = (await read_stores(stage.system.mongo_direct))["gamification"]["balances"].values()
    points = {one["ambassador_id"]: one["points"] for one in balances if one["period"] == "all" and one["points"] > 0}
    known = set(world.people.values())
    return {one["person_id"]: one["points"] for one in shown} == {
        person: sum_ for person, sum_ in points.items() if person in known
    }
