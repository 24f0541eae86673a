"""The chart on a cluster: ready, restricted, closed by its policies."""

from __future__ import annotations

import json

import pytest

from tests.kubernetes.cluster import Cluster, Failed, Manifest
from tests.kubernetes.expected import ROLES, differences
from tests.kubernetes.installed import COMPONENT, REPLICAS, Installation
from tests.kubernetes.policies import Place

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_every_role_is_ready(herald: Installation) -> None:
    assert await herald.unready() == []
    pods = await herald.pods()
    roles = {pod["metadata"]["labels"][COMPONENT] for pod in pods}
    assert roles == ROLES
    assert len(pods) == REPLICAS * len(ROLES)
    assert await herald.restarts() == {}


def _pod_of(workload: Manifest) -> Manifest:
    """A pod as its template says, but for the account, which is not there in another namespace."""
    template = workload["spec"]["template"]["spec"]
    spec = {key: value for key, value in template.items() if not key.startswith("serviceAccount")}
    claims = [one["metadata"]["name"] for one in workload["spec"].get("volumeClaimTemplates", ())]
    spec["volumes"] += [{"name": one, "persistentVolumeClaim": {"claimName": one}} for one in claims]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": workload["metadata"]["name"]}, "spec": spec}


async def test_pods_run_as_the_restricted_standard_wants(herald: Installation) -> None:
    """As the API server judges them where that standard is enforced; nothing is made there."""
    cluster = Cluster(f"{herald.cluster.namespace}-restricted")
    label = {"pod-security.kubernetes.io/enforce": "restricted"}
    metadata = {"name": cluster.namespace, "labels": label}
    await herald.cluster.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}])
    try:
        await cluster.kubectl("wait", "serviceaccount/default", "--for=create", "--timeout=30s")
        pods = [_pod_of(one) for one in await herald.workloads()]
        for pod in pods:
            await cluster.kubectl("create", "--dry-run=server", "--filename", "-", given=json.dumps(pod))
        pods[0]["spec"]["containers"][0]["securityContext"] = {}
        with pytest.raises(Failed, match="violates PodSecurity"):
            await cluster.kubectl("create", "--dry-run=server", "--filename", "-", given=json.dumps(pods[0]))
    finally:
        await cluster.kubectl("delete", "namespace", cluster.namespace, "--wait=false")


async def test_an_update_without_a_change_replaces_no_pod(herald: Installation) -> None:
    before = {pod["metadata"]["uid"] for pod in await herald.pods()}
    await herald.install()
    assert {pod["metadata"]["uid"] for pod in await herald.pods()} == before


async def test_the_policies_let_through_what_is_needed_and_no_more(herald: Installation) -> None:
    """By evaluation, as not every network enforces them: pods, labels and policies as the cluster has them."""
    policies = await herald.cluster.get("networkpolicies")
    places = {}
    own = herald.cluster.namespace
    for pod in await herald.cluster.get("pods"):
        labels = pod["metadata"].get("labels", {})
        name = labels.get(COMPONENT) or labels.get("app") or pod["metadata"]["name"]
        ports = {port["name"]: port["containerPort"] for port in pod["spec"]["containers"][0].get("ports", ())}
        here = {"kubernetes.io/metadata.name": own}
        places[name] = Place(name, own, labels, here, pod["status"].get("podIP", ""), ports)
    assert differences(policies, places, own, kafka=9094, issuer=8080) == []
