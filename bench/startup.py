"""How long each role takes to answer, and how much memory it holds, against an interpreter with the same imports.

One process a role, as on Kubernetes. `events` is not used; a round starts each role once.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from bench.frame import Bench, Comparison, Findings, Limit, Round, Size
from bench.harness import READY_SECONDS, Harness, answers, installation, process, usage
from herald.local.plan import ProcessSpec
from herald.operations.topics import apply_topics

SERVING = "herald.cli, chassis.process, uvicorn, uvloop, httptools, uvicorn.protocols.http.httptools_impl"
MODULES = {"api": "chassis.web.app", "worker": "faststream.kafka", "links": "chassis.service"}
SETTLE_SECONDS = 1.0
MB = 1e6
Seen = dict[str, dict[str, float]]


@contextmanager
def open_(harness: Harness, size: Size) -> Iterator[Comparison]:
    namespace = harness.namespace()
    asyncio.run(apply_topics(harness.kafka_bootstrap, namespace))
    roles = installation(harness, namespace, split=True)
    seen: dict[str, Seen] = {"floor": {}, "herald": {}}
    yield Comparison(
        floor=partial(each, harness, roles, imported, seen["floor"]),
        herald=partial(each, harness, roles, started, seen["herald"]),
        findings=partial(findings, seen),
    )


def each(harness: Harness, roles: Sequence[ProcessSpec], measure: Any, seen: Seen) -> float:
    """Seconds that a role takes, the mean of all."""
    for spec in roles:
        seconds, megabytes = measure(harness, spec)
        before = seen.get(spec.name, {"seconds": 0.0, "megabytes": 0.0})
        seen[spec.name] = {
            "seconds": round(max(before["seconds"], seconds), 2),
            "megabytes": round(max(before["megabytes"], megabytes), 1),
        }
    return statistics.mean(one["seconds"] for one in seen.values())


def started(harness: Harness, spec: ProcessSpec) -> tuple[float, float]:
    """Until the role says that it is alive; resident megabytes when it is ready."""
    began = time.monotonic()
    with process(spec.argv[1:], spec.env, harness.folder / f"{spec.name}.log") as pid:
        up = answers(f"http://127.0.0.1:{spec.port}/health/live")
        answers(spec.address)
        time.sleep(SETTLE_SECONDS)
        return up - began, usage(pid).resident / MB


def imported(harness: Harness, spec: ProcessSpec) -> tuple[float, float]:
    """Until an interpreter has imported what the role imports; resident megabytes then."""
    service, role = spec.argv[-2:]
    own = "herald.gateway" if service == "gateway" else f"services.{service}.app"
    port = harness.free_port()
    listen = f"import socket, time; s = socket.create_server(('127.0.0.1', {port})); time.sleep(60)"
    code = f"import {SERVING}, {MODULES[role]}, {own}; {listen}"
    began = time.monotonic()
    with process(["-c", code], spec.env, harness.folder / "imported.log") as pid:
        up = listens(port)
        return up - began, usage(pid).resident / MB


def listens(port: int) -> float:
    """When something listens on the port. Raises SystemExit."""
    import socket

    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.01)
        else:
            return time.monotonic()
    raise SystemExit("an interpreter does not come up")


def findings(seen: dict[str, Seen], rounds: Sequence[Round]) -> Findings:
    slowest = max(seen["herald"], key=lambda name: seen["herald"][name]["seconds"])
    largest = max(seen["herald"], key=lambda name: seen["herald"][name]["megabytes"])
    limits = (
        Limit(f"slowest ({slowest})", seen["herald"][slowest]["seconds"], 3, "s"),
        Limit(f"largest ({largest})", seen["herald"][largest]["megabytes"], 120, "MB"),
    )
    return Findings(limits, {"herald": seen["herald"], "same_imports": seen["floor"]})


BENCH = Bench(
    name="startup",
    counted="start of a role until it answers, mean of all: an interpreter with the same imports",
    unit="s",
    aim=None,
    size=Size(rounds=1, events=1),
    packages=("fastapi", "faststream", "pydantic", "uvicorn"),
    open=open_,
    better="less",
)
