"""`herald demo` plays its day on the cluster, and every figure agrees."""

from __future__ import annotations

import json
import os
import secrets
import sys

import pytest

from tests.kubernetes.cluster import run
from tests.kubernetes.crowd import RESULTS
from tests.kubernetes.installed import installed

pytestmark = pytest.mark.asyncio(loop_scope="session")
SIZE = os.environ.get("HERALD_KUBERNETES_DEMO", "--people=400 --ambassadors=60").split()


async def test_every_figure_of_the_demo_agrees() -> None:
    """On an installation of its own, which the demo takes for a stack that runs already, by what its state says."""
    async with installed(RESULTS / "demo", f"herald-{secrets.token_hex(3)}") as herald, herald.mailbox():
        await herald.install()
        herald.home.write_state({"status": "ready", "url": herald.url, "mails": str(herald.home.mails)})
        lock = herald.home.lock()
        assert lock is not None
        environment = {
            "HERALD_HOME": str(herald.home.folder),
            "HERALD_KAFKA_BOOTSTRAP": herald.kafka,
            "HERALD_MONGO_URL": herald.mongo_direct,
        }
        try:
            given = [f"{name}={value}" for name, value in environment.items()]
            said = await run("env", *given, sys.executable, "-m", "herald", "demo", "--exit", *SIZE, within=1500)
        finally:
            os.close(lock)
        report = json.loads((herald.home.folder / "demo-report.json").read_text())
        assert report["ok"], said
        assert len(report["figures"]) > 50
