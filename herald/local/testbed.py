"""A servers-only set for tests and development: `python -m herald.local.testbed --file infra.json`.

Once all serve it writes the addresses to the file as JSON (`kafka_bootstrap`, `mongo_url`, `redis_url`,
`pid`), and keeps running until it gets SIGTERM or Ctrl-C, or until the process named by `--owner` ends.
Then it stops the servers and removes the file and all data.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Protocol

import typer

from herald.local.errors import LocalError
from herald.local.kafka import Kafka
from herald.local.mongod import Mongod
from herald.local.ports import free_ports
from herald.local.server import Server
from herald.local.together import together
from herald.local.valkey import Valkey


class Servers:
    """Kafka, MongoDB and Redis with their data and logs below one folder."""

    def __init__(self, folder: Path) -> None:
        logs = folder / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        ports = free_ports(["kafka", "kafka-controller", "mongod", "redis"], folder / "ports.json")
        data = folder / "data"
        self.kafka = Kafka(data / "kafka", logs, ports["kafka"], ports["kafka-controller"])
        # Looking every minute for what expires in a thousand databases of tests takes a tenth of MongoDB's time.
        self.mongod = Mongod(data / "mongod", logs, ports["mongod"], expiry=False)
        self.redis = Valkey(data / "redis", logs, ports["redis"])

    @property
    def all(self) -> list[Server]:
        return [self.kafka, self.mongod, self.redis]

    @property
    def addresses(self) -> dict[str, str]:
        return {
            "kafka_bootstrap": self.kafka.bootstrap,
            "mongo_url": self.mongod.url,
            "redis_url": self.redis.url,
        }

    async def start(self) -> None:
        """All at once; when one fails, none is left. Raises LocalError."""
        try:
            await together(_start(server) for server in self.all)
        except LocalError:
            await self.stop()
            raise

    async def stop(self) -> None:
        await asyncio.gather(*(server.stop() for server in self.all))


async def _start(server: Server) -> None:
    await server.start()
    await server.ready()


async def _owner_ended(owner: int) -> None:
    """Returns when the process `owner` has ended."""
    try:
        handle = os.pidfd_open(owner)
    except ProcessLookupError:
        return
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(handle, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(handle)
        os.close(handle)


class Runnable(Protocol):
    """A set of servers, wherever they come from."""

    @property
    def addresses(self) -> dict[str, str]: ...
    async def start(self) -> None: ...
    async def stop(self) -> None: ...


async def serve(build: Callable[[Path], Runnable], file: Path, owner: int | None) -> None:
    """Runs what `build` makes in a temporary folder until told to stop. Raises LocalError."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    with tempfile.TemporaryDirectory(prefix="herald-testbed-") as folder:
        servers = build(Path(folder))
        waits: list[asyncio.Task[object]] = [asyncio.create_task(stop.wait())]
        if owner is not None:
            waits.append(asyncio.create_task(_owner_ended(owner)))
        starting = asyncio.create_task(servers.start())
        try:
            await asyncio.wait([starting, *waits], return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                _write(file, {**servers.addresses, "pid": os.getpid()})
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            starting.cancel()
            with contextlib.suppress(asyncio.CancelledError, LocalError):
                await starting
            file.unlink(missing_ok=True)
            await servers.stop()


def _write(file: Path, content: dict[str, object]) -> None:
    part = file.with_suffix(".part")
    part.write_text(json.dumps(content, indent=1) + "\n")
    part.replace(file)


def main(
    file: Annotated[Path, typer.Option(help="Where the addresses are written, as JSON.")],
    owner: Annotated[int | None, typer.Option(help="Stop when the process with this id ends.")] = None,
) -> None:
    """Run Kafka, MongoDB and Redis for tests until stopped."""
    try:
        asyncio.run(serve(Servers, file.absolute(), owner))
    except LocalError as error:
        print(f"herald: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    typer.run(main)
