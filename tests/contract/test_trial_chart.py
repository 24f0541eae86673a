"""The trial chart: what Helm makes of it, with the chart of Herald inside."""

import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from herald.contracts.chart import CHART, TRIAL
from herald.development.gateway import GatewaySettings
from herald.development.issuer import is_local
from herald.operations.secrets import flaw
from tests.contract.test_compose import COMPOSE, IMAGE_SETS, variable
from tests.helm import NoHelm, run

pytestmark = pytest.mark.xdist_group("chart")
VALUES: dict[str, Any] = yaml.safe_load((TRIAL / "values.yaml").read_text())
SCHEMA: dict[str, Any] = json.loads((TRIAL / "values.schema.json").read_text())
SERVERS = ("kafka", "mongodb", "valkey")
Manifest = dict[str, Any]


def helm(verb: str, *options: str) -> "subprocess.CompletedProcess[str]":
    """The one command of the README, of a copy: Helm puts the other chart into it."""
    with TemporaryDirectory() as folder:
        for one in (CHART, TRIAL):
            shutil.copytree(one, Path(folder) / one.name, ignore=shutil.ignore_patterns("charts", "Chart.lock"))
        try:
            return run(verb, "herald-trial", str(Path(folder) / TRIAL.name), "--dependency-update", *options)
        except NoHelm as why:
            pytest.skip(str(why))


@cache
def rendered(*options: str) -> tuple[Manifest, ...]:
    ran = helm("template", "--namespace", "trial", *options)
    assert ran.returncode == 0, ran.stderr
    documents = ran.stdout.partition("---\n")[2]
    return tuple(one for one in yaml.load_all(documents, yaml.CSafeLoader) if one)


def of_kind(kind: str, *options: str) -> dict[str, Manifest]:
    return {one["metadata"]["name"]: one for one in rendered(*options) if one["kind"] == kind}


def refusals(values: dict[str, Any]) -> set[str]:
    return {".".join(map(str, error.absolute_path)) for error in Draft7Validator(SCHEMA).iter_errors(values)}


def test_its_values_hold_before_its_schema_and_wrong_ones_do_not() -> None:
    Draft7Validator.check_schema(SCHEMA)
    assert refusals(VALUES) == set()
    assert refusals({**VALUES, "kafkaa": {}}) == {""}
    assert refusals({**VALUES, "kafka": {**VALUES["kafka"], "user": "root"}}) == {"kafka.user"}
    other = {**VALUES["herald"], "kafka": {"bootstrap": "kafka.example.com:9092"}}
    assert refusals({**VALUES, "herald": other}) == {"herald.kafka.bootstrap"}


def test_the_chart_of_herald_takes_its_values() -> None:
    refused = helm("template", "--set", "herald.kafka.bootstrp=x")
    assert refused.returncode == 1
    assert "bootstrp" in refused.stderr


def test_another_issuer_is_refused_with_a_sentence() -> None:
    refused = helm("template", "--set", "herald.oidc.issuer=https://login.example.com")
    assert "herald.oidc.issuer must be http://herald.localhost:8080/issuer" in refused.stderr


def test_notes_say_loudly_what_it_is_for() -> None:
    said = helm("install", "--dry-run=client").stdout
    assert "FOR TRYING HERALD OUT, AND FOR NOTHING ELSE" in said
    assert "port-forward service/trial-front 8080:8080" in said


def test_servers_are_those_of_the_compose_file() -> None:
    pods = {name: one["spec"]["template"]["spec"]["containers"][0] for name, one in of_kind("StatefulSet").items()}
    assert pods.keys() == {f"trial-{one}" for one in SERVERS}
    composed = COMPOSE["services"]
    for name, other in (("kafka", "kafka"), ("mongodb", "mongo"), ("valkey", "valkey")):
        assert pods[f"trial-{name}"]["image"] == composed[other]["image"]
    own = {"KAFKA_ADVERTISED_LISTENERS", "KAFKA_LOG_DIRS", "KAFKA_HEAP_OPTS"}
    kafka = {one["name"]: one["value"] for one in pods["trial-kafka"]["env"] if one["name"] not in own}
    assert kafka.items() <= {name: str(value) for name, value in composed["kafka"]["environment"].items()}.items()
    assert set(composed["mongo"]["command"]) <= set(pods["trial-mongodb"]["args"])
    said = composed["mongo"]["healthcheck"]["test"][-1].replace("mongo:27017", "trial-mongodb:27017")
    assert pods["trial-mongodb"]["readinessProbe"]["exec"]["command"][-1].split() == said.split()


@pytest.mark.parametrize("persistent", [False, True])
def test_volumes_only_where_they_are_asked_for(persistent: bool) -> None:
    options = ("--set", "persistence.enabled=true") if persistent else ()
    for one in of_kind("StatefulSet", *options).values():
        assert ("volumeClaimTemplates" in one["spec"]) == persistent
        volumes = {volume["name"] for volume in one["spec"]["template"]["spec"]["volumes"]}
        assert ("data" in volumes) != persistent
    assert "herald-trial-sharing-links" in of_kind("Deployment"), "links need no volume"


def test_every_secret_that_a_pod_mounts_is_made() -> None:
    (secret,) = of_kind("Secret").values()
    for name, pod in pods().items():
        for volume in pod["volumes"]:
            for source in volume.get("projected", {}).get("sources", []):
                assert source["secret"]["name"] == secret["metadata"]["name"], name
                assert {item["key"] for item in source["secret"]["items"]} <= secret["data"].keys(), name
    decoded = {key: yaml.safe_load(f"!!binary {value}").decode() for key, value in secret["data"].items()}
    assert flaw("HERALD_SESSION_KEY", decoded["session-key"]) is None
    assert flaw("HERALD_VISITOR_KEY", decoded["visitor-key"]) is None
    assert decoded["issuer-key"].startswith("-----BEGIN")
    assert decoded["valkey-password"] in decoded["redis-url"]


def pods() -> dict[str, Any]:
    kinds = ("Deployment", "StatefulSet", "Job")
    return {one["metadata"]["name"]: one["spec"]["template"]["spec"] for one in rendered() if one["kind"] in kinds}


def test_the_front_is_the_gateway_with_the_issuer_under_the_name_that_browsers_and_pods_know() -> None:
    pod = pods()["trial-front"]
    (container,) = pod["containers"]
    environment = {one["name"]: one["value"] for one in container["env"]}
    given = environment.keys() | {"HERALD_HUB_CLIENT_SECRET"}
    fields = GatewaySettings.model_fields.items()
    assert {variable(name, one) for name, one in fields if one.is_required()} - IMAGE_SETS <= given
    services = of_kind("Service")
    upstreams = {name: value for name, value in environment.items() if name.endswith("_UPSTREAM")}
    assert len(upstreams) == 7
    assert {re.sub(r"http://(.+):8080", r"\1", one) for one in upstreams.values()} <= services.keys()
    assert f"{pod['hostname']}.{pod['subdomain']}" == "herald.localhost"
    named = services[pod["subdomain"]]["spec"]
    assert named["clusterIP"] == "None"
    assert named["selector"].items() <= of_kind("Deployment")["trial-front"]["spec"]["selector"]["matchLabels"].items()
    assert is_local(VALUES["herald"]["publicUrl"])


def test_whole_numbers_are_written_as_such() -> None:
    """Helm takes those of another chart for floating point."""
    links = pods()["herald-trial-sharing-links"]["containers"][0]
    assert {"name": "HERALD_SPOOL_BYTES", "value": "33554432"} in links["env"]
    values = [one.get("value", "") for pod in pods().values() for one in pod["containers"][0].get("env", ())]
    assert not [value for value in values if re.fullmatch(r"[\d.]+e[+-]\d+", value)]


def test_all_of_it_fits_on_two_cores() -> None:
    wanted = [pod["containers"][0]["resources"]["requests"]["cpu"] for pod in pods().values()]
    assert all(one.endswith("m") for one in wanted)
    assert sum(int(one.removesuffix("m")) for one in wanted) < 1500


def test_policies_let_the_parts_reach_each_other() -> None:
    policies = of_kind("NetworkPolicy")
    front = of_kind("Deployment")["trial-front"]["spec"]["template"]["metadata"]["labels"]
    for role in ("hub-api", "program-api", "sharing-links"):
        peers = [peer for rule in policies[f"herald-trial-{role}"]["spec"]["ingress"] for peer in rule["from"]]
        assert any(peer["podSelector"]["matchLabels"].items() <= front.items() for peer in peers)
    ports = {port["port"] for rule in policies["herald-trial-hub-api"]["spec"]["egress"] for port in rule["ports"]}
    assert {8080, 27017, 6379} <= ports
    closed = policies["herald-trial"]["spec"]["podSelector"]["matchLabels"]
    assert not closed.items() <= front.items(), "nobody could reach the front"


def test_pods_hold_before_the_restricted_standard() -> None:
    for pod in pods().values():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        for container in pod["containers"]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
