"""The supervisor with small children: what it does when they end, hang, or never start."""

import asyncio
import os
import resource
import signal
import sys
from pathlib import Path

import pytest

from herald.local import supervisor
from herald.local.child import Child
from herald.local.downloads import Progress, no_progress
from herald.local.errors import LocalError
from herald.local.home import Home
from herald.local.server import Server
from herald.local.supervisor import Stack, Supervisor
from tests.processes import left_of

READY = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).touch(); time.sleep(600)"
ENDS = "import pathlib, sys; pathlib.Path(sys.argv[1]).touch(); sys.exit('it hurts')"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + READY


class Script(Server):
    """Python code that is ready once it has made the file it is given."""

    grace = 0.5

    def __init__(self, name: str, code: str, home: Home) -> None:
        self.name = name
        super().__init__(home.logs)
        self.code = code
        self.sign = home.folder / f"{name}.sign"
        self.starts = 0

    @property
    def port(self) -> int:
        return 0

    def provide(self, progress: Progress = no_progress) -> None:
        """Python is there."""

    async def launch(self) -> Child:
        self.sign.unlink(missing_ok=True)
        self.starts += 1
        return Child(self.name, [sys.executable, "-c", self.code, str(self.sign)], self.log, cwd=self.sign.parent)

    async def probe(self) -> bool:
        return self.sign.exists()


class RunningSupervisor:
    """A supervisor with what it said."""

    def __init__(self, home: Home, *units: Server) -> None:
        self.said: list[str] = []
        stack = Stack("http://127.0.0.1:1", units[:1], units[1:], self._between)
        self.supervisor = Supervisor(home, stack, self.said.append)
        self.ready = asyncio.Event()
        self.order: list[str] = []

    async def _between(self) -> None:
        self.order = [line.split()[0] for line in self.said]

    async def run(self) -> None:
        await self.supervisor.run(lambda seconds: self.ready.set())


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / ".herald")
    home.prepare()
    return home


async def test_servers_then_topics_then_processes_and_back(home: Home) -> None:
    running_supervisor = RunningSupervisor(home, Script("server", READY, home), Script("process", READY, home))
    running = asyncio.create_task(running_supervisor.run())
    await asyncio.wait_for(running_supervisor.ready.wait(), 60)
    assert running_supervisor.order == ["server"]
    assert home.read_state()["status"] == "ready"
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(running, 60)
    assert left_of(home.folder, 5) == {}
    assert home.read_state()["status"] == "stopped"


async def test_a_child_that_keeps_ending_stops_everything_and_is_named(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE", 0.001)
    weak = Script("weak", ENDS.replace("; sys.exit", "; __import__('time').sleep(0.3); sys.exit"), home)
    running_supervisor = RunningSupervisor(home, Script("server", READY, home), weak)
    with pytest.raises(LocalError, match=r"weak ended 6 times within 120 s \(it hurts\), so Herald stops"):
        await asyncio.wait_for(running_supervisor.run(), 60)
    assert weak.starts == supervisor.RESTARTS + 1
    assert left_of(home.folder, 5) == {}
    state = home.read_state()
    assert state["status"] == "failed"
    assert "weak ended" in state["error"]


async def test_one_that_cannot_start_leaves_none_running(home: Home) -> None:
    failing = Script("failing", "raise SystemExit('no such luck')", home)
    running_supervisor = RunningSupervisor(home, Script("server", READY, home), Script("fine", READY, home), failing)
    with pytest.raises(LocalError, match=r"failing ended while starting \(no such luck\)"):
        await asyncio.wait_for(running_supervisor.run(), 60)
    assert not running_supervisor.ready.is_set()
    assert left_of(home.folder, 5) == {}


async def test_one_that_does_not_answer_is_not_waited_for_forever(home: Home) -> None:
    mute = Script("mute", "import time; time.sleep(600)", home)
    mute.patience = 0.5
    with pytest.raises(LocalError, match="mute did not answer within"):
        await asyncio.wait_for(RunningSupervisor(home, mute).run(), 60)
    assert left_of(home.folder, 5) == {}


async def test_one_that_ignores_sigterm_is_killed(home: Home) -> None:
    running_supervisor = RunningSupervisor(home, Script("stubborn", STUBBORN, home))
    running = asyncio.create_task(running_supervisor.run())
    await asyncio.wait_for(running_supervisor.ready.wait(), 60)
    os.kill(os.getpid(), signal.SIGHUP)
    await asyncio.wait_for(running, 60)
    assert left_of(home.folder, 5) == {}


async def test_a_second_signal_does_not_wait(home: Home) -> None:
    stubborn = Script("stubborn", STUBBORN, home)
    stubborn.grace = 600
    running_supervisor = RunningSupervisor(home, stubborn)
    running = asyncio.create_task(running_supervisor.run())
    await asyncio.wait_for(running_supervisor.ready.wait(), 60)
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.sleep(0)
    while home.read_state()["status"] != "stopping":
        await asyncio.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.wait_for(running, 60)
    assert left_of(home.folder, 5) == {}


async def test_a_program_that_is_not_there(home: Home) -> None:
    child = Child("ghost", ["/nonexistent/ghost"], home.logs / "ghost.log")
    with pytest.raises(LocalError, match="ghost could not be started from /nonexistent/ghost: No such file"):
        await child.start()


async def test_a_server_may_open_as_many_files_as_the_machine_allows(tmp_path: Path) -> None:
    """MongoDB ends when it may not open one more; shells commonly allow 1024 at first."""
    own = resource.getrlimit(resource.RLIMIT_NOFILE)
    log = tmp_path / "limit.log"
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, own[1]))
    try:
        child = Child("limit", ["sh", "-c", "ulimit -n"], log)
        await child.start()
        assert await child.wait() == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, own)
    assert int(log.read_text()) == min(own[1], 64_000)


async def test_one_that_is_not_alive_is_replaced(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(supervisor, "FIRST_PAUSE", 0.001)

    class Sick(Script):
        looks = 0

        async def alive(self) -> bool:
            self.looks += 1
            return self.starts > 1 or self.looks < 3

    sick = Sick("sick", READY, home)
    running_supervisor = RunningSupervisor(home, Script("server", READY, home), sick)
    running = asyncio.create_task(running_supervisor.run())
    await asyncio.wait_for(running_supervisor.ready.wait(), 60)
    async with asyncio.timeout(60):
        while home.read_state()["children"]["sick"]["restarts"] < 1 or sick.looks < 10:
            await asyncio.sleep(0.02)
    assert any(line.startswith("sick is not alive") for line in running_supervisor.said)
    assert (sick.starts, home.read_state()["children"]["server"]["restarts"]) == (2, 0)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(running, 60)
