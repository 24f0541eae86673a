"""Coming in by oneself: by a link or a poster, by putting oneself forward, and with a one-time code where there is no
account."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from chassis.web.problems import TooManyRequests
from chassis.web.tokens import new_device_token
from services.hub.clients import ApiError, Caller
from services.hub.dependencies import SignedIn, Visitor, load_person, use_apis
from services.hub.forms.filling import Place
from services.hub.pages.join import consent_of
from services.hub.paths import page, safe_path, v1
from services.hub.signin import set_cookie
from services.hub.view import View

router = APIRouter()
QUESTIONS: Final = range(3)


@router.get("/i/{token}")
async def link(view: Visitor, token: str) -> Response:
    """Where a link or a poster leads: what the programme is, what one agrees to, and one button."""
    path = page("i", token)
    if view.person is None:
        return view.go("/welcome", back=path)
    led = await view.apis.get("program", v1("invitation-links", token), language=view.language.code)
    found = view.me.find_program(led["program_id"])
    if found is not None and found.joined:
        return view.go("/feed")
    calls = {} if led["approval"] else {"consent": consent_of(view, led["program_id"])}
    return view.page("join/link.html", led=led, action=path, **{"consent": None, **await view.gather_all(calls)})


@router.post("/i/{token}")
async def follow(view: SignedIn, token: str) -> Response:
    """Join by the link; where it asks for approval, put oneself forward."""
    view.fields = {f"answers.{number}": Place(f"answer_{number}") for number in QUESTIONS}
    led = await view.apis.get("program", v1("invitation-links", token), language=view.language.code)
    order = {"answers": await _answers(view)}
    await view.apis.call("program", "POST", v1("invitation-links", token, "follow"), order)
    if led["approval"]:
        return view.go("/join", toast="applied", of=led["program_id"])
    body = {"consent_version": await view.whole("consent_version") or 0}
    await view.apis.call("program", "POST", v1("programs", led["program_id"], "join"), body)
    return view.go("/feed", toast="joined")


@router.get("/programs/{program_id}/apply")
async def nomination(view: SignedIn, program_id: str) -> Response:
    """Putting oneself forward, with what the programme asks."""
    admission = await view.apis.get("program", v1("programs", program_id, "admission"))
    questions = [texts.get(view.language.code) or next(iter(texts.values()), "") for texts in admission["questions"]]
    found = view.me.find_program(program_id)
    return view.page("join/apply.html", of=found, questions=questions, nominations=admission["nominations"])


@router.post("/programs/{program_id}/apply")
async def apply(view: SignedIn, program_id: str) -> Response:
    view.fields = {f"answers.{number}": Place(f"answer_{number}") for number in QUESTIONS}
    await view.apis.call("program", "POST", v1("programs", program_id, "apply"), {"answers": await _answers(view)})
    return view.go("/join", toast="applied", of=program_id)


@router.post("/programs/{program_id}/withdraw-application")
async def withdraw(view: SignedIn, program_id: str) -> Response:
    """Take back having put oneself forward."""
    await view.apis.call("program", "POST", v1("programs", program_id, "withdraw-application"))
    return view.go("/join", toast="application-withdrawn")


async def _answers(view: View) -> list[str]:
    form = await view.form()
    return [await view.field(f"answer_{number}") for number in QUESTIONS if f"answer_{number}" in form]


@router.get("/code")
async def code(view: Visitor) -> Response:
    """Signing in with a one-time code. A session of its own protects the form."""
    back = safe_path(view.request.query_params.get("back", "/"))
    if view.person is not None:
        return view.go(back)
    if view.session is not None:
        return view.page("join/code.html", back=back)
    try:
        address = view.apis.caller.address
        await view.context.rate_limits.hit("sign_ins", view.context.settings.rate_sign_ins, address)
    except TooManyRequests as refused:
        response = view.page("welcome.html", 429, back=back, failed="too-many-sign-ins")
        response.headers.update(refused.headers or {})
        return response
    view.session = await view.context.sessions.begin({"visit": {}}, signed_in=False)
    return set_cookie(view, view.page("join/code.html", back=back), view.session)


@router.post("/code")
async def redeem(view: Visitor) -> Response:
    """Sign this browser in, and it alone: a new session under a new name, with a token that nobody else knows."""
    back = safe_path(await view.field("back", "/"))
    if view.person is not None:
        return view.go(back)
    sessions, before, caller = view.context.sessions, view.session, view.apis.caller
    token = new_device_token()
    parts = {"tokens": {"access": token, "until": view.now.timestamp() + 60, "device": True}}
    view.session = await sessions.begin(parts, signed_in=True)
    use_apis(view, Caller(token, caller.address, caller.agent))
    try:
        answer = await view.apis.call("program", "POST", v1("device"), {"code": await view.field("code")})
    except ApiError:
        await sessions.end(view.session)
        view.session = before
        raise
    ends_at = datetime.fromisoformat(answer.data["ends_at"])
    await sessions.put(view.session, "tokens", {**parts["tokens"], "until": ends_at.timestamp()})
    await sessions.hold_until(view.session, ends_at)
    if before is not None:
        await sessions.end(before)
    await load_person(view, fresh=True)
    return set_cookie(view, view.go(back), view.session)
