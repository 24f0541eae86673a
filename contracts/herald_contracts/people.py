"""`herald.people`: who there is, what they may do, who is an ambassador. Keyed by person, of program."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from herald_contracts.base import Country, Event, Id, Label, Language, Part, Time
from herald_contracts.words import LeaveReason, MembershipOrigin, PersonOrigin, Role

Account = Annotated[
    str,
    Field(
        pattern=r"^[0-9a-f]{64}$",
        description="SHA-256 (hex) of '<issuer>|<subject>': a token's owner, without naming them",
    ),
]


Revision = Annotated[
    Annotated[int, Field(ge=1)] | None,
    Field(description="Of the person, when this changed; tells which of two facts is the later one"),
]


class ProgramRole(Part):
    """A role in one programme."""

    program_id: Id
    role: Role


class _PersonEvent(Event):
    topic: ClassVar[str] = "herald.people"
    source: ClassVar[str] = "/herald/program"
    key: ClassVar[str] = "person_id"
    subject: ClassVar[str] = "person_id"

    person_id: Id
    occurred_at: Time


class _PersonState(_PersonEvent):
    """The whole public state of a person: each event replaces the one before."""

    revision: int = Field(ge=1, description="Rises with each change of this person")
    accounts: list[Account] = Field(default=[], description="Sign-ins that belong to this person")
    roles: list[Role] = Field(description="What this person may do in every programme; empty for none")
    program_roles: list[ProgramRole] = Field(default=[], description="What they may do in one programme, beside that")
    active: bool = Field(description="False once they left the company: nothing is allowed any more")
    country: Country
    team: Label
    locale: Language
    level: Label | None = None
    site: Label | None = None
    leader: bool = False
    has_email: bool = True
    hidden_from_rankings: bool = Field(default=False, description="Opted out of leaderboards")
    hidden_from_statistics: bool = Field(default=False, description="Opted out of named statistics")


class PersonProvisioned(_PersonState):
    """A person is known to Herald for the first time."""

    type: ClassVar[str] = "herald.PersonProvisioned.v1"
    origin: PersonOrigin


class PersonUpdated(_PersonState):
    """A person changed; carries the whole new state."""

    type: ClassVar[str] = "herald.PersonUpdated.v1"


class PersonDeactivated(_PersonEvent):
    """A person left the company and is cut off everywhere."""

    type: ClassVar[str] = "herald.PersonDeactivated.v1"
    revision: int = Field(ge=1)


class AmbassadorInvited(_PersonEvent):
    """A person was invited to a programme; they may accept."""

    type: ClassVar[str] = "herald.AmbassadorInvited.v1"
    program_id: Id
    invitation_id: Id


class AmbassadorInvitationWithdrawn(_PersonEvent):
    """An invitation that was not answered yet was taken back; they may be invited again."""

    type: ClassVar[str] = "herald.AmbassadorInvitationWithdrawn.v1"
    program_id: Id
    invitation_id: Id


_MEMBERSHIP_ORIGIN: Any = Field(
    default="herald",
    description="`imported`: it was so with another product, and is over; it gives no right here",
)


class AmbassadorJoined(_PersonEvent):
    """A person became an ambassador by accepting a version of the consent."""

    type: ClassVar[str] = "herald.AmbassadorJoined.v1"
    program_id: Id
    consent_version: int | None = Field(default=None, ge=1, description="None where the fact is `imported`")
    origin: MembershipOrigin = _MEMBERSHIP_ORIGIN
    revision: Revision = None


class AmbassadorPaused(_PersonEvent):
    """An ambassador takes a break: they stay one, and nothing is expected of them until they resume."""

    type: ClassVar[str] = "herald.AmbassadorPaused.v1"
    program_id: Id
    revision: Revision = None


class AmbassadorResumed(_PersonEvent):
    """An ambassador is back from a break."""

    type: ClassVar[str] = "herald.AmbassadorResumed.v1"
    program_id: Id
    revision: Revision = None


class AmbassadorLeft(_PersonEvent):
    """An ambassador left a programme."""

    type: ClassVar[str] = "herald.AmbassadorLeft.v1"
    program_id: Id
    reason: LeaveReason
    origin: MembershipOrigin = _MEMBERSHIP_ORIGIN
    revision: Revision = None
