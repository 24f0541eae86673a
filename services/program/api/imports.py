"""People by CSV: preview, look, confirm."""

from __future__ import annotations

from datetime import datetime

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from pydantic import ConfigDict, Field

from chassis.web.http import Router, Unit, consumes, limited
from services.program.api.base import AT, ID, Manages, Use, View
from services.program.commands import imports
from services.program.store.imports import Import, State

router = Router(tags=["imports"])
MAX_FILE = 24 * 1024 * 1024
_FILE = {
    "requestBody": {
        "required": True,
        "description": "UTF-8 (BOM or not); comma, semicolon or tab between values; a header with the columns "
        "name, country, team and email or external_id, and any of role, level, site, locale, leader. At most "
        "24 MiB and 200,000 lines.",
        "content": {
            "text/csv": {
                "schema": {"type": "string"},
                "example": "email,name,country,team,role,level,site,locale,leader,external_id\n"
                "amina@herald.example,Amina Belkacem,FR,Engineering,Engineer,staff,Lyon,fr,no,E-1042\n",
            }
        },
    }
}


class ErrorView(View):
    """Which rule a field of a line breaks."""

    line: int = Field(description="Counted from 1, the header included")
    field: str = Field(description="The column; `line` where it is the line as a whole")
    rule: str
    detail: str


class SampleView(View):
    """A row as it was understood; what the file does not say is absent."""

    line: int
    values: dict[str, str | bool | None]


class ImportView(View):
    """An import: what it would change and, once confirmed, how far it is."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": ID,
                    "state": "previewed",
                    "total": 2001,
                    "valid": 2000,
                    "new": 1990,
                    "changed": 4,
                    "unchanged": 6,
                    "errors_total": 1,
                    "errors": [
                        {
                            "line": 17,
                            "field": "country",
                            "rule": "country",
                            "detail": "Two letters of ISO 3166-1 are needed, such as FR or DE.",
                        }
                    ],
                    "sample": [{"line": 2, "values": {"email": "amina@herald.example", "name": "Amina Belkacem"}}],
                    "done": 0,
                    "created": 0,
                    "updated": 0,
                    "kept": 0,
                    "failed": 0,
                    "created_at": AT,
                    "confirmed_at": None,
                    "finished_at": None,
                }
            ]
        },
        from_attributes=True,
    )

    id: str
    state: State
    total: int = Field(description="Rows of the file")
    valid: int = Field(description="Rows that are imported when confirmed")
    new: int = Field(description="People who are not known yet")
    changed: int = Field(description="People of whom something changes")
    unchanged: int = Field(description="People of whom nothing changes")
    errors_total: int
    errors: list[ErrorView] = Field(description="The first 1000")
    sample: list[SampleView] = Field(description="The first valid rows; gone once imported")
    done: int = Field(description="Valid rows dealt with so far: created, updated, kept and failed together")
    created: int
    updated: int
    kept: int = Field(description="People who needed no change")
    failed: int = Field(description="Rows that could no longer be imported when confirmed; see `errors`")
    created_at: datetime
    confirmed_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, found: Import) -> ImportView:
        return cls.model_validate(found)


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
    confirmed, which is possible for a day. A file that is no table (not UTF-8, broken quotes, missing columns) is
    refused whole as `csv-unreadable`, naming line, field and rule."""
    previewed = await imports.preview(context, await request.body(), by=caller.id)
    return await unit.run(lambda tx: imports.keep(context, tx, previewed), view=ImportView.of, status=201)


@router.get("/imports/{import_id}", summary="An import", response_model=ImportView)
async def get_import(import_id: str, _: Manages, context: Use) -> ImportView:
    """The preview or, once confirmed, how far it is."""
    return ImportView.of(await context.imports.get(import_id))


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
