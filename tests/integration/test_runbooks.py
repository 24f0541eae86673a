"""Every runbook starts from a metric that a process really exports, and every metric has its line in the index."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from herald.contracts.services import PLACEHOLDERS
from herald.local.ports import free_ports
from herald.operations import topics
from herald_contracts import PostRemoved
from tests.integration.harness import Harness, eventually

BOOKS = Path(__file__).parents[2] / "docs" / "runbooks"
INDEX = BOOKS / "README.md"
OURS = ("herald_", "http_server_", "process_")
METRIC = re.compile(r"^Metric: `([a-z_]+)`$", re.MULTILINE)
ROW = re.compile(r"^\| `([a-z_]+)` \|.*\| (?:\[.*\]\((.+\.md)\)|–) \|$", re.MULTILINE)
PROCESSES = (("gamification", "worker"), ("sharing", "links"), ("content", "api"), ("program", "api"))
AFTER_AN_EVENT = {"herald_commit_to_effect_seconds", "herald_consumer_lag"}


def starts_from() -> dict[str, str]:
    """The one metric that each runbook starts from, by the runbook's file name."""
    found = {}
    for path in sorted(BOOKS.glob("*.md")):
        if path != INDEX:
            [metric] = METRIC.findall(path.read_text("utf-8"))
            found[path.name] = metric
    return found


@asynccontextmanager
async def running(env: Mapping[str, str], role: tuple[str, str], folder: Path) -> AsyncIterator[None]:
    with (folder / f"{'-'.join(role)}.log").open("wb") as log:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "herald", "run", *role, env={**os.environ, **env}, stdout=log, stderr=log
        )
    try:
        yield
    finally:
        child.terminate()
        await asyncio.wait_for(child.wait(), 30)


async def families(client: httpx.AsyncClient, port: int) -> set[str]:
    """The names of the metrics that a process has samples of, as Prometheus queries name them."""
    try:
        text = (await client.get(f"http://127.0.0.1:{port}/metrics")).raise_for_status().text
    except httpx.HTTPError:
        return set()
    found = set()
    for family in text_string_to_metric_families(text):
        if family.name.startswith(OURS) and family.samples:
            found.add(family.name + ("_total" if family.type == "counter" else ""))
    return found


async def test_runbooks_and_metrics_belong_together(harness: Harness, tmp_path: Path) -> None:
    await topics.apply_topics(harness.infra.kafka_bootstrap, harness.namespace)
    ports = free_ports([service for service, _ in PROCESSES], tmp_path / "ports.json")
    common = {
        **{name: value for name, value in PLACEHOLDERS.items() if name.startswith("HERALD_")},
        **harness.infra.environment,
        "HERALD_NAMESPACE": harness.namespace,
        "HERALD_SPOOL_DIR": str(tmp_path / "spool"),
        "HERALD_SMTP_HOST": "127.0.0.1",
        "HERALD_MAIL_FROM": "herald@x.example",
        "HERALD_IMAP_HOST": "127.0.0.1",
        "HERALD_IMAP_USERNAME": "bounces@x.example",
        "HERALD_IMAP_PASSWORD": "secret",
    }
    removed = PostRemoved(
        post_id="p",
        ambassador_id="a",
        program_id="p",
        content_id="c",
        network="linkedin",
        reason="ambassador",
        occurred_at=datetime.now(UTC),
    )
    exported: set[str] = set()
    async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(150):
        for service, role in PROCESSES:
            port = ports[service]

            async def told(port: int = port) -> set[str]:
                return await families(client, port)

            async with running({**common, "HERALD_PORT": str(port)}, (service, role), tmp_path):
                await eventually(told)
                if role == "api":
                    await client.get(f"http://127.0.0.1:{port}/api/{service}/v1/nothing")
                if role == "worker":
                    await harness.publish(removed)
                    await eventually(told, until=AFTER_AN_EVENT.issubset)
                exported |= await told()
    assert set(starts_from().values()) - exported == set(), "a runbook starts from a metric that nothing exports"
    listed = dict(ROW.findall(INDEX.read_text("utf-8")))
    assert exported - listed.keys() == set(), f"no line in the index: {exported - listed.keys()}"
    assert {book: metric for metric, book in listed.items() if book} == starts_from()
