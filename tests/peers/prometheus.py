"""A real Prometheus that scrapes processes of this machine every two seconds, with the rules of `deploy/alerts`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from herald.local.ports import LOOPBACK, free_ports
from herald.observability.files import rules_yaml
from herald.observability.objectives import scaled
from tests.promtool import provide

ALERTS = Path(__file__).parents[2] / "deploy/alerts"
READY_SECONDS = 30.0
SHORTER = {
    "3d": "360s", "6h": "180s", "1h": "60s", "30m": "45s", "15m": "30s", "10m": "20s", "5m": "15s", "1m": "3s",
}  # fmt: skip
"""What the windows of rules become, so that minutes do for days. The thresholds stay as they are."""


def shorter_rules() -> str:
    """All rules with shorter windows, as one file."""
    groups = [
        {**group, "interval": "1s"}
        for name in ("objectives", "causes")
        for group in yaml.safe_load((ALERTS / f"{name}.yaml").read_text("utf-8"))["groups"]
    ]
    return rules_yaml(scaled(groups, SHORTER))


@dataclass(frozen=True, slots=True)
class Prometheus:
    """Asked by its HTTP API."""

    url: str
    client: httpx.AsyncClient

    async def ask(self, path: str, **params: Any) -> Any:
        """The data of an answer. Raises AssertionError with Prometheus' own words."""
        answer = await self.client.get(f"{self.url}/api/v1/{path}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def series(self, expr: str, seconds: float, *, step: float = 1.0) -> list[dict[str, Any]]:
        """Each series of the last so many seconds."""
        now = time.time()
        data = await self.ask("query_range", query=expr, start=now - seconds, end=now, step=step)
        found: list[dict[str, Any]] = data["result"]
        return found

    async def now(self, expr: str) -> list[dict[str, Any]]:
        data = await self.ask("query", query=expr)
        found: list[dict[str, Any]] = data["result"]
        return found

    async def firing(self) -> set[tuple[str, str]]:
        """Alert and severity of what fires now."""
        data = await self.ask("alerts")
        return {
            (one["labels"]["alertname"], one["labels"]["severity"])
            for one in data["alerts"]
            if one["state"] == "firing"
        }


@asynccontextmanager
async def running(folder: Path, targets: Mapping[str, str]) -> AsyncIterator[Prometheus]:
    """Prometheus with these targets (`host:port`) by their role; ends it."""
    program = await asyncio.to_thread(provide)
    port = free_ports(["prometheus"], folder / "prometheus-port.json")["prometheus"]
    (folder / "alerts.yaml").write_text(shorter_rules(), "utf-8")
    config = {
        "global": {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "1s"},
        "rule_files": [str(folder / "alerts.yaml")],
        "scrape_configs": [
            {
                "job_name": "herald",
                "honor_labels": True,
                "static_configs": [{"targets": [at], "labels": {"role": role}} for role, at in targets.items()],
            },
        ],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config), "utf-8")
    with (folder / "prometheus.log").open("wb") as log:
        child = await asyncio.create_subprocess_exec(
            program,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'prometheus'}",
            f"--web.listen-address={LOOPBACK}:{port}",
            "--enable-feature=exemplar-storage",
            "--query.lookback-delta=10s",
            stdout=log,
            stderr=log,
        )
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            prometheus = Prometheus(f"http://{LOOPBACK}:{port}", client)
            async with asyncio.timeout(READY_SECONDS):
                while True:
                    try:
                        if (await client.get(f"{prometheus.url}/-/ready")).status_code == 200:
                            break
                    except httpx.HTTPError:
                        pass
                    assert child.returncode is None, (folder / "prometheus.log").read_text("utf-8")[-2000:]
                    await asyncio.sleep(0.2)
            yield prometheus
    finally:
        if child.returncode is None:
            child.terminate()
        await child.wait()
