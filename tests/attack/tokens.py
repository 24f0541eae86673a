"""Tokens that nobody should get in with."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.attack.attempt import Attempt, expect, refused
from tests.attack.doors import SERVICES
from tests.attack.target import Target

DOORS = {
    "program": "/api/program/v1/me",
    "content": "/api/content/v1/feed",
    "sharing": "/api/sharing/v1/posts",
    "gamification": "/api/gamification/v1/me/points",
    "metrics": "/api/metrics/v1/me/figures",
}
Header = tuple[str, dict[str, str]]


async def attack(target: Target) -> AsyncIterator[Attempt]:
    """Each token at the door of each service (of one in the short form); a good one gets in."""
    doors = SERVICES if target.long else ("program",)
    async with target.client() as client:
        for service in doors:
            good = await _ask(client, service, {"authorization": f"Bearer {target.signed(target.claims())}"})
            yield expect(f"{service}: a good token is taken", good.status_code in (200, 403, 422), good.status_code)
            for name, headers in headers_of(target):
                yield refused(f"{service}: {name}", await _ask(client, service, headers), 400, 401, 431)


async def _ask(client: httpx.AsyncClient, service: str, headers: dict[str, str]) -> httpx.Response:
    raw = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    return await client.get(DOORS[service], headers=raw)


def headers_of(target: Target) -> Iterator[Header]:
    """What is sent, by name."""
    good = target.signed(target.claims())
    for name, token in tokens_of(target):
        yield name, {"authorization": f"Bearer {token}"}
    yield "no scheme", {"authorization": good}
    yield "Basic", {"authorization": f"Basic {good}"}
    yield "twice in one header", {"authorization": f"Bearer {good}, Bearer {good}"}
    yield "nothing after the scheme", {"authorization": "Bearer"}
    yield "no header", {}
    yield "in a cookie", {"cookie": f"access_token={good}; herald_session={good}"}
    yield "in another header", {"x-authorization": f"Bearer {good}", "x-access-token": good}


def tokens_of(target: Target) -> Iterator[tuple[str, str]]:
    yield from _unsigned(target)
    yield from _wrong_keys(target)
    yield from _wrong_headers(target)
    yield from _wrong_claims(target)
    yield from _broken(target)


def _unsigned(target: Target) -> Iterator[tuple[str, str]]:
    for algorithm in ("none", "None", "NONE", "nOnE", "", None, "none "):
        yield f"algorithm {algorithm!r}", f"{_part({'alg': algorithm})}.{_part(target.claims())}."
    head, body, _ = target.signed(target.claims()).split(".")
    yield "signature left out", f"{head}.{body}."
    yield "signature cut off", f"{head}.{body}"
    yield "signature of zeros", f"{head}.{body}.{'A' * 342}"


def _wrong_keys(target: Target) -> Iterator[tuple[str, str]]:
    key, own = target.key, RSAKey.generate_key(2048)
    claims = target.claims()
    for algorithm in ("RS256", "PS256"):
        yield (
            f"another key, {algorithm}",
            jwt.encode({"alg": algorithm, "kid": key.kid}, claims, own, algorithms=[algorithm]),
        )
    public = {"pem": key.as_pem(private=False), "der": key.as_der(private=False)}
    public["n"] = str(key.as_dict(private=False)["n"]).encode()
    for name, secret in {**public, "nothing": b"\x00", "kid": str(key.kid).encode()}.items():
        for algorithm in ("HS256", "HS384", "HS512"):
            head, body = _part({"alg": algorithm, "kid": key.kid}), _part(claims)
            mac = hmac.digest(secret, f"{head}.{body}".encode(), f"sha{algorithm[2:]}")
            yield f"{algorithm} with the public key ({name}) as secret", f"{head}.{body}.{_encode(mac)}"
    jwk = own.as_dict(private=False)
    evil = "https://evil.example/keys"
    for extra in ({"jwk": jwk}, {"jku": evil}, {"x5u": evil}, {"x5c": ["MIIB"]}):
        name = next(iter(extra))
        yield f"brings its own key by {name}", _signed_with(own, {"alg": "RS256", "kid": key.kid, **extra}, claims)
    for kid in ("../../../../dev/null", "' OR 1=1 --", "", "x" * 5000, {"$ne": None}, 7, None):
        yield f"kid {str(kid)[:20]!r}", _signed_with(own, {"alg": "RS256", "kid": kid}, claims)


def _wrong_headers(target: Target) -> Iterator[tuple[str, str]]:
    key, claims = target.key, target.claims()
    good: dict[str, Any] = {"alg": "RS256", "kid": key.kid}
    headers: tuple[dict[str, Any], ...] = (
        {**good, "crit": ["exp"]}, {**good, "crit": ["herald"], "herald": 1}, {**good, "crit": []},
        {**good, "b64": False, "crit": ["b64"]}, {**good, "alg": "RS512"}, {**good, "alg": ["RS256"]},
        {**good, "alg": {"name": "RS256"}}, {**good, "alg": 256}, {"kid": key.kid},
    )  # fmt: skip
    for header in headers:
        said = {name: value for name, value in header.items() if name != "kid"}
        yield f"header {json.dumps(said)}", _signed_with(key, header, claims)


def _wrong_claims(target: Target) -> Iterator[tuple[str, str]]:
    now = target.claims()["iat"]
    url = target.url
    changes: list[dict[str, Any]] = [
        {"exp": now - 60}, {"exp": 0}, {"exp": -1}, {"exp": None}, {"exp": "tomorrow"}, {"exp": str(now + 600)},
        {"exp": [now + 600]}, {"exp": {"$gt": 0}}, {"exp": "Infinity"},
        {"nbf": now + 600}, {"nbf": "tomorrow"}, {"iat": now + 86_400},
        {"aud": None}, {"aud": ""}, {"aud": "Herald"}, {"aud": "herald-hub"}, {"aud": ["other"]}, {"aud": []},
        {"aud": {"herald": 1}}, {"aud": "herald other"}, {"aud": 7},
        {"iss": None}, {"iss": ""}, {"iss": f"{url}/issuer/"}, {"iss": f"{url}/ISSUER"}, {"iss": [f"{url}/issuer"]},
        {"iss": "https://evil.example"}, {"iss": f"{url}/issuer@evil.example"}, {"iss": 7},
        {"sub": None}, {"sub": ""}, {"sub": 7}, {"sub": ["amina"]}, {"sub": {"$ne": None}}, {"sub": True},
    ]  # fmt: skip
    for change in changes:
        yield f"claims {json.dumps(change)[:60]}", _signed_with(target.key, _head(target), target.claims(**change))
    yield "a lone surrogate as subject", _signed_text(target, json.dumps(target.claims(sub="\ud800")))
    deep = json.dumps(target.claims())[:-1] + ', "deep": ' + "[" * 3000 + "]" * 3000 + "}"
    yield "a payload 3,000 deep, expired", _signed_text(target, deep.replace('"exp"', '"old"'))
    yield "no JSON", _signed_text(target, "not json")
    yield "a list", _signed_text(target, "[]")
    yield "a number", _signed_text(target, "7")
    yield "null", _signed_text(target, "null")
    yield "exp is not a number", _signed_text(target, json.dumps(target.claims(exp=None))[:-1] + ', "exp": NaN}')
    yield "exp without end", _signed_text(target, json.dumps(target.claims(exp=None))[:-1] + ', "exp": 1e999}')


def _broken(target: Target) -> Iterator[tuple[str, str]]:
    good = target.signed(target.claims())
    head, body, signature = good.split(".")
    other = _part(target.claims(sub="someone-else"))
    yield "another payload under the signature", f"{head}.{other}.{signature}"
    yield "another header under the signature", f"{_part({**_head(target), 'x': 1})}.{body}.{signature}"
    yield "one sign of the signature changed", good[:-8] + ("A" if good[-8] != "A" else "B") + good[-7:]
    yield from {
        "empty parts": "..", "one part": "a", "four parts": f"{good}.x", "five parts": f"{good}.x.y",
        "a space within": f"{head}. {body}.{signature}", "not base64": f"{head}.!!!.{signature}",
        "standard base64": f"{head}.{body}+/.{signature}", "padded": f"{head}.{body}=.{signature}",
        "umlauts": "ä.ö.ü", "long": good + "A" * 17_000, "very long": "A" * 30_000,
        "header 3,000 deep": f"{_text('[' * 3000 + ']' * 3000)}.{body}.{signature}",
        "header is a surrogate": f"{_text(json.dumps(chr(0xD800)))}.{body}.{signature}",
        "header is no object": f"{_text('[]')}.{body}.{signature}",
    }.items()  # fmt: skip


def _head(target: Target) -> dict[str, Any]:
    return {"alg": "RS256", "kid": target.key.kid}


def _signed_with(key: RSAKey, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """RSASSA over whatever header and claims, which a library would not sign."""
    return _sign(key, _part(header), _part(claims))


def _signed_text(target: Target, payload: str) -> str:
    return _sign(target.key, _part(_head(target)), _text(payload))


def _sign(key: RSAKey, head: str, body: str) -> str:
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.hashes import SHA256

    assert key.private_key is not None
    signature = key.private_key.sign(f"{head}.{body}".encode(), padding.PKCS1v15(), SHA256())
    return f"{head}.{body}.{_encode(signature)}"


def _part(value: dict[str, Any]) -> str:
    return _text(json.dumps(value))


def _text(value: str) -> str:
    return _encode(value.encode())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
