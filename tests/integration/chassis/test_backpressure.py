"""With a slow MongoDB a process keeps its memory, refuses what it cannot hold, and recovers by itself."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from herald.contracts.services import PLACEHOLDERS
from herald.local.ports import free_ports
from tests.fault.proxy import Proxy
from tests.integration.harness import Harness, eventually

AT_ONCE = 300
PLACES = 64
GROWTH = 96 * 1024 * 1024
SLOW_SECONDS = 0.7


def resident(pid: int) -> int:
    """Bytes of memory that a process really holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def test_a_slow_mongodb_costs_answers_and_not_memory(harness: Harness, tmp_path: Path) -> None:
    ports = free_ports(["api", "mongod"], tmp_path / "ports.json")
    mongod = urlsplit(harness.infra.mongo_url).port
    assert mongod is not None
    proxy = Proxy(ports["mongod"], mongod)
    await proxy.start()
    env = {
        **os.environ,
        **{name: value for name, value in PLACEHOLDERS.items() if name.startswith("HERALD_")},
        **harness.infra.environment,
        "HERALD_NAMESPACE": harness.namespace,
        "HERALD_MONGO_URL": f"mongodb://127.0.0.1:{ports['mongod']}/?directConnection=true",
        "HERALD_ISSUER": harness.issuer.url,
        "HERALD_PORT": str(ports["api"]),
        "HERALD_MAX_CONCURRENCY": str(PLACES),
        "HERALD_TRACE_RATIO": "0",
    }
    with (tmp_path / "api.log").open("wb") as log:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "herald", "run", "content", "api", env=env, stdout=log, stderr=log
        )
    url = f"http://127.0.0.1:{ports['api']}"
    limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=0)
    headers = harness.bearer("nobody")
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=60, trust_env=False) as client:

        async def status(path: str) -> int:
            try:
                return (await client.get(path, headers=headers)).status_code
            except httpx.TransportError:
                return 0

        async def flood() -> list[httpx.Response]:
            return await asyncio.gather(*(client.get("/v1/items", headers=headers) for _ in range(AT_ONCE)))

        try:
            await eventually(lambda: status("/health/ready"), until=lambda found: found == 200)
            # Whoever it is, the service has to look them up first; and so it knows them not.
            assert {answer.status_code for answer in await flood()} <= {403, 503}
            before = resident(child.pid)
            proxy.set("delay", seconds=SLOW_SECONDS)
            highest = before
            for _ in range(2):
                flooding = asyncio.ensure_future(flood())
                while not flooding.done():
                    highest = max(highest, resident(child.pid))
                    assert await status("/health/live") == 200, "what asks for life is always answered"
                    await asyncio.sleep(0.2)
                answers = flooding.result()
                counts = Counter(answer.status_code for answer in answers)
                assert counts.keys() <= {403, 503}, counts
                assert counts[503] > AT_ONCE / 2
                assert all(int(answer.headers["retry-after"]) > 0 for answer in answers if answer.status_code == 503)
            assert highest - before < GROWTH, f"{(highest - before) // 2**20} MiB more"
            refused = [
                line for line in (await client.get("/metrics")).text.splitlines() if "http_refused_total{" in line
            ]
            assert float(refused[0].rpartition(" ")[2]) > 0
            proxy.set("pass")
            await eventually(lambda: status("/v1/items"), until=lambda found: found == 403)
        finally:
            child.terminate()
            await asyncio.wait_for(child.wait(), 30)
            await proxy.stop()
