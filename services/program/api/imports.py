"""People by CSV: preview, look, confirm."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from pydantic import ConfigDict, Field

from chassis.web.http import Body, Router, Unit, consumes, limited
from chassis.web.one_of import OneOf
from services.program.api.base import AT, ID, Manages, Use, View
from services.program.commands import imports
from services.program.domain.columns import COLUMNS, Known
from services.program.domain.imports import Import, State
from services.program.domain.tables import MAX_COLUMNS

router = Router(tags=["imports"])
KnownColumn = Annotated[str, OneOf(COLUMNS)]
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


class ColumnView(View):
    """A column of the file."""

    heading: str
    column: KnownColumn | None = Field(description="Which attribute of a person it is; null: it is ignored")
    known: Known | None = Field(description="By the words of its heading, by an earlier choice, or chosen now")
    examples: list[str] = Field(description="Its first values; gone once imported")


class ColumnsChoice(Body):
    """Which column of the file is which."""

    columns: Annotated[list[KnownColumn | None], Field(max_length=MAX_COLUMNS)] = Field(
        description="One for each column of the file, in order; null to ignore it",
        examples=[["external_id", "last_name", "first_name", None, "email", "country", "team"]],
    )


class ImportView(View):
    """An import: what it would change and, once confirmed, how far it is."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": ID,
                    "state": "previewed",
                    "encoding": "windows-1252",
                    "delimiter": ";",
                    "columns": [
                        {"heading": "Courriel", "column": "email", "known": "heading", "examples": ["a@herald.example"]}
                    ],
                    "missing": [],
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
    encoding: str = Field(description="As which the file was read")
    delimiter: str
    columns: list[ColumnView]
    missing: list[str] = Field(description="What no column of the file is, and no row is valid without")
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
