"""History from another product: a preview first; the import starts only when a person confirms it."""

from __future__ import annotations

import re
import time
from dataclasses import asdict
from typing import Final

from fastapi import APIRouter
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import Response

from chassis.web.problems import Violation
from services.hub.clients import Refusal, invalid
from services.hub.dependencies import Manages
from services.hub.forms.filling import Place
from services.hub.history.formats import LineError, Unreadable
from services.hub.history.importer import File, Importer
from services.hub.history.staging import MAX_ROWS, Staged, Staging, TooMany
from services.hub.paths import page
from services.hub.view import View

router = APIRouter(prefix="/manage/history")
MAX_BYTES: Final = 30 * 1024 * 1024
STEP_SECONDS: Final = 2.0
"""How long one request works on an import; the page asks again until all is done."""


def _staging(view: View) -> Staging:
    return view.context.history


@router.get("")
async def start(view: Manages) -> Response:
    return view.page("manage/history.html")


@router.post("")
async def upload(view: Manages) -> Response:
    """Set the rows of the files aside; the page that follows says what they would do."""
    program = view.require_program()
    view.about, view.fields = "history", {"upload": Place("file")}
    source = _source(await view.field("source"))
    uploads = [one for one in (await view.form()).getlist("file") if isinstance(one, UploadFile) and one.size]
    needed = {"source": source, "file": uploads}
    missing = [Violation(name, "required", "This is needed.") for name, given in needed.items() if not given]
    if missing:
        raise invalid(*missing)
    files = [File(one.filename or f"{number}", await one.read(MAX_BYTES)) for number, one in enumerate(uploads, 1)]
    try:
        staged = await _staging(view).add(
            files, program_id=program.id, time_zone=program.time_zone, source=source, by=view.me.id
        )
    except Unreadable as wrong:
        raise _unreadable(*wrong.errors) from wrong
    except TooMany as many:
        error = LineError(0, "upload", "too-many-rows", f"At most {MAX_ROWS} rows.", params={"max": MAX_ROWS})
        raise _unreadable(error) from many
    return view.go(page("manage", "history", staged.id))


@router.get("/{import_id}")
async def shown(view: Manages, import_id: str) -> Response:
    """What the files would do, or how far their import is."""
    staged = await _get(view, import_id)
    return view.page("manage/history_import.html", found=staged)


@router.post("/{import_id}/step")
async def step(view: Manages, import_id: str) -> Response:
    """Work on the import for a moment."""
    staged = await _get(view, import_id)
    staging = _staging(view)
    importer = Importer(view.apis, staged.program_id, staged.source)
    until = time.monotonic() + STEP_SECONDS
    while staged.going and time.monotonic() < until:
        rows = await staging.chunk(staged)
        came_to = await importer.take(rows, preview=staged.phase == "preview")
        staged = await staging.advance(staged, came_to)
    if view.is_fragment and staged.going:
        return view.page("manage/_history_progress.html", found=staged)
    return view.go(page("manage", "history", import_id))


@router.post("/{import_id}/confirm")
async def confirm(view: Manages, import_id: str) -> Response:
    await _staging(view).confirm(await _get(view, import_id))
    return view.go(page("manage", "history", import_id), toast="import-confirmed")


async def _get(view: View, import_id: str) -> Staged:
    """The import, for those who see its programme. Raises HTTPException 404."""
    staged = await _staging(view).find(import_id)
    if staged is None or view.me.find_program(staged.program_id) is None:
        raise HTTPException(404)
    return staged


def _unreadable(*errors: LineError) -> Refusal:
    return Refusal("hub", 422, {"type": "files-unreadable", "errors": [asdict(one) for one in errors]})


def _source(text: str) -> str:
    """The name of a product as the APIs take it."""
    return re.sub(r"[^a-z0-9._-]+", "-", text.strip().lower()).strip("-._")[:64]
