"""A real Jaeger, built from its Go module once into the user's cache; a collector of OpenTelemetry too, since Jaeger 2
is one with a store. The collector runs with `deploy/otel/collector.yaml`."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from herald.local.downloads import cache_folder
from herald.local.errors import LocalError
from herald.local.ports import LOOPBACK, free_ports

VERSION = "v1.76.0"
MODULE = "github.com/jaegertracing/jaeger"
SUM = "h1:sWCOOF1dr+NL0PLil7mFo3BqqQL8k4WiM7aguFbc14g="
COLLECTOR = Path(__file__).parents[2] / "deploy/otel/collector.yaml"
READY_SECONDS = 30.0
DECISION_SECONDS = 3.0
"""After which a trace is judged here; longer in a deployment."""


def provide() -> Path:
    """The program, built with the module's own `go.sum`: about ten minutes on two cores. Raises LocalError."""
    folder = cache_folder("jaeger")
    wanted = folder / f"jaeger-{VERSION}"
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not wanted.exists():
            go = shutil.which("go")
            if go is None:
                raise LocalError("Jaeger is built from its module: put Go 1.25 or later on PATH.")
            try:
                _build(go, wanted)
            except subprocess.CalledProcessError as error:
                raise LocalError(f"Jaeger {VERSION} could not be built ({error.stderr.strip()[-300:]}).") from None
    return wanted


def _build(go: str, wanted: Path) -> None:
    environment = {**os.environ, "GOFLAGS": "-buildvcs=false", "CGO_ENABLED": "0"}

    def run(*command: str, cwd: str) -> str:
        return subprocess.run(command, cwd=cwd, env=environment, check=True, capture_output=True, text=True).stdout

    with tempfile.TemporaryDirectory() as scratch:
        found = json.loads(run(go, "mod", "download", "-json", f"{MODULE}@{VERSION}", cwd=scratch))
        if found["Sum"] != SUM:
            raise LocalError(f"Jaeger {VERSION} is not what the test names.")
        source = Path(scratch) / "source"
        run("cp", "-r", found["Dir"], str(source), cwd=scratch)
        run("chmod", "-R", "u+w", str(source), cwd=scratch)
        page = source / "cmd/query/app/ui/placeholder/index.html"  # the module has no user interface
        page.parent.mkdir(exist_ok=True)
        page.touch()
        run(go, "build", "-trimpath", "-o", f"{wanted}.new", "./cmd/jaeger", cwd=str(source))
        Path(f"{wanted}.new").rename(wanted)


def storage_config(ports: Mapping[str, int]) -> dict[str, Any]:
    """A Jaeger that keeps all it is sent, in memory."""
    return {
        "service": {
            "extensions": ["jaeger_storage", "jaeger_query"],
            "telemetry": {"metrics": {"level": "none"}, "logs": {"level": "warn"}},
            "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["jaeger_storage_exporter"]}},
        },
        "extensions": {
            "jaeger_storage": {"backends": {"store": {"memory": {"max_traces": 100_000}}}},
            "jaeger_query": {
                "storage": {"traces": "store"},
                "http": {"endpoint": f"{LOOPBACK}:{ports['query']}"},
                "grpc": {"endpoint": f"{LOOPBACK}:{ports['query-grpc']}"},
            },
        },
        "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": f"{LOOPBACK}:{ports['store']}"}}}},
        "exporters": {"jaeger_storage_exporter": {"trace_storage": "store"}},
    }


def collector_config(ports: Mapping[str, int]) -> dict[str, Any]:
    """The collector's own file, with containers replaced by ports of this machine."""
    config: dict[str, Any] = yaml.safe_load(COLLECTOR.read_text("utf-8"))
    protocols = config["receivers"]["otlp"]["protocols"]
    protocols["grpc"]["endpoint"] = f"{LOOPBACK}:{ports['otlp-grpc']}"
    protocols["http"]["endpoint"] = f"{LOOPBACK}:{ports['otlp']}"
    config["exporters"]["otlp/jaeger"]["endpoint"] = f"{LOOPBACK}:{ports['store']}"
    config["exporters"]["prometheus"]["endpoint"] = f"{LOOPBACK}:{ports['spanmetrics']}"
    config["processors"]["tail_sampling"]["decision_wait"] = f"{DECISION_SECONDS:.0f}s"
    config["service"]["telemetry"]["metrics"] = {"level": "none"}
    return config


@dataclass(frozen=True, slots=True)
class Tracing:
    """Where spans and logs are sent (`otlp`), where traces are read (`query`), and what the collector prints."""

    otlp: str
    query: str
    spanmetrics: int
    printed: Path

    async def traces(self, service: str) -> list[dict[str, Any]]:
        """All traces that Jaeger keeps of a service."""
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"{self.query}/api/traces", params={"service": service, "limit": 1000})
            found: list[dict[str, Any]] = answer.raise_for_status().json()["data"]
            return found


NOWHERE = Tracing("", "", 0, Path(os.devnull))
"""Where there is neither collector nor Jaeger."""


@asynccontextmanager
async def running(folder: Path, *, percent: int = 100) -> AsyncIterator[Tracing]:
    """A collector, which keeps `percent` of ordinary traces, and a Jaeger behind it; ends both."""
    program = str(await asyncio.to_thread(provide))
    names = ["query", "query-grpc", "store", "otlp", "otlp-grpc", "spanmetrics"]
    ports = free_ports(names, folder / "tracing-ports.json")
    children = []
    try:
        for name, config in (("jaeger", storage_config(ports)), ("collector", collector_config(ports))):
            file = folder / f"{name}.yaml"
            file.write_text(yaml.safe_dump(config), "utf-8")
            with (folder / f"{name}.log").open("wb") as log:
                child = await asyncio.create_subprocess_exec(
                    program, "--config", str(file), stdout=log, stderr=log,
                    env={**os.environ, "HERALD_TRACES_PERCENT": str(percent)},
                )  # fmt: skip
            children.append(child)
        tracing = Tracing(
            f"http://{LOOPBACK}:{ports['otlp']}",
            f"http://{LOOPBACK}:{ports['query']}",
            ports["spanmetrics"],
            folder / "collector.log",
        )
        await _ready(tracing, folder)
        yield tracing
    finally:
        for child in children:
            if child.returncode is None:
                child.terminate()
            await child.wait()


async def _ready(tracing: Tracing, folder: Path) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        try:
            async with asyncio.timeout(READY_SECONDS):
                for url in (f"{tracing.query}/api/services", tracing.otlp):
                    while True:
                        try:
                            await client.get(url)
                            break
                        except httpx.HTTPError:
                            await asyncio.sleep(0.2)
        except TimeoutError:
            said = "".join(path.read_text("utf-8")[-1500:] for path in folder.glob("*.log"))
            raise AssertionError(f"the collector or Jaeger does not answer:\n{said}") from None
