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
from tests.fault.harness import BETWEEN, MAIN, FaultHarness

SESSION = 14.0
"""Longer than a consumer's session and than a relay's lease (10 s each)."""
TOGETHER = 12.0
"""Long enough for a holder that does not know that it lost its lease to publish more than what was in flight."""

BACK = 12.0
"""Longer than any pause before a task is started again."""
MOST_TASKS = 100


async def crash_at_commit(harness: FaultHarness) -> None:
    await harness.crash("apis", "transaction.before-commit", "transaction.after-commit")


async def crash_after_ack(harness: FaultHarness) -> None:
    await harness.crash("workers", "relay.after-ack")


async def crash_around_transaction(harness: FaultHarness) -> None:
    """Before the commit of a consumer's transaction, and between that and the commit of its offsets."""
    await harness.crash("workers", "transaction.before-commit", "consumer.after-transaction")


async def random_kills(harness: FaultHarness) -> None:
    for _ in range(harness.rounds):
        name = harness.chance.choice(MAIN)
        await asyncio.sleep(harness.chance.uniform(0.0, 1.5))
        await harness.kill(name)
        await harness.process(name).start()
        if harness.chance.random() < 0.7:
            await harness.process(name).ready()


async def rolling_terms(harness: FaultHarness) -> None:
    async with harness.second_worker():
        await harness.terminate("workers")
        await harness.restart("workers")
    for name in ("links", "apis"):
        await harness.terminate(name)
        await harness.process(name).start()


async def terms_without_broker(harness: FaultHarness) -> None:
    await harness.kill_server("kafka")
    await asyncio.sleep(2)
    await asyncio.gather(*(harness.terminate(name) for name in MAIN))
    await harness.start_server("kafka")
    await asyncio.gather(*(harness.process(name).start() for name in MAIN))


async def stopped_consumer(harness: FaultHarness) -> None:
    async with harness.second_worker() as second:
        async with harness.frozen(second):
            await asyncio.sleep(SESSION)
        await asyncio.sleep(1)


async def stopped_lease_holder(harness: FaultHarness) -> None:
    """The first process holds every relay's lease; the second takes over while it stands still."""
    async with harness.second_worker():
        before = await _epochs(harness)
        async with harness.frozen(harness.process("workers")):
            await asyncio.sleep(SESSION)
        after = await _epochs(harness)
        risen = [name for name in before if after[name] > before[name]]
        harness.holds(
            "the second process took the leases over", len(risen) == len(before), f"{len(risen)}/{len(before)}"
        )
        await asyncio.sleep(TOGETHER)


async def _epochs(harness: FaultHarness) -> dict[str, int]:
    client: AsyncMongoClient[Document] = AsyncMongoClient(harness.system.mongo_direct)
    try:
        rows = {name: await client[f"herald_{name}"]["leases"].find_one({"_id": "relay"}) for name in SERVICES}
    finally:
        await client.close()
    return {name: int(row["epoch"]) for name, row in rows.items() if row is not None}


async def slow_handler(harness: FaultHarness) -> None:
    """Each step to MongoDB takes so long that a batch outlives the interval between two polls."""
    await harness.terminate("workers")
    await harness.restart("workers", HERALD_KAFKA_MAX_POLL="5")
    async with harness.second_worker(HERALD_KAFKA_MAX_POLL="5"), harness.network("mongod", "delay", seconds=0.35):
        await asyncio.sleep(20)
    await harness.terminate("workers")
    await harness.process("workers").start()


async def versions_side_by_side(harness: FaultHarness) -> None:
    """The next version's workers beside the present ones, alone, beside them again, and taken back."""
    new = harness.process("workers-2")
    present, new.argv = new.argv, (new.argv[0], "-m", "tests.fault.next_version", "run", "all", "worker")
    try:
        async with harness.second_worker():
            await asyncio.sleep(2)
            await harness.terminate("workers")
            await asyncio.sleep(2)
            await harness.restart("workers")
            await asyncio.sleep(1)
    finally:
        new.argv = present
    told = (await read_topics(harness.system.kafka, ["herald.engagements"]))["herald.engagements"]
    new_ones = sum(one.type == "herald.EngagementWeighed.v1" for one in told)
    harness.holds("the next version was at work", new_ones > 0, f"{new_ones} of its events")
    ids = {number: {one.id for one in told if one.type.endswith(f"EngagementRecorded.v{number}")} for number in (1, 2)}
    harness.holds(
        "facts travelled in two versions", bool(ids[2]) and ids[2] <= ids[1], f"{len(ids[2])} of {len(ids[1])}"
    )


async def everything_killed(harness: FaultHarness) -> None:
    for name in MAIN:
        harness.process(name).send(signal.SIGKILL)
    await asyncio.gather(*(harness.kill_server(name) for name in harness.system.servers))
    await asyncio.gather(*(harness.process(name).ended(10) for name in MAIN))
    await asyncio.gather(*(harness.start_server(name) for name in harness.system.servers))
    await asyncio.gather(*(harness.process(name).start() for name in MAIN))


async def collector_black_hole(harness: FaultHarness) -> None:
    """Everything is traced, to a collector that takes connections and never answers; before that, to a file."""
    silent = await asyncio.start_server(lambda *_: None, "127.0.0.1", harness.system.ports["black-hole"])
    hole = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{harness.system.ports['black-hole']}"}
    try:
        with_file = await _traced(harness, ("apis",), HERALD_SPANS_FILE=str(harness.system.folder / "spans.jsonl"))
        without = await _traced(harness, MAIN, **hole)
        harness.as_quick_as_before(without[0], with_file)
        for name in MAIN:
            await harness.terminate(name)
            await harness.process(name).start()
    finally:
        silent.close()


async def _traced(harness: FaultHarness, names: Sequence[str], **env: str) -> tuple[float, float]:
    """Restart these so that all is traced; returns between which moments they then ran undisturbed."""
    for name in reversed(names):
        await harness.terminate(name)
        await harness.restart(name, HERALD_TRACE_RATIO="1", **env)
    await asyncio.sleep(5)
    began = time.monotonic()
    await asyncio.sleep(6)
    return began, time.monotonic()


async def tasks_ended(harness: FaultHarness) -> None:
    """Every background task of every process is ended in turn: cancelled by nobody, then by an unforeseen error."""
    plain = {name: harness.process(name).argv for name in MAIN}
    for name in MAIN:
        python, flag, *rest = plain[name]
        harness.process(name).argv = (python, flag, "tests.fault.ending", *rest)
        await harness.terminate(name)
        await harness.restart(name)
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        for name in MAIN:
            await _end_each(harness, name, number)
            await asyncio.sleep(1)
    await asyncio.sleep(BACK)
    for name in MAIN:
        await harness.interrupts()
        harness.process(name).send(signal.SIGUSR1)  # tells first what is missing
        await asyncio.sleep(1)
        log = harness.process(name).log.read_text()
        missing = sorted({line for line in log.splitlines() if line.startswith("did not come back")})
        harness.holds(f"every task of {name} comes back", not missing, ", ".join(missing))
        harness.holds(f"{name} is alive", harness.process(name).running)
        harness.process(name).argv = plain[name]


async def _end_each(harness: FaultHarness, name: str, number: signal.Signals) -> None:
    """Signal after signal until each task of the process was ended once."""
    log = harness.process(name).log
    before = log.read_text().count("all were ended")
    for _ in range(MOST_TASKS):
        harness.depths.rows += BETWEEN
        harness.depths.clicks += harness.workload.load.at_once
        harness.process(name).send(number)
        await asyncio.sleep(0.25)
        if log.read_text().count("all were ended") > before:
            return
    harness.holds(f"every task of {name} was ended", ok=False)
