"""Items, taken back from `herald.content` after a restore: what was published is told whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pymongo.asynchronous.database import AsyncDatabase

from chassis.mongo import Document
from chassis.mongo.rows import read
from chassis.recovery import Incomplete, Kept
from herald_contracts import (
    ContentApproved,
    ContentPublished,
    ContentRejected,
    ContentRetired,
    ContentSubmitted,
    ContentUpdated,
)
from services.content.domain.items import Caption, Copy, Item, Targeting, Variant
from services.content.store import item_row

State = ContentPublished | ContentUpdated
Fact = ContentSubmitted | ContentApproved | ContentRejected | State | ContentRetired


async def _item(_: AsyncDatabase[Document], row: Document | None, events: Sequence[Fact]) -> Document:
    item = read(Item, row) if row else None
    submitted = next((event for event in events if isinstance(event, ContentSubmitted)), None)
    for event in events:
        if item is None and isinstance(event, ContentPublished | ContentUpdated):
            item = _made(event, submitted)
        elif item is not None:
            item = _followed(item, event)
    if item is None:
        raise Incomplete("it was not published yet: write it again, or have its feed read again")
    return {**(row or {}), **item_row(item)}


def _made(event: State, submitted: ContentSubmitted | None) -> Item:
    at = submitted.occurred_at if submitted else event.occurred_at
    return Item(
        event.content_id,
        event.program_id,
        _copy(event, None),
        created_at=at,
        updated_at=event.occurred_at,
        state="published",
        version=event.revision,
        origin=(submitted.origin if submitted else event.origin) or "editor",
        source_id=submitted.source_id if submitted else None,
        published_at=event.occurred_at,
    )


def _followed(item: Item, event: Fact) -> Item:
    item = replace(item, version=event.revision, updated_at=event.occurred_at)
    match event:
        case ContentSubmitted():
            return replace(item, state="in_review", reviewer_id=None, comment=None)
        case ContentApproved():
            return replace(item, state="approved", reviewer_id=event.reviewer_id, comment=None)
        case ContentRejected():
            return replace(item, state="draft", reviewer_id=event.reviewer_id)
        case ContentRetired(reason="unpublished"):
            return replace(item, state="approved", published_at=None)
        case ContentRetired():
            return replace(item, state="retired", retired_at=event.occurred_at, retire_reason=event.reason)
        case _:
            return replace(
                item,
                copy=_copy(event, item.copy),
                state="published",
                published_at=item.published_at or event.occurred_at,
                retired_at=None,
                retire_reason=None,
            )


def _copy(event: State, before: Copy | None) -> Copy:
    """What an editor wrote; events do not tell of a picture, nor whether it is pinned."""
    return Copy(
        event.kind,
        event.category,
        event.url,
        tuple(Variant(one.language, one.title, one.summary, one.url) for one in event.variants),
        tuple(Caption(one.caption_id, one.language, one.text, one.network) for one in event.captions),
        event.shareable,
        Targeting(tuple(event.targeting.countries), tuple(event.targeting.teams), tuple(event.targeting.sites)),
        event.expires_at,
        before.image_url if before else None,
        pinned=before.pinned if before else False,
    )


KEPT = (
    Kept(
        "item",
        "items",
        (ContentSubmitted, ContentApproved, ContentRejected, ContentPublished, ContentUpdated, ContentRetired),
        lambda event: str(event.content_id),
        _item,
    ),
)
