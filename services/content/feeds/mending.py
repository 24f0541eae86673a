"""Repairs XML that is nearly well-formed, and reports what it repaired.

One pass over the text, tag by tag, with a stack of what is open: an end tag closes all that was opened since its
start tag, one that nothing opened is dropped, and what is open at the end is closed. Whatever comes in, what goes out
is well-formed.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from html.entities import html5
from typing import Final

from services.content.feeds.refusal import MendRule, Mends, NotAFeed

MAX_DEPTH: Final = 100
MAX_ELEMENTS: Final = 200_000
ROOTS: Final = frozenset({"rss", "feed", "rdf", "channel", "item", "entry"})

NAMESPACES: Final = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "feedburner": "http://rssnamespace.org/feedburner/ext/1.0",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xhtml": "http://www.w3.org/1999/xhtml",
    "yt": "http://www.youtube.com/xml/schemas/2015",
}
"""Namespaces of prefixes that a document uses without declaring them."""

_NAME: Final = r"[A-Za-z_][\w.\-]*(?::[A-Za-z_][\w.\-]*)?"
_ROOT: Final = re.compile(r"<(?:[A-Za-z_][\w.\-]*:)?(?:rss|feed|rdf|channel|item|entry)(?=[\s>/])", re.I | re.A)
_START: Final = re.compile(rf"""<(?!xmlns:)({_NAME})(?=[\s/>])((?:[^<>"']|"[^"<]*"|'[^'<]*')*)>""", re.A)
_START_LENIENT: Final = re.compile(rf"<(?!xmlns:)({_NAME})(?=[\s/>])([^<>]*)>?", re.A)
_END: Final = re.compile(rf"</\s*({_NAME})[^<>]*>?", re.A)
_ATTRIBUTE: Final = re.compile(
    rf"""({_NAME})(?:\s*=\s*(?:"([^"<]*)"|'([^'<]*)'|([^\s"'<>]+)))?|([^\s/][^\s=]*)""", re.A
)
_REFERENCE: Final = re.compile(r"&(?:#(?:[xX][0-9A-Fa-f]{1,6}|[0-9]{1,7});|([A-Za-z][A-Za-z0-9]{0,40});)?")
_FORBIDDEN: Final = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_BEFORE: Final = re.compile(r"(?:\s|<\?[^>]*\?>|<!--.*?-->|<![A-Za-z][^<>]*>)*", re.S)
_ENTRIES: Final = frozenset({"item", "entry"})
_LINES: Final = frozenset({"title", "link", "guid", "pubdate", "id", "updated", "published"})
"""Fields that hold text and nothing else."""
_FIELDS: Final = _LINES | _ENTRIES | {"author", "category", "comments", "content", "content:encoded", "description"}
_FIELDS_ALL: Final = _FIELDS | {"dc:creator", "dc:date", "enclosure", "source", "summary"}
_PREDEFINED: Final = {"amp": "&amp;", "lt": "&lt;", "gt": "&gt;", "quot": "&quot;", "apos": "&apos;"}


def mended(text: str, mends: Mends) -> str:
    """The document as well-formed XML, from its root on. Raises NotAFeed where there is no feed's root in it, or where
    it is too deep or too large."""
    return _Mender(text, mends).run()


class _Mender:
    def __init__(self, text: str, mends: Mends) -> None:
        self._mends = mends
        clean = _FORBIDDEN.sub("", text)
        if len(clean) != len(text):
            found = _FORBIDDEN.search(text)
            assert found is not None
            mends.add("characters", text.count("\n", 0, found.start()) + 1)
        self._text = clean
        self._breaks = [match.start() for match in re.finditer("\n", clean)]
        self._out: list[str] = []
        self._open: list[tuple[str, frozenset[str]]] = []
        self._elements = 0
        self._undeclared: set[str] = set()
        self._absent: set[str] = set()
        self._ended = False
        """Whether the root was closed, and nothing came after it."""
        self._complete = False
        """Whether the root was ever closed."""

    def run(self) -> str:
        root = _ROOT.search(self._text)
        if root is None:
            raise NotAFeed("not-well-formed", self._mends.fault or "There is no feed in it.")
        before = _BEFORE.match(self._text)
        if before is None or before.end() < root.start():
            self._mend("preamble", before.end() if before else 0)
        position = root.start()
        self._start_root(root)
        position = self._root_end
        while position < len(self._text):
            position = self._step(position)
        if not self._complete:
            self._mend("truncated", len(self._text))
        while self._open:
            self._close()
        declared = "".join(f' xmlns:{one}="{_namespace(one)}"' for one in sorted(self._undeclared))
        self._out[0] = self._out[0].replace("\0", declared, 1)
        return "".join(self._out)

    def _start_root(self, root: re.Match[str]) -> None:
        start = self._match_start(root.start())
        if start is None:
            raise NotAFeed("not-well-formed", self._mends.fault or "The first tag of the feed cannot be read.")
        self._begin(start, root.start(), root=True)
        self._root_end = start.end()

    def _step(self, position: int) -> int:
        """Takes text up to the next tag and then the tag; where it goes on."""
        text = self._text
        at = text.find("<", position)
        if at < 0:
            self._write_text(text[position:], position)
            return len(text)
        if at > position:
            self._write_text(text[position:at], position)
        if text.startswith("<!--", at):
            return self._skip(at, "-->")
        if text.startswith("<![CDATA[", at):
            return self._cdata(at)
        if text.startswith(("<?", "<!"), at):
            if not text.startswith("<?", at):
                self._mend("markup", at)
            return self._skip(at, "?>" if text.startswith("<?", at) else ">")
        if (end := _END.match(text, at)) is not None:
            self._end(end[1], at)
            return end.end()
        if (start := self._match_start(at)) is not None:
            self._imply_ends(start[1].lower(), at)
            self._begin(start, at)
            return start.end()
        self._mend("markup", at)
        self._write("&lt;")
        return at + 1

    def _match_start(self, at: int) -> re.Match[str] | None:
        found = _START.match(self._text, at)
        if found is None and (found := _START_LENIENT.match(self._text, at)) is not None:
            self._mend("attribute", at)
        return found

    def _skip(self, at: int, until: str) -> int:
        end = self._find(until, at)
        if end < 0:
            self._mend("markup", at)
            until = ">"
            end = self._find(until, at)
        if end < 0:  # the document breaks off in it: its text so far is kept
            self._write_text(self._text[at:].replace("<", "&lt;"), at)
            return len(self._text)
        return end + len(until)

    def _cdata(self, at: int) -> int:
        begin = at + len("<![CDATA[")
        end = self._find("]]>", begin)
        if end < 0:
            self._mend("markup", at)
            return begin
        self._write(escaped(self._text[begin:end]))
        return end + 3

    def _find(self, wanted: str, at: int) -> int:
        """As `str.find`; what was not found from one position is not searched again from a later one."""
        if wanted in self._absent:
            return -1
        end = self._text.find(wanted, at)
        if end < 0:
            self._absent.add(wanted)
        return end

    # --- tags --------------------------------------------------------------------------------------------------------

    def _begin(self, start: re.Match[str], at: int, *, root: bool = False) -> None:
        name, written = start[1], start[2]
        empty = written.endswith("/")
        attributes, declared = self._attributes(written.removesuffix("/"), at)
        scope = (self._open[-1][1] if self._open else frozenset({"xml"})) | declared
        for one in (name, *attributes):
            self._declare(one, scope, at)
        self._count()
        if self._ended:
            self._mend("trailing", at)
            self._ended = False
        shown = "".join(f' {key}="{value}"' for key, value in attributes.items())
        if root:  # stays open to the end, for what comes after it; \0 is where prefixes are declared
            self._ended = self._complete = empty
            self._out.append(f"<{name}{shown}\0>")
        else:
            self._out.append(f"<{name}{shown}{'/' if empty else ''}>")
        if root or not empty:
            self._open.append((name, scope))

    def _count(self) -> None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise NotAFeed("too-large", f"More than {MAX_ELEMENTS} elements.")
        if len(self._open) >= MAX_DEPTH:
            raise NotAFeed("too-deep", f"Elements are nested deeper than {MAX_DEPTH}.")

    def _declare(self, name: str, scope: frozenset[str], at: int) -> None:
        """A prefix that nobody declared is declared at the root."""
        prefix, colon, _ = name.partition(":")
        if colon and prefix not in scope and prefix != "xmlns":
            self._mend("prefix", at)
            self._undeclared.add(prefix)

    def _attributes(self, written: str, at: int) -> tuple[dict[str, str], frozenset[str]]:
        found: dict[str, str] = {}
        declared = set()
        for match in _ATTRIBUTE.finditer(written):
            name = match[1]
            value = next((group for group in match.groups()[1:4] if group is not None), None)
            if name is None or value is None or name in found:
                self._mend("attribute", at)
                continue
            if match[4] is not None:
                self._mend("attribute", at)
            prefix, _, local = name.partition(":")
            if prefix == "xmlns":
                if (local and not value.strip()) or local in ("xml", "xmlns") or value.strip() in _RESERVED:
                    self._mend("prefix", at)
                    continue
                declared.add(local)
            found[name] = self._references(value, at).replace('"', "&quot;")
        return found, frozenset(declared)

    def _end(self, name: str, at: int) -> None:
        names = [one for one, _ in self._open]
        if name not in names:
            folded = {one.lower(): one for one in names}
            self._mend("tag", at)
            if name.lower() not in folded:
                return
            name = folded[name.lower()]
        depth = len(names) - 1 - names[::-1].index(name)
        if depth == 0:
            self._ended = self._complete = True
            depth = 1
            if len(names) == 1:
                return
        if depth < len(names) - 1:
            self._mend("tag", at)
        while len(self._open) > depth:
            self._close()

    def _imply_ends(self, name: str, at: int) -> None:
        """An entry ends where the next begins, and a line of text where the next field does."""
        names = [one.lower() for one, _ in self._open]
        if name.rpartition(":")[2] in _ENTRIES and name in names:
            depth = len(names) - 1 - names[::-1].index(name)
        elif name in _FIELDS_ALL and names[-1] in _LINES:
            depth = len(names) - 1
        else:
            return
        self._mend("tag", at)
        while len(self._open) > max(depth, 1):
            self._close()

    def _close(self) -> None:
        name, _ = self._open.pop()
        self._out.append(f"</{name}>")

    # --- text --------------------------------------------------------------------------------------------------------

    def _write_text(self, text: str, at: int) -> None:
        if self._ended:
            if text.strip():
                self._mend("trailing", at)
            return
        self._write(self._references(text, at).replace(">", "&gt;"))

    def _references(self, text: str, at: int) -> str:
        if "&" not in text:
            return text

        def replaced(match: re.Match[str]) -> str:
            written, name = match[0], match[1]
            if name in _PREDEFINED:
                return _PREDEFINED[name]
            if name is None and written != "&":
                return self._character(written, at + match.start())
            if name is not None and f"{name};" in html5:
                self._mend("entity", at + match.start())
                return escaped(html5[f"{name};"])
            self._mend("ampersand", at + match.start())
            return "&amp;" + written[1:]

        return _REFERENCE.sub(replaced, text)

    def _character(self, written: str, at: int) -> str:
        sign = html.unescape(written)
        if _FORBIDDEN.search(sign) or not sign:
            self._mend("characters", at)
            return ""
        return escaped(sign)

    def _write(self, text: str) -> None:
        self._out.append(text)

    def _mend(self, rule: MendRule, at: int) -> None:
        self._mends.add(rule, bisect_right(self._breaks, at - 1) + 1)


_RESERVED: Final = frozenset({"http://www.w3.org/XML/1998/namespace", "http://www.w3.org/2000/xmlns/"})


def _namespace(prefix: str) -> str:
    return NAMESPACES.get(prefix.lower(), f"urn:undeclared:{prefix}")


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
