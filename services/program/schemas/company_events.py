"""Events as they are planned, answered and attended."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field, model_validator

from chassis.rules import broken
from chassis.text import Line, Title
from chassis.web.json_bodies import Body
from chassis.web.times import Moment
from services.program.domain.company_events import Attendance, CompanyEvent, CompanyEventState
from services.program.domain.people import Segment
from services.program.domain.waves import Criteria
from services.program.queries.company_events import Found
from services.program.schemas.fields import AT, ID, PROGRAM_ID, View, places_of
from services.program.schemas.programs import Audience

EVENT_ID = "019c9a10-1c80-7b52-8d1f-2f6a0a7c41fb"
CODE = "Hs8k3VnQx1Lw5PdT"
_PLANNED: Any = {
    "title": "Open day in Lyon",
    "place": "Hall 3",
    "starts_at": "2026-03-12T16:00:00.000Z",
    "ends_at": "2026-03-12T19:00:00.000Z",
}
_AUDIENCE: Any = {"everybody": False, "countries": ["FR"], "teams": [], "sites": []}
_INVITED: Any = {"id": EVENT_ID, "program_id": PROGRAM_ID, **_PLANNED, "coming": True, "checked_in_at": None}
_EVENT: Any = {
    "id": EVENT_ID,
    "program_id": PROGRAM_ID,
    "version": 1,
    **_PLANNED,
    "audience": _AUDIENCE,
    "state": "planned",
    "code": CODE,
    "coming": 24,
    "there": 0,
    "updated_at": AT,
}
_GUEST: Any = {"person_id": ID, "coming": True, "checked_in_at": "2026-03-12T16:04:00.000Z", "spoke": False}


class InvitedView(View):
    """An event as an ambassador sees it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_INVITED]})

    id: str
    program_id: str
    title: str
    place: str
    starts_at: datetime
    ends_at: datetime
    coming: bool | None = Field(description="What the caller answered; null for nothing")
    checked_in_at: datetime | None = Field(description="Since when the caller was there")

    @classmethod
    def of(cls, event: CompanyEvent, mine: Attendance | None = None) -> InvitedView:
        names = [name for name in cls.model_fields if name not in ("coming", "checked_in_at")]
        return cls(
            **{name: getattr(event, name) for name in names},
            coming=mine.coming if mine else None,
            checked_in_at=mine.checked_in_at if mine else None,
        )


class InvitedsView(View):
    """What is to come, the next one first; at most 50."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_INVITED]}]})

    items: list[InvitedView]


class AudienceView(View):
    """Which ambassadors an event is for: all of them, or those whose country, team and site are listed; an empty list
    leaves that open."""

    everybody: bool
    countries: list[str]
    teams: list[str]
    sites: list[str]

    @classmethod
    def of(cls, audience: Criteria) -> AudienceView:
        return cls(everybody=audience.everybody, **places_of(audience.segment))


class EventView(View):
    """An event as a manager sees it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EVENT]})

    id: str
    program_id: str
    version: int = Field(description="Rises with each change; the ETag")
    title: str
    place: str
    starts_at: datetime
    ends_at: datetime
    audience: AudienceView
    state: CompanyEventState
    code: str = Field(description="What is scanned there")
    coming: int = Field(description="How many said that they come")
    there: int = Field(description="How many checked in")
    updated_at: datetime

    @classmethod
    def of(cls, event: CompanyEvent, counts: tuple[int, int] = (0, 0)) -> EventView:
        names = [name for name in cls.model_fields if name not in ("audience", "coming", "there")]
        return cls(
            **{name: getattr(event, name) for name in names},
            audience=AudienceView.of(event.audience),
            coming=counts[0],
            there=counts[1],
        )


class EventsView(View):
    """A page of events, the newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_EVENT], "next": None}]})

    items: list[EventView]
    next: str | None

    @classmethod
    def of(cls, found: Found) -> EventsView:
        items = [EventView.of(one, found.counts.get(one.id, (0, 0))) for one in found.items]
        return cls(items=items, next=found.next)


class AudienceBody(Audience):
    """Which ambassadors it is for: those whose country, team and site are listed (an empty list leaves that open), or
    `everybody`, said in so many words."""

    everybody: bool = False

    @model_validator(mode="after")
    def _somebody(self) -> AudienceBody:
        if self.everybody == bool(self.countries or self.teams or self.sites):
            raise broken("empty-segment", "Name countries, teams or sites, or else say `everybody`.")
        return self

    @property
    def criteria(self) -> Criteria:
        segment = Segment(countries=tuple(self.countries), teams=tuple(self.teams), sites=tuple(self.sites))
        return Criteria(self.everybody, segment)


class EventBody(Body):
    """An event."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_PLANNED, "audience": _AUDIENCE}]})

    title: Annotated[str, Title(120)]
    place: Annotated[str, Line(120)] = ""
    starts_at: Moment
    ends_at: Moment = Field(description="Two weeks after its beginning at most")
    audience: AudienceBody

    def values(self) -> dict[str, Any]:
        return {**dict(self), "audience": self.audience.criteria}


class ReplyBody(Body):
    """Whether one comes."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"coming": True}]})

    coming: bool


class CheckInBody(Body):
    """The code that was scanned."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"code": CODE}]})

    code: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,64}$")]


class GuestView(View):
    """Who comes or was there."""

    model_config = ConfigDict(json_schema_extra={"examples": [_GUEST]})

    person_id: str
    coming: bool | None
    checked_in_at: datetime | None
    spoke: bool

    @classmethod
    def of(cls, one: Attendance) -> GuestView:
        return cls(
            person_id=one.person_id,
            coming=one.coming,
            checked_in_at=one.checked_in_at,
            spoke=one.speaker_act is not None,
        )


class GuestsView(View):
    """A page of guests."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_GUEST], "next": None}]})

    items: list[GuestView]
    next: str | None
