"""The API of content: parse, call, answer."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Path, Query, Request, Response

from chassis.principals import Principal
from chassis.web.http import (
    Cursor,
    IfMatch,
    Limit,
    Person,
    Router,
    Unit,
    check_role,
    consumes,
    decode_cursor,
    encode_cursor,
    etag,
    limited,
    requires,
    service_context,
)
from chassis.web.problems import ForeignCursor, Invalid, Overloaded
from herald_contracts.base import Id, Language
from herald_contracts.words import Network
from services.content import commands, queries
from services.content.commands import SourceOrder
from services.content.context import Context as ContentContext
from services.content.domain.items import Item, State
from services.content.domain.sources import FeedRule
from services.content.feeds.client import MAX_BYTES, MEDIA_TYPES, FeedRefused, FetchedFeed
from services.content.history import api as history
from services.content.schemas import (
    FeedItems,
    FeedItemView,
    FeedOrder,
    ItemOrder,
    Items,
    ItemView,
    KnownCategory,
    NoOrder,
    RejectOrder,
    Sources,
    SourceView,
)

router = Router(prefix="/v1")
router.include_router(history.router)
MAX_BODY = {"/v1/feeds/": MAX_BYTES}
PATIENCE = 45.0
"""Seconds for fetching and reading a feed while a caller waits: more than the limits of both together."""
T = TypeVar("T")


Context = Annotated[ContentContext, Depends(service_context)]
Editor = Annotated[Principal, requires("editor")]
SomeEditor = Annotated[Principal, requires("editor", somewhere=True)]
Key = Annotated[str, Path(max_length=128)]


async def _item_editor(item_id: Key, caller: SomeEditor, context: Context) -> Principal:
    check_role(caller, await context.store.program_of_item(item_id), "editor")
    return caller


async def _item_reader(
    item_id: Key, caller: Annotated[Principal, requires("editor", "manager", somewhere=True)], context: Context
) -> Principal:
    check_role(caller, await context.store.program_of_item(item_id), "editor", "manager")
    return caller


async def _feed_editor(feed_id: Key, caller: SomeEditor, context: Context) -> Principal:
    check_role(caller, (await context.store.get_source(feed_id)).program_id, "editor")
    return caller


ItemEditor = Annotated[Principal, Depends(_item_editor)]
ItemReader = Annotated[Principal, Depends(_item_reader)]
FeedEditor = Annotated[Principal, Depends(_feed_editor)]
Program = Annotated[Id | None, Query(description="Only of this programme")]
Wanted = Annotated[Language | None, Query(description="The person's own by default")]
Words = Annotated[str | None, Query(max_length=200, description="Beginnings of words of the title")]
UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "RSS, Atom or JSON Feed",
        "content": {name: {"schema": {"type": "string", "format": "binary"}} for name in MEDIA_TYPES},
    }
}


def _version(item: Item) -> int:
    return item.version


def _before(cursor: str | None) -> str | None:
    found = decode_cursor(cursor)
    if found is not None and not isinstance(found, str):
        raise ForeignCursor
    return found


def _next(following: str | None) -> str | None:
    return encode_cursor(following) if following is not None else None


# --- items -------------------------------------------------------------------------------------------------------


@router.post("/items", status_code=201, response_model=ItemView, tags=["items"], summary="Write a draft")
async def create_item(order: ItemOrder, caller: SomeEditor, unit: Unit, context: Context) -> Response:
    check_role(caller, order.program_id, "editor")
    return await unit.run(
        lambda tx: commands.create_item(context, tx, caller.id, order.program_id, order.write),
        view=ItemView.of,
        status=201,
        etag=_version,
    )


@router.get("/items", tags=["items"], summary="Items, newest first")
async def list_items(
    caller: Editor,
    context: Context,
    program_id: Program = None,
    state: State | None = None,
    query: Words = None,
    cursor: Cursor = None,
    limit: Limit = 20,
) -> Items:
    items, following, total = await context.store.items_page(program_id, state, query or None, _before(cursor), limit)
    return Items(items=[ItemView.of(item) for item in items], next=_next(following), total=total)


@router.get("/items/{item_id}", tags=["items"], summary="One item, with its version as ETag")
async def get_item(item_id: Key, caller: ItemReader, context: Context, response: Response) -> ItemView:
    item = await context.store.get_item(item_id)
    response.headers.update(etag(item.version))
    return ItemView.of(item)


@router.put(
    "/items/{item_id}",
    response_model=ItemView,
    tags=["items"],
    summary="Replace the content of an item",
    description="Needs If-Match. A published item stays so and subscribers are told; an approved one goes back to "
    "review; the same words change nothing.",
)
async def revise_item(
    item_id: Key, order: ItemOrder, version: IfMatch, caller: ItemEditor, unit: Unit, context: Context
) -> Response:
    return await unit.run(
        lambda tx: commands.revise_item(context, tx, item_id, version, order.program_id, order.write),
        view=ItemView.of,
        etag=_version,
    )


@router.post("/items/{item_id}/submit", response_model=ItemView, tags=["items"], summary="Ask for review")
async def submit_item(
    item_id: Key, version: IfMatch, caller: ItemEditor, unit: Unit, context: Context, order: NoOrder | None = None
) -> Response:
    return await unit.run(
        lambda tx: commands.submit_item(context, tx, item_id, version), view=ItemView.of, etag=_version
    )


@router.post("/items/{item_id}/approve", response_model=ItemView, tags=["items"], summary="Approve it")
async def approve_item(
    item_id: Key, version: IfMatch, caller: ItemEditor, unit: Unit, context: Context, order: NoOrder | None = None
) -> Response:
    return await unit.run(
        lambda tx: commands.approve_item(context, tx, item_id, version, caller.id),
        view=ItemView.of,
        etag=_version,
    )


@router.post("/items/{item_id}/reject", response_model=ItemView, tags=["items"], summary="Send it back, with a comment")
async def reject_item(
    item_id: Key, order: RejectOrder, version: IfMatch, caller: ItemEditor, unit: Unit, context: Context
) -> Response:
    return await unit.run(
        lambda tx: commands.reject_item(context, tx, item_id, version, caller.id, order.comment),
        view=ItemView.of,
        etag=_version,
    )


@router.post(
    "/items/{item_id}/publish",
    response_model=ItemView,
    tags=["items"],
    summary="Publish it",
    description="An item in review is approved by the same act.",
)
async def publish_item(
    item_id: Key, version: IfMatch, caller: ItemEditor, unit: Unit, context: Context, order: NoOrder | None = None
) -> Response:
    return await unit.run(
        lambda tx: commands.publish_item(context, tx, item_id, version, caller.id),
        view=ItemView.of,
        etag=_version,
    )


@router.post("/items/{item_id}/retire", response_model=ItemView, tags=["items"], summary="Retire it")
async def retire_item(
    item_id: Key, version: IfMatch, caller: ItemEditor, unit: Unit, context: Context, order: NoOrder | None = None
) -> Response:
    return await unit.run(
        lambda tx: commands.retire_item(context, tx, item_id, version, "editor"), view=ItemView.of, etag=_version
    )


@router.post(
    "/items/{item_id}/unpublish", response_model=ItemView, tags=["items"], summary="Take back that it was published"
)
async def unpublish_item(
    item_id: Key, version: IfMatch, caller: ItemEditor, unit: Unit, context: Context, order: NoOrder | None = None
) -> Response:
    """It is approved again. Who shared it in the meantime keeps their post."""
    return await unit.run(
        lambda tx: commands.unpublish_item(context, tx, item_id, version), view=ItemView.of, etag=_version
    )


@router.post(
    "/items/{item_id}/restore", response_model=ItemView, tags=["items"], summary="Take back that it was retired"
)
async def restore_item(
    item_id: Key, version: IfMatch, caller: ItemEditor, unit: Unit, context: Context, order: NoOrder | None = None
) -> Response:
    """It is published again at its old place in feeds, or a draft if it never was. 422 where it has expired."""
    return await unit.run(
        lambda tx: commands.restore_item(context, tx, item_id, version), view=ItemView.of, etag=_version
    )


# --- feed sources --------------------------------------------------------------------------------------------------


@router.post(
    "/feeds",
    status_code=201,
    response_model=SourceView,
    tags=["feed sources"],
    summary="Add a feed",
    description="It is got and read at once; what is no feed, or cannot be reached, is refused and says why.",
)
async def add_feed(order: FeedOrder, caller: SomeEditor, unit: Unit, context: Context) -> Response:
    check_role(caller, order.program_id, "editor")
    try:
        got = await _within_patience(context.feeds.get(order.url))
    except FeedRefused as refusal:
        raise Invalid.one("url", refusal.rule, refusal.detail, **refusal.params) from refusal
    return await unit.run(
        lambda tx: commands.add_source(context, tx, caller.id, order.order, got),
        view=SourceView.of,
        status=201,
    )


@router.get("/feeds", tags=["feed sources"], summary="Feed sources with their last results, newest first")
async def list_feeds(
    caller: Editor,
    context: Context,
    program_id: Program = None,
    query: Annotated[str | None, Query(max_length=200, description="A part of its title or address")] = None,
    cursor: Cursor = None,
    limit: Limit = 20,
) -> Sources:
    wanted = query or None
    sources, following = await context.store.sources_page(program_id, wanted, _before(cursor), limit)
    total = None if cursor else await context.store.count_sources(program_id, wanted)
    return Sources(items=[SourceView.of(source) for source in sources], next=_next(following), total=total)


@router.post(
    "/feeds/file",
    status_code=201,
    response_model=SourceView,
    tags=["feed sources"],
    summary="Add a feed from a file",
    dependencies=[consumes(*MEDIA_TYPES), limited("uploads")],
    openapi_extra=UPLOAD,
)
async def add_file(
    request: Request,
    caller: Editor,
    unit: Unit,
    context: Context,
    program_id: Id,
    language: Language,
    rule: FeedRule = "review",
    category: KnownCategory = "company_news",
) -> Response:
    order = SourceOrder(program_id, language, rule, category)
    got = await _uploaded(request, context)
    digest = hashlib.sha256(await request.body()).hexdigest()
    return await unit.run(
        lambda tx: commands.add_source(context, tx, caller.id, order, got, file=digest),
        view=SourceView.of,
        status=201,
    )


@router.get("/feeds/{feed_id}", tags=["feed sources"], summary="One feed source with its last result")
async def get_feed(feed_id: Key, caller: FeedEditor, context: Context) -> SourceView:
    return SourceView.of(await context.store.get_source(feed_id))


@router.delete("/feeds/{feed_id}", status_code=204, tags=["feed sources"], summary="Remove a feed; its items stay")
async def delete_feed(feed_id: Key, caller: FeedEditor, unit: Unit, context: Context) -> Response:
    return await unit.run(lambda tx: commands.delete_source(context, tx, feed_id))


@router.post("/feeds/{feed_id}/pause", response_model=SourceView, tags=["feed sources"], summary="Pause a feed")
async def pause_feed(
    feed_id: Key, caller: FeedEditor, unit: Unit, context: Context, order: NoOrder | None = None
) -> Response:
    """It is read no more by itself until it is resumed; its items stay. Repeating it changes nothing."""
    return await unit.run(lambda tx: commands.pause_source(context, tx, feed_id), view=SourceView.of)


@router.post("/feeds/{feed_id}/resume", response_model=SourceView, tags=["feed sources"], summary="Resume a feed")
async def resume_feed(
    feed_id: Key, caller: FeedEditor, unit: Unit, context: Context, order: NoOrder | None = None
) -> Response:
    """It is read again within seconds. Repeating it changes nothing."""
    return await unit.run(lambda tx: commands.resume_source(context, tx, feed_id), view=SourceView.of)


@router.post(
    "/feeds/{feed_id}/refresh",
    response_model=SourceView,
    tags=["feed sources"],
    summary="Read a feed now",
    dependencies=[limited("feed_refresh")],
    description="What came of it, failures too, is in `last`.",
)
async def refresh_feed(
    feed_id: Key, caller: FeedEditor, unit: Unit, context: Context, order: NoOrder | None = None
) -> Response:
    source = await queries.source_with_address(context, feed_id)
    got: FetchedFeed | FeedRefused
    try:
        got = await _within_patience(context.feeds.look(source))
    except FeedRefused as refusal:
        got = refusal
    return await unit.run(lambda tx: commands.record_look(context, tx, feed_id, got), view=SourceView.of)


@router.post(
    "/feeds/{feed_id}/entries",
    response_model=SourceView,
    tags=["feed sources"],
    summary="Upload a file of a feed's entries",
    dependencies=[consumes(*MEDIA_TYPES), limited("uploads")],
    openapi_extra=UPLOAD,
)
async def add_entries(feed_id: Key, request: Request, caller: FeedEditor, unit: Unit, context: Context) -> Response:
    await context.store.get_source(feed_id)
    got = await _uploaded(request, context)
    return await unit.run(
        lambda tx: commands.record_look(context, tx, feed_id, got, act="add_feed_entries"), view=SourceView.of
    )


async def _uploaded(request: Request, context: ContentContext) -> FetchedFeed:
    try:
        body, type_ = await request.body(), request.headers.get("content-type", "")
        return FetchedFeed(await _within_patience(context.feeds.read(body, type_)))
    except FeedRefused as refusal:
        raise Invalid.one("body", refusal.rule, refusal.detail, **refusal.params) from refusal


async def _within_patience(reading: Awaitable[T]) -> T:
    """The result of a reading that a caller waits for. Raises Overloaded if too many others are ahead of it."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await reading
    except TimeoutError:
        raise Overloaded("Many feeds are being read; try again shortly.", retry_after=10) from None


# --- a person's feed -----------------------------------------------------------------------------------------------


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
        before=_before(cursor),
        limit=limit,
    )
    return FeedItems(items=[FeedItemView.of(one) for one in served], next=_next(following), total=total)


@router.get("/feed/{item_id}", tags=["feed"], summary="One item that I can share")
async def get_feed_item(
    item_id: Key, caller: Person, context: Context, network: Network | None = None, language: Wanted = None
) -> FeedItemView:
    served = await queries.feed_item(context, caller, item_id, network=network, language=language)
    return FeedItemView.of(served)
