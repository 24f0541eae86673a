"""A person's own data, what of it others see, and the ways out."""

from __future__ import annotations

from typing import Final, Literal

from fastapi import APIRouter
from starlette.responses import Response

from services.hub.dependencies import SignedIn, load_person
from services.hub.paths import v1

router = APIRouter()
REASONS: Final = ("no_time", "content", "tool", "recognition", "privacy", "new_job", "other")
"""Why one may say that one pauses or leaves."""


@router.get("/me")
async def me(view: SignedIn) -> Response:
    await load_person(view, fresh=True)
    asked = {name: view.apis.get("program", v1("me", name)) for name in ("viewers", "mails")}
    return view.page("me.html", reasons=REASONS, **await view.gather(**asked))


@router.post("/me/mails")
async def mails(view: SignedIn) -> Response:
    """Want a kind of mail of a programme, or no more."""
    kind, _, program_id = (await view.field("mail")).partition(":")
    wanted = {"kind": kind, "program_id": program_id, "wanted": await view.field("wanted") == "yes"}
    await view.apis.call("program", "PUT", v1("me", "mails"), wanted)
    return view.go("/me", toast="saved")


@router.post("/me/privacy")
async def privacy(view: SignedIn) -> Response:
    """What of a person others may see."""
    form = await view.form()
    wanted = {name: name in form for name in ("hidden_from_rankings", "hidden_from_statistics")}
    await view.apis.call("program", "PATCH", v1("me"), wanted)
    return view.go("/me", toast="saved")


@router.post("/me/tip/{choice}")
async def tip(view: SignedIn, choice: Literal["on", "off"]) -> Response:
    """Whether a tip from one's own figures stands on the start page."""
    await view.apis.call("program", "PATCH", v1("me"), {"weekly_tip": choice == "on"})
    await load_person(view, fresh=True)
    back = "/feed" if view.me.is_ambassador else "/me"
    return view.go(back, toast=f"tip-{choice}", **({"of": view.me.id} if choice == "off" else {}))


@router.post("/me/language")
async def language(view: SignedIn) -> Response:
    """The language that Herald speaks with this person everywhere, mails included."""
    assert view.session is not None
    await view.apis.call("program", "PATCH", v1("me"), {"locale": await view.field("locale")})
    choices = {name: value for name, value in view.session.choices.items() if name != "language"}
    await view.context.sessions.put(view.session, "choices", choices)
    return view.go("/me", toast="saved")
