"""Links, applications and reasons to leave as they are asked for and answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, cast, get_args

from pydantic import ConfigDict, Field

from chassis.text import Prose, Title
from chassis.web.http import Total
from chassis.web.json_bodies import Body
from chassis.web.one_of import OneOf
from chassis.web.times import Day
from services.program.domain.admission import (
    MAX_ANSWER,
    MAX_QUESTIONS,
    Admission,
    DepartureReason,
    Departures,
)
from services.program.domain.links import InvitationLink, LinkState
from services.program.domain.people import Person
from services.program.domain.programs import Program, choose_language
from services.program.queries.admission import Counted
from services.program.schemas.fields import AT, PROGRAM_ID, Locale, View
from services.program.schemas.people import KnownView

LINK_ID = "019ca0a2-3e80-7c1d-9a55-8a1b5b0f2c11"
LINK_TOKEN = "q3mZ8kT0vYx2LwPd"  # noqa: S105
MAX_TITLE = 80
MAX_HEADLINE = 120
MAX_QUESTION = 200
HEADLINES: Any = {"fr": "Parlez de votre métier", "en": "Talk about your work"}
QUESTIONS: Any = [{"fr": "De quoi aimeriez-vous parler ?", "en": "What would you like to talk about?"}]
Reason = Annotated[str, OneOf(get_args(DepartureReason))]


class AdmissionView(View):
    """How people come into a programme of their own accord."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"version": 1, "nominations": True, "questions": QUESTIONS}]},
        from_attributes=True,
    )

    version: int = Field(description="Rises with each change; the ETag. 0 where nobody set it")
    nominations: bool = Field(description="Whether people may put themselves forward")
    questions: list[dict[str, str]] = Field(description="What they are asked then, in each language")

    @classmethod
    def of(cls, found: Admission) -> AdmissionView:
        return cls(
            version=found.version, nominations=found.nominations, questions=[dict(one) for one in found.questions]
        )


class AdmissionChange(Body):
    """How people come into a programme of their own accord, from now on."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"nominations": True, "questions": QUESTIONS}]})

    nominations: bool = Field(description="Whether people may put themselves forward; a manager decides")
    questions: Annotated[
        list[
            Annotated[
                dict[Locale, Annotated[str, Title(MAX_QUESTION)]],
                Field(min_length=1, max_length=20, description="A text for each language of the programme"),
            ]
        ],
        Field(max_length=MAX_QUESTIONS),
    ] = Field([], description="What they are asked then")


class Application(Body):
    """What one says when one puts oneself forward."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"answers": ["Our workshop in Lyon."]}]})

    answers: Annotated[list[Annotated[str, Prose(MAX_ANSWER)]], Field(max_length=MAX_QUESTIONS)] = Field(
        [], description="One for each question, in their order; an empty one is none"
    )


class ApplicationView(KnownView):
    """Somebody who put themselves forward."""

    person_id: str
    since: datetime
    answers: list[str] = Field(description="Deleted when it is decided")


class ApplicationsView(View):
    """A page of those who put themselves forward, by name."""

    items: list[ApplicationView]
    next: str | None
    total: int

    @classmethod
    def of(
        cls, program_id: str, found: Sequence[tuple[Person, list[str]]], following: str | None, total: int
    ) -> ApplicationsView:
        items = [
            ApplicationView(
                **KnownView.model_validate(person).model_dump(),
                person_id=person.id,
                since=person.in_program(program_id).since,
                answers=answers,
            )
            for person, answers in found
        ]
        return cls(items=items, next=following, total=total)


class NewLink(Body):
    """A link that invites whoever of the company follows it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"title": "Canteen, Lyon", "headlines": HEADLINES, "ends_on": "2026-06-30", "approval": False}]
        }
    )

    title: Annotated[str, Title(MAX_TITLE)] = Field(description="Where it hangs, for those who run the programme")
    headlines: Annotated[dict[Locale, Annotated[str, Title(MAX_HEADLINE)]], Field(max_length=20)] = Field(
        {}, description="What the poster says, in each language of the programme; or none"
    )
    ends_on: Day | None = Field(None, description="Its last day, in the programme's time zone; null for none")
    approval: bool = Field(
        False, description="True where who follows it puts themselves forward, and a manager decides"
    )


class LinkView(View):
    """A link with how many people followed it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": LINK_ID,
                    "program_id": PROGRAM_ID,
                    "version": 1,
                    "token": LINK_TOKEN,
                    "title": "Canteen, Lyon",
                    "headlines": HEADLINES,
                    "ends_on": "2026-06-30",
                    "approval": False,
                    "state": "open",
                    "followed": 41,
                    "joined": 33,
                    "created_at": AT,
                }
            ]
        }
    )

    id: str
    program_id: str
    version: int
    token: str = Field(description="What the link ends with: whoever has it may follow it")
    title: str
    headlines: dict[str, str]
    ends_on: date | None
    approval: bool
    state: LinkState
    followed: int = Field(description="How many people came by it, as far as nothing else invited them since")
    joined: int = Field(description="How many of them take part")
    created_at: datetime

    @classmethod
    def of(cls, found: Counted) -> LinkView:
        names = [name for name in cls.model_fields if hasattr(found.link, name)]
        values = {name: getattr(found.link, name) for name in names}
        counts = found.counts
        return cls(**values, followed=sum(counts.values()), joined=counts.get("joined", 0))

    @classmethod
    def unfollowed(cls, link: InvitationLink) -> LinkView:
        return cls.of(Counted(link, {}))


class LinksView(View):
    """A page of links, the last one first."""

    items: list[LinkView]
    next: str | None
    total: Total = None


class FollowedView(View):
    """What a link leads to."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "program_id": PROGRAM_ID,
                    "program_name": "Voices",
                    "headline": "Talk about your work",
                    "language": "en",
                    "approval": False,
                    "questions": [],
                }
            ]
        }
    )

    program_id: str
    program_name: str
    headline: str | None
    language: str
    approval: bool = Field(description="Whether a manager decides")
    questions: list[str] = Field(description="What one is asked then, in the reader's language")

    @classmethod
    def of(cls, link: InvitationLink, program: Program, admission: Admission, wanted: str | None) -> FollowedView:
        chosen = choose_language(dict.fromkeys(program.languages), wanted, program.languages)
        return cls(
            program_id=program.id,
            program_name=program.name,
            headline=link.headlines.get(chosen),
            language=chosen,
            approval=link.approval,
            questions=[texts[chosen] for texts in admission.questions if chosen in texts] if link.approval else [],
        )


class Departing(Body):
    """Why one pauses or leaves, if one wants to say."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "no_time"}]})

    reason: Reason | None = Field(None, description="Counted without a name")

    def said(self) -> DepartureReason | None:
        return cast("DepartureReason | None", self.reason)


class DeparturesView(View):
    """Why people paused and left, as far as they said so."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"pause": {"no_time": 4}, "leave": {"content": 3}, "min": 5}]}
    )

    pause: dict[str, int]
    leave: dict[str, int]
    min: int = Field(description="Reasons are told so many at a time: nobody's own can be read from them")

    @classmethod
    def of(cls, found: Departures, least: int) -> DeparturesView:
        by: dict[str, dict[str, int]] = {"pause": {}, "leave": {}}
        for name, count in found.told.items():
            departure, _, reason = name.partition(".")
            by[departure][reason] = count
        return cls(pause=by["pause"], leave=by["leave"], min=least)
