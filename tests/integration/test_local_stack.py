"""`herald up` and its like, with stand-ins for Herald's own processes on real servers."""

import json
import os
import pty
import signal
import socket
import subprocess
import sys
import termios
from collections.abc import Iterator
from fcntl import ioctl
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import MongoClient

from herald.local.home import Home
from tests import processes
from tests.processes import eventually, left_of

ROOT = Path(__file__).resolve().parents[2]
STAND_IN = [sys.executable, "-m", "tests.integration.stand_in"]
HERALD = [sys.executable, "-m", "herald"]
ENDED = 5.0  # seconds that may pass before the kernel's work is done


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Place:
    """A folder for one stack, and the terminals that work in it."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder / ".herald")
        self.env = {key: value for key, value in os.environ.items() if not key.startswith("HERALD_")}
        self.env |= {"HERALD_HOME": str(self.home.folder)}
        self.port = free_port()

    def terminal(self) -> "Terminal":
        return Terminal([*STAND_IN, str(self.port)], self.env)

    def herald(self, *argv: str, **env: str) -> subprocess.CompletedProcess[str]:
        command = [*HERALD, *argv]
        return subprocess.run(
            command, env=self.env | env, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
        )

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.herald("status", "--json").stdout)
        return found

    def child(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.home.read_state()["children"].get(name, {"state": "unknown"})
        return found

    def is_ready(self) -> bool:
        return self.home.holder() is not None and self.home.read_state().get("status") == "ready"

    def left(self) -> dict[int, str]:
        return left_of(self.home.folder, ENDED)


class Terminal:
    """A command in a terminal of its own."""

    def __init__(self, argv: list[str], env: dict[str, str]) -> None:
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            argv,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=env,
            cwd=ROOT,
            start_new_session=True,
            preexec_fn=lambda: ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
        )
        os.close(slave)

    def read(self) -> str:
        """All that was printed, once the command has ended."""
        text = b""
        try:
            while part := os.read(self._master, 4096):
                text += part
        except OSError:
            pass
        return text.decode()

    def press_ctrl_c(self) -> None:
        os.write(self._master, b"\x03")

    def close(self) -> None:
        os.close(self._master)

    def wait(self) -> int:
        return self.process.wait(timeout=60)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    for pid in processes.of(place.home.folder):
        os.kill(pid, signal.SIGKILL)


def sentence(run: subprocess.CompletedProcess[str]) -> str:
    """The one line that a refused command says."""
    lines = [line for line in run.stderr.splitlines() if line.strip() and not line.startswith("fetching")]
    assert run.returncode not in (0, 2), run
    assert len(lines) == 1, run.stderr
    assert lines[0].startswith("herald: ")
    return lines[0]


async def test_two_lives_in_a_terminal_and_detached(place: Place) -> None:
    terminal = place.terminal()
    assert eventually(place.is_ready, 120)
    state = place.state()
    assert state["running"]
    assert {child["state"] for child in state["children"].values()} == {"ready"}
    assert all(child["memory_mb"] > 0 for child in state["children"].values())
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{state['url']}/health/ready")).status_code == 200

    refusal = sentence(place.herald("up", f"--port={free_port()}"))
    assert state["url"] in refusal
    assert str(terminal.process.pid) in refusal

    for name in ("redis", "links"):
        before = place.child(name)
        os.kill(before["pid"], signal.SIGKILL)
        assert eventually(lambda: place.child(name)["restarts"] == 1 and place.child(name)["state"] == "ready", 30)  # noqa: B023
        assert place.child(name)["pid"] != before["pid"]

    await write_something(state)
    terminal.press_ctrl_c()
    assert terminal.wait() == 0
    assert place.left() == {}
    words = terminal.read()
    assert "redis ended (killed by SIGKILL); starting it again" in words
    assert "links ended (killed by SIGKILL); starting it again" in words
    assert place.herald("status").returncode == 3

    start_detached(place)
    await find_it_again(place.state())
    async with httpx.AsyncClient() as client:
        environment = (await client.get(f"http://127.0.0.1:{place.port}/env")).json()
    assert environment["HERALD_ISSUER"] == f"http://127.0.0.1:{place.port}/issuer"
    assert Path(environment["HERALD_ISSUER_KEY_FILE"]).stat().st_mode & 0o777 == 0o600
    assert place.home.secrets.stat().st_mode & 0o777 == 0o600
    printed = place.herald("logs", "kafka", "-n", "5").stdout
    assert "Kafka Server started" in printed
    down = place.herald("down")
    assert (down.returncode, down.stdout) == (0, "Herald has stopped.\n")
    assert place.left() == {}
    assert place.herald("down").stdout == "Herald is not running here.\n"


async def write_something(state: dict[str, Any]) -> None:
    with MongoClient[dict[str, Any]](state["mongo_url"]) as client:
        client["kept"]["things"].insert_one({"_id": 1})
    admin = AIOKafkaAdminClient(bootstrap_servers=state["kafka_bootstrap"])
    await admin.start()
    await admin.create_topics([NewTopic("kept", num_partitions=1, replication_factor=1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=state["kafka_bootstrap"], acks="all") as producer:
        await producer.send_and_wait("kept", b"still here")


async def find_it_again(state: dict[str, Any]) -> None:
    with MongoClient[dict[str, Any]](state["mongo_url"]) as client:
        assert client["kept"]["things"].find_one() == {"_id": 1}
    consumer = AIOKafkaConsumer("kept", bootstrap_servers=state["kafka_bootstrap"], auto_offset_reset="earliest")
    async with consumer:
        assert (await consumer.getone()).value == b"still here"


def test_nothing_outlives_a_killed_supervisor(place: Place) -> None:
    terminal = place.terminal()
    assert eventually(place.is_ready, 120)
    assert len(processes.of(place.home.folder)) == 8
    terminal.process.kill()
    terminal.wait()
    assert place.left() == {}
    assert place.state()["status"] == "killed"

    terminal = place.terminal()
    assert eventually(lambda: place.home.holder() and place.child("mongod")["state"] == "ready", 60)
    terminal.close()
    assert terminal.wait() == 0
    assert place.left() == {}
    assert not place.state()["running"]


def start_detached(place: Place) -> None:
    script = (
        "from herald.local import home, terminal as t, up;"
        "home = home.Home(home.default_folder());"
        f"up.run_detached(home, {place.port}, False, t.say, t.progress_bars, {[*STAND_IN, str(place.port)]!r})"
    )
    run = subprocess.run(
        [sys.executable, "-c", script],
        env=place.env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert f"http://127.0.0.1:{place.port}" in run.stdout
    assert place.state()["status"] == "ready"


def test_a_port_in_use(place: Place) -> None:
    with socket.create_server(("127.0.0.1", place.port)):
        for extra in ([], ["--detach"]):
            assert str(place.port) in sentence(place.herald("up", f"--port={place.port}", *extra))
    assert place.left() == {}


def test_a_folder_that_cannot_be_written(place: Place) -> None:
    said = sentence(place.herald("up", f"--port={place.port}", HERALD_HOME="/proc/herald"))
    assert "/proc/herald cannot be written" in said


def test_a_java_that_will_not_do(place: Place, tmp_path: Path) -> None:
    old = tmp_path / "java"
    old.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    old.chmod(0o755)
    assert "is Java 11: Java 17 or later" in sentence(place.herald("up", f"--port={place.port}", HERALD_JAVA=str(old)))
    assert "not a Java" in sentence(place.herald("up", f"--port={place.port}", HERALD_JAVA="/bin/false"))
    assert place.left() == {}


def test_a_kafka_home_without_kafka(place: Place, tmp_path: Path) -> None:
    said = sentence(place.herald("up", f"--port={place.port}", KAFKA_HOME=str(tmp_path)))
    assert "holds no Kafka 4" in said


def test_a_damaged_cache_that_cannot_be_mended(place: Place, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    nowhere = f"http://127.0.0.1:{free_port()}"
    said = sentence(place.herald("up", f"--port={place.port}", HERALD_CACHE=str(cache), HERALD_MAVEN_MIRROR=nowhere))
    assert "could not be downloaded" in said
    assert "HERALD_MAVEN_MIRROR" in said
    assert "SSL_CERT_FILE" in said
    assert place.left() == {}
