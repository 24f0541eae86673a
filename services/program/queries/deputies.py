"""Deputies and what they prepared, as the two of them see it, and what there is to tell an ambassador of leaders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.web.problems import Forbidden, NotFound
from services.program.context import Context
from services.program.domain.deputies import Deputy, Prepared
from services.program.domain.first_posts import TOLD_FOR, is_news
from services.program.domain.people import Person

SHOWN = 50
TOLD = 3
LEADERS = 1_000


@dataclass(frozen=True, slots=True)
class Notices:
    """`first_posts` are leaders who shared for the first time; `asked` by how many one is asked to prepare for them,
    `deputy_for` how many one prepares for, `prepared` how much waits for oneself."""

    first_posts: Sequence[Person]
    asked: int
    deputy_for: int
    prepared: int


async def mine(context: Context, program_id: str, person_id: str) -> list[Deputy]:
    """Those that a person has or is, the newest first. Raises NotFound."""
    await context.programs.get(program_id)
    return await context.deputies.of_person(program_id, person_id, SHOWN)


async def waiting(context: Context, program_id: str, leader_id: str) -> list[Prepared]:
    """What waits for a leader. Raises NotFound."""
    await context.programs.get(program_id)
    return await context.deputies.waiting(program_id, leader_id)


async def prepared_by(context: Context, program_id: str, person_id: str) -> list[Prepared]:
    """What somebody prepared for others. Raises NotFound."""
    await context.programs.get(program_id)
    return await context.deputies.prepared_by(program_id, person_id, SHOWN)


async def one_prepared(context: Context, program_id: str, id: str, person_id: str) -> Prepared:
    """For the leader and the deputy. Raises NotFound."""
    found = await context.deputies.prepared(program_id, id)
    if person_id not in (found.leader_id, found.deputy_id):
        raise NotFound("prepared share", id)
    return found


async def notices(context: Context, program_id: str, person_id: str) -> Notices:
    """What an ambassador's start page says of leaders and deputies. Raises NotFound, Forbidden `not-a-member`."""
    await context.programs.get(program_id)
    person = await context.people.get(person_id)
    if program_id not in person.joined:
        raise Forbidden("This is for ambassadors of the programme.", type_="not-a-member")
    live = await context.deputies.live(program_id, person_id)
    own = [one for one in live if one.person_id == person_id]
    return Notices(
        first_posts=await _first_posts(context, program_id, person_id),
        asked=sum(one.state == "named" for one in own),
        deputy_for=sum(one.state == "accepted" for one in own),
        prepared=len(await context.deputies.waiting(program_id, person_id)),
    )


async def _first_posts(context: Context, program_id: str, person_id: str) -> list[Person]:
    """Other leaders who shared for the first time, the latest first; without those who keep out of statistics."""
    now = context.clock.now()
    leaders = {
        one.id: one
        for one in await context.people.leaders(program_id, LEADERS)
        if one.id != person_id and not one.hidden_from_statistics
    }
    found = await context.first_posts.since(program_id, now - TOLD_FOR, leaders, TOLD)
    return [leaders[one.person_id] for one in found if is_news(one, now)]
