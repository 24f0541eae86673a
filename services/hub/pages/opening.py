"""Who may join a programme: anybody of the company, or the invited."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from services.hub.confirmation import ask, is_confirmed
from services.hub.dependencies import Manager, load_person
from services.hub.paths import v1
from services.hub.view import View

router = APIRouter(prefix="/manage/programs/{program_id}")
HERE = "/manage/program"


@router.post("/open")
async def open_to_everybody(view: Manager, program_id: str) -> Response:
    """Let everybody of the company join; asked about with how many that are."""
    if not await is_confirmed(view):
        return await _ask(view, program_id)
    return await _turn(view, program_id, open=True)


@router.post("/close")
async def close(view: Manager, program_id: str) -> Response:
    """Let the invited alone join; whoever joined stays."""
    return await _turn(view, program_id, open=False)


async def _turn(view: View, program_id: str, *, open: bool) -> Response:
    path = v1("programs", program_id)
    version = (await view.apis.call("program", "GET", path)).version
    await view.apis.call("program", "PATCH", path, {"open": open}, version=version)
    await load_person(view, fresh=True)  # with their programmes as they are now
    return view.go(HERE, toast="program-opened" if open else "program-closed", of=program_id)


async def _ask(view: View, program_id: str) -> Response:
    everybody = {"segment": {"everybody": True}, "limit": 1, "dry_run": True}
    found = (await view.apis.call("program", "POST", v1("programs", program_id, "invitations"), everybody)).data
    count = found["invited"] + found["remaining"] + found["skipped"].get("declined", 0)
    program = view.me.find_program(program_id)
    return await ask(
        view,
        "open",
        back=HERE,
        notes=[str(view.language.text("ask.open.reaches", count=count)), str(view.language.text("ask.open.what"))],
        undo=True,
        name=program.name if program else "",
    )
