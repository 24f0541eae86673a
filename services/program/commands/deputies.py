"""Deputies of leaders, and what they prepare."""

from __future__ import annotations

from chassis.ids import new_id
from chassis.mongo import Transaction
from chassis.web.http import Expected, check_version
from services.program.context import Context
from services.program.domain import deputies
from services.program.domain.deputies import Deputy, Prepared
from services.program.domain.people import Person
from services.program.domain.programs import check_active


async def name_deputy(context: Context, tx: Transaction, program_id: str, leader_id: str, named: str) -> Deputy:
    """A leader asks an ambassador of the programme, by e-mail address or external id. Raises NotFound, Forbidden
    `not-a-leader`, Invalid `person`, Conflict: `program-archived`, `not-a-member`, `already-deputy`; Refused
    `too-many-deputies`."""
    check_active(await context.programs.get(program_id, tx))
    leader = await context.people.get(leader_id, tx)
    present = [one for one in await context.deputies.live(program_id, leader_id, tx) if one.leader_id == leader_id]
    person = await _known(context, tx, named)
    deputy = deputies.name(new_id(), program_id, leader, person, len(present), tx.now)
    await context.deputies.insert(deputy, tx)
    return deputy


async def _known(context: Context, tx: Transaction, named: str) -> Person | None:
    wanted = named.strip()
    found = [one for one in await context.people.named([wanted]) if one.active]
    by_id = next((one for one in found if one.external_id == wanted), None)
    person = by_id or next((one for one in found if one.email == wanted.lower()), None)
    return await context.people.get(person.id, tx) if person else None


async def accept(context: Context, tx: Transaction, program_id: str, id: str, person_id: str) -> Deputy:
    """Raises NotFound, Forbidden `not-yours`, Conflict: `deputy-over`, `program-archived`."""
    check_active(await context.programs.get(program_id, tx))
    before = await context.deputies.get(program_id, id, tx)
    return await _save(context, tx, before, deputies.accept(before, person_id, tx.now))


async def decline(context: Context, tx: Transaction, program_id: str, id: str, person_id: str) -> Deputy:
    """Raises NotFound, Forbidden `not-yours`, Conflict `deputy-over`."""
    before = await context.deputies.get(program_id, id, tx)
    return await _save(context, tx, before, deputies.decline(before, person_id, tx.now))


async def end(context: Context, tx: Transaction, program_id: str, id: str, person_id: str) -> Deputy:
    """One of the two ends it; what was prepared stays for the leader. Raises NotFound."""
    before = await context.deputies.get(program_id, id, tx)
    return await _save(context, tx, before, deputies.end(before, person_id, tx.now))


async def end_of(context: Context, tx: Transaction, person_id: str, program_id: str) -> None:
    """Somebody is an ambassador no more: whom they prepared for and who prepared for them, and what waited for them."""
    for before in await context.deputies.live(program_id, person_id, tx):
        await _save(context, tx, before, deputies.end(before, person_id, tx.now))
    await context.deputies.withdraw_for(program_id, person_id, tx.now, tx)


async def prepare(
    context: Context,
    tx: Transaction,
    program_id: str,
    deputy_id: str,
    person_id: str,
    *,
    content_id: str,
    language: str,
    caption: str,
) -> Prepared:
    """An item with a caption for a leader. Raises NotFound, Forbidden: `not-yours`, `not-a-leader`; Conflict:
    `program-archived`, `not-a-member`, `deputy-not-accepted`, `already-prepared`; Refused `too-many-prepared`."""
    check_active(await context.programs.get(program_id, tx))
    deputy = await context.deputies.get(program_id, deputy_id, tx)
    leader = await context.people.get(deputy.leader_id, tx)
    waiting = len(await context.deputies.waiting(program_id, deputy.leader_id, tx))
    values = {"content_id": content_id, "language": language, "caption": caption}
    prepared = deputies.prepare(new_id(), deputy, leader, person_id, waiting, tx.now, **values)
    await context.deputies.insert_prepared(prepared, tx)
    return prepared


async def change_prepared(
    context: Context,
    tx: Transaction,
    program_id: str,
    id: str,
    version: Expected | None,
    person_id: str,
    *,
    language: str,
    caption: str,
) -> Prepared:
    """Another caption, under its version. Raises NotFound, Forbidden `not-yours`, Conflict `prepared-over`,
    PreconditionRequired, StaleVersion."""
    before = await context.deputies.prepared(program_id, id, tx)
    after = deputies.change(before, person_id, tx.now, language=language, caption=caption)
    check_version(version, before.version)
    return await _save_prepared(context, tx, before, after)


async def withdraw(context: Context, tx: Transaction, program_id: str, id: str, person_id: str) -> Prepared:
    """Its deputy takes it back. Raises NotFound, Forbidden `not-yours`, Conflict `prepared-over`."""
    before = await context.deputies.prepared(program_id, id, tx)
    return await _save_prepared(context, tx, before, deputies.withdraw(before, person_id, tx.now))


async def dismiss(context: Context, tx: Transaction, program_id: str, id: str, person_id: str) -> Prepared:
    """The leader does not want it. Raises NotFound, Forbidden `not-yours`, Conflict `prepared-over`."""
    before = await context.deputies.prepared(program_id, id, tx)
    return await _save_prepared(context, tx, before, deputies.dismiss(before, person_id, tx.now))


async def keep(context: Context, tx: Transaction, program_id: str, id: str, person_id: str) -> Prepared:
    """The leader takes that back. Raises NotFound, Forbidden `not-yours`, Conflict: `prepared-over`,
    `already-prepared`; Refused `too-many-prepared`."""
    before = await context.deputies.prepared(program_id, id, tx)
    waiting = len(await context.deputies.waiting(program_id, before.leader_id, tx))
    return await _save_prepared(context, tx, before, deputies.keep(before, person_id, waiting, tx.now))


async def _save(context: Context, tx: Transaction, before: Deputy, after: Deputy) -> Deputy:
    if after is not before:
        await context.deputies.save(before, after, tx)
    return after


async def _save_prepared(context: Context, tx: Transaction, before: Prepared, after: Prepared) -> Prepared:
    if after is not before:
        await context.deputies.save_prepared(before, after, tx)
    return after
