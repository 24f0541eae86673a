"""Faults of Herald's own processes: they are killed, stopped, held up, or of another version."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Sequence

from pymongo import AsyncMongoClient

from tests.fault.evidence import (
    SERVICES,
    Document,
    read_topics,
)
from tests.fault.stage import BETWEEN, MAIN, Stage

SESSION = 14.0
"""Longer than a consumer's session and than a relay's lease (10 s each)."""
TOGETHER = 12.0
"""Long enough for a holder that does not know that it lost its lease to publish more than what was in flight."""

BACK = 12.0
"""Longer than any pause before a task is started again."""
MOST_TASKS = 100


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


async def slow_handler(stage: Stage) -> None:
    """Each step to MongoDB takes so long that a batch outlives the interval between two polls."""
    await stage.terminate("workers")
    await stage.restart("workers", HERALD_KAFKA_MAX_POLL="5")
    async with stage.second_worker(HERALD_KAFKA_MAX_POLL="5"), stage.network("mongod", "delay", seconds=0.35):
        await asyncio.sleep(20)
    await stage.terminate("workers")
    await stage.process("workers").start()


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
    ids = {number: {one.id for one in told if one.type.endswith(f"EngagementRecorded.v{number}")} for number in (1, 2)}
    stage.holds("facts travelled in two versions", bool(ids[2]) and ids[2] <= ids[1], f"{len(ids[2])} of {len(ids[1])}")


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


async def tasks_ended(stage: Stage) -> None:
    """Every background task of every process is ended in turn: cancelled by nobody, then by an unforeseen error."""
    plain = {name: stage.process(name).argv for name in MAIN}
    for name in MAIN:
        python, flag, *rest = plain[name]
        stage.process(name).argv = (python, flag, "tests.fault.ending", *rest)
        await stage.terminate(name)
        await stage.restart(name)
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        for name in MAIN:
            await _end_each(stage, name, number)
            await asyncio.sleep(1)
    await asyncio.sleep(BACK)
    for name in MAIN:
        await stage.interrupts()
        stage.process(name).send(signal.SIGUSR1)  # tells first what is missing
        await asyncio.sleep(1)
        log = stage.process(name).log.read_text()
        missing = sorted({line for line in log.splitlines() if line.startswith("did not come back")})
        stage.holds(f"every task of {name} comes back", not missing, ", ".join(missing))
        stage.holds(f"{name} is alive", stage.process(name).running)
        stage.process(name).argv = plain[name]


async def _end_each(stage: Stage, name: str, number: signal.Signals) -> None:
    """Signal after signal until each task of the process was ended once."""
    log = stage.process(name).log
    before = log.read_text().count("all were ended")
    for _ in range(MOST_TASKS):
        stage.depths.rows += BETWEEN
        stage.depths.clicks += stage.workload.load.at_once
        stage.process(name).send(number)
        await asyncio.sleep(0.25)
        if log.read_text().count("all were ended") > before:
            return
    stage.holds(f"every task of {name} was ended", ok=False)
