"""Memberships of other systems, as they are handed in and answered."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from chassis.clock import to_milliseconds
from chassis.external_rows import MAX_ROWS, ExternalId, Source
from chassis.web.json_bodies import Body
from chassis.web.times import Moment
from herald_contracts.base import Id
from services.program.domain.history import MembershipRow
from services.program.schemas.fields import ID, View


class NamedPeople(Body):
    """E-mail addresses or external ids."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"people": ["amina@herald.example", "E-1043"]}]})

    people: Annotated[list[Annotated[str, Field(max_length=254)]], Field(max_length=MAX_ROWS)]


class PeopleIds(View):
    """Ids by what named them; who is not known is left out."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"people": {"amina@herald.example": ID}}]})

    people: dict[str, str]


class MembershipRowBody(Body):
    """A past membership."""

    id: ExternalId
    person_id: Id
    joined_at: Moment
    left_at: Moment | None = Field(None, description="Left out where they still were one when the history was made")

    def row(self) -> MembershipRow:
        left_at = to_milliseconds(self.left_at) if self.left_at else None
        return MembershipRow(self.id, self.person_id, to_milliseconds(self.joined_at), left_at)


class MembershipRowsBody(Body):
    """Up to 500 memberships of the past."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "source": "old-product",
                    "preview": False,
                    "items": [
                        {
                            "id": "M-7",
                            "person_id": ID,
                            "joined_at": "2026-03-02T00:00:00Z",
                            "left_at": "2026-10-01T00:00:00Z",
                        }
                    ],
                }
            ]
        }
    )

    source: Source
    preview: bool = Field(False, description="Say what would be done, and write nothing")
    items: Annotated[list[MembershipRowBody], Field(min_length=1, max_length=MAX_ROWS)]
