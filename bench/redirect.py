"""The redirect with a durable click against a raw ASGI application that answers 302, each on one core.

    python -m bench.redirect [--rounds 5] [--seconds 4] [--connections 256] [--json FILE]

Same server (uvicorn with uvloop and httptools), same client; each on one core, with real Kafka, MongoDB and Redis
behind the redirect. The client, on another core, keeps one request under way on each connection. Rounds alternate.
Every answered click must be on the topic at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import platform
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import AsyncMongoClient

from herald.local.ports import free_ports
from tests import infra as servers
from tests.infra import Infra

ROOT = Path(__file__).parents[1]
AIM = 0.6
P99_AIM = 0.010
PARTITIONS = 12
CODES = [f"bench{number:03d}" for number in range(100)]
TARGET = "https://example.com/article?utm_source=linkedin&utm_medium=employee_advocacy&utm_campaign=p&utm_content=c"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
FLOOR = """
START = {"type": "http.response.start", "status": 302, "headers": [
    (b"location", %r), (b"cache-control", b"private, no-store"), (b"x-robots-tag", b"noindex"),
    (b"content-length", b"0")]}
BODY = {"type": "http.response.body", "body": b""}
async def app(scope, receive, send):
    await send(START)
    await send(BODY)
"""
SERVE = """
import sys, uvicorn, asyncio, uvloop
exec(open(sys.argv[2]).read())
config = uvicorn.Config(app, host="127.0.0.1", port=int(sys.argv[1]), log_config=None, access_log=False,
    http="httptools", ws="none", lifespan="off", server_header=False, proxy_headers=False)
uvloop.run(uvicorn.Server(config).serve())
"""


@dataclass
class Load:
    """What a client saw: requests answered 302, the time it took, and how long each waited, in seconds."""

    answered: int
    seconds: float
    waits: list[float]

    @property
    def rate(self) -> float:
        return self.answered / self.seconds

    def wait(self, share: float) -> float:
        return sorted(self.waits)[int(share * (len(self.waits) - 1))]


class Visitor(asyncio.Protocol):
    """One connection with one request under way; with `pause`, the next one starts that long after the last."""

    def __init__(
        self, load: Load, requests: list[bytes], until: float, every: float, done: asyncio.Future[None]
    ) -> None:
        self._load, self._requests, self._until, self._every, self._done = load, requests, until, every, done
        self._next = secrets.randbelow(len(requests))
        self._due = 0.0
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._due = time.perf_counter() + self._every * secrets.randbelow(1000) / 1000
        self._send()

    def _send(self) -> None:
        now = time.perf_counter()
        if self._every and now < self._due:
            asyncio.get_running_loop().call_later(self._due - now, self._send)
            return
        if now >= self._until or self._transport.is_closing():
            self._end()
            return
        # Where a pace is given, a wait begins when the request was due: a slow answer does not hide the next.
        self._began = self._due if self._every else now
        self._due += self._every
        self._next = (self._next + 1) % len(self._requests)
        self._transport.write(self._requests[self._next])

    def data_received(self, data: bytes) -> None:
        self._data += data
        if not self._data.endswith(b"\r\n\r\n"):
            return
        if not self._data.startswith(b"HTTP/1.1 302"):
            self._done.set_exception(RuntimeError(self._data[:200].decode("latin-1")))
            self._transport.abort()
            return
        self._data = b""
        self._load.answered += 1
        self._load.waits.append(time.perf_counter() - self._began)
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        self._end()

    def _end(self) -> None:
        self._transport.close()
        if not self._done.done():
            self._done.set_result(None)


async def visit(port: int, *, connections: int, seconds: float, rate: float = 0) -> Load:
    """Follow links for some seconds, as fast as it goes or at `rate` requests a second."""
    load = Load(0, 0.0, [])
    requests = [
        f"GET /l/{code} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: {BROWSER}\r\nAccept: text/html\r\n"
        f"Accept-Language: fr,en;q=0.5\r\nReferer: https://www.linkedin.com/\r\n\r\n".encode()
        for code in CODES
    ]
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    until, every = began + seconds, connections / rate if rate else 0.0
    ends = [loop.create_future() for _ in range(connections)]
    for end in ends:
        await loop.create_connection(partial(Visitor, load, requests, until, every, end), "127.0.0.1", port)
    await asyncio.gather(*ends)
    load.seconds = time.perf_counter() - began
    return load


@contextmanager
def served(argv: list[str], port: int, core: int, env: dict[str, str]) -> Iterator[int]:
    """A process on one core, up when it answers; ended at the end."""
    process = subprocess.Popen(
        ["taskset", "-c", str(core), *argv], env={**os.environ, **env}, cwd=ROOT, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                answer = asyncio.run(visit(port, connections=1, seconds=0.05))
                if answer.answered:
                    break
            except (OSError, RuntimeError):
                pass
            if time.monotonic() > deadline or process.poll() is not None:
                raise SystemExit(f"{argv} does not answer")
            time.sleep(0.1)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def measured(pid: int, port: int, **how: Any) -> tuple[Load, float]:
    """A load, and the CPU microseconds that each of its requests cost the server."""
    ticks = os.sysconf("SC_CLK_TCK")

    def used() -> float:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / ticks

    before = used()
    load = uvloop.run(visit(port, **how))
    return load, (used() - before) / max(1, load.answered) * 1e6


async def prepare(infra: Infra, namespace: str) -> None:
    """The topic, and a hundred posts whose links are followed."""
    admin = AIOKafkaAdminClient(bootstrap_servers=infra.kafka_bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(f"{namespace}.herald.clicks", PARTITIONS, 1)])
    await admin.close()
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(infra.mongo_url)
    posts = client[f"{namespace}_herald_sharing"]["posts"]
    await posts.insert_many([{"_id": code, "link_code": code, "target": TARGET} for code in CODES])
    await posts.create_index("link_code", unique=True)
    await client.close()


async def on_topic(infra: Infra, namespace: str) -> int:
    """How many clicks the topic holds."""
    consumer = AIOKafkaConsumer(bootstrap_servers=infra.kafka_bootstrap)
    await consumer.start()
    ends = await consumer.end_offsets([TopicPartition(f"{namespace}.herald.clicks", n) for n in range(PARTITIONS)])
    await consumer.stop()
    return sum(ends.values())


def run(rounds: int, seconds: float, connections: int, folder: Path) -> dict[str, Any]:
    """All rounds, then the waits at half of the redirect's peak."""
    os.sched_setaffinity(0, {1})
    infra, namespace = servers.acquire(), f"b{secrets.token_hex(3)}"
    uvloop.run(prepare(infra, namespace))
    source = folder / "floor_app.py"
    floor_port, links_port = free_ports(("floor", "links"), folder / "ports.json").values()
    source.write_text(FLOOR % TARGET.encode())
    env = {
        "HERALD_NAMESPACE": namespace,
        "HERALD_KAFKA_BOOTSTRAP": infra.kafka_bootstrap,
        "HERALD_MONGO_URL": infra.mongo_url,
        "HERALD_REDIS_URL": infra.redis_url,
        "HERALD_PUBLIC_URL": "http://127.0.0.1",
        "HERALD_ISSUER": "http://127.0.0.1",
        "HERALD_VISITOR_KEY": base64.urlsafe_b64encode(bytes(range(32))).decode(),
        "HERALD_PORT": str(links_port),
        "HERALD_SPOOL_DIR": str(folder / "spool"),
        "HERALD_SPANS_FILE": str(folder / "spans.jsonl"),
    }
    answered, found = 0, []
    with (
        served([sys.executable, "-c", SERVE, str(floor_port), str(source)], floor_port, 0, {}) as plain,
        served([sys.executable, "-m", "herald", "run", "sharing", "links"], links_port, 0, env) as links,
    ):
        for port in (floor_port, links_port):
            uvloop.run(visit(port, connections=connections, seconds=1))
        before = uvloop.run(on_topic(infra, namespace))
        for number in range(rounds):
            floor, floor_cost = measured(plain, floor_port, connections=connections, seconds=seconds)
            herald, cost = measured(links, links_port, connections=connections, seconds=seconds)
            answered += herald.answered
            one = {"floor": floor.rate, "herald": herald.rate, "ratio": herald.rate / floor.rate}
            found.append({**one, "floor_cpu_us": floor_cost, "herald_cpu_us": cost})
            print(
                f"round {number + 1}: floor {floor.rate:,.0f}/s ({floor_cost:.1f} us of CPU each), redirect "
                f"{herald.rate:,.0f}/s ({cost:.1f} us), ratio {one['ratio']:.2f}; p50 {herald.wait(0.5) * 1e3:.1f} ms",
                flush=True,
            )
        half = statistics.median(one["herald"] for one in found) / 2
        paced = uvloop.run(visit(links_port, connections=connections, seconds=2 * seconds, rate=half))
        answered += paced.answered
        kept = uvloop.run(on_topic(infra, namespace)) - before
    return report(found, paced, half, answered, kept)


def report(found: list[dict[str, float]], paced: Load, half: float, answered: int, kept: int) -> dict[str, Any]:
    ratios = [one["ratio"] for one in found]
    waits = {f"p{int(share * 100)}_ms": round(paced.wait(share) * 1e3, 2) for share in (0.5, 0.9, 0.99)}
    return {
        "name": "redirect",
        "command": " ".join(["python -m bench.redirect", *sys.argv[1:]]),
        "machine": {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()},
        "versions": {name: version(name) for name in ("uvicorn", "uvloop", "httptools", "aiokafka")}
        | {"python": platform.python_version()},
        "rounds": [{name: round(value, 3) for name, value in one.items()} for one in found],
        "ratio": {"min": min(ratios), "median": statistics.median(ratios), "max": max(ratios)},
        "half_peak": {"rate": round(half), "achieved": round(paced.rate), **waits},
        "clicks": {"answered": answered, "on_topic": kept, "lost": max(0, answered - kept)},
        "aim": AIM,
        "ok": statistics.median(ratios) >= AIM and paced.wait(0.99) < P99_AIM and kept >= answered,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--connections", type=int, default=256)
    parser.add_argument("--json", type=Path, default=ROOT / "bench" / "results" / "redirect.json")
    chosen = parser.parse_args()
    servers.begin_run()
    try:
        with tempfile.TemporaryDirectory() as folder:
            found = run(chosen.rounds, chosen.seconds, chosen.connections, Path(folder))
    finally:
        servers.end_run()
    chosen.json.parent.mkdir(parents=True, exist_ok=True)
    chosen.json.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps({name: found[name] for name in ("ratio", "half_peak", "clicks", "ok")}, indent=1))


if __name__ == "__main__":
    main()
