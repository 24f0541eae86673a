"""Persons with their memberships."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chassis.mongo import Document
from chassis.mongo.rows import read
from chassis.recovery import Incomplete, Kept, lacks_revision
from herald_contracts import (
    AmbassadorInvitationWithdrawn,
    AmbassadorInvited,
    AmbassadorJoined,
    AmbassadorLeft,
    AmbassadorPaused,
    AmbassadorResumed,
    PersonDeactivated,
    PersonProvisioned,
    PersonUpdated,
)
from services.program.domain.people import UNKNOWN_NAME, Membership, Person, ProgramGrant
from services.program.recovery.shared import Database, membership_in
from services.program.store.people import person_row

State = PersonProvisioned | PersonUpdated


async def _person(_: Database, row: Document | None, events: Sequence[Any]) -> Document:
    person = read(Person, row) if row else None
    for event in events:
        match event:
            case PersonProvisioned() | PersonUpdated():
                person = _stated(person, event)
            case _ if person is None:
                continue
            case PersonDeactivated():
                person = replace(person, active=False, devices=(), code=None, updated_at=event.occurred_at)
            case _:
                person = _enrolled(person, event)
    if person is None:
        raise Incomplete("nothing tells who this is")
    return {**_without_absent(row or {}, person), **person_row(person)}


def _without_absent(row: Document, person: Person) -> Document:
    """What the row has beside: fields of newer versions, not those that a person without a value is stored without."""
    return {name: value for name, value in row.items() if not hasattr(person, name)}


def _stated(person: Person | None, event: State) -> Person:
    known = person or Person(
        id=event.person_id,
        name=UNKNOWN_NAME,
        country=event.country,
        team=event.team,
        locale=event.locale,
        created_at=event.occurred_at,
        updated_at=event.occurred_at,
    )
    devices = {one.account for one in known.devices}
    rights: dict[str, Any] = {
        "grants": tuple(role for role in event.roles if role != "ambassador"),
        "program_grants": tuple(read(ProgramGrant, one.model_dump()) for one in event.program_roles),
    }
    return replace(
        known,
        accounts=tuple(one for one in event.accounts if one not in devices),
        **rights,
        active=event.active,
        country=event.country,
        team=event.team,
        locale=event.locale,
        level=event.level,
        site=event.site,
        leader=event.leader,
        hidden_from_rankings=event.hidden_from_rankings,
        hidden_from_statistics=event.hidden_from_statistics,
        updated_at=event.occurred_at,
    )


def _enrolled(person: Person, event: Any) -> Person:
    before = person.membership(event.program_id)
    at = event.occurred_at
    match event:
        case AmbassadorInvited():
            if before is not None:
                return person
            after = Membership(event.program_id, "invited", at, event.invitation_id)
        case AmbassadorInvitationWithdrawn():
            if before is None or before.status != "invited" or before.invitation_id != event.invitation_id:
                return person
            return replace(person, memberships=tuple(one for one in person.memberships if one is not before))
        case AmbassadorJoined():
            known = before or Membership(event.program_id, "joined", at)
            after = replace(known, status="joined", since=at, consent_version=event.consent_version, paused_since=None)
        case _ if before is None:
            return person
        case AmbassadorPaused():
            after = replace(before, paused_since=at)
        case AmbassadorResumed():
            after = replace(before, paused_since=None)
        case _:
            after = replace(before, status="left", since=at, paused_since=None)
    others = tuple(one for one in person.memberships if one is not before)
    return replace(person, memberships=(*others, after))


def _lacks_person(row: Document | None, event: Any) -> bool:
    if isinstance(event, AmbassadorInvited):
        return row is None or not membership_in(row, event.program_id)
    return isinstance(event, AmbassadorInvitationWithdrawn) or lacks_revision(row, event)


KEPT = (
    Kept(
        "person",
        "people",
        (
            PersonProvisioned,
            PersonUpdated,
            PersonDeactivated,
            AmbassadorInvited,
            AmbassadorInvitationWithdrawn,
            AmbassadorJoined,
            AmbassadorPaused,
            AmbassadorResumed,
            AmbassadorLeft,
        ),
        lambda event: str(event.person_id),
        _person,
        _lacks_person,
        ("memberships",),
    ),
)
