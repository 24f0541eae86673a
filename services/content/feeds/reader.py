"""Reads one feed in a process of its own: `python -m services.content.feeds.reader CHARSET BASE_URL < feed > json`.

Whoever wrote a feed may have written it against us: a regular expression somewhere below that takes an hour costs
this process its few seconds of life and nobody else anything. What reaches feedparser has been decoded once, is
well-formed, shallow, and declares no entities.
"""

from __future__ import annotations

import codecs
import io
import json
import re
import resource
import sys
import unicodedata
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import urljoin
from xml.parsers import expat

import feedparser

CPU_SECONDS: Final = 3
MEMORY: Final = 1024 * 1024 * 1024
MAX_ENTRIES: Final = 100
MAX_DEPTH: Final = 100
MAX_ELEMENTS: Final = 200_000
MAX_TITLE: Final = 300
MAX_SUMMARY: Final = 500
MAX_GUID: Final = 1000
MAX_URL: Final = 2048
MAX_HTML: Final = 10_000
"""Characters of a text that are looked at; the parser below is quadratic in the worst case."""

_ROOTS: Final = frozenset({"rss", "feed", "rdf"})
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED: Final = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_HTML: Final = re.compile(
    r"^\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--.{0,500}?-->\s*)?<(?:!doctype\s+html|html)\b", re.I | re.S
)
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_WEB: Final = re.compile(r"https?://[^\s/?#@\\]+(?:[/?#]\S*)?", re.I)
# fmt: off
_BLOCKS: Final = frozenset({
    "address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "figcaption", "figure", "footer",
    "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "ol", "p", "pre", "section", "table", "td",
    "th", "tr", "ul",
})
# fmt: on
_HIDDEN: Final = frozenset({"script", "style", "template", "title", "noscript"})


class NotAFeed(Exception):
    """`rule`: ``encoding``, ``html``, ``not-well-formed``, ``entities``, ``too-deep``, ``too-large``,
    ``not-a-feed``."""

    def __init__(self, rule: str, detail: str) -> None:
        super().__init__(f"{rule}: {detail}")
        self.rule = rule
        self.detail = detail


def read(body: bytes, charset: str = "", base_url: str = "") -> dict[str, Any]:
    """Title and entries of an RSS or Atom feed in plain text, at most the newest hundred. Raises NotAFeed.

    `charset` is what the server said, `base_url` where the feed was got. Where not every entry is dated, the
    feed's own order is taken for newest first.
    """
    text = decoded(body, charset)
    if _HTML.match(text):
        raise NotAFeed("html", "This is a web page, not a feed." + _hint(text, base_url))
    checked = text.encode()
    check(checked)
    headers = {"content-type": "application/xml; charset=utf-8", "content-location": base_url}
    parsed = feedparser.parse(
        io.BytesIO(checked), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
    )
    newest = _newest_first(parsed.entries)[:MAX_ENTRIES]
    spoken = (parsed.feed.get("title_detail") or {}).get("language") or parsed.feed.get("language")
    entries = [found for entry in newest if (found := _entry(entry, base_url, spoken)) is not None]
    return {
        "title": _words(parsed.feed.get("title_detail"), MAX_TITLE),
        "entries": entries,
        "skipped": len(parsed.entries) - len(entries),
    }


def decoded(body: bytes, charset: str) -> str:
    """The text, in the encoding that its first bytes say, else the server, else the document, else UTF-8."""
    found = next((codec for mark, codec in _BOMS if body.startswith(mark)), "")
    declared = _DECLARED.match(body)
    for codec in filter(None, (found, charset, declared[1].decode() if declared else "", "utf-8")):
        try:
            text = body.decode(codec)
        except (LookupError, UnicodeError):
            if codec == found:
                break
            continue
        return re.sub(r"^\s*<\?xml[^>]*\?>", "", text.lstrip("\ufeff"), count=1)
    raise NotAFeed("encoding", "The text is in no encoding that can be read; UTF-8 is best.")


def check(document: bytes) -> None:
    """Raises NotAFeed unless it is well-formed XML with a feed's root, not too deep, without entities."""
    parser = expat.ParserCreate("utf-8", " ")
    depth = count = 0

    def opened(name: str, _: dict[str, str]) -> None:
        nonlocal depth, count
        depth, count = depth + 1, count + 1
        if count == 1 and name.rpartition(" ")[2].lower() not in _ROOTS:
            raise NotAFeed("not-a-feed", "This is XML, but neither RSS nor Atom.")
        if depth > MAX_DEPTH:
            raise NotAFeed("too-deep", f"Elements are nested deeper than {MAX_DEPTH}.")
        if count > MAX_ELEMENTS:
            raise NotAFeed("too-large", f"More than {MAX_ELEMENTS} elements.")

    def closed(_: str) -> None:
        nonlocal depth
        depth -= 1

    def declares(*_: Any) -> None:
        raise NotAFeed("entities", "Entities are declared in it; a feed needs none.")

    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    parser.EntityDeclHandler = declares
    try:
        parser.Parse(document, True)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        detail = f"Not well-formed XML: {reason}, line {error.lineno}, column {error.offset + 1}."
        raise NotAFeed("not-well-formed", detail) from None


def _newest_first(entries: list[Any]) -> list[Any]:
    dates = [entry.get("published_parsed") or entry.get("updated_parsed") for entry in entries]
    if not all(dates):
        return entries
    return [entries[number] for number in sorted(range(len(entries)), key=lambda number: dates[number], reverse=True)]


def _entry(entry: Any, base_url: str, spoken: str | None) -> dict[str, Any] | None:
    """The entry, or None where it has no title or no web address; its language where it is not the feed's."""
    url = _web(entry.get("link"), base_url)
    title = _words(entry.get("title_detail"), MAX_TITLE)
    if not url or not title:
        return None
    language = entry.title_detail.get("language")
    return {
        "guid": (entry.get("id") or url)[:MAX_GUID],
        "url": url,
        "title": title,
        "summary": _words(entry.get("summary_detail") or next(iter(entry.get("content", ())), None), MAX_SUMMARY),
        "image_url": next(_images(entry, base_url), None),
        "kind": _kind(entry),
        "language": language if language and language != spoken and _LANGUAGE.fullmatch(language) else None,
    }


def _web(address: Any, base_url: str) -> str | None:
    """An absolute http(s) address, or None."""
    if not isinstance(address, str):
        return None
    try:
        found = urljoin(base_url, address.strip().replace(" ", "%20"))
    except ValueError:
        return None
    return found if len(found) <= MAX_URL and _WEB.fullmatch(found) else None


def _media(entry: Any) -> Iterator[tuple[str, str]]:
    """Media type (or medium) and address of what is attached."""
    for link in entry.get("enclosures", ()):
        yield link.get("type", ""), link.get("href", "")
    for media in entry.get("media_content", ()):
        yield media.get("type") or media.get("medium", ""), media.get("url", "")


def _images(entry: Any, base_url: str) -> Iterator[str]:
    found = [media.get("url", "") for media in entry.get("media_thumbnail", ())]
    found += [address for type, address in _media(entry) if type.startswith("image")]
    for address in found:
        if (url := _web(address, base_url)) is not None:
            yield url


def _kind(entry: Any) -> str:
    types = [type.partition("/")[0] for type, _ in _media(entry)]
    return "podcast" if "audio" in types else "video" if "video" in types else "article"


# --- words ---------------------------------------------------------------------------------------------------------


class _Plain(HTMLParser):
    """Keeps the words of HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in _HIDDEN
        if tag in _BLOCKS:
            self.words.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = max(0, self._hidden - (tag in _HIDDEN))
        if tag in _BLOCKS:
            self.words.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)


def _words(detail: Any, limit: int) -> str:
    """A text construct as one line of plain text of at most `limit` characters, cut between words."""
    if not detail:
        return ""
    text = str(detail.get("value") or "")[:MAX_HTML]
    return shortened(text if detail.get("type") == "text/plain" else plain(text), limit)


def plain(html: str) -> str:
    """The words of HTML, without its marks, scripts and styles."""
    parser = _Plain()
    parser.feed(html)
    parser.close()
    return "".join(parser.words)


def shortened(text: str, limit: int) -> str:
    """One line without control characters, cut between words and marked with … where it is longer."""
    line = " ".join("".join(" " if unicodedata.category(sign) in ("Cc", "Cs") else sign for sign in text).split())
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    head = cut.rpartition(" ")[0]
    return (head if len(head) > limit // 2 else cut).rstrip() + "…"


class _Alternates(HTMLParser):
    """Finds the feeds that a page names."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "link" and (given.get("type") or "").lower() in ("application/rss+xml", "application/atom+xml"):
            self.found.append(given.get("href") or "")


def _hint(page: str, base_url: str) -> str:
    parser = _Alternates()
    parser.feed(page[: 2 * MAX_HTML])
    found = next((url for address in parser.found if (url := _web(address, base_url))), None)
    return f" It names this feed: {found}" if found else ""


def main() -> None:
    """Reads one feed from standard input; answers `{"title", "entries", "skipped"}` or `{"rule", "detail"}`."""
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
