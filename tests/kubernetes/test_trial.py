"""The trial chart, on stand-ins that take the configuration of the official images: to ready, and somebody signs in."""

from __future__ import annotations

import json
import secrets
import shutil

import pytest

from herald.demo.browser import Browser
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.crowd import RESULTS
from tests.kubernetes.installed import CHART, REGISTRY, STANDINS, TAG

pytestmark = pytest.mark.asyncio(loop_scope="session")
TRIAL = CHART.with_name("herald-trial")
FRONT = {"app.kubernetes.io/name": "herald-trial", "app.kubernetes.io/component": "front"}


async def test_the_trial_chart_is_ready_and_somebody_signs_in() -> None:
    cluster = Cluster(f"herald-trial-{secrets.token_hex(3)}")
    await cluster.kubectl("create", "namespace", cluster.namespace)
    try:
        door = {"selector": FRONT, "ports": [{"name": "http", "port": 8080}]}
        await cluster.apply([{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "door"}, "spec": door}])
        url = f"http://{(await cluster.one('service', 'door'))['spec']['clusterIP']}:8080"
        folder = RESULTS / "trial"
        shutil.rmtree(folder, ignore_errors=True)
        for chart in (CHART, TRIAL):
            shutil.copytree(chart, folder / chart.name)
        values = {
            "kafka": {"image": STANDINS["kafka"]},
            "mongodb": {"image": STANDINS["mongo"]},
            "valkey": {"image": STANDINS["valkey"]},
            "herald": {
                "publicUrl": url,
                "oidc": {"issuer": f"{url}/issuer"},
                "image": {"registry": REGISTRY, "tag": TAG},
            },
        }
        (folder / "values.json").write_text(json.dumps(values))
        await cluster.helm("dependency", "update", str(folder / TRIAL.name))
        await cluster.helm(
            "install", "trial", str(folder / TRIAL.name), "--values", str(folder / "values.json"), "--wait",
            "--timeout", "600s",
        )  # fmt: skip
        browser = Browser(url, "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0")
        try:
            await browser.sign_in("ines@herald.example")
            assert "/auth/sign-out" in await browser.read("/me")
        finally:
            await browser.close()
        # Jobs begin again until Kafka is there.
        restarted = {
            pod["metadata"]["name"]: one["restartCount"]
            for pod in await cluster.get("pods", "!batch.kubernetes.io/job-name")
            for one in pod["status"].get("containerStatuses", ())
            if one["restartCount"]
        }
        assert restarted == {}
    except BaseException:
        await cluster.explain(RESULTS / "trial" / "explained")
        raise
    finally:
        await cluster.kubectl("delete", "namespace", cluster.namespace, "--timeout=240s", within=250)
