"""What the chart's network policies let through, evaluated as Kubernetes defines them on what Helm renders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helm import NoHelm, run
from tests.kubernetes.expected import differences
from tests.kubernetes.policies import Place

CHART = Path(__file__).parents[2] / "deploy/helm/herald"
APPS = ("front", "kafka", "mongo", "valkey")
PEERS = {name: [{"podSelector": {"matchLabels": {"app": name}}}] for name in APPS}
VALUES = {
    "networkPolicy": {
        "frontFrom": PEERS["front"],
        "egress": {
            "kafka": {"to": PEERS["kafka"], "ports": [9094]},
            "mongodb": {"to": PEERS["mongo"]},
            "redis": {"to": PEERS["valkey"], "ports": [6379]},
            "issuer": {"to": PEERS["front"], "ports": [8080]},
            "smtp": {"to": [{"ipBlock": {"cidr": "10.9.9.9/32"}}], "ports": [25]},
        },
    }
}


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    file = tmp_path_factory.mktemp("chart") / "values.json"
    file.write_text(json.dumps(VALUES))
    arguments = ("--namespace", "here", "--values", str(CHART / "ci/minimal.yaml"), "--values", str(file))
    try:
        made = run("template", "herald", str(CHART), *arguments)
    except NoHelm as reason:
        pytest.skip(str(reason))
    assert made.returncode == 0, made.stderr
    return [one for one in yaml.safe_load_all(made.stdout) if one]


def places(rendered: list[dict[str, Any]]) -> dict[str, Place]:
    here = {"kubernetes.io/metadata.name": "here"}
    found = {name: Place(name, "here", {"app": name}, here, "10.2.2.2") for name in APPS}
    for one in rendered:
        if one["kind"] in ("Deployment", "StatefulSet"):
            pod = one["spec"]["template"]
            labels = pod["metadata"]["labels"]
            name = labels["app.kubernetes.io/component"]
            ports = {port["name"]: port["containerPort"] for port in pod["spec"]["containers"][0]["ports"]}
            found[name] = Place(name, "here", labels, here, "10.2.2.3", ports)
    return found


def policies(rendered: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in rendered if one["kind"] == "NetworkPolicy"]


def test_what_is_needed_goes_through_and_nothing_else(rendered: list[dict[str, Any]]) -> None:
    assert differences(policies(rendered), places(rendered), "here", kafka=9094, issuer=8080) == []


def test_a_policy_that_is_missing_would_be_seen(rendered: list[dict[str, Any]]) -> None:
    there = policies(rendered)
    for gone in there:
        name = gone["metadata"]["name"]
        if name in ("herald", "herald-jobs") or "drain" in name:  # their pods are not looked at
            continue
        left = [one for one in there if one is not gone]
        assert differences(left, places(rendered), "here", kafka=9094, issuer=8080), name
