"""Rows of history as content takes them, and the items that they become. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from chassis.ids import dated_id
from herald_contracts.words import Category, ContentKind
from services.content.domain.items import Copy, Item, Variant, caption

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
IMPORTED = "imported"


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item as another product has it. It may be shared from now on only if `shareable`."""

    id: str
    url: str
    title: str
    language: str
    published_at: datetime
    retired_at: datetime | None = None
    summary: str = ""
    kind: ContentKind = "article"
    category: Category = "company_news"
    shareable: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """An item that is there: what a post of the past needs to know of it."""

    id: str
    title: str
    url: str
    language: str


def item_of(row: ItemRow, program_id: str, source: str) -> Item:
    """The item as it was published; the same row becomes the same item."""
    id = dated_id(row.published_at, IMPORTED, program_id, source, row.id)
    return Item(
        id=id,
        program_id=program_id,
        copy=Copy(
            kind=row.kind,
            category=row.category,
            url=row.url,
            variants=(Variant(row.language, row.title, row.summary),),
            captions=(caption(id, row.language, row.title),),
        ),
        created_at=row.published_at,
        updated_at=row.published_at,
        published_at=row.published_at,
        state="published",
        origin="imported",
    )


def retired(item: Item, row: ItemRow, now: datetime) -> Item | None:
    """The item after its time: when the row says so, or now where it may not be shared; None where it stays."""
    if row.shareable and row.retired_at is None:
        return None
    at = row.retired_at or now
    return replace(
        item, state="retired", version=item.version + 1, updated_at=at, retired_at=at, retire_reason="imported"
    )


def why_not(row: ItemRow, now: datetime) -> tuple[str, str, str] | None:
    """The field, the rule that it breaks, and the sentence."""
    for name, at in (("published_at", row.published_at), ("retired_at", row.retired_at)):
        if at is not None and at > now:
            return name, "future", "This has not happened yet."
    if row.published_at < EARLIEST:
        return "published_at", "too-early", f"Not before {EARLIEST.date()}."
    if row.retired_at is not None and row.retired_at <= row.published_at:
        return "retired_at", "order", "After published_at."
    return None
