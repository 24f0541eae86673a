"""Reads one feed: bytes to its title and entries.

A feed may be hostile: it is read in a process of its own (`chassis.offload`), which is killed after a few seconds.
Nothing that a document refers to is fetched, and only plain text of its document type's declarations is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, Final

from services.content.feeds.decoding import decoded
from services.content.feeds.document import parsed
from services.content.feeds.entry import MAX_TITLE, Feed, made_of, resolved
from services.content.feeds.json_feed import read_json
from services.content.feeds.refusal import Mends, NotAFeed
from services.content.feeds.text import MAX_HTML, title
from services.content.feeds.xml_feed import read_tree

_HTML: Final = re.compile(
    r"^\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--.{0,500}?-->\s*)?<(?:!doctype\s+html|html)\b", re.I | re.S
)
_JSON: Final = re.compile(r"\s*[{\[]")


def read(body: bytes, charset: str = "", base_url: str = "") -> dict[str, Any]:
    """Title and entries of a feed in plain text, at most the newest hundred, and what had to be mended to read it.
    Raises NotAFeed.

    `charset` is what the server said, `base_url` where the feed was got. Where not every entry is dated, the
    feed's own order is taken for newest first.
    """
    mends = Mends()
    text = decoded(body, charset, mends).lstrip("\ufeff")
    feed = _feed(text, base_url, mends)
    site = resolved(feed.link, feed.base, base_url) if feed.link else None
    entries = [made_of(one, base_url or site or "", site) for one in feed.entries]
    name = title(feed.title.value, feed.title.type, MAX_TITLE)
    if mends.fault and not entries and not name:
        raise NotAFeed("not-well-formed", mends.fault)
    return {
        "title": name,
        "entries": [one.as_json() for one in entries],
        "skipped": feed.count - len(entries),
        "mended": mends.listed(),
    }


def _feed(text: str, base_url: str, mends: Mends) -> Feed:
    if _HTML.match(text):
        named = _feed_named(text, base_url)
        hint = f" It names this feed: {named}" if named else ""
        raise NotAFeed("html", f"This is a web page, not a feed.{hint}", **({"feed": named} if named else {}))
    if _JSON.match(text):
        return read_json(text)
    return read_tree(parsed(text, mends))


class _Alternates(HTMLParser):
    """Finds the feeds that a page names."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        types = ("application/rss+xml", "application/atom+xml", "application/feed+json")
        if tag == "link" and (given.get("type") or "").lower() in types:
            self.found.append(given.get("href") or "")


def _feed_named(page: str, base_url: str) -> str | None:
    parser = _Alternates()
    parser.feed(page[: 2 * MAX_HTML])
    return next((url for address in parser.found if (url := resolved(address, "", base_url))), None)


def read_feed(body: bytes, *, charset: str, base_url: str) -> Iterator[dict[str, Any]]:
    """What `read` gives, or `{"rule", "detail", "params"}` of its refusal: the one item of this work."""
    try:
        yield read(body, charset, base_url)
    except NotAFeed as refusal:
        yield {"rule": refusal.rule, "detail": refusal.detail, "params": refusal.params}
