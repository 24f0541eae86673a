"""The hub's composition root."""

from __future__ import annotations

from functools import cache
from urllib.parse import urlsplit

import httpx
from fastapi import APIRouter, Depends, FastAPI
from jinja2 import Environment, PackageLoader, StrictUndefined
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.authorities import https_context
from chassis.clock import Clock
from chassis.messages import LANGUAGES, languages
from chassis.offload import Offload
from chassis.runtime import Runtime
from chassis.service import Service
from chassis.text import shortened
from chassis.web.admission import Admission
from chassis.web.answers import AnswerFailures, HeadAsGet
from chassis.web.app import add_health, instrument
from chassis.web_address import shown_host
from services.hub import captions, charts, content, icons, mails, networks, pages, rendering, shell, signin
from services.hub.assets import Assets
from services.hub.context import Context
from services.hub.dependencies import protect, session_of
from services.hub.errors import add_error_pages
from services.hub.history.staging import Staging
from services.hub.language import own_name
from services.hub.oidc import OidcClient
from services.hub.pages.pictures import PICTURES
from services.hub.qr import qr
from services.hub.sessions import Sessions
from services.hub.settings import HubSettings
from services.hub.undo import UNDO_SECONDS, undo_path
from services.hub.view import is_missing

PICTURE_FORM = 11 * 1024 * 1024
MAX_BODY = {
    "/manage/import": 32 * 1024 * 1024,
    "/manage/history": 32 * 1024 * 1024,
    "/manage/identity": PICTURE_FORM,
    "/manage/look": PICTURE_FORM,
    "/editor/feeds": 6 * 1024 * 1024,
}
DEFAULT_MAX_BODY = 1024 * 1024
ROUTES = APIRouter()
"""Every page; what their routes depend on is worked out once, whatever applications have them."""
for open_to_all in (shell.router, mails.router):
    ROUTES.include_router(open_to_all)
for protected in (signin.router, *pages.ROUTERS):
    ROUTES.include_router(protected, dependencies=[Depends(protect)])


def build(
    settings: HubSettings, *, clock: Clock | None = None, transport: httpx.AsyncBaseTransport | None = None
) -> Service:
    """The hub; `transport` replaces the network to the APIs and the issuer."""
    runtime = Runtime("hub", settings, clock=clock)
    http = httpx.AsyncClient(
        timeout=httpx.Timeout(settings.api_timeout, connect=2.0),
        limits=httpx.Limits(max_connections=200, max_keepalive_connections=50, keepalive_expiry=3.0),
        transport=transport,
        trust_env=False,
        verify=https_context(settings.ca_file),
    )
    HTTPXClientInstrumentor.instrument_client(http, tracer_provider=runtime.telemetry.tracer_provider)
    sessions = Sessions(runtime.mongo, runtime.clock, settings.session_keys, settings.session_hours)
    history = Staging(runtime.mongo, runtime.clock, Offload())
    assets, environment = prepared()
    context = Context(
        settings,
        runtime.clock,
        sessions,
        history,
        OidcClient(settings, http),
        http,
        environment,
        assets,
        runtime.rate_limits,
    )

    async def ensure_indexes() -> None:
        await sessions.ensure_indexes()
        await history.ensure_indexes()

    service = Service(
        name="hub",
        runtime=runtime,
        description="The web application.",
        context=context,
        ensure_indexes=ensure_indexes,
        app=lambda: create_app(service, context),
    )
    return service


def create_app(service: Service, context: Context) -> ASGIApp:
    """Every page behind the protection of forms, and everything behind one strict policy."""
    app = FastAPI(title="Herald", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.context = context
    add_health(app, service)
    app.router.routes += ROUTES.routes
    app.add_route("/static/{digest}/{name}", context.assets.serve)
    answer = add_error_pages(app)
    app.add_middleware(Compression, minimum_size=1024, compresslevel=6)
    app.add_middleware(
        Admission,
        concurrency=context.settings.max_concurrency,
        max_body=lambda path: next(
            (size for start, size in MAX_BODY.items() if path.startswith(start)), DEFAULT_MAX_BODY
        ),
        telemetry=service.runtime.telemetry,
        authorize=session_of(context),
    )
    app.add_middleware(AnswerFailures, answer=answer)
    app.add_middleware(Policy, settings=context.settings)
    app.add_middleware(HeadAsGet)
    instrument(app, service)
    return app


@cache
def prepared() -> tuple[Assets, Environment]:
    """Assets, and templates with what each of them may use: the same for every application of a process."""
    assets = Assets()
    environment = Environment(
        loader=PackageLoader("services.hub", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["missing"] = is_missing
    environment.filters["markdown"] = content.markdown
    environment.filters["shortened"] = shortened
    environment.filters["initial"] = rendering.initial
    environment.filters["link"] = rendering.link
    environment.globals |= {
        "asset": assets.url,
        "each": rendering.each,
        "icon": icons.icon,
        "languages": LANGUAGES,
        "offered_languages": languages,
        "own_name": own_name,
        "navigation": shell.navigation,
        "home": shell.home,
        "undo_path": undo_path,
        "undo_seconds": UNDO_SECONDS,
        "with_suggestion": captions.with_suggestion,
        "in_its_language": captions.in_its_language,
        "without_link": captions.without_link,
        "charts": charts,
        "networks": networks.NETWORKS,
        "content": content,
        "qr": qr,
        "shown_host": shown_host,
    }
    return assets, environment


class Compression(GZipMiddleware):
    """For all but pictures, which are as small as they get."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(PICTURES):
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class Policy:
    """The headers that tell a browser what it must never do with our pages."""

    def __init__(self, app: ASGIApp, *, settings: HubSettings) -> None:
        self._app = app
        issuer = urlsplit(settings.issuer)
        directives = {
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'self'",
            "font-src": "'self'",
            "img-src": "'self' data: https:",
            "connect-src": "'self'",
            "manifest-src": "'self'",
            "worker-src": "'self'",
            "frame-src": "'self'",
            "form-action": f"'self' {issuer.scheme}://{issuer.netloc}",
            "base-uri": "'none'",
            "frame-ancestors": "'none'",
        }
        headers = {
            "content-security-policy": "; ".join(f"{name} {value}" for name, value in directives.items()),
            "x-content-type-options": "nosniff",
            "referrer-policy": "same-origin",
            "cross-origin-opener-policy": "same-origin-allow-popups",
            "cross-origin-resource-policy": "same-origin",
            "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
        }
        if settings.secure:
            headers["strict-transport-security"] = "max-age=31536000; includeSubDomains"
        self._headers = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message["headers"]}  # what a page says of itself goes before
                ours = [one for one in self._headers if one[0] not in given]
                message = {**message, "headers": [*message["headers"], *ours]}
            await send(message)

        await self._app(scope, receive, with_policy)
