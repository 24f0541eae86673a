"""What a programme is called and looks like, and its end."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from services.hub.audience import reached
from services.hub.clients import Json, Refusal
from services.hub.confirmation import ask, is_confirmed
from services.hub.dependencies import Manager, load_person
from services.hub.forms.filling import Place
from services.hub.paths import v1
from services.hub.pictures import sent_picture

router = APIRouter(prefix="/manage")
HERE: Final = "/manage/program"


@router.post("/look")
async def change(view: Manager) -> Response:
    """Another name, colour or picture. A colour that could hardly be seen on one of the themes is taken in its nearest
    shade, and that is said."""
    program = view.require_program()
    colour = "" if "plain" in await view.form() else (await view.field("colour")).strip()
    order: Json = {"name": (await view.field("name")).strip(), "colour": colour or None}
    if picture_id := await sent_picture(view):
        order["picture_id"] = picture_id
    elif "no_picture" in await view.form():
        order["picture_id"] = None
    view.fields |= {"picture_id": Place("picture")}
    path, version = v1("programs", program.id), await view.whole("version")
    toast = "look-saved"
    try:
        await view.apis.call("program", "PATCH", path, order, version=version)
    except Refusal as refusal:
        shade = _nearest_shade(refusal)
        if shade is None:
            raise
        await view.apis.call("program", "PATCH", path, {**order, "colour": shade}, version=version)
        toast = "look-adjusted"
    await load_person(view, fresh=True)
    return view.go(HERE, toast=toast)


def _nearest_shade(refusal: Refusal) -> str | None:
    """Where nothing else is wrong than a colour that is hardly seen: the one to take instead."""
    rules = [one.get("rule") for one in refusal.errors]
    return (refusal.errors[0].get("params") or {}).get("suggestion") if rules == ["contrast"] else None


@router.post("/archive")
async def archive(view: Manager) -> Response:
    """End the programme, once it was said how many take part in it."""
    program = view.require_program()
    if not await is_confirmed(view):
        concerned = view.language.text("ask.archive.reaches", count=await reached(view, program.id))
        notes = [str(concerned), str(view.language.text("ask.archive.what"))]
        return await ask(view, "archive", back=HERE, notes=notes, undo=True, danger=True, name=program.name)
    await view.apis.call("program", "POST", v1("programs", program.id, "archive"))
    await load_person(view, fresh=True)
    return view.go(HERE, toast="archived", of=program.id)


@router.post("/programs/{program_id}/restore")
async def restore(view: Manager, program_id: str) -> Response:
    """Take back that a programme ended."""
    await view.apis.call("program", "POST", v1("programs", program_id, "restore"))
    await load_person(view, fresh=True)
    return view.go(HERE, toast="restored")
