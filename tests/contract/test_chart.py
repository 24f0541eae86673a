"""The chart: its values before its schema, its variables before the settings classes and the Compose file, and what
Helm makes of each set of values in `ci`."""

import importlib
import json
import re
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator
from pydantic_settings import BaseSettings
from typer.testing import CliRunner

from chassis.config_files import DIRECTORIES
from chassis.settings import Settings
from herald.cli.secrets import app as secrets_app
from herald.contracts import chart
from herald.local.plan import names
from herald.operations.gone_links import Start, filled_in
from herald.operations.recover import OWNERS
from herald.operations.secrets import SECRETS
from herald.operations.topics import load_topics
from tests.contract.test_compose import IMAGE_SETS, OURS, variable
from tests.helm import KUBERNETES, NoHelm, run, validator

CHART = chart.CHART
SETS = sorted(path.stem for path in (CHART / "ci").glob("*.yaml"))
VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
HELPERS = (CHART / "templates/_helpers.tpl").read_text()
SERVICES = tuple(VALUES["services"])
INSTALLED = "HERALD_INSTALLED_VERSION"
EXAMPLES = CHART / "examples"
WORKLOADS = ("Deployment", "StatefulSet", "Job")
Manifest = dict[str, Any]


def over(base: Any, more: Any) -> Any:
    """Values laid over others, as Helm does it."""
    if isinstance(base, dict) and isinstance(more, dict):
        return {key: over(base.get(key), more[key]) if key in more else base[key] for key in base | more}
    return deepcopy(more)


def values_of(name: str) -> dict[str, Any]:
    merged: dict[str, Any] = over(VALUES, yaml.safe_load((CHART / "ci" / f"{name}.yaml").read_text()))
    return merged


@cache
def settings_class(service: str) -> type[BaseSettings]:
    """The class of `services/<service>/settings.py`: importing the whole service takes longer than all of this."""
    module = importlib.import_module(f"services.{service}.settings")
    (found,) = (one for one in vars(module).values() if isinstance(one, type) and one.__module__ == module.__name__)
    assert issubclass(found, Settings)
    return found


def variables(cls: type[BaseSettings], *, required: bool = False) -> set[str]:
    fields = cls.model_fields.items()
    return {variable(field, info) for field, info in fields if not required or info.is_required()}


# --- without Helm -----------------------------------------------------------------------------------------------


def refusals(values: dict[str, Any]) -> list[str]:
    return [
        ".".join(map(str, error.absolute_path)) + ": " + error.message
        for error in Draft7Validator(SCHEMA).iter_errors(values)
    ]


def test_the_schema_is_one() -> None:
    Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", SETS)
def test_each_set_of_values_holds_before_the_schema(name: str) -> None:
    assert refusals(values_of(name)) == []


def test_what_is_required_has_no_default() -> None:
    refused = {one.split(":")[0] for one in refusals(VALUES)}
    assert refused == {"publicUrl", "trustedProxies", "oidc.issuer", "kafka.bootstrap", "secrets.existingSecret"}


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"kafka": {"bootstrp": "k:1"}}, "kafka"),
        ({"grace": "soon"}, "grace"),
        ({"publicUrl": "https://herald.example.com/"}, "publicUrl"),
        ({"kafka": {"securityProtocol": "SASL_SSL"}}, "kafka.username"),
        ({"kafka": {"securityProtocol": "SASL_SSL", "saslMechanism": "OAUTHBEARER"}}, "kafka.oauth.url"),
        ({"kafka": {"clientCertificate": {"existingSecret": "user"}}}, "kafka.securityProtocol"),
        ({"image": {"digests": {"hub": "latest"}}}, "image.digests.hub"),
        ({"services": {"hub": {"roles": {"api": {"replica": 3}}}}}, "services.hub.roles.api"),
        ({"services": {"hub": {"roles": {"api": {"reaches": ["mongo"]}}}}}, "services.hub.roles.api.reaches.0"),
        ({"settings": {"PATH": "/"}}, "settings"),
        ({"gateway": {"enabled": True}}, "gateway.parentRefs"),
        ({"strimzi": {"enabled": True}}, "strimzi.cluster"),
        ({"smtp": {"host": "mail.example.com"}}, "smtp.from"),
        ({"imap": {"host": "mail.example.com"}}, "imap.username"),
    ],
)
def test_a_wrong_value_or_an_unknown_key_is_refused(wrong: dict[str, Any], where: str) -> None:
    assert where in {one.split(":")[0] for one in refusals(over(values_of("minimal"), wrong))}


def objects(schema: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object of the schema that lists its properties with their kinds."""
    if isinstance(schema, dict):
        if schema.get("type") == "object" and "properties" in schema:
            yield place, schema
        for key, value in schema.items():
            if key not in ("if", "then"):
                yield from objects(value, f"{place}/{key}")
    elif isinstance(schema, list):
        for number, value in enumerate(schema):
            yield from objects(value, f"{place}/{number}")


def test_no_object_of_the_schema_takes_unknown_keys() -> None:
    found = dict(objects(SCHEMA))
    assert len(found) > 30
    assert [place for place, one in found.items() if one.get("additionalProperties") is not False] == []


def test_every_value_is_described() -> None:
    """On its own, or by the description of what it is part of."""
    described = {path for path, _ in chart.described((CHART / "values.yaml").read_text())}
    found = [("services",), ("secrets", "entries")]

    def leaves(values: Any, path: tuple[str, ...]) -> None:
        for key, value in values.items():
            here = (*path, key)
            if here in described or here in found:
                continue
            assert isinstance(value, dict), f"{'.'.join(here)} is not described in values.yaml"
            assert value, f"{'.'.join(here)} is not described in values.yaml"
            if not any(here[:end] in described for end in range(1, len(here))):
                leaves(value, here)

    leaves(VALUES, ())


def test_the_generated_files_are_fresh() -> None:
    assert chart.stale() == []


def set_by_the_chart(service: str) -> set[str]:
    """Every variable that the templates can set for a service, and its secrets."""
    entries, row = VALUES["secrets"]["entries"], VALUES["services"][service]
    block = HELPERS[HELPERS.index('define "herald.environment"') : HELPERS.index('define "herald.secretVolume"')]
    program = block.index('eq .service "program"')
    hub = block.index(".settings.callsApis")
    spool = block.index(".settings.spool")
    parts = {"": block[:program], "program": block[program:hub], "hub": block[hub:spool], "sharing": block[spool:]}
    found = set(re.findall(r'"((?:HERALD|OTEL)_[A-Z_]+)"', parts[""] + parts.get(service, "")))
    found |= VALUES["settings"].keys() | row["settings"].keys()
    if service == "hub":
        found |= {f"HERALD_{name.upper()}_URL" for name in SERVICES if name != "hub"}
    secrets = ["mongoUrl", "redisUrl", "kafkaPassword", "kafkaClientSecret", *row["secrets"]]
    if service == "program":
        secrets += ["smtpPassword", "dkimKey", "imapPassword", "recruitingSecrets"]
    return found | {entries[name]["variable"] for name in secrets}


@pytest.mark.parametrize("service", SERVICES)
def test_chart_compose_file_and_settings_agree(service: str) -> None:
    cls = settings_class(service)
    given = set_by_the_chart(service) - {DIRECTORIES}
    assert given - variables(cls) == set(), "no service reads them"
    assert variables(cls, required=True) - given - IMAGE_SETS == set(), "they are required, and the chart gives none"
    composed = {
        key for name, one in OURS.items() if one["command"][:2] == ["run", service] for key in one["environment"]
    }
    assert composed
    assert composed - given == set(), "the Compose file sets them, and the chart cannot"


def test_every_role_is_a_row_of_the_table() -> None:
    rows = {(service, role) for service, row in VALUES["services"].items() for role in row["roles"]}
    assert rows == {one for one in names(split=True).values() if one[0] != "gateway"}


def test_the_secrets_of_the_chart_are_those_of_the_command() -> None:
    entries = VALUES["secrets"]["entries"].values()
    assert {(one["key"], one["variable"]) for one in entries} == {(one.key, one.variable) for one in SECRETS}
    needed = {secret: service for service, row in VALUES["services"].items() for secret in row["secrets"]}
    read_by = {one.variable: one.read_by for one in SECRETS if not one.optional and one.read_by != "all"}
    assert {VALUES["secrets"]["entries"][name]["variable"]: service for name, service in needed.items()} == read_by


def test_secrets_are_made_once_and_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "secret.yaml"
    for one in SECRETS:
        monkeypatch.delenv(one.variable, raising=False)
    lacking = CliRunner().invoke(secrets_app, ["init", "--out", str(out)])
    assert (lacking.exit_code, out.exists()) == (2, False)
    assert "set HERALD_MONGO_URL: MongoDB's address" in lacking.output
    assert "HERALD_KAFKA_PASSWORD" not in lacking.output
    for name in ("MONGO_URL", "REDIS_URL", "HUB_CLIENT_SECRET"):
        monkeypatch.setenv(f"HERALD_{name}", f"the {name}")
    assert CliRunner().invoke(secrets_app, ["init", "--out", str(out), "--name", "own"]).exit_code == 0
    secret = yaml.safe_load(out.read_text())
    assert (secret["kind"], secret["metadata"], out.stat().st_mode & 0o077) == ("Secret", {"name": "own"}, 0)
    assert secret["stringData"].keys() == {one.key for one in SECRETS if not one.optional}
    assert len({secret["stringData"][key] for key in ("session-key", "visitor-key")}) == 2
    again = CliRunner().invoke(secrets_app, ["init", "--out", str(out)])
    assert (again.exit_code, yaml.safe_load(out.read_text())) == (1, secret)


# --- what Helm makes of it ----------------------------------------------------------------------------------------

pytestmark = pytest.mark.xdist_group("chart")


@cache
def rendered(name: str, *more: str) -> tuple[Manifest, ...]:
    values = str(CHART / f"ci/{name}.yaml")
    try:
        ran = run("template", "herald", str(CHART), "--namespace", "herald", "--values", values, *more)
    except NoHelm as why:
        pytest.skip(str(why))
    assert ran.returncode == 0, ran.stderr
    return tuple(one for one in yaml.load_all(ran.stdout, yaml.CSafeLoader) if one)


@pytest.mark.parametrize(("mode", "arguments"), [("look", []), ("go", ["--go"])])
def test_a_restore_has_a_job_of_each_owner_and_a_release_has_none(mode: str, arguments: list[str]) -> None:
    file = "templates/recover.yaml"
    assert not any("recover" in one["metadata"]["name"] for name in SETS for one in rendered(name))
    jobs = deepcopy(rendered("everything", "--set", f"jobs.recover={mode}", "--show-only", file))
    made = {one["metadata"]["name"]: one for one in jobs}
    assert made.keys() == {f"herald-recover-{owner}" for owner in OWNERS}
    for owner in OWNERS:
        pod = pod_of(made[f"herald-recover-{owner}"])
        assert pod["containers"][0].pop("args") == ["recover", owner, *arguments]
        prepare = deepcopy(pod_of(workloads("everything")[f"herald-prepare-{owner}"]))
        del prepare["containers"][0]["args"]
        assert pod == prepare, "connected as Herald is"


def workloads(name: str) -> dict[str, Manifest]:
    return {one["metadata"]["name"]: one for one in rendered(name) if one["kind"] in WORKLOADS}


def of_kind(name: str, kind: str) -> dict[str, Manifest]:
    return {one["metadata"]["name"]: one for one in rendered(name) if one["kind"] == kind}


def pod_of(workload: Manifest) -> dict[str, Any]:
    spec: dict[str, Any] = workload["spec"]["template"]["spec"]
    return spec


def given_to(pod: dict[str, Any]) -> set[str]:
    """Variables of the container, and the files that become some."""
    sources = next(volume for volume in pod["volumes"] if volume["name"] == "herald")["projected"]["sources"]
    files = [item["path"] for source in sources for item in source["secret"]["items"]]
    from_files = {path.removeprefix("variables/") for path in files if path.startswith("variables/")}
    return from_files | {one["name"] for one in pod["containers"][0]["env"]}


@pytest.mark.parametrize("name", SETS)
def test_kubernetes_takes_every_object(name: str) -> None:
    """By the strict schemas of its own API servers; kinds of others (KEDA, Strimzi, Gateway API) have none here.

    All objects of one set; of others and of the older server, which differ little, one of each kind.
    """
    problems = []
    for version in KUBERNETES if name == "everything" else KUBERNETES[-1:]:
        whole = name == "everything" and version == KUBERNETES[-1]
        for one in rendered(name) if whole else {one["kind"]: one for one in rendered(name)}.values():
            try:
                schema = validator(version, one["apiVersion"], one["kind"])
            except NoHelm as why:
                pytest.skip(str(why))
            where = f"{version} {one['kind']} {one['metadata']['name']}"
            if schema is None:
                assert "." in one["apiVersion"], where
                assert not one["apiVersion"].split("/")[0].endswith("k8s.io") or "gateway" in one["apiVersion"], where
                continue
            problems += [f"{where} {error.json_path}: {error.message}" for error in schema.iter_errors(one)]
    assert problems == []


def test_kubernetes_would_not_take_a_key_that_it_does_not_know() -> None:
    broken = deepcopy(next(one for one in rendered("minimal") if one["kind"] == "StatefulSet"))
    broken["spec"]["template"]["spec"]["terminationGraceSeconds"] = 5
    schema = validator(KUBERNETES[0], broken["apiVersion"], broken["kind"])
    assert schema is not None
    assert [error.validator for error in schema.iter_errors(broken)] == ["additionalProperties"]


def test_alerts_and_dashboards_are_those_of_deploy() -> None:
    rules = of_kind("everything", "PrometheusRule")
    sources = [path for path in chart.DEPLOY.glob("alerts/*.yaml") if not path.name.endswith(".test.yaml")]
    assert sources
    for path in sources:
        text = path.read_text().replace(" docs/runbooks/", " https://wiki.example.com/herald/runbooks/")
        assert rules[f"herald-{path.stem}"]["spec"] == yaml.safe_load(text)
    boards = {name: one["data"] for name, one in of_kind("everything", "ConfigMap").items() if "-dashboard-" in name}
    assert boards == {
        f"herald-dashboard-{path.stem}": {f"herald-{path.name}": path.read_text()}
        for path in chart.DEPLOY.glob("dashboards/*.json")
    }
    (monitor,) = of_kind("everything", "ServiceMonitor").values()
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["honorLabels"] is True, "the service that a process names is not overwritten"


def test_lint_finds_nothing() -> None:
    for name in SETS:
        try:
            ran = run("lint", "--strict", str(CHART), "--values", str(CHART / f"ci/{name}.yaml"))
        except NoHelm as why:
            pytest.skip(str(why))
        assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("name", SETS)
def test_the_rendered_examples_are_fresh(name: str) -> None:
    """Without alerts and dashboards, which are in `deploy` for everybody to read."""
    path = EXAMPLES / f"{name}.yaml"
    wanted = [
        one
        for one in rendered(name)
        if one["kind"] != "PrometheusRule" and "-dashboard-" not in one["metadata"]["name"]
    ]
    there = list(yaml.load_all(path.read_text(), yaml.CSafeLoader)) if path.exists() else []
    assert there == wanted, "run python -m tests.helm"


@pytest.mark.parametrize("name", SETS)
def test_every_variable_is_read_and_none_is_missing(name: str) -> None:
    problems = []
    for one, workload in workloads(name).items():
        given = given_to(pod_of(workload)) - {DIRECTORIES}
        verb, *rest = pod_of(workload)["containers"][0]["args"]
        of_service = verb in ("run", "prepare")
        cls = settings_class(rest[0]) if of_service else settings_class("program")
        looks = {INSTALLED, *(secret.variable for secret in SECRETS)}
        read = variables(cls) | (looks if verb == "preflight" else set())
        required = variables(cls if of_service else Settings, required=True) - IMAGE_SETS
        problems += [(one, each, "is not read") for each in given - read]
        problems += [(one, each, "is missing") for each in required - given]
    assert problems == []


@pytest.mark.parametrize("name", SETS)
def test_every_file_that_a_variable_names_is_mounted(name: str) -> None:
    for workload in workloads(name).values():
        pod = pod_of(workload)
        sources = next(volume for volume in pod["volumes"] if volume["name"] == "herald")["projected"]["sources"]
        mounted = {f"/etc/herald/{item['path']}" for source in sources for item in source["secret"]["items"]}
        named = {one["value"] for one in pod["containers"][0]["env"] if one["name"].endswith("_FILE")}
        assert named <= mounted


@pytest.mark.parametrize("name", SETS)
def test_pods_hold_before_the_restricted_standard(name: str) -> None:
    """https://kubernetes.io/docs/concepts/security/pod-security-standards, and no fixed user, and no token."""
    for workload in workloads(name).values():
        pod = pod_of(workload)
        security = pod["securityContext"]
        assert pod["automountServiceAccountToken"] is False
        assert security["runAsNonRoot"] is True
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"runAsUser", "runAsGroup", "supplementalGroups"} & security.keys()
        assert ("fsGroup" in security) == (workload["kind"] == "StatefulSet" and name != "openshift")
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
        assert all(volume.keys() & {"projected", "emptyDir", "configMap"} for volume in pod["volumes"])
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}
            assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize("name", SETS)
def test_no_secret_is_in_the_environment(name: str) -> None:
    secret = {one.variable for one in SECRETS}
    for workload in workloads(name).values():
        environment = {one["name"] for one in pod_of(workload)["containers"][0]["env"]}
        assert environment & secret == set()


@pytest.mark.parametrize("name", SETS)
def test_what_an_autoscaler_scales_has_no_replicas(name: str) -> None:
    targets = {
        one["spec"]["scaleTargetRef"]["name"]: one for one in rendered(name) if "scaleTargetRef" in one.get("spec", {})
    }
    roles = {one: each for one, each in workloads(name).items() if each["kind"] != "Job"}
    assert targets.keys() <= roles.keys()
    assert bool(targets) == (name in ("everything", "openshift"))
    for one, workload in roles.items():
        assert ("replicas" in workload["spec"]) == (one not in targets), one


@pytest.mark.parametrize("name", SETS)
def test_pods_have_the_time_to_drain_and_to_end(name: str) -> None:
    values = values_of(name)
    for workload in workloads(name).values():
        if workload["kind"] == "Job":
            continue
        pod = pod_of(workload)
        (container,) = pod["containers"]
        drain = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        grace = next(float(one["value"]) for one in container["env"] if one["name"] == "HERALD_GRACE")
        assert (drain, grace) == (values["drainSeconds"], values["grace"])
        spool = [float(one["value"]) for one in container["env"] if one["name"] == "HERALD_SPOOL_GRACE"]
        assert bool(spool) == (workload["kind"] == "StatefulSet")
        assert pod["terminationGracePeriodSeconds"] > drain + grace + sum(spool)
        ready = container["readinessProbe"]
        assert (
            container["livenessProbe"]["httpGet"]["path"]
            == container["startupProbe"]["httpGet"]["path"]
            == "/health/live"
        )
        assert ready["httpGet"]["path"] == "/health/ready"
        assert ready["timeoutSeconds"] > 3.0, "the chassis asks MongoDB for up to three seconds"


def test_budgets_scaler_and_services_select_the_pods_of_their_role() -> None:
    roles = {one: each for one, each in workloads("everything").items() if each["kind"] != "Job"}
    for kind in ("PodDisruptionBudget", "Service", "NetworkPolicy"):
        for one, each in of_kind("everything", kind).items():
            spec = each["spec"]
            selector = spec.get("podSelector", spec.get("selector", {}))
            wanted = selector.get("matchLabels", selector if kind == "Service" else {})
            if one in roles:
                labels = roles[one]["spec"]["template"]["metadata"]["labels"]
                assert wanted.items() <= labels.items()
                assert wanted["app.kubernetes.io/component"] == labels["app.kubernetes.io/component"]


@pytest.mark.parametrize("name", SETS)
def test_the_front_leads_to_services_that_are_there_and_hides_what_is_inside(name: str) -> None:
    services = of_kind(name, "Service")
    routes = [
        (path["path"], path["backend"]["service"]["name"])
        for ingress in of_kind(name, "Ingress").values()
        for path in ingress["spec"]["rules"][0]["http"]["paths"]
    ] + [
        (rule["matches"][0]["path"]["value"], rule["backendRefs"][0]["name"])
        for route in of_kind(name, "HTTPRoute").values()
        for rule in route["spec"]["rules"]
    ]
    assert bool(routes) == (name != "minimal")
    assert {service for _, service in routes} <= services.keys()
    led = dict(routes)
    for hidden in ("/health", "/metrics"):
        assert not routes or "selector" not in services[led[hidden]]["spec"]
    assert not routes or {"/", "/l", "/api/program", "/api/sharing", "/api/content", "/api/metrics"} <= led.keys()


def allowed(name: str, role: str) -> tuple[set[str], set[int]]:
    """Roles of Herald that may reach a role, and the ports that it may reach."""
    policy = of_kind(name, "NetworkPolicy")[f"herald-{role}"]["spec"]
    peers = [peer for rule in policy.get("ingress", []) for peer in rule["from"] if "namespaceSelector" not in peer]
    ports = {port["port"] for rule in policy["egress"] for port in rule["ports"]}
    return {peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"] for peer in peers}, ports


@pytest.mark.parametrize("name", SETS)
def test_a_role_is_reached_by_whom_it_must_and_reaches_what_it_needs(name: str) -> None:
    assert of_kind(name, "NetworkPolicy")["herald"]["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert allowed(name, "program-api")[0] == {"hub-api"}
    assert allowed(name, "program-worker")[0] == set()
    assert allowed(name, "sharing-links")[0] == set()
    by_token = values_of(name)["kafka"]["saslMechanism"] == "OAUTHBEARER"
    assert (443 in allowed(name, "sharing-links")[1]) == by_token, "the endpoint that gives tokens for Kafka"
    assert 9092 not in allowed(name, "hub-api")[1]
    assert {27017, 6379} <= allowed(name, "metrics-worker")[1]


def test_workers_scale_on_the_lag_of_what_they_consume() -> None:
    topics = {one.name: one for one in load_topics()}
    for name, prefix in (("everything", "acme."), ("openshift", "")):
        for scaled in of_kind(name, "ScaledObject").values():
            service = scaled["metadata"]["name"].split("-")[1]
            triggers = [one["metadata"] for one in scaled["spec"]["triggers"]]
            consumed = {one.name for one in topics.values() if service in {each.group for each in one.consumers}}
            assert {one["topic"].removeprefix(prefix) for one in triggers} == consumed
            assert {one["consumerGroup"] for one in triggers} == {f"{prefix}{service}"}
            most = max(topics[one].partitions for one in consumed)
            assert scaled["spec"]["maxReplicaCount"] <= most


def test_a_user_of_kafka_writes_what_its_service_owns_and_nothing_else() -> None:
    for topic in load_topics():
        for name, user in of_kind("everything", "KafkaUser").items():
            service = name.removeprefix("herald-")
            rights = {acl["resource"]["name"]: set(acl["operations"]) for acl in user["spec"]["authorization"]["acls"]}
            given = rights.get(f"acme.{topic.name}", set())
            assert ("Write" in given) == (topic.owner == service)
            reads = service in {one.group for one in topic.consumers} or topic.name == f"herald.deadletters.{service}"
            assert ("Read" in given) == reads
    made = {name: one["spec"] for name, one in of_kind("everything", "KafkaTopic").items()}
    assert {name: (one["partitions"], one["config"]) for name, one in made.items()} == {
        f"acme.{topic.name}": (topic.partitions, topic.config) for topic in load_topics()
    }


@pytest.mark.parametrize(("name", "hook"), [("minimal", "helm.sh/hook"), ("argocd", "argocd.argoproj.io/hook")])
def test_jobs_come_first_the_look_before_the_topics(name: str, hook: str) -> None:
    jobs = of_kind(name, "Job")
    weight = "helm.sh/hook-weight" if hook.startswith("helm") else "argocd.argoproj.io/sync-wave"
    assert {one["metadata"]["annotations"][hook] for one in jobs.values()} == (
        {"pre-install,pre-upgrade"} if hook.startswith("helm") else {"PreSync"}
    )
    weights = {one: int(each["metadata"]["annotations"][weight]) for one, each in jobs.items()}
    prepare = {weights.pop(f"herald-prepare-{service}") for service in SERVICES}
    assert weights["herald-preflight"] < weights["herald-topics"] < min(prepare) <= max(prepare) < 0
    needs = [one for one in pod_of(jobs["herald-preflight"])["containers"][0]["args"] if one.startswith("--need=")]
    assert "--need=HERALD_SESSION_KEY=Secret herald, key session-key," in needs
    sources = pod_of(jobs["herald-preflight"])["volumes"][0]["projected"]["sources"]
    assert all(source["secret"]["optional"] for source in sources), "a missing key is for the look to name"


@pytest.mark.parametrize("name", SETS)
def test_claims_of_links_that_are_gone_are_drained_with_no_more_rights_than_that_takes(name: str) -> None:
    (cron,) = of_kind(name, "CronJob").values()
    pod = cron["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (links,) = (one for one in workloads(name).values() if one["kind"] == "StatefulSet")
    args = pod["containers"][0]["args"]
    assert args[:4] == ["links", "drain-gone", "--stateful-set", links["metadata"]["name"]]
    selector = dict(one.split("=") for one in args[args.index("--selector") + 1].split(","))
    assert selector.items() <= links["spec"]["template"]["metadata"]["labels"].items()
    assert selector.items() <= links["spec"]["volumeClaimTemplates"][0]["metadata"]["labels"].items()
    assert links["spec"]["volumeClaimTemplates"][0]["metadata"]["name"] == "spool"
    (config,) = (one for one in of_kind(name, "ConfigMap").values() if "job.json" in one["data"])
    assert {"name": config["metadata"]["name"]} in [volume.get("configMap") for volume in pod["volumes"]]
    (role,) = of_kind(name, "Role").values()
    rights = {(kind, verb) for rule in role["rules"] for kind in rule["resources"] for verb in rule["verbs"]}
    assert rights == {
        ("statefulsets", "get"),
        ("pods", "list"),
        ("persistentvolumeclaims", "list"),
        *(("jobs", verb) for verb in ("list", "create", "delete")),
    }
    assert pod["automountServiceAccountToken"] is True
    (binding,) = of_kind(name, "RoleBinding").values()
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert [one["name"] for one in binding["subjects"]] == [pod["serviceAccountName"]]
    assert len(cron["metadata"]["name"]) <= 52


@pytest.mark.parametrize("name", SETS)
def test_the_job_that_drains_a_claim_has_what_kafka_takes_and_no_other_secret(name: str) -> None:
    (config,) = (one for one in of_kind(name, "ConfigMap").values() if "job.json" in one["data"])
    start = Start("j", "spool-x-3")
    job = filled_in(json.loads(config["data"]["job.json"]), start)
    pod = pod_of(job)
    (links,) = (one for one in workloads(name).values() if one["kind"] == "StatefulSet")
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"] == pod_of(links)["securityContext"]
    (container,), (serving,) = pod["containers"], pod_of(links)["containers"]
    assert (container["image"], container["args"][:2]) == (serving["image"], ["links", "drain"])
    assert container["securityContext"] == serving["securityContext"]
    mounts = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
    assert mounts["spool"] == {one["name"]: one["mountPath"] for one in serving["volumeMounts"]}["spool"]
    environment = {one["name"]: one["value"] for one in container["env"]}
    assert environment["HERALD_SPOOL_DIR"] == mounts["spool"]
    files = {one["name"]: one for one in pod["volumes"]}["herald"].get("projected", {"sources": []})["sources"]
    paths = {item["path"] for source in files for item in source["secret"]["items"]}
    secrets = {path for path in paths if path.startswith("variables/")}
    assert all(path.startswith("variables/HERALD_KAFKA_") for path in secrets)
    assert bool(secrets) == ("/etc/herald/variables" in environment[DIRECTORIES]), "a folder that is not there"
    assert start.claim in json.dumps(pod["volumes"])
    policies = of_kind(name, "NetworkPolicy")
    selected = policies[f"{config['metadata']['name']}"]["spec"]["podSelector"]["matchLabels"]
    assert selected.items() <= job["spec"]["template"]["metadata"]["labels"].items()
    assert not [
        one
        for one, policy in policies.items()
        if one.startswith("herald-sharing-links") and "drain" not in one
        if policy["spec"]["podSelector"]["matchLabels"].items() <= job["spec"]["template"]["metadata"]["labels"].items()
    ]


def test_a_secret_that_no_entry_has_is_named() -> None:
    try:
        ran = run(
            "template",
            "x",
            str(CHART),
            "-f",
            str(CHART / "ci/minimal.yaml"),
            "--set",
            "services.sharing.secrets={visitrKey}",
        )
    except NoHelm as why:
        pytest.skip(str(why))
    assert "services.sharing.secrets names visitrKey, which secrets.entries has not" in ran.stderr


def test_the_digest_decides_where_there_is_one() -> None:
    images = {pod_of(one)["containers"][0]["image"] for one in workloads("everything").values()}
    assert [one for one in images if "@sha256:" in one and one.startswith("registry.example.com/herald/herald-hub@")]
    assert "registry.example.com/herald/herald-program:0.1.0" in images
