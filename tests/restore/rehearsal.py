"""What a rehearsal does: lose something of a system under its crowd, heal it as the documents say, and look at it."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from aiokafka.errors import KafkaError
from pymongo.errors import PyMongoError

from herald.operations.recover import OWNERS, recover
from herald.operations.settings import OperatorSettings
from herald.operations.verify import verify
from tests.fault.accepted import _accepted, _choices, _tallies
from tests.fault.accounts import accounted
from tests.fault.checker import Report, Violation, check, clicks_counted
from tests.fault.effects import Views
from tests.fault.evidence import Evidence, read_evidence
from tests.fault.harness import MAIN, FaultHarness
from tests.fault.journal import Journal
from tests.fault.runner import Run
from tests.fault.system import System
from tests.fault.world import ADMIN, EDITOR, item_copy
from tests.restore.backup import drop, put_back, take_backup
from tests.restore.figures import differences, drafts, figures

COMMAND_SECONDS = 600.0
SETTLE_SECONDS = 600.0
ARRIVES_SECONDS = 90.0
SHOWN = 8
EVIDENCE_TRIES = 4


@dataclass(slots=True)
class Scenario:
    """What came of one. `lost` is by nature, `held` what was looked at and was so, `broken` what was not."""

    name: str
    lost: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def says(self, what: str, ok: bool, details: Sequence[object] = ()) -> None:
        if ok:
            self.held.append(what)
            return
        more = f" and {len(details) - SHOWN} more" if len(details) > SHOWN else ""
        self.broken.append(f"{what}: {'; '.join(map(str, details[:SHOWN]))}{more}")

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "ok": not self.broken}


@dataclass
class Rehearsal:
    """A system with its crowd. `heal` off leaves `herald recover` out, to see what it is for."""

    system: System
    run: Run
    folder: Path
    seed: int
    heal: bool = True
    known: set[Violation] = field(default_factory=set)

    @property
    def journal(self) -> Journal:
        return self.run.workload.journal

    @property
    def settings(self) -> OperatorSettings:
        return OperatorSettings(kafka_bootstrap=self.system.kafka, mongo_url=self.system.mongo_direct)

    def harness(self) -> FaultHarness:
        return FaultHarness(self.system, self.run.workload, random.Random(self.seed))

    # --- steps -------------------------------------------------------------------------------------------------

    async def crowd(self, seconds: float) -> None:
        """Let the crowd act for so long; returns when all it asked for was answered."""
        await self.run.workload.start()
        await asyncio.sleep(seconds)
        await self.run.workload.stop()

    async def settled(self) -> float:
        """Wait until nothing is under way, by the operator's own check too; returns how many seconds that took. Raises
        TimeoutError."""
        harness, began = self.harness(), time.monotonic()
        async with asyncio.timeout(SETTLE_SECONDS):
            while await harness.unsettled() or not await self._verified():
                await asyncio.sleep(0.5)
        return time.monotonic() - began

    async def _verified(self) -> bool:
        try:
            return (await verify(self.settings)).settled
        except (KafkaError, PyMongoError, TimeoutError, OSError):  # on a busy machine
            return False

    async def kill_processes(self) -> None:
        for name in MAIN:
            await self.harness().kill(name)

    async def start_processes(self) -> None:
        for name in MAIN:
            await self.system.processes[name].start()
        for name in MAIN:
            await self.system.processes[name].ready()

    async def command(self, scenario: Scenario, *words: str) -> tuple[int, str]:
        """A command as an operator runs it: its exit code and what it said."""
        env = {**os.environ, "HERALD_KAFKA_BOOTSTRAP": self.system.kafka, "HERALD_MONGO_URL": self.system.mongo_direct}
        began = time.monotonic()
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "herald", *words, env={**env, "COLUMNS": "140"},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        async with asyncio.timeout(COMMAND_SECONDS):
            said, _ = await child.communicate()
        seconds = time.monotonic() - began
        code = child.returncode or 0
        scenario.commands.append(f"herald {' '.join(words)} -> {code}, {seconds:.1f} s\n{said.decode()}")
        scenario.seconds[f"herald {' '.join(words[:2])}"] = round(seconds, 1)
        return code, said.decode()

    async def evidence(self) -> Evidence:
        for _ in range(EVIDENCE_TRIES - 1):
            try:
                return await read_evidence(self.system.kafka, self.system.mongo_direct)
            except (KafkaError, PyMongoError, TimeoutError, OSError):
                await asyncio.sleep(2)
        return await read_evidence(self.system.kafka, self.system.mongo_direct)

    async def recover(self, scenario: Scenario, *services: str) -> None:
        """As the documents say: look, do it, and see that it is done."""
        if not self.heal:
            return
        await self.command(scenario, "recover", *services)
        await self.command(scenario, "recover", *services, "--go")
        rows = [row for name in services or OWNERS for row in (await recover(self.settings, name, write=False)).rows]
        left = [row for row in rows if row.outcome != "lacking"]
        scenario.says("a second `herald recover` finds nothing to do", not left, left)
        scenario.lost += [f"{row.kind} {row.id}: {row.why}" for row in rows if row.kind not in ("item",)]

    # --- what must hold ------------------------------------------------------------------------------------------

    async def check(self, scenario: Scenario, allowed: str = "") -> Report:
        """Every promise, without what was known before; drafts may be lost, which is said."""
        found = check(await self.evidence(), self.journal)
        fresh = set(found.violations) - self.known
        self.known |= fresh
        lost = drafts(fresh)
        if lost:
            scenario.lost.append(f"{len(lost)} drafts that only their author had seen")
        rest = sorted(fresh - lost)
        scenario.says("the promises I1 to I5 and I8, of all before and after", not rest, rest)
        again = sum(found.duplicates.values())
        scenario.held.append(f"{again} records of the same id on Kafka, each applied once")
        return found

    async def next_changes_arrive(self, scenario: Scenario, items: Sequence[str], people: Sequence[str]) -> None:
        """What is changed next of objects that were restored reaches every projection."""
        call = self.run.workload.world.client.call
        for id in items:
            path = f"/content/v1/items/{id}"
            etag = (await call(EDITOR, "GET", path)).headers["etag"]
            title = f"After the restore {self.seed}"
            number = int(self.run.workload.world.items[id]["url"].rpartition("/")[2])
            copy = item_copy(self.run.workload.world.program_id, title, number)
            await call(EDITOR, "PUT", path, copy, headers={"If-Match": etag})
            there = await self._arrives("sharing", "contents", id, title)
            scenario.says("the next change of a restored item arrives in sharing", there, [id])
        for id in people:
            person = await call(ADMIN, "GET", f"/program/v1/people/{id}")
            headers, country = {"If-Match": person.headers["etag"]}, "BE" if person.json()["country"] != "BE" else "CH"
            await call(ADMIN, "PATCH", f"/program/v1/people/{id}", {"country": country}, headers=headers)
            for service in ("content", "sharing", "gamification", "metrics"):
                there = await self._arrives(service, "principals", id, f"'country': '{country}'")
                scenario.says(f"the next change of a restored person arrives in {service}", there, [id])

    async def _arrives(self, service: str, collection: str, id: str, wanted: str) -> bool:
        """Whether the document says so in time."""
        deadline = time.monotonic() + ARRIVES_SECONDS
        while time.monotonic() < deadline:
            row = (await self.evidence()).store(service, collection).get(id)
            if wanted in str(row):
                return True
            await asyncio.sleep(0.5)
        return False

    # --- scenarios -----------------------------------------------------------------------------------------------

    async def earlier_than_kafka(self, before: float, after: float) -> Scenario:
        """All databases restored to a moment at which the crowd was acting; Kafka has all that came after."""
        scenario = Scenario("all databases restored to an earlier moment than Kafka's")
        backup = self.folder / "backup"
        await self.run.workload.start()
        await asyncio.sleep(before)
        scenario.seconds["writes held up by the backup"] = round(await take_backup(self.system, backup), 1)
        await asyncio.sleep(after)
        await self.run.workload.stop()
        await self.settled()
        was = await self.evidence()
        began = time.monotonic()
        await self.kill_processes()
        await self.harness().kill_server("mongod")
        await put_back(self.system, backup)
        await self.harness().start_server("mongod")
        items, people = await self._behind(was)
        scenario.lost.append(f"what was written in the {after:.0f} s after the backup")
        await self.recover(scenario)
        await self.start_processes()
        scenario.seconds["files back, command and start"] = round(time.monotonic() - began, 1)
        await self.settled()
        scenario.seconds["healed after"] = round(time.monotonic() - began, 1)
        now = await self.evidence()
        wrong = differences(figures(was), figures(now))
        scenario.says("figures, points and projections are what they were", not wrong, wrong)
        gone = [id for id in was.store("sharing", "posts") if id not in now.store("sharing", "posts")]
        scenario.says(f"all {len(was.store('sharing', 'posts'))} posts and their links are there", not gone, gone)
        await self.next_changes_arrive(scenario, items[:1], people[:1])
        await self.crowd(after)
        await self.settled()
        await self.check(scenario)
        await asyncio.to_thread(shutil.rmtree, backup)
        return scenario

    async def _behind(self, was: Evidence) -> tuple[list[str], list[str]]:
        """Items of the crowd and people of which Kafka has later revisions than the restored database."""
        now = await self.evidence()
        items, people = now.store("content", "items"), now.store("program", "people")
        stale = [
            [id for id, row in before.items() if id in rows and rows[id]["version"] < row["version"]]
            for before, rows in ((was.store("content", "items"), items), (was.store("program", "people"), people))
        ]
        return [id for id in stale[0] if id in self.run.workload.world.items], stale[1]

    async def one_service(self, service: str, *, owner: bool, seconds: float) -> Scenario:
        """The database of one service lost, without a backup."""
        scenario = Scenario(f"the database of {service} lost, without a backup")
        await self.crowd(seconds)
        await self.settled()
        was, began = await self.evidence(), time.monotonic()
        await self.kill_processes()
        await drop(self.system, [service])
        if owner:
            await self.recover(scenario, service)
        async with self._started(scenario, began):
            pass
        now = await self.evidence()
        wrong = differences(figures(was), figures(now))
        scenario.says("figures, points and projections are what they were", not wrong, wrong)
        for name, collection in (("content", "items"), ("sharing", "posts")):
            if service == name:
                before, after = was.store(name, collection), now.store(name, collection)
                scenario.lost.append(f"{len(before) - len(after)} of {len(before)} {collection}")
        await self.crowd(seconds)
        await self.settled()
        await self.check(scenario)
        return scenario

    @asynccontextmanager
    async def _started(self, scenario: Scenario, began: float) -> AsyncIterator[None]:
        yield
        await self.start_processes()
        await self.settled()
        scenario.seconds["healed after"] = round(time.monotonic() - began, 1)

    async def without_kafka(self, seconds: float) -> Scenario:
        """Kafka lost with all its topics while the crowd acts; the databases are whole. The processes go on."""
        scenario = Scenario("Kafka lost with all topics, databases whole")
        await self.crowd(seconds)
        await self.settled()
        was = await self.evidence()
        self.run.workload.journal = Journal(people=self.journal.people)
        await self.run.workload.start()
        began = time.monotonic()
        await self.harness().kill_server("kafka")
        await asyncio.to_thread(shutil.rmtree, self.system.home.data / "kafka")
        await self.harness().start_server("kafka")
        code, said = await self.command(scenario, "topics", "apply")
        scenario.says("`herald topics apply` makes all topics", code == 0, [said])
        await asyncio.sleep(seconds)
        await self.run.workload.stop()
        await self.settled()
        scenario.seconds["healed after"] = round(time.monotonic() - began, 1)
        now = await self.evidence()
        found = [
            *_accepted(now, self.journal),
            *_tallies(now, self.journal),
            *_choices(now, self.journal),
            *accounted(Views.of(now), self.journal),
            *clicks_counted(now, self.journal),
        ]
        gone, wrong = _lost_with_kafka(found)
        scenario.lost += [f"{len(gone)} events that were on Kafka and nobody had read"] if gone else []
        scenario.says("what was asked since: stored, each event applied once, each click counted", not wrong, wrong)
        kept = [
            name for name in ("facts", "totals") if len(now.store("metrics", name)) < len(was.store("metrics", name))
        ]
        scenario.says("no figure of before is lost", not kept, kept)
        code, said = await self.command(scenario, "verify", "--settled")
        scenario.says("`herald verify --settled` finds nothing missing", code == 0, [said[-400:]])
        return scenario


def _lost_with_kafka(found: Sequence[tuple[str, str, str]]) -> tuple[list[str], list[str]]:
    """What Kafka had taken and lost, and what is broken otherwise."""
    gone = [f"{promise} {whom}: {how}" for promise, whom, how in found if "no " in how and promise in ("I1", "I8")]
    wrong = [f"{promise} {whom}: {how}" for promise, whom, how in found]
    return gone, [one for one in wrong if one not in gone]
