"""Use cases that change something: one transaction each, state and events together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from chassis import audit
from chassis.ids import new_id
from chassis.mongo import Transaction
from chassis.web.http import Expected, check_version
from chassis.web.problems import Conflict, Invalid
from herald_contracts import Event
from herald_contracts.words import Category, RetireReason
from services.content import event_mapping
from services.content.audit import FEED, ITEM
from services.content.context import Context
from services.content.domain import items, sources
from services.content.domain.items import Copy, Item
from services.content.domain.sources import FeedRule, Reading, Result, Source
from services.content.feeds.client import FeedRefused, FetchedFeed

Write = Callable[[str], Copy]
"""Makes the copy of the item with this id."""


# --- items -------------------------------------------------------------------------------------------------------


async def create_item(context: Context, tx: Transaction, author_id: str, program_id: str, write: Write) -> Item:
    """A draft. Raises Invalid."""
    id = new_id()
    copy = items.check(write(id), tx.now)
    item = Item(id, program_id, copy, tx.now, tx.now, author_id=author_id)
    await context.store.insert_items([item], tx)
    audit.record(tx, "create_item", ITEM, id, after=item, program_id=program_id)
    return item


async def revise_item(
    context: Context, tx: Transaction, id: str, version: Expected | None, program_id: str, write: Write
) -> Item:
    """Replaces the content of an item. Raises NotFound, PreconditionRequired, StaleVersion, Conflict, Invalid."""
    item = await context.store.get_item(id, tx)
    check_version(version, item.version)
    if program_id != item.program_id:
        raise Invalid.one("program_id", "immutable", "An item stays in its programme.")
    revised = items.revise(item, write(id), tx.now)
    if revised is not item:
        await context.store.save_item(revised, item.version, tx)
    for event in event_mapping.revised(item, revised):
        tx.emit(event)
    audit.record(tx, "revise_item", ITEM, id, before=item, after=revised, program_id=program_id)
    return revised


async def submit_item(context: Context, tx: Transaction, id: str, version: Expected | None) -> Item:
    """A draft asks for review. Raises NotFound, StaleVersion, Conflict."""
    item = await _present(context, tx, id, version)
    submitted = items.submit(item, tx.now)
    return await _take(context, tx, "submit_item", item, submitted, event_mapping.content_submitted(submitted))


async def approve_item(context: Context, tx: Transaction, id: str, version: Expected | None, reviewer_id: str) -> Item:
    """A reviewer approves it. Raises NotFound, StaleVersion, Conflict."""
    item = await _present(context, tx, id, version)
    approved = items.approve(item, reviewer_id, tx.now)
    return await _take(context, tx, "approve_item", item, approved, event_mapping.content_approved(approved))


async def reject_item(
    context: Context, tx: Transaction, id: str, version: Expected | None, reviewer_id: str, comment: str
) -> Item:
    """A reviewer sends it back. Raises NotFound, StaleVersion, Conflict."""
    item = await _present(context, tx, id, version)
    rejected = items.reject(item, reviewer_id, comment, tx.now)
    return await _take(context, tx, "reject_item", item, rejected, event_mapping.content_rejected(rejected))


async def publish_item(context: Context, tx: Transaction, id: str, version: Expected | None, editor_id: str) -> Item:
    """Publishes an approved item; one in review is approved first. Raises NotFound, StaleVersion, Conflict, Invalid."""
    item = await _present(context, tx, id, version)
    approved = items.approve(item, editor_id, tx.now) if item.state == "in_review" else item
    published = items.publish(approved, tx.now)
    approval: list[Event] = [event_mapping.content_approved(approved)] if approved is not item else []
    events = [*approval, event_mapping.content_published(published)]
    return await _take(context, tx, "publish_item", item, published, *events)


async def retire_item(
    context: Context, tx: Transaction, id: str, version: Expected | None, reason: RetireReason
) -> Item:
    """Ends sharing of an item. Raises NotFound, StaleVersion, Conflict."""
    item = await _present(context, tx, id, version)
    retired = items.retire(item, reason, tx.now)
    return await _take(context, tx, "retire_item", item, retired, event_mapping.content_retired(retired))


async def unpublish_item(context: Context, tx: Transaction, id: str, version: Expected | None) -> Item:
    """Takes back that an item was published. Raises NotFound, StaleVersion, Conflict."""
    item = await _present(context, tx, id, version)
    unpublished = items.unpublish(item, tx.now)
    return await _take(context, tx, "unpublish_item", item, unpublished, event_mapping.content_unpublished(unpublished))


async def restore_item(context: Context, tx: Transaction, id: str, version: Expected | None) -> Item:
    """Takes back that an item was retired. Raises NotFound, StaleVersion, Conflict, Invalid."""
    item = await _present(context, tx, id, version)
    restored = items.restore(item, tx.now)
    events = [event_mapping.content_published(restored)] if restored.state == "published" else []
    return await _take(context, tx, "restore_item", item, restored, *events)


async def expire_item(context: Context, tx: Transaction, id: str) -> None:
    """Retires a published item whose time is over; nothing if that changed in the meantime."""
    item = await context.store.get_item(id, tx)
    over = item.copy.expires_at is not None and item.copy.expires_at <= tx.now
    if item.state == "published" and over:
        await retire_item(context, tx, id, None, "expired")


async def _present(context: Context, tx: Transaction, id: str, version: Expected | None) -> Item:
    item = await context.store.get_item(id, tx)
    check_version(version, item.version, required=False)
    return item


async def _take(context: Context, tx: Transaction, act: str, before: Item, after: Item, *events: Event) -> Item:
    await context.store.save_item(after, before.version, tx)
    for event in events:
        tx.emit(event)
    audit.record(tx, act, ITEM, before.id, before=before, after=after, program_id=before.program_id)
    return after


# --- feed sources --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SourceOrder:
    """What an editor sets for a source. Without an address its entries come from uploaded files."""

    program_id: str
    language: str
    rule: FeedRule
    category: Category
    url: str | None = None


async def add_source(
    context: Context, tx: Transaction, author_id: str, order: SourceOrder, got: FetchedFeed, *, file: str = ""
) -> Source:
    """Adds a source, with what the first reading found; `file` is the digest of an uploaded one.

    Raises Conflict if the programme has it already.
    """
    made = sources.source_id(order.program_id, order.url) if order.url else None
    id = made or sources.file_source_id(order.program_id, file)
    if await context.store.find_source(id, tx) is not None:
        raise Conflict("This programme has that feed already.", type_="feed-exists", id=id)
    source = Source(
        id,
        order.program_id,
        order.language,
        order.rule,
        order.category,
        author_id,
        tx.now,
        url=order.url,
        title=got.reading.title if got.reading else "",
    )
    await context.store.insert_source(source, tx)
    return await record_look(context, tx, id, got, act="add_feed")


async def record_look(
    context: Context, tx: Transaction, id: str, got: FetchedFeed | FeedRefused, *, act: str = "refresh_feed"
) -> Source:
    """Records a reading of a source: an item for each new entry. Raises NotFound."""
    source = looked = await context.store.get_source(id, tx)
    retry_after = None
    if isinstance(got, FeedRefused):
        result = Result(tx.now, "failed", rule=got.rule, detail=got.detail, params=got.params)
        retry_after = got.retry_after
    elif got.reading is None:
        result = Result(tx.now, "unchanged", mended=source.last.mended if source.last else ())
    else:
        result = await _take_in(context, tx, source, got.reading)
        title = got.reading.title or source.title
        looked = replace(source, title=title, etag=got.etag, last_modified=got.last_modified)
    looked = sources.looked_at(looked, result, context.feed_interval, retry_after)
    await context.store.save_source(looked, source.version, tx)
    before = None if act == "add_feed" else source
    audit.record(tx, act, FEED, id, before=before, after=looked, program_id=source.program_id)
    return looked


async def _take_in(context: Context, tx: Transaction, source: Source, reading: Reading) -> Result:
    known = await context.store.known_entries(source.id, [entry.key for entry in reading.entries], tx)
    fresh = sources.new_entries(reading.entries, known)
    made = sources.items_of(source, fresh, tx.now)
    for submitted, item in made:
        tx.emit(event_mapping.content_submitted(submitted))
        if item.state == "published":
            tx.emit(event_mapping.content_published(item))
    await context.store.insert_items([item for _, item in made], tx)
    return Result(
        tx.now,
        "ok",
        new=len(fresh),
        known=len(reading.entries) - len(fresh),
        skipped=reading.skipped,
        mended=reading.mended,
    )


async def pause_source(context: Context, tx: Transaction, id: str) -> Source:
    """Reads a source no more until it is resumed. Raises NotFound, StaleVersion."""
    return await _turn(context, tx, "pause_feed", id, sources.pause)


async def resume_source(context: Context, tx: Transaction, id: str) -> Source:
    """Reads a source again. Raises NotFound, StaleVersion."""
    return await _turn(context, tx, "resume_feed", id, sources.resume)


async def _turn(
    context: Context, tx: Transaction, act: str, id: str, turn: Callable[[Source, datetime], Source]
) -> Source:
    source = await context.store.get_source(id, tx)
    turned = turn(source, tx.now)
    if turned is not source:
        await context.store.save_source(turned, source.version, tx)
    audit.record(tx, act, FEED, id, before=source, after=turned, program_id=source.program_id)
    return turned


async def delete_source(context: Context, tx: Transaction, id: str) -> None:
    """Removes a source; its items stay. Raises NotFound."""
    source = await context.store.get_source(id, tx)
    await context.store.delete_source(id, tx)
    audit.record(tx, "delete_feed", FEED, id, before=source, program_id=source.program_id)
