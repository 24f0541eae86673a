"""What was done as an expert, as it is declared and shown."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from chassis.text import Line, Title
from chassis.web.json_bodies import Body
from chassis.web.one_of import OneOf
from chassis.web.times import Day
from chassis.web_address import Address
from services.program.domain.expert_acts import KINDS, ExpertAct, ExpertActState
from services.program.queries.expert_acts import Found
from services.program.schemas.fields import AT, ID, PROGRAM_ID, View

EXPERT_ACT_ID = "019c9a10-1c80-7b52-8d1f-2f6a0a7c41f1"
MAX_REASON = 500
_DECLARED: Any = {
    "act": "talk",
    "title": "Twelve years of events",
    "link": "https://conference.example/2026/twelve-years",
    "happened_on": "2026-02-27",
}
_ACT: Any = {
    "id": EXPERT_ACT_ID,
    "program_id": PROGRAM_ID,
    "person_id": ID,
    "version": 1,
    **_DECLARED,
    "state": "declared",
    "reason": "",
    "declared_at": AT,
    "updated_at": AT,
    "expires_at": "2026-04-01T09:30:00.000Z",
}


class ExpertActView(View):
    """A talk, an article or a podcast."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ACT]}, from_attributes=True)

    id: str
    program_id: str
    person_id: str
    version: int
    act: str = Field(description="`talk`, `article` or `podcast`")
    title: str
    link: str
    happened_on: date
    state: ExpertActState = Field(description="It counts while it is `confirmed`, and keeps what it earned `expired`")
    reason: str = Field(description="What a manager says to a refusal")
    declared_at: datetime
    updated_at: datetime
    expires_at: datetime = Field(description="Undecided, it is forgotten then; confirmed, it is of the past then")


class ExpertActsView(View):
    """A page, the newest first."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"items": [_ACT], "next": None, "total": 1}]}, from_attributes=True
    )

    items: list[ExpertActView]
    next: str | None
    total: int

    @classmethod
    def of(cls, found: Found) -> ExpertActsView:
        return cls.model_validate(found)


class ExpertActBody(Body):
    """What one did."""

    model_config = ConfigDict(json_schema_extra={"examples": [_DECLARED]})

    act: Annotated[str, OneOf(KINDS)]
    title: Annotated[str, Title(150)]
    link: Address
    happened_on: Day = Field(description="In the last year, in the programme's time zone")


class RefusalBody(Body):
    """Why it does not count."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "The link leads to another talk."}]})

    reason: Annotated[str, Line(MAX_REASON)] = Field("", description="Told to the ambassador")


def view(act: ExpertAct) -> ExpertActView:
    return ExpertActView.model_validate(act)
