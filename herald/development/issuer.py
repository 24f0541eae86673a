"""The development issuer: an OpenID Connect provider that lets anyone sign in as a named persona.

Only the gateway of `herald up` mounts it, and only on an address of this machine or its own network: no service has a
setting for it. It follows the standards that a company's provider follows (discovery, authorization code with PKCE,
refresh, client credentials, end of session), so that nothing in Herald knows the difference.

    GET  /.well-known/openid-configuration   /jwks   /userinfo   /end-session
    GET  /authorize        the personas to choose from      POST /authorize   the choice
    POST /token            authorization_code, refresh_token, client_credentials, and PERSONA_GRANT, for those
                           who can read the issuer's key file: a token of any person
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from herald.development.personas import PERSONAS, find_persona, subject_of

ALGORITHM = "RS256"
AUDIENCE = "herald"
HUB_CLIENT = "herald-hub"
MACHINE_CLIENT = "herald-machine"
COMMAND_CLIENT = "herald-cli"
PERSONA_GRANT = "urn:herald:params:oauth:grant-type:persona"
MACHINE_SCOPES = ("herald:engagements:write", "herald:mail:write")
ACCESS_SECONDS = 3600
REFRESH_SECONDS = 30 * 24 * 3600
CODE_SECONDS = 60
MAX_CODES = 10_000
MAX_FORM = 64 * 1024
PAGES = Path(__file__).parent / "issuer_pages"
CLAIMS = ("sub", "sid", "email", "email_verified", "name", "locale", "country", "team")


@dataclass(frozen=True, slots=True)
class Client:
    """An application that may request tokens; without `redirect_uris` it cannot sign people in."""

    id: str
    secret: str
    redirect_uris: tuple[str, ...] = ()
    sign_out_uris: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grant:
    """What a code stands for until it is redeemed, once."""

    client: str
    redirect_uri: str
    challenge: str
    person: dict[str, Any]
    nonce: str | None
    scope: str
    until: float


class OAuthError(Exception):
    """An error of RFC 6749, by its registered word."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


def read_key(path: Path) -> RSAKey:
    """The issuer's private key from PEM."""
    return RSAKey.import_key(path.read_bytes(), {"use": "sig", "alg": ALGORITHM})


def derived_secret(key: RSAKey, client_id: str) -> str:
    """The secret of a client among this installation's own tools, derived from the key file."""
    return hmac.new(key.as_pem(private=True), client_id.encode(), hashlib.sha256).hexdigest()


def claims_of(email: str, said: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The claims of a person: a persona's, or for any other address those that the caller gives."""
    persona = find_persona(email)
    if persona is not None:
        known = {
            "name": persona.name,
            "locale": persona.locale,
            "country": persona.country,
            "team": persona.team,
        }
        email = persona.email
    else:
        known = {name: value for name in ("name", "locale", "country", "team") if (value := (said or {}).get(name))}
    return {"sub": subject_of(email), "email": email, "email_verified": True, **known}


@dataclass
class Issuer:
    """Signs tokens for one issuer address. Its authorization codes exist in this process only."""

    url: str
    key: RSAKey
    clients: Mapping[str, Client]
    now: Callable[[], float] = time.time
    codes: dict[str, Grant] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.key.ensure_kid()

    # --- tokens ---

    def access_token(self, claims: Mapping[str, Any], client: str, scope: str, seconds: int = ACCESS_SECONDS) -> str:
        """A bearer token for Herald's APIs."""
        return self._sign({**claims, "aud": AUDIENCE, "client_id": client, "scope": scope}, "at+jwt", seconds)

    def _sign(self, claims: Mapping[str, Any], kind: str, seconds: int) -> str:
        now = int(self.now())
        whole = {"iss": self.url, "iat": now, "exp": now + seconds, "jti": secrets.token_urlsafe(12), **claims}
        return jwt.encode({"alg": ALGORITHM, "kid": self.key.kid, "typ": kind}, whole, self.key)

    def read(self, token: str, kind: str) -> dict[str, Any]:
        """The claims of a token of ours that still holds. Raises OAuthError("invalid_grant")."""
        try:
            found = jwt.decode(token, self.key, algorithms=[ALGORITHM])
        except (JoseError, ValueError) as error:
            raise OAuthError("invalid_grant", "This token was not given out here.") from error
        if found.header.get("typ") != kind or found.claims.get("exp", 0) < self.now():
            raise OAuthError("invalid_grant", "This token does not hold any more.")
        return dict(found.claims)

    def tokens_for(self, person: Mapping[str, Any], client: str, scope: str, nonce: str | None) -> dict[str, Any]:
        """The answer of the token endpoint for a person."""
        answer: dict[str, Any] = {
            "access_token": self.access_token(person, client, scope),
            "token_type": "Bearer",
            "expires_in": ACCESS_SECONDS,
            "scope": scope,
            "refresh_token": self._sign(
                {**person, "aud": self.url, "client_id": client, "scope": scope}, "refresh+jwt", REFRESH_SECONDS
            ),
        }
        if "openid" in scope.split():
            identity = {**person, "aud": client, **({"nonce": nonce} if nonce else {})}
            answer["id_token"] = self._sign(identity, "JWT", ACCESS_SECONDS)
        return answer

    # --- codes ---

    def code_for(self, grant: Grant) -> str:
        """A code that can be redeemed once, for a minute."""
        for old in [code for code, one in self.codes.items() if one.until < self.now()]:
            del self.codes[old]
        if len(self.codes) >= MAX_CODES:
            raise OAuthError("temporarily_unavailable", "Too many sign-ins at once.", 503)
        code = secrets.token_urlsafe(32)
        self.codes[code] = grant
        return code

    def redeem(self, form: Mapping[str, str], client: Client) -> dict[str, Any]:
        """Tokens for a code. Raises OAuthError if a parameter differs from the authorization request."""
        grant = self.codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if (
            grant is None
            or grant.until < self.now()
            or grant.client != client.id
            or grant.redirect_uri != form.get("redirect_uri")
            or not hmac.compare_digest(grant.challenge, challenge.rstrip(b"=").decode())
        ):
            raise OAuthError("invalid_grant", "The code, its verifier or its address do not hold.")
        person = {**grant.person, "sid": secrets.token_urlsafe(12)}
        return self.tokens_for(person, client.id, grant.scope, grant.nonce)

    def grant(self, form: Mapping[str, str], client: Client) -> dict[str, Any]:
        """The answer of the token endpoint. Raises OAuthError."""
        kind = form.get("grant_type")
        if kind == "authorization_code":
            return self.redeem(form, client)
        if kind == "refresh_token":
            claims = self.read(form.get("refresh_token", ""), "refresh+jwt")
            if claims["client_id"] != client.id:
                raise OAuthError("invalid_grant", "This token was given to another client.")
            return self.tokens_for(
                {name: claims[name] for name in CLAIMS if name in claims}, client.id, claims["scope"], None
            )
        if kind == "client_credentials" and client.scopes:
            scope = form.get("scope") or " ".join(client.scopes)
            if not set(scope.split()) <= set(client.scopes):
                raise OAuthError("invalid_scope", "This client may not have that scope.")
            token = self.access_token({"sub": client.id}, client.id, scope)
            return {"access_token": token, "token_type": "Bearer", "expires_in": ACCESS_SECONDS, "scope": scope}
        if kind == PERSONA_GRANT and client.id == COMMAND_CLIENT:
            person = form.get("persona", "")
            if find_persona(person) is None and "@" not in person:
                raise OAuthError("invalid_grant", "There is no such persona, and this is no e-mail address.")
            token = self.access_token(claims_of(person, form), client.id, "openid")
            return {"access_token": token, "token_type": "Bearer", "expires_in": ACCESS_SECONDS, "scope": "openid"}
        raise OAuthError("unsupported_grant_type", "This client may not use that grant.")


def build_issuer(url: str, key: RSAKey, *, public_url: str, hub_secret: str) -> Starlette:
    """The issuer of a local installation whose hub is at `public_url`. Raises ValueError on a public address."""
    if not is_local(url):
        raise ValueError(f"the development issuer serves this machine and its own network only, not {url}")
    clients = (
        Client(HUB_CLIENT, hub_secret, (f"{public_url}/auth/callback",), (f"{public_url}/",)),
        Client(MACHINE_CLIENT, derived_secret(key, MACHINE_CLIENT), scopes=MACHINE_SCOPES),
        Client(COMMAND_CLIENT, derived_secret(key, COMMAND_CLIENT)),
    )
    return issuer_app(Issuer(url, key, {client.id: client for client in clients}))


def is_local(url: str) -> bool:
    """Whether the host is this machine or an address that no public network has."""
    from ipaddress import ip_address

    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_private
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def issuer_app(issuer: Issuer) -> Starlette:
    """The issuer's addresses, relative to where it is mounted."""
    endpoints = _Endpoints(issuer)
    app = Starlette(
        routes=[
            Route("/.well-known/openid-configuration", endpoints.discovery),
            Route("/jwks", endpoints.jwks),
            Route("/authorize", endpoints.authorize, methods=["GET", "POST"]),
            Route("/token", endpoints.token, methods=["POST"]),
            Route("/userinfo", endpoints.userinfo, methods=["GET", "POST"]),
            Route("/end-session", endpoints.end_session, methods=["GET", "POST"]),
            Route("/style.css", lambda _: FileResponse(PAGES / "style.css", media_type="text/css")),
        ],
        exception_handlers={OAuthError: _oauth_error},
    )
    app.router.redirect_slashes = False  # such a redirect would lead wherever `Host` says
    app.state.issuer = issuer
    return app


class _Endpoints:
    def __init__(self, issuer: Issuer) -> None:
        from jinja2 import Environment, FileSystemLoader

        self._issuer = issuer
        self._pages = Environment(loader=FileSystemLoader(PAGES), autoescape=True)

    async def discovery(self, _: Request) -> Response:
        url = self._issuer.url
        return JSONResponse(
            {
                "issuer": url,
                "authorization_endpoint": f"{url}/authorize",
                "token_endpoint": f"{url}/token",
                "userinfo_endpoint": f"{url}/userinfo",
                "end_session_endpoint": f"{url}/end-session",
                "jwks_uri": f"{url}/jwks",
                "response_types_supported": ["code"],
                "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": [ALGORITHM],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
                "scopes_supported": ["openid", "profile", "email", "offline_access"],
                "claims_supported": list(CLAIMS),
            }
        )

    async def jwks(self, _: Request) -> Response:
        return JSONResponse({"keys": [self._issuer.key.as_dict(private=False)]})

    async def authorize(self, request: Request) -> Response:
        """GET shows the personas; POST, with the same query, chooses one."""
        query = request.query_params
        client = self._issuer.clients.get(query.get("client_id", ""))
        redirect_uri = query.get("redirect_uri", "")
        if client is None or redirect_uri not in client.redirect_uris:
            raise OAuthError("invalid_request", "Unknown client or redirect address.")
        wrong = _wrong_request(query)
        if wrong:
            return _back(redirect_uri, {"error": wrong[0], "error_description": wrong[1]}, query)
        if request.method == "GET":
            return self._choice(request, redirect_uri)
        form = await _form(request)
        if find_persona(form.get("persona", "")) is None:
            return _back(redirect_uri, {"error": "access_denied"}, query)
        grant = Grant(
            client=client.id,
            redirect_uri=redirect_uri,
            challenge=query["code_challenge"],
            person=claims_of(form["persona"]),
            nonce=query.get("nonce"),
            scope=query.get("scope", "openid"),
            until=self._issuer.now() + CODE_SECONDS,
        )
        return _back(redirect_uri, {"code": self._issuer.code_for(grant)}, query)

    def _choice(self, request: Request, redirect_uri: str) -> Response:
        asked = request.query_params.get("ui_locales") or request.headers.get("accept-language", "")
        page = self._pages.get_template("authorize.html").render(
            personas=PERSONAS,
            language="fr" if asked.lower().startswith("fr") else "en",
            action=f"{self._issuer.url}/authorize?{request.url.query}",
            style=f"{self._issuer.url}/style.css",
        )
        back = "{0.scheme}://{0.netloc}".format(urlsplit(redirect_uri))
        policy = (
            f"default-src 'none'; style-src 'self'; form-action 'self' {back}; base-uri 'none'; frame-ancestors 'none'"
        )
        return HTMLResponse(page, headers={"Content-Security-Policy": policy, "Cache-Control": "no-store"})

    async def token(self, request: Request) -> Response:
        form = await _form(request)
        answer = self._issuer.grant(form, _authenticated(request, form, self._issuer.clients))
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    async def userinfo(self, request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        try:
            claims = self._issuer.read(token, "at+jwt")
        except OAuthError as error:
            raise OAuthError("invalid_token", error.description, 401) from error
        return JSONResponse({name: claims[name] for name in CLAIMS if name in claims})

    async def end_session(self, request: Request) -> Response:
        """There is no session to end: redirects to where the person came from."""
        said = {**request.query_params, **(await _form(request) if request.method == "POST" else {})}
        wanted = said.get("post_logout_redirect_uri", "")
        if not any(wanted in client.sign_out_uris for client in self._issuer.clients.values()):
            raise OAuthError("invalid_request", "Unknown address to return to.")
        return _back(wanted, {}, said)


def _wrong_request(query: Mapping[str, str]) -> tuple[str, str] | None:
    if query.get("response_type") != "code":
        return "unsupported_response_type", "Only code is offered."
    if query.get("code_challenge_method") != "S256" or len(query.get("code_challenge", "")) != 43:
        return "invalid_request", "PKCE with S256 is required."
    return None


def _back(uri: str, answer: Mapping[str, str], query: Mapping[str, str]) -> Response:
    state = {"state": query["state"]} if query.get("state") else {}
    text = urlencode({**answer, **state})
    return RedirectResponse(f"{uri}?{text}" if text else uri, status_code=303)


async def _form(request: Request) -> dict[str, str]:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM:
            raise OAuthError("invalid_request", "The form is too large.", 413)
    return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))


def _authenticated(request: Request, form: Mapping[str, str], clients: Mapping[str, Client]) -> Client:
    """The client of the request, authenticated by HTTP Basic or by its secret in the form."""
    name, secret = form.get("client_id", ""), form.get("client_secret", "")
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _, secret = (unquote(part) for part in base64.b64decode(text).decode().partition(":"))
        except (binascii.Error, UnicodeDecodeError):
            name = ""
    client = clients.get(name)
    if client is None or not hmac.compare_digest(client.secret.encode(), secret.encode()):
        raise OAuthError("invalid_client", "The client's secret does not hold.", 401)
    return client


async def _oauth_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, OAuthError)
    headers = {"Cache-Control": "no-store"}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Basic" if error.error == "invalid_client" else "Bearer"
    body = {"error": error.error, "error_description": error.description}
    return JSONResponse(body, status_code=error.status, headers=headers)
