"""From a request to its view: session, person, language, role, and the protection of every form."""

from __future__ import annotations

import logging
import secrets
import time
from contextlib import suppress
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import Depends
from pymongo.errors import PyMongoError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Scope

from chassis.messages import supported
from chassis.web.admission import Authorize
from chassis.web.proxies import TrustedProxies
from chassis.web.rights import ANYONE, PERSON, needs
from services.hub.clients import Apis, Caller, CutOff, Json, Refusal, ServiceUnavailable, SignedOut
from services.hub.context import Context
from services.hub.language import Language
from services.hub.oidc import IssuerUnavailable, SignInFailed
from services.hub.paths import safe_path, v1
from services.hub.person import Person, person_of
from services.hub.sessions import Session
from services.hub.settings import HubSettings
from services.hub.view import FORM_HEADER, Missing, View, unmask
from services.hub.written import recent

log = logging.getLogger(__name__)
PERSON_SECONDS = 1
"""How long `program` is not asked again who the person is: who was cut off sees no page after that."""
STANDS_SECONDS = 20
"""How long the programmes are remembered, and how long what `program` said last stands while it does not answer."""
RENEW_BEFORE_SECONDS = 60
SESSION_SECONDS = 0.5
"""How long a session that was found before a form was read is taken for the present one."""
LANGUAGE_COOKIE = "herald_language"
MAIL_PATH = "/mail/"
"""Where links of mails lead: their own token is what admits them."""
BY_CODE_COOKIE = "herald_by_code"
"""In browsers that a one-time code let in: the identity provider knows nobody there."""
PAGE_HEADER = "herald-page"
"""The page that a form is on, where a script sends it."""


class NeedsSignIn(Exception):
    """Nobody is signed in; `back` is where they wanted to go."""

    def __init__(self, back: str) -> None:
        super().__init__(back)
        self.back = back


class Forbidden(Exception):
    """The page is for people of another role."""


class ForgedForm(Exception):
    """The form did not come from a page of this session."""


def cookie_name(settings: HubSettings) -> str:
    return "__Host-herald_session" if settings.secure else "herald_session"


def sign_in_cookie_name(settings: HubSettings) -> str:
    """Of the cookie that names a sign-in under way: apart from the session, which a sign-in that somebody else's page
    begins must not end."""
    return "__Host-herald_sign_in" if settings.secure else "herald_sign_in"


def session_of(context: Context) -> Authorize:
    """Admits the forms of those who have a session; others are sent to the sign-in before their form is read."""

    async def authorize(scope: Scope) -> Response | None:
        request = Request(scope)
        if request.url.path.startswith(MAIL_PATH) or await find_session(request, context) is not None:
            return None
        return session_ended(request, context)

    return authorize


async def find_session(request: Request, context: Context) -> Session | None:
    """The session that the browser names; looked up once a request, and again where its body was long on its way."""
    name = request.cookies.get(cookie_name(context.settings))
    if not name:
        return None
    known: tuple[Session, float] | None = getattr(request.state, "session", None)
    if known is not None and time.monotonic() - known[1] < SESSION_SECONDS:
        return known[0]
    session = await context.sessions.find(name)
    if session is not None:
        request.state.session = session, time.monotonic()
    return session


def session_ended(request: Request, context: Context) -> Response:
    """The answer to a form that nobody is signed in for: not read, and not lost. A script keeps it and comes back with
    it; without one, the browser sends it again once somebody is signed in."""
    back = form_page(request, context)
    language = _language(request)
    if "hx-request" in request.headers or FORM_HEADER in request.headers:
        path = f"/welcome?{urlencode({'ended': 'session', 'back': back})}"
        return Response(status_code=401, headers={"HX-Redirect": path})
    view = View(request, context, language, apis=Apis(context.http, context.settings.api_urls, Caller("")))
    return view.page("welcome.html", 401, back=back, failed="session-ended")


def form_page(request: Request, context: Context) -> str:
    """The page whose form was sent, as the request's head tells."""
    named = request.headers.get(PAGE_HEADER, "")
    before = request.headers.get("referer", "")
    return safe_path(named or before.removeprefix(context.settings.public_url))


def to_sign_in(request: Request, path: str) -> Response:
    """Send the browser to the sign-in, also where htmx asks for a piece of a page."""
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": path})
    return RedirectResponse(path, 303)


def _language(request: Request) -> Language:
    return Language(supported(request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language")))


@needs(ANYONE)
async def visitor(request: Request) -> View:
    """A view for anyone, signed in or not."""
    context: Context = request.app.state.context
    session = await find_session(request, context)
    caller = Caller("", client_address(request, context.settings), request.headers.get("user-agent", "")[:400])
    view = View(
        request, context, _language(request), session, apis=Apis(context.http, context.settings.api_urls, caller)
    )
    request.state.view = view
    if session is None or session.tokens is None:
        return view
    token = await access_token(context, session)
    if token is None:
        await context.sessions.end(session)
        view.session = None
        return view
    use_apis(view, Caller(token, caller.address, caller.agent))
    request.state.renew_cookie = await context.sessions.keep_alive(session)
    await load_person(view)
    return view


async def known_view(request: Request) -> View:
    """A view for an address that is none of ours: of whom the session knows, and nobody is asked."""
    context: Context = request.app.state.context
    view = View(request, context, _language(request), apis=Apis(context.http, context.settings.api_urls, Caller("")))
    with suppress(PyMongoError):
        session = await find_session(request, context)
        if session is not None and session.tokens is not None and (known := session.parts.get("person")):
            view.session = session
            use_person(view, person_of(known["me"], known["programs"]))
    return view


def use_apis(view: View, caller: Caller) -> None:
    """Ask for this caller from now on, and after what was written in this session a moment ago."""
    session, context = view.session, view.context
    assert session is not None
    apis = Apis(context.http, context.settings.api_urls, caller)

    async def note(events: list[str]) -> None:
        written = session.parts.get("written", {"events": [], "count": 0})
        kept = recent([*written["events"], *events], view.now)
        apis.after = tuple(kept)
        await context.sessions.put(session, "written", {"events": kept, "count": written["count"] + 1})

    apis.after = tuple(recent(session.parts.get("written", {}).get("events", ()), view.now))
    apis.note = note
    view.apis = apis


def forget(view: View, response: Response) -> Response:
    """Have the browser forget the session, and what it kept for reading offline."""
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    delete_cookie(response, view.context.settings, cookie_name(view.context.settings))
    return response


def delete_cookie(response: Response, settings: HubSettings, cookie: str) -> None:
    """Browsers ignore every `Set-Cookie` of a `__Host-` cookie that is not `Secure`, its deletion too."""
    response.delete_cookie(cookie, path="/", secure=settings.secure, httponly=True, samesite="lax")


async def end_access(view: View) -> str:
    """End the session of a person who has no access any more; where they are told so, in their language."""
    reason = "inactive"
    if view.session is not None:
        if known := view.session.parts.get("person"):
            use_person(view, person_of(known["me"], known["programs"]))
        reason = "device" if view.session.on_device else reason
        await view.context.sessions.end(view.session)
        view.session, view.person = None, None
    return f"/welcome?ended={reason}&language={view.language.code}"


@needs(PERSON)
async def signed_in(view: Annotated[View, Depends(visitor)]) -> View:
    """Raises NeedsSignIn, and ServiceUnavailable where the person was never seen and `program` does not answer."""
    if view.session is None or view.session.tokens is None:
        raise NeedsSignIn(where(view.request))
    if view.person is None:
        raise ServiceUnavailable("program", "the person is not known here yet")
    return view


def requires(*roles: str) -> Any:
    """A view for people who hold one of the roles. Raises Forbidden."""

    @needs(*roles)
    async def check(view: Annotated[View, Depends(signed_in)]) -> View:
        if not view.me.has(*roles):
            raise Forbidden
        return view

    return Depends(check)


@needs("ambassador")
async def ambassador(view: Annotated[View, Depends(signed_in)]) -> View:
    if not view.me.is_ambassador:
        raise Forbidden
    return view


Visitor = Annotated[View, Depends(visitor)]
SignedIn = Annotated[View, Depends(signed_in)]
Ambassador = Annotated[View, Depends(ambassador)]
Editor = Annotated[View, requires("editor")]
Manager = Annotated[View, requires("manager")]
Manages = Annotated[View, requires("manager", "admin")]
Team = Annotated[View, requires("editor", "manager")]
Admin = Annotated[View, requires("admin")]


async def protect(view: Visitor) -> None:
    """Every request that changes something comes from a page of ours, in this session. Raises ForgedForm."""
    request = view.request
    if request.method in ("GET", "HEAD"):
        return
    origin = request.headers.get("origin")
    if origin is not None and origin != view.context.settings.public_url:
        raise ForgedForm
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise ForgedForm
    if view.session is None:
        raise NeedsSignIn("/")
    said = request.headers.get("x-csrf-token") or await view.field("csrf")
    if not secrets.compare_digest(unmask(said).encode(), view.session.csrf.encode()):
        raise ForgedForm


def is_own(request: Request, context: Context) -> bool:
    """Whether a page of ours sent it, as its browser says."""
    site = request.headers.get("sec-fetch-site", "same-origin")
    return request.headers.get("origin") == context.settings.public_url and site == "same-origin"


async def access_token(context: Context, session: Session) -> str | None:
    """A token that holds for at least the next minute; None when the person has to sign in again."""
    tokens = session.tokens or {}
    if session.on_device:
        return str(tokens["access"]) if tokens["until"] > context.clock.now().timestamp() else None
    if tokens["until"] - context.clock.now().timestamp() > RENEW_BEFORE_SECONDS:
        return str(tokens["access"])
    try:
        renewed = await context.oidc.renew(tokens)
    except IssuerUnavailable:
        return str(tokens["access"])
    except SignInFailed:
        # Another request of this browser may have renewed it just now, where refresh tokens serve once.
        fresh = await context.sessions.find(session.name)
        if fresh is None or fresh.tokens is None or fresh.tokens["access"] == tokens["access"]:
            return None
        return str(fresh.tokens["access"])
    await context.sessions.put(session, "tokens", renewed)
    return str(renewed["access"])


async def load_person(view: View, *, fresh: bool = False) -> None:
    """Give the view its person, as `program` says now; their programmes as remembered for a few seconds, unless
    something was written since. Raises CutOff.

    When `program` does not answer, what it said last stands.
    """
    assert view.session is not None
    known = view.session.parts.get("person")
    age = view.now.timestamp() - known["at"] if known else 0.0
    if known is None or fresh or age > STANDS_SECONDS or known.get("count") != _count(view.session):
        known = await _ask_person(view) or known
    elif not known.get("unanswered") and not view.context.asked.within(PERSON_SECONDS, view.session.tag, view.now):
        known = await _ask_again(view, known)
    if known is not None:
        use_person(view, person_of(known["me"], known["programs"]))


def _count(session: Session) -> int:
    """How often something was written in this session: what is remembered from before is not the present."""
    return int(session.parts.get("written", {}).get("count", 0))


async def _ask_person(view: View) -> Json | None:
    assert view.session is not None
    view.context.asked.note(view.session.tag, view.now)
    found = await view.gather(me=view.apis.get("program", v1("me")), programs=programs(view.apis))
    _check_device(view.session, found["me"])
    if not isinstance(found["me"], dict) or not isinstance(found["programs"], list):
        return None
    known = {
        "me": found["me"],
        "programs": found["programs"],
        "at": view.now.timestamp(),
        "count": _count(view.session),
    }
    await view.context.sessions.put(view.session, "person", known)
    return known


async def _ask_again(view: View, known: Json) -> Json:
    """What is known, with the person as they are now. Only what differs is written."""
    assert view.session is not None
    view.context.asked.note(view.session.tag, view.now)
    me = (await view.gather(me=view.apis.get("program", v1("me"))))["me"]
    _check_device(view.session, me)
    now = {**known, "me": me} if isinstance(me, dict) else {**known, "unanswered": True}
    if now != known:
        await view.context.sessions.put(view.session, "person", now)
    return now


def _check_device(session: Session, me: Any) -> None:
    """Raises CutOff where a device was signed out that a code had let in: its token is nobody's then."""
    error = me.error if isinstance(me, Missing) else None
    if session.on_device and isinstance(error, Refusal) and error.type == "unknown-person":
        raise CutOff("program", error.detail)


async def programs(apis: Apis) -> list[Json]:
    """All programmes of the installation; they are few."""
    answer = await apis.get("program", v1("programs"), limit=100)
    return list(answer["items"])


def use_person(view: View, person: Person) -> None:
    """Show the view to this person: in their language unless they chose another, days in their programme's time zone,
    moments in their own where they set one."""
    if view.session is not None and view.session.on_device:
        person = person.on_device()
    view.person = person
    if view.program is not None:
        view.person = person = person.within(view.program.id)
    wanted = view.session.choices.get("language") if view.session else None
    zone = view.program.time_zone if view.program else "UTC"
    view.language = Language(supported(wanted, person.locale), person.country, zone, person.time_zone)


def client_address(request: Request, settings: HubSettings) -> str:
    """The visitor's address: the last hop that no trusted proxy vouches for."""
    peer = request.client.host if request.client else ""
    return TrustedProxies(settings.trusted_proxies).origin(peer, request.headers.get("x-forwarded-for", ""))[:64]


def where(request: Request) -> str:
    """The address a person wanted, if it can be gone back to."""
    if request.method != "GET" or "hx-request" in request.headers:
        return "/"
    query = "?" + quote(request.scope["query_string"], safe="%&=+") if request.scope["query_string"] else ""
    return quote(request.scope["path"]) + query


def sign_in_path(back: str) -> str:
    return f"/auth/sign-in?back={quote(safe_path(back), safe='')}"


__all__ = [
    "Admin",
    "Ambassador",
    "CutOff",
    "Editor",
    "Forbidden",
    "ForgedForm",
    "Manager",
    "Manages",
    "NeedsSignIn",
    "SignedIn",
    "SignedOut",
    "Team",
    "Visitor",
]
