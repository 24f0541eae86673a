"""Signing in and out."""

from __future__ import annotations

import logging
import secrets
from contextlib import suppress

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from chassis.messages import languages
from chassis.web.problems import TooManyRequests
from services.hub.clients import Caller, Refusal, ServiceUnavailable
from services.hub.dependencies import (
    BY_CODE_COOKIE,
    LANGUAGE_COOKIE,
    SignedIn,
    Visitor,
    cookie_name,
    delete_cookie,
    forget,
    sign_in_cookie_name,
    use_apis,
)
from services.hub.language import Language
from services.hub.oidc import CALLBACK, IssuerUnavailable, Pending, SignInFailed
from services.hub.paths import safe_path, v1
from services.hub.sessions import SIGN_IN_MINUTES, Session
from services.hub.settings import HubSettings
from services.hub.view import View

log = logging.getLogger(__name__)
router = APIRouter()
ERRORS = frozenset(
    {
        "access_denied",
        "account_selection_required",
        "consent_required",
        "interaction_required",
        "invalid_request",
        "invalid_scope",
        "login_required",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_response_type",
    }
)
"""What an issuer may answer a sign-in with (OAuth 2.0, OpenID Connect); anything else may be anybody's text."""
ENDED = {"device": "device-ended", "inactive": "inactive", "session": "session-ended"}
"""Why somebody is not signed in any more."""
YEAR = 365 * 24 * 3600


def set_cookie(view: View, response: Response, session: Session) -> Response:
    """Name the session to the browser; scripts cannot read it, and no other site's form sends it."""
    settings = view.context.settings
    seconds = settings.session_hours * 3600
    if session.on_device:
        seconds = max(0, int((session.expires_at - view.now).total_seconds()))
        response.set_cookie(BY_CODE_COOKIE, "1", max_age=YEAR, httponly=True, samesite="lax", path="/")
    _name(response, settings, cookie_name(settings), session, seconds)
    return response


def _name(response: Response, settings: HubSettings, cookie: str, session: Session, seconds: int) -> None:
    response.set_cookie(
        cookie, session.name, max_age=seconds, httponly=True, secure=settings.secure, samesite="lax", path="/"
    )


@router.get("/welcome")
async def welcome(view: Visitor) -> Response:
    """Where a person who is not signed in arrives."""
    if view.person is not None:
        return view.go("/")
    wanted = view.request.query_params.get("language", "")
    if wanted in languages():
        view.language = Language(wanted)
    failed = ENDED.get(view.request.query_params.get("ended", ""))
    back = safe_path(view.request.query_params.get("back", "/"))
    response = view.page("welcome.html", 403 if failed == "inactive" else 200, back=back, failed=failed)
    if wanted in languages():
        response.set_cookie(LANGUAGE_COOKIE, wanted, max_age=YEAR, samesite="lax", path="/")
    return response


@router.get("/auth/sign-in")
async def sign_in(view: Visitor) -> Response:
    """On to the issuer; a session of its own remembers what must come back. Whoever is signed in stays so until they
    are back: another site's page may have sent them here."""
    back = safe_path(view.request.query_params.get("back", "/"))
    pending = Pending.new()
    try:
        address = view.apis.caller.address
        await view.context.rate_limits.hit("sign_ins", view.context.settings.rate_sign_ins, address)
        url = await view.context.oidc.sign_in_url(pending, view.language.code)
    except TooManyRequests as refused:
        response = view.page("welcome.html", 429, back=back, failed="too-many-sign-ins")
        response.headers.update(refused.headers or {})
        return response
    except IssuerUnavailable:
        return view.page("welcome.html", 503, back=back, failed="issuer-down")
    parts = {"pending": {"state": pending.state, "nonce": pending.nonce, "verifier": pending.verifier, "back": back}}
    settings, sessions = view.context.settings, view.context.sessions
    if (before := await _sign_in_under_way(view)) is not None:
        await sessions.end(before)
    response = RedirectResponse(url, 303)
    pending_session = await sessions.begin(parts, signed_in=False)
    _name(response, settings, sign_in_cookie_name(settings), pending_session, SIGN_IN_MINUTES * 60)
    return response


async def _sign_in_under_way(view: View) -> Session | None:
    name = view.request.cookies.get(sign_in_cookie_name(view.context.settings))
    return await view.context.sessions.find(name) if name else None


@router.get(CALLBACK)
async def callback(view: Visitor) -> Response:
    """Back from the issuer: a new session under a new name."""
    query = view.request.query_params
    begun = await _sign_in_under_way(view)
    said = begun.parts.get("pending") if begun else None
    if (
        begun is None
        or said is None
        or not secrets.compare_digest(query.get("state", "").encode(), said["state"].encode())
    ):
        return view.page("welcome.html", 400, back="/", failed="expired")
    await view.context.sessions.end(begun)
    back = said.pop("back")
    try:
        if "code" not in query:
            refusal = query.get("error", "")
            raise SignInFailed(refusal if refusal in ERRORS else "no code")
        tokens = await view.context.oidc.redeem(query["code"], Pending(**said))
    except SignInFailed as error:
        log.warning("a sign-in failed: %s", error)
        return view.page("welcome.html", 400, back=back, failed="refused")
    except IssuerUnavailable:
        return view.page("welcome.html", 503, back=back, failed="issuer-down")
    if view.session is not None:
        await view.context.sessions.end(view.session)
    view.session = await view.context.sessions.begin({"tokens": tokens}, signed_in=True)
    caller = Caller(str(tokens["access"]), view.apis.caller.address, view.apis.caller.agent)
    use_apis(view, caller)
    await record_sign_in(view)
    response = set_cookie(view, view.go(back), view.session)
    delete_cookie(response, view.context.settings, sign_in_cookie_name(view.context.settings))
    if BY_CODE_COOKIE in view.request.cookies:
        response.delete_cookie(BY_CODE_COOKIE, path="/")
    return response


async def record_sign_in(view: View) -> None:
    """Tell `program` who signed in; what is asked next of the other services waits until they know it.

    Raises CutOff.
    """
    try:
        await view.apis.call("program", "PUT", v1("me"), {})
    except (ServiceUnavailable, Refusal) as error:
        log.warning("a sign-in could not be recorded: %s", type(error).__name__)


@router.post("/auth/sign-out")
async def sign_out(view: SignedIn) -> Response:
    """End the session here and at the issuer; the browser forgets what it kept for reading offline."""
    assert view.session is not None
    tokens = view.session.tokens or {}
    if view.session.on_device:
        with suppress(ServiceUnavailable, Refusal):
            await view.apis.call("program", "POST", v1("device", "end"))
        await view.context.sessions.end(view.session)
        return forget(view, RedirectResponse("/welcome", 303))
    await view.context.sessions.end(view.session)
    try:
        await view.context.oidc.revoke(tokens)
    except IssuerUnavailable as error:
        log.warning("a refresh token could not be revoked: %s", error)
    url = await view.context.oidc.sign_out_url(tokens) or "/welcome"
    return forget(view, RedirectResponse(url, 303))


@router.post("/language")
async def choose_language(view: SignedIn) -> Response:
    """Another language for this browser, and for this session."""
    wanted = await view.field("language")
    response = view.go(safe_path(await view.field("back", "/")))
    if wanted in languages():
        assert view.session is not None
        await view.context.sessions.put(view.session, "choices", {**view.session.choices, "language": wanted})
        response.set_cookie(LANGUAGE_COOKIE, wanted, max_age=YEAR, samesite="lax", path="/")
    return response


@router.post("/program")
async def choose_program(view: SignedIn) -> Response:
    """Look at another programme."""
    assert view.session is not None
    wanted = await view.field("program_id")
    if view.me.find_program(wanted) is not None:
        await view.context.sessions.put(view.session, "choices", {**view.session.choices, "program_id": wanted})
    return view.go(safe_path(await view.field("back", "/")))
