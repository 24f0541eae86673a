"""One-time codes, and the devices that they let in."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from chassis import audit
from chassis.mongo import Transaction
from chassis.web.problems import Conflict
from services.program import event_mapping
from services.program.context import Context
from services.program.domain import access
from services.program.domain.people import Code, Device, Person


async def issue_code(context: Context, tx: Transaction, program_id: str, person_id: str, hash: str, *, by: str) -> Code:
    """Let a person of the programme sign in once with the code of this hash, in place of any code before. Raises
    NotFound, Forbidden `inactive`, Conflict: `not-a-member` for somebody who was never invited, `has-account`."""
    before = await of_program(context, program_id, person_id, tx)
    life = timedelta(minutes=context.settings.code_minutes)
    after = access.issue_code(before, hash, by=by, now=tx.now, life=life)
    await context.people.write(tx, changed=[(before, after)])
    audit.record(tx, "issue_code", "person", person_id, program_id=program_id)
    assert after.code is not None
    return after.code


async def end_devices(context: Context, tx: Transaction, program_id: str, person_id: str) -> Person:
    """Sign a person out of every device that a code let in, and let no code in; repeating changes nothing. Raises
    NotFound, Conflict `not-a-member`."""
    before = await of_program(context, program_id, person_id, tx)
    after = await _save(context, tx, before, access.end_devices(before, tx.now))
    if after is before:
        audit.nothing_done(tx)
    else:
        facts = {"devices": len(before.devices)}
        audit.record(tx, "end_devices", "person", person_id, program_id=program_id, facts=facts)
    return after


async def redeem(context: Context, tx: Transaction, hash: str | None, account: str) -> Device:
    """Sign the device with this account in as the person whose code it is; repeating changes nothing. Raises Forbidden
    `inactive`, Refused `code-unknown`."""
    known = await context.people.find_by_device(account, tx)
    before = known or (await context.people.find_by_code(hash, tx) if hash else None)
    if before is None or hash is None:
        raise access.unknown_code()
    device = Device(account, tx.now, tx.now + timedelta(days=context.settings.device_days))
    after = await _save(context, tx, before, access.redeem(before, hash, device, tx.now))
    return next(one for one in after.devices if one.account == account)


async def end_own_device(context: Context, tx: Transaction, account: str) -> None:
    """Sign a device out; repeating changes nothing."""
    before = await context.people.find_by_device(account, tx)
    if before is not None:
        await _save(context, tx, before, access.end_device(before, account, tx.now))


async def forget_ended(context: Context, tx: Transaction, person_id: str) -> None:
    """Sign a person out of the devices whose time is over."""
    before = await context.people.get(person_id, tx)
    await _save(context, tx, before, access.forget_ended(before, tx.now))


async def hash_of(typed: str) -> str | None:
    """What is stored of a code; None for what can be none."""
    return await asyncio.to_thread(access.hash_code, typed)


async def of_program(context: Context, program_id: str, person_id: str, tx: Transaction | None = None) -> Person:
    """A person whom a programme knows. Raises NotFound, Conflict `not-a-member`."""
    await context.programs.get(program_id, tx)
    person = await context.people.get(person_id, tx)
    if person.membership(program_id) is None:
        raise Conflict("They have nothing to do with this programme: invite them first.", type_="not-a-member")
    return person


async def _save(context: Context, tx: Transaction, before: Person, after: Person) -> Person:
    if after is not before:
        await context.people.write(tx, changed=[(before, after)])
        tx.emit(event_mapping.person_updated(after))
    return after
