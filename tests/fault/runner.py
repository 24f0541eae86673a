"""Runs faults one after the other on one system, checks the promises after each, and tells an SRE what came of it."""

from __future__ import annotations

import asyncio
import json
import os
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from herald.operations.settings import OperatorSettings
from herald.operations.verify import verify
from tests.fault.checker import PROMISES, Report, Violation, bounded, check, recovered
from tests.fault.evidence import read_evidence
from tests.fault.faults import Fault
from tests.fault.harness import FaultHarness
from tests.fault.journal import Journal
from tests.fault.system import System
from tests.fault.workload import Load, Workload
from tests.fault.world import set_up

RESULTS = Path(__file__).with_name("results")
WARM_SECONDS = 2.0
AFTER_SECONDS = 2.0
SETTLE_SECONDS = 150.0
SHOWN = 12


@dataclass(slots=True)
class Outcome:
    """What came of a fault. `held` names the promises that held; `events` are those that the checker followed."""

    fault: int
    name: str
    seed: int
    held: list[str] = field(default_factory=list)
    broken: dict[str, list[str]] = field(default_factory=dict)
    conditions: list[str] = field(default_factory=list)
    recovery_seconds: float = 0.0
    seconds: float = 0.0
    duplicates: int = 0
    duplicates_allowed: int = 0
    events_checked: int = 0
    records: int = 0
    asked: int = 0
    load_average: float = 0.0

    @property
    def ok(self) -> bool:
        return not self.broken and not self.conditions


@dataclass
class Run:
    """A system with its crowd. What one fault broke is not told again of the next.

    `patience` is for how many seconds what is still under way after a fault may stand still before it is given up.
    """

    system: System
    workload: Workload
    known: set[Violation] = field(default_factory=set)
    repeated: int = 0
    repeated_clicks: int = 0
    patience: float = SETTLE_SECONDS

    @classmethod
    async def begin(cls, system: System, seed: int, load: Load | None = None) -> Run:
        world = await set_up(system)
        journal = Journal(people=world.revisions)
        return cls(system, Workload(system, world, journal, random.Random(seed), load or Load()))

    async def end(self) -> None:
        await self.workload.close()
        await self.workload.world.client.close()

    async def verified(self) -> list[str]:
        """What `herald verify` finds missing or unsettled: the operator's own check must agree with this one."""
        report = await verify(OperatorSettings(kafka_bootstrap=self.system.kafka, mongo_url=self.system.mongo_direct))
        found = [
            f"herald verify: {one.service} never applied {one.topic} {one.examples}"
            for one in report.accounts
            if one.missing
        ]
        return found or ([] if report.settled else ["herald verify: something is still under way"])

    async def meet(self, faults: Sequence[Fault], seed: int, *, rounds: int = 6) -> Outcome:
        """Bring the faults about, at once where there are several, and check everything once it has settled."""
        number = faults[0].number if len(faults) == 1 else 100 * faults[0].number + faults[1].number
        outcome = Outcome(number, " + ".join(one.name for one in faults), seed)
        outcome.load_average = round(os.getloadavg()[0], 1)
        began, asked = time.monotonic(), self.workload.journal.asked
        self.workload.reseed(seed)
        alone = len(faults) == 1
        harnesses = [
            FaultHarness(self.system, self.workload, random.Random(seed + one.number), rounds, alone) for one in faults
        ]
        harnesses[0].mark_logs()
        async with harnesses[0].measured():
            await self.workload.start()
            await asyncio.sleep(WARM_SECONDS)
            await self._inject(faults, harnesses)
            left = await self._recover(harnesses[0], outcome)
        outcome.conditions = [detail for harness in harnesses for detail in harness.broken]
        outcome.conditions += [f"the workload failed: {one}" for one in self.workload.failed]
        self.workload.failed.clear()
        limit = min(one.recovery for one in faults)
        violations = set(recovered(outcome.recovery_seconds, limit, left))
        await self._check(faults, harnesses, outcome, violations)
        outcome.asked = self.workload.journal.asked - asked
        outcome.seconds = round(time.monotonic() - began, 1)
        return outcome

    async def _inject(self, faults: Sequence[Fault], harnesses: Sequence[FaultHarness]) -> None:
        """A fault that cannot even be brought about leaves its reason, and running processes."""
        for harness in harnesses:
            harness.injected = time.monotonic()
        results = await asyncio.gather(
            *(one.inject(harness) for one, harness in zip(faults, harnesses, strict=True)), return_exceptions=True
        )
        for harness, result in zip(harnesses, results, strict=True):
            if isinstance(result, BaseException):
                harness.holds("the fault could be brought about", ok=False, detail=f"{type(result).__name__}: {result}")

    async def _recover(self, harness: FaultHarness, outcome: Outcome) -> list[str]:
        """Measure from the end of the fault until all is done that was asked; returns what never was."""
        ended = time.monotonic()
        if not self.workload.acting:
            await self.workload.start()
        await asyncio.sleep(AFTER_SECONDS)
        await self.workload.stop()
        left, moved = await harness.unsettled(), time.monotonic()
        while left and (now := time.monotonic()) - ended < SETTLE_SECONDS and now - moved < self.patience:
            await asyncio.sleep(0.3)
            before, left = left, await harness.unsettled()
            moved = moved if left == before else time.monotonic()
        outcome.recovery_seconds = round(time.monotonic() - ended, 1)
        return left

    async def _check(
        self, faults: Sequence[Fault], harnesses: Sequence[FaultHarness], outcome: Outcome, violations: set[Violation]
    ) -> None:
        evidence = await read_evidence(self.system.kafka, self.system.mongo_direct)
        report = await asyncio.to_thread(check, evidence, self.workload.journal)  # the proxies go on meanwhile
        violations |= self._bounded(faults, harnesses, outcome, report)
        outcome.events_checked, outcome.records = report.events, report.records
        found = violations | (set(report.violations) - self.known)
        self.known |= set(report.violations)
        for one in sorted(found):
            outcome.broken.setdefault(one.promise, []).append(f"{one.whom}: {one.how}")
        outcome.held = [promise for promise in PROMISES if promise not in outcome.broken]

    def _bounded(
        self, faults: Sequence[Fault], harnesses: Sequence[FaultHarness], outcome: Outcome, report: Report
    ) -> set[Violation]:
        """I7, apart for what relays send (outbox rows, dead letters) and for what links do (clicks)."""
        rows = sum(harness.depths.rows for harness in harnesses) + harnesses[0].unconfirmed(
            "apis", "workers", "workers-2"
        )
        rows += report.dead_lettered * sum(one.rereads for one in faults)
        clicks = sum(harness.depths.clicks for harness in harnesses) + harnesses[0].unconfirmed("links")
        fresh = sum(report.duplicates.values()) - self.repeated
        fresh_clicks = report.clicks - self.repeated_clicks
        self.repeated, self.repeated_clicks = self.repeated + fresh, report.clicks
        outcome.duplicates, outcome.duplicates_allowed = fresh, rows + clicks
        return {*bounded("events", fresh - fresh_clicks, rows), *bounded("clicks", fresh_clicks, clicks)}


def show(outcomes: Sequence[Outcome], console: Console) -> None:
    """The table, and below it every broken promise with whom it was broken to."""
    table = Table("", "fault", "seed", "promises", "recovery", "duplicates", "events", title="Faults")
    for one in outcomes:
        kept = "all held" if not one.broken else "broken: " + ", ".join(sorted(one.broken))
        if one.conditions:
            kept += f"; {len(one.conditions)} conditions"
        table.add_row(
            str(one.fault), one.name, str(one.seed), kept, f"{one.recovery_seconds:.1f} s",
            f"{one.duplicates} of {one.duplicates_allowed}", str(one.events_checked),
        )  # fmt: skip
    console.print(table)
    for one in outcomes:
        tell(one, console)


def tell(one: Outcome, console: Console) -> None:
    """What did not hold, in words."""
    for promise, whom in one.broken.items():
        console.print(f"fault {one.fault} (seed {one.seed}): {promise}, {PROMISES[promise]}, is broken:", style="red")
        for line in whom[:SHOWN]:
            console.print(f"    {line}", markup=False, highlight=False)
        if len(whom) > SHOWN:
            console.print(f"    and {len(whom) - SHOWN} more")
    for line in one.conditions:
        console.print(f"fault {one.fault} (seed {one.seed}): did not hold: {line}", style="red", markup=False)


def write(outcomes: Sequence[Outcome], name: str) -> Path:
    """`tests/fault/results/<name>.json`."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps([{**asdict(one), "ok": one.ok} for one in outcomes], indent=1) + "\n")
    return path
