"""Persons, with their memberships. Each act returns a new person or raises."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from chassis.text import terms
from chassis.web.problems import Conflict, Forbidden, Refused
from services.program.domain import fields

Grant = Literal["editor", "manager", "admin"]
Status = Literal["invited", "joined", "declined", "left", "applied", "rejected"]
UNKNOWN_NAME = "—"
RESTORED_WITHIN = timedelta(days=7)
"""Who is back so soon was deactivated by mistake: they take part as before. Whoever returns later is asked anew."""
GRANTS: tuple[Grant, ...] = ("editor", "manager", "admin")


@dataclass(frozen=True, slots=True)
class Membership:
    """A person's status in one programme, since when, and what they agreed to."""

    program_id: str
    status: Status
    since: datetime
    invitation_id: str | None = None
    batch_id: str | None = None
    """The act by which they, and perhaps others, were invited."""
    invited_again: bool = False
    """Whether they had left before they were invited."""
    consent_version: int | None = None
    acknowledged: int = 0
    """The latest version of the guidelines that they acknowledged; 0 for none."""
    paused_since: datetime | None = None
    """Since when they, who joined, take a break."""
    joined_before: datetime | None = None
    """Since when they took part, where being deactivated ended it."""
    paused_before: datetime | None = None
    """Since when they took a break then."""
    link_id: str | None = None
    """The link that they followed."""
    unknown: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """Fields that a newer version of the service wrote: stored again unchanged."""


@dataclass(frozen=True, slots=True)
class Code:
    """A one-time code, by its hash."""

    hash: str
    ends_at: datetime
    issued_by: str


@dataclass(frozen=True, slots=True)
class Device:
    """A browser that a one-time code let in. `account` is what its token is known by."""

    account: str
    since: datetime
    ends_at: datetime
    unknown: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)


ProgramGrantRole = Literal["editor", "manager"]


class ProgramGrant(NamedTuple):
    """A role in one programme."""

    program_id: str
    role: ProgramGrantRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody of the company. `version` rises with each change and is the revision that events carry."""

    id: str
    version: int = 1
    name: str
    country: str
    team: str
    locale: str
    email: str | None = None
    external_id: str | None = None
    job: str | None = None
    level: str | None = None
    site: str | None = None
    leader: bool = False
    grants: tuple[Grant, ...] = ()
    """Roles in every programme."""
    program_grants: tuple[ProgramGrant, ...] = ()
    accounts: tuple[str, ...] = ()
    """Their sign-ins with the identity provider."""
    devices: tuple[Device, ...] = ()
    code: Code | None = None
    active: bool = True
    hidden_from_rankings: bool = False
    hidden_from_statistics: bool = False
    weekly_tip: bool = True
    """Whether they want a tip from their own figures."""
    time_zone: str | None = None
    """As they chose it; None: as their country has it."""
    holidays: str | None = None
    """Whose holidays they chose to have (ISO 3166-1 or -2); None: those of their country."""
    locale_chosen: bool = False
    """True once they chose their language themselves: imports no longer change it."""
    same_address_as: str | None = None
    """Who had signed in with the same e-mail address before; it stays theirs."""
    merged_into: str | None = None
    """Whose sign-ins theirs became, once an administrator said that the two are one."""
    memberships: tuple[Membership, ...] = ()
    created_at: datetime
    updated_at: datetime

    @property
    def joined(self) -> frozenset[str]:
        """The programmes whose ambassador they are."""
        return frozenset(one.program_id for one in self.memberships if one.status == "joined")

    @property
    def roles(self) -> tuple[str, ...]:
        """Their roles: those that an administrator granted, and `ambassador` while in any programme."""
        return ("ambassador", *self.grants) if self.joined else self.grants

    @property
    def terms(self) -> tuple[str, ...]:
        """The terms by which they are found."""
        return terms(self.name, self.email, self.external_id)

    def membership(self, program_id: str) -> Membership | None:
        return next((one for one in self.memberships if one.program_id == program_id), None)

    def in_program(self, program_id: str) -> Membership:
        """Their membership of a programme that they are known to have. Raises LookupError."""
        found = self.membership(program_id)
        if found is None:
            raise LookupError(program_id)
        return found


@dataclass(frozen=True, slots=True)
class Filter:
    """Which people to list; None means any. `query` is matched with the beginnings of words."""

    query: str | None = None
    country: str | None = None
    team: str | None = None
    role: str | None = None
    program_id: str | None = None
    status: str | None = None
    leaders_only: bool = False
    """Leaders who are with the company."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A group of people by attributes; an empty list names everybody."""

    countries: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    leaders_only: bool = False
    sites: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """A country, team or site: how many people of the company are there, and how many of them are ambassadors."""

    name: str
    people: int
    ambassadors: int


@dataclass(frozen=True, slots=True)
class Groups:
    """Where people are, by name. Who has no country, team or site yet is in no group."""

    countries: tuple[Group, ...] = ()
    teams: tuple[Group, ...] = ()
    sites: tuple[Group, ...] = ()


EXPORTED = (
    "external_id", "email", "name", "country", "team", "role", "level", "site", "locale", "leader", "active",
)  # fmt: skip
"""The columns of an export."""


def exported(person: Person) -> list[str | bool | None]:
    """A person's line of an export."""
    return [person.job if name == "role" else getattr(person, name) for name in EXPORTED]


def change(person: Person, now: datetime, **values: Any) -> Person:
    """The person with other values and the next version; the same object if they differ in nothing."""
    changed = replace(person, **values)
    return person if changed == person else replace(changed, version=person.version + 1, updated_at=now)


def from_claims(
    claims: Mapping[str, Any], *, id: str, account: str, locale: str, now: datetime, **values: Any
) -> Person:
    """A person who signs in before they were imported. `locale` is used if the token has none; `values` override its
    claims. A missing or invalid claim is ignored."""
    email = verified_email(claims)

    def said(name: str, read: Callable[[str], str], otherwise: str) -> str:
        claim = claims.get(name)
        try:
            return read(claim) if isinstance(claim, str) else otherwise
        except fields.FieldError:
            return otherwise

    said_values = {
        "email": email,
        "name": said("name", fields.text, said("preferred_username", fields.text, email or UNKNOWN_NAME)),
        "country": said("country", fields.country, fields.UNKNOWN_COUNTRY),
        "team": said("team", fields.text, fields.UNKNOWN_TEAM),
        "locale": said("locale", fields.locale, locale),
    }
    return Person(id=id, accounts=(account,), created_at=now, updated_at=now, **{**said_values, **values})


def verified_email(claims: Mapping[str, Any]) -> str | None:
    """The address that the issuer vouches for, in lower case: by `email_verified`, or Entra's `xms_edov`."""
    if claims.get("email_verified") is not True and claims.get("xms_edov") not in (True, "1", "true"):
        return None
    try:
        return fields.email(str(claims.get("email")))
    except fields.FieldError:
        return None


def in_order(grants: Sequence[str]) -> tuple[Grant, ...]:
    """The grants without repeats, in the order in which they are stored."""
    return tuple(grant for grant in GRANTS if grant in grants)


def takes_address(holder: Person | None) -> bool:
    """Whether a new sign-in with an e-mail address is of the person who has it (None for nobody).

    It is as long as nobody signed in as them: later the address may have been given to somebody else.
    """
    return holder is None or not holder.accounts


def link(person: Person, account: str, now: datetime, **values: Any) -> Person:
    """Links an account to the person, whom no code lets in any more. Raises Forbidden for somebody who left."""
    check_active(person)
    return change(person, now, accounts=(*person.accounts, account), devices=(), code=None, **values)


def check_active(person: Person) -> None:
    """Raises Forbidden `inactive`."""
    if not person.active:
        raise Forbidden("This person has left.", type_="inactive")


def granted(person: Person, roles: Sequence[str], *, by: str) -> tuple[Grant, ...]:
    """The roles after an administrator's change. `ambassador` is neither granted nor taken here: people join. A grant
    that only a newer version knows is kept.

    Raises Refused: `ambassador-by-joining`, or `own-admin-role` for administrators who lock themselves out.
    """
    if "ambassador" in roles and not person.joined:
        raise Refused("A person becomes an ambassador by joining a programme.", type_="ambassador-by-joining")
    if by == person.id and "admin" in person.grants and "admin" not in roles:
        raise Refused("Another administrator has to take this role away.", type_="own-admin-role")
    return (*in_order(roles), *(grant for grant in person.grants if grant not in GRANTS))


def deactivate(person: Person, *, by: str, now: datetime) -> tuple[Person, list[str]]:
    """The person, deactivated, and the programmes that they leave by it. Repeating changes nothing."""
    if by == person.id:
        raise Refused("Another administrator has to do this.", type_="own-account")
    left = sorted(person.joined)
    memberships = tuple(
        replace(
            one,
            status="left",
            since=now,
            paused_since=None,
            joined_before=one.since,
            paused_before=one.paused_since,
        )
        if one.status == "joined"
        else one
        for one in person.memberships
    )
    return change(person, now, active=False, memberships=memberships, devices=(), code=None), left


def merge(person: Person, other: Person, *, by: str, now: datetime) -> tuple[Person, Person, list[str]]:
    """Two persons who are one: `person`, with the sign-ins of `other` and what only that one had of address and
    external id; `other`, cut off for good; and the programmes that this makes `other` leave.

    Nothing changes the second time. Roles of `other` are not taken over, nor what they consented to: that they declined
    a programme or put themselves forward is, where `person` has nothing to do with it. Raises Refused
    (`own-account`), Conflict (`same-person`, `inactive`, `merged`).
    """
    if person.id == other.id:
        raise Conflict("These are not two.", type_="same-person")
    if other.merged_into == person.id:
        return person, other, []
    if other.merged_into is not None or person.merged_into is not None:
        raise Conflict("One of them was merged with somebody before.", type_="merged")
    if not person.active:
        raise Conflict("Merge into the one who is active.", type_="inactive")
    gone, left = deactivate(other, by=by, now=now)
    taken = {name: getattr(other, name) for name in ("email", "external_id") if not getattr(person, name)}
    if person.same_address_as == other.id:
        taken["same_address_as"] = None
    accounts = tuple(dict.fromkeys((*person.accounts, *other.accounts)))
    if accounts:
        taken |= {"devices": (), "code": None}
    new = tuple(one for one in other.memberships if one.status in _TAKEN and not person.membership(one.program_id))
    if new:
        taken["memberships"] = (*person.memberships, *new)
    merged = change(person, now, accounts=accounts, **taken)
    moved = dict.fromkeys(taken.keys() & {"email", "external_id"})
    shed: dict[str, Any] = {
        "accounts": (),
        "grants": (),
        "program_grants": (),
        "same_address_as": None,
        "merged_into": person.id,
        "memberships": tuple(one for one in gone.memberships if one.status not in _TAKEN),
        **moved,
    }
    return merged, replace(gone, version=other.version + 1, updated_at=now, **shed), left


_TAKEN: tuple[Status, ...] = ("declined", "applied")
"""What a merge takes over of memberships: what somebody wants, which gives no right."""


def reactivate(person: Person, now: datetime) -> tuple[Person, list[str]]:
    """The person, back with the roles they had, and the programmes whose ambassador they are again, as they were:
    those that being deactivated ended within the last `RESTORED_WITHIN`. Repeating changes nothing. Raises Conflict
    `merged`."""
    if person.merged_into is not None:
        raise Conflict("This person was merged with another.", type_="merged")
    memberships = tuple(_as_before(one, now) for one in person.memberships)
    after = change(person, now, active=True, memberships=memberships)
    return after, sorted(after.joined - person.joined)


def _as_before(membership: Membership, now: datetime) -> Membership:
    if membership.joined_before is None:
        return membership
    left = replace(membership, joined_before=None, paused_before=None)
    if now - membership.since > RESTORED_WITHIN:
        return left
    return replace(left, status="joined", since=membership.joined_before, paused_since=membership.paused_before)
