"""An entry as it is parsed from any format of feed, and how missing fields are filled in."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Final, TypeVar
from urllib.parse import unquote, urlsplit

from chassis import web_address
from services.content.feeds import text as words
from services.content.feeds.pictures import Picture, best, medium_of

MAX_ENTRIES: Final = 100
MAX_TITLE: Final = 300
MAX_SUMMARY: Final = 500
MAX_GUID: Final = 1000

T = TypeVar("T")

_YOUTUBE: Final = frozenset({"youtube.com", "m.youtube.com", "youtube-nocookie.com"})
_PLAYED: Final = re.compile(r"/(?:watch|shorts/|live/|embed/|v/)")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_CAMPAIGN: Final = re.compile(r"(?<=[?&])utm_[a-z]+=[^&#]*&?")


@dataclass(frozen=True, slots=True)
class Text:
    """A text as a feed has it."""

    value: str
    type: words.TextType = "html"


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that an entry brings; `medium` is ``image``, ``audio``, ``video`` or ``""``."""

    address: str
    type: str = ""
    medium: str = ""

    @property
    def kind(self) -> str:
        return medium_of(self.address, self.type, self.medium)


@dataclass(slots=True)
class RawEntry:
    """The fields of an entry as parsed. `titles`, `texts` and `links` are in order of preference; addresses are as
    written, `base` is what they are relative to within the document."""

    guid: str = ""
    base: str = ""
    links: list[str] = field(default_factory=list)
    last_links: list[str] = field(default_factory=list)
    """Addresses to take only when there is neither a link nor an enclosure."""
    titles: list[Text] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    captions: list[Text] = field(default_factory=list)
    """Descriptions of its pictures: used if the entry has no other text."""
    attached: list[Enclosure] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    language: str | None = None
    date: datetime | None = None
    is_video: bool = False


@dataclass(slots=True)
class Feed:
    """What a document says of itself, and its entries: the newest, of `count` in all."""

    title: Text = field(default_factory=lambda: Text(""))
    link: str = ""
    base: str = ""
    entries: list[RawEntry] = field(default_factory=list)
    count: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry, in plain text. `guid` and `link` identify it, as written: `link` is not resolved against the address of
    the feed. `url` is where it leads, None if unknown. `title` is empty if the entry has no text, only a picture for
    example. `published_at` is ISO 8601.
    """

    guid: str
    link: str
    url: str | None
    title: str
    summary: str
    image_url: str | None
    kind: str
    language: str | None
    published_at: str | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def made_of(found: RawEntry, fetched_from: str, site: str | None) -> Entry:
    """The entry. `site` is where one without an address leads: the page that the feed belongs to."""
    link, url = _link(found, fetched_from)
    summary = _first(words.summary(one.value, one.type, MAX_SUMMARY) for one in found.texts)
    title = _first(words.title(one.value, one.type, MAX_TITLE) for one in found.titles)
    caption = _first(words.summary(one.value, one.type, MAX_SUMMARY) for one in found.captions)
    guid = found.guid.strip()[:MAX_GUID]
    if not guid and not link:
        said = (one.value for one in (*found.titles, *found.texts, *found.captions))
        guid = "text:" + hashlib.sha256("\x1f".join(said).encode("utf-8", "replace")).hexdigest()[:40]
    return Entry(
        guid=guid,
        link=known_by(link),
        url=url or site,
        title=title or words.title_of(summary or caption) or (_title_from_address(url) if url else ""),
        summary=summary,
        image_url=best(_resolved(found.pictures, found.base, fetched_from)),
        kind=_kind(found, url),
        language=_language(found.language),
        published_at=found.date.isoformat() if found.date else None,
    )


def _first(texts: Iterable[str]) -> str:
    return next(filter(None, texts), "")


def newest(entries: Sequence[tuple[T, datetime | None]]) -> list[T]:
    """The newest of what is dated, newest first. Where not all are dated, the feed's own order is taken for that."""
    dated = [(entry, date) for entry, date in entries if date is not None]
    if len(dated) == len(entries):
        dated.sort(key=lambda one: one[1], reverse=True)
        return [entry for entry, _ in dated][:MAX_ENTRIES]
    return [entry for entry, _ in entries][:MAX_ENTRIES]


def resolved(address: str, base: str, fetched_from: str) -> str | None:
    """An absolute http(s) address of what is written, or None."""
    address = address.strip()
    if not address:
        return None
    within = web_address.find(base, fetched_from or None) if base else None
    beneath = within.href if within else fetched_from or None
    found = web_address.find(address, beneath)
    return found.href if found else None


def known_by(link: str) -> str:
    """The link as it identifies an entry: scheme and campaign parameters do not matter."""
    bare = re.sub(r"^https?://", "", link.strip(), flags=re.I)
    return _CAMPAIGN.sub("", bare).rstrip("?&")[:MAX_GUID]


def _link(found: RawEntry, fetched_from: str) -> tuple[str, str | None]:
    """The address that identifies an entry, as written, and where it leads: its link, else its enclosure."""
    for address in found.links:
        if url := resolved(address, found.base, fetched_from):
            return _within(address, found.base), url
    enclosed = [one.address for one in sorted(found.attached, key=lambda one: one.kind == "image")]
    for address in (*enclosed, *found.last_links):
        if url := resolved(address, found.base, fetched_from):
            return "" if found.guid.strip() else _within(address, found.base), url
    return "", None


def _within(address: str, base: str) -> str:
    """The address resolved within its document: where no element names a base, it stays as written."""
    return (resolved(address, base, "") or address.strip()) if base else address.strip()


def _title_from_address(url: str) -> str:
    """A title made of an address: its last part as words, else its host."""
    path = unquote(urlsplit(url).path).rstrip("/").rpartition("/")[2]
    name = re.sub(r"\.[a-z0-9]{2,5}$", "", path, flags=re.I)
    spoken = words.shortened(re.sub(r"[-_+\s]+", " ", name).strip(), MAX_TITLE)
    return spoken if re.search(r"[^\W\d_]{2}", spoken) else web_address.shown_host(url)


def _resolved(pictures: Iterable[Picture], base: str, fetched_from: str) -> list[Picture]:
    found = ((one, resolved(one.url, base, fetched_from)) for one in pictures)
    return [replace(one, url=url) for one, url in found if url]


def _kind(found: RawEntry, url: str | None) -> str:
    kinds = {one.kind for one in found.attached}
    if "audio" in kinds:
        return "podcast"
    return "video" if "video" in kinds or found.is_video or (url and _is_youtube(url)) else "article"


def _is_youtube(url: str) -> bool:
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.")
    return host == "youtu.be" or (host in _YOUTUBE and bool(_PLAYED.match(parts.path)))


def _language(written: str | None) -> str | None:
    language = (written or "").strip().replace("_", "-")
    head, dash, rest = language.partition("-")
    language = head.lower() + dash + rest
    return language if _LANGUAGE.fullmatch(language) else None
