"""A whole Herald of its own for a run of faults: servers behind proxies, and processes that may be killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import httpx

from herald.local import credentials
from herald.local.child import Child
from herald.local.home import Home
from herald.local.kafka import Kafka
from herald.local.mongod import Mongod
from herald.local.ports import free_ports
from herald.local.server import Server
from herald.local.valkey import Valkey
from herald.operations.topics import apply_topics
from tests.fault.proxy import Proxy
from tests.smtp import SmtpServer

LISTENERS = (
    "kafka", "kafka-controller", "kafka-proxy", "mongod", "mongod-proxy", "redis", "redis-proxy", "smtp", "smtp-proxy",
    "apis", "workers", "workers-2", "links", "black-hole",
)  # fmt: skip
ROLES = {
    "apis": ("all", "api"),
    "workers": ("all", "worker"),
    "workers-2": ("all", "worker"),
    "links": ("sharing", "links"),
}
READY_SECONDS = 240.0  # on a busy machine
LOG_SHOWN = 4_000


@dataclass
class Process:
    """One process of Herald under test; `env` is added to the system's own for its next start."""

    name: str
    argv: tuple[str, ...]
    log: Path
    port: int
    env: Mapping[str, str]
    child: Child | None = None
    starts: int = 0

    async def start(self, **extra: str) -> None:
        self.child = Child(self.name, self.argv, self.log, env={**os.environ, **self.env, **extra})
        self.starts += 1
        await self.child.start()

    @property
    def pid(self) -> int:
        assert self.child is not None
        assert self.child.pid is not None
        return self.child.pid

    @property
    def running(self) -> bool:
        return self.child is not None and self.child.running

    def send(self, number: signal.Signals) -> None:
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def ended(self, within: float) -> int:
        """Its exit code. Raises TimeoutError when it goes on for longer than `within` seconds."""
        assert self.child is not None
        return await asyncio.wait_for(self.child.wait(), within)

    async def ready(self, within: float = READY_SECONDS) -> None:
        """Returns once it says that it is ready. Raises TimeoutError with what it said instead."""
        said = "nothing"
        try:
            async with asyncio.timeout(within), httpx.AsyncClient(trust_env=False) as client:
                while True:
                    try:
                        answer = await client.get(f"http://127.0.0.1:{self.port}/health/ready", timeout=5)
                        if answer.is_success:
                            return
                        said = answer.text
                    except httpx.HTTPError as error:
                        said = type(error).__name__
                    await asyncio.sleep(0.1)
        except TimeoutError:
            log = self.log.read_text()[-LOG_SHOWN:]
            raise TimeoutError(f"{self.name} is not ready after {within:.0f} s: {said}; its log ends\n{log}") from None


class Reached(Protocol):
    """A whole Herald as its users, the workload and the checker reach it, wherever it runs."""

    @property
    def url(self) -> str: ...
    @property
    def links_url(self) -> str: ...
    @property
    def kafka(self) -> str: ...
    @property
    def mongo_direct(self) -> str: ...
    @property
    def home(self) -> Home: ...


@dataclass
class System:
    """Servers, proxies and processes by name. `mutation` names what was broken on purpose, if anything was."""

    folder: Path
    ports: dict[str, int]
    mutation: str = ""
    servers: dict[str, Server] = field(default_factory=dict)
    proxies: dict[str, Proxy] = field(default_factory=dict)
    processes: dict[str, Process] = field(default_factory=dict)
    smtp: SmtpServer = field(default_factory=SmtpServer)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['apis']}"

    @property
    def links_url(self) -> str:
        return f"http://127.0.0.1:{self.ports['links']}"

    @property
    def mongo_direct(self) -> str:
        """MongoDB without the proxy, for the checker."""
        return f"mongodb://127.0.0.1:{self.ports['mongod']}/?directConnection=true"

    @property
    def kafka(self) -> str:
        return f"127.0.0.1:{self.ports['kafka-proxy']}"

    @property
    def home(self) -> Home:
        return Home(self.folder)

    async def start(self) -> None:
        """Servers, topics, processes; returns when all are ready."""
        self.home.prepare()
        logs, data = self.home.logs, self.home.data
        self.servers = {
            "kafka": Kafka(
                data / "kafka", logs, self.ports["kafka"], self.ports["kafka-controller"], advertised=self.kafka
            ),
            "mongod": Mongod(data / "mongod", logs, self.ports["mongod"]),
            "redis": Valkey(data / "redis", logs, self.ports["redis"]),
        }
        await self.smtp.listen(self.ports["smtp"])
        for name in (*self.servers, "smtp"):
            self.proxies[name] = Proxy(self.ports[f"{name}-proxy"], self.ports[name])
            await self.proxies[name].start()
        for server in self.servers.values():
            await server.start()
        for server in self.servers.values():
            await server.ready()
        await apply_topics(self.kafka)
        common = self._environment()
        for name, (service, role) in ROLES.items():
            module = ("tests.fault.mutants", self.mutation) if self.mutation else ("tests.fault.second_version",)
            argv = (sys.executable, "-m", *module, "run", service, role)
            env = {**common, "HERALD_PORT": str(self.ports[name])}
            self.processes[name] = Process(name, argv, logs / f"{name}.log", self.ports[name], env)
        for name in ("apis", "workers", "links"):
            await self.processes[name].start()
        for name in ("apis", "workers", "links"):
            await self.processes[name].ready()

    def _environment(self) -> dict[str, str]:
        apis = {
            f"HERALD_{name.upper()}_URL": f"{self.url}/api/{name}"
            for name in ("program", "content", "sharing", "gamification", "metrics")
        }
        return {
            **apis,
            **credentials.environment(self.home),
            "HERALD_KAFKA_BOOTSTRAP": self.kafka,
            "HERALD_MONGO_URL": f"mongodb://127.0.0.1:{self.ports['mongod-proxy']}/?directConnection=true",
            "HERALD_REDIS_URL": f"redis://127.0.0.1:{self.ports['redis-proxy']}/0",
            "HERALD_PUBLIC_URL": self.url,
            "HERALD_ISSUER": f"{self.url}/issuer",
            "HERALD_LINKS_UPSTREAM": f"http://127.0.0.1:{self.ports['links']}",
            "HERALD_SPOOL_DIR": str(self.home.spool),
            "HERALD_PROGRAM_ADMINS": "ines@herald.example",
            "HERALD_KAFKA_TIMEOUT": "3",
            "HERALD_TRACE_RATIO": "0.01",
            "HERALD_GRACE": "15",
            "HERALD_SMTP_HOST": "127.0.0.1",
            "HERALD_SMTP_PORT": str(self.ports["smtp-proxy"]),
            "HERALD_SMTP_SECURITY": "none",
            "HERALD_SMTP_TIMEOUT": "3",
            "HERALD_MAIL_FROM": "herald@fault.example",
            "HERALD_MAIL_RATE": "200/second",
            "HERALD_MAIL_REST": "false",
        }

    async def stop(self) -> None:
        for process in self.processes.values():
            if process.child is not None:
                process.child.kill()
        for proxy in self.proxies.values():
            await proxy.stop()
        self.smtp.close()
        await asyncio.gather(*(server.stop() for server in self.servers.values()))


@asynccontextmanager
async def running_system(mutation: str = "") -> AsyncIterator[System]:
    """A system that is ready, and gone afterwards with its data."""
    with tempfile.TemporaryDirectory(prefix="herald-fault-") as folder:
        path = Path(folder)
        system = System(path, free_ports(LISTENERS, path / "ports.json"), mutation)
        try:
            await system.start()
            yield system
        finally:
            await system.stop()
