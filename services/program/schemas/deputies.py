"""Deputies, what they prepare, and what is told of leaders."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from chassis.text import Title, Words
from chassis.web.json_bodies import Body
from herald_contracts.base import Id
from services.program.domain.deputies import DeputyState, PreparedState
from services.program.queries.deputies import Notices
from services.program.schemas.fields import AT, ID, PROGRAM_ID, Locale, View

DEPUTY_ID = "019c9a40-2b90-7c11-9d0e-1f6a0a7c52c3"
PREPARED_ID = "019c9a44-0d10-7f02-8a41-6b1d0c7f90aa"
LEADER_ID = "019c46c7-6a80-7a6a-8d23-f082128b2f44"
CONTENT_ID = "019c8f00-0b10-7c4e-9f52-0a1b2c3d4e5f"
MAX_CAPTION = 5_000
_WORDS: Any = {"language": "en", "caption": "Half the water for the same steel: I was in Lyon when it started."}
_DEPUTY: Any = {
    "id": DEPUTY_ID,
    "program_id": PROGRAM_ID,
    "leader_id": LEADER_ID,
    "person_id": ID,
    "version": 1,
    "state": "named",
    "named_at": AT,
    "updated_at": AT,
}
_PREPARED: Any = {
    "id": PREPARED_ID,
    "program_id": PROGRAM_ID,
    "leader_id": LEADER_ID,
    "deputy_id": ID,
    "content_id": CONTENT_ID,
    **_WORDS,
    "version": 1,
    "state": "waiting",
    "created_at": AT,
    "updated_at": AT,
}

Caption = Annotated[str, Words(MAX_CAPTION)]


class DeputyBody(Body):
    """Whom a leader asks."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"person": "noor@herald.example"}]})

    person: Annotated[str, Title(320)] = Field(description="E-mail address or external id of an ambassador")


class DeputyView(View):
    """That somebody prepares for a leader, or is asked to."""

    model_config = ConfigDict(json_schema_extra={"examples": [_DEPUTY]}, from_attributes=True)

    id: str
    program_id: str
    leader_id: str
    person_id: str = Field(description="The deputy")
    version: int
    state: DeputyState
    named_at: datetime
    updated_at: datetime


class DeputiesView(View):
    """Those that one has and those that one is, the newest first."""

    items: list[DeputyView]


class PreparedBody(Body):
    """An item and the words for it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"content_id": CONTENT_ID, **_WORDS}]})

    content_id: Id
    language: Locale = Field(description="Of the caption")
    caption: Caption


class PreparedChange(Body):
    """Other words."""

    model_config = ConfigDict(json_schema_extra={"examples": [_WORDS]})

    language: Locale = Field(description="Of the caption")
    caption: Caption


class PreparedView(View):
    """An item with a caption that waits for a leader."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PREPARED]}, from_attributes=True)

    id: str
    program_id: str
    leader_id: str
    deputy_id: str = Field(description="Who prepared it")
    content_id: str
    language: str
    caption: str
    version: int
    state: PreparedState
    created_at: datetime
    updated_at: datetime


class PreparedListView(View):
    """The newest first."""

    items: list[PreparedView]


class FirstPostView(View):
    """A leader who shared for the first time."""

    person_id: str
    name: str
    team: str


class NoticesView(View):
    """What an ambassador is told of leaders and deputies."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "first_posts": [{"person_id": LEADER_ID, "name": "Marie Roche", "team": "Board"}],
                    "asked": 1,
                    "deputy_for": 0,
                    "prepared": 0,
                }
            ]
        }
    )

    first_posts: list[FirstPostView] = Field(
        description="Leaders who shared for the first time in the last seven days, without the caller and without "
        "those who keep out of statistics"
    )
    asked: int = Field(description="By how many leaders the caller is asked to prepare for them")
    deputy_for: int = Field(description="For how many leaders the caller prepares")
    prepared: int = Field(description="How many prepared shares wait for the caller")

    @classmethod
    def of(cls, found: Notices) -> NoticesView:
        posts = [FirstPostView(person_id=one.id, name=one.name, team=one.team) for one in found.first_posts]
        return cls(first_posts=posts, asked=found.asked, deputy_for=found.deputy_for, prepared=found.prepared)
