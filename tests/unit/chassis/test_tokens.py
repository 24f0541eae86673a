"""What a token says of its owner, as each provider says it."""

from __future__ import annotations

from typing import Any

import pytest
from joserfc.jwk import KeySet

from chassis.web.problems import Unauthenticated
from chassis.web.tokens import Token, Tokens, account_of, discovery_url, machine_of
from tests.issuer import Issuer
from tests.unit.hub.test_rules import settings

ISSUER = Issuer("http://127.0.0.1:8080/issuer")
CLIENTS: dict[str, dict[str, Any]] = {
    "RFC 9068": {"sub": "crm", "client_id": "crm", "scope": "herald:metrics:read openid"},
    "Okta": {"sub": "0oa1", "cid": "0oa1", "scp": ["herald:metrics:read"]},
    "Entra": {"sub": "5e1f", "oid": "5e1f", "azp": "9c27", "idtyp": "app", "roles": ["herald:metrics:read"]},
    "Keycloak": {
        "sub": "b3c0",
        "azp": "CRM",
        "client_id": "CRM",
        "preferred_username": "service-account-crm",
        "scope": "herald:metrics:read email profile",
    },
}
PEOPLE: dict[str, dict[str, Any]] = {
    "RFC 9068": {"sub": "amina", "client_id": "herald-hub", "scope": "openid herald:metrics:read"},
    "Okta": {"sub": "amina@x.example", "uid": "00u1", "cid": "0oa1", "scp": ["openid"]},
    "Entra": {"sub": "pairwise", "oid": "77aa", "azp": "9c27", "idtyp": "user", "roles": ["herald:metrics:read"]},
    "Keycloak": {"sub": "a1", "azp": "herald-hub", "preferred_username": "service-account-herald-hub"},
    "of no client": {"sub": "amina"},
}


@pytest.mark.parametrize("provider", CLIENTS)
def test_a_machine_is_known_and_its_scopes_are_read(provider: str) -> None:
    token = Token("account", CLIENTS[provider])
    assert token.machine in ("crm", "CRM", "0oa1", "9c27")
    assert "herald:metrics:read" in token.scopes


@pytest.mark.parametrize("provider", PEOPLE)
def test_a_person_is_no_machine(provider: str) -> None:
    assert machine_of(PEOPLE[provider]) is None


async def test_an_issuer_is_who_it_says_to_the_letter() -> None:
    auth0 = Issuer("https://x.eu.auth0.com/")
    assert settings(issuer=auth0.url).issuer == auth0.url
    of_auth0 = tokens(issuer=auth0.url)
    of_auth0._keys = KeySet.import_key_set(auth0.jwks)  # type: ignore[arg-type]
    assert (await of_auth0.verify(auth0.token("amina"))).account == account_of(auth0.url, "amina")
    with pytest.raises(Unauthenticated):
        await of_auth0.verify(auth0.token("amina", iss="https://x.eu.auth0.com"))
    for url in ("https://x.example/realms/staff", "https://x.example/realms/staff/"):
        assert discovery_url(url) == "https://x.example/realms/staff/.well-known/openid-configuration"


@pytest.mark.parametrize("claim", [None, 7, True, {"herald:metrics:read": 1}, [None, 3]])
def test_scopes_of_another_form_are_none(claim: Any) -> None:
    assert "herald:metrics:read" not in Token("account", {"sub": "crm", "scope": claim, "scp": claim}).scopes


def tokens(**changes: Any) -> Tokens:
    made = Tokens(settings().model_copy(update=changes))
    made._keys = KeySet.import_key_set(ISSUER.jwks)  # type: ignore[arg-type]
    made._fetched = made._tried = float("inf")
    return made


async def test_an_account_is_known_by_the_claim_that_is_set() -> None:
    by_oid = tokens(account_claim="oid")
    first = await by_oid.verify(ISSUER.token("pairwise-1", oid="77aa"))
    second = await by_oid.verify(ISSUER.token("pairwise-2", oid="77aa"))
    assert first.account == second.account == account_of(ISSUER.url, "77aa")
    assert (await tokens().verify(ISSUER.token("pairwise-1", oid="77aa"))).account == ISSUER.account("pairwise-1")


async def test_a_machine_needs_no_such_claim() -> None:
    token = await tokens(account_claim="uid").verify(ISSUER.machine_token("crm", "herald:metrics:read"))
    assert (token.machine, token.account) == ("crm", ISSUER.account("crm"))


@pytest.mark.parametrize("claims", [{}, {"oid": ""}, {"oid": 7}, {"oid": ["77aa"]}, {"oid": None}])
async def test_a_person_without_the_claim_is_refused(claims: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated) as raised:
        await tokens(account_claim="oid").verify(ISSUER.token("amina", **claims))
    assert raised.value.extras["rule"] == "missing_claim:oid"
