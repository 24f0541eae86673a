"""What a person can share."""

from __future__ import annotations

from chassis.web.http import Cursor, Limit, Person, Router
from herald_contracts.words import Network
from services.content import queries
from services.content.api.base import Context, Key, Program, Wanted, Words, cursor_of, position_of
from services.content.schemas import FeedItems, FeedItemView

router = Router()


@router.get(
    "/feed",
    tags=["feed"],
    summary="What I can share: pinned first, then newest",
    description="Published items of the programmes that the caller has joined and that are meant for their country, "
    "team and site.",
)
async def list_feed(
    caller: Person,
    context: Context,
    program_id: Program = None,
    network: Network | None = None,
    language: Wanted = None,
    query: Words = None,
    cursor: Cursor = None,
    limit: Limit = 20,
) -> FeedItems:
    served, following, total = await queries.feed_page(
        context,
        caller,
        program_id=program_id,
        network=network,
        language=language,
        query=query or None,
        before=position_of(cursor),
        limit=limit,
    )
    return FeedItems(items=[FeedItemView.of(one) for one in served], next=cursor_of(following), total=total)


@router.get("/feed/{item_id}", tags=["feed"], summary="One item that I can share")
async def get_feed_item(
    item_id: Key, caller: Person, context: Context, network: Network | None = None, language: Wanted = None
) -> FeedItemView:
    served = await queries.feed_item(context, caller, item_id, network=network, language=language)
    return FeedItemView.of(served)
