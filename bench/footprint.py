"""What one of each thing costs: CPU by process, bytes in MongoDB, Kafka and Redis; and what stands still costs.

All of Herald runs, one process a role as on Kubernetes. A company comes in, its ambassadors join, some share, people
follow their links, somebody looks at the feed: before and after each, once nothing moves any more, every process's CPU,
every collection, every topic and Redis's memory are read. `events` is the number of clicks; there are a tenth as many
shares and as many views. What capacity planning is computed from: `bench/capacity`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition
from pymongo import MongoClient
from redis import Redis

from bench.endtoend import LINKS, Company, Seen
from bench.frame import Bench, Comparison, Findings, Limit, Round, Size
from bench.harness import SERVERS, Harness, answers, installation, process, usage
from bench.visitors import visit
from herald.demo import SAMPLE
from herald.demo.api import Api
from herald.demo.browser import Browser
from herald.demo.stage import Scale
from herald.demo.story import Story
from herald.development.personas import PERSONAS
from herald.local.plan import ProcessSpec
from herald.operations.topics import apply_topics, load_topics

SCALE = Scale(people=600, ambassadors=200)
RATE = 100.0
"""Clicks a second: a busy hour, and far from what a process stands, so that batches are as small as they are then."""
CONNECTIONS = 32
SHARES_A_SECOND = 10
VIEWS_AT_ONCE = 4
STILL_SECONDS = 3.0
IDLE_SECONDS = 20.0
PATIENCE = 300.0
DAY = 86_400
PASSING = ".outbox"
"""Holds nothing once all is still, though its indexes keep their room."""
FRONT = "gateway-api"
"""Development's front and issuer, which a deployment does not have."""
REQUESTED_MB = 201.3
"""192 MiB, which the chart requests for a pod."""
MB = 1e6


@dataclass(frozen=True, slots=True)
class State:
    """All that is counted, at one moment.

    `bytes` by `service.collection`, `records` and bytes (`log`) by topic.
    """

    at: float
    cpu: Mapping[str, float]
    bytes: Mapping[str, int]
    log: Mapping[str, int]
    records: Mapping[str, int]
    redis: int


class Ledger:
    """Reads a state of the installation."""

    def __init__(self, harness: Harness, namespace: str, pids: Mapping[str, int]) -> None:
        self._prefix = f"{namespace}_herald_"
        self._namespace = namespace
        self._bootstrap = harness.kafka_bootstrap
        self._mongo: MongoClient[dict[str, Any]] = MongoClient(harness.mongo_url)
        self._redis = Redis.from_url(harness.redis_url)
        servers = harness.server_pids()
        self._pids = {**pids, **servers}
        self._logs = _log_folder(servers["kafka"])

    def collections(self) -> Iterator[tuple[str, Any]]:
        for name in self._mongo.list_database_names():
            if name.startswith(self._prefix):
                for collection in self._mongo[name].list_collection_names():
                    yield f"{name.removeprefix(self._prefix)}.{collection}", self._mongo[name][collection]

    def kept_days(self) -> dict[str, float]:
        """For how long rows are kept, of collections where that is not for good; 0 where each row says so itself."""
        found = {}
        for name, collection in self.collections():
            for index in collection.index_information().values():
                if "expireAfterSeconds" in index:
                    found[name] = round(index["expireAfterSeconds"] / DAY, 3)
        return found

    def rows(self) -> dict[str, int]:
        return {name: collection.estimated_document_count() for name, collection in self.collections()}

    async def state(self) -> State:
        self._mongo.admin.command("fsync")  # sizes are those of the last checkpoint
        sizes = {}
        for name, collection in self.collections():
            if name.endswith(PASSING):
                continue
            [stats] = collection.aggregate([{"$collStats": {"storageStats": {}}}])
            sizes[name] = stats["storageStats"]["size"] + stats["storageStats"]["totalIndexSize"]
        logs = {topic.name: self._topic_bytes(topic.name) for topic in load_topics()}
        memory: Any = self._redis.info("memory")
        dataset = int(memory["used_memory_dataset"])
        return State(time.monotonic(), self._cpu(), sizes, logs, await self._records(), dataset)

    async def _records(self) -> dict[str, int]:
        consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap)
        await consumer.start()
        try:
            places = {
                topic.name: [
                    TopicPartition(f"{self._namespace}.{topic.name}", number) for number in range(topic.partitions)
                ]
                for topic in load_topics()
            }
            return {name: sum((await consumer.end_offsets(places[name])).values()) for name in places}
        finally:
            await consumer.stop()

    def _cpu(self) -> dict[str, float]:
        return {name: usage(pid).cpu for name, pid in self._pids.items()}

    def memory(self) -> dict[str, float]:
        """Resident megabytes of each process."""
        return {name: round(usage(pid).resident / MB, 1) for name, pid in self._pids.items()}

    def _topic_bytes(self, topic: str) -> int:
        folders = self._logs.glob(f"{self._namespace}.{topic}-*")
        return sum(file.stat().st_size for folder in folders for file in folder.glob("*.log"))

    async def still(self) -> None:
        """Until nothing has come or gone for a while. Raises SystemExit."""
        deadline, before, since = time.monotonic() + PATIENCE, self.rows(), time.monotonic()
        while time.monotonic() - since < STILL_SECONDS:
            if time.monotonic() > deadline:
                raise SystemExit("the installation does not come to rest")
            await asyncio.sleep(0.5)
            if (now := self.rows()) != before or any(now[name] for name in now if name.endswith(PASSING)):
                before, since = now, time.monotonic()

    def close(self) -> None:
        self._mongo.close()
        self._redis.close()


def _log_folder(kafka: int) -> Path:
    """Where the broker keeps its topics, by the file that it was started with."""
    arguments = Path(f"/proc/{kafka}/cmdline").read_bytes().split(b"\0")
    settings = next(
        Path(one.decode()) for one in arguments if one.endswith(b".properties") and not one.startswith(b"-")
    )
    line = next(line for line in settings.read_text("utf-8").splitlines() if line.startswith("log.dirs="))
    return Path(line.partition("=")[2])


class Measured(Company):
    """A company whose every step is measured."""

    def __init__(self, harness: Harness, namespace: str, specs: Sequence[ProcessSpec], ledger: Ledger) -> None:
        super().__init__(harness, namespace, specs)
        self._ledger = ledger
        self.found: dict[str, dict[str, Any]] = {}
        self.idle: dict[str, float] = {}

    async def _step(self, name: str, count: int, act: Callable[[], Awaitable[object]]) -> None:
        before = await self._ledger.state()
        await act()
        await self._ledger.still()
        self.found[name] = each(before, await self._ledger.state(), count, self.idle)

    async def rest(self) -> None:
        """How much CPU each process uses while nothing happens, in thousandths of a core."""
        await self._ledger.still()
        before = await self._ledger.state()
        await asyncio.sleep(IDLE_SECONDS)
        after = await self._ledger.state()
        self.idle = {
            name: round(1000 * (after.cpu[name] - before.cpu[name]) / (after.at - before.at), 2) for name in after.cpu
        }

    async def live(self, clicks: int) -> None:
        api = Api(self._url, self._home)
        story = Story(api, SCALE, SAMPLE.read_bytes(), lambda *_: None)
        codes: list[str] = []
        try:
            await self._step("person", SCALE.people, story.people)
            await story.programme()
            await self._step("ambassador", SCALE.ambassadors, story.invitations)
            await story.content()
            turns = self.turns(api, story)
            warm = [await self._share(api, turns) for _ in range(LINKS)]
            await visit(self._links_port, warm, connections=CONNECTIONS, seconds=2, rate=RATE)
            await self._look(20)
            await self._ledger.still()
            await self._step("share", clicks // 10, partial(self._shares, api, turns, clicks // 10, codes))
            seconds = clicks / RATE
            await self._step(
                "click",
                clicks,
                partial(visit, self._links_port, codes, connections=CONNECTIONS, seconds=seconds, rate=RATE),
            )
            await self._step("view", clicks // 10, partial(self._look, clicks // 10))
        finally:
            await api.close()

    async def _share(self, api: Api, turns: Any) -> str:
        return await self.tap(api, await anext(turns), Seen())

    async def _shares(self, api: Api, turns: Any, count: int, codes: list[str]) -> None:
        began = time.perf_counter()
        for number in range(count):
            await asyncio.sleep(max(0.0, began + number / SHARES_A_SECOND - time.perf_counter()))
            codes.append(await self._share(api, turns))

    async def _look(self, count: int) -> None:
        """So many views of the feed, by people who are signed in."""

        async def one(share: int) -> None:
            persona = next(person for person in PERSONAS if person.ambassador)
            browser = Browser(self._url, "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0")
            try:
                await browser.sign_in(persona.key)
                for _ in range(share):
                    await browser.read("/feed")
            finally:
                await browser.close()

        await asyncio.gather(*(one(count // VIEWS_AT_ONCE) for _ in range(VIEWS_AT_ONCE)))


def each(before: State, after: State, count: int, idle: Mapping[str, float]) -> dict[str, Any]:
    """What one of `count` things came to: milliseconds of CPU beyond what stands still costs, bytes and records."""
    seconds = after.at - before.at
    rested = {name: before.cpu[name] + idle[name] / 1000 * seconds for name in before.cpu}

    def grown(now: Mapping[str, float], then: Mapping[str, float], scale: float = 1.0) -> dict[str, float]:
        found = {name: round(scale * (now[name] - then.get(name, 0)) / count, 3) for name in now}
        return {name: value for name, value in sorted(found.items()) if value > 0}

    return {
        "count": count,
        "cpu_ms": grown(after.cpu, rested, 1000),
        "mongo_bytes": grown(after.bytes, before.bytes),
        "kafka_bytes": grown(after.log, before.log),
        "kafka_records": grown(after.records, before.records),
        "redis_bytes": round(max(0, after.redis - before.redis) / count, 1),
    }


@contextmanager
def open_(harness: Harness, size: Size) -> Iterator[Comparison]:
    namespace = harness.namespace()
    asyncio.run(apply_topics(harness.kafka_bootstrap, namespace))
    specs = installation(harness, namespace, split=True)
    figures: dict[str, Any] = {}
    with ExitStack() as running:
        pids = {
            spec.name: running.enter_context(process(spec.argv[1:], spec.env, harness.folder / f"{spec.name}.log"))
            for spec in specs
        }
        for spec in specs:
            answers(spec.address)
        ledger = Ledger(harness, namespace, pids)
        running.callback(ledger.close)

        def herald() -> float:
            company = Measured(harness, namespace, specs, ledger)

            async def all_of_it() -> None:
                await company.rest()
                await company.live(size.events)

            uvloop.run(all_of_it())
            figures["idle_millicores"] = company.idle
            figures["of_one"] = company.found
            figures["memory_mb"] = ledger.memory()
            figures["kept_days"] = ledger.kept_days()
            return float(sum(company.found["click"]["cpu_ms"].values()))

        yield Comparison(herald, findings=partial(findings, figures))


def findings(figures: Mapping[str, Any], rounds: Sequence[Round]) -> Findings:
    roles = {name: size for name, size in figures["memory_mb"].items() if name not in (*SERVERS.values(), FRONT)}
    largest = max(roles, key=lambda name: roles[name])
    return Findings((Limit(f"largest under way ({largest})", roles[largest], REQUESTED_MB, "MB"),), figures)


BENCH = Bench(
    name="footprint",
    counted="CPU of a click with all that follows from it, all processes",
    unit="ms",
    aim=None,
    size=Size(rounds=1, events=4_000),
    packages=("fastapi", "faststream", "aiokafka", "pymongo"),
    open=open_,
    better="less",
)
