"""Pages of a programme's objectives."""

from __future__ import annotations

from chassis.web.http import decode_cursor, encode_cursor
from services.program.context import Context
from services.program.domain.objectives import Objective, ObjectiveState
from services.program.queries.cursors import texts_of


async def page(
    context: Context, program_id: str, query: str | None, state: ObjectiveState | None, cursor: str | None, limit: int
) -> tuple[list[Objective], str | None, int]:
    """Objectives of a programme, those that end first first, the cursor of the next page, and how many there are.
    Raises NotFound, Invalid."""
    await context.programs.get(program_id)
    after = texts_of(decode_cursor(cursor), 2)
    found = await context.objectives.page(program_id, state, after, limit + 1, query)
    total = await context.objectives.count(program_id, state, query)
    if len(found) <= limit:
        return found, None, total
    last = found[limit - 1]
    return found[:limit], encode_cursor([last.ends_on.isoformat(), last.id]), total
