"""The HTTP application of a service: limits, problem details, health, metrics and server spans around its routes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from functools import cache
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi_problem.handler import ExceptionHandler, Handler, add_exception_handler, new_exception_handler
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from pydantic_core import ErrorDetails
from pymongo.errors import PyMongoError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from chassis.dead_letters.api import dead_letters_router
from chassis.mongo import unreachable
from chassis.rules import rule_of
from chassis.telemetry.otel import Telemetry, exposition
from chassis.web.admission import Admission
from chassis.web.answers import Answer, AnswerFailures, HeadAsGet, NoStore, allowed_methods
from chassis.web.authorization import right_of_route
from chassis.web.health import MEDIA_TYPE, health_answer
from chassis.web.problems import Invalid, Malformed, Overloaded, Problem, Violation
from chassis.web.proxies import TrustedProxies
from chassis.web.read_after_write import AppliedEvents
from chassis.web.rights import FOR_ANYONE, rights_of
from chassis.web.statuses import share_problems
from chassis.web.traces import ForeignTraces, link_foreign_trace

if TYPE_CHECKING:
    from chassis.service import Service

logger = logging.getLogger(__name__)
MAX_BODY = 1024 * 1024
_PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457; some types have further members.",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "description": "Stable; what a program goes by"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "rule", "detail"],
                "properties": {
                    "field": {"type": "string", "description": "Its path, with dots"},
                    "rule": {"type": "string", "description": "Stable; what a program goes by"},
                    "detail": {"type": "string"},
                    "params": {"type": "object", "description": "Of the rule, such as `max` of `too-long`"},
                },
            },
        },
    },
    "example": {
        "type": "invalid",
        "title": "A field breaks a rule.",
        "status": 422,
        "detail": "See `errors` for each field and the rule it breaks.",
        "errors": [
            {"field": "name", "rule": "too-long", "detail": "At most 200 characters.", "params": {"max": 200}},
        ],
    },
}
_TITLES = {
    404: ("not-found", "There is no such address."),
    405: ("method", "This method is not offered here."),
}


def create_app(service: Service) -> FastAPI:
    """The service's API with everything that is the same in each of them."""
    runtime = service.runtime
    app = FastAPI(
        title=f"Herald {service.name}",
        version="1",
        description=service.description,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,  # such a redirect would lead wherever `Host` says
        separate_input_output_schemas=False,
    )
    app.state.context = service.context
    app.state.mongo = runtime.mongo
    app.state.principals = service.principals
    app.state.applied = (
        AppliedEvents(runtime.mongo, service.consumer, seconds=runtime.settings.wait_seconds)
        if service.consumer is not None
        else None
    )
    app.state.tokens = runtime.tokens
    app.state.settings = runtime.settings
    app.state.rate_limits = runtime.rate_limits
    app.router.routes += service.router.routes  # made already; `include_router` would make each anew
    if service.consumer is not None:
        app.router.routes += dead_letters_router(runtime).routes
    add_health(app, service)
    answer = _add_problems(app)
    _describe(app)

    async def openapi(_: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(app.openapi))  # made at the first call, in a third of a second

    app.add_route("/openapi.json", openapi, include_in_schema=False)
    limits = dict(service.max_body)
    app.add_middleware(
        Admission,
        concurrency=runtime.settings.max_concurrency,
        max_body=lambda path: next((size for start, size in limits.items() if path.startswith(start)), MAX_BODY),
        telemetry=runtime.telemetry,
        authorize=right_of_route(app),
    )
    app.add_middleware(AnswerFailures, answer=answer)
    app.add_middleware(NoStore)
    app.add_middleware(HeadAsGet)
    instrument(app, service)
    return app


def instrument(app: FastAPI, service: Service) -> None:
    """Server spans and request metrics."""
    FastAPIInstrumentor.instrument_app(
        app,
        tracer_provider=service.runtime.telemetry.tracer_provider,
        meter_provider=service.runtime.telemetry.meter_provider,
        excluded_urls="/health/(live|ready)$,/metrics$",
        exclude_spans=["send", "receive"],
        server_request_hook=link_foreign_trace,
    )
    proxies = TrustedProxies(service.runtime.settings.trusted_proxies)
    traced = app.build_middleware_stack
    app.build_middleware_stack = lambda: ForeignTraces(traced(), proxies)  # type: ignore[method-assign]


def _describe(app: FastAPI) -> None:
    """Have the OpenAPI document say what each operation needs, and what a problem looks like.

    The needs of an operation are alternatives, each a security requirement of its own. Raises LookupError for a route
    that names none.
    """
    undescribed = app.openapi
    rights = rights_of(app)

    @cache
    def openapi() -> dict[str, Any]:
        document = undescribed()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        schemas["Problem"] = _PROBLEM
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                operation["security"] = [{"HTTPBearer": [word]} for word in rights[path, method.upper()]]
        document["components"]["responses"] = share_problems(document)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def add_health(app: FastAPI, service: Service) -> None:
    """`/health/live`, `/health/ready` and `/metrics`."""

    @app.get("/health/live", include_in_schema=False, dependencies=[FOR_ANYONE])
    async def live() -> Response:
        return health_response(service.stuck())

    @app.get("/health/ready", include_in_schema=False, dependencies=[FOR_ANYONE])
    async def ready() -> Response:
        return health_response(await service.unready())

    @app.get("/metrics", include_in_schema=False, dependencies=[FOR_ANYONE])
    async def metrics(request: Request) -> Response:
        return await metrics_response([service.runtime.telemetry], request)


async def metrics_response(telemetries: Sequence[Telemetry], request: Request) -> Response:
    """The metrics of these services in the format that the request accepts."""
    body, media_type = await asyncio.to_thread(exposition, telemetries, request.headers.get("accept", ""))
    return Response(body, headers={"content-type": media_type})


def health_response(reasons: Sequence[str]) -> Response:
    """The health of a process as a response."""
    status, body = health_answer(reasons)
    return Response(body, status_code=status, media_type=MEDIA_TYPE)


# --- problems ----------------------------------------------------------------------------------------------------


def _add_problems(app: FastAPI) -> Answer:
    """Every failure as a problem; what is returned answers those that no handler of the application gets."""
    handlers: dict[type[Exception], Handler[Any, Any]] = {
        PyMongoError: _database,
        HTTPException: _http,
        RequestValidationError: _validation,
        Exception: _unexpected,
    }
    handler = new_exception_handler(
        handlers=handlers, http_exception_handler=_http, request_validation_handler=_validation
    )
    add_exception_handler(app, handler, generic_swagger_defaults=False)
    app.add_exception_handler(PyMongoError, handler)
    del app.exception_handlers[Exception]  # Starlette would answer it outside of every middleware, and raise it again

    async def answer(request: Request, error: Exception) -> Response:
        return handler(request, error)

    return answer


def _database(_: ExceptionHandler, __: Request, error: PyMongoError) -> Problem:
    if unreachable(error):
        return Overloaded("The database does not answer.", retry_after=2)
    logger.error("the database refused", exc_info=error)
    return Problem()


def _unexpected(_: ExceptionHandler, __: Request, error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    logger.error("a request failed", exc_info=error)
    return Problem()


def _http(_: ExceptionHandler, request: Request, error: HTTPException) -> Problem:
    type_, detail = _TITLES.get(error.status_code, (f"http-{error.status_code}", str(error.detail)))
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = allowed_methods(request.app.routes, request.scope)
    problem = Problem(detail, type_=type_, headers=headers)
    problem.status = error.status_code
    problem.title = str(error.detail)
    return problem


def _validation(_: ExceptionHandler, __: Request, error: RequestValidationError) -> Problem:
    first = error.errors()[0] if error.errors() else {}
    if first.get("type") == "json_invalid":
        return Malformed(str(first.get("ctx", {}).get("error", "")) or None)
    violations = [_violation(one) for one in error.errors()[:50]]
    return Invalid("See `errors` for each field and the rule it breaks.", errors=violations)


def _violation(error: ErrorDetails) -> Violation:
    rule, params = rule_of(error)
    return Violation(_field(error["loc"]), rule, error["msg"], params=params)


def _field(location: tuple[Any, ...]) -> str:
    steps = [str(step) for step in takewhile(lambda step: step != "[key]", location)]
    return ".".join(steps[1:] if len(steps) > 1 and steps[0] in ("body", "query", "path", "header") else steps)
