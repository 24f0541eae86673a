"""A company's own provider instead of the development issuer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from herald.cli.app import app
from herald.development.gateway import GatewaySettings, routes
from herald.local import credentials, plan
from herald.local.errors import LocalError
from herald.local.home import Home
from herald.local.plan import Addresses
from herald.local.provider import SECRET, Provider, discover, provider_of, shortcomings
from herald.local.up import next_steps

URL = "https://login.example.com/realms/staff"
METADATA: dict[str, Any] = {
    "issuer": URL,
    "authorization_endpoint": f"{URL}/authorize",
    "token_endpoint": f"{URL}/token",
    "jwks_uri": f"{URL}/keys",
    "end_session_endpoint": f"{URL}/logout",
    "response_types_supported": ["code", "id_token"],
    "code_challenge_methods_supported": ["plain", "S256"],
    "id_token_signing_alg_values_supported": ["HS256", "RS256"],
    "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic"],
}


def answer(monkeypatch: pytest.MonkeyPatch, response: httpx.Response | Exception) -> list[str]:
    """Answers every `httpx.get`; what was asked."""
    asked: list[str] = []

    def get(url: str, **_: object) -> httpx.Response:
        asked.append(url)
        if isinstance(response, Exception):
            raise response
        response.request = httpx.Request("GET", url)
        return response

    monkeypatch.setattr(httpx, "get", get)
    return asked


@pytest.mark.parametrize(
    ("changes", "lacking"),
    [
        ({}, []),
        ({"code_challenge_methods_supported": None}, []),
        ({"response_types_supported": ["id_token"]}, ["the authorization code flow"]),
        ({"code_challenge_methods_supported": ["plain"]}, ["PKCE with S256"]),
        ({"token_endpoint": ""}, ["token_endpoint"]),
        ({"id_token_signing_alg_values_supported": ["HS256"]}, ["a signature of RS256, PS256, ES256, EdDSA"]),
        ({"token_endpoint_auth_methods_supported": ["private_key_jwt"]}, ["client authentication by HTTP Basic"]),
    ],
)
def test_what_a_provider_lacks_is_named(changes: dict[str, Any], lacking: list[str]) -> None:
    assert shortcomings({**METADATA, **changes}) == lacking


@pytest.mark.parametrize(
    ("response", "sentence"),
    [
        (httpx.Response(404), "answers 404"),
        (httpx.Response(200, text="<html>"), "No provider answers"),
        (httpx.Response(200, json=[]), "calls itself None"),
        (httpx.Response(200, json={"issuer": f"{URL}/"}), f"calls itself {URL}/"),
        (httpx.ConnectError("refused"), "No provider answers"),
        (httpx.InvalidURL("no address"), "No provider answers"),
    ],
)
def test_what_is_no_provider_is_said_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, response: httpx.Response | Exception, sentence: str
) -> None:
    answer(monkeypatch, response)
    with pytest.raises(LocalError, match=sentence):
        discover(URL)


def test_a_provider_needs_a_secret_and_an_administrator(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answer(monkeypatch, httpx.Response(200, json=METADATA))
    with pytest.raises(LocalError, match="--admins"):
        provider_of(URL, " ", {SECRET: "s"})
    with pytest.raises(LocalError, match=SECRET):
        provider_of(URL, "a@x.example", {})
    assert asked == []
    found = provider_of(URL, "a@x.example", {SECRET: "s"})
    assert found == Provider(URL, "a@x.example", "s")
    assert asked == [f"{URL}/.well-known/openid-configuration"]
    assert "client_secret" not in repr(found)
    assert "ines" not in " ".join(next_steps("http://127.0.0.1:8080", found, Home(Path("x"))))


def test_an_issuer_may_end_with_a_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Auth0's do: it is called as it calls itself, and its discovery document is where others have theirs."""
    asked = answer(monkeypatch, httpx.Response(200, json={**METADATA, "issuer": f"{URL}/"}))
    assert provider_of(f"{URL}/", "a@x.example", {SECRET: "s"}).issuer == f"{URL}/"
    assert asked == [f"{URL}/.well-known/openid-configuration"]
    with pytest.raises(LocalError, match="letter by letter"):
        discover(URL)


def test_a_stack_with_a_provider_has_its_settings_and_no_development_issuer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path)
    own = Provider(URL, "a@x.example", "the secret")
    addresses = Addresses("k:1", "m:2", "r:3", "http://127.0.0.1:8080", own.issuer)
    secrets = {**credentials.environment(home), **own.environment}
    for spec in plan.processes(home, addresses, secrets, dict.fromkeys(plan.names(False), 1), False):
        assert spec.env["HERALD_ISSUER"] == URL
        assert spec.env["HERALD_PROGRAM_ADMINS"] == "a@x.example"
        assert spec.env[SECRET] == "the secret"
        for name, value in spec.env.items():
            monkeypatch.setenv(name, value)
    settings = GatewaySettings()
    assert settings.issuer_key_file is None
    assert [route.prefix for route in routes(settings, {}, {})] == ["/l"]


def test_what_to_register_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERALD_AUDIENCE", "api://herald")
    monkeypatch.setenv("HERALD_ACCOUNT_CLAIM", "oid")
    answer(monkeypatch, httpx.Response(200, json={**METADATA, "end_session_endpoint": None}))
    ran = CliRunner().invoke(app, ["oidc", "--public-url", "https://h.example.com/", "--issuer", URL])
    assert ran.exit_code == 0
    said = [" ".join(line.split()) for line in ran.output.splitlines()]
    assert "redirect address https://h.example.com/auth/callback" in said
    assert "address after sign-out https://h.example.com/" in said
    assert "aud has api://herald" in said
    assert "oid tells one account from another, and never changes" in said
    assert "herald:engagements:write" in said
    assert any("no address to sign out at" in line for line in said)
    answer(monkeypatch, httpx.Response(200, json={**METADATA, "code_challenge_methods_supported": ["plain"]}))
    assert CliRunner().invoke(app, ["oidc", "--issuer", URL]).exit_code == 1
