"""What the routes of history take and give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from chassis.clock import to_milliseconds
from chassis.external_rows import MAX_ROWS, ExternalId, Source
from chassis.text import Prose, Title
from chassis.web.http import example
from chassis.web.json_bodies import Body
from chassis.web.times import Moment
from chassis.web_address import Address
from herald_contracts.base import Language
from services.content.domain.items import MAX_SUMMARY, MAX_TITLE
from services.content.history.rows import ItemRow, Known
from services.content.schemas import Identifier, KnownCategory, KnownKind

PROGRAM = "019c1347-d280-752e-b651-3270269e0d37"
PLANT = "https://www.example.com/plant"


class ItemRowBody(Body):
    """An item of the past."""

    id: ExternalId
    url: Address
    title: Annotated[str, Title(MAX_TITLE)]
    summary: Annotated[str, Prose(MAX_SUMMARY)] = ""
    language: Language = "en"
    kind: KnownKind = "article"
    category: KnownCategory = "company_news"
    published_at: Moment
    retired_at: Moment | None = Field(None, description="When it was shared no more; now, unless it is `shareable`")
    shareable: StrictBool = Field(False, description="True to have it in feeds from now on, under its own day")

    def row(self) -> ItemRow:
        values = self.model_dump()
        for name in ("published_at", "retired_at"):
            values[name] = to_milliseconds(values[name]) if values[name] else None
        return ItemRow(**values)


class ItemRowsBody(Body):
    """Up to 500 items."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "program_id": PROGRAM,
                    "source": "old-product",
                    "preview": False,
                    "items": [
                        {
                            "id": "I-12",
                            "url": PLANT,
                            "title": "Our first battery plant",
                            "language": "en",
                            "published_at": "2026-09-14T08:00:00Z",
                        }
                    ],
                }
            ]
        }
    )

    program_id: Identifier
    source: Source
    preview: StrictBool = Field(False, description="Say what would be done, and write nothing")
    items: Annotated[list[ItemRowBody], Field(min_length=1, max_length=MAX_ROWS)]


class NamedItemsBody(Body):
    """Addresses of items, or their ids in a source that was imported."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"program_id": PROGRAM, "source": "old-product", "items": [PLANT, "I-12"]}]}
    )

    program_id: Identifier
    source: Source
    items: Annotated[list[Annotated[str, Field(min_length=1, max_length=2048)]], Field(max_length=MAX_ROWS)]


class KnownItemView(BaseModel):
    """An item of the programme."""

    model_config = example(
        id="019c9e53-8680-7a09-a0fd-630ff29d0da9", title="Our first battery plant", url=PLANT, language="en"
    )

    id: str
    title: str
    url: str
    language: str


class KnownItemsView(BaseModel):
    """The items that were found, by what named them."""

    items: dict[str, KnownItemView]

    @classmethod
    def of(cls, found: Mapping[str, Known]) -> Self:
        return cls(items={one: KnownItemView(**asdict(item)) for one, item in found.items()})
