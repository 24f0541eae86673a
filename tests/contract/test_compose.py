"""docker-compose.yml holds before the compose specification, and its variables are those that somebody reads."""

import importlib
import json
import re
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import urlsplit

import pytest
import yaml
from jsonschema import Draft7Validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings
from typer.testing import CliRunner

from chassis.settings import KafkaSettings
from herald.cli.app import app
from herald.development.gateway import GatewaySettings
from herald.local.plan import names
from tests.node import node_modules

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("herald-")}
IMAGE_SETS = {"HERALD_HOST", "HERALD_PORT"}
REQUIRED = re.compile(r"\$\{(\w+):\?")
SECRETS = re.compile(r"SECRET|KEY(?!_FILE)|PASSWORD|AUTH(?!_ANONYMOUS)|TOKEN")


@cache
def settings_of(name: str) -> type[BaseSettings]:
    """The settings class that a container of ours reads."""
    verb, *rest = OURS[name]["command"]
    if verb == "topics":
        return KafkaSettings
    if rest[0] == "gateway":
        return GatewaySettings
    found: type[BaseSettings] = get_type_hints(importlib.import_module(f"services.{rest[0]}.app").build)["settings"]
    return found


def variable(field: str, info: FieldInfo) -> str:
    return str(info.validation_alias) if info.validation_alias else f"HERALD_{field.upper()}"


def problems_of(name: str, environment: dict[str, Any]) -> list[str]:
    """Variables that are given but not read, and ones that are required but not given."""
    fields = settings_of(name).model_fields.items()
    read = {variable(field, info) for field, info in fields}
    required = {variable(field, info) for field, info in fields if info.is_required()} - IMAGE_SETS
    return [f"{one} is not read" for one in sorted(environment.keys() - read)] + [
        f"{one} is missing" for one in sorted(required - environment.keys())
    ]


def test_it_holds_before_the_compose_specification() -> None:
    schema = json.loads((node_modules() / "dclint/schemas/compose.schema.json").read_text())
    assert schema["title"] == "Compose Specification"
    assert [error.message for error in Draft7Validator(schema).iter_errors(COMPOSE)] == []
    assert list(Draft7Validator(schema).iter_errors({**COMPOSE, "services": {"hub": {"imagee": "x"}}}))


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_variable_is_read_and_none_is_missing(name: str) -> None:
    assert problems_of(name, OURS[name]["environment"]) == []


def test_a_stray_and_a_missing_variable_would_be_seen() -> None:
    environment = {**SERVICES["sharing-links"]["environment"], "HERALD_VISITER_KEY": "x"}
    del environment["HERALD_VISITOR_KEY"]
    assert problems_of("sharing-links", environment) == [
        "HERALD_VISITER_KEY is not read",
        "HERALD_VISITOR_KEY is missing",
    ]


def test_every_role_of_every_service_runs() -> None:
    run = {tuple(service["command"][1:]) for service in OURS.values() if service["command"][0] == "run"}
    assert run == set(names(split=True).values())


def test_no_secret_is_in_the_file() -> None:
    given = [(key, str(value)) for one in SERVICES.values() for key, value in one.get("environment", {}).items()]
    secret = [(key, value) for key, value in given if SECRETS.search(key)]
    assert {"HERALD_HUB_CLIENT_SECRET", "HERALD_SESSION_KEY", "HERALD_VISITOR_KEY"} <= dict(secret).keys()
    assert [key for key, value in secret if not re.fullmatch(r"\$\{\w+:(\?[^}]*|-)\}", value)] == []
    assert re.search(r"redis://:\$\{VALKEY_PASSWORD:\?[^}]+\}@", TEXT)


def test_what_is_required_is_what_the_command_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, ["docker-env"]).exit_code == 0
    written = dict(line.split("=", 1) for line in (tmp_path / ".env").read_text().splitlines())
    required = set(REQUIRED.findall(TEXT))
    assert required
    assert required <= written.keys()
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
    assert (tmp_path / ".herald/docker").stat().st_mode & 0o077 == 0
    assert (tmp_path / ".herald/docker/issuer.pem").read_text().startswith("-----BEGIN")
    again = CliRunner().invoke(app, ["docker-env"])
    assert (again.exit_code, "is there already" in again.output) == (1, True)
    assert dict(line.split("=", 1) for line in (tmp_path / ".env").read_text().splitlines()) == written


def test_a_company_issuer_needs_no_development_issuer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    options = ["--public-url", "https://herald.example.com/", "--issuer", "https://login.example.com"]
    assert CliRunner().invoke(app, ["docker-env", *options]).exit_code == 0
    written = (tmp_path / ".env").read_text()
    assert "HERALD_PUBLIC_URL=https://herald.example.com\n" in written
    assert "HERALD_ISSUER=https://login.example.com\n" in written
    assert "COMPOSE_PROFILES" not in written
    assert not (tmp_path / ".herald").exists()


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_containers_can_do_little(name: str) -> None:
    service = OURS[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "ports" not in service


def test_only_the_front_and_the_consoles_publish_a_port_and_on_loopback() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published.keys() == {"front", "grafana", "jaeger", "prometheus"}
    for ports in published.values():
        for port in ports:
            assert re.match(r"\$\{\w+:-127\.0\.0\.1:", port)


def test_the_front_and_prometheus_name_containers_that_are_there() -> None:
    upstreams = re.findall(r"reverse_proxy (\S+):8080", (ROOT / "deploy/docker/Caddyfile").read_text())
    assert set(upstreams) == {name for name in OURS if not name.endswith(("-worker", "topics"))}
    prometheus = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    targets = {
        target for job in prometheus["scrape_configs"] for one in job["static_configs"] for target in one["targets"]
    }
    scraped = {f"{name}:8080" for name in OURS if name not in ("topics", "issuer")}
    assert targets == {*scraped, "otel-collector:8889"}


def test_prometheus_and_grafana_are_given_the_alerts_and_dashboards() -> None:
    mounts = {
        name: dict(str(one).split(":")[:2] for one in SERVICES[name]["volumes"])
        for name in SERVICES
        if "volumes" in SERVICES[name]
    }
    prometheus = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    assert mounts["prometheus"]["./deploy/alerts"] == "/etc/prometheus/alerts"
    assert prometheus["rule_files"] == ["alerts/objectives.yaml", "alerts/causes.yaml"]
    assert all((ROOT / "deploy" / path).is_file() for path in prometheus["rule_files"])
    provider = yaml.safe_load((ROOT / "deploy/grafana/dashboards/herald.yaml").read_text())["providers"][0]
    assert provider["options"]["path"] == mounts["grafana"]["./deploy/dashboards"]
    sources = yaml.safe_load((ROOT / "deploy/grafana/datasources/herald.yaml").read_text())["datasources"]
    assert {urlsplit(one["url"]).hostname for one in sources} <= SERVICES.keys()


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_what_is_depended_on_can_be_waited_for(name: str) -> None:
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        if wait["condition"] == "service_healthy":
            assert "test" in SERVICES[other]["healthcheck"]
        else:
            assert SERVICES[other]["restart"] == "on-failure"


def test_named_volumes_hold_what_must_stay() -> None:
    kept = {"kafka": "kafka-data", "mongo": "mongo-data", "valkey": "valkey-data", "sharing-links": "spool"}
    for name, volume in kept.items():
        assert any(str(mount).startswith(f"{volume}:") for mount in SERVICES[name]["volumes"])
        assert volume in COMPOSE["volumes"]
