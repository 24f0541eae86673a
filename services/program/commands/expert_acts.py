"""Declaring what one did as an expert, and deciding on it."""

from __future__ import annotations

from datetime import date, timedelta

from chassis.ids import new_id
from chassis.mongo import Transaction
from chassis.web.problems import NotFound, Refused
from services.program import event_mapping
from services.program.audit import EXPERT_ACT
from services.program.commands.saving import save
from services.program.context import Context
from services.program.domain import expert_acts, memberships, programs
from services.program.domain.expert_acts import MAX_OPEN, ExpertAct
from services.program.domain.lessons import check_completed
from services.program.domain.programs import today


async def declare(
    context: Context,
    tx: Transaction,
    program_id: str,
    person_id: str,
    *,
    act: str,
    title: str,
    link: str,
    happened_on: date,
) -> ExpertAct:
    """Raises NotFound, Invalid, Conflict: `not-a-member`, `program-archived`, `already-declared`,
    `lesson-not-completed`; Refused `too-many-declared`."""
    program = programs.check_active(await context.programs.get(program_id, tx))
    memberships.joined(await context.people.get(person_id, tx), program_id)
    required = await context.lessons.required_for(program_id, "expert_act", tx)
    completed = await context.lessons.completed_by(program_id, person_id, tx) if required else {}
    check_completed(required, completed.keys(), program_id)
    waiting = await context.expert_acts.count(program_id, person_id=person_id, state="declared", tx=tx)
    if waiting >= MAX_OPEN:
        raise Refused(f"{MAX_OPEN} declarations wait for a decision.", type_="too-many-declared", max=MAX_OPEN)
    declared = expert_acts.declare(
        new_id(),
        program_id,
        person_id,
        act=act,
        title=title,
        link=link,
        happened_on=happened_on,
        today=today(program, tx.now),
        now=tx.now,
        wait=_wait(context),
    )
    await context.expert_acts.insert(declared, tx)
    return declared


async def withdraw(context: Context, tx: Transaction, program_id: str, id: str, person_id: str) -> ExpertAct:
    """Take back one's own; repeating changes nothing. Raises NotFound, Conflict `expert-act-over`."""
    before = await context.expert_acts.get(program_id, id, tx)
    if before.person_id != person_id:
        raise NotFound("expert act", id)
    after = expert_acts.withdraw(before, tx.now)
    if after is not before:
        await context.expert_acts.save(before, after, tx)
        if before.state == "confirmed":
            tx.emit(event_mapping.expert_act_withdrawn(before, "ambassador", tx.now))
    return after


async def confirm(context: Context, tx: Transaction, program_id: str, id: str, *, by: str) -> ExpertAct:
    """It counts from now on; repeating changes nothing. Raises NotFound, Conflict: `expert-act-not-declared`,
    `not-a-member`, `program-archived`; Refused `own-expert-act`."""
    programs.check_active(await context.programs.get(program_id, tx))
    before = await context.expert_acts.get(program_id, id, tx)
    if before.person_id == by:
        raise Refused("Another manager confirms what you did yourself.", type_="own-expert-act")
    memberships.joined(await context.people.get(before.person_id, tx), program_id)
    stands = timedelta(days=context.settings.expert_act_days)
    after = expert_acts.confirm(before, by=by, act_id=new_id(), stands=stands, now=tx.now)
    if after is not before:
        tx.emit(event_mapping.expert_act_recorded(after))
    return await save(context.expert_acts, EXPERT_ACT, tx, "confirm_expert_act", before, after)


async def refuse(context: Context, tx: Transaction, program_id: str, id: str, *, by: str, reason: str) -> ExpertAct:
    """It does not count; repeating changes nothing. Raises NotFound, Conflict `expert-act-not-declared`."""
    before = await context.expert_acts.get(program_id, id, tx)
    return await save(
        context.expert_acts,
        EXPERT_ACT,
        tx,
        "refuse_expert_act",
        before,
        expert_acts.refuse(before, by=by, reason=reason, now=tx.now),
    )


async def reopen(context: Context, tx: Transaction, program_id: str, id: str) -> ExpertAct:
    """Take a decision back; what counted does so no more. Repeating changes nothing. Raises NotFound, Conflict
    `expert-act-not-decided`, `already-declared`."""
    before = await context.expert_acts.get(program_id, id, tx)
    after = expert_acts.reopen(before, wait=_wait(context), now=tx.now)
    if after is not before and before.state == "confirmed":
        tx.emit(event_mapping.expert_act_withdrawn(before, "manager", tx.now))
    return await save(context.expert_acts, EXPERT_ACT, tx, "reopen_expert_act", before, after)


async def expire(context: Context, tx: Transaction, act: ExpertAct) -> None:
    """Where its time is over; what it earned stays. Raises StaleVersion."""
    after = expert_acts.expire(act, tx.now)
    if after is not act:
        await context.expert_acts.save(act, after, tx)


def _wait(context: Context) -> timedelta:
    return timedelta(days=context.settings.expert_act_wait_days)
