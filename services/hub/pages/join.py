"""Becoming an ambassador, of one's own free will, and leaving again."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from services.hub.clients import Json, Refusal
from services.hub.confirmation import ask, is_confirmed
from services.hub.dependencies import SignedIn, load_person
from services.hub.paths import page, v1
from services.hub.view import Missing, View

router = APIRouter()


@router.get("/join")
async def invitations(view: SignedIn) -> Response:
    """The programmes that a person may join, invitations first; what one agrees to stands with each of them."""
    await load_person(view, fresh=True)
    running = [one for one in view.me.programs if not one.archived]
    by_itself = [one for one in running if not one.open and one.status in ("", "left")]
    admissions = await view.gather_all(
        {one.id: view.apis.get("program", v1("programs", one.id, "admission")) for one in by_itself}
    )
    nominating = [one for one in by_itself if _takes_nominations(admissions[one.id])]
    applied = [one for one in running if one.status == "applied"]
    open_to_them = [one for one in running if one.status == "left" or (one.open and not one.status)]
    consents = await view.gather(**{one.id: consent_of(view, one.id) for one in view.me.invitations})
    offered = [*view.me.invitations, *open_to_them]
    return view.page("join/join.html", offered=offered, consents=consents, nominating=nominating, applied=applied)


def _takes_nominations(admission: Any) -> bool:
    return not isinstance(admission, Missing) and bool(admission.get("nominations"))


@router.get("/programs/{program_id}/join")
async def consent(view: SignedIn, program_id: str) -> Response:
    """What one agrees to, before one does."""
    found = view.me.find_program(program_id)
    if found is None or found.joined:
        return view.go("/feed")
    return view.page("join/consent.html", joining=found, consent=await consent_of(view, program_id))


async def consent_of(view: View, program_id: str) -> Any:
    """The text that one accepts by joining, in this person's language."""
    return await view.apis.get("program", v1("programs", program_id, "consent"), language=view.language.code)


@router.post("/programs/{program_id}/join")
async def join(view: SignedIn, program_id: str) -> Response:
    """Join, and look at this programme from now on; the feed that comes next waits until it knows."""
    body = {"consent_version": await view.whole("consent_version") or 0}
    try:
        await view.apis.call("program", "POST", v1("programs", program_id, "join"), body)
    except Refusal as refusal:
        if refusal.type in ("consent-outdated", "stale-version"):
            return view.go(page("programs", program_id, "join"), toast="consent-changed")
        raise
    await view.choose(program_id)
    return view.go("/feed", toast="joined")


@router.post("/programs/{program_id}/decline")
async def decline(view: SignedIn, program_id: str) -> Response:
    if not await is_confirmed(view):
        return await _ask(view, program_id, "decline", "/join")
    await view.apis.call("program", "POST", v1("programs", program_id, "decline"))
    return view.go("/join", toast="declined", of=program_id)


@router.post("/programs/{program_id}/reconsider")
async def reconsider(view: SignedIn, program_id: str) -> Response:
    """Take back that one declined."""
    await view.apis.call("program", "POST", v1("programs", program_id, "reconsider"))
    return view.go("/join", toast="reconsidered")


@router.post("/programs/{program_id}/leave")
async def leave(view: SignedIn, program_id: str) -> Response:
    if not await is_confirmed(view):
        return await _ask(view, program_id, "leave", "/me")
    await view.apis.call("program", "POST", v1("programs", program_id, "leave"), await _reason(view))
    return view.go("/me", toast="left", of=program_id)


@router.post("/programs/{program_id}/return")
async def come_back(view: SignedIn, program_id: str) -> Response:
    """Take back that one left: under the consent that one gave, or else after reading the new one."""
    me = await view.apis.get("program", v1("me"))
    given = {one["program_id"]: one.get("consent_version") for one in me["programs"]}.get(program_id)
    consent = await consent_of(view, program_id)
    if given != consent["version"]:
        return view.go(page("programs", program_id, "join"))
    body = {"consent_version": given}
    await view.apis.call("program", "POST", v1("programs", program_id, "join"), body)
    return view.go("/me", toast="joined")


async def _reason(view: View) -> Json:
    """Why, if they want to say."""
    return {"reason": await view.field("reason") or None}


async def _ask(view: View, program_id: str, act: str, back: str) -> Response:
    found = view.me.find_program(program_id)
    return await ask(
        view,
        act,
        back=back,
        notes=[str(view.language.text(f"ask.{act}.what"))],
        undo=True,
        danger=True,
        name=found.name if found else "",
    )


@router.post("/programs/{program_id}/pause")
async def pause(view: SignedIn, program_id: str) -> Response:
    """Take a break: nothing is expected until one resumes."""
    await view.apis.call("program", "POST", v1("programs", program_id, "pause"), await _reason(view))
    return view.go("/me", toast="paused")


@router.post("/programs/{program_id}/resume")
async def resume(view: SignedIn, program_id: str) -> Response:
    await view.apis.call("program", "POST", v1("programs", program_id, "resume"))
    return view.go("/me", toast="resumed")
