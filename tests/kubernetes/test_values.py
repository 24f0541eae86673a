"""Every set of values, as the API server judges it; nothing is made."""

from __future__ import annotations

import json
import secrets

import pytest
import yaml

from tests.helm import run as helm
from tests.kubernetes.cluster import Cluster, Manifest
from tests.kubernetes.installed import CHART

pytestmark = pytest.mark.asyncio(loop_scope="session")
NOT_HERE = ("serviceAccountName", "priorityClassName")
SETS = sorted(path.stem for path in (CHART / "ci").glob("*.yaml"))


async def kinds(cluster: Cluster) -> set[tuple[str, str]]:
    """What the server knows: version with group, and kind."""
    lines = (await cluster.kubectl("api-resources", "--no-headers")).splitlines()
    return {(line.split()[-3], line.split()[-1]) for line in lines}


def _here(one: Manifest, cluster: Cluster) -> Manifest:
    """In this namespace; a pod without its account and its priority class, which are not there."""
    one["metadata"]["namespace"] = cluster.namespace
    if one["kind"] == "Pod":
        one["spec"] = {key: value for key, value in one["spec"].items() if key not in NOT_HERE}
    return one


@pytest.mark.parametrize("name", SETS)
async def test_the_api_server_takes_every_object(name: str) -> None:
    """Unknown fields are refused. Kinds of a CRD that is not there are left out, and the test is skipped then."""
    cluster = Cluster(f"herald-values-{secrets.token_hex(3)}")
    ran = helm("template", "herald", str(CHART), "--namespace", cluster.namespace, "-f", str(CHART / f"ci/{name}.yaml"))
    assert ran.returncode == 0, ran.stderr
    objects: list[Manifest] = [one for one in yaml.load_all(ran.stdout, yaml.CSafeLoader) if one]
    await cluster.kubectl("create", "namespace", cluster.namespace)
    try:
        known = await kinds(cluster)
        unknown = {(one["apiVersion"], one["kind"]) for one in objects} - known
        judged = [_here(one, cluster) for one in objects if (one["apiVersion"], one["kind"]) not in unknown]
        whole = json.dumps({"apiVersion": "v1", "kind": "List", "items": judged})
        said = await cluster.kubectl(
            "create", "--dry-run=server", "--validate=strict", "-f", "-", given=whole, within=300
        )
        assert len(said.splitlines()) == len(judged)
    finally:
        await cluster.kubectl("delete", "namespace", cluster.namespace, "--wait=false")
    if unknown:
        pytest.skip(f"all others are right, but this cluster has no {sorted(kind for _, kind in unknown)}")
