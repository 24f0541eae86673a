"""Who leads in the company, and whether they go first in a programme."""

from __future__ import annotations

from collections.abc import Mapping

from services.program.context import Context
from services.program.domain.people import Filter, Person
from services.program.queries import people


async def page(
    context: Context, program_id: str, query: str | None, cursor: str | None, limit: int
) -> tuple[Mapping[str, int], list[Person], str | None, int]:
    """How many leaders have each status in a programme (`none` for those who were never asked); a page of them by name,
    the cursor of the next, and how many there are. Raises NotFound, Invalid."""
    await context.programs.get(program_id)
    counts = await context.headcounts.count_leaders(program_id)
    return counts, *await people.page(context, Filter(query=query, leaders_only=True), cursor, limit)
