"""Events, for those who are invited and for those who plan them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chassis.web.http import decode_cursor, encode_cursor
from services.program.context import Context
from services.program.domain import company_events, memberships
from services.program.domain.company_events import MAX_PLANNED, Attendance, CompanyEvent
from services.program.queries.cursors import texts_of

MAX_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Found:
    """A page, the newest first, with how many come and how many were there."""

    items: Sequence[CompanyEvent]
    counts: Mapping[str, tuple[int, int]]
    next: str | None


async def upcoming(context: Context, program_id: str, person_id: str) -> list[tuple[CompanyEvent, Attendance | None]]:
    """What is to come for this person, the next one first, with what they answered. Raises NotFound."""
    await context.programs.get(program_id)
    person = await context.people.get(person_id)
    planned = await context.company_events.upcoming(program_id, context.clock.now(), MAX_PLANNED)
    found = [one for one in planned if one.audience.take(person)][:MAX_SHOWN]
    own = await context.company_events.own(person_id, [one.id for one in found])
    return [(one, own.get(one.id)) for one in found]


async def by_code(context: Context, code: str, person_id: str) -> tuple[CompanyEvent, Attendance | None]:
    """What a code is of. Raises NotFound, Conflict: `not-a-member`, `not-a-guest`."""
    event = await context.company_events.by_code(code)
    person = await context.people.get(person_id)
    memberships.joined(person, event.program_id)
    mine = (await context.company_events.own(person_id, [event.id])).get(event.id)
    if mine is None or mine.checked_in_at is None:
        company_events.check_guest(event, person)
    return event, mine


async def page(context: Context, program_id: str, cursor: str | None, limit: int) -> Found:
    """Raises NotFound, Invalid."""
    await context.programs.get(program_id)
    after = texts_of(decode_cursor(cursor), 1)
    found = await context.company_events.page(program_id, after[0] if after else None, limit + 1)
    following = encode_cursor([found[limit - 1].id]) if len(found) > limit else None
    return Found(found[:limit], await context.company_events.counts([one.id for one in found[:limit]]), following)


async def attendances(
    context: Context, program_id: str, id: str, cursor: str | None, limit: int
) -> tuple[list[Attendance], str | None]:
    """Who comes or was there. Raises NotFound, Invalid."""
    await context.company_events.get(program_id, id)
    after = texts_of(decode_cursor(cursor), 1)
    found = await context.company_events.attendances(id, after[0] if after else None, limit + 1)
    return found[:limit], encode_cursor([found[limit - 1].id]) if len(found) > limit else None
