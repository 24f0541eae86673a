"""What a million engagements cost: seconds of CPU by process, and bytes moved; whether that stays as history grows.

Both sides read the same topic of `events` engagements: Herald's metrics worker, which has a million facts stored
before, and raw aiokafka with the same MongoDB writes. Each round the worker reads such a day twice more: with ten
million facts stored before, and with four times the partitions. What that costs is told by the least of all rounds, for
other load on the machine only adds.
"""

from __future__ import annotations

import random
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import MongoClient
from pymongo.write_concern import WriteConcern

from bench.consuming import KNOWN, PACKAGES, floor_reading, learn, reading
from bench.engagements import AMBASSADORS, CONTENTS, NETWORKS, POSTS, Log
from bench.frame import Bench, Comparison, Findings, Limit, Size
from bench.harness import Harness, usage

SERVICE = "metrics"
FLOOR = f"floor-{SERVICE}"
SHORT, LONG = 1_000_000, 10_000_000
PARTITIONS_TIMES = 4
HISTORY = "bench-history"
GROWTH = 0.10
AT_ONCE = 10_000
MILLION = 1e6
Costs = dict[str, float]
Reading = Callable[[Harness, Log, str], AbstractContextManager[int]]


@contextmanager
def open_(harness: Harness, size: Size) -> Iterator[Comparison]:
    found: dict[str, list[Costs]] = defaultdict(list)
    long, many = f"{LONG // SHORT} times the history", f"{PARTITIONS_TIMES} times the partitions"
    with (
        day(harness, size.events, history=SHORT) as log,
        day(harness, size.events, history=LONG) as old,
        day(harness, size.events, history=SHORT, partitions_times=PARTITIONS_TIMES) as wide,
    ):

        def herald() -> float:
            for name, one in (("herald", log), (long, old), (many, wide)):
                forget(one)
                found[name].append(costs(harness, one, reading, SERVICE))
            return seconds(found["herald"][-1])

        def floor() -> float:
            log.begin_anew(FLOOR)
            found["floor"].append(costs(harness, log, floor_reading, FLOOR))
            return seconds(found["floor"][-1])

        yield Comparison(herald, floor, lambda _: findings(found, (long, many)))


@contextmanager
def day(harness: Harness, events: int, *, history: int, partitions_times: int = 1) -> Iterator[Log]:
    """A day of engagements, with so many facts of another programme's `history` stored before."""
    log = Log(harness, events, partitions_times=partitions_times)
    try:
        learn(harness, log, SERVICE)
        fill(log, history)
        yield log
    finally:
        log.close()


def forget(log: Log) -> None:
    """What the worker made of the day, but not what was stored before."""
    log.database(SERVICE)["facts"].delete_many({"post_id": {"$gte": "post-"}})  # by the index: history has old posts
    log.begin_anew(SERVICE, keep=(*KNOWN, "facts"))


def costs(harness: Harness, log: Log, read: Reading, reader: str) -> Costs:
    """Of a million engagements: seconds of CPU and megabytes, by process."""
    with read(harness, log, SERVICE) as pid, MongoClient[dict[str, Any]](harness.mongo_url) as client:
        pids = {"worker": pid, **harness.server_pids()}

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


def findings(found: Mapping[str, Sequence[Costs]], grown: Sequence[str]) -> Findings:
    """How much more CPU it takes when what is stored has grown."""
    least = {name: min(turns, key=seconds) for name, turns in found.items()}
    plain = seconds(least["herald"])
    growth = {name: round(100 * (seconds(least[name]) / plain - 1), 2) for name in grown}
    limits = [Limit(f"more CPU with {name}", percent, 100 * GROWTH, "%") for name, percent in growth.items()]
    rounded = {name: {key: round(value, 1) for key, value in one.items()} for name, one in least.items()}
    return Findings(limits, {"of_a_million": rounded})


def fill(log: Log, count: int) -> None:
    """Facts of a year before the programme's day, stored as metrics stores them; indexes are made anew afterwards."""
    facts = log.database(SERVICE)["facts"].with_options(write_concern=WriteConcern(1, j=False))
    indexes = [one["key"] for name, one in facts.index_information().items() if name != "_id_"]
    facts.drop_indexes()
    chance = random.Random(11)
    start, step = datetime.now(UTC) - timedelta(days=400), timedelta(days=365) / count
    same = [fact(post) for post in range(POSTS)]
    for first in range(0, count, AT_ONCE):
        rows = []
        for number in range(first, min(count, first + AT_ONCE)):
            at = start + number * step
            stamp = int(at.timestamp() * 1000) << 80 | 7 << 76 | chance.getrandbits(76)
            moment = {"_id": str(uuid.UUID(int=stamp)), "at": at, "day": at.date().isoformat()}
            rows.append(same[chance.randrange(POSTS)] | moment)
        facts.insert_many(rows, ordered=False)
    for key in indexes:
        facts.create_index(key)


def fact(post: int) -> dict[str, Any]:
    """What is the same in all facts of a post."""
    return {
        "_id": "",
        "program_id": HISTORY,
        "post_id": f"old-{post}",
        "ambassador_id": f"ambassador-{post % AMBASSADORS}",
        "content_id": f"content-{post % CONTENTS}",
        "network": NETWORKS[post % len(NETWORKS)],
        "at": None,
        "day": "",
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
    size=Size(rounds=4, events=40_000),
    packages=PACKAGES,
    open=open_,
    better="less",
)
