"""What faults share: a running system with its workload, and the means to break it and to wait for it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka.errors import KafkaError
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from herald.local.errors import LocalError
from tests.fault.evidence import SERVICES, Document, pending
from tests.fault.proxy import Mode
from tests.fault.system import Process, System
from tests.fault.workload import Workload

GRACE = 16.0
MAIN = ("apis", "workers", "links")
SPOOLED_CLICK = 400
UNCONFIRMED = re.compile(rb"Kafka (?:did not take|refused) (\d+) records")
BETWEEN = 40
"""Rows that may be added between the counting of rows and the interruption, on a busy machine."""


@dataclass(slots=True)
class Depths:
    """What was in flight: the most outbox rows of all services at once, the most clicks in the spool, and together
    what there was at each moment at which a process was interrupted: `rows` of outboxes, and `clicks`."""

    outbox: int = 0
    spool: int = 0
    rows: int = 0
    clicks: int = 0


@dataclass
class FaultHarness:
    """One fault's run, `alone` or together with another. `broken` collects the fault's own conditions that did not
    hold."""

    system: System
    workload: Workload
    chance: random.Random
    rounds: int = 6
    alone: bool = True
    broken: list[str] = field(default_factory=list)
    depths: Depths = field(default_factory=Depths)
    began: float = field(default_factory=time.monotonic)
    injected: float = 0.0
    _heard: dict[str, int] = field(default_factory=dict)

    def holds(self, what: str, ok: bool, detail: object = "") -> None:
        """A condition of this fault beside the promises."""
        if not ok:
            self.broken.append(f"{what} ({detail})" if detail != "" else what)

    def process(self, name: str) -> Process:
        return self.system.processes[name]

    # --- processes -------------------------------------------------------------------------------------------

    async def kill(self, name: str) -> None:
        """SIGKILL; returns when it is gone."""
        process = self.process(name)
        await self.interrupts()
        process.send(signal.SIGKILL)
        await process.ended(10)

    async def terminate(self, name: str) -> None:
        """SIGTERM; it must end by itself, with exit code 0, within its grace."""
        process = self.process(name)
        await self.interrupts()
        began = time.monotonic()
        process.send(signal.SIGTERM)
        try:
            code = await process.ended(GRACE)
        except TimeoutError:
            self.holds(f"{name} ends within its grace", ok=False, detail=f"still there after {GRACE} s")
            await self.kill(name)
        else:
            self.holds(f"{name} ends in order", code == 0, f"exit code {code} after {time.monotonic() - began:.1f} s")

    async def restart(self, name: str, **env: str) -> None:
        """Start it again after its end; ready when this returns."""
        await self.process(name).start(**env)
        await self.process(name).ready()

    async def crash(self, name: str, *failpoints: str) -> None:
        """Let it die at each of these fail points, then start it again."""
        await self.kill(name)
        for failpoint in failpoints:
            await self.process(name).start(HERALD_FAILPOINT=f"{failpoint}:{self.chance.randint(2, 12)}")
            self.depths.rows += await self._most_rows(self.process(name))
            try:
                code = await self.process(name).ended(1)
            except TimeoutError:
                self.holds(f"{name} reached {failpoint}", ok=False)
                await self.kill(name)
            else:
                self.holds(f"{name} died at {failpoint}", code == 137, f"exit code {code}")
        await self.process(name).start()

    @asynccontextmanager
    async def second_worker(self, **env: str) -> AsyncIterator[Process]:
        """Another process with all workers; gone in order afterwards, unless it is gone already."""
        process = self.process("workers-2")
        await process.start(**env)
        await process.ready()
        try:
            yield process
        finally:
            process.send(signal.SIGCONT)
            if process.running:
                await self.terminate("workers-2")

    @asynccontextmanager
    async def frozen(self, process: Process) -> AsyncIterator[None]:
        """SIGSTOP, and SIGCONT afterwards."""
        await self.interrupts()
        process.send(signal.SIGSTOP)
        try:
            yield
        finally:
            process.send(signal.SIGCONT)

    # --- servers ---------------------------------------------------------------------------------------------

    def signal_server(self, name: str, number: signal.Signals) -> None:
        child = self.system.servers[name].child
        assert child is not None
        assert child.pid is not None
        os.kill(child.pid, number)

    async def kill_server(self, name: str) -> None:
        await self.interrupts()
        self.signal_server(name, signal.SIGKILL)
        child = self.system.servers[name].child
        assert child is not None
        await child.wait()

    async def start_server(self, name: str) -> None:
        """Start it again with its data; returns when it serves."""
        server = self.system.servers[name]
        await server.start()
        await server.ready()

    @asynccontextmanager
    async def frozen_server(self, name: str) -> AsyncIterator[None]:
        await self.interrupts()
        self.signal_server(name, signal.SIGSTOP)
        try:
            yield
        finally:
            self.signal_server(name, signal.SIGCONT)

    @asynccontextmanager
    async def network(self, name: str, mode: Mode, *, seconds: float = 0.0) -> AsyncIterator[None]:
        """The way to a server behaves as `mode` says; whole again afterwards, on new connections."""
        proxy = self.system.proxies[name]
        proxy.set(mode, seconds=seconds)
        try:
            yield
        finally:
            proxy.set("pass")
            if mode != "delay":
                proxy.cut()

    async def interrupts(self) -> None:
        """What is on its way now may have to be sent again."""
        try:
            rows = await self._rows()
        except PyMongoError:
            rows = self.depths.outbox
        self.depths.rows += rows + BETWEEN
        self.depths.clicks += self.workload.load.at_once + self.spooled() // SPOOLED_CLICK

    async def _most_rows(self, process: Process) -> int:
        """The most rows that there are at once until the process dies, or for a minute."""
        most, deadline = 0, time.monotonic() + 60
        while process.running and time.monotonic() < deadline:
            with contextlib.suppress(PyMongoError):
                most = max(most, await self._rows())
            await asyncio.sleep(0.1)
        return most + BETWEEN

    async def _rows(self) -> int:
        client: AsyncMongoClient[Document] = AsyncMongoClient(self.system.mongo_direct, serverSelectionTimeoutMS=500)
        try:
            return sum([await client[f"herald_{name}"]["outbox"].estimated_document_count() for name in SERVICES])
        finally:
            await client.close()

    # --- waiting ---------------------------------------------------------------------------------------------

    async def quiet(self, within: float = 120.0) -> None:
        """Stop the crowd; returns when nothing is under way. Raises TimeoutError."""
        await self.workload.stop()
        async with asyncio.timeout(within):
            while await self.unsettled():
                await asyncio.sleep(0.3)

    async def unsettled(self) -> list[str]:
        """Why the system has not recovered or settled yet."""
        reasons = [f"{name} does not run" for name in MAIN if not self.process(name).running]
        try:
            for name in MAIN:
                await self.process(name).ready(within=3)
            reasons += await pending(self.system.kafka, self.system.mongo_direct)
        except (KafkaError, PyMongoError, LocalError, TimeoutError, OSError) as error:
            reasons.append(type(error).__name__)
        if spooled := self.spooled():
            reasons.append(f"{spooled} bytes of clicks in the spool")
        return reasons

    def spooled(self) -> int:
        """Bytes in the spool of clicks."""
        try:
            return sum(one.stat().st_size for one in self.system.home.spool.iterdir() if one.suffix == ".spool")
        except OSError:
            return 0

    async def until(self, condition: Callable[[], Awaitable[bool]], what: str, within: float = 30.0) -> None:
        """A condition of this fault that comes true in time."""
        try:
            async with asyncio.timeout(within):
                while not await condition():
                    await asyncio.sleep(0.1)
        except TimeoutError:
            self.holds(what, ok=False, detail=f"not within {within:.0f} s")

    @asynccontextmanager
    async def measured(self) -> AsyncIterator[None]:
        """Watch how much is in flight."""
        task = asyncio.ensure_future(self._watch())
        try:
            yield
        finally:
            while not task.done():  # PyMongo makes errors of its own of some cancellations
                task.cancel()
                await asyncio.wait([task], timeout=1)

    async def _watch(self) -> None:
        while True:
            self.depths.spool = max(self.depths.spool, self.spooled() // SPOOLED_CLICK)
            with contextlib.suppress(PyMongoError, TimeoutError):
                async with asyncio.timeout(2):
                    self.depths.outbox = max(self.depths.outbox, await self._rows())
            await asyncio.sleep(0.3)

    # --- what the processes said ---------------------------------------------------------------------------------

    def mark_logs(self) -> None:
        """Begin to listen to what the processes say."""
        self._heard = {name: _size(one.log) for name, one in self.system.processes.items()}

    def unconfirmed(self, *names: str) -> int:
        """How many records these processes told since then that Kafka had not confirmed: they were sent again."""
        return sum(
            int(number)
            for name in names
            if self.process(name).log.exists()
            for number in UNCONFIRMED.findall(self.process(name).log.read_bytes()[self._heard[name] :])
        )

    # --- what the crowd felt -----------------------------------------------------------------------------------

    def as_quick_as_before(self, since: float, before: tuple[float, float] | None = None) -> None:
        """Requests to the APIs that began since then (monotonic) took about as long as those that began between the
        two moments `before`, or else as those before the fault."""
        if not self.alone:
            return
        first, last = before or (self.began, self.injected)
        calls = self.workload.world.client.latencies
        then = _median([seconds for at, seconds in calls if first <= at < last])
        now = _median([seconds for at, seconds in calls if at >= since])
        self.holds("the APIs answer as before", now < 3 * then + 0.25, f"median {now:.2f} s, not {then:.2f} s")

    def redirects(self, since: float) -> tuple[int, int, float]:
        """How many visits began since then, how many were redirected, and the slowest of these."""
        visits = [one for one in self.workload.visits if one[0] >= since]
        found = [seconds for _, seconds, status in visits if status == 302]
        return len(visits), len(found), max(found, default=0.0)


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2] if values else 0.0
