"""Starts a stack, keeps it running, and stops it without leaving anything behind."""

import asyncio
import contextlib
import os
import signal
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field

from herald.local.errors import LocalError
from herald.local.home import Home
from herald.local.server import Server
from herald.local.together import together

RESTARTS = 5
WITHIN = 120.0  # seconds in which a child may be restarted RESTARTS times
FIRST_PAUSE = 0.5  # seconds before a restart, doubled each time
LOOK_SECONDS = 5.0  # seconds between two checks whether a child is alive
LOOKS = 3  # failed checks in a row after which it is replaced

Say = Callable[[str], None]
Step = Callable[[], Awaitable[None]]


@dataclass
class Status:
    """What is known of one child; `state` is starting, ready, restarting or stopped."""

    kind: str
    port: int
    state: str = "starting"
    pid: int | None = None
    restarts: int = 0


@dataclass
class Stack:
    """What the supervisor runs: the servers, a step between (creating the topics), and the processes."""

    url: str
    servers: Sequence[Server]
    processes: Sequence[Server]
    between: Step
    details: dict[str, object] = field(default_factory=dict)

    @property
    def all(self) -> list[Server]:
        return [*self.servers, *self.processes]


class Supervisor:
    """One run of a stack. The folder must be locked by the caller; `say` tells the user what happens."""

    def __init__(self, home: Home, stack: Stack, say: Say) -> None:
        self.home = home
        self.stack = stack
        self.say = say
        self.status = {
            unit.name: Status("server" if unit in stack.servers else "process", unit.port) for unit in stack.all
        }
        self._phase = "starting"
        self._error: str | None = None
        self._began = time.time()
        self._stop = asyncio.Event()

    async def run(self, on_ready: Callable[[float], None]) -> None:
        """Until a signal asks to stop. Raises LocalError when something cannot be started or kept running."""
        began = time.monotonic()
        self._handle_signals()
        self._write()
        try:
            await self._unless_stopped(self._start())
            if not self._stop.is_set():
                self._set_phase("ready")
                on_ready(time.monotonic() - began)
                watching = [self._watch_one(unit) for unit in self.stack.processes]
                await self._unless_stopped(together([*map(self._keep_one, self.stack.all), *watching]))
        except LocalError as error:
            self._error = str(error)
            raise
        finally:
            await self._stop_all()

    def _handle_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._asked_to_stop)

    def _asked_to_stop(self) -> None:
        if self._stop.is_set():
            for unit in self.stack.all:
                if unit.child is not None:
                    unit.child.kill()
        self._stop.set()

    async def _unless_stopped(self, work: Awaitable[None]) -> None:
        """Awaits `work`; cancels it when asked to stop."""
        task = asyncio.ensure_future(work)
        stopped = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait([task, stopped], return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not task.done():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, LocalError):
                await task
            return
        task.result()

    async def _start(self) -> None:
        await together(self._start_one(unit) for unit in self.stack.servers)
        await self.stack.between()
        await together(self._start_one(unit) for unit in self.stack.processes)

    async def _start_one(self, unit: Server) -> None:
        began = time.monotonic()
        await unit.start()
        self._set(unit, "starting")
        await unit.ready()
        self._set(unit, "ready")
        self.say(f"{unit.name} is ready ({time.monotonic() - began:.1f} s)")

    async def _keep_one(self, unit: Server) -> None:
        """Restarts it whenever it ends. Raises LocalError when it ends too often."""
        recent: deque[float] = deque()
        while True:
            assert unit.child is not None
            code = await unit.child.wait()
            now = time.monotonic()
            while recent and now - recent[0] > WITHIN:
                recent.popleft()
            if len(recent) == RESTARTS:
                raise LocalError(
                    f"{unit.name} ended {RESTARTS + 1} times within {WITHIN:.0f} s "
                    f"({unit.child.last_words()}), so Herald stops; its log is {unit.log}."
                )
            pause = FIRST_PAUSE * 2 ** len(recent)
            recent.append(now)
            self.status[unit.name].restarts += 1
            self._set(unit, "restarting")
            self.say(f"{unit.name} ended ({_cause(code)}); starting it again in {pause:.1f} s")
            await asyncio.sleep(pause)
            await self._start_again(unit)

    async def _watch_one(self, unit: Server) -> None:
        """Ends it after several failed checks in a row: `_keep_one` starts another."""
        missed = 0
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            child = unit.child
            if child is None or not child.running or self.status[unit.name].state != "ready":
                missed = 0
                continue
            missed = 0 if await unit.alive() else missed + 1
            if missed == LOOKS and child is unit.child:
                missed = 0
                self.say(f"{unit.name} is not alive (its log is {unit.log}); it is replaced")
                await child.stop(unit.grace)

    async def _start_again(self, unit: Server) -> None:
        try:
            await self._start_one(unit)
        except LocalError as error:
            self.say(str(error))
            await unit.stop()

    async def _stop_all(self) -> None:
        self._set_phase("stopping")
        await asyncio.gather(*(self._stop_one(unit) for unit in self.stack.processes))
        await asyncio.gather(*(self._stop_one(unit) for unit in self.stack.servers))
        self._set_phase("failed" if self._error else "stopped")

    async def _stop_one(self, unit: Server) -> None:
        await unit.stop()
        self._set(unit, "stopped")

    def _set(self, unit: Server, state: str) -> None:
        status = self.status[unit.name]
        status.state = state
        status.pid = unit.child.pid if unit.child is not None and unit.child.running else None
        self._write()

    def _set_phase(self, phase: str) -> None:
        self._phase = phase
        self._write()

    def _write(self) -> None:
        with contextlib.suppress(OSError):
            self.home.write_state(
                {
                    "status": self._phase,
                    "pid": os.getpid(),
                    "url": self.stack.url,
                    "since": self._began,
                    "error": self._error,
                    **self.stack.details,
                    "children": {name: asdict(status) for name, status in self.status.items()},
                }
            )


def _cause(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
