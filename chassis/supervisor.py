"""Background work that is kept running.

Every task that lives as long as its process is started here, inner ones included. One that ends too early, by an
exception nobody foresaw, by a cancellation nobody asked for or by returning, is started again after a pause that
doubles each time. No task watches over the others: the event loop itself reports the end of each.

A task that keeps ending makes the process not alive (`failing`), so that Kubernetes or `herald up` replaces it. A task
that ends because something outside is away does not: another process would find the same.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from contextvars import Context
from typing import TYPE_CHECKING, Any

from chassis.outages import is_outage
from chassis.tasks import cancel_and_wait

if TYPE_CHECKING:
    from chassis.telemetry.otel import Telemetry

logger = logging.getLogger(__name__)
Work = Callable[[], Coroutine[Any, Any, None]]
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds before a task is started again."""
STABLE_SECONDS = 30.0
"""A task that ran for so long is sound; its earlier failures are forgotten."""
TOO_OFTEN = 8
"""Failures in a row, about 15 s of them, after which the process is not alive."""


class Task:
    """One piece of background work and its present run."""

    def __init__(self, supervisor: Supervisor, name: str, work: Work, stop: asyncio.Event | None) -> None:
        self.name = name
        self._supervisor = supervisor
        self._work = work
        self._stop = stop
        self._over = False
        self._failures = 0
        self._pauses = 0
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._run: asyncio.Task[None] | None = None
        self._begin()

    @property
    def failing(self) -> bool:
        """Whether it cannot be kept running."""
        return self._failures >= TOO_OFTEN and not self._stable

    @property
    def _stable(self) -> bool:
        running = self._run is not None and not self._run.done()
        return running and self._loop.time() - self._began >= STABLE_SECONDS

    @property
    def _ending(self) -> bool:
        return self._over or (self._stop is not None and self._stop.is_set())

    def _begin(self) -> None:
        self._timer = None
        if self._ending:
            return
        self._began = self._loop.time()
        # In a context of its own: the work belongs to no request or trace that happens to start it.
        self._run = self._loop.create_task(self._work(), name=self.name, context=Context())
        self._run.add_done_callback(self._ended)

    def _ended(self, run: asyncio.Task[None]) -> None:
        error = None if run.cancelled() else run.exception()
        if self._ending:
            if error is not None:
                logger.error("%s ended with an error", self.name, exc_info=error)
            return
        if self._loop.time() - self._began >= STABLE_SECONDS:
            self._failures = self._pauses = 0
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**self._pauses)
        self._pauses += 1
        if error is not None and is_outage(error):
            logger.warning("%s waits for what is away (%s); again in %.1f s", self.name, type(error).__name__, pause)
        else:
            self._failures += 1
            how = "was cancelled" if run.cancelled() else "failed" if error is not None else "returned"
            logger.error("%s %s too early; started again in %.1f s", self.name, how, pause, exc_info=error)
        self._supervisor.restarted(self.name)
        self._timer = self._loop.call_later(pause, self._begin)

    async def end(self, within: float = 0.0) -> None:
        """Start it no more. Returns once it ended: by itself within so many seconds, or else by being cancelled."""
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        if self._run is not None:
            if within and not self._run.done():
                await asyncio.wait([self._run], timeout=within)
            await cancel_and_wait(self._run)
        self._supervisor.forget(self)


class Supervisor:
    """Starts background tasks and keeps them running; one a process role."""

    def __init__(self, telemetry: Telemetry | None = None) -> None:
        self._tasks: set[Task] = set()
        self._restarts = (
            None
            if telemetry is None
            else telemetry.counter(
                "herald.background.restarts", "Background tasks that ended too early and were started again", task=""
            )
        )

    @property
    def names(self) -> list[str]:
        """The tasks that are kept running now."""
        return sorted(task.name for task in self._tasks)

    def start(self, name: str, work: Work, stop: asyncio.Event | None = None) -> Task:
        """Keep `work` running until `stop` is set (then it is expected to return) or until the task is ended."""
        task = Task(self, name, work, stop)
        self._tasks.add(task)
        return task

    @asynccontextmanager
    async def beside(self, name: str, work: Work, stop: asyncio.Event | None = None) -> AsyncIterator[None]:
        """Keep `work` running while the body runs."""
        task = self.start(name, work, stop)
        try:
            yield
        finally:
            await task.end()

    def failing(self) -> list[str]:
        """Why this process should be replaced; empty when all tasks run."""
        return sorted(f"{task.name} does not keep running" for task in self._tasks if task.failing)

    async def end(self, *tasks: Task, within: float) -> None:
        """End several tasks at once."""
        await asyncio.gather(*(task.end(within) for task in tasks))

    def restarted(self, name: str) -> None:
        if self._restarts is not None:
            self._restarts.add(1, {"task": name})

    def forget(self, task: Task) -> None:
        self._tasks.discard(task)
