"""People from a CSV file: shown first, taken only when somebody says so."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.datastructures import UploadFile
from starlette.responses import Response

from services.hub.clients import Refusal
from services.hub.dependencies import Manages

router = APIRouter(prefix="/manage/import")
MAX_FILE = 30 * 1024 * 1024


@router.get("")
async def start(view: Manages) -> Response:
    return view.page("manage/import.html", refusal=None)


@router.post("")
async def preview(view: Manages) -> Response:
    """What the file would do; nothing is done yet."""
    file = (await view.form()).get("file")
    if not isinstance(file, UploadFile) or not file.size:
        return view.go("/manage/import", toast="no-file")
    try:
        answer = await view.apis.call(
            "program", "POST", "/v1/imports", await file.read(MAX_FILE), media_type="text/csv"
        )
    except Refusal as refusal:
        return view.page("manage/import.html", refusal.status, refusal=refusal)
    return view.go(f"/manage/import/{answer.data['id']}")


@router.get("/{import_id}")
async def shown(view: Manages, import_id: str) -> Response:
    """The preview, or how far the import is."""
    found = await view.apis.get("program", f"/v1/imports/{import_id}")
    template = "manage/_import_progress.html" if view.is_fragment else "manage/import_preview.html"
    return view.page(template, found=found)


@router.post("/{import_id}/confirm")
async def confirm(view: Manages, import_id: str) -> Response:
    await view.apis.call("program", "POST", f"/v1/imports/{import_id}/confirm")
    return view.go(f"/manage/import/{import_id}", toast="import-confirmed")
