"""The tasks of a programme's team, and the content mix that it wants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chassis import audit
from chassis.ids import new_id
from chassis.mongo import Transaction
from chassis.web.http import Expected, check_version
from chassis.web.problems import Refused
from services.program.audit import MIX, TASK
from services.program.commands.saving import save
from services.program.context import Context
from services.program.domain import mixes, tasks
from services.program.domain.mixes import Mix
from services.program.domain.programs import check_active
from services.program.domain.tasks import MAX_TASKS, Task


async def create_task(context: Context, tx: Transaction, program_id: str, values: Mapping[str, Any]) -> Task:
    """A further task. Raises NotFound, Conflict `program-archived`, Invalid, Refused `too-many-tasks`."""
    check_active(await context.programs.get(program_id, tx))
    await _check_owner(context, tx, program_id, values.get("owner_id"))
    await check_room(context, program_id, 1, tx)
    task = Task(id=new_id(), program_id=program_id, version=1, created_at=tx.now, updated_at=tx.now, **values)
    await context.tasks.insert([task], tx)
    audit.record(tx, "create_task", TASK, task.id, after=task, program_id=program_id)
    return task


async def change_task(
    context: Context, tx: Transaction, program_id: str, id: str, version: Expected | None, values: Mapping[str, Any]
) -> Task:
    """The whole of a task, under its version. Raises NotFound, Conflict, Invalid, PreconditionRequired,
    StaleVersion."""
    before = await context.tasks.get(program_id, id, tx)
    check_version(version, before.version)
    check_active(await context.programs.get(program_id, tx))
    if values.get("owner_id") != before.owner_id:
        await _check_owner(context, tx, program_id, values.get("owner_id"))
    return await save(context.tasks, TASK, tx, "change_task", before, tasks.change_task(before, tx.now, **values))


async def finish_task(context: Context, tx: Transaction, program_id: str, id: str, person_id: str) -> Task:
    """Somebody did it; repeating changes nothing. Raises NotFound."""
    before = await context.tasks.get(program_id, id, tx)
    return await save(context.tasks, TASK, tx, "finish_task", before, tasks.finish_task(before, person_id, tx.now))


async def reopen_task(context: Context, tx: Transaction, program_id: str, id: str) -> Task:
    """It is to be done again; repeating changes nothing. Raises NotFound."""
    before = await context.tasks.get(program_id, id, tx)
    return await save(context.tasks, TASK, tx, "reopen_task", before, tasks.reopen_task(before, tx.now))


async def delete_task(context: Context, tx: Transaction, program_id: str, id: str) -> Task:
    """It is gone. Raises NotFound."""
    task = await context.tasks.get(program_id, id, tx)
    await context.tasks.delete(task, tx)
    audit.record(tx, "delete_task", TASK, id, before=task, program_id=program_id)
    return task


async def check_room(context: Context, program_id: str, more: int, tx: Transaction | None) -> None:
    """Raises Refused `too-many-tasks`."""
    if await context.tasks.count(program_id, tx=tx) + more > MAX_TASKS:
        raise Refused(f"A programme has at most {MAX_TASKS} tasks.", type_="too-many-tasks", max=MAX_TASKS)


async def _check_owner(context: Context, tx: Transaction, program_id: str, owner_id: str | None) -> None:
    if owner_id is not None:
        found = await context.people.get_many([owner_id], tx)
        tasks.check_owner(found[0] if found else None, program_id)


async def set_mix(
    context: Context, tx: Transaction, program_id: str, version: Expected | None, shares: Mapping[str, int]
) -> Mix:
    """The content mix that the programme wants, under its version. Raises NotFound, Conflict,
    Invalid `not-whole`, PreconditionRequired, StaleVersion."""
    check_active(await context.programs.get(program_id, tx))
    before = await context.mixes.get(program_id, tx)
    check_version(version, before.version)
    return await save_mix(context, tx, before, mixes.change_mix(before, shares, tx.now))


async def save_mix(context: Context, tx: Transaction, before: Mix, after: Mix) -> Mix:
    if after is not before:
        await context.mixes.save(before, after, tx)
    audit.record(tx, "set_mix", MIX, before.program_id, before=before, after=after, program_id=before.program_id)
    return after
