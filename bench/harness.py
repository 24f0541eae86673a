"""What benches share: servers of their own from packages, namespaces on them, processes that end with the bench."""

from __future__ import annotations

import base64
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from pymongo import MongoClient

from herald.local import credentials, plan
from herald.local.child import end_with_parent
from herald.local.home import Home
from herald.local.plan import ProcessSpec
from herald.local.ports import LOOPBACK
from tests import infra

ROOT = Path(__file__).parents[1]
TICKS = os.sysconf("SC_CLK_TCK")
READY_SECONDS = 60.0
END_SECONDS = 30.0
SERVERS = {"java": "kafka", "mongod": "mongod", "valkey-server": "redis", "redis-server": "redis"}


@dataclass(frozen=True, slots=True)
class Harness:
    """Kafka, MongoDB and Redis, and a folder for what a run leaves."""

    kafka_bootstrap: str
    mongo_url: str
    redis_url: str
    folder: Path
    pid: int

    def environment(self, namespace: str) -> dict[str, str]:
        """Settings of Herald's processes."""
        key = base64.urlsafe_b64encode(bytes(range(32))).decode()
        return {
            "HERALD_NAMESPACE": namespace,
            "HERALD_KAFKA_BOOTSTRAP": self.kafka_bootstrap,
            "HERALD_MONGO_URL": self.mongo_url,
            "HERALD_REDIS_URL": self.redis_url,
            "HERALD_PUBLIC_URL": "http://127.0.0.1",
            "HERALD_ISSUER": "http://127.0.0.1/issuer",
            "HERALD_VISITOR_KEY": key,
            "HERALD_SESSION_KEY": key,
            "HERALD_HUB_CLIENT_SECRET": key,
            **{f"HERALD_{name}_URL": f"http://127.0.0.1/api/{name.lower()}" for name in APIS},
            "HERALD_SPOOL_DIR": str(self.folder / namespace / "spool"),
            "HERALD_SPANS_FILE": str(self.folder / namespace / "spans.jsonl"),
        }

    def namespace(self) -> str:
        """A prefix that nothing else on these servers uses."""
        return f"b{secrets.token_hex(3)}"

    def free_port(self) -> int:
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            port: int = probe.getsockname()[1]
            return port

    def server_pids(self) -> dict[str, int]:
        """The servers' processes by name, where they run below the process that started them."""
        found = {}
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit() and (state := _stat(int(folder.name))) and int(state[1]) == self.pid:
                name = SERVERS.get(Path((folder / "comm").read_text().strip()).name)
                if name is not None:
                    found[name] = int(folder.name)
        return found

    def versions(self) -> dict[str, str]:
        with MongoClient[dict[str, Any]](self.mongo_url) as client:
            mongod = str(client.server_info()["version"])
        python = ".".join(map(str, sys.version_info[:3]))
        return {"python": python, "mongod": mongod}


APIS = ("PROGRAM", "CONTENT", "SHARING", "GAMIFICATION", "METRICS")


@contextmanager
def servers() -> Iterator[Harness]:
    """A set of servers for this run; those of the file HERALD_TEST_INFRA where it names one."""
    with tempfile.TemporaryDirectory(prefix="herald-bench-") as folder:
        named = os.environ.get("HERALD_TEST_INFRA", "")
        shared = Path(named) if named.endswith(".json") else None
        file = shared or Path(folder) / "infra.json"
        if shared is None:
            argv = [sys.executable, "-m", "herald.local.testbed", "--file", str(file), "--owner", str(os.getpid())]
            subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.DEVNULL, start_new_session=True)
            _wait_for(file)
        content = json.loads(file.read_text())
        try:
            yield Harness(**{name: content[name] for name in ADDRESSES}, folder=Path(folder), pid=content["pid"])
        finally:
            if shared is None:
                infra.stop(content["pid"])


ADDRESSES = ("kafka_bootstrap", "mongo_url", "redis_url")


def _wait_for(file: Path) -> None:
    deadline = time.monotonic() + infra.PATIENCE
    while not file.exists():
        if time.monotonic() > deadline:
            raise SystemExit("the servers do not start")
        time.sleep(0.05)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process has used: seconds of CPU, bytes handed to the disk, resident bytes now."""

    cpu: float
    written: int
    resident: int


def usage(pid: int) -> Usage:
    """Raises OSError when the process is gone."""
    state = _stat(pid)
    if state is None:
        raise ProcessLookupError(pid)
    said = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
    resident = int(state[21]) * os.sysconf("SC_PAGE_SIZE")
    return Usage((int(state[11]) + int(state[12])) / TICKS, int(said["write_bytes"]), resident)


def _stat(pid: int) -> list[str] | None:
    """The fields of `/proc/PID/stat` from the state on; None for a process that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


@contextmanager
def process(argv: Sequence[str], env: Mapping[str, str], log: Path, *, core: int | None = None) -> Iterator[int]:
    """A process of Python that ends with this block, on one core where `core` names it; yields its id."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        running = subprocess.Popen(
            [*(["taskset", "-c", str(core)] if core is not None else []), sys.executable, *argv],
            env={**os.environ, **env},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=end_with_parent(os.getpid()),  # noqa: PLW1509 - no threads yet
        )
    try:
        yield running.pid
    finally:
        running.send_signal(signal.SIGTERM)
        try:
            running.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


@contextmanager
def confined(pids: Iterable[int], core: int) -> Iterator[None]:
    """Processes, with all their threads, and this one stay on one core within this block."""
    pids = [os.getpid(), *pids]
    _allow(pids, {core})
    try:
        yield
    finally:
        _allow(pids, set(range(os.cpu_count() or 1)))


def _allow(pids: Iterable[int], cores: set[int]) -> None:
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with suppress(ProcessLookupError):  # it has ended meanwhile
                os.sched_setaffinity(int(thread.name), cores)


def installation(harness: Harness, namespace: str, *, split: bool) -> list[ProcessSpec]:
    """All processes of Herald, as `herald up` would run them on these servers; the first serves the one address."""
    home = Home(harness.folder / namespace)
    home.prepare()
    ports = {name: harness.free_port() for name in plan.names(split)}
    public_url = f"http://{LOOPBACK}:{next(iter(ports.values()))}"
    addresses = plan.Addresses(harness.kafka_bootstrap, harness.mongo_url, harness.redis_url, public_url)
    specs = plan.processes(home, addresses, credentials.environment(home), ports, split)
    return [replace(spec, env={**spec.env, "HERALD_NAMESPACE": namespace}) for spec in specs]


def herald(service: str, role: str, *, port: int, module: str = "herald") -> tuple[list[str], dict[str, str]]:
    """Arguments and environment of a process of Herald."""
    return ["-m", module, "run", service, role], {"HERALD_PORT": str(port)}


def answers(url: str, *, within: float = READY_SECONDS) -> float:
    """Waits until the address answers 200; returns the time at which it did. Raises SystemExit."""
    deadline = time.monotonic() + within
    with httpx.Client(trust_env=False, timeout=5) as client:
        while time.monotonic() < deadline:
            try:
                if client.get(url).is_success:
                    return time.monotonic()
            except httpx.HTTPError:
                pass
            time.sleep(0.01)
    raise SystemExit(f"{url} does not answer")
