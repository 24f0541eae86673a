"""Reads one feed in a process of its own: `python -m services.content.feeds.reader CHARSET BASE_URL < feed > json`.

A feed may be hostile. One that would take an hour to parse costs only this process, which is killed after a few
seconds. Nothing that a document refers to is fetched, and only plain text of its document type's declarations is used.
"""

from __future__ import annotations

import json
import re
import resource
import sys
from html.parser import HTMLParser
from typing import Any, Final

from services.content.feeds.decoding import decoded
from services.content.feeds.document import parsed
from services.content.feeds.entry import MAX_TITLE, Feed, made_of, resolved
from services.content.feeds.json_feed import read_json
from services.content.feeds.refusal import Mends, NotAFeed
from services.content.feeds.text import MAX_HTML, title
from services.content.feeds.xml_feed import read_tree

CPU_SECONDS: Final = 3
MEMORY: Final = 1024 * 1024 * 1024

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
        raise NotAFeed("html", "This is a web page, not a feed." + _hint(text, base_url))
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


def _hint(page: str, base_url: str) -> str:
    parser = _Alternates()
    parser.feed(page[: 2 * MAX_HTML])
    found = next((url for address in parser.found if (url := resolved(address, "", base_url))), None)
    return f" It names this feed: {found}" if found else ""


def main() -> None:
    """Reads one feed from standard input; answers what `read` does, or `{"rule", "detail"}`."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    charset, base_url = sys.argv[1:3]
    try:
        answer = read(sys.stdin.buffer.read(), charset, base_url)
    except NotAFeed as refusal:
        answer = {"rule": refusal.rule, "detail": refusal.detail}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
