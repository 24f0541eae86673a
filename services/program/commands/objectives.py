"""What becomes of a programme's objectives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chassis import audit
from chassis.ids import new_id
from chassis.mongo import Transaction
from chassis.principals import Principal
from chassis.web.http import Expected, check_role, check_version
from chassis.web.problems import Invalid, Refused
from services.program import event_mapping
from services.program.audit import OBJECTIVE
from services.program.commands.saving import save
from services.program.context import Context
from services.program.domain import objectives
from services.program.domain.objectives import MAX_OPEN, Objective
from services.program.domain.programs import check_active


async def set_objective(context: Context, tx: Transaction, program_id: str, values: Mapping[str, Any]) -> Objective:
    """A new objective of a programme. Raises NotFound, Invalid, Refused `too-many-objectives`."""
    check_active(await context.programs.get(program_id, tx))
    await _check_owner(context, tx, values)
    await _check_room(context, tx, program_id)
    after = objectives.new_objective(new_id(), program_id, tx.now, **values)
    await context.objectives.insert(after, tx)
    tx.emit(event_mapping.objective_set(after))
    audit.record(tx, "set_objective", OBJECTIVE, after.id, after=after, program_id=program_id)
    return after


async def change_objective(
    context: Context,
    tx: Transaction,
    program_id: str,
    objective_id: str,
    version: Expected | None,
    values: Mapping[str, Any],
) -> Objective:
    """Change an open objective under its version. Raises NotFound, Invalid, Conflict, PreconditionRequired,
    StaleVersion."""
    before = await context.objectives.get(program_id, objective_id, tx)
    check_version(version, before.version)
    check_active(await context.programs.get(program_id, tx))
    if values.get("owner_id") != before.owner_id:
        await _check_owner(context, tx, values)
    after = objectives.change_objective(before, tx.now, **values)
    return await _save(context, tx, "set_objective", before, after)


async def review_objective(
    context: Context, tx: Transaction, program_id: str, objective_id: str, learned: str, caller: Principal
) -> Objective:
    """Say what was learned from an objective whose period is over; its owner does, or a manager. Raises NotFound,
    Forbidden, Conflict."""
    before = await context.objectives.get(program_id, objective_id, tx)
    if caller.id != before.owner_id:
        check_role(caller, program_id, "manager")
    program = await context.programs.get(program_id, tx)
    after = objectives.review_objective(before, learned, caller.id, program.time_zone, tx.now)
    if after is not before:
        tx.emit(event_mapping.objective_reviewed(after))
    return await _save(context, tx, "review_objective", before, after)


async def withdraw_objective(context: Context, tx: Transaction, program_id: str, objective_id: str) -> Objective:
    """Pursue an objective no longer; repeating changes nothing. Raises NotFound, Conflict."""
    before = await context.objectives.get(program_id, objective_id, tx)
    return await _save(context, tx, "withdraw_objective", before, objectives.withdraw_objective(before, tx.now))


async def reopen_objective(context: Context, tx: Transaction, program_id: str, objective_id: str) -> Objective:
    """Pursue a withdrawn objective again; repeating changes nothing. Raises NotFound, Conflict, Refused
    `too-many-objectives`."""
    before = await context.objectives.get(program_id, objective_id, tx)
    after = objectives.reopen_objective(before, tx.now)
    if after is not before:
        check_active(await context.programs.get(program_id, tx))
        await _check_room(context, tx, program_id)
    return await _save(context, tx, "reopen_objective", before, after)


async def _check_owner(context: Context, tx: Transaction, values: Mapping[str, Any]) -> None:
    owner = values.get("owner_id")
    if owner is not None and not [one for one in await context.people.get_many([owner], tx) if one.active]:
        raise Invalid.one("owner_id", "unknown", "There is no such person with the company.")


async def _check_room(context: Context, tx: Transaction, program_id: str) -> None:
    if await context.objectives.count_open(program_id, tx) >= MAX_OPEN:
        raise Refused(f"At most {MAX_OPEN} objectives are open at once.", type_="too-many-objectives", max=MAX_OPEN)


async def _save(context: Context, tx: Transaction, act: str, before: Objective, after: Objective) -> Objective:
    if after is not before:
        tx.emit(event_mapping.objective_set(after))
    return await save(context.objectives, OBJECTIVE, tx, act, before, after)
