"""The development issuer keeps to the standards that a company's provider keeps to."""

import base64
import hashlib
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from starlette.applications import Starlette

from herald.development.gateway import Gateway, Route
from herald.development.issuer import (
    COMMAND_CLIENT,
    HUB_CLIENT,
    MACHINE_CLIENT,
    PERSONA_GRANT,
    Issuer,
    build_issuer,
    derived_secret,
)
from herald.development.personas import PERSONAS, find_persona, subject_of

PUBLIC = "http://127.0.0.1:8080"
URL = f"{PUBLIC}/issuer"
CALLBACK = f"{PUBLIC}/auth/callback"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
KEY = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"})
ASKED = {
    "response_type": "code",
    "client_id": HUB_CLIENT,
    "redirect_uri": CALLBACK,
    "scope": "openid profile email",
    "state": "s1",
    "nonce": "n1",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


@pytest.fixture
def app() -> Starlette:
    return build_issuer(URL, KEY, public_url=PUBLIC, hub_secret="hush")


@pytest.fixture
async def client(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(Gateway([Route("/issuer", app)])), base_url=URL
    ) as found:
        yield found


async def authorize(client: httpx.AsyncClient, persona: str = "amina", **changes: str) -> dict[str, list[str]]:
    answer = await client.post(f"/authorize?{urlencode({**ASKED, **changes})}", data={"persona": persona})
    assert answer.status_code == 303, answer.text
    return parse_qs(urlsplit(answer.headers["location"]).query)


async def redeem(client: httpx.AsyncClient, code: str, **changes: str) -> httpx.Response:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    return await client.post("/token", data={**form, **changes}, auth=(HUB_CLIENT, "hush"))


async def test_the_page_lists_every_persona_and_obeys_a_strict_policy(client: httpx.AsyncClient) -> None:
    page = await client.get("/authorize", params={**ASKED, "ui_locales": "fr"})
    assert page.status_code == 200
    assert all(persona.name in page.text for persona in PERSONAS)
    assert 'lang="fr"' in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "unsafe-inline" not in page.headers["content-security-policy"]


async def test_a_code_with_pkce_becomes_tokens_that_the_published_keys_verify(client: httpx.AsyncClient) -> None:
    back = await authorize(client)
    assert back["state"] == ["s1"]
    answer = (await redeem(client, back["code"][0])).json()
    discovery = (await client.get("/.well-known/openid-configuration")).json()
    assert discovery["issuer"] == URL
    keys = KeySet.import_key_set((await client.get("/jwks")).json())

    access = jwt.decode(answer["access_token"], keys, algorithms=["RS256"])
    assert access.header["typ"] == "at+jwt"
    amina = find_persona("amina")
    assert amina is not None
    wanted = {"iss": URL, "aud": "herald", "sub": amina.subject, "email": amina.email, "email_verified": True}
    wanted |= {"name": amina.name, "locale": "fr", "country": "FR", "team": "Engineering", "client_id": HUB_CLIENT}
    assert wanted.items() <= access.claims.items()

    identity = jwt.decode(answer["id_token"], keys, algorithms=["RS256"]).claims
    assert (identity["aud"], identity["nonce"]) == (HUB_CLIENT, "n1")
    bearer = {"authorization": f"Bearer {answer['access_token']}"}
    assert (await client.get("/userinfo", headers=bearer)).json()["email"] == amina.email


async def test_the_published_keys_hold_nothing_private(client: httpx.AsyncClient) -> None:
    (key,) = (await client.get("/jwks")).json()["keys"]
    assert set(key) <= {"kty", "n", "e", "kid", "use", "alg"}


@pytest.mark.parametrize(
    "change",
    [
        {"code_verifier": "w" * 64},
        {"redirect_uri": "http://127.0.0.1:8080/elsewhere"},
        {"code": "never-given"},
    ],
)
async def test_a_code_is_refused_when_anything_differs(client: httpx.AsyncClient, change: dict[str, str]) -> None:
    code = (await authorize(client))["code"][0]
    answer = await redeem(client, **{"code": code, **change})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


async def test_a_code_is_redeemed_once(client: httpx.AsyncClient) -> None:
    code = (await authorize(client))["code"][0]
    assert (await redeem(client, code)).status_code == 200
    assert (await redeem(client, code)).status_code == 400


async def test_a_code_ends_after_a_minute(app: Starlette, client: httpx.AsyncClient) -> None:
    issuer: Issuer = app.state.issuer
    code = (await authorize(client))["code"][0]
    then = issuer.now()
    issuer.now = lambda: then + 61
    assert (await redeem(client, code)).status_code == 400


@pytest.mark.parametrize(
    "change", [{"code_challenge_method": "plain"}, {"code_challenge": ""}, {"response_type": "token"}]
)
async def test_nothing_but_code_with_s256_is_offered(client: httpx.AsyncClient, change: dict[str, str]) -> None:
    back = await authorize(client, **change)
    assert "error" in back
    assert "code" not in back


@pytest.mark.parametrize("change", [{"redirect_uri": "https://evil.example/"}, {"client_id": "nobody"}])
async def test_an_unknown_address_is_never_redirected_to(client: httpx.AsyncClient, change: dict[str, str]) -> None:
    answer = await client.post(f"/authorize?{urlencode({**ASKED, **change})}", data={"persona": "amina"})
    assert answer.status_code == 400
    assert "location" not in answer.headers


async def test_a_refresh_token_gives_new_tokens_to_its_client_alone(client: httpx.AsyncClient) -> None:
    tokens = (await redeem(client, (await authorize(client))["code"][0])).json()
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    renewed = await client.post("/token", data=form, auth=(HUB_CLIENT, "hush"))
    assert renewed.status_code == 200
    machine = (MACHINE_CLIENT, derived_secret(KEY, MACHINE_CLIENT))
    assert (await client.post("/token", data=form, auth=machine)).json()["error"] == "invalid_grant"
    access = {"grant_type": "refresh_token", "refresh_token": tokens["access_token"]}
    assert (await client.post("/token", data=access, auth=(HUB_CLIENT, "hush"))).json()["error"] == "invalid_grant"


async def test_a_machine_gets_its_scopes_and_no_others(client: httpx.AsyncClient) -> None:
    machine = (MACHINE_CLIENT, derived_secret(KEY, MACHINE_CLIENT))
    answer = await client.post("/token", data={"grant_type": "client_credentials"}, auth=machine)
    claims = jwt.decode(answer.json()["access_token"], KEY, algorithms=["RS256"]).claims
    assert claims["sub"] == claims["client_id"] == MACHINE_CLIENT
    assert claims["scope"] == "herald:engagements:write herald:mail:write"
    more = {"grant_type": "client_credentials", "scope": "herald:everything"}
    assert (await client.post("/token", data=more, auth=machine)).json()["error"] == "invalid_scope"
    hub = await client.post("/token", data={"grant_type": "client_credentials"}, auth=(HUB_CLIENT, "hush"))
    assert hub.json()["error"] == "unsupported_grant_type"


async def test_only_who_can_read_the_key_gets_a_token_of_another_person(client: httpx.AsyncClient) -> None:
    form = {"grant_type": PERSONA_GRANT, "persona": "someone@herald.example", "country": "FR"}
    command = (COMMAND_CLIENT, derived_secret(KEY, COMMAND_CLIENT))
    answer = await client.post("/token", data=form, auth=command)
    claims = jwt.decode(answer.json()["access_token"], KEY, algorithms=["RS256"]).claims
    assert (claims["sub"], claims["country"]) == (subject_of("someone@herald.example"), "FR")
    assert (await client.post("/token", data=form, auth=(COMMAND_CLIENT, "guess"))).status_code == 401
    assert (await client.post("/token", data=form, auth=(HUB_CLIENT, "hush"))).status_code == 400


async def test_signing_out_leads_back_to_a_registered_address_only(client: httpx.AsyncClient) -> None:
    back = await client.get("/end-session", params={"post_logout_redirect_uri": f"{PUBLIC}/", "state": "x"})
    assert (back.status_code, back.headers["location"]) == (303, f"{PUBLIC}/?state=x")
    elsewhere = await client.get("/end-session", params={"post_logout_redirect_uri": "https://evil.example/"})
    assert elsewhere.status_code == 400


@pytest.mark.parametrize("url", ["https://herald.example.com/issuer", "http://8.8.8.8/issuer"])
def test_it_refuses_to_serve_a_public_address(url: str) -> None:
    with pytest.raises(ValueError, match="its own network"):
        build_issuer(url, KEY, public_url=url, hub_secret="hush")
