"""Posts that worked, for those who choose them, for their authors, and for those who learn from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.web.http import decode_cursor, encode_cursor
from services.program.context import Context
from services.program.domain.examples import Example, ExampleState
from services.program.domain.programs import choose_language
from services.program.queries.cursors import texts_of


@dataclass(frozen=True, slots=True)
class Found:
    """A page, the newest first."""

    items: Sequence[Example]
    next: str | None
    total: int


@dataclass(frozen=True, slots=True)
class Read:
    """An example as one reads it: why it worked in one language."""

    example: Example
    why: str
    why_language: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A page of those that ambassadors read."""

    items: Sequence[Read]
    next: str | None
    total: int


async def page(
    context: Context,
    program_id: str,
    *,
    state: ExampleState | None = None,
    author_id: str | None = None,
    lesson_id: str | None = None,
    query: str | None = None,
    cursor: str | None,
    limit: int,
) -> Found:
    """Raises NotFound, Invalid."""
    await context.programs.get(program_id)
    after = texts_of(decode_cursor(cursor), 1)
    found = await context.examples.page(
        program_id,
        state=state,
        author_id=author_id,
        lesson_id=lesson_id,
        query=query,
        after=after[0] if after else None,
        limit=limit + 1,
    )
    following = encode_cursor([found[limit - 1].id]) if len(found) > limit else None
    total = await context.examples.count(program_id, state=state, author_id=author_id, lesson_id=lesson_id, query=query)
    return Found(found[:limit], following, total)


async def shown(
    context: Context,
    program_id: str,
    language: str | None,
    *,
    lesson_id: str | None,
    query: str | None,
    cursor: str | None,
    limit: int,
) -> Reading:
    """Those that ambassadors read. The post of somebody who is no ambassador any more is none. Raises NotFound,
    Invalid."""
    program = await context.programs.get(program_id)
    found = await page(context, program_id, state="shown", lesson_id=lesson_id, query=query, cursor=cursor, limit=limit)
    authors = await context.people.get_many({one.author_id for one in found.items if one.author_id is not None})
    present = {one.id for one in authors if one.active and program_id in one.joined}
    items = []
    for one in found.items:
        if one.author_id is None or one.author_id in present:
            chosen = choose_language(one.why, language, program.languages)
            items.append(Read(one, one.why[chosen], chosen))
    return Reading(items, found.next, found.total)
