"""Pages of a programme's tasks."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.web.http import decode_cursor, encode_cursor
from services.program.context import Context
from services.program.domain.tasks import Task, TaskState
from services.program.queries.cursors import texts_of


@dataclass(frozen=True, slots=True)
class Found:
    """Tasks, the cursor of the next page, and how many there are on all."""

    tasks: list[Task]
    next: str | None
    total: int


async def page(
    context: Context,
    program_id: str,
    state: TaskState | None,
    owner_id: str | None,
    query: str | None,
    cursor: str | None,
    limit: int,
) -> Found:
    """Tasks of a programme, those that are due first first. Raises NotFound, Invalid."""
    await context.programs.get(program_id)
    after = texts_of(decode_cursor(cursor), 2)
    found = await context.tasks.page(program_id, state, owner_id, query, after, limit + 1)
    total = await context.tasks.count(program_id, state, owner_id, query)
    if len(found) <= limit:
        return Found(found, None, total)
    last = found[limit - 1]
    return Found(found[:limit], encode_cursor([last.due_on.isoformat(), last.id]), total)
