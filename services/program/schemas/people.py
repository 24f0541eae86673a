"""People as they are answered: to those who manage them, to themselves, to everybody."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, cast, get_args

from pydantic import ConfigDict, Field

from chassis.web.json_bodies import Body
from chassis.web.one_of import OneOf
from herald_contracts.words import ROLES, OpenWord, Role
from services.program.domain.memberships import must_acknowledge
from services.program.domain.people import Membership, Person, ProgramGrant, ProgramGrantRole, Status
from services.program.domain.programs import Program
from services.program.queries.people import Me, Viewer
from services.program.schemas.fields import AT, ID, PROGRAM_ID, Calendar, Country, Line, Locale, OwnTimeZone, View


class StandingView(View):
    """A person's status in a programme."""

    program_id: str
    status: Annotated[str, OpenWord(get_args(Status))]
    since: datetime


class ProgramRoleView(View):
    """A role in one programme."""

    program_id: str
    role: Role


def _roles(person: Person) -> dict[str, Any]:
    return {"program_roles": [ProgramRoleView(**one._asdict()) for one in person.program_grants]}


class PersonView(View):
    """A person as managers and administrators see them."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": ID,
                    "version": 3,
                    "name": "Amina Belkacem",
                    "email": "amina@herald.example",
                    "external_id": "E-1042",
                    "roles": ["ambassador"],
                    "program_roles": [{"program_id": PROGRAM_ID, "role": "manager"}],
                    "active": True,
                    "signed_in": True,
                    "same_address_as": None,
                    "merged_into": None,
                    "country": "FR",
                    "team": "Engineering",
                    "job": "Engineer",
                    "level": "staff",
                    "site": "Lyon",
                    "locale": "fr",
                    "leader": False,
                    "hidden_from_rankings": False,
                    "hidden_from_statistics": False,
                    "programs": [{"program_id": PROGRAM_ID, "status": "joined", "since": AT}],
                    "created_at": AT,
                    "updated_at": AT,
                }
            ]
        }
    )

    id: str
    version: int = Field(description="Rises with each change; the ETag")
    name: str
    email: str | None
    external_id: str | None
    roles: list[Role] = Field(description="In every programme")
    program_roles: list[ProgramRoleView] = Field(description="In one programme alone")
    active: bool = Field(description="False for somebody who left the company")
    signed_in: bool = Field(description="Whether they ever signed in")
    same_address_as: str | None = Field(
        description="Who had signed in with the same e-mail address before: somebody else, or this person, to be merged"
    )
    merged_into: str | None = Field(description="Who this person turned out to be")
    country: str = Field(description="ISO 3166-1 alpha-2; ZZ as long as nobody said")
    team: str
    job: str | None
    level: str | None
    site: str | None
    locale: str
    leader: bool
    hidden_from_rankings: bool
    hidden_from_statistics: bool
    programs: list[StandingView]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, person: Person) -> PersonView:
        values = {name: getattr(person, name) for name in cls.model_fields if hasattr(person, name)}
        standings = [StandingView.model_validate(one) for one in person.memberships]
        return cls(**{**values, **_roles(person), "signed_in": bool(person.accounts), "programs": standings})


class PeopleView(View):
    """A page of people, by name."""

    items: list[PersonView]
    next: str | None
    total: int = Field(description="How many there are on all pages; 10,000 stands for that many and more")


class NameView(View):
    """What is shown of a person."""

    name: str
    team: str
    country: str
    leader: bool
    site: str | None


class KnownView(NameView):
    """What those who manage people are shown of one, so that namesakes are told apart."""

    email: str | None


class NamesView(View):
    """People by id; unknown ids are left out."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "names": {
                        ID: {
                            "name": "Amina Belkacem",
                            "team": "Engineering",
                            "country": "FR",
                            "leader": False,
                            "site": "Lyon",
                        }
                    }
                }
            ]
        }
    )

    names: dict[str, NameView]


class InvitationView(View):
    """An invitation that waits for an answer."""

    invitation_id: str
    program_id: str
    program_name: str
    invited_at: datetime


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
        return cls(**{**values, **_roles(person), "programs": programs, "invitations": invitations_of(me)})


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


MAX_NAMES = 200
MAX_GROUPS = 1000


KnownRole = Annotated[str, OneOf(ROLES)]


class ProgramRoleBody(Body):
    """A role in one programme."""

    program_id: Annotated[str, Field(min_length=1, max_length=128)]
    role: Annotated[str, OneOf(get_args(ProgramGrantRole))]

    def grant(self) -> ProgramGrant:
        return ProgramGrant(self.program_id, cast("ProgramGrantRole", self.role))


class PersonChange(Body):
    """What an administrator changes; what is not given stays."""

    roles: Annotated[list[KnownRole], Field(max_length=4)] | None = Field(
        None, description="All roles from now on. `ambassador` comes from joining and is neither given nor taken here"
    )
    program_roles: Annotated[list[ProgramRoleBody], Field(max_length=200)] | None = Field(
        None, description="All roles in single programmes from now on: `editor` or `manager`"
    )
    leader: bool | None = None
    team: Line | None = None
    country: Country | None = None

    def values(self) -> dict[str, Any]:
        """As the command takes them."""
        given = self.program_roles
        return {**self.model_dump(), "program_roles": None if given is None else [one.grant() for one in given]}


class GroupView(View):
    """A country (ISO 3166-1), team or site."""

    name: str
    people: int = Field(description="With the company")
    ambassadors: int = Field(description="Of the programme that was named; 0 without one")


class GroupsView(View):
    """Where people are. Who has no country, team or site yet is in none."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "countries": [{"name": "FR", "people": 1200, "ambassadors": 96}],
                    "teams": [{"name": "Engineering", "people": 310, "ambassadors": 41}],
                    "sites": [{"name": "Lyon", "people": 240, "ambassadors": 22}],
                }
            ]
        },
    )

    countries: list[GroupView]
    teams: list[GroupView]
    sites: list[GroupView]


class Ids(Body):
    """Ids of people."""

    ids: Annotated[list[Annotated[str, Field(max_length=128)]], Field(max_length=MAX_NAMES)]


class Merge(Body):
    """Who is the same person."""

    other_id: Annotated[str, Field(max_length=128, examples=[ID])]


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
