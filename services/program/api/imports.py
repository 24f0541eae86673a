"""People by CSV: preview, look, confirm."""

from __future__ import annotations

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from chassis.web.http import Router, Unit, consumes, limited
from services.program.api.base import Manages, Use
from services.program.commands import imports
from services.program.schemas.imports import (
    ColumnsChoice,
    ImportView,
)

router = Router(tags=["imports"])
MAX_FILE = 24 * 1024 * 1024
_FILE = {
    "requestBody": {
        "required": True,
        "description": "UTF-8, UTF-16 or Windows-1252; comma, semicolon, tab or bar between values; headings in "
        "English, French or German that name country, team, a name (in one column or two) and email or external_id, "
        "and any of role, level, site, locale, leader. Other columns are ignored; which is which can be chosen. At "
        "most 24 MiB and 200,000 lines.",
        "content": {
            "text/csv": {
                "schema": {"type": "string"},
                "example": "email,name,country,team,role,level,site,locale,leader,external_id\n"
                "amina@herald.example,Amina Belkacem,FR,Engineering,Engineer,staff,Lyon,fr,no,E-1042\n",
            }
        },
    }
}


@router.post(
    "/imports",
    summary="Preview an import",
    response_model=ImportView,
    status_code=201,
    openapi_extra=_FILE,
    dependencies=[consumes("text/csv"), limited("uploads")],
)
async def upload(request: Request, caller: Manages, unit: Unit, context: Use) -> Response:
    """What a file would change, and every row that breaks a rule, by line. Nobody is imported before the import is
    confirmed, which is possible for a day. A file that is no table is refused whole as `csv-unreadable`, naming line
    and rule."""
    previewed = await imports.preview(context, await request.body(), by=caller.id)
    return await unit.run(lambda tx: imports.keep(context, tx, previewed), view=ImportView.of, status=201)


@router.get("/imports/{import_id}", summary="An import", response_model=ImportView)
async def get_import(import_id: str, _: Manages, context: Use) -> ImportView:
    """The preview or, once confirmed, how far it is."""
    return ImportView.of(await context.imports.get(import_id))


@router.put("/imports/{import_id}/columns", summary="Choose columns", response_model=ImportView)
async def choose_columns(import_id: str, body: ColumnsChoice, _: Manages, unit: Unit, context: Use) -> Response:
    """Says which column of the file is which, and previews it anew. Headings are remembered for later files."""
    previewed = await imports.preview_again(context, import_id, body.columns)
    return await unit.run(lambda tx: imports.choose_columns(context, tx, previewed), view=ImportView.of)


@router.post(
    "/imports/{import_id}/confirm",
    summary="Import the valid rows",
    response_model=ImportView,
    responses={202: {"model": ImportView, "description": "Under way: see GET"}},
)
async def confirm(import_id: str, _: Manages, unit: Unit, context: Use) -> Response:
    """Imports the valid rows. Up to 5,000 are imported when this answers (200); more go on in the background
    (202). Repeating it changes nothing."""
    await unit.run(lambda tx: imports.confirm(context, tx, import_id), view=ImportView.of)
    found = await imports.import_at_once(context, import_id)
    return JSONResponse(ImportView.of(found).model_dump(mode="json"), 202 if found.state == "importing" else 200)
