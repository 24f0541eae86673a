"""No token is a failure of ours: what does not hold is refused, whoever signed it."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import KeySet
from joserfc.jws import serialize_compact

from chassis.web.problems import Unauthenticated
from chassis.web.tokens import Tokens
from tests.issuer import Issuer
from tests.unit.hub.test_rules import settings as hub_settings

ISSUER = Issuer("http://127.0.0.1:8080/issuer")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)


def tokens() -> Tokens:
    found = Tokens(hub_settings())
    found._keys = KeySet.import_key_set(ISSUER.jwks)  # type: ignore[arg-type]
    found._fetched = found._tried = float("inf")
    return found


def encoded(part: str) -> str:
    return base64.urlsafe_b64encode(part.encode("utf-8", "surrogatepass")).rstrip(b"=").decode()


def signed(payload: str, header: str | None = None) -> str:
    """A token with this very payload, signed by the issuer."""
    protected = {"alg": "ES256", "kid": ISSUER._key.kid}
    whole = serialize_compact(protected, payload.encode("utf-8", "surrogatepass"), ISSUER._key)
    return whole if header is None else f"{encoded(header)}.{whole.partition('.')[2]}"


async def refused(text: str) -> str:
    with pytest.raises(Unauthenticated) as found:
        await tokens().verify(text)
    return str(found.value.extras["rule"])


HOSTILE = [
    signed("[" * 3000 + "]" * 3000),
    signed('{"sub": ' + "[" * 3000 + "]" * 3000 + "}"),
    signed("[]"),
    signed("7"),
    signed("\udc00"),
    signed("{}", "[" * 3000 + "]" * 3000),
    signed("{}", '{"alg": []}'),
    signed("{}", '{"alg": "ES256", "kid": {}}'),
    signed("{}", "\udc00"),
    signed('{"exp": ' + "9" * 5000 + "}"),
    "a.b", "....", "é.é.é", "\x00", "." * 5000, "e30.e30.", "",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_a_hostile_token_is_refused(text: str) -> None:
    await refused(text)


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "\ud800"}, {"sub": ["x"]}, {"sub": {}}, {"sub": 7}, {"sub": None}, {"sub": ""}, {"exp": "soon"},
        {"exp": None}, {"exp": True}, {"exp": []}, {"exp": 1e400}, {"aud": 7}, {"aud": [["herald"]]}, {"aud": {}},
        {"iss": ["x"]}, {"iss": 7},
    ],
    ids=str,
)  # fmt: skip
async def test_a_claim_of_another_kind_is_refused(claims: dict[str, Any]) -> None:
    await refused(signed(json.dumps({"iss": ISSUER.url, "aud": "herald", "sub": "amina", "exp": 2**33, **claims})))


@settings(max_examples=60)
@given(claims=st.dictionaries(st.sampled_from(("iss", "aud", "sub", "exp", "nbf", "iat", "scope", "azp")), JSON))
async def test_whatever_is_claimed_is_taken_or_refused(claims: dict[str, Any]) -> None:
    payload = {"iss": ISSUER.url, "aud": "herald", "sub": "amina", "exp": 2**33, **claims}
    try:
        token = await tokens().verify(signed(json.dumps(payload)))
    except Unauthenticated:
        return
    assert isinstance(token.subject, str)
    assert token.machine is None or isinstance(token.machine, str)
    assert token.claims["exp"] > 0
    assert all(isinstance(scope, str) for scope in token.scopes)
