"""What content can be asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chassis.principals import Principal
from chassis.web.problems import Conflict, NotFound
from herald_contracts.words import Network
from services.content.domain import Served, Source, audiences_of, serve
from services.content.store import Store


async def feed_page(
    store: Store,
    person: Principal,
    now: datetime,
    *,
    network: Network | None,
    language: str | None,
    before: str | None,
    limit: int,
) -> tuple[Sequence[Served], str | None]:
    """What this person may see of the programmes that they have joined, and where the next page begins."""
    keys = audiences_of(person.country, person.team)
    items, following = await store.feed_page(person.memberships, keys, now, before, limit)
    return [serve(item, person.id, language or person.locale, network) for item in items], following


async def feed_item(
    store: Store, person: Principal, now: datetime, id: str, *, network: Network | None, language: str | None
) -> Served:
    """One item of this person's feed. Raises NotFound, whether there is none or they may not see it."""
    keys = audiences_of(person.country, person.team)
    item = await store.find_visible(id, person.memberships, keys, now)
    if item is None:
        raise NotFound("content", id)
    return serve(item, person.id, language or person.locale, network)


async def source_with_address(store: Store, id: str) -> Source:
    """A source that can be looked at. Raises NotFound, Conflict."""
    source = await store.get_source(id)
    if source.url is None:
        raise Conflict("This source has no address; upload a file.", type_="feed-has-no-address")
    return source
