"""OIDC bearer tokens: who is calling, and nothing else."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from chassis.authorities import https_context
from chassis.settings import Settings
from chassis.web.problems import Overloaded, Unauthenticated

logger = logging.getLogger(__name__)
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
LEEWAY_SECONDS = 30
KEYS_AT_MOST_EVERY = 10.0
KEYS_AT_LEAST_EVERY = 3600.0
MAX_TOKEN = 16 * 1024
DEVICE_PREFIX = "hdv_"
DEVICE_ISSUER = "urn:herald:device"
"""What stands for the issuer in the account of a device token; no identity provider's is a name of this form."""
_DEVICE_TOKEN = re.compile(rf"{DEVICE_PREFIX}[A-Za-z0-9_-]{{43}}")
REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Token:
    """A verified token. `account` is the SHA-256 (hex) of `<issuer>|<subject>`.

    A device token is no identity provider's: 256 bits that a browser's session holds and Herald knows by their hash
    alone, the account. Whose it is, if anybody's, is looked up like every other account
    (`docs/adr/0015-a-one-time-code-lets-a-device-in.md`).
    """

    account: str
    claims: dict[str, Any]
    header: dict[str, Any] = field(default_factory=dict)
    device: bool = False

    @property
    def subject(self) -> str:
        return str(self.claims["sub"])

    @property
    def machine(self) -> str | None:
        """The client id of a client-credentials token, which speaks for no person."""
        return machine_of(self.claims)

    @property
    def session(self) -> str:
        """The SHA-256 (hex) of the sign-in that the token belongs to, as far as its claims tell."""
        told = self.claims.get("sid") or self.claims.get("jti") or self.claims.get("iat")
        return hashlib.sha256(f"{self.account}|{told}".encode()).hexdigest()

    @property
    def scopes(self) -> frozenset[str]:
        """What a client was granted: `scope` (RFC 9068), `scp` (Okta) or `roles` (Entra's application permissions)."""
        return frozenset(word for name in ("scope", "scp", "roles") for word in _words(self.claims.get(name)) if word)


def machine_of(claims: Mapping[str, Any]) -> str | None:
    """The client of a token that was given out for the client itself; None for a person's.

    Issuers say it in different ways: the subject is the client (RFC 9068, Okta), `idtyp` is `app` (Entra), or the
    client's own user has a name of one form (Keycloak, where only such tokens have `client_id`).
    """
    client = next((str(claims[name]) for name in ("client_id", "azp", "cid", "appid") if claims.get(name)), None)
    if client is None:
        return None
    of_keycloak = "client_id" in claims and claims.get("preferred_username") == f"service-account-{client.lower()}"
    return client if client == claims["sub"] or claims.get("idtyp") == "app" or of_keycloak else None


def _words(claim: Any) -> list[str]:
    return claim.split() if isinstance(claim, str) else [str(one) for one in claim] if isinstance(claim, list) else []


def discovery_url(issuer: str) -> str:
    """Where an issuer tells of itself. Its own trailing slash, if any, is left out (OpenID Connect Discovery, 4.1)."""
    return f"{issuer.removesuffix('/')}/.well-known/openid-configuration"


def account_of(issuer: str, subject: str) -> str:
    return hashlib.sha256(f"{issuer}|{subject}".encode()).hexdigest()


def new_device_token() -> str:
    return DEVICE_PREFIX + secrets.token_urlsafe(32)


def _device(text: str) -> Token:
    """Raises Unauthenticated for what no device can hold."""
    if not _DEVICE_TOKEN.fullmatch(text):
        raise _refused("signature", "This is no token of a device.")
    account = account_of(DEVICE_ISSUER, text)
    return Token(account, {"iss": DEVICE_ISSUER, "sub": account, "sid": account}, device=True)


class Tokens:
    """Verifies tokens against the issuer's published keys.

    They are fetched when needed, at most every 10 s; twice a second while there are none.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._keys: KeySet | None = None
        self._fetched = float("-inf")
        self._tried = float("-inf")
        self._lock = asyncio.Lock()
        self._known: OrderedDict[str, Token] = OrderedDict()
        self._registry = JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": settings.issuer},
            aud={"essential": True, "value": settings.audience},
            exp={"essential": True},
            sub={"essential": True},
        )

    async def verify(self, text: str) -> Token:
        """Raises Unauthenticated, saying which rule the token breaks; Overloaded if no keys could be had."""
        if text.startswith(DEVICE_PREFIX):
            return _device(text)
        if len(text) > MAX_TOKEN:
            raise _refused("too-long", "The token is too long.")
        known = self._known.get(text)
        if known is not None and known.claims["exp"] + LEEWAY_SECONDS > time.time():
            return known
        decoded = await self._decode(text)
        if "crit" in decoded.header:
            raise _refused("extension", "The token needs an extension that is not known here.")
        claims = dict(decoded.claims)
        try:
            self._registry.validate(claims)
            account = account_of(claims["iss"], self._subject(claims))
        except JoseError as error:
            raise _refused(_rule(error), "The token was not issued for here, or no longer holds.") from None
        except UnicodeError:
            raise _refused("invalid_claim:sub", "The token names nobody.") from None
        token = Token(account, claims, dict(decoded.header))
        self._known[text] = token
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return token

    def _subject(self, claims: dict[str, Any]) -> str:
        """What the account is known by. A machine is its client, whichever claim is set for persons."""
        name = self._settings.account_claim
        subject = machine_of(claims) or claims.get(name)
        if not isinstance(subject, str) or not subject:
            raise _refused(f"missing_claim:{name}", f"The token has no claim {name}.")
        return subject

    async def _decode(self, text: str) -> jwt.Token:
        keys = await self._current()
        failure: Exception | None = None
        for fresh in (False, True):
            if fresh:
                newer = await self._fetch()
                if newer is None or newer is keys:
                    break
                keys = newer
            try:
                return jwt.decode(text, keys, algorithms=ALGORITHMS)
            except (JoseError, ValueError, TypeError, RecursionError) as error:
                failure = error
        raise _refused("signature", "The token's signature does not hold.") from failure

    async def _current(self) -> KeySet:
        if self._keys is None or time.monotonic() - self._fetched > KEYS_AT_LEAST_EVERY:
            await self._fetch()
        if self._keys is None:
            raise Overloaded("The identity provider's keys cannot be had.", retry_after=5)
        return self._keys

    async def _fetch(self) -> KeySet | None:
        """The newest keys; the ones at hand when it is too soon to ask, or when asking fails."""
        async with self._lock:
            wait = KEYS_AT_MOST_EVERY if self._keys is not None else 0.5
            if time.monotonic() - self._tried < wait:
                return self._keys
            self._tried = time.monotonic()
            try:
                trusted = https_context(self._settings.ca_file)
                async with httpx.AsyncClient(timeout=5, trust_env=False, verify=trusted) as client:
                    url = self._settings.jwks_url
                    if url is None:
                        discovered = await client.get(discovery_url(self._settings.issuer))
                        url = discovered.raise_for_status().json()["jwks_uri"]
                    document = (await client.get(url)).raise_for_status().json()
                self._keys = KeySet.import_key_set(document)
                self._fetched = time.monotonic()
            except (httpx.HTTPError, JoseError, KeyError, TypeError, ValueError) as error:
                logger.warning("the issuer's keys could not be fetched: %s", type(error).__name__)
            return self._keys


def _rule(error: JoseError) -> str:
    claim = getattr(error, "claim", None)
    return f"{error.error}:{claim}" if claim else str(error.error)


def _refused(rule: str, detail: str) -> Unauthenticated:
    return Unauthenticated(detail, rule=rule, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
