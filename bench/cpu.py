"""What a million engagements cost: seconds of CPU by process, and bytes moved; whether that stays as history grows.

Both sides read the same topic of `events` engagements: Herald's metrics worker, and raw aiokafka with the same MongoDB
writes. Then the worker runs with 2 and with 20 times as many facts stored before, and with four times the partitions.
`--events 500000` compares 1 with 10 million stored facts.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from pymongo import InsertOne, MongoClient

from bench.consuming import KNOWN, PACKAGES, floor_reading, learn, reading
from bench.engagements import AMBASSADORS, CONTENTS, NETWORKS, POSTS, Log
from bench.frame import Bench, Contest, Findings, Limit, Round, Size
from bench.stand import Stand, usage

SERVICE = "metrics"
FLOOR = f"floor-{SERVICE}"
SHORT, LONG = 2, 20
PARTITIONS_TIMES = 4
GROWTH = 0.10
AT_ONCE = 10_000
MILLION = 1e6
Costs = dict[str, float]
Reading = Callable[[Stand, Log, str], AbstractContextManager[int]]


@contextmanager
def open_(stand: Stand, size: Size) -> Iterator[Contest]:
    log = Log(stand, size.events)
    by_process: dict[str, Costs] = {}
    try:
        learn(stand, log, SERVICE)

        def herald() -> float:
            log.begin_anew(SERVICE, keep=KNOWN)
            by_process["herald"] = found = costs(stand, log, reading, SERVICE)
            return seconds(found)

        def floor() -> float:
            log.begin_anew(FLOOR)
            by_process["floor"] = found = costs(stand, log, floor_reading, FLOOR)
            return seconds(found)

        yield Contest(herald, floor, partial(findings, stand, log, by_process))
    finally:
        log.close()


def costs(stand: Stand, log: Log, read: Reading, reader: str) -> Costs:
    """Of a million engagements: seconds of CPU and megabytes, by process."""
    with read(stand, log, SERVICE) as pid, MongoClient[dict[str, Any]](stand.mongo_url) as client:
        pids = {"worker": pid, **stand.server_pids()}

        def probe() -> Costs:
            found: Costs = {}
            for name, one in pids.items():
                used = usage(one)
                found[f"{name}_cpu_s"] = used.cpu
                found[f"{name}_disk_mb"] = used.written / MILLION
            network = client.admin.command("serverStatus")["network"]
            found["to_mongod_mb"] = network["bytesIn"] / MILLION
            found["from_mongod_mb"] = network["bytesOut"] / MILLION
            return found

        first, last, count = log.drained(reader, probe)
    scale = MILLION / count
    return {name: (last[name] - first[name]) * scale for name in first} | {
        "from_kafka_mb": log.bytes / log.count * MILLION / MILLION
    }


def seconds(found: Mapping[str, float]) -> float:
    """CPU seconds of all processes together."""
    return sum(value for name, value in found.items() if name.endswith("_cpu_s"))


def findings(stand: Stand, log: Log, by_process: Mapping[str, Costs], rounds: Sequence[Round]) -> Findings:
    found = {}
    for times in (SHORT, LONG):
        log.begin_anew(SERVICE, keep=KNOWN)
        fill(log, times * log.count)
        found[f"{times * log.count} stored"] = costs(stand, log, reading, SERVICE)
    log.begin_anew(SERVICE, keep=KNOWN)
    short, long_ = (seconds(one) for one in found.values())
    many = Log(stand, log.count, partitions_times=PARTITIONS_TIMES)
    try:
        learn(stand, many, SERVICE)
        spread = found[f"{PARTITIONS_TIMES} times the partitions"] = costs(stand, many, reading, SERVICE)
    finally:
        many.close()
    few = rounds[-1].herald
    limits = (
        Limit("more CPU with ten times the history", 100 * (long_ / short - 1), 100 * GROWTH, "%"),
        Limit(f"with {PARTITIONS_TIMES} times the partitions", 100 * (seconds(spread) / few - 1), 100 * GROWTH, "%"),
    )
    rounded = {
        name: {key: round(value, 1) for key, value in one.items()} for name, one in ({**by_process, **found}).items()
    }
    return Findings(limits, {"of_a_million": rounded})


def fill(log: Log, count: int) -> None:
    """Facts of a year before the programme's day, stored as metrics stores them."""
    database = log.database(SERVICE)
    database["facts"].create_index([("post_id", 1), ("type", 1)])
    chance = random.Random(11)
    start = datetime.now(UTC) - timedelta(days=400)
    rows: list[InsertOne[dict[str, Any]]] = []
    for number in range(count):
        rows.append(InsertOne(fact(chance, start + timedelta(seconds=number * 365 * 86400 / count))))
        if len(rows) == AT_ONCE or number == count - 1:
            database["facts"].bulk_write(rows, ordered=False)
            rows = []


def fact(chance: random.Random, at: datetime) -> dict[str, Any]:
    post = chance.randrange(POSTS)
    stamp = int(at.timestamp() * 1000) << 80 | 7 << 76 | chance.getrandbits(76)
    return {
        "_id": str(uuid.UUID(int=stamp)),
        "program_id": "bench-history",
        "post_id": f"old-{post}",
        "ambassador_id": f"ambassador-{post % AMBASSADORS}",
        "content_id": f"content-{post % CONTENTS}",
        "network": NETWORKS[post % len(NETWORKS)],
        "at": at,
        "day": at.date().isoformat(),
        "type": "engagement",
        "kind": "click",
        "verdict": "counted",
        "quantity": 1,
        "measure": "measured",
    }


BENCH = Bench(
    name="cpu",
    counted="CPU of a million engagements to figures, all processes: raw aiokafka and the same MongoDB writes",
    unit="s",
    aim=None,
    size=Size(rounds=1, events=40_000),
    packages=PACKAGES,
    open=open_,
    better="less",
)
