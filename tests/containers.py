"""The servers of a test run as containers, with the command line of `herald.local.testbed`."""

import asyncio
import contextlib
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from docker.errors import DockerException
from testcontainers.core.container import DockerContainer

from herald.local.errors import LocalError
from herald.local.kafka import Kafka
from herald.local.mongod import REPLICA_SET, Mongod
from herald.local.ports import LOOPBACK, free_ports
from herald.local.server import Server
from herald.local.testbed import serve
from herald.local.valkey import Valkey

IMAGES = {"kafka": "apache/kafka:4.1.0", "mongod": "mongo:8", "redis": "valkey/valkey:8"}
PATIENCE = 120.0


class Containers:
    """Each on the same port inside and outside, so that the addresses they advertise are true."""

    def __init__(self, folder: Path) -> None:
        ports = free_ports(["kafka", "kafka-controller", "mongod", "redis"], folder / "ports.json")
        self.kafka = Kafka(folder, folder, ports["kafka"], ports["kafka-controller"])
        self.mongod = Mongod(folder, folder, ports["mongod"])
        self.redis = Valkey(folder, folder, ports["redis"])
        self._containers = {
            self.kafka: _kafka(ports["kafka"]),
            self.mongod: _mongod(ports["mongod"]),
            self.redis: _redis(ports["redis"]),
        }

    @property
    def addresses(self) -> dict[str, str]:
        return {
            "kafka_bootstrap": self.kafka.bootstrap,
            "mongo_url": self.mongod.url,
            "redis_url": self.redis.url,
        }

    async def start(self) -> None:
        """Raises LocalError."""
        try:
            for server, container in self._containers.items():
                await asyncio.to_thread(container.start)
                await _serves(server)
        except DockerException as error:
            raise LocalError(f"Docker does not start the servers: {error}") from None

    async def stop(self) -> None:
        for container in self._containers.values():
            with contextlib.suppress(DockerException):
                await asyncio.to_thread(container.stop)


async def _serves(server: Server) -> None:
    deadline = time.monotonic() + PATIENCE
    while not await server.probe():
        if time.monotonic() > deadline:
            raise LocalError(f"The container of {server.name} did not answer within {PATIENCE:.0f} s.")
        await asyncio.sleep(0.1)


def _kafka(port: int) -> DockerContainer:
    settings = {
        "NODE_ID": "1",
        "PROCESS_ROLES": "broker,controller",
        "CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "LISTENERS": f"PLAINTEXT://:{port},CONTROLLER://:9093",
        "ADVERTISED_LISTENERS": f"PLAINTEXT://{LOOPBACK}:{port}",
        "CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "AUTO_CREATE_TOPICS_ENABLE": "false",
        "GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "TRANSACTION_STATE_LOG_MIN_ISR": "1",
    }
    container = DockerContainer(IMAGES["kafka"]).with_bind_ports(port, port)
    for key, value in settings.items():
        container = container.with_env(f"KAFKA_{key}", value)
    return container


def _mongod(port: int) -> DockerContainer:
    command = f"mongod --replSet {REPLICA_SET} --bind_ip_all --port {port} --wiredTigerCacheSizeGB 0.5 "
    command += "--setParameter transactionLifetimeLimitSeconds=20"
    return DockerContainer(IMAGES["mongod"]).with_bind_ports(port, port).with_command(command)


def _redis(port: int) -> DockerContainer:
    command = f"valkey-server --port {port} --save '' --appendonly no --protected-mode no"
    return DockerContainer(IMAGES["redis"]).with_bind_ports(port, port).with_command(command)


def main(
    file: Annotated[Path, typer.Option(help="Where the addresses are written, as JSON.")],
    owner: Annotated[int | None, typer.Option(help="Stop when the process with this id ends.")] = None,
) -> None:
    """Run the servers for tests as containers until stopped."""
    try:
        asyncio.run(serve(Containers, file.absolute(), owner))
    except LocalError as error:
        print(f"herald: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    typer.run(main)
