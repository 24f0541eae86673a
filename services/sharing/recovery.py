"""Posts, taken back from `herald.posts` after a restore, so that their links lead somewhere again.

Where a link leads follows from its item, which is taken from `herald.content` first: the consumer does the same later,
and changes nothing. What the ambassador wrote is in no event; a suggestion that was taken unchanged is its item's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pymongo.asynchronous.database import AsyncDatabase

from chassis.mongo import Document
from chassis.mongo.rows import document, read
from chassis.recovery import Incomplete, Kept
from herald_contracts import ContentPublished, ContentRetired, ContentUpdated, PostRemoved, PostShared
from services.sharing.domain.posts import Content, Post
from services.sharing.projections import projected
from services.sharing.redirect.utm import campaign_of, target_url


async def _content(
    _: AsyncDatabase[Document],
    row: Document | None,
    events: Sequence[ContentPublished | ContentUpdated | ContentRetired],
) -> Document:
    content = read(Content, row) if row else None
    for event in events:
        content = projected(event, content)
    assert content is not None
    return {**(row or {}), **document(content)}


def _lacks_content(row: Document | None, event: ContentPublished | ContentUpdated | ContentRetired) -> bool:
    return row is None or event.revision > row["revision"]


async def _post(
    db: AsyncDatabase[Document], row: Document | None, events: Sequence[PostShared | PostRemoved]
) -> Document:
    post = read(Post, row) if row else None
    for event in events:
        if isinstance(event, PostShared):
            post = post or await _made(db, event)
        elif post is not None:
            post = replace(
                post,
                version=post.version + 1,
                removed_at=event.occurred_at,
                removed_reason=event.reason,
                restorable_until=None,
            )
    if post is None:
        raise Incomplete("nothing tells that it was shared")
    return {**(row or {}), **document(post)}


async def _made(db: AsyncDatabase[Document], event: PostShared) -> Post:
    if event.method == "imported":
        raise Incomplete("import this row of the history again")
    row = await db["contents"].find_one({"_id": event.content_id})
    if row is None:
        raise Incomplete(f"nothing tells of its item {event.content_id}")
    content, program = read(Content, row), await db["programs"].find_one({"_id": event.program_id})
    suggestion = content.caption(event.caption_id) if event.caption_id and not event.edited else None
    return Post(
        id=event.post_id,
        version=1,
        ambassador_id=event.ambassador_id,
        program_id=event.program_id,
        content_id=event.content_id,
        network=event.network,
        language=event.language,
        title=content.title_in(event.language),
        caption_id=event.caption_id,
        caption=suggestion.text if suggestion else "",
        edited=event.edited,
        link_code=event.link_code,
        target=target_url(
            content.url_in(event.language),
            network=event.network,
            campaign=campaign_of((program or {}).get("name", ""), event.program_id),
            code=event.link_code,
        ),
        shared_at=event.occurred_at,
        method=event.method,
    )


def _lacks_post(row: Document | None, event: PostShared | PostRemoved) -> bool:
    if row is None or isinstance(event, PostShared):
        return row is None
    return not row.get("removed_at") or bool(row.get("restorable_until"))


KEPT = (
    Kept(
        "known item",
        "contents",
        (ContentPublished, ContentUpdated, ContentRetired),
        lambda event: str(event.content_id),
        _content,
        _lacks_content,
        version="revision",
    ),
    Kept(
        "post",
        "posts",
        (PostShared, PostRemoved),
        lambda event: str(event.post_id),
        _post,
        _lacks_post,
        ("removed_at", "restorable_until"),
    ),
)
