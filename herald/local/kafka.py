"""The Kafka of the local stack: one node in KRaft mode, broker and controller in one Java process."""

import asyncio
import base64
import contextlib
import uuid
from pathlib import Path

from aiokafka import AIOKafkaClient
from aiokafka.errors import KafkaError

from herald.local import jars, java
from herald.local.child import Child
from herald.local.downloads import Progress, no_progress
from herald.local.errors import LocalError
from herald.local.ports import LOOPBACK
from herald.local.server import Server

LOG4J = Path(__file__).with_name("log4j2.properties")
HEAP = "512m"
QUICK_START = ("-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true")  # half the processor time of a start

SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{advertised}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
num.network.threads=2
num.io.threads=4
offsets.topic.num.partitions=8
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
log.cleaner.dedupe.buffer.size=16777216
log.index.size.max.bytes=1048576
"""


class Kafka(Server):
    """Ready in 3 to 9 s, 250 to 400 MB resident.

    `advertised` is the address told to clients, where it differs from the one listened on (a proxy in front).
    """

    name = "kafka"
    grace = 30.0
    patience = 90.0

    def __init__(self, data: Path, logs: Path, port: int, controller_port: int, advertised: str | None = None) -> None:
        super().__init__(logs)
        self.data = data
        self._port = port
        self.controller_port = controller_port
        self.advertised = advertised or f"{LOOPBACK}:{port}"
        self._runtime = ""
        self._classes = ""

    @property
    def port(self) -> int:
        return self._port

    @property
    def bootstrap(self) -> str:
        return self.advertised

    def provide(self, progress: Progress = no_progress) -> None:
        if not self._classes:
            self._runtime = java.find_java()
            self._classes = jars.classpath(progress)

    async def launch(self) -> Child:
        runtime, classes = self._runtime, self._classes
        self.data.mkdir(parents=True, exist_ok=True)
        settings = self.data.with_suffix(".properties")
        settings.write_text(
            SETTINGS.format(
                host=LOOPBACK,
                port=self._port,
                controller_port=self.controller_port,
                advertised=self.advertised,
                data=self.data,
            )
        )
        if not (self.data / "meta.properties").exists():
            await self._format(runtime, classes, settings)
        options = [
            f"-Xmx{HEAP}",
            f"-Xms{HEAP}",
            "-XX:+UseSerialGC",  # of a heap this small, in half the time of G1 where there are two cores
            "-Xmn256m",  # each young collection stops all threads, and takes as long for little as for much
            *QUICK_START,
        ]
        argv = [runtime, *options, *_common(classes), "kafka.Kafka", str(settings)]
        return Child(self.name, argv, self.log, cwd=self.data.parent)

    async def _format(self, runtime: str, classes: str, settings: Path) -> None:
        cluster = _cluster_id()
        argv = [runtime, "-Xmx256m", *QUICK_START, *_common(classes), "kafka.tools.StorageTool"]
        child = Child("kafka", [*argv, "format", "-t", cluster, "-c", str(settings)], self.log, cwd=self.data.parent)
        await child.start()
        try:
            code = await asyncio.wait_for(child.wait(), self.patience)
        finally:
            await child.stop(0)
        if code != 0:
            raise LocalError(f"Kafka's folder {self.data} could not be prepared ({child.last_words()}).")

    async def probe(self) -> bool:
        if not await _accepts(self._port):
            return False
        client = AIOKafkaClient(bootstrap_servers=f"{LOOPBACK}:{self._port}", request_timeout_ms=2000)
        try:
            await client.bootstrap()
        except (KafkaError, OSError):
            return False
        else:
            return bool(client.cluster.brokers())
        finally:
            await client.close()


def _common(classes: str) -> list[str]:
    return [f"-Dlog4j2.configurationFile={LOG4J}", "-cp", classes]


def _cluster_id() -> str:
    """22 characters of URL-safe base64 that do not begin with a dash."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text


async def _accepts(port: int) -> bool:
    with contextlib.suppress(OSError):
        _, writer = await asyncio.open_connection(LOOPBACK, port)
        writer.close()
        return True
    return False
