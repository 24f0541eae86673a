"""The read side of content."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.principals import Principal
from chassis.web.problems import Conflict, NotFound
from herald_contracts.words import Network
from services.content.context import Context
from services.content.domain.items import Served, audiences_of, serve
from services.content.domain.sources import Source


async def feed_page(
    context: Context,
    person: Principal,
    *,
    program_id: str | None,
    network: Network | None,
    language: str | None,
    query: str | None = None,
    before: str | None,
    limit: int,
) -> tuple[Sequence[Served], str | None, int | None]:
    """What this person may see of the programmes that they have joined, or of one of these, where the next page
    begins, and beside the first page how many there are. `query` names beginnings of words of titles."""
    keys = audiences_of(person.country, person.team, person.site)
    programs = person.memberships if program_id is None else person.memberships & {program_id}
    now = context.clock.now()
    if query is None:
        items, following = await context.store.feed_page(programs, keys, now, before, limit)
    else:
        items, following = await context.store.feed_search(programs, keys, now, query, before, limit)
    total = await context.store.feed_count(programs, keys, now, query) if before is None else None
    return [serve(item, person.id, language or person.locale, network) for item in items], following, total


async def feed_item(
    context: Context, person: Principal, id: str, *, network: Network | None, language: str | None
) -> Served:
    """One item of this person's feed. Raises NotFound, whether there is none or they may not see it."""
    keys = audiences_of(person.country, person.team, person.site)
    item = await context.store.find_visible(id, person.memberships, keys, context.clock.now())
    if item is None:
        raise NotFound("content", id)
    return serve(item, person.id, language or person.locale, network)


async def source_with_address(context: Context, id: str) -> Source:
    """A source that can be looked at. Raises NotFound, Conflict."""
    source = await context.store.get_source(id)
    if source.url is None:
        raise Conflict("This source has no address; upload a file.", type_="feed-has-no-address")
    return source
