"""Use cases that change something: one transaction each, state and events together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from chassis.ids import new_id
from chassis.mongo import Transaction
from chassis.web.http import check_version
from chassis.web.problems import Conflict, Invalid
from herald_contracts import Event
from herald_contracts.words import Category, RetireReason
from services.content import domain, event_mapping
from services.content.domain import Copy, FeedRule, Item, Reading, Result, Source
from services.content.feeds.client import FeedRefused, Got
from services.content.store import Store

Write = Callable[[str], Copy]
"""Makes the copy of the item with this id."""


# --- items -------------------------------------------------------------------------------------------------------


async def create_item(store: Store, tx: Transaction, author_id: str, program_id: str, write: Write) -> Item:
    """A draft. Raises Invalid."""
    id = new_id()
    copy = domain.check(write(id), tx.now)
    item = Item(id, program_id, copy, tx.now, tx.now, author_id=author_id)
    await store.insert_items([item], tx)
    return item


async def revise_item(
    store: Store, tx: Transaction, id: str, version: int | None, program_id: str, write: Write
) -> Item:
    """Other words for an item. Raises NotFound, PreconditionRequired, StaleVersion, Conflict, Invalid."""
    item = await store.get_item(id, tx)
    check_version(version, item.version)
    if program_id != item.program_id:
        raise Invalid.one("program_id", "immutable", "An item stays in its programme.")
    revised = domain.revise(item, write(id), tx.now)
    if revised is not item:
        await store.save_item(revised, item.version, tx)
    for event in event_mapping.revised(item, revised):
        tx.emit(event)
    return revised


async def submit_item(store: Store, tx: Transaction, id: str, version: int | None) -> Item:
    """A draft asks for review. Raises NotFound, StaleVersion, Conflict."""
    item = await _present(store, tx, id, version)
    submitted = domain.submit(item, tx.now)
    return await _take(store, tx, item, submitted, event_mapping.content_submitted(submitted))


async def approve_item(store: Store, tx: Transaction, id: str, version: int | None, reviewer_id: str) -> Item:
    """A reviewer finds it good. Raises NotFound, StaleVersion, Conflict."""
    item = await _present(store, tx, id, version)
    approved = domain.approve(item, reviewer_id, tx.now)
    return await _take(store, tx, item, approved, event_mapping.content_approved(approved))


async def reject_item(
    store: Store, tx: Transaction, id: str, version: int | None, reviewer_id: str, comment: str
) -> Item:
    """A reviewer sends it back. Raises NotFound, StaleVersion, Conflict."""
    item = await _present(store, tx, id, version)
    rejected = domain.reject(item, reviewer_id, comment, tx.now)
    return await _take(store, tx, item, rejected, event_mapping.content_rejected(rejected))


async def publish_item(store: Store, tx: Transaction, id: str, version: int | None, editor_id: str) -> Item:
    """Approved, it is published; in review, it is approved first. Raises NotFound, StaleVersion, Conflict, Invalid."""
    item = await _present(store, tx, id, version)
    approved = domain.approve(item, editor_id, tx.now) if item.state == "in_review" else item
    published = domain.publish(approved, tx.now)
    told: list[Event] = [event_mapping.content_approved(approved)] if approved is not item else []
    return await _take(store, tx, item, published, *told, event_mapping.content_published(published))


async def retire_item(store: Store, tx: Transaction, id: str, version: int | None, reason: RetireReason) -> Item:
    """It can be shared no more. Raises NotFound, StaleVersion, Conflict."""
    item = await _present(store, tx, id, version)
    retired = domain.retire(item, reason, tx.now)
    return await _take(store, tx, item, retired, event_mapping.content_retired(retired))


async def expire_item(store: Store, id: str, tx: Transaction) -> None:
    """Retires a published item whose time is over; nothing if that changed in the meantime."""
    item = await store.get_item(id, tx)
    over = item.copy.expires_at is not None and item.copy.expires_at <= tx.now
    if item.state == "published" and over:
        await retire_item(store, tx, id, None, "expired")


async def _present(store: Store, tx: Transaction, id: str, version: int | None) -> Item:
    item = await store.get_item(id, tx)
    check_version(version, item.version, required=False)
    return item


async def _take(store: Store, tx: Transaction, before: Item, after: Item, *told: Event) -> Item:
    await store.save_item(after, before.version, tx)
    for event in told:
        tx.emit(event)
    return after


# --- feed sources --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SourceOrder:
    """What an editor says of a source; without an address it is one of uploaded files."""

    program_id: str
    language: str
    rule: FeedRule
    category: Category
    url: str | None = None


async def add_source(
    store: Store, tx: Transaction, author_id: str, order: SourceOrder, got: Got, interval: timedelta
) -> Source:
    """A source, with what was found there when it was tried. Raises Conflict if the programme has it already."""
    id = domain.source_id(order.program_id, order.url) if order.url else new_id()
    if await store.find_source(id, tx) is not None:
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
    await store.insert_source(source, tx)
    return await record_look(store, tx, id, got, interval)


async def record_look(store: Store, tx: Transaction, id: str, got: Got | FeedRefused, interval: timedelta) -> Source:
    """What a look at a source gave: an item for each entry that is new. Raises NotFound."""
    source = looked = await store.get_source(id, tx)
    if isinstance(got, FeedRefused):
        result = Result(tx.now, "failed", rule=got.rule, detail=got.detail)
    elif got.reading is None:
        result = Result(tx.now, "unchanged")
    else:
        result = await _take_in(store, tx, source, got.reading)
        title = got.reading.title or source.title
        looked = replace(source, title=title, etag=got.etag, last_modified=got.last_modified)
    looked = domain.looked_at(looked, result, interval)
    await store.save_source(looked, source.version, tx)
    return looked


async def _take_in(store: Store, tx: Transaction, source: Source, reading: Reading) -> Result:
    by_id = {domain.item_id(source, entry): entry for entry in reversed(reading.entries)}
    known = await store.known(by_id, tx)
    fresh = [entry for id, entry in reversed(by_id.items()) if id not in known]
    items = []
    for submitted in domain.items_of(source, fresh, tx.now):
        tx.emit(event_mapping.content_submitted(submitted))
        item = submitted
        if source.rule == "publish":
            item = domain.publish_unreviewed(submitted)
            tx.emit(event_mapping.content_published(item))
        items.append(item)
    await store.insert_items(items, tx)
    return Result(tx.now, "ok", new=len(items), known=len(known), skipped=reading.skipped)


async def delete_source(store: Store, tx: Transaction, id: str) -> None:
    """It is looked at no more; its items stay. Raises NotFound."""
    await store.delete_source(id, tx)
