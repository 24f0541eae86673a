"""What a person sees when something cannot be shown: a page in their language, never a stack trace."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pymongo.errors import PyMongoError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from chassis.messages import supported
from chassis.web.answers import Answer, allowed_methods
from chassis.web.problems import Problem
from services.hub.clients import Apis, Caller, Refusal, ServiceUnavailable, SignedOut
from services.hub.context import Context
from services.hub.dependencies import (
    BY_CODE_COOKIE,
    CutOff,
    Forbidden,
    ForgedForm,
    NeedsSignIn,
    end_access,
    forget,
    is_own,
    known_view,
    session_ended,
    sign_in_path,
    to_sign_in,
    where,
)
from services.hub.forms import answers
from services.hub.language import Language
from services.hub.paths import NoSuchPath, safe_path
from services.hub.view import BadForm, NoProgram, View

log = logging.getLogger(__name__)
Handler = Callable[[Request, Exception], Awaitable[Response]]


def add_error_pages(app: FastAPI) -> Answer:
    """Every way in which a page can fail, with its page; what is returned answers the failures outside of pages."""
    handlers: dict[int | type[Exception], Handler] = {
        NeedsSignIn: _sign_in,
        SignedOut: _sign_in,
        CutOff: _cut_off,
        Forbidden: _page(403, "not-yours"),
        ForgedForm: _forged,
        ServiceUnavailable: _unavailable,
        PyMongoError: _page(503, "down"),
        BadForm: _page(400, "bad-form"),
        NoProgram: _page(409, "no-program"),
        NoSuchPath: _page(404, "not-found"),
        Refusal: _refusal,
        RequestValidationError: _page(404, "not-found"),
        HTTPException: _http,
        Problem: _problem,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)

    async def answer(request: Request, error: Exception) -> Response:
        request.scope.setdefault("app", app)
        handler = next((found for kind, found in handlers.items() if _is(error, kind)), _unexpected)
        return await handler(request, error)

    return answer


def _is(error: Exception, kind: int | type[Exception]) -> bool:
    return isinstance(kind, type) and isinstance(error, kind)


async def render(request: Request, status: int, kind: str, words: str = "", refusal: Refusal | None = None) -> Response:
    """Of a form, its own page with what was typed; else the error page, in as much of the layout as is known of the
    person by now."""
    view = getattr(request.state, "view", None) or _bare_view(request)
    response = await answers.answer(request, _failure(view, status, kind, words, refusal))
    response = response or view.page("error.html", status, kind=kind, words=words)
    if status in (429, 503):
        response.headers["Retry-After"] = "5"
    return response


def _failure(view: View, status: int, kind: str, words: str, refusal: Refusal | None) -> answers.Failure:
    own = f"error.{kind}.form"
    sentence = words or str(view.language.text(own if view.language.has(own) else f"error.{kind}.text"))
    errors = refusal.errors if refusal else ()
    return answers.Failure(status, sentence, errors, stale=status == 412, final=status in (403, 404))


def _bare_view(request: Request) -> View:
    context: Context = request.app.state.context
    language = Language(supported(request.headers.get("accept-language")))
    return View(request, context, language, apis=Apis(context.http, context.settings.api_urls, Caller("")))


def _page(status: int, kind: str) -> Handler:
    async def handle(request: Request, _: Exception) -> Response:
        return await render(request, status, kind)

    return handle


async def _sign_in(request: Request, error: Exception) -> Response:
    if request.method == "POST":
        return session_ended(request, request.app.state.context)
    path = sign_in_path(error.back if isinstance(error, NeedsSignIn) else where(request))
    if isinstance(error, NeedsSignIn) and error.back == "/":
        path = "/welcome"
    if BY_CODE_COOKIE in request.cookies:
        back = error.back if isinstance(error, NeedsSignIn) else where(request)
        path = f"/welcome?{urlencode({'ended': 'device', 'back': safe_path(back)})}"
    return to_sign_in(request, path)


async def _forged(request: Request, error: Exception) -> Response:
    """A form of another session of this person's browser is shown again, to be sent again; no other site's is."""
    view: View = request.state.view
    again = answers.Failure(403, str(view.language.text("error.forged-form.form")))
    response = await answers.answer(request, again) if is_own(request, view.context) else None
    return response or view.page("error.html", 403, kind="forged-form", words="")


async def _unavailable(request: Request, error: Exception) -> Response:
    busy = isinstance(error, ServiceUnavailable) and error.busy
    return await render(request, 429 if busy else 503, "busy" if busy else "down")


async def _cut_off(request: Request, _: Exception) -> Response:
    view: View | None = getattr(request.state, "view", None)
    if view is None:
        return to_sign_in(request, "/welcome")
    return forget(view, to_sign_in(request, await end_access(view)))


async def _refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    view: View | None = getattr(request.state, "view", None)
    words = view.explain(error) if view else ""
    if error.status == 404:
        return await render(request, 404, "not-found")
    if error.type == "unknown-person":
        return await render(request, 403, error.type)
    return await render(request, error.status, "refused", words, error)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kinds = {400: "bad-form", 404: "not-found", 405: "not-found"}
    if not hasattr(request.state, "view"):  # no page of ours was asked for
        request.state.view = await known_view(request)
    response = await render(request, error.status_code, kinds.get(error.status_code, "failed"))
    if error.status_code == 405:
        response.headers["Allow"] = allowed_methods(request.app.routes, request.scope)
    return response


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return await render(request, error.status, "too-large" if error.status == 413 else "failed")


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("a page failed", exc_info=error)
    return await render(request, 500, "failed")
