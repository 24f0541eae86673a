"""People as they are answered: to those who manage them, to everybody."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, cast, get_args

from pydantic import ConfigDict, Field

from chassis.web.json_bodies import Body
from chassis.web.one_of import OneOf
from herald_contracts.words import ROLES, OpenWord, Role
from services.program.domain.people import Person, ProgramGrant, ProgramGrantRole, Status
from services.program.schemas.fields import AT, ID, PROGRAM_ID, Country, Line, View


class StandingView(View):
    """A person's status in a programme."""

    program_id: str
    status: Annotated[str, OpenWord(get_args(Status))]
    since: datetime


class ProgramRoleView(View):
    """A role in one programme."""

    program_id: str
    role: Role


def roles_of(person: Person) -> dict[str, Any]:
    """Their roles in single programmes, as both views name them."""
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
        return cls(**{**values, **roles_of(person), "signed_in": bool(person.accounts), "programs": standings})


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
