"""Links, applications, and who takes part against who there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chassis.web.http import decode_cursor, encode_cursor
from services.program.context import Context
from services.program.domain import diversity, links
from services.program.domain.admission import Admission
from services.program.domain.diversity import Diversity
from services.program.domain.links import InvitationLink, LinkState
from services.program.domain.people import Filter, Person, Status
from services.program.domain.programs import Program
from services.program.queries import people
from services.program.queries.cursors import texts_of


@dataclass(frozen=True, slots=True)
class Counted:
    """A link, and how many people followed it, by what they are in the programme now."""

    link: InvitationLink
    counts: Mapping[Status, int]


async def page(
    context: Context, program_id: str, query: str | None, state: LinkState | None, cursor: str | None, limit: int
) -> tuple[list[Counted], str | None, int | None]:
    """Links of a programme, the last one first, the cursor of the next page, and beside the first how many there are.
    Raises NotFound, Invalid."""
    await context.programs.get(program_id)
    after = texts_of(decode_cursor(cursor), 1)
    found = await context.admissions.links(program_id, query, state, after[0] if after else None, limit + 1)
    following = encode_cursor([found[limit - 1].id]) if len(found) > limit else None
    total = await context.admissions.count_links(program_id, query, state) if cursor is None else None
    return await _counted(context, program_id, found[:limit]), following, total


async def link(context: Context, program_id: str, link_id: str) -> Counted:
    """Raises NotFound."""
    [found] = await _counted(context, program_id, [await context.admissions.link(program_id, link_id)])
    return found


async def _counted(context: Context, program_id: str, found: Sequence[InvitationLink]) -> list[Counted]:
    counts = await context.headcounts.count_of_links(program_id, [one.id for one in found])
    return [Counted(one, counts.get(one.id, {})) for one in found]


async def followed(context: Context, token: str) -> tuple[InvitationLink, Program, Admission]:
    """What a link leads to. Raises NotFound, Conflict."""
    found = await context.admissions.link_of_token(token)
    program = await context.programs.get(found.program_id)
    links.check_leads(found, program, context.clock.now())
    return found, program, await context.admissions.get(program.id)


async def applications(
    context: Context, program_id: str, query: str | None, cursor: str | None, limit: int
) -> tuple[list[tuple[Person, list[str]]], str | None, int]:
    """Who put themselves forward, by name, with their answers; the cursor of the next page; how many there are.
    Raises NotFound, Invalid."""
    await context.programs.get(program_id)
    wanted = Filter(query=query, program_id=program_id, status="applied")
    found, following, total = await people.page(context, wanted, cursor, limit)
    answers = await context.admissions.answers(program_id, [one.id for one in found])
    return [(one, answers.get(one.id, [])) for one in found], following, total


async def diversity_of(context: Context, program_id: str) -> Diversity:
    """Raises NotFound."""
    await context.programs.get(program_id)
    return diversity.diversity(await context.headcounts.diversity(program_id), context.settings.small_group)
