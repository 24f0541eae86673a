"""What a person is in a programme: invited, an ambassador, paused, gone. Each act returns a new person or raises."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Literal

from chassis.web.problems import Conflict, Forbidden, NotFound
from services.program.domain.people import Membership, Person, change, check_active
from services.program.domain.programs import Program


def _enter(person: Person, membership: Membership, now: datetime) -> Person:
    if person.membership(membership.program_id) is None:
        return change(person, now, memberships=(*person.memberships, membership))
    others = person.memberships
    changed = tuple(membership if one.program_id == membership.program_id else one for one in others)
    return change(person, now, memberships=changed)


Skip = Literal["already_invited", "already_joined", "declined", "inactive", "unknown"]


def why_not_invite(person: Person, program_id: str) -> Skip | None:
    """Why a person gets no invitation; a declined one is never repeated."""
    if not person.active:
        return "inactive"
    match person.membership(program_id):
        case Membership(status="invited"):
            return "already_invited"
        case Membership(status="joined"):
            return "already_joined"
        case Membership(status="declined"):
            return "declined"
        case _:
            return None


def invite(person: Person, program_id: str, invitation_id: str, now: datetime, batch_id: str | None = None) -> Person:
    """The person with an invitation; check `why_not_invite` first."""
    before = person.membership(program_id)
    invited = replace(
        before or Membership(program_id, "invited", now),
        status="invited",
        since=now,
        invitation_id=invitation_id,
        batch_id=batch_id,
        link_id=None,
        invited_again=before is not None and (before.status == "left" or before.invited_again),
        consent_version=None,
    )
    return _enter(person, invited, now)


def follow_link(person: Person, program_id: str, invitation_id: str, link_id: str, now: datetime) -> Person:
    """The person who invites themselves by a link of the programme: also one who declined, applied or was turned down
    before. The same object for somebody who is invited or takes part. Raises Forbidden `inactive`."""
    check_active(person)
    before = person.membership(program_id)
    if before and before.status in ("invited", "joined"):
        return person
    invited = invite(person, program_id, invitation_id, now)
    return _enter(person, replace(invited.in_program(program_id), link_id=link_id), now)


def apply(person: Person, program_id: str, now: datetime, link_id: str | None = None) -> Person:
    """The person who puts themselves forward; repeating changes nothing, and neither does it for somebody who is
    invited. Raises Forbidden `inactive`; Conflict: `already-joined`, or `application-rejected` where they were turned
    down."""
    check_active(person)
    before = person.membership(program_id)
    if before and before.status == "joined":
        raise Conflict("They take part already.", type_="already-joined")
    if before and before.status == "rejected":
        raise Conflict("This was asked before, and turned down.", type_="application-rejected")
    if before and before.status in ("applied", "invited"):
        return person
    entered = before or Membership(program_id, "applied", now)
    again = before is not None and before.status == "left"
    applied = replace(entered, status="applied", since=now, link_id=link_id, invited_again=again, batch_id=None)
    return _enter(person, applied, now)


def withdraw_application(person: Person, program_id: str, now: datetime) -> Person:
    """The person as before they put themselves forward; repeating changes nothing. Raises Conflict
    `application-decided`."""
    before = person.membership(program_id)
    if before is None or before.status == "left":
        return person
    if before.status != "applied":
        raise Conflict("This was decided meanwhile.", type_="application-decided")
    return _as_before(person, before, now)


def approve(person: Person, program_id: str, invitation_id: str, now: datetime) -> Person:
    """The person, invited as they wished: they join themselves. Repeating changes nothing. Raises Conflict
    `not-applied`, Forbidden `inactive`."""
    check_active(person)
    before = person.membership(program_id)
    if before and before.status in ("invited", "joined"):
        return person
    if before is None or before.status not in ("applied", "rejected"):
        raise _not_applied()
    invited = replace(before, status="invited", since=now, invitation_id=invitation_id, consent_version=None)
    return _enter(person, invited, now)


def reject(person: Person, program_id: str, now: datetime) -> Person:
    """The person, turned down: they may still be invited. Repeating changes nothing. Raises Conflict `not-applied`."""
    before = person.membership(program_id)
    if before and before.status == "rejected":
        return person
    if before is None or before.status != "applied":
        raise _not_applied()
    return _enter(person, replace(before, status="rejected", since=now), now)


def _not_applied() -> Conflict:
    return Conflict("They did not put themselves forward, or it is decided.", type_="not-applied")


def _as_before(person: Person, membership: Membership, now: datetime) -> Person:
    """The person as before an invitation or application that came to nothing."""
    if membership.invited_again:
        return _enter(person, replace(membership, status="left", since=now), now)
    others = tuple(one for one in person.memberships if one.program_id != membership.program_id)
    return change(person, now, memberships=others)


def withdraw_invitation(person: Person, program_id: str, now: datetime) -> Person:
    """The person as before the invitation, which they have not answered: they may be invited again. Repeating changes
    nothing. Raises Conflict `not-invited` where they answered it."""
    before = person.membership(program_id)
    if before is None or before.status == "left":
        return person
    if before.status != "invited":
        raise Conflict("This invitation was answered.", type_="not-invited")
    return _as_before(person, before, now)


def join(person: Person, program: Program, consent_version: int, now: datetime) -> Person:
    """The person as ambassador. An ambassador may accept a newer consent, and who left may come back; repeating changes
    nothing.

    Raises Conflict `consent-outdated` (with the `current` version), Forbidden `not-invited`.
    """
    if consent_version != program.consent_version:
        raise Conflict(
            "The consent has another version now: it has to be read again.",
            type_="consent-outdated",
            current=program.consent_version,
        )
    before = person.membership(program.id)
    if before and before.status == "joined":
        return _enter(person, replace(before, consent_version=consent_version), now)
    if not (program.open or (before and before.status in ("invited", "left"))):
        raise Forbidden("This programme is joined by invitation.", type_="not-invited")
    entered = before or Membership(program.id, "joined", now)
    return _enter(person, replace(entered, status="joined", since=now, consent_version=consent_version), now)


def decline(person: Person, program_id: str, now: datetime) -> Person:
    """The person who declined for good; repeating changes nothing.

    Raises Conflict: `already-joined` (that is left, not declined) or `not-invited`.
    """
    before = person.membership(program_id)
    if before and before.status == "joined":
        raise Conflict("An ambassador leaves a programme instead.", type_="already-joined")
    if before is None or before.status in ("left", "applied", "rejected"):
        raise Conflict("There is no invitation to decline.", type_="not-invited")
    if before.status == "declined":
        return person
    return _enter(person, replace(before, status="declined", since=now), now)


def reconsider(person: Person, program_id: str, now: datetime) -> Person:
    """The person who takes back that they declined: they are invited as before. Repeating changes nothing. Raises
    Conflict `not-declined`."""
    before = person.membership(program_id)
    if before and before.status == "invited":
        return person
    if before is None or before.status != "declined":
        raise Conflict("No invitation to this programme was declined.", type_="not-declined")
    return _enter(person, replace(before, status="invited", since=now), now)


def leave(person: Person, program_id: str, now: datetime) -> Person:
    """The person, no longer an ambassador; repeating changes nothing. Raises Conflict `not-a-member`."""
    before = person.membership(program_id)
    if before and before.status == "left":
        return person
    if before is None or before.status != "joined":
        raise Conflict("Only an ambassador of the programme can leave it.", type_="not-a-member")
    return _enter(person, replace(before, status="left", since=now, paused_since=None), now)


def pause(person: Person, program_id: str, now: datetime) -> Person:
    """The ambassador, of whom nothing is expected until they resume; repeating changes nothing. Raises Conflict
    `not-a-member`."""
    before = joined(person, program_id)
    return _enter(person, replace(before, paused_since=before.paused_since or now), now)


def resume(person: Person, program_id: str, now: datetime) -> Person:
    """The ambassador, back from a pause; repeating changes nothing. Raises Conflict `not-a-member`."""
    return _enter(person, replace(joined(person, program_id), paused_since=None), now)


def joined(person: Person, program_id: str) -> Membership:
    """The membership of an ambassador. Raises Conflict `not-a-member`."""
    found = person.membership(program_id)
    if found is None or found.status != "joined":
        raise Conflict("This is for ambassadors of the programme.", type_="not-a-member")
    return found


def acknowledge(person: Person, program: Program, version: int, now: datetime) -> Person:
    """The person who acknowledged a version of the guidelines; an older one changes nothing. Raises NotFound for a
    version that does not exist; Conflict: `not-a-member`, or `guidelines-superseded` (with the `current` version) where
    a later version changed what matters.
    """
    if not 1 <= version <= program.guidelines_version:
        raise NotFound("guidelines version", str(version))
    before = person.membership(program.id)
    if before is None or before.status != "joined":
        raise Conflict("Ambassadors of the programme acknowledge its guidelines.", type_="not-a-member")
    if version < program.material_version:
        raise Conflict(
            "The guidelines have a newer version: it has to be read.",
            type_="guidelines-superseded",
            current=program.guidelines_version,
        )
    return _enter(person, replace(before, acknowledged=max(version, before.acknowledged)), now)


def must_acknowledge(membership: Membership, program: Program) -> bool:
    """Whether an ambassador must acknowledge guidelines before their next share."""
    return membership.status == "joined" and membership.acknowledged < program.material_version
