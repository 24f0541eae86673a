"""One address in front of everything that `herald up` runs: a path prefix leads to an ASGI app of this process
or to another process over HTTP. Both ways stream, so an event stream or an upload passes as it comes.

A deployment has its own ingress for this; nothing else of Herald knows the gateway.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from multidict import CIMultiDict
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.process import run_process, worker_app
from chassis.service import Service
from chassis.settings import HttpSettings
from chassis.web.proxies import TrustedProxies
from chassis.web.traces import TRACE_HEADERS
from herald.development.issuer import build_issuer, read_key
from herald.development.proxying import (
    HOP_BY_HOP,
    Header,
    RequestBody,
    connection_options,
    pass_on,
    problem,
    raw_path,
    response_headers,
    until_gone,
    upstream_url,
)

log = logging.getLogger(__name__)

# Accepted from trusted proxies only.
FORWARDED = frozenset(
    (
        b"forwarded",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-prefix",
        b"x-forwarded-proto",
        b"x-forwarded-user-agent",
        b"x-real-ip",
    )
)
MAX_BODY = 32 * 1024 * 1024
CONNECT_TIMEOUT = 2.0
FIRST_BYTE_TIMEOUT = 60.0
CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Route:
    """`prefix` (no trailing slash; empty for everything) leads to `target`: an app, or an address to proxy to.

    With `strip` the target sees the path without the prefix.
    """

    prefix: str
    target: ASGIApp | str
    strip: bool = True

    @property
    def stripped(self) -> str:
        return self.prefix if self.strip else ""

    def matches(self, raw_path: bytes) -> bool:
        prefix = self.prefix.encode()
        return raw_path.startswith(prefix) and raw_path[len(prefix) : len(prefix) + 1] in (b"", b"/")


class Gateway:
    """An ASGI app over `routes`: the longest prefix that matches wins.

    What clients say in `X-Forwarded-*` is overwritten, unless their address is in `trusted` (networks, commas between),
    whose chain is continued. Problems it answers itself: 404 `not-found`, 413 `body-too-large`, 502 `bad-gateway`,
    503 `upstream-down`, 504 `upstream-timeout`.
    """

    def __init__(self, routes: Iterable[Route], *, trusted: str = "", max_body: int = MAX_BODY) -> None:
        self._routes = sorted(routes, key=lambda route: -len(route.prefix))
        self._trusted = TrustedProxies(trusted)
        self._max_body = max_body
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1011})
            return
        route = self._find(scope)
        if route is None:
            await problem(send, 404, "not-found", "Nothing is served at this address.")
        elif isinstance(route.target, str):
            await self._proxy(route, route.target, scope, receive, send)
        else:
            await route.target(self._local_scope(route, scope), receive, send)

    async def close(self) -> None:
        """Ends the connections to the upstreams."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _find(self, scope: Scope) -> Route | None:
        path = raw_path(scope)
        return next((route for route in self._routes if route.matches(path)), None)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _local_scope(self, route: Route, scope: Scope) -> Scope:
        inner = dict(scope)
        inner["headers"] = [
            (name, value) for name, value in scope["headers"] if name not in FORWARDED
        ] + self._forwarded(scope, route)
        if route.stripped:
            # Starlette's convention: `path` stays whole, `root_path` says how much of it is the mount.
            inner["root_path"] = scope.get("root_path", "") + route.prefix
        return inner

    def _forwarded(self, scope: Scope, route: Route) -> list[Header]:
        """The headers that tell an upstream where the request came from."""
        said = {name: value for name, value in scope["headers"] if name in FORWARDED or name == b"host"}
        client = (scope.get("client") or ("",))[0]
        if not self._trusts(client):
            said = {b"host": said.get(b"host", b"")}
        chain = [said[b"x-forwarded-for"]] if b"x-forwarded-for" in said else []
        if client:
            chain.append(client.encode())
        host = said.get(b"x-forwarded-host", said.get(b"host", b""))
        headers = [
            (b"x-forwarded-for", b", ".join(chain)),
            (b"x-forwarded-proto", said.get(b"x-forwarded-proto", scope.get("scheme", "http").encode())),
            (b"x-forwarded-host", host),
        ]
        if route.stripped:
            headers.append((b"x-forwarded-prefix", route.prefix.encode()))
        if b"x-forwarded-user-agent" in said:
            headers.append((b"x-forwarded-user-agent", said[b"x-forwarded-user-agent"]))
        return [(name, value) for name, value in headers if value]

    def _trusts(self, client: str) -> bool:
        return self._trusted.trust(client)

    async def _proxy(self, route: Route, upstream: str, scope: Scope, receive: Receive, send: Send) -> None:
        body = RequestBody(scope["headers"], receive, self._max_body)
        if body.announced > self._max_body:
            await problem(send, 413, "body-too-large", f"A body has at most {self._max_body} bytes.")
            return
        sent: list[str] = []

        async def send_on(message: Message) -> None:
            sent[:] = [message["type"]]
            await send(message)

        try:
            await self._exchange(route, upstream, scope, body, send_on)
        except aiohttp.ClientConnectorError:
            answer = (503, "upstream-down", "The service does not answer at the moment.")
        except TimeoutError:
            answer = (504, "upstream-timeout", "The service took too long.")
        except (aiohttp.ClientError, ConnectionError):
            answer = (502, "bad-gateway", "The service broke off.")
        else:
            return
        if body.left:
            return
        if body.too_large:
            answer = (413, "body-too-large", f"A body has at most {self._max_body} bytes.")
        log.warning("no answer from %s for %s: %s", upstream, route.prefix or "/", answer[1])
        if sent:
            # The status was sent already: only a broken connection shows that the body is incomplete.
            raise ConnectionResetError(f"{upstream} broke off")
        await problem(send, *answer)

    async def _exchange(self, route: Route, upstream: str, scope: Scope, body: RequestBody, send: Send) -> None:
        try:
            await self._attempt(route, upstream, scope, body, send)
        except aiohttp.ClientConnectorError:
            # Nothing was sent: behind the address is perhaps another process, which lives.
            await self._attempt(route, upstream, scope, body, send)

    async def _attempt(self, route: Route, upstream: str, scope: Scope, body: RequestBody, send: Send) -> None:
        async with self._client().request(
            scope["method"],
            upstream_url(upstream, route.stripped, scope),
            headers=self._request_headers(scope, route),
            data=None if body.whole.is_set() else body.chunks(),
            allow_redirects=False,
        ) as response:
            await send(
                {
                    "type": "http.response.start",
                    "status": response.status,
                    "headers": response_headers(response.raw_headers),
                }
            )
            small = response.content_length is not None and response.content_length <= CHUNK
            if small or scope["method"] == "HEAD":
                await send({"type": "http.response.body", "body": await response.read()})
            else:
                await until_gone(body, pass_on(response, send))

    def _request_headers(self, scope: Scope, route: Route) -> CIMultiDict[str]:
        left_out = HOP_BY_HOP | FORWARDED | connection_options(scope["headers"]) | {b"host", b"expect"}
        if not self._trusts((scope.get("client") or ("",))[0]):
            left_out |= TRACE_HEADERS  # the upstream would take them for ours
        headers: CIMultiDict[str] = CIMultiDict()
        for name, value in scope["headers"]:
            if name in left_out:
                continue
            headers.add(name.decode("latin-1"), value.decode("latin-1"))
        for name, value in self._forwarded(scope, route):
            headers.add(name.decode("latin-1"), value.decode("latin-1"))
        return headers

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, limit_per_host=0, keepalive_timeout=4, ttl_dns_cache=60),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT, sock_read=FIRST_BYTE_TIMEOUT),
                read_bufsize=CHUNK,
            )
        return self._session


class GatewaySettings(HttpSettings):
    """Settings of the gateway of a local installation. Without a key there is no development issuer."""

    model_config = SettingsConfigDict(env_prefix="HERALD_", frozen=True, extra="ignore", env_ignore_empty=True)

    host: str = "127.0.0.1"
    port: int
    public_url: str
    issuer: str
    issuer_key_file: Path | None = None
    hub_client_secret: SecretStr
    links_upstream: str
    trusted_proxies: str = Field("", description="Comma-separated networks whose X-Forwarded-* headers are trusted")
    grace: float = 15.0


def routes(settings: GatewaySettings, apps: Mapping[str, ASGIApp], upstreams: Mapping[str, str]) -> list[Route]:
    """Where each prefix leads; a service runs in this process (`apps`) or in another (`upstreams`)."""
    found = [Route("/l", settings.links_upstream, strip=False)]
    if settings.issuer_key_file is not None:
        issuer = build_issuer(
            settings.issuer,
            read_key(settings.issuer_key_file),
            public_url=settings.public_url,
            hub_secret=settings.hub_client_secret.get_secret_value(),
        )
        found.append(Route("/issuer", issuer))
    targets: dict[str, ASGIApp | str] = {**upstreams, **apps}
    for name, target in targets.items():
        prefix = "" if name == "hub" else f"/api/{name}"
        found.append(Route(prefix, target))
    return found


def run_gateway(services: Sequence[Service]) -> None:
    """Serve the one address until SIGTERM: with these services in this process, the others wherever
    HERALD_<SERVICE>_UPSTREAM says."""
    settings = GatewaySettings()
    upstreams = {
        name.removeprefix("HERALD_").removesuffix("_UPSTREAM").lower(): address
        for name, address in os.environ.items()
        if name.startswith("HERALD_") and name.endswith("_UPSTREAM") and name != "HERALD_LINKS_UPSTREAM"
    }
    state = worker_app(services)
    gateway = Gateway(
        [
            *routes(settings, {service.name: service.asgi() for service in services}, upstreams),
            Route("/health", state, strip=False),
            Route("/metrics", state, strip=False),
        ],
        trusted=settings.trusted_proxies,
    )
    run_process(
        gateway,
        host=settings.host,
        port=settings.port,
        grace=settings.grace,
        limits=settings.http_limits,
        services=services,
        beside={f"{service.name} api": service.serve_api for service in services},
    )
