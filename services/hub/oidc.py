"""Signing in: OpenID Connect, authorization code with PKCE, the hub being a confidential client."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx

from chassis.web.problems import Problem
from chassis.web.tokens import Tokens
from services.hub.settings import HubSettings

SCOPE = "openid profile email offline_access"
DISCOVERED_SECONDS = 3600


class SignInFailed(Exception):
    """The issuer refused, or its answer does not hold; nobody is signed in."""


class IssuerDown(Exception):
    """The issuer does not answer."""


@dataclass(frozen=True, slots=True)
class Pending:
    """What a sign-in that is under way must come back with."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> Pending:
        return cls(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48))

    @property
    def challenge(self) -> str:
        """RFC 7636, S256."""
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


class Oidc:
    """The hub as a client of the issuer; `http` reaches the issuer, and nothing is fetched before it is needed."""

    def __init__(self, settings: HubSettings, http: httpx.AsyncClient) -> None:
        self._settings = settings
        self._http = http
        self._identities = Tokens(settings.model_copy(update={"audience": settings.hub_client_id}))
        self._document: dict[str, Any] = {}
        self._read_at = float("-inf")

    @property
    def callback(self) -> str:
        return f"{self._settings.public_url}/auth/callback"

    async def sign_in_url(self, pending: Pending, language: str) -> str:
        """Where the browser goes to sign in. Raises IssuerDown."""
        query = {
            "response_type": "code",
            "client_id": self._settings.hub_client_id,
            "redirect_uri": self.callback,
            "scope": SCOPE,
            "state": pending.state,
            "nonce": pending.nonce,
            "code_challenge": pending.challenge,
            "code_challenge_method": "S256",
            "ui_locales": language,
        }
        return f"{(await self._discover())['authorization_endpoint']}?{urlencode(query)}"

    async def redeem(self, code: str, pending: Pending) -> dict[str, Any]:
        """The tokens of a person who came back with `code`. Raises SignInFailed, IssuerDown."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.callback,
            "code_verifier": pending.verifier,
        }
        answer = await self._token(form)
        try:
            identity = await self._identities.verify(str(answer.get("id_token", "")))
        except Problem as error:
            raise SignInFailed(f"id_token: {error.detail}") from error
        if not secrets.compare_digest(str(identity.claims.get("nonce", "")), pending.nonce):
            raise SignInFailed("id_token: nonce")
        return self._kept(answer)

    async def renew(self, tokens: dict[str, Any]) -> dict[str, Any]:
        """New tokens for ones that end. Raises SignInFailed when the issuer has had enough, IssuerDown."""
        if not tokens.get("refresh"):
            raise SignInFailed("no refresh token")
        answer = await self._token({"grant_type": "refresh_token", "refresh_token": tokens["refresh"]})
        return {**tokens, **self._kept(answer)}

    async def sign_out_url(self, tokens: dict[str, Any]) -> str | None:
        """Where the browser goes to end the issuer's own session; None if the issuer offers no such place."""
        try:
            endpoint = (await self._discover()).get("end_session_endpoint")
        except IssuerDown:
            return None
        query = {
            "client_id": self._settings.hub_client_id,
            "post_logout_redirect_uri": f"{self._settings.public_url}/",
            "id_token_hint": tokens.get("identity", ""),
        }
        return f"{endpoint}?{urlencode({k: v for k, v in query.items() if v})}" if endpoint else None

    def _kept(self, answer: dict[str, Any]) -> dict[str, Any]:
        found = {
            "access": answer.get("access_token"),
            "until": time.time() + int(answer.get("expires_in", 300)),
            "refresh": answer.get("refresh_token"),
            "identity": answer.get("id_token"),
        }
        if not found["access"]:
            raise SignInFailed("no access token")
        return {name: value for name, value in found.items() if value}

    async def _token(self, form: dict[str, str]) -> dict[str, Any]:
        endpoint = (await self._discover())["token_endpoint"]
        secret = self._settings.hub_client_secret.get_secret_value()
        try:
            answer = await self._http.post(endpoint, data=form, auth=(self._settings.hub_client_id, secret))
            body: dict[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise IssuerDown(type(error).__name__) from error
        if answer.status_code >= 500:
            raise IssuerDown(str(answer.status_code))
        if answer.status_code >= 400:
            raise SignInFailed(str(body.get("error", answer.status_code)))
        return body

    async def _discover(self) -> dict[str, Any]:
        if time.monotonic() - self._read_at > DISCOVERED_SECONDS:
            try:
                answer = await self._http.get(f"{self._settings.issuer}/.well-known/openid-configuration")
                document = answer.raise_for_status().json()
            except (httpx.HTTPError, ValueError) as error:
                raise IssuerDown(type(error).__name__) from error
            if document.get("issuer") != self._settings.issuer:
                raise IssuerDown("the discovery document is of another issuer")
            self._document, self._read_at = document, time.monotonic()
        return self._document
