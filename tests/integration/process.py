"""A real process of one role of one service, on the servers of the tests."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from herald.contracts.services import PLACEHOLDERS
from herald.local import credentials
from herald.local.home import Home
from herald.local.ports import free_ports
from tests.integration.harness import Harness, eventually

READY_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Running:
    """A process that listens."""

    port: int
    pid: int


@asynccontextmanager
async def process_of(
    harness: Harness, folder: Path, service: str, role: str, **variables: str
) -> AsyncIterator[Running]:
    """Runs `herald run SERVICE ROLE` until the block ends. `variables` go before the usual ones."""
    port = free_ports(["it"], folder / "ports.json")["it"]
    home = Home(folder / "home")
    home.prepare()
    env = {
        **os.environ,
        **{name: value for name, value in PLACEHOLDERS.items() if name.startswith("HERALD_")},
        **credentials.environment(home),
        **harness.infra.environment,
        "HERALD_NAMESPACE": harness.namespace,
        "HERALD_ISSUER": harness.issuer.url,
        "HERALD_PORT": str(port),
        "HERALD_LINKS_UPSTREAM": "http://127.0.0.1:1",
        "HERALD_SPOOL_DIR": str(folder / "spool"),
        "HERALD_TRACE_RATIO": "0",
        **variables,
    }
    with (folder / "process.log").open("wb") as log:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "herald", "run", service, role, env=env, stdout=log, stderr=log
        )
    try:
        async with httpx.AsyncClient(trust_env=False) as client:

            async def ready() -> int:
                try:
                    return (await client.get(f"http://127.0.0.1:{port}/health/ready")).status_code
                except httpx.TransportError:
                    return 0

            await eventually(ready, until=lambda found: found == 200, within=READY_SECONDS)
        yield Running(port, child.pid)
    finally:
        child.terminate()
        await asyncio.wait_for(child.wait(), 30)
