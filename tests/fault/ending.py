"""Herald whose background tasks are ended one by one: `python -m tests.fault.ending MODULE ...` does what MODULE does.

SIGUSR1 cancels the next task, SIGUSR2 lets what the next one waits for fail; every task of the process is ended in
turn. What happened is written to standard error: `ended: NAME`, `all were ended`, and `did not come back: NAME`.
"""

from __future__ import annotations

import asyncio
import runpy
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from chassis.supervisor import Supervisor, Task

BACK_SECONDS = 10.0
Run = asyncio.Task[None]


class TaskEnder:
    """Ends one task after the other."""

    def __init__(self) -> None:
        self.supervisors: list[Supervisor] = []
        self._turn: list[tuple[Supervisor, str]] = []
        self._ended: dict[tuple[Supervisor, str], float] = {}

    def end_next(self, end: Callable[[Run], None]) -> None:
        """End the next task."""
        self._look()
        if not self._turn:
            self._turn = [(one, task.name) for one in self.supervisors for task in _tasks(one)]
        supervisor, name = self._turn.pop()
        run = _run(supervisor, name)
        if run is not None:
            end(run)
        self._ended[supervisor, name] = time.monotonic()
        _say(f"ended: {name}")
        if not self._turn:
            _say("all were ended")

    def _look(self) -> None:
        for (supervisor, name), at in list(self._ended.items()):
            if _run(supervisor, name) is not None:
                del self._ended[supervisor, name]
            elif time.monotonic() - at > BACK_SECONDS:
                _say(f"did not come back: {name}")


def _tasks(supervisor: Supervisor) -> list[Task]:
    return sorted(supervisor._tasks, key=lambda one: one.name)


def _run(supervisor: Supervisor, name: str) -> Run | None:
    """The present run of the task of that name; None where there is none."""
    runs = [one._run for one in _tasks(supervisor) if one.name == name]
    return next((run for run in runs if run is not None and not run.done()), None)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def cancel(run: Run) -> None:
    """A cancellation that nobody asked for."""
    run.cancel()


def fail(run: Run) -> None:
    """What the task waits for, however deep, gives an exception that nobody foresaw."""
    waits_for: Any = run
    while isinstance(waits_for, asyncio.Task):
        waits_for = waits_for._fut_waiter  # type: ignore[attr-defined]
    if waits_for is None or waits_for.done():
        run.cancel()
    else:
        waits_for.set_exception(RuntimeError("unforeseen"))


def install(ender: TaskEnder) -> None:
    """Let the ender know every supervisor, and listen to the signals once a loop runs."""
    init, start = Supervisor.__init__, Supervisor.start

    def known(self: Supervisor, *rest: Any, **options: Any) -> None:
        init(self, *rest, **options)
        ender.supervisors.append(self)

    def listening(self: Supervisor, *rest: Any, **options: Any) -> Task:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, ender.end_next, cancel)
        loop.add_signal_handler(signal.SIGUSR2, ender.end_next, fail)
        return start(self, *rest, **options)

    Supervisor.__init__ = known  # type: ignore[method-assign]
    Supervisor.start = listening  # type: ignore[method-assign]


if __name__ == "__main__":
    install(TaskEnder())
    module = sys.argv.pop(1)
    runpy.run_module(module, run_name="__main__", alter_sys=True)
