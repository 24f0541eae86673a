"""What the hub makes of an issuer's answers at a sign-in."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import KeySet

from services.hub.oidc import IssuerUnavailable, OidcClient, Pending, SignInFailed
from services.hub.settings import HubSettings
from tests.issuer import Issuer
from tests.unit.hub.test_rules import settings

PENDING = Pending("state", "nonce", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
ISSUER = Issuer("http://127.0.0.1:8080/issuer")


class Answers:
    """The issuer's token endpoint; remembers the forms that it got."""

    def __init__(self, answer: Callable[[], httpx.Response]) -> None:
        self._answer = answer
        self.forms: list[dict[str, list[str]]] = []
        self.authorization = ""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/.well-known/openid-configuration"):
            ends = {name: f"{ISSUER.url}/{name}" for name in ("authorization_endpoint", "token_endpoint")}
            return httpx.Response(200, json={"issuer": ISSUER.url, **ends})
        self.forms.append(parse_qs(request.content.decode()))
        self.authorization = request.headers["authorization"]
        return self._answer()


def hub_settings() -> HubSettings:
    return settings()


def client(answers: Answers) -> OidcClient:
    made = OidcClient(hub_settings(), httpx.AsyncClient(transport=httpx.MockTransport(answers)))
    made._identities._keys = KeySet.import_key_set(ISSUER.jwks)  # type: ignore[arg-type]
    made._identities._fetched = made._identities._tried = float("inf")
    return made


def tokens(access: str = "access", **claims: Any) -> httpx.Response:
    said = {"aud": hub_settings().hub_client_id, "nonce": PENDING.nonce, **claims}
    identity = ISSUER.token("amina", **said)
    body = {"access_token": access, "token_type": "Bearer", "expires_in": 60, "id_token": identity}
    return httpx.Response(200, json={**body, "refresh_token": "refresh"})


def half_hash(token: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()[:16]).rstrip(b"=").decode()


async def test_the_browser_is_sent_with_state_nonce_and_challenge() -> None:
    """The challenge is the example of RFC 7636, appendix B."""
    url = urlsplit(await client(Answers(tokens)).sign_in_url(PENDING, "fr"))
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert query == {
        "response_type": "code",
        "client_id": hub_settings().hub_client_id,
        "redirect_uri": "http://127.0.0.1:8080/auth/callback",
        "scope": "openid profile email offline_access",
        "state": "state",
        "nonce": "nonce",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
        "ui_locales": "fr",
    }


async def test_a_code_becomes_tokens() -> None:
    answers = Answers(lambda: tokens(at_hash=half_hash("access"), azp=hub_settings().hub_client_id))
    found = await client(answers).redeem("the code", PENDING)
    assert (found["access"], found["refresh"]) == ("access", "refresh")
    [form] = answers.forms
    assert form["code"] == ["the code"]
    assert form["code_verifier"] == [PENDING.verifier]
    assert form["redirect_uri"] == ["http://127.0.0.1:8080/auth/callback"]
    assert base64.b64decode(answers.authorization.removeprefix("Basic ")) == b"herald-hub:hush"


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"aud": "another client"},
        {"azp": "another client"},
        {"at_hash": half_hash("another token")},
        {"exp": 1},
    ],
    ids=str,
)
async def test_an_identity_token_that_does_not_hold_signs_nobody_in(claims: dict[str, Any]) -> None:
    with pytest.raises(SignInFailed, match="id_token"):
        await client(Answers(lambda: tokens(**claims))).redeem("code", PENDING)


async def test_a_refusal_and_a_failure_of_the_issuer_are_told_apart() -> None:
    refused = client(Answers(lambda: httpx.Response(400, json={"error": "invalid_grant"})))
    with pytest.raises(SignInFailed, match="invalid_grant"):
        await refused.redeem("code", PENDING)
    for answer in (httpx.Response(502), httpx.Response(200, text="<html>")):
        with pytest.raises(IssuerUnavailable):
            await client(Answers(lambda answer=answer: answer)).redeem("code", PENDING)  # type: ignore[misc]


async def test_a_refused_secret_of_the_hub_is_no_refusal_of_the_person() -> None:
    """While it is replaced, nobody is signed out for it."""
    refused = client(Answers(lambda: httpx.Response(401, json={"error": "invalid_client"})))
    with pytest.raises(IssuerUnavailable):
        await refused.renew({"access": "older", "refresh": "kept", "until": 0})
    with pytest.raises(IssuerUnavailable):
        await refused.redeem("code", PENDING)


async def test_a_renewal_keeps_the_refresh_token_where_none_comes_anew() -> None:
    answers = Answers(lambda: httpx.Response(200, json={"access_token": "newer", "expires_in": 60}))
    renewed = await client(answers).renew({"access": "older", "refresh": "kept", "until": 0})
    assert (renewed["access"], renewed["refresh"]) == ("newer", "kept")
    assert answers.forms[0]["refresh_token"] == ["kept"]
    with pytest.raises(SignInFailed):
        await client(answers).renew({"access": "older", "until": 0})


def revocable(answer: httpx.Response | Exception) -> tuple[OidcClient, list[httpx.Request]]:
    """A client of an issuer that offers revocation; the requests that reached it."""
    asked: list[httpx.Request] = []

    def issuer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/.well-known/openid-configuration"):
            return httpx.Response(200, json={"issuer": ISSUER.url, "revocation_endpoint": f"{ISSUER.url}/revoke"})
        asked.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return OidcClient(hub_settings(), httpx.AsyncClient(transport=httpx.MockTransport(issuer))), asked


async def test_a_refresh_token_is_revoked_where_that_is_offered() -> None:
    oidc, asked = revocable(httpx.Response(200))
    await oidc.revoke({"access": "a", "refresh": "the refresh token"})
    [request] = asked
    assert parse_qs(request.content.decode()) == {"token": ["the refresh token"], "token_type_hint": ["refresh_token"]}
    assert base64.b64decode(request.headers["authorization"].removeprefix("Basic ")) == b"herald-hub:hush"
    await oidc.revoke({"access": "a"})
    assert len(asked) == 1
    await client(Answers(tokens)).revoke({"refresh": "of an issuer that offers none"})


async def test_a_revocation_that_fails_is_an_outage_of_the_issuer() -> None:
    oidc, _ = revocable(httpx.ConnectError("nobody there"))
    with pytest.raises(IssuerUnavailable):
        await oidc.revoke({"refresh": "r"})
