"""The chart on a cluster: ready, restricted, closed by its policies."""

from __future__ import annotations

import pytest

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


async def test_pods_run_as_the_restricted_standard_wants(herald: Installation) -> None:
    """What the API server itself says of the namespace under that standard."""
    said = await herald.cluster.kubectl(
        "label", "--dry-run=server", "--overwrite", "namespace", herald.cluster.namespace,
        "pod-security.kubernetes.io/enforce=restricted",
    )  # fmt: skip
    assert "herald-" not in said.replace(herald.cluster.namespace, ""), said


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
        labels = pod["metadata"]["labels"] or {}
        name = labels.get(COMPONENT) or labels.get("app") or pod["metadata"]["name"]
        ports = {port["name"]: port["containerPort"] for port in pod["spec"]["containers"][0].get("ports", ())}
        here = {"kubernetes.io/metadata.name": own}
        places[name] = Place(name, own, labels, here, pod["status"].get("podIP", ""), ports)
    assert differences(policies, places, own, kafka=9094, issuer=8080) == []
