"""Plain text of what feeds contain: HTML, plain text, and text that was escaped twice."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Final, Literal

from chassis import text as cleaner

MAX_HTML: Final = 10_000
"""Characters of a text that are looked at; the parser below is quadratic in the worst case."""
MAX_TITLE_FROM_TEXT: Final = 120

TextType = Literal["text", "html"]
# fmt: off
BLOCKS: Final = frozenset({
    "address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "figcaption", "figure", "footer",
    "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "ol", "p", "pre", "section", "table", "td",
    "th", "tr", "ul",
})
_INLINE: Final = frozenset({
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "center", "cite", "code", "del", "dfn", "em", "font", "i", "img",
    "ins", "kbd", "mark", "nobr", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "tt", "u", "var",
    "wbr",
})
# fmt: on
HIDDEN: Final = frozenset({"script", "style", "template", "title", "noscript"})
_SCRIPTS: Final = re.compile(r"<(script|style)\b.*?</\1\s*>", re.I | re.S)
_ELEMENT: Final = re.compile(r"<!(?:--.*?--|[A-Za-z][^<>]*)>|</?([A-Za-z][A-Za-z0-9]*)((?:\s[^<>]*)?)/?>", re.S)
_REFERENCE: Final = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_TAG: Final = re.compile(r"<[!/?]?[A-Za-z]")
_ESCAPED_TWICE: Final = re.compile(r"\s*<(?:p|div|br|h[1-6]|ul|ol|table|section|article|img)\b[^<>]*>", re.I)
"""The beginning of HTML whose tags were escaped together with its text."""
_IMAGE: Final = re.compile(r"<img\s([^<>]{1,4000})>", re.I)
_ATTRIBUTE: Final = re.compile(r"""([A-Za-z-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
_SENTENCE: Final = re.compile(r"[^\s].{18,}?(?:[.!?…](?=\s)|[。！？])")


class _Plain(HTMLParser):
    """Collects the text of HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in HIDDEN
        if tag in BLOCKS:
            self.words.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = max(0, self._hidden - (tag in HIDDEN))
        if tag in BLOCKS:
            self.words.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)


def plain(document: str) -> str:
    """The text of HTML, without tags, scripts and styles."""
    parser = _Plain()
    parser.feed(document)
    parser.close()
    return "".join(parser.words)


def images(document: str) -> Iterator[dict[str, str]]:
    """The attributes of each picture in HTML."""
    for tag in _IMAGE.finditer(document):
        yield {
            name.lower(): html.unescape(quoted or single or bare)
            for name, quoted, single, bare in _ATTRIBUTE.findall(tag[1])
        }


def title(text: str, type_: TextType, limit: int) -> str:
    """A title as one line. Formatting tags such as <b> and <br /> are removed, however often they were escaped; other
    tags stay, because the title is about them."""
    text = text[:MAX_HTML]
    if type_ == "html":
        text = html.unescape(_marks_removed(_SCRIPTS.sub("", text)))
    return shortened(unescaped_again(_marks_removed(text)), limit)


def summary(text: str, type_: TextType, limit: int) -> str:
    """A text as one line of plain text of at most `limit` characters, cut between words."""
    text = text[:MAX_HTML]
    if type_ == "html":
        text = plain(text)
        text = plain(text) if _ESCAPED_TWICE.match(text) else text
    return shortened(unescaped_again(text), limit)


def title_of(text: str) -> str:
    """A title for a text that has none: its first sentence where that is short, else its beginning."""
    first = _SENTENCE.match(text)
    if first and len(first[0]) <= MAX_TITLE_FROM_TEXT:
        return first[0]
    return shortened(text, MAX_TITLE_FROM_TEXT)


def unescaped_again(text: str) -> str:
    """Unescapes text that was escaped twice, unless that would make tags: the author shows these as text."""
    if not _REFERENCE.search(text):
        return text
    again = html.unescape(text)
    without_marks = _marks_removed(again)
    return text if _TAG.search(without_marks) else without_marks


def _marks_removed(text: str) -> str:
    """The text without formatting tags, and without any tag that has attributes or an end tag."""
    lowered = text.lower()

    def removed(match: re.Match[str]) -> str:
        name = (match[1] or "").lower()
        if name in BLOCKS:
            return " "
        written_out = not name or "=" in (match[2] or "") or f"</{name}" in lowered
        return "" if name in _INLINE or written_out else match[0]

    return _ELEMENT.sub(removed, text) if "<" in text else text


def shortened(text: str, limit: int) -> str:
    """One line without invisible characters, cut between words and ended with … if it is too long."""
    return cleaner.shortened(cleaner.line(text), limit)
