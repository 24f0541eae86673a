"""The folder of a local stack and the secrets in it."""

import json
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from chassis.web.signatures import secret_of
from herald.local import credentials, plan, up
from herald.local.errors import LocalError
from herald.local.home import Home
from herald.local.plan import Addresses
from herald.local.provider import Provider

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / ".herald")
    home.prepare()
    return home


def test_only_one_holds_the_folder(home: Home) -> None:
    assert home.holder() is None
    handle = home.lock()
    assert handle is not None
    assert home.lock() is None
    assert home.holder() is not None


def test_a_nearly_full_disk(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**12, 10**12, 5_000_000))
    with pytest.raises(LocalError, match="has 5 MB free and Herald needs 1000"):
        home.prepare()


def test_a_folder_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalError, match="cannot be written"):
        Home(tmp_path / "file" / ".herald").prepare()


def test_secrets_are_made_once_and_are_private(home: Home) -> None:
    first = credentials.environment(home)
    assert credentials.environment(home) == first
    assert len({first[name] for name in credentials.NAMES}) == len(credentials.NAMES)
    assert len(secret_of(first[credentials.RECRUITING])) == 32
    for file in (home.secrets, home.issuer_key):
        assert file.stat().st_mode & 0o777 == 0o600
    assert home.issuer_key.read_text().startswith("-----BEGIN PRIVATE KEY-----")


@pytest.mark.parametrize("content", ["{", "[]", '{"HERALD_VISITOR_KEY": 1}'])
def test_damaged_secrets_are_named(home: Home, content: str) -> None:
    home.secrets.write_text(content)
    with pytest.raises(LocalError, match=r"secrets\.json"):
        credentials.environment(home)


def test_a_new_secret_joins_the_old(home: Home) -> None:
    home.secrets.write_text(json.dumps({"HERALD_VISITOR_KEY": "kept"}))
    assert credentials.environment(home)["HERALD_VISITOR_KEY"] == "kept"
    assert set(credentials.NAMES) <= set(json.loads(home.secrets.read_text()))


@pytest.mark.parametrize(("split", "count"), [(False, 3), (True, 13)])
def test_every_process_has_a_name_a_port_and_the_common_settings(
    home: Home, monkeypatch: pytest.MonkeyPatch, split: bool, count: int
) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    addresses = Addresses("k:1", "m:2", "r:3", "http://127.0.0.1:8080")
    ports = {name: 8080 + number for number, name in enumerate(plan.names(split))}
    specs = plan.processes(home, addresses, {"HERALD_VISITOR_KEY": "x"}, ports, split)
    assert len({spec.name for spec in specs}) == len({spec.port for spec in specs}) == len(specs) == count
    assert specs[0].port == 8080
    for spec in specs:
        assert spec.env["HERALD_PORT"] == str(spec.port)
        assert spec.env["HERALD_SPANS_FILE"].endswith(f"{spec.name}.jsonl")
        assert spec.env["HERALD_METRICS_URL"] == "http://127.0.0.1:8080/api/metrics"
        assert spec.env["HERALD_LINKS_UPSTREAM"] == f"http://127.0.0.1:{ports['sharing-links' if split else 'links']}"


def test_mails_go_to_the_mailbox_where_there_is_one(home: Home) -> None:
    without = Addresses("k:1", "m:2", "r:3", "http://127.0.0.1:8080")
    assert not [name for name in without.environment if "SMTP" in name or "MAIL" in name]
    addresses = Addresses("k:1", "m:2", "r:3", "http://127.0.0.1:8080", mailbox=2525)
    for spec in plan.processes(home, addresses, {}, dict.fromkeys(plan.names(False), 1), False):
        names = ("HERALD_SMTP_HOST", "HERALD_SMTP_PORT", "HERALD_SMTP_SECURITY", "HERALD_MAIL_FROM")
        assert [spec.env[name] for name in names] == ["127.0.0.1", "2525", "none", "herald@herald.example"]


@pytest.mark.parametrize("server", ["", "mail.company.example"])
def test_the_mailbox_is_beside_the_development_issuer_alone(
    home: Home, monkeypatch: pytest.MonkeyPatch, server: str
) -> None:
    monkeypatch.setenv("HERALD_SMTP_HOST", server)
    assert up.keeps_mails(None) == (not server)
    assert not up.keeps_mails(Provider("https://login.company.example", "ann@company.example", "secret"))
    said = any(str(home.mails) in line for line in up.next_steps("http://127.0.0.1:8080", None, home))
    assert said == (not server)


def test_spans_go_to_a_collector_when_there_is_one(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    addresses = Addresses("k:1", "m:2", "r:3", "http://127.0.0.1:8080")
    specs = plan.processes(home, addresses, {}, dict.fromkeys(plan.names(False), 1), False)
    assert [spec.name for spec in specs] == list(plan.names(False))
    assert all("HERALD_SPANS_FILE" not in spec.env for spec in specs)
