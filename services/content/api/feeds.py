"""Feed sources: added, paused, read, removed."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable
from typing import Annotated, Any, TypeVar

from fastapi import Query, Request, Response

from chassis.web.http import Cursor, Limit, Router, Unit, check_role, consumes, limited
from chassis.web.problems import Invalid, Overloaded
from herald_contracts.base import Id, Language
from services.content import commands, queries
from services.content.api.base import Context, Editor, FeedEditor, Key, Program, SomeEditor, cursor_of, position_of
from services.content.commands import SourceOrder
from services.content.context import Context as ContentContext
from services.content.domain.sources import FeedRule
from services.content.feeds.client import MEDIA_TYPES, FeedRefused, FetchedFeed
from services.content.schemas import FeedOrder, KnownCategory, NoOrder, Sources, SourceView

router = Router()
PATIENCE = 45.0
"""Seconds for fetching and reading a feed while a caller waits: more than the limits of both together."""
T = TypeVar("T")
UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "RSS, Atom or JSON Feed",
        "content": {name: {"schema": {"type": "string", "format": "binary"}} for name in MEDIA_TYPES},
    }
}


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
    sources, following = await context.store.sources_page(program_id, wanted, position_of(cursor), limit)
    total = None if cursor else await context.store.count_sources(program_id, wanted)
    return Sources(items=[SourceView.of(source) for source in sources], next=cursor_of(following), total=total)


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
