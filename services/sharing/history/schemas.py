"""What the routes of history take."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from chassis.clock import to_milliseconds
from chassis.external_rows import MAX_ROWS, ExternalId, Source
from chassis.text import Prose, Title
from chassis.web.json_bodies import Body
from chassis.web.times import Moment
from chassis.web_address import Address
from herald_contracts.base import Id, Language
from herald_contracts.words import Network
from services.sharing.history.rows import EngagementRow, PostRow
from services.sharing.schemas import CONTENT, PROGRAM

Kind = Literal["click", "like", "comment", "repost", "impression"]
Counts = Annotated[
    dict[Kind, Annotated[int, Field(ge=0, le=1_000_000)]],
    Field(description="How many, by kind; clicks are those of people", examples=[{"click": 12, "like": 3}]),
]
PERSON = "019c46c7-6a80-7a6a-8d23-f082128b2f33"


class PostRowBody(Body):
    """A post of the past."""

    id: ExternalId
    ambassador_id: Id
    content_id: Id
    title: Annotated[str, Title(300), Field(description="The item's")]
    url: Address
    language: Language
    network: Network
    posted_at: Moment
    text: Annotated[str, Prose(5000)] = ""
    counts: Counts = Field(default={})

    def row(self) -> PostRow:
        return PostRow(**{**self.model_dump(), "posted_at": to_milliseconds(self.posted_at)})


class EngagementRowBody(Body):
    """What an imported post brought later."""

    id: ExternalId
    post: Annotated[str, Field(min_length=1, max_length=200, description="The post's id in the source")]
    counted_at: Moment
    counts: Counts

    def row(self) -> EngagementRow:
        return EngagementRow(**{**self.model_dump(), "counted_at": to_milliseconds(self.counted_at)})


class _RowsBody(Body):
    program_id: Id
    source: Source
    preview: bool = Field(False, description="Say what would be done, and write nothing")


def _example(**item: object) -> ConfigDict:
    order: Any = {"program_id": PROGRAM, "source": "old-product", "preview": False, "items": [item]}
    return ConfigDict(json_schema_extra={"examples": [order]})


class PostRowsBody(_RowsBody):
    """Up to 500 posts."""

    model_config = _example(
        id="P-1001",
        ambassador_id=PERSON,
        content_id=CONTENT,
        title="Our first battery plant",
        url="https://www.example.com/plant",
        language="en",
        network="linkedin",
        posted_at="2026-09-14T08:30:00Z",
        counts={"click": 12, "like": 30},
    )

    items: Annotated[list[PostRowBody], Field(min_length=1, max_length=MAX_ROWS)]


class EngagementRowsBody(_RowsBody):
    """Up to 500 rows of engagement."""

    model_config = _example(id="E-77", post="P-1001", counted_at="2026-09-16T08:00:00Z", counts={"comment": 2})

    items: Annotated[list[EngagementRowBody], Field(min_length=1, max_length=MAX_ROWS)]
