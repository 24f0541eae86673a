"""The rules of feed sources: which entries are new, what becomes of them, and when a source is read again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, Literal

from chassis.ids import derived_id
from herald_contracts.words import Category, ContentKind
from services.content.domain.items import Copy, EntryKey, Item, Variant, caption, published_unreviewed

FeedRule = Literal["review", "publish"]
Outcome = Literal["ok", "unchanged", "failed"]

MAX_BACKOFF: Final = timedelta(days=1)
MAX_RETRY_AFTER: Final = timedelta(days=7)
"""The longest `Retry-After` that is respected."""
UNTITLED: Final = "—"


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a feed, in plain text; `language` where it differs from the source's. `guid` and `link` identify it,
    as the feed wrote them. `url` is where it leads, None if the feed does not say.
    """

    guid: str
    link: str
    url: str | None
    title: str
    summary: str = ""
    image_url: str | None = None
    kind: ContentKind = "article"
    language: str | None = None
    published_at: datetime | None = None

    @property
    def key(self) -> EntryKey:
        return EntryKey(self.guid, self.link, self.title)


@dataclass(frozen=True, slots=True)
class Mend:
    """An error in a feed that could be read nevertheless, and its first line (0 if unknown)."""

    rule: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """A feed as it was read: its entries, newest first; `skipped` were empty, or older than the newest hundred."""

    title: str
    entries: tuple[Entry, ...]
    skipped: int = 0
    mended: tuple[Mend, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """The result of the last reading of a source. `rule`, `params` and `detail` say why it failed, `mended` what was
    repaired when it was last read."""

    at: datetime
    outcome: Outcome
    new: int = 0
    known: int = 0
    skipped: int = 0
    rule: str | None = None
    detail: str | None = None
    params: Mapping[str, str | int] = field(default_factory=dict)
    mended: tuple[Mend, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """A feed that is read regularly (`url`), or whose files somebody uploads."""

    id: str
    program_id: str
    language: str
    rule: FeedRule
    category: Category
    author_id: str
    created_at: datetime
    url: str | None = None
    title: str = ""
    version: int = 1
    etag: str | None = None
    last_modified: str | None = None
    failures: int = 0
    next_poll_at: datetime | None = None
    last: Result | None = None
    paused_at: datetime | None = None


def source_id(program_id: str, url: str) -> str:
    """The id of the feed at an address: the same when it is added again, so that its entries are known."""
    return derived_id("feed", program_id, url)


def file_source_id(program_id: str, content: str) -> str:
    """The id of the feed in a file: the same for the same content (a digest of it)."""
    return derived_id("feed-file", program_id, content)


def pause(source: Source, now: datetime) -> Source:
    """The source, not read until it is resumed."""
    if source.paused_at is not None:
        return source
    return replace(source, paused_at=now, next_poll_at=None, version=source.version + 1)


def resume(source: Source, now: datetime) -> Source:
    """The source, read again as soon as it can be."""
    if source.paused_at is None:
        return source
    return replace(source, paused_at=None, next_poll_at=now if source.url else None, version=source.version + 1)


def item_id(source_id: str, key: EntryKey) -> str:
    """The id of the item that an entry becomes, if it is new."""
    return derived_id("entry", source_id, key.guid, key.link, key.title)


# --- which entries are new -----------------------------------------------------------------------------------------


def new_entries(entries: Sequence[Entry], known: Iterable[EntryKey]) -> list[Entry]:
    """The entries that are not items yet, each once, in their order. An entry is identified by guid and link together.
    An entry with a known link is the item of that link, whatever its guid. An entry with a known guid and another link
    is a new item, unless it has the same title and no other entry has that guid: then its link has changed. A link or
    guid that several titles share identifies nothing by itself: in some feeds all entries lead to one page.
    """
    seen = list(known)
    keys = [entry.key for entry in entries]
    links = _shared([(key.link, key.title) for key in keys]) | _shared([(key.link, key.title) for key in seen])
    guids = _shared([(key.guid, key.link or key.title) for key in keys])
    guids |= _shared([(key.guid, key.link or key.title) for key in seen])
    by_link: dict[str, list[EntryKey]] = {}
    by_guid: dict[str, list[EntryKey]] = {}

    def note(key: EntryKey) -> None:
        by_link.setdefault(key.link, []).append(key)
        by_guid.setdefault(key.guid, []).append(key)

    for key in seen:
        note(key)
    fresh = []
    for entry, key in zip(entries, keys, strict=True):
        same_link = by_link.get(key.link, ()) if key.link else ()
        same_guid = by_guid.get(key.guid, ()) if key.guid else ()
        if any(_is_at(key, one, links) for one in same_link) or any(_is_called(key, one, guids) for one in same_guid):
            continue
        fresh.append(entry)
        note(key)
    return fresh


def _shared(pairs: Iterable[tuple[str, str]]) -> set[str]:
    """Links or guids that several titles share."""
    things: dict[str, set[str]] = {}
    for name, thing in pairs:
        things.setdefault(name, set()).add(thing)
    return {name for name, found in things.items() if len(found) > 1}


def _is_at(key: EntryKey, known: EntryKey, shared: set[str]) -> bool:
    """Whether an entry with a known link is that item."""
    return key.link not in shared or key.title == known.title or bool(key.guid and key.guid == known.guid)


def _is_called(key: EntryKey, known: EntryKey, shared: set[str]) -> bool:
    """Whether an entry with a known guid, and not the known link, is that item."""
    if not key.link and not known.link:
        return key.guid not in shared or key.title == known.title
    return key.link != known.link and key.guid not in shared and key.title == known.title


# --- what becomes of them ------------------------------------------------------------------------------------------


def items_of(source: Source, entries: Sequence[Entry], now: datetime) -> list[tuple[Item, Item]]:
    """For each entry the item as it is submitted and its final state, a millisecond apart to keep the feed's order
    (newest first). It is published if the editor trusts the source and it has a title and an address."""
    found = []
    for number, entry in enumerate(entries):
        submitted = _item_of(source, entry, now - timedelta(milliseconds=number))
        ready = source.rule == "publish" and entry.title and entry.url
        found.append((submitted, published_unreviewed(submitted) if ready else submitted))
    return found


def _item_of(source: Source, entry: Entry, at: datetime) -> Item:
    id = item_id(source.id, entry.key)
    language = entry.language or source.language
    title = entry.title or source.title or UNTITLED
    copy = Copy(
        kind=entry.kind,
        category=source.category,
        url=entry.url,
        variants=(Variant(language, title, entry.summary),),
        captions=(caption(id, language, title),),
        image_url=entry.image_url,
    )
    return Item(
        id,
        source.program_id,
        copy,
        at,
        at,
        state="in_review",
        origin="feed",
        source_id=source.id,
        entry=entry.key,
        dated_at=entry.published_at,
    )


# --- when it is looked at again ------------------------------------------------------------------------------------


def looked_at(source: Source, result: Result, interval: timedelta, retry_after: str | None = None) -> Source:
    """The source after a reading. Each failure doubles the wait before the next, up to a day. A server's `Retry-After`
    is respected up to a week."""
    failures = source.failures + 1 if result.outcome == "failed" else 0
    due = result.at + min(interval * 2 ** min(failures, 20), max(MAX_BACKOFF, interval))
    asked = retry_at(retry_after, result.at)
    if asked is not None:
        due = max(due, min(asked, result.at + MAX_RETRY_AFTER))
    next_poll_at = due if source.url and source.paused_at is None else None
    return replace(source, last=result, failures=failures, next_poll_at=next_poll_at, version=source.version + 1)


def retry_at(header: str | None, now: datetime) -> datetime | None:
    """The moment that a `Retry-After` names, in seconds from now or as an HTTP date; None where it names none."""
    text = (header or "").strip()
    if text.isascii() and text.isdecimal():
        return now + min(timedelta(seconds=min(int(text[:12]), 10**9)), MAX_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, IndexError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
