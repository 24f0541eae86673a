"""The real servers of a test run: started once, by whichever worker needs them first, and shared by all.

`HERALD_TEST_INFRA` chooses where they come from: `packages`, `containers`, or a file with the addresses of a
set that already runs (`python -m herald.local.testbed --file FILE`). Unset: containers when a Docker engine
answers and has or gets the images, packages otherwise.
"""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 300.0
RUN_FOLDER = "HERALD_TEST_RUN_FOLDER"
RUN_PID = "HERALD_TEST_RUN_PID"
MEMORY = Path("/dev/shm")  # noqa: S108 - whoever may write there is the tests' own user
NEEDED = 6 * 1024**3
"""Bytes; a whole run writes less than half of it."""


@dataclass(frozen=True, slots=True)
class Infra:
    """Addresses of the servers of this run."""

    kafka_bootstrap: str
    mongo_url: str
    redis_url: str

    @property
    def environment(self) -> dict[str, str]:
        """The same as settings for Herald's processes."""
        return {
            "HERALD_KAFKA_BOOTSTRAP": self.kafka_bootstrap,
            "HERALD_MONGO_URL": self.mongo_url,
            "HERALD_REDIS_URL": self.redis_url,
        }


def begin_run() -> None:
    """In the process that leads the run, before any worker starts: tells the workers where to meet."""
    os.environ[RUN_FOLDER] = tempfile.mkdtemp(prefix="herald-tests-")
    os.environ[RUN_PID] = str(os.getpid())


def end_run() -> None:
    """In the process that leads the run, at its end: stops the servers, if any were started."""
    folder = Path(os.environ.pop(RUN_FOLDER))
    file = folder / "infra.json"
    if file.exists():
        stop(json.loads(file.read_text())["pid"])
    shutil.rmtree(folder, ignore_errors=True)


def stop(pid: int) -> None:
    """Ends the set of servers that `pid` runs and waits until it is gone."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        signal.pidfd_send_signal(handle, signal.SIGTERM)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not _ended(pid):
            time.sleep(0.05)
    finally:
        os.close(handle)


def _ended(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


def acquire() -> Infra:
    """The servers of this run, started now if need be."""
    named = os.environ.get("HERALD_TEST_INFRA", "")
    if named and named not in ("containers", "packages"):
        return _read(Path(named))
    folder = Path(os.environ[RUN_FOLDER])
    file = folder / "infra.json"
    with _alone(folder):
        if not file.exists():
            _start(file, named)
    return _read(file)


def _read(file: Path) -> Infra:
    content = json.loads(file.read_text())
    return Infra(content["kafka_bootstrap"], content["mongo_url"], content["redis_url"])


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _start(file: Path, source: str) -> None:
    if source == "containers":
        return _launch("tests.containers", file)
    if source == "" and docker_answers():
        try:
            return _launch("tests.containers", file)
        except RuntimeError as error:
            print(f"Containers do not start ({error}); using packages.", file=sys.stderr)
    return _launch("herald.local.testbed", file)


def docker_answers() -> bool:
    """Whether a Docker engine can be reached."""
    try:
        run = subprocess.run(["docker", "version"], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return run.returncode == 0


def in_memory() -> dict[str, str]:
    """Where the servers keep their data, as environment: in memory where there is plenty of it. Tests write much and
    keep nothing, and a disk makes each commit wait."""
    try:
        said = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        available = int(said["MemAvailable"].split()[0]) * 1024
        roomy = shutil.disk_usage(MEMORY).free >= NEEDED and available >= 2 * NEEDED
    except (OSError, KeyError, ValueError):
        return {}
    return {"TMPDIR": str(MEMORY)} if roomy and os.access(MEMORY, os.W_OK) else {}


def _launch(module: str, file: Path) -> None:
    argv = [sys.executable, "-m", module, "--file", str(file), "--owner", os.environ[RUN_PID]]
    environment = {**os.environ, **in_memory()}
    with tempfile.TemporaryFile() as words:
        run = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=words, stderr=words, start_new_session=True, env=environment
        )
        deadline = time.monotonic() + PATIENCE
        while not file.exists():
            if run.poll() is not None or time.monotonic() > deadline:
                run.kill()
                words.seek(0)
                said = words.read().decode(errors="replace")[-2000:]
                raise RuntimeError(f"no servers for the tests: {said}")
            time.sleep(0.05)
