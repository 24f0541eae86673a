"""Whatever happens on the cluster happens under the fault suite's workload, and its checker looks at all of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import re
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import ClassVar

import httpx
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from herald.operations.settings import OperatorSettings
from herald.operations.verify import verify
from tests.fault.checker import PROMISES, Violation, bounded, check, recovered
from tests.fault.evidence import SERVICES, Document, pending, read_evidence, read_topics
from tests.fault.harness import BETWEEN
from tests.fault.journal import Journal, Produced
from tests.fault.poison import engagement
from tests.fault.workload import FOUND, Load, Workload
from tests.fault.world import set_up
from tests.kubernetes.cluster import Failed
from tests.kubernetes.installed import COMPONENT, SELECTOR, Installation

RESULTS = Path(__file__).with_name("results")
RATE = float(os.environ.get("HERALD_KUBERNETES_RATE", "10"))
WARM_SECONDS = AFTER_SECONDS = 3.0
SETTLE_SECONDS = 240.0
RECOVERY_SECONDS = 60.0
SHOWN = 8
CLICKS = "herald.clicks"
PIECE = 1000
LINKS_SECONDS = 3.0


@dataclass(slots=True)
class Row:
    """What came of a scenario: a line of the table."""

    scenario: str
    figure: str = ""
    broken: dict[str, list[str]] = field(default_factory=dict)
    recovery_seconds: float = 0.0
    acts: int = 0
    again: int = 0
    """Requests that had to be asked again."""

    unanswered: int = 0
    gave_up: list[str] = field(default_factory=list)
    """Requests that were asked again and again, and what they got last."""

    visits: int = 0
    not_redirected: int = 0
    strays: list[str] = field(default_factory=list)
    """What visits got that were not redirected: a status, 0 for no answer, and after how many seconds."""

    duplicates: int = 0
    duplicates_allowed: int = 0
    events: int = 0
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return not self.broken

    def fault(self, promise: str, what: str) -> None:
        self.broken.setdefault(promise, []).append(what)


@dataclass
class Watch:
    """What is in flight while something happens."""

    row: Row
    herald: Installation
    rows: int = 0
    all_answered: bool = False
    """Whether no act may stay without an answer, and no visit without its redirect."""

    all_redirected: bool = False
    late_clicks: int = 0
    """That Kafka did not acknowledge in time: they went to the spool, and Kafka may have them all the same."""

    _spooled: dict[str, int] = field(default_factory=dict)

    def figure(self, text: str) -> None:
        self.row.figure = "; ".join(filter(None, (self.row.figure, text)))

    def holds(self, what: str, ok: bool, detail: object = "") -> None:
        """A condition of this scenario beside the promises."""
        if not ok:
            self.row.fault("condition", f"{what} ({detail})" if detail != "" else what)

    async def look(self) -> None:
        """Until it is cancelled."""
        client: AsyncMongoClient[Document] = AsyncMongoClient(self.herald.mongo_direct, serverSelectionTimeoutMS=1000)
        try:
            while True:
                with contextlib.suppress(PyMongoError):
                    counts = [await client[f"herald_{name}"]["outbox"].estimated_document_count() for name in SERVICES]
                    self.rows = max(self.rows, sum(counts))
                await asyncio.sleep(0.5)
        finally:
            await client.close()

    async def begin(self) -> None:
        """What was spooled before does not count."""
        with contextlib.suppress(httpx.HTTPError):
            self._spooled = await self.herald.clicks_spooled()

    async def look_at_links(self) -> None:
        """Until it is cancelled."""
        while True:
            with contextlib.suppress(httpx.HTTPError, Failed):
                for pod, spooled in (await self.herald.clicks_spooled()).items():
                    before = self._spooled.get(pod, 0)
                    self.late_clicks += spooled - before if spooled >= before else spooled
                    self._spooled[pod] = spooled
            await asyncio.sleep(LINKS_SECONDS)


@dataclass
class Crowd:
    """The workload on an installation. What one scenario broke is not told again of the next."""

    herald: Installation
    workload: Workload
    known: set[Violation] = field(default_factory=set)
    repeated: int = 0
    repeated_clicks: int = 0
    rows: ClassVar[list[Row]] = []
    """Of all crowds, in the order of their scenarios."""

    @classmethod
    async def begin(cls, herald: Installation, seed: int = 1) -> Crowd:
        world = await set_up(herald)
        load = Load(rate=RATE)
        return cls(herald, Workload(herald, world, Journal(people=world.revisions), random.Random(seed), load))

    async def end(self) -> None:
        await self.workload.close()
        await self.workload.world.client.close()

    @asynccontextmanager
    async def acting(self, scenario: str) -> AsyncIterator[Watch]:
        """Acts while the body runs, then stops, waits until all is done, and checks everything. Fails the test by an
        AssertionError that names what was broken; then `results` gets what pods, events and logs say."""
        folder = RESULTS / re.sub(r"\W+", "-", scenario) / "explained"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            followed = self.herald.cluster.followed(SELECTOR, folder / "pods-before.log")
            async with followed, self._acting(scenario) as watch:
                yield watch
        except Exception:
            await self.herald.cluster.explain(folder)
            raise
        shutil.rmtree(folder.parent)

    @asynccontextmanager
    async def _acting(self, scenario: str) -> AsyncIterator[Watch]:
        row = Row(scenario)
        self.rows.append(row)
        watch, began = Watch(row, self.herald), time.monotonic()
        there = await self._names()
        before = self._counts()
        await watch.begin()
        looking = [asyncio.ensure_future(one) for one in (watch.look(), watch.look_at_links())]
        try:
            await self.workload.start()
            await asyncio.sleep(WARM_SECONDS)
            yield watch
            ended = time.monotonic()
            await asyncio.sleep(AFTER_SECONDS)
            await self.workload.stop()
            left = await self._settle()
            row.recovery_seconds = round(time.monotonic() - ended, 1)
        except BaseException as error:
            row.fault("condition", f"{type(error).__name__}: {error}")
            await self.workload.stop()
            raise
        finally:
            for task in looking:
                task.cancel()
            await asyncio.wait(looking)
            row.seconds = round(time.monotonic() - began, 1)
            write(self.rows)
        for one in recovered(row.recovery_seconds, RECOVERY_SECONDS, left):
            row.fault(one.promise, f"{one.whom}: {one.how}")
        await self._check(watch, there)
        self._count(row, before)
        watch.holds("no act is without an answer", not (watch.all_answered and row.unanswered), row.unanswered)
        watch.holds("each visit is redirected", not (watch.all_redirected and row.not_redirected), row.not_redirected)
        for failure in self.workload.failed:
            row.fault("condition", f"the workload failed: {failure}")
        self.workload.failed.clear()
        row.seconds = round(time.monotonic() - began, 1)
        write(self.rows)
        assert row.ok, "\n".join(f"{name}: {said[:SHOWN]}" for name, said in row.broken.items())

    async def _names(self) -> dict[str, str]:
        return {
            pod["metadata"]["uid"]: pod["metadata"]["labels"].get(COMPONENT, "") for pod in await self.herald.pods()
        }

    def _counts(self) -> tuple[int, int, int, int]:
        journal = self.workload.journal
        return journal.asked, journal.unanswered, self.workload.world.client.retries, len(self.workload.visits)

    def _count(self, row: Row, before: tuple[int, int, int, int]) -> None:
        acts, unanswered, again, visits = before
        now = self._counts()
        row.acts, row.unanswered, row.again = now[0] - acts, now[1] - unanswered, now[2] - again
        row.gave_up = self.workload.world.client.gave_up[:SHOWN]
        self.workload.world.client.gave_up.clear()
        since = self.workload.visits[visits:]
        row.visits, row.not_redirected = len(since), sum(status != FOUND for _, _, status in since)
        row.strays = [f"{status} after {seconds:.1f} s" for _, seconds, status in since if status != FOUND][:SHOWN]

    async def backlog(self, number: int) -> None:
        """So many engagements of partners at once, straight to Kafka; each is in the journal."""
        producer = AIOKafkaProducer(bootstrap_servers=self.herald.kafka, acks="all", linger_ms=20)
        await producer.start()
        try:
            for first in range(0, number, PIECE):
                await asyncio.gather(*(self._produce(producer) for _ in range(first, min(first + PIECE, number))))
        finally:
            await producer.stop()

    async def _produce(self, producer: AIOKafkaProducer) -> None:
        id, draft = engagement(self.workload.chance, self.workload.chance.choice(self.workload.posts))
        note = Produced(id, draft.topic, "an engagement", copies=1)
        self.workload.journal.produced.append(note)
        done = await producer.send_and_wait(draft.topic, draft.value, key=draft.key, headers=draft.headers)
        note.acked, note.place = True, (draft.topic, done.partition, done.offset)

    async def untold(self) -> int:
        """How many visits were redirected and are on no topic yet."""
        told = {one.data.get("referrer") for one in (await read_topics(self.herald.kafka, [CLICKS]))[CLICKS]}
        return sum(one.answered and one.mark not in told for one in self.workload.journal.clicks)

    async def _settle(self) -> list[str]:
        """What never was done."""
        deadline = time.monotonic() + SETTLE_SECONDS
        left = await self._unsettled()
        while left and time.monotonic() < deadline:
            await asyncio.sleep(1)
            left = await self._unsettled()
        return left

    async def _unsettled(self) -> list[str]:
        try:
            reasons = await self.herald.unready()
            reasons += await pending(self.herald.kafka, self.herald.mongo_direct)
            if spooled := sum((await self.herald.spools()).values()):
                reasons.append(f"{spooled} bytes of clicks in the spool")
        except (KafkaError, PyMongoError, httpx.HTTPError, TimeoutError, OSError, Failed) as error:
            return [f"{type(error).__name__}: {error}"]
        return reasons

    async def _check(self, watch: Watch, there: dict[str, str]) -> None:
        row = watch.row
        evidence = await read_evidence(self.herald.kafka, self.herald.mongo_direct)
        report = await asyncio.to_thread(check, evidence, self.workload.journal)
        gone = [name for uid, name in there.items() if uid not in await self._names()]
        rows = (watch.rows + BETWEEN) * len(gone)
        links = gone.count("sharing-links")
        clicks = self.workload.load.at_once * links + watch.late_clicks
        fresh = sum(report.duplicates.values()) - self.repeated
        fresh_clicks = report.clicks - self.repeated_clicks
        self.repeated, self.repeated_clicks = self.repeated + fresh, report.clicks
        row.duplicates, row.duplicates_allowed, row.events = fresh, rows + clicks, report.events
        violations = {*bounded("events", fresh - fresh_clicks, rows), *bounded("clicks", fresh_clicks, clicks)}
        for one in sorted(violations | (set(report.violations) - self.known)):
            row.fault(one.promise, f"{one.whom}: {one.how}")
        self.known |= set(report.violations)
        for pod, number in (await self.herald.restarts()).items():
            row.fault("condition", f"{pod} was restarted {number} times")
        for said in await self._verified():
            row.fault("herald verify", said)

    async def _verified(self) -> list[str]:
        settings = OperatorSettings(kafka_bootstrap=self.herald.kafka, mongo_url=self.herald.mongo_direct)
        report = await verify(settings)
        found = [f"{one.service} never applied {one.topic} {one.examples}" for one in report.accounts if one.missing]
        return found or ([] if report.settled else ["something is still under way"])


def write(rows: list[Row]) -> None:
    """`tests/kubernetes/results/scenarios.json`."""
    RESULTS.mkdir(exist_ok=True)
    told = [{**asdict(one), "ok": one.ok, "held": [p for p in PROMISES if p not in one.broken]} for one in rows]
    (RESULTS / "scenarios.json").write_text(json.dumps(told, indent=1) + "\n")
