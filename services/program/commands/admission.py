"""Coming into a programme of one's own accord: by link, by putting oneself forward."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chassis import audit
from chassis.ids import new_id
from chassis.mongo import Transaction
from chassis.web.http import Expected, check_version
from chassis.web.problems import Forbidden, Refused
from services.program import event_mapping
from services.program.audit import ADMISSION, INVITATION_LINK
from services.program.context import Context
from services.program.domain import admission, links, memberships
from services.program.domain.admission import Admission, Departure, DepartureReason
from services.program.domain.links import MAX_OPEN_LINKS, InvitationLink
from services.program.domain.people import Person
from services.program.domain.programs import check_active


async def change_admission(
    context: Context, tx: Transaction, program_id: str, version: Expected | None, values: Mapping[str, Any]
) -> Admission:
    """Whether people may put themselves forward, and what they are asked. Raises NotFound, Invalid, Conflict,
    PreconditionRequired, StaleVersion."""
    program = await context.programs.get(program_id, tx)
    before = await context.admissions.get(program_id, tx)
    check_version(version, before.version)
    after = admission.change_admission(before, program, tx.now, **values)
    if after is not before:
        await context.admissions.save(before, after, tx)
    audit.record(tx, "change_admission", ADMISSION, program_id, before=before, after=after, program_id=program_id)
    return after


async def create_link(
    context: Context, tx: Transaction, program_id: str, by: str, values: Mapping[str, Any]
) -> InvitationLink:
    """A link that invites whoever follows it. Raises NotFound, Invalid, Conflict, Refused `too-many-links`."""
    program = await context.programs.get(program_id, tx)
    await _check_room(context, tx, program_id)
    link = links.new_link(new_id(), program, by, tx.now, **values)
    await context.admissions.insert_link(link, tx)
    audit.record(tx, "create_invitation_link", INVITATION_LINK, link.id, after=link, program_id=program_id)
    return link


async def withdraw_link(context: Context, tx: Transaction, program_id: str, link_id: str) -> InvitationLink:
    """Let nobody follow a link any more; repeating changes nothing. Raises NotFound."""
    before = await context.admissions.link(program_id, link_id, tx)
    after = links.withdraw_link(before, tx.now)
    return await _save_link(context, tx, "withdraw_invitation_link", before, after)


async def reopen_link(context: Context, tx: Transaction, program_id: str, link_id: str) -> InvitationLink:
    """Let people follow a withdrawn link again; repeating changes nothing. Raises NotFound, Conflict, Refused
    `too-many-links`."""
    before = await context.admissions.link(program_id, link_id, tx)
    after = links.reopen_link(before, await context.programs.get(program_id, tx), tx.now)
    if after is not before:
        await _check_room(context, tx, program_id)
    return await _save_link(context, tx, "reopen_invitation_link", before, after)


async def _check_room(context: Context, tx: Transaction, program_id: str) -> None:
    if await context.admissions.count_links(program_id, None, "open", tx) >= MAX_OPEN_LINKS:
        raise Refused(f"At most {MAX_OPEN_LINKS} links are open.", type_="too-many-links", max=MAX_OPEN_LINKS)


async def _save_link(
    context: Context, tx: Transaction, act: str, before: InvitationLink, after: InvitationLink
) -> InvitationLink:
    if after is not before:
        await context.admissions.save_link(before, after, tx)
    audit.record(tx, act, INVITATION_LINK, after.id, before=before, after=after, program_id=after.program_id)
    return after


async def follow_link(context: Context, tx: Transaction, token: str, person_id: str, answers: Sequence[str]) -> Person:
    """Be invited by a link, or put oneself forward where it asks for approval; repeating changes nothing. Raises
    NotFound, Conflict, Invalid."""
    link = await context.admissions.link_of_token(token, tx)
    program = await context.programs.get(link.program_id, tx)
    links.check_leads(link, program, tx.now)
    before = await context.people.get(person_id, tx)
    if link.approval:
        return await _apply(context, tx, before, program.id, answers, link.id)
    return await _invited(
        context, tx, before, memberships.follow_link(before, program.id, new_id(), link.id, tx.now), program.id
    )


async def apply(context: Context, tx: Transaction, program_id: str, person_id: str, answers: Sequence[str]) -> Person:
    """Put oneself forward; repeating changes nothing. Raises NotFound, Invalid, Conflict, Forbidden
    `no-nominations`."""
    check_active(await context.programs.get(program_id, tx))
    if not (await context.admissions.get(program_id, tx)).nominations:
        raise Forbidden("Nobody puts themselves forward for this programme.", type_="no-nominations")
    return await _apply(context, tx, await context.people.get(person_id, tx), program_id, answers, None)


async def _apply(
    context: Context, tx: Transaction, before: Person, program_id: str, answers: Sequence[str], link_id: str | None
) -> Person:
    said = admission.check_answers(await context.admissions.get(program_id, tx), answers)
    after = memberships.apply(before, program_id, tx.now, link_id)
    if after is not before:
        await context.people.write(tx, changed=[(before, after)])
        if any(said):
            await context.admissions.put_answers(program_id, before.id, said, tx)
    return after


async def withdraw_application(context: Context, tx: Transaction, program_id: str, person_id: str) -> Person:
    """Take back having put oneself forward; repeating changes nothing. Raises NotFound, Conflict
    `application-decided`."""
    await context.programs.get(program_id, tx)
    before = await context.people.get(person_id, tx)
    after = memberships.withdraw_application(before, program_id, tx.now)
    return await _decided(context, tx, before, after, program_id)


async def approve(context: Context, tx: Transaction, program_id: str, person_id: str) -> Person:
    """Invite somebody who put themselves forward; repeating changes nothing. Raises NotFound, Conflict."""
    check_active(await context.programs.get(program_id, tx))
    before = await context.people.get(person_id, tx)
    after = memberships.approve(before, program_id, new_id(), tx.now)
    _record(tx, "approve_application", program_id, before, after)
    await context.admissions.forget_answers(program_id, person_id, tx)
    return await _invited(context, tx, before, after, program_id)


async def reject(context: Context, tx: Transaction, program_id: str, person_id: str) -> Person:
    """Turn somebody down who put themselves forward; repeating changes nothing. Raises NotFound, Conflict."""
    await context.programs.get(program_id, tx)
    before = await context.people.get(person_id, tx)
    after = memberships.reject(before, program_id, tx.now)
    _record(tx, "reject_application", program_id, before, after)
    return await _decided(context, tx, before, after, program_id)


def _record(tx: Transaction, act: str, program_id: str, before: Person, after: Person) -> None:
    if after is before:
        return audit.nothing_done(tx)
    return audit.record(tx, act, "person", after.id, program_id=program_id)


async def _invited(context: Context, tx: Transaction, before: Person, after: Person, program_id: str) -> Person:
    if after is not before:
        await context.people.write(tx, changed=[(before, after)])
        tx.emit(event_mapping.ambassador_invited(after, program_id))
    return after


async def _decided(context: Context, tx: Transaction, before: Person, after: Person, program_id: str) -> Person:
    if after is not before:
        await context.people.write(tx, changed=[(before, after)])
        await context.admissions.forget_answers(program_id, before.id, tx)
    return after


async def add_departure(
    context: Context, tx: Transaction, program_id: str, departure: Departure, reason: DepartureReason
) -> None:
    """Count why somebody pauses or leaves; nobody's name goes with it."""
    before = await context.admissions.departures(program_id, tx)
    after = admission.add_departure(before, departure, reason, context.settings.small_group)
    await context.admissions.put_departures(after, tx)
