"""People from a CSV file: a preview first; the import starts only when a person confirms it."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.datastructures import UploadFile
from starlette.responses import Response

from chassis.web.problems import Violation
from services.hub.clients import Json, invalid
from services.hub.dependencies import Manages
from services.hub.forms.filling import Place
from services.hub.paths import page, v1
from services.hub.view import View

router = APIRouter(prefix="/manage/import")
MAX_FILE = 30 * 1024 * 1024
ATTRIBUTES = (
    "name", "first_name", "last_name", "email", "external_id", "country", "team", "role", "level", "site", "locale",
    "leader",
)  # fmt: skip


@router.get("")
async def start(view: Manages) -> Response:
    return view.page("manage/import.html")


@router.post("")
async def preview(view: Manages) -> Response:
    """What the file would do; nothing is done yet."""
    file = (await view.form()).get("file")
    if not isinstance(file, UploadFile) or not file.size:
        raise invalid(Violation("file", "required", "A file is needed."))
    view.about = "csv"
    answer = await view.apis.call("program", "POST", v1("imports"), await file.read(MAX_FILE), media_type="text/csv")
    return view.go(page("manage", "import", answer.data["id"]))


@router.get("/{import_id}")
async def shown(view: Manages, import_id: str) -> Response:
    """The preview, or how far the import is."""
    found = await view.apis.get("program", v1("imports", import_id))
    if view.is_fragment:
        return view.page("manage/_import_progress.html", found=found)
    return _preview(view, found)


@router.post("/{import_id}/columns")
async def choose_columns(view: Manages, import_id: str) -> Response:
    """Which column is which, and the preview under it."""
    columns = [str(one) or None for one in (await view.form()).getlist("column")]
    view.fields = {f"columns.{number}": Place("column", number) for number in range(len(columns))}
    view.fields["columns"] = Place("column")
    await view.apis.call("program", "PUT", v1("imports", import_id, "columns"), {"columns": columns})
    return view.go(page("manage", "import", import_id))


def _preview(view: View, found: Json) -> Response:
    missing = ", ".join(str(view.language.word("import.column", name)) for name in found["missing"])
    return view.page("manage/import_preview.html", found=found, missing=missing, attributes=ATTRIBUTES)


@router.post("/{import_id}/confirm")
async def confirm(view: Manages, import_id: str) -> Response:
    await view.apis.call("program", "POST", v1("imports", import_id, "confirm"))
    return view.go(page("manage", "import", import_id), toast="import-confirmed")
