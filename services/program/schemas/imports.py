"""Imports as they are asked for and answered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field

from chassis.web.json_bodies import Body
from chassis.web.one_of import OneOf
from services.program.domain.columns import COLUMNS, Known
from services.program.domain.imports import Import, State
from services.program.domain.tables import MAX_COLUMNS
from services.program.schemas.fields import AT, ID, View

KnownColumn = Annotated[str, OneOf(COLUMNS)]


class ErrorView(View):
    """Which rule a field of a line breaks."""

    line: int = Field(description="Counted from 1, the header included")
    field: str = Field(description="The column; `line` where it is the line as a whole")
    rule: str
    detail: str
    params: dict[str, str | int] = Field(description="Of the rule, such as `max` of `too-long`")


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
                            "params": {},
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
