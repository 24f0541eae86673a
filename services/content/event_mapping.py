"""What happened to an item, as contract events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from herald_contracts import (
    ContentApproved,
    ContentPublished,
    ContentRejected,
    ContentRetired,
    ContentSubmitted,
    ContentUpdated,
    Event,
)
from services.content.domain.items import Item


def content_submitted(item: Item) -> ContentSubmitted:
    return ContentSubmitted(**_named(item), origin=item.origin, source_id=item.source_id)


def content_approved(item: Item) -> ContentApproved:
    assert item.reviewer_id is not None
    return ContentApproved(**_named(item), reviewer_id=item.reviewer_id)


def content_rejected(item: Item) -> ContentRejected:
    assert item.reviewer_id is not None
    return ContentRejected(**_named(item), reviewer_id=item.reviewer_id)


def content_published(item: Item) -> ContentPublished:
    return ContentPublished(**_state(item))


def content_updated(item: Item) -> ContentUpdated:
    return ContentUpdated(**_state(item))


def content_retired(item: Item) -> ContentRetired:
    assert item.retire_reason is not None
    return ContentRetired(**_named(item), reason=item.retire_reason)


def content_unpublished(item: Item) -> ContentRetired:
    return ContentRetired(**_named(item), reason="unpublished")


def revised(before: Item, after: Item) -> Iterator[Event]:
    """The event of a change of content: the whole state of a published item; of an approved item, that it is in review
    again."""
    if after.state == "published" and after is not before:
        yield content_updated(after)
    elif (before.state, after.state) == ("approved", "in_review"):
        yield content_submitted(after)


def _named(item: Item) -> dict[str, Any]:
    return {
        "content_id": item.id,
        "program_id": item.program_id,
        "revision": item.version,
        "occurred_at": item.updated_at,
    }


def _state(item: Item) -> dict[str, Any]:
    copy = item.copy
    assert copy.url is not None
    return {
        **_named(item),
        "kind": copy.kind,
        "category": copy.category,
        "url": copy.url,
        "shareable": copy.shareable,
        "variants": [asdict(one) for one in copy.variants],
        "captions": [asdict(one) for one in copy.captions],
        "targeting": asdict(copy.targeting),
        "expires_at": copy.expires_at,
        "origin": item.origin,
    }
