"""Leaders, who go first."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from chassis.web.http import Cursor, Limit, Router
from services.program import queries
from services.program.api.base import Manages, Use
from services.program.schemas.leaders import LeadersView

router = Router(tags=["leaders"])


@router.get("/programs/{program_id}/leaders", summary="Which leaders take part", response_model=LeadersView)
async def leaders(
    program_id: str,
    _: Manages,
    context: Use,
    query: Annotated[
        str | None, Query(max_length=200, description="Beginnings of words of name, e-mail or external id")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> LeadersView:
    """Everybody with the company who is marked as a leader, by name, with their status in the programme. What they
    shared is theirs: the leaders' leaderboard of gamification tells it of those who do not keep out of it."""
    return LeadersView.of(program_id, *await queries.leaders.page(context, program_id, query or None, cursor, limit))
