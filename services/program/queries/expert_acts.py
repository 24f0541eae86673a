"""What was done as an expert, for those who declared it and for those who decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.web.http import decode_cursor, encode_cursor
from services.program.context import Context
from services.program.domain.expert_acts import ExpertAct, ExpertActState
from services.program.queries.cursors import texts_of


@dataclass(frozen=True, slots=True)
class Found:
    """A page, the newest first."""

    items: Sequence[ExpertAct]
    next: str | None
    total: int


async def page(
    context: Context,
    program_id: str,
    *,
    person_id: str | None = None,
    state: ExpertActState | None = None,
    query: str | None = None,
    cursor: str | None,
    limit: int,
) -> Found:
    """All of a programme, or a person's own. Raises NotFound, Invalid."""
    await context.programs.get(program_id)
    after = texts_of(decode_cursor(cursor), 1)
    found = await context.expert_acts.page(
        program_id, person_id=person_id, state=state, query=query, after=after[0] if after else None, limit=limit + 1
    )
    following = encode_cursor([found[limit - 1].id]) if len(found) > limit else None
    total = await context.expert_acts.count(program_id, person_id=person_id, state=state, query=query)
    return Found(found[:limit], following, total)
