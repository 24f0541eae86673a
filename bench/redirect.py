"""The redirect with a durable click against a raw ASGI application that answers 302, each on one core.

Same server (uvicorn with uvloop and httptools), same client; real Kafka, MongoDB and Redis behind the redirect. The
server has its core for itself: the client, which keeps one request under way on each connection, and Kafka, MongoDB
and Redis share the other. There are connections enough to keep the core busy while clicks wait for Kafka, and Kafka's
compiler has ended before anything is measured. Every answered click must be on the topic at the end. `events` is the
number of connections.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import uvloop
from aiokafka import AIOKafkaConsumer
from pymongo import MongoClient

from bench.frame import Bench, Comparison, Findings, Limit, Round, Size
from bench.harness import Harness, answers, confined, herald, process, usage
from bench.visitors import Load, visit
from chassis.kafka.topic_reader import partitions_of
from herald.operations.topics import apply_topics

SERVER_CORE, CLIENT_CORE = 0, 1
SECONDS = 4.0
WARM_UP_SECONDS = 10.0
CODES = [f"bench{number:03d}" for number in range(100)]
TARGET = "https://example.com/article?utm_source=linkedin&utm_medium=employee_advocacy&utm_campaign=p&utm_content=c"
FLOOR = """
import sys, uvicorn, uvloop
START = {"type": "http.response.start", "status": 302, "headers": [
    (b"location", %r), (b"cache-control", b"private, no-store"), (b"x-robots-tag", b"noindex"),
    (b"content-length", b"0")]}
OK = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]}
BODY = {"type": "http.response.body", "body": b""}
async def app(scope, receive, send):
    await send(START if scope["path"].startswith("/l/") else OK)
    await send(BODY)
config = uvicorn.Config(app, host="127.0.0.1", port=int(sys.argv[1]), log_config=None, access_log=False,
    http="httptools", ws="none", lifespan="off", server_header=False, proxy_headers=False)
uvloop.run(uvicorn.Server(config).serve())
"""


class Site:
    """One of the two servers: where it listens, its process, and what was answered by it."""

    def __init__(self, port: int, pid: int, connections: int) -> None:
        self._port, self._pid, self._connections = port, pid, connections
        self.answered = 0
        self.costs: list[float] = []
        self.paced: list[Load] = []

    def visited(self, seconds: float, rate: float = 0) -> Load:
        with gc_disabled():
            load = uvloop.run(visit(self._port, CODES, connections=self._connections, seconds=seconds, rate=rate))
        self.answered += load.answered
        return load

    def rate(self) -> float:
        """Requests a second; notes the CPU microseconds that each cost the server, and the waits at half that rate."""
        before = usage(self._pid).cpu
        load = self.visited(SECONDS)
        self.costs.append((usage(self._pid).cpu - before) / max(1, load.answered) * 1e6)
        self.paced.append(self.visited(SECONDS, load.rate / 2))
        return load.rate

    def wait(self, share: float) -> float:
        """That share of requests waited for less, at half the peak: milliseconds, the median of the rounds."""
        return statistics.median(load.wait(share) for load in self.paced) * 1e3


@contextmanager
def gc_disabled() -> Iterator[None]:
    """The client's own garbage collector does not hold it up: what it would wait for counts as the server's time."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def open_(harness: Harness, size: Size) -> Iterator[Comparison]:
    namespace = harness.namespace()
    asyncio.run(apply_topics(harness.kafka_bootstrap, namespace))
    publish_links(harness, namespace)
    floor_port, links_port = harness.free_port(), harness.free_port()
    argv, env = herald("sharing", "links", port=links_port)
    log = harness.folder / "redirect.log"
    with (
        confined(harness.server_pids().values(), CLIENT_CORE),
        process(["-c", FLOOR % TARGET.encode(), str(floor_port)], {}, log, core=SERVER_CORE) as plain,
        process(argv, {**harness.environment(namespace), **env}, log, core=SERVER_CORE) as links,
    ):
        answers(f"http://127.0.0.1:{floor_port}/health/ready")
        answers(f"http://127.0.0.1:{links_port}/health/ready")
        floor, redirect = Site(floor_port, plain, size.events), Site(links_port, links, size.events)
        for site in (floor, redirect):
            site.visited(WARM_UP_SECONDS)
        count = partial(on_topic, harness, namespace)
        yield Comparison(floor=floor.rate, herald=redirect.rate, findings=partial(findings, floor, redirect, count))


def publish_links(harness: Harness, namespace: str) -> None:
    """A hundred posts whose links are followed."""
    with MongoClient[dict[str, Any]](harness.mongo_url) as client:
        posts = client[f"{namespace}_herald_sharing"]["posts"]
        posts.insert_many([{"_id": code, "link_code": code, "target": TARGET} for code in CODES])
        posts.create_index("link_code", unique=True)


def findings(floor: Site, redirect: Site, count: Any, rounds: Sequence[Round]) -> Findings:
    """The waits at half of the redirect's peak, and whether all clicks are on the topic."""
    lost = max(0, redirect.answered - uvloop.run(count()))
    figures = {
        "half_peak": {
            name: {
                "rate": round(statistics.median(load.rate for load in site.paced)),
                **{f"p{int(share * 100)}_ms": round(site.wait(share), 2) for share in (0.5, 0.9, 0.99)},
                "p99_ms_by_round": [round(load.wait(0.99) * 1e3, 2) for load in site.paced],
            }
            for name, site in (("floor", floor), ("herald", redirect))
        },
        "clicks_answered": redirect.answered,
        "clicks_lost": lost,
        "cpu_us": {
            "floor": round(statistics.median(floor.costs), 1), "herald": round(statistics.median(redirect.costs), 1)
        },
    }  # fmt: skip
    return Findings(
        (Limit("p99 at half the peak", redirect.wait(0.99), 10, "ms"), Limit("lost", lost, 1, "clicks")), figures
    )


async def on_topic(harness: Harness, namespace: str) -> int:
    """How many clicks the topic holds."""
    options = {"bootstrap_servers": harness.kafka_bootstrap}
    parts = await partitions_of(options, f"{namespace}.herald.clicks")
    consumer = AIOKafkaConsumer(**options)
    await consumer.start()
    ends = await consumer.end_offsets(parts)
    await consumer.stop()
    return sum(ends.values())


BENCH = Bench(
    name="redirect",
    counted="302 with a click that Kafka acknowledged, one core: a raw ASGI application",
    unit="requests/s",
    aim=0.6,
    size=Size(rounds=5, events=768),
    packages=("uvicorn", "uvloop", "httptools", "aiokafka"),
    open=open_,
)
