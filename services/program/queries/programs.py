"""Pages of programmes, their texts in the reader's language, who takes part."""

from __future__ import annotations

from dataclasses import replace

from chassis.web.http import decode_cursor, encode_cursor
from services.program.context import Context
from services.program.domain.people import Filter, Person, Segment, Status
from services.program.domain.programs import Program, Text, TextKind, choose_language
from services.program.queries import people
from services.program.queries.cursors import texts_of


async def page(context: Context, cursor: str | None, limit: int) -> tuple[list[Program], str | None]:
    """Programmes, oldest first, and the cursor of the next page. Raises Invalid."""
    after = texts_of(decode_cursor(cursor), 1)
    found = await context.programs.page(after[0] if after else None, limit + 1)
    more = len(found) > limit
    return found[:limit], encode_cursor([found[limit - 1].id]) if more else None


async def latest_text(context: Context, program_id: str, kind: TextKind, language: str | None) -> tuple[Text, str]:
    """The version in force, and its language for this reader. Raises NotFound."""
    program = await context.programs.get(program_id)
    version = program.consent_version if kind == "consent" else program.guidelines_version
    text = await context.programs.text(program_id, kind, version)
    return text, choose_language(text.texts, language, program.languages)


async def ambassadors(
    context: Context, program_id: str, status: Status | None, query: str | None, cursor: str | None, limit: int
) -> tuple[dict[Status, int], list[Person], str | None, int]:
    """How many people have each status in a programme; a page of those with one, the cursor of the next, and how many
    there are on all. Raises NotFound, Invalid."""
    await context.programs.get(program_id)
    counts = await context.headcounts.count_by_status(program_id)
    wanted = Filter(query=query, program_id=program_id, status=status)
    return counts, *await people.page(context, wanted, cursor, limit)


async def audience(context: Context, program_id: str, segment: Segment) -> int:
    """How many ambassadors of the programme are in a segment, however its teams are spelled. Raises NotFound."""
    await context.programs.get(program_id)
    spellings = await context.teams.spellings(segment.teams)
    teams = tuple(spellings.get(team, team) for team in segment.teams)
    return await context.segments.count_ambassadors(program_id, replace(segment, teams=teams))
