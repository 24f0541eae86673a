"""From a committed command to its event on Kafka, against the same inserts and sends without an outbox.

When an event was on Kafka is what the broker says (the topic keeps the time at which it appended a record).
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import MongoClient

from bench.commands import CALLERS
from bench.frame import ROOT, Bench, Comparison, Findings, Limit, Round, Size
from bench.harness import Harness, process
from chassis.kafka.topic_reader import read_topic
from herald.local.child import end_with_parent
from herald_contracts import PostShared
from herald_contracts.envelope import text_headers

PARTITIONS = 12
PACED = 500.0
PACED_SECONDS = 10
PATIENCE = 300.0


@contextmanager
def open_(harness: Harness, size: Size) -> Iterator[Comparison]:
    yield Comparison(
        floor=partial(rate, harness, "floor", size.events),
        herald=partial(rate, harness, "herald", size.events),
        findings=partial(findings, harness),
    )


def rate(harness: Harness, kind: str, count: int) -> float:
    """Commands a second, from the first command to the last event on Kafka."""
    began, committed, appended = measure(harness, kind, count, 0)
    return len(committed) / (max(appended.values()) - began)


def findings(harness: Harness, rounds: Sequence[Round]) -> Findings:
    """The delay from commit to Kafka at a pace."""
    count = int(PACED * PACED_SECONDS)
    began, committed, appended = measure(harness, "herald", count, PACED)
    delays = sorted(max(0.0, appended[id] - at) * 1000 for id, at in committed.items())
    p50, p99 = statistics.median(delays), delays[int(0.99 * (len(delays) - 1))]
    achieved = count / (max(committed.values()) - began)
    figures = {"pace": PACED, "achieved": round(achieved), "p50_ms": round(p50, 1), "p99_ms": round(p99, 1)}
    return Findings((Limit(f"p99 of the delay at {PACED:.0f}/s", p99, 100, "ms"),), figures)


def measure(harness: Harness, kind: str, count: int, pace: float) -> tuple[float, dict[str, float], dict[str, float]]:
    """When it began, when each event's command was committed, and when each event was on Kafka; seconds since 1970."""
    namespace = harness.namespace()
    asyncio.run(create_topic(harness, namespace))
    environment = harness.environment(namespace)
    with process(["-m", "bench.commands", "relay"], environment, harness.folder / "relay.log"):
        argv = [sys.executable, "-m", "bench.commands", kind, str(count), str(pace)]
        said = subprocess.run(
            argv,
            env={**os.environ, **environment},
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            preexec_fn=end_with_parent(os.getpid()),
        ).stdout
        found = json.loads(said.splitlines()[-1])
        committed: dict[str, float] = found["committed"]
        appended = asyncio.run(on_topic(harness, namespace, count + CALLERS))
    with MongoClient[dict[str, Any]](harness.mongo_url) as client:
        client.drop_database(f"{namespace}_herald_bench")
    return found["began"], committed, {id: appended[id] for id in committed}


async def create_topic(harness: Harness, namespace: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=harness.kafka_bootstrap)
    await admin.start()
    configs = {"message.timestamp.type": "LogAppendTime"}
    await admin.create_topics([NewTopic(f"{namespace}.{PostShared.topic}", PARTITIONS, 1, topic_configs=configs)])
    await admin.close()


async def on_topic(harness: Harness, namespace: str, count: int) -> dict[str, float]:
    """When each event was appended, once all are there."""
    async with asyncio.timeout(PATIENCE):
        while True:
            appended = {
                text_headers(record.headers)["ce_id"]: record.timestamp / 1000
                async for record in read_topic(
                    {"bootstrap_servers": harness.kafka_bootstrap}, f"{namespace}.{PostShared.topic}"
                )
            }
            if len(appended) >= count:
                return appended
            await asyncio.sleep(0.1)


BENCH = Bench(
    name="outbox",
    counted="commands whose event is on Kafka: the same inserts and sends without an outbox",
    unit="commands/s",
    aim=0.7,
    size=Size(rounds=5, events=4_000),
    packages=("aiokafka", "pymongo", "uvloop"),
    open=open_,
)
