"""The caller: what they are answered of themselves, and what they decide."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pydantic import ConfigDict, Field

from chassis.web.json_bodies import Body
from herald_contracts.words import Role
from services.program.domain.memberships import must_acknowledge
from services.program.domain.people import Membership
from services.program.domain.programs import Program
from services.program.queries.people import Me, Viewer
from services.program.schemas.fields import AT, ID, PROGRAM_ID, Calendar, Locale, OwnTimeZone, View
from services.program.schemas.people import InvitationView, ProgramRoleView, StandingView, roles_of


class InvitationsView(View):
    """All invitations that wait for an answer."""

    items: list[InvitationView]
    next: str | None = None


class MyProgramView(StandingView):
    """The caller's status in a programme, and which guidelines they must acknowledge before their next share."""

    name: str
    consent_version: int | None = Field(description="Which version they accepted")
    guidelines_version: int = Field(description="The version in force; 0 for none")
    acknowledged_version: int = Field(description="The latest version that they acknowledged; 0 for none")
    must_acknowledge: bool = Field(description="True while guidelines must be acknowledged before a share")
    paused_since: datetime | None = Field(description="Since when they take a break")
    archived: bool = Field(description="True where the programme is over")

    @classmethod
    def of(cls, membership: Membership, program: Program) -> MyProgramView:
        return cls(
            program_id=program.id,
            name=program.name,
            status=membership.status,
            since=membership.since,
            consent_version=membership.consent_version,
            guidelines_version=program.guidelines_version,
            acknowledged_version=membership.acknowledged,
            must_acknowledge=must_acknowledge(membership, program),
            paused_since=membership.paused_since,
            archived=program.archived_at is not None,
        )


class MeView(View):
    """The caller."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": ID,
                    "name": "Amina Belkacem",
                    "email": "amina@herald.example",
                    "roles": ["ambassador"],
                    "program_roles": [],
                    "country": "FR",
                    "team": "Engineering",
                    "locale": "fr",
                    "leader": False,
                    "hidden_from_rankings": False,
                    "hidden_from_statistics": False,
                    "weekly_tip": True,
                    "time_zone": "Asia/Tokyo",
                    "programs": [
                        {
                            "program_id": PROGRAM_ID,
                            "name": "Voices",
                            "status": "joined",
                            "since": AT,
                            "consent_version": 1,
                            "guidelines_version": 2,
                            "acknowledged_version": 1,
                            "must_acknowledge": True,
                            "paused_since": None,
                            "archived": False,
                        }
                    ],
                    "invitations": [],
                }
            ]
        }
    )

    id: str
    name: str
    email: str | None
    roles: list[Role] = Field(description="In every programme")
    program_roles: list[ProgramRoleView] = Field(description="In one programme alone")
    country: str
    team: str
    locale: str
    leader: bool
    hidden_from_rankings: bool
    hidden_from_statistics: bool
    weekly_tip: bool
    time_zone: str | None = Field(description="IANA name; null where the caller chose none")
    programs: list[MyProgramView]
    invitations: list[InvitationView]

    @classmethod
    def of(cls, me: Me) -> MeView:
        person = me.person
        values = {name: getattr(person, name) for name in cls.model_fields if hasattr(person, name)}
        programs = [MyProgramView.of(one, me.programs[one.program_id]) for one in person.memberships]
        return cls(**{**values, **roles_of(person), "programs": programs, "invitations": invitations_of(me)})


def invitations_of(me: Me) -> list[InvitationView]:
    """The invitations that wait for the caller's answer."""
    return [
        InvitationView(
            invitation_id=str(one.invitation_id),
            program_id=one.program_id,
            program_name=me.programs[one.program_id].name,
            invited_at=one.since,
        )
        for one in me.person.memberships
        if one.status == "invited" and me.programs[one.program_id].archived_at is None
    ]


class SignIn(Body):
    """What a person says of themselves when they sign in."""

    locale: Locale | None = Field(None, description="Language that they chose; kept as it is where not given")


class Preferences(Body):
    """What a person decides for themselves; what is not given stays."""

    locale: Locale | None = None
    hidden_from_rankings: bool | None = Field(None, description="True to be in no leaderboard")
    hidden_from_statistics: bool | None = Field(None, description="True to be in no named statistics")
    weekly_tip: bool | None = Field(None, description="False to see no tip from one's own figures")
    time_zone: OwnTimeZone | None = Field(None, description="IANA name; empty for that of one's country")
    holidays: Calendar | None = Field(
        None, description="Whose holidays one has: ISO 3166-1 or -2; empty for those of one's country"
    )


class Join(Body):
    """Accepting the consent."""

    consent_version: int = Field(ge=1, le=1_000_000, description="The version that was read and is accepted")


class ViewerView(View):
    """Somebody who sees the caller's data, and by which role."""

    person_id: str
    name: str
    team: str
    role: Role
    program_id: str | None = Field(description="Where they have the role in one programme alone")


class ViewersView(View):
    """Who sees the caller's data by their role: by role, then by name."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {"person_id": ID, "name": "Inès Moreau", "team": "IT", "role": "admin", "program_id": None}
                    ],
                    "more": False,
                }
            ]
        }
    )

    items: list[ViewerView]
    more: bool = Field(description="Whether there are others")

    @classmethod
    def of(cls, viewers: Iterable[Viewer], more: bool) -> ViewersView:
        items = [
            ViewerView(
                person_id=one.person.id,
                name=one.person.name,
                team=one.person.team,
                role=one.role,
                program_id=one.program_id,
            )
            for one in viewers
        ]
        return cls(items=items, more=more)
