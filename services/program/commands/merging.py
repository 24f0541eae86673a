"""What becomes of what somebody had who is merged with another person; `store/merging.py` says what moves."""

from __future__ import annotations

from dataclasses import replace

from chassis.mongo import Transaction
from services.program import event_mapping
from services.program.commands.lessons import paths_of
from services.program.context import Context


async def move(context: Context, tx: Transaction, other: str, person: str) -> None:
    """Give the person what the other one had. Other services are told of objectives and completed lessons, which they
    keep by person."""
    moving = context.merging
    await moving.rename("people.same_address_as", other, person, tx, _id={"$ne": person})
    for place in ("people.merged_into", "tasks.owner_id", "feedback.person_id", "referrals.person_id"):
        await moving.rename(place, other, person, tx)
    await moving.waves(other, person, tx)
    await moving.links(other, person, tx)
    await moving.expert_acts(other, person, tx.now, tx)
    await moving.answers(other, person, tx)
    await moving.first_posts(other, person, tx)
    await moving.deputies(other, person, tx.now, tx)
    await moving.mails(other, person, tx.now, tx)
    await _choices(context, tx, other, person)
    for before in await context.objectives.owned_by(other, tx):
        after = replace(before, owner_id=person, version=before.version + 1, updated_at=tx.now)
        await context.objectives.save(before, after, tx)
        tx.emit(event_mapping.objective_set(after))
    for completion in await moving.completions(other, person, tx):
        tx.emit(event_mapping.lesson_completed(completion, await paths_of(context, tx, completion)))


async def _choices(context: Context, tx: Transaction, other: str, person: str) -> None:
    """What either wanted no more of mails, and what ended all mail to either, holds for the one."""
    theirs = (await context.mails.readers([other], tx)).get(other)
    if theirs is None:
        return
    own = await context.mails.reader(person, tx)
    silenced = tuple(dict.fromkeys((*own.silenced, *theirs.silenced)))
    bounced, complained = own.bounced or theirs.bounced, own.complained_at or theirs.complained_at
    await context.mails.save_reader(replace(own, silenced=silenced, bounced=bounced, complained_at=complained), tx)
