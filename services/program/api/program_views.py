"""Programmes as they are answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from pydantic import ConfigDict, Field

from herald_contracts.words import Kpi, UseCase
from services.program.api.base import AT, PROGRAM_ID, View
from services.program.api.views import NameView
from services.program.domain.people import Person, Status
from services.program.domain.programs import Objective, Text, TextKind


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
    created_at: datetime
    updated_at: datetime


class ProgramsView(View):
    """A page of programmes, oldest first."""

    items: list[ProgramView]
    next: str | None


class TextView(View):
    """The consent or the guidelines in one language."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "program_id": PROGRAM_ID,
                    "kind": "guidelines",
                    "version": 2,
                    "material": True,
                    "language": "en",
                    "languages": ["fr", "en"],
                    "text": "## Speak for yourself\n\nIn your own words.",
                    "published_at": AT,
                }
            ]
        }
    )

    program_id: str
    kind: TextKind
    version: int
    material: bool = Field(description="True if it must be acknowledged (guidelines) or accepted (consent) anew")
    language: str
    languages: list[str]
    text: str = Field(description="Markdown")
    published_at: datetime

    @classmethod
    def of(cls, text: Text, language: str) -> TextView:
        values = {name: getattr(text, name) for name in cls.model_fields if hasattr(text, name)}
        return cls(**{**values, "language": language, "languages": list(text.texts), "text": text.texts[language]})


class ObjectiveView(View):
    """What a programme wants to reach."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "019c186e-2e80-76ca-890c-192cd3ac94af",
                    "program_id": PROGRAM_ID,
                    "version": 1,
                    "use_case": "employer_brand",
                    "kpi": "participation_rate",
                    "baseline": 0.08,
                    "target": 0.35,
                    "starts_on": "2026-03-01",
                    "ends_on": "2026-06-30",
                    "updated_at": AT,
                }
            ]
        },
        from_attributes=True,
    )

    id: str
    program_id: str
    version: int = Field(description="Rises with each change; the ETag")
    use_case: UseCase
    kpi: Kpi
    baseline: float
    target: float
    starts_on: date
    ends_on: date
    updated_at: datetime

    @classmethod
    def of(cls, objective: Objective) -> ObjectiveView:
        return cls.model_validate(objective)


class InvitedView(View):
    """What came of an invitation."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"invited": 300, "skipped": {"already_joined": 4, "declined": 1}, "remaining": 0}]
        },
        from_attributes=True,
    )

    invited: int
    skipped: dict[str, int] = Field(
        description="How many were left out, by reason: already_invited, already_joined, declined, left, inactive, "
        "unknown"
    )
    remaining: int = Field(description="How many of the segment could still be invited")


class AmbassadorView(NameView):
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
            status=membership.status,
            since=membership.since,
        )


class AmbassadorsView(View):
    """How many people are what in a programme, and a page of them."""

    counts: dict[Status, int]
    items: list[AmbassadorView]
    next: str | None

    @classmethod
    def of(
        cls, program_id: str, counts: Mapping[Status, int], people: list[Person], following: str | None
    ) -> AmbassadorsView:
        whole: dict[Status, int] = {"invited": 0, "joined": 0, "declined": 0, "left": 0}
        items = [AmbassadorView.of(person, program_id) for person in people]
        return cls(counts={**whole, **counts}, items=items, next=following)
