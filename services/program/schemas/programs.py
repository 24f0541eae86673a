"""Programmes as they are made and answered: whom they invite, and who is in them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, get_args

from pydantic import ConfigDict, Field, model_validator

from chassis.rules import broken
from chassis.web.json_bodies import Body
from services.program.domain.people import Person, Status
from services.program.schemas.fields import AT, PROGRAM_ID, Country, Line, Locale, Texts, TimeZone, View
from services.program.schemas.people import KnownView


class ProgramView(View):
    """A programme."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": PROGRAM_ID,
                    "version": 3,
                    "name": "Voices",
                    "time_zone": "Europe/Paris",
                    "languages": ["fr", "en"],
                    "open": False,
                    "consent_version": 1,
                    "guidelines_version": 2,
                    "material_version": 2,
                    "colour": "#b0413e",
                    "text_colour": "#ffffff",
                    "picture_id": None,
                    "posts_hoped": 2,
                    "archived_at": None,
                    "created_at": AT,
                    "updated_at": AT,
                }
            ]
        },
        from_attributes=True,
    )

    id: str
    version: int = Field(description="Rises with each change; the ETag")
    name: str
    time_zone: str
    languages: list[str]
    open: bool = Field(description="True if anybody of the company may join without an invitation")
    consent_version: int
    guidelines_version: int = Field(description="The version in force; 0 for none")
    material_version: int = Field(description="The latest version that must be acknowledged; 0 for none")
    colour: str | None = Field(description="`#rrggbb`, seen on a light and on a dark page; null for none of its own")
    text_colour: str | None = Field(description="Of text on it")
    picture_id: str | None = Field(description="Its mark (`GET /pictures/{picture_id}`); null for none")
    posts_hoped: int | None = Field(description="Posts a month that it hopes for from each leader; null for none said")
    archived_at: datetime | None = Field(description="Since when it is over; null while it runs")
    created_at: datetime
    updated_at: datetime


class ProgramsView(View):
    """A page of programmes, oldest first."""

    items: list[ProgramView]
    next: str | None


class InvitedView(View):
    """What came of an invitation."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "invited": 300,
                    "skipped": {"already_joined": 4, "declined": 1},
                    "remaining": 0,
                    "batch_id": "019c46c7-6a80-7a6a-8d23-f082128b2f35",
                    "people": [],
                }
            ]
        },
        from_attributes=True,
    )

    invited: int
    skipped: dict[str, int] = Field(
        description="How many were left out, by reason: already_invited, already_joined, applied, "
        "declined, rejected, left, inactive, unknown"
    )
    remaining: int = Field(description="How many of the segment could still be invited")
    batch_id: str | None = Field(None, description="By this they are withdrawn together; null where nobody was invited")
    people: list[KnownView] = Field([], description="The first of them, by name")


class WithdrawnView(View):
    """What came of taking invitations back."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"withdrawn": 299, "answered": 1}]}, from_attributes=True)

    withdrawn: int
    answered: int = Field(description="How many were accepted or declined before, and stay so")


class Audience(Body):
    """For whom something is meant."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"countries": ["FR"], "teams": ["Sales"], "sites": ["Lyon"]}]}
    )

    countries: Annotated[list[Country], Field(max_length=300)] = Field([])
    teams: Annotated[list[Line], Field(max_length=1000)] = Field([])
    sites: Annotated[list[Line], Field(max_length=1000)] = Field([])


class AudienceView(View):
    """How many would see what is published for a group."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ambassadors": 43}]})

    ambassadors: int


class AmbassadorView(KnownView):
    """Somebody in a programme."""

    person_id: str
    status: Status
    since: datetime

    @classmethod
    def of(cls, person: Person, program_id: str) -> AmbassadorView:
        membership = person.in_program(program_id)
        return cls(
            person_id=person.id,
            name=person.name,
            team=person.team,
            country=person.country,
            leader=person.leader,
            site=person.site,
            email=person.email,
            status=membership.status,
            since=membership.since,
        )


class AmbassadorsView(View):
    """How many people have each status in a programme, and a page of them."""

    counts: dict[Status, int]
    items: list[AmbassadorView]
    next: str | None
    total: int = Field(description="How many there are on all pages; 10,000 stands for that many and more")

    @classmethod
    def of(
        cls, program_id: str, counts: Mapping[Status, int], people: list[Person], following: str | None, total: int
    ) -> AmbassadorsView:
        whole: dict[Status, int] = dict.fromkeys(get_args(Status), 0)
        items = [AmbassadorView.of(person, program_id) for person in people]
        return cls(counts={**whole, **counts}, items=items, next=following, total=total)


MAX_INVITED = 5_000


class NewProgram(Body):
    """A new programme."""

    name: Line = Field(examples=["Voices"])
    time_zone: TimeZone = Field(description="IANA name: days and weeks of the figures are this zone's")
    languages: Annotated[list[Locale], Field(min_length=1, max_length=20, examples=[["fr", "en"]])]
    consent: Texts
    open: bool = Field(False, description="True to let anybody of the company join without an invitation")

    @model_validator(mode="after")
    def _each_once(self) -> NewProgram:
        if len(set(self.languages)) != len(self.languages):
            raise broken("duplicate", "A language is named twice.")
        return self


class ProgramChange(Body):
    """A change of a programme; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Voices", "colour": "#b0413e"}]})

    open: bool | None = Field(None, description="True to let anybody of the company join without an invitation")
    name: Line | None = None
    colour: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")] | None = Field(
        None, description="`#rrggbb`; refused where it can hardly be seen on a light or on a dark page. Null for none"
    )
    picture_id: Annotated[str, Field(min_length=1, max_length=128)] | None = Field(
        None, description="Its mark: a picture that was sent (`POST /pictures`). Null for none"
    )
    posts_hoped: Annotated[int, Field(ge=1, le=31)] | None = Field(
        None, description="Posts a month that the programme hopes for from each leader. Null to say none"
    )

    def values(self) -> dict[str, Any]:
        """What was sent. A colour, a picture and a hope are taken away by null; nothing else can be."""
        sent = {name: getattr(self, name) for name in self.model_fields_set}
        if isinstance(sent.get("colour"), str):
            sent["colour"] = sent["colour"].lower()
        nullable = ("colour", "picture_id", "posts_hoped")
        return {name: value for name, value in sent.items() if name in nullable or value is not None}


class SegmentOrder(Body):
    """People by attributes, of which an empty list names none; or `everybody`, said in so many words."""

    countries: Annotated[list[Country], Field(max_length=300)] = Field([])
    teams: Annotated[list[Line], Field(max_length=1000)] = Field([])
    sites: Annotated[list[Line], Field(max_length=1000)] = Field([])
    jobs: Annotated[list[Line], Field(max_length=1000)] = Field([], description="What people do")
    levels: Annotated[list[Line], Field(max_length=1000)] = Field([])
    leaders_only: bool = False
    everybody: bool = False

    @model_validator(mode="after")
    def _somebody(self) -> SegmentOrder:
        if self.everybody == any((self.countries, self.teams, self.sites, self.jobs, self.levels, self.leaders_only)):
            raise broken("empty-segment", "Name countries, teams, sites, jobs, levels or leaders, or else `everybody`.")
        return self


class Invitations(Body):
    """Whom to invite: persons by id, or a segment."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"people": ["019c46c7-6a80-7a6a-8d23-f082128b2f33"]},
                {"segment": {"countries": ["FR"], "teams": [], "leaders_only": True}, "limit": 50},
            ]
        }
    )

    people: (
        Annotated[list[Annotated[str, Field(max_length=128)]], Field(min_length=1, max_length=MAX_INVITED)] | None
    ) = None
    segment: SegmentOrder | None = None
    limit: int = Field(500, ge=1, le=MAX_INVITED, description="How many of a segment are invited at most")
    dry_run: bool = Field(False, description="True to be told whom this would invite, and to invite nobody")

    @model_validator(mode="after")
    def _either(self) -> Invitations:
        if (self.people is None) == (self.segment is None):
            raise broken("people-or-segment", "Name either people or a segment.")
        return self
