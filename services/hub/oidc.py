"""Signing in: OpenID Connect, authorization code with PKCE, the hub being a confidential client.

Authlib makes the requests and checks the identity token's claims; its HTTP integrations are left aside because they
bring a client of their own, which our time-outs and traces would not reach. Signatures are checked by
`chassis.web.tokens`, which holds the issuer's keys.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc.errors import JoseError

from chassis.web.problems import Problem
from chassis.web.tokens import LEEWAY_SECONDS, Tokens, discovery_url
from services.hub.settings import HubSettings

CALLBACK = "/auth/callback"
SIGNED_OUT = "/"
"""Where the issuer sends the browser after a sign-in and after a sign-out: both are registered with it."""
INVALID_CLIENT = "invalid_client"
"""RFC 6749, 5.2: the hub's own secret is refused, as while it is being replaced."""
DISCOVERED_SECONDS = 3600
DEFAULT_LIFETIME_SECONDS = 300


class SignInFailed(Exception):
    """The issuer refused, or its answer does not hold; nobody is signed in."""


class IssuerUnavailable(Exception):
    """The issuer does not answer, or does not know the hub as a client: nothing that the person could mend."""


@dataclass(frozen=True, slots=True)
class Pending:
    """What a sign-in that is under way must come back with."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> Pending:
        return cls(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48))


class _TokenClient(OAuth2Client):  # type: ignore[misc]
    """Authlib's client, with our HTTP client under it."""

    async def _fetch_token(self, url: str, body: str, auth: Any, headers: dict[str, str], **_: Any) -> dict[str, Any]:
        url, headers, body = auth.prepare("POST", url, dict(headers), body)
        try:
            response = await self.session.post(url, content=body, headers=headers)
            if response.status_code >= 500:
                raise IssuerUnavailable(str(response.status_code))
            answer: dict[str, Any] = self.parse_response_token(response)
        except (httpx.HTTPError, ValueError) as error:
            raise IssuerUnavailable(type(error).__name__) from error
        except AuthlibBaseError as error:
            if error.error == INVALID_CLIENT:
                raise IssuerUnavailable(error.error) from error
            raise SignInFailed(error.error) from error
        return answer

    _refresh_token = _fetch_token


class OidcClient:
    """The hub as a client of the issuer; `http` reaches the issuer, and nothing is fetched before it is needed."""

    def __init__(self, settings: HubSettings, http: httpx.AsyncClient) -> None:
        self._settings = settings
        self._http = http
        # Of an identity token only that it is for this sign-in: who signed in, the access token says.
        identity = {"audience": settings.hub_client_id, "account_claim": "sub"}
        self._identities = Tokens(settings.model_copy(update=identity))
        self._metadata: dict[str, Any] = {}
        self._discovered_at = float("-inf")

    def _client(self) -> _TokenClient:
        """A client for one request: Authlib's remembers the last token that it was given."""
        return _TokenClient(
            self._http,
            client_id=self._settings.hub_client_id,
            client_secret=self._settings.hub_client_secret.get_secret_value(),
            scope=self._settings.hub_scope,
            redirect_uri=f"{self._settings.public_url}{CALLBACK}",
            code_challenge_method="S256",
        )

    async def sign_in_url(self, pending: Pending, language: str) -> str:
        """Where the browser goes to sign in. Raises IssuerUnavailable."""
        endpoint = (await self._discover())["authorization_endpoint"]
        url, _ = self._client().create_authorization_url(
            endpoint,
            state=pending.state,
            code_verifier=pending.verifier,
            nonce=pending.nonce,
            ui_locales=language,
        )
        return str(url)

    async def redeem(self, code: str, pending: Pending) -> dict[str, Any]:
        """The tokens of a person who came back with `code`. Raises SignInFailed, IssuerUnavailable."""
        endpoint = (await self._discover())["token_endpoint"]
        answer = await self._client().fetch_token(
            endpoint, grant_type="authorization_code", code=code, code_verifier=pending.verifier
        )
        await self._check_identity(answer, pending)
        return _kept(answer)

    async def _check_identity(self, answer: dict[str, Any], pending: Pending) -> None:
        """OpenID Connect Core, 3.1.3.7: signature, issuer, audience, times, nonce, azp and at_hash."""
        try:
            verified = await self._identities.verify(str(answer.get("id_token", "")))
            expected = {
                "nonce": pending.nonce,
                "client_id": self._settings.hub_client_id,
                "access_token": answer.get("access_token"),
            }
            CodeIDToken(verified.claims, verified.header, params=expected).validate(leeway=LEEWAY_SECONDS)
        except Problem as error:
            raise SignInFailed(f"id_token: {error.detail}") from error
        except JoseError as error:
            raise SignInFailed(f"id_token: {error.error} {getattr(error, 'claim', '')}") from error

    async def renew(self, tokens: dict[str, Any]) -> dict[str, Any]:
        """New tokens for ones that end. Raises SignInFailed when the issuer refuses, IssuerUnavailable."""
        if not tokens.get("refresh"):
            raise SignInFailed("no refresh token")
        endpoint = (await self._discover())["token_endpoint"]
        answer = await self._client().refresh_token(endpoint, refresh_token=tokens["refresh"])
        return {**tokens, **_kept(answer)}

    async def revoke(self, tokens: dict[str, Any]) -> None:
        """Have the issuer forget a session's refresh token (RFC 7009), which may outlive its own session.

        Raises IssuerUnavailable. An issuer that offers no revocation, or refuses, is left alone.
        """
        endpoint = (await self._discover()).get("revocation_endpoint")
        if not endpoint or not tokens.get("refresh"):
            return
        secret = self._settings.hub_client_secret.get_secret_value()
        form = {"token": tokens["refresh"], "token_type_hint": "refresh_token"}
        # RFC 6749, 2.3.1: both are form-encoded before they are joined.
        auth = httpx.BasicAuth(quote_plus(self._settings.hub_client_id), quote_plus(secret))
        try:
            await self._http.post(endpoint, data=form, auth=auth)
        except httpx.HTTPError as error:
            raise IssuerUnavailable(type(error).__name__) from error

    async def sign_out_url(self, tokens: dict[str, Any]) -> str | None:
        """Where the browser goes to end the issuer's own session; None if the issuer offers no such place."""
        try:
            endpoint = (await self._discover()).get("end_session_endpoint")
        except IssuerUnavailable:
            return None
        query = {
            "client_id": self._settings.hub_client_id,
            "post_logout_redirect_uri": f"{self._settings.public_url}{SIGNED_OUT}",
            "id_token_hint": tokens.get("identity", ""),
        }
        return f"{endpoint}?{urlencode({k: v for k, v in query.items() if v})}" if endpoint else None

    async def _discover(self) -> dict[str, Any]:
        if time.monotonic() - self._discovered_at > DISCOVERED_SECONDS:
            try:
                answer = await self._http.get(discovery_url(self._settings.issuer))
                metadata = answer.raise_for_status().json()
            except (httpx.HTTPError, ValueError) as error:
                raise IssuerUnavailable(type(error).__name__) from error
            if metadata.get("issuer") != self._settings.issuer:
                raise IssuerUnavailable("the discovery document is of another issuer")
            self._metadata, self._discovered_at = metadata, time.monotonic()
        return self._metadata


def _kept(answer: dict[str, Any]) -> dict[str, Any]:
    """What a session keeps of a token response. Raises SignInFailed without an access token."""
    found = {
        "access": answer.get("access_token"),
        "until": time.time() + int(answer.get("expires_in") or DEFAULT_LIFETIME_SECONDS),
        "refresh": answer.get("refresh_token"),
        "identity": answer.get("id_token"),
    }
    if not found["access"]:
        raise SignInFailed("no access token")
    return {name: value for name, value in found.items() if value}
