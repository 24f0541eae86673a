"""How each fault is brought about. Each returns at the moment when the fault is over."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError
from redis.asyncio import Redis

from herald.topics import load_topics
from tests.fault import poison
from tests.fault.evidence import (
    DEAD,
    SERVICES,
    Document,
    Record,
    consumers,
    contract,
    end_offsets,
    read_stores,
    read_topics,
)
from tests.fault.journal import Produced
from tests.fault.poison import Draft
from tests.fault.stage import MAIN, Stage
from tests.fault.world import MANAGER

AT_ONCE = 30
SESSION = 14.0
"""Longer than a consumer's session and than a relay's lease (10 s each)."""
TOGETHER = 5.0
"""Long enough for a holder that does not know that it lost its lease to publish more than what was in flight."""
KEEPING = {"offsets", "offsets_aside", "inbox", "inbox_aside", "outbox", "leases", "jobs"}


async def crash_at_commit(stage: Stage) -> None:
    await stage.crash("apis", "transaction.before-commit", "transaction.after-commit")


async def crash_after_ack(stage: Stage) -> None:
    await stage.crash("workers", "relay.after-ack")


async def crash_around_transaction(stage: Stage) -> None:
    """Before the commit of a consumer's transaction, and between that and the commit of its offsets."""
    await stage.crash("workers", "transaction.before-commit", "consumer.after-transaction")


async def random_kills(stage: Stage) -> None:
    for _ in range(stage.rounds):
        name = stage.chance.choice(MAIN)
        await asyncio.sleep(stage.chance.uniform(0.0, 1.5))
        await stage.kill(name)
        await stage.process(name).start()
        if stage.chance.random() < 0.7:
            await stage.process(name).ready()


async def rolling_terms(stage: Stage) -> None:
    async with stage.second_worker():
        await stage.terminate("workers")
        await stage.restart("workers")
    for name in ("links", "apis"):
        await stage.terminate(name)
        await stage.process(name).start()


async def terms_without_broker(stage: Stage) -> None:
    await stage.kill_server("kafka")
    await asyncio.sleep(2)
    await asyncio.gather(*(stage.terminate(name) for name in MAIN))
    await stage.start_server("kafka")
    await asyncio.gather(*(stage.process(name).start() for name in MAIN))


async def stopped_consumer(stage: Stage) -> None:
    async with stage.second_worker() as second:
        async with stage.frozen(second):
            await asyncio.sleep(SESSION)
        await asyncio.sleep(1)


async def stopped_lease_holder(stage: Stage) -> None:
    """The first process holds every relay's lease; the second takes over while it stands still."""
    async with stage.second_worker():
        before = await _epochs(stage)
        async with stage.frozen(stage.process("workers")):
            await asyncio.sleep(SESSION)
        after = await _epochs(stage)
        risen = [name for name in before if after[name] > before[name]]
        stage.holds("the second process took the leases over", len(risen) == len(before), f"{len(risen)}/{len(before)}")
        await asyncio.sleep(TOGETHER)


async def _epochs(stage: Stage) -> dict[str, int]:
    client: AsyncMongoClient[Document] = AsyncMongoClient(stage.system.mongo_direct)
    try:
        rows = {name: await client[f"herald_{name}"]["leases"].find_one({"_id": "relay"}) for name in SERVICES}
    finally:
        await client.close()
    return {name: int(row["epoch"]) for name, row in rows.items() if row is not None}


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


async def rebalance_storm(stage: Stage) -> None:
    """Strangers join every group and leave again; what they were given lies still in between."""
    for _ in range(3):
        strangers = [
            AIOKafkaConsumer(
                *topics,
                bootstrap_servers=stage.system.kafka,
                group_id=group,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                heartbeat_interval_ms=1_000,
            )
            for group, topics in consumers().items()
        ]
        await asyncio.gather(*(one.start() for one in strangers))
        await asyncio.sleep(3)
        await asyncio.gather(*(one.stop() for one in strangers))
        await asyncio.sleep(3)


async def slow_handler(stage: Stage) -> None:
    """Each step to MongoDB takes so long that a batch outlives the interval between two polls."""
    await stage.terminate("workers")
    await stage.restart("workers", HERALD_KAFKA_MAX_POLL="5")
    async with stage.second_worker(HERALD_KAFKA_MAX_POLL="5"), stage.network("mongod", "delay", seconds=0.35):
        await asyncio.sleep(20)
    await stage.terminate("workers")
    await stage.process("workers").start()


async def offsets_reset(stage: Stage) -> None:
    """Everything again from the beginning: held back by the stored positions alone, then by the inbox alone."""
    await stage.quiet()
    await stage.terminate("workers")
    before = await _states(stage)
    client: AsyncMongoClient[Document] = AsyncMongoClient(stage.system.mongo_direct)
    try:
        for name in ("inbox", "offsets"):
            await _put_aside(client, name)
            await _rewind(stage)
            await stage.restart("workers")
            await stage.until(lambda: _read_again(stage), "everything is read again", within=60)
            await stage.quiet()
            after = await _states(stage)
            changed = [
                f"{service}.{rows}" for service in before for rows in before[service]
                if before[service][rows] != after[service].get(rows)
            ]  # fmt: skip
            stage.holds(f"a full replay without {name} leaves the same state", not changed, ", ".join(changed))
            if name == "inbox":
                await stage.terminate("workers")
                await _put_back(client, name)
    finally:
        await client.close()


async def _put_aside(client: AsyncMongoClient[Document], name: str) -> None:
    for service in consumers():
        await client[f"herald_{service}"][name].rename(f"{name}_aside", dropTarget=True)


async def _put_back(client: AsyncMongoClient[Document], name: str) -> None:
    for service in consumers():
        await client[f"herald_{service}"][f"{name}_aside"].rename(name, dropTarget=True)


async def _read_again(stage: Stage) -> bool:
    """Whether every group has committed the end of every partition."""
    ends = await end_offsets(stage.system.kafka, contract())
    for group, topics in consumers().items():
        async with _member(stage, group) as consumer:
            for (topic, number), end in ends.items():
                part = TopicPartition(topic, number)
                if topic in topics and (await consumer.committed(part) or 0) < end:
                    return False
    return True


@asynccontextmanager
async def _member(stage: Stage, group: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A client that speaks for a group and takes no part in it."""
    consumer = AIOKafkaConsumer(bootstrap_servers=stage.system.kafka, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def _states(stage: Stage) -> dict[str, dict[str, Any]]:
    stores = await read_stores(stage.system.mongo_direct)
    return {
        service: {name: rows for name, rows in collections.items() if name not in KEEPING}
        for service, collections in stores.items()
    }


async def _rewind(stage: Stage) -> None:
    for group, topics in consumers().items():
        parts = [TopicPartition(topic, number) for topic in topics for number in range(contract()[topic]["partitions"])]
        async with _member(stage, group) as consumer:
            consumer.assign(parts)
            await consumer.commit(dict.fromkeys(parts, 0))


async def published_again(stage: Stage) -> None:
    """Events of every topic once more, byte by byte, at new offsets."""
    topics = [name for name in contract() if not name.startswith(DEAD)]
    there = await read_topics(stage.system.kafka, topics)
    own = {one.id for one in stage.workload.journal.produced}
    known = [one for topic in topics for one in there[topic] if one.id and one.id not in own]
    chosen = stage.chance.sample(known, k=min(300, len(known)))

    async def publish(one: Record) -> None:
        note = Produced(one.id, one.topic, "published again")
        await stage.workload.send(note, Draft(one.topic, one.key, one.value, list(one.headers)))
        again = stage.workload.journal.repeated
        again[one.id] = again.get(one.id, 0) + note.copies

    for start in range(0, len(chosen), AT_ONCE):
        await asyncio.gather(*(publish(one) for one in chosen[start : start + AT_ONCE]))


async def poisoned(stage: Stage) -> None:
    """Every kind, each between two good ones of the same key, all waiting when the consumers wake up."""
    workload = stage.workload
    async with stage.frozen(stage.process("workers")):
        for kind in poison.KINDS:
            post = stage.chance.choice(workload.posts)
            for spoilt in (False, True, False):
                id, draft = poison.engagement(stage.chance, post)
                if spoilt:
                    await workload.spoil(kind, id, draft)
                else:
                    note = Produced(id, draft.topic, "an engagement")
                    workload.journal.produced.append(note)
                    await workload.send(note, draft)
        id, draft = poison.click_of_nothing(stage.chance)
        never = poison.Poison("a click on a link that never was", lambda _: None, rules=frozenset(("link-unknown",)))
        await workload.spoil(never, id, draft)


async def dead_letters_unavailable(stage: Stage) -> None:
    """Kafka refuses what is sent to the dead-letter topics while poison arrives: it is too large for them."""
    await _limit_letters(stage, {"max.message.bytes": "100"})
    try:
        before = await _letters(stage)
        kinds = [one for one in poison.KINDS if one.fates == poison.BURIED]
        for kind in stage.chance.sample(kinds, k=3):
            id, draft = poison.engagement(stage.chance, stage.chance.choice(stage.workload.posts))
            await stage.workload.spoil(kind, id, draft)
        await asyncio.sleep(10)
        taken = await _letters(stage) - before
        stage.holds("Kafka refuses dead letters", taken == 0, f"it took {taken}")
    finally:
        await _limit_letters(stage, {})


async def _limit_letters(stage: Stage, changes: Mapping[str, str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=stage.system.kafka)
    await admin.start()
    try:
        wanted = [
            ConfigResource(ConfigResourceType.TOPIC, one.name, {**one.config, **changes})
            for one in load_topics() if one.name.startswith(DEAD)
        ]  # fmt: skip
        await admin.alter_configs(wanted)
    finally:
        await admin.close()


async def _letters(stage: Stage) -> int:
    return sum((await end_offsets(stage.system.kafka, [one for one in contract() if one.startswith(DEAD)])).values())


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


async def versions_side_by_side(stage: Stage) -> None:
    """The next version's workers beside the present ones, alone, beside them again, and taken back."""
    new = stage.process("workers-2")
    present, new.argv = new.argv, (new.argv[0], "-m", "tests.fault.next_version", "run", "all", "worker")
    try:
        async with stage.second_worker():
            await asyncio.sleep(2)
            await stage.terminate("workers")
            await asyncio.sleep(2)
            await stage.restart("workers")
            await asyncio.sleep(1)
    finally:
        new.argv = present
    told = (await read_topics(stage.system.kafka, ["herald.engagements"]))["herald.engagements"]
    new_ones = sum(one.type == "herald.EngagementWeighed.v1" for one in told)
    stage.holds("the next version was at work", new_ones > 0, f"{new_ones} of its events")


async def everything_killed(stage: Stage) -> None:
    for name in MAIN:
        stage.process(name).send(signal.SIGKILL)
    await asyncio.gather(*(stage.kill_server(name) for name in stage.system.servers))
    await asyncio.gather(*(stage.process(name).ended(10) for name in MAIN))
    await asyncio.gather(*(stage.start_server(name) for name in stage.system.servers))
    await asyncio.gather(*(stage.process(name).start() for name in MAIN))


async def collector_black_hole(stage: Stage) -> None:
    """Everything is traced, to a collector that takes connections and never answers; before that, to a file."""
    silent = await asyncio.start_server(lambda *_: None, "127.0.0.1", stage.system.ports["black-hole"])
    hole = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{stage.system.ports['black-hole']}"}
    try:
        with_file = await _traced(stage, ("apis",), HERALD_SPANS_FILE=str(stage.system.folder / "spans.jsonl"))
        without = await _traced(stage, MAIN, **hole)
        stage.as_quick_as_before(without[0], with_file)
        for name in MAIN:
            await stage.terminate(name)
            await stage.process(name).start()
    finally:
        silent.close()


async def _traced(stage: Stage, names: Sequence[str], **env: str) -> tuple[float, float]:
    """Restart these so that all is traced; returns between which moments they then ran undisturbed."""
    for name in reversed(names):
        await stage.terminate(name)
        await stage.restart(name, HERALD_TRACE_RATIO="1", **env)
    await asyncio.sleep(5)
    began = time.monotonic()
    await asyncio.sleep(6)
    return began, time.monotonic()
