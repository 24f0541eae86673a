"""A feed's XML as a tree. It is checked first, and nothing that a document type refers to is loaded."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from html.entities import html5
from typing import Any, Final
from xml.parsers import expat

from lxml import etree

from services.content.feeds.mending import MAX_DEPTH, MAX_ELEMENTS, ROOTS, escaped, mended
from services.content.feeds.refusal import Mends, NotAFeed

MAX_ENTITIES: Final = 500
MAX_ENTITY: Final = 1000
"""Characters of a declared entity."""
MAX_EXPANSION: Final = 1_000_000
"""Characters that declared entities may add to a document."""

_PROLOGUE: Final = re.compile(r"(?:\s|<\?[^>]*\?>|<!--.*?-->)*", re.S)
_DECLARATION: Final = re.compile(r"^\s*<\?xml[^>]*\?>")
_DOCTYPE: Final = re.compile(
    r"""<!DOCTYPE\s+[^\s\[>]+\s*(?P<external>(?:PUBLIC|SYSTEM)\s*(?:"[^"]*"|'[^']*')(?:\s*(?:"[^"]*"|'[^']*'))?)?\s*""",
    re.I,
)
_DECLARED: Final = re.compile(
    r"""<!--.*?-->|<\?.*?\?>|<!ENTITY\s+(?P<parameter>%\s+)?(?P<name>[\w.:-]+)\s+"""
    r"""(?:(?P<kind>PUBLIC|SYSTEM)\s+(?P<id>"[^"]*"|'[^']*')[^>]*|(?P<value>"[^"]*"|'[^']*')\s*)>"""
    r"""|<![A-Z]+(?:[^<>"']|"[^"]*"|'[^']*')*>|%(?P<use>[\w.:-]+);|\s+|(?P<end>\]\s*>)""",
    re.S,
)
_HTML_SETS: Final = re.compile(r"""["']-//W3C//ENTITIES""", re.I)
_PARTS: Final = re.compile(r"(<!\[CDATA\[.*?\]\]>|<!--.*?-->)", re.S)
_REFERENCE: Final = re.compile(r"&([A-Za-z_][\w.:-]*);")
_PREDEFINED: Final = frozenset({"amp", "lt", "gt", "quot", "apos"})


@dataclass(slots=True)
class _Declared:
    """What a document type declares: entities that are plain text, and names of those that are anything else."""

    texts: dict[str, str] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)
    html: bool = False
    """Whether it names a declaration outside, which may hold HTML's entities."""


def parsed(text: str, mends: Mends) -> etree._Element:
    """The root of a feed. XML that is not well-formed is repaired. Raises NotAFeed."""
    document = _expanded(_DECLARATION.sub(lambda match: "\n" * match[0].count("\n"), text, count=1))
    mends.fault = check(document)
    if mends.fault is not None:
        document = mended(document, mends)
    options: dict[str, Any] = {"resolve_entities": False, "no_network": True, "remove_comments": True}
    try:
        return etree.fromstring(document, etree.XMLParser(remove_pis=True, **options))
    except etree.XMLSyntaxError:
        mends.add("syntax")
    root = etree.fromstring(document, etree.XMLParser(remove_pis=True, recover=True, **options))
    if root is None:
        raise NotAFeed("not-well-formed", mends.fault or "The XML cannot be read.")
    return root


def check(document: str) -> str | None:
    """None for well-formed XML, else what is wrong with it. Raises NotAFeed if it is another document than a feed, or
    too deep or too large."""
    parser = expat.ParserCreate("utf-8", " ")
    depth = count = 0
    root = ""

    def opened(name: str, _: dict[str, str]) -> None:
        nonlocal depth, count, root
        depth, count = depth + 1, count + 1
        if count == 1:
            root = name.rpartition(" ")[2].lower()
        if depth > MAX_DEPTH:
            raise NotAFeed("too-deep", f"Elements are nested deeper than {MAX_DEPTH}.")
        if count > MAX_ELEMENTS:
            raise NotAFeed("too-large", f"More than {MAX_ELEMENTS} elements.")

    def closed(_: str) -> None:
        nonlocal depth
        depth -= 1

    def declares(*_: Any) -> None:
        raise NotAFeed("entities", "Entities are declared where a feed has none.")

    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    parser.EntityDeclHandler = declares
    try:
        parser.Parse(document.encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        return f"Not well-formed XML: {reason}, line {error.lineno}, column {error.offset + 1}."
    if root not in ROOTS:
        raise NotAFeed("not-a-feed", "This is XML, but neither RSS nor Atom.")
    return None


# --- the document type ---------------------------------------------------------------------------------------------


def _expanded(document: str) -> str:
    """The document without its document type, its own plain entities written out. Raises NotAFeed (``entities``)."""
    prologue = _PROLOGUE.match(document)
    begin = prologue.end() if prologue else 0
    found = _DOCTYPE.match(document, begin)
    if found is None:
        return document
    end = found.end()
    declared = _Declared(html=bool(found["external"]))
    if document.startswith("[", end):
        end = _read_subset(document, end + 1, declared)
    elif document.startswith(">", end):
        end += 1
    else:
        end = document.find(">", end) + 1 or end
    lines = "\n" * document.count("\n", 0, end)
    return lines + _written_out(document[end:], declared)


def _read_subset(document: str, position: int, declared: _Declared) -> int:
    """Reads what is declared inside the document type; where it ends."""
    harmless: set[str] = set()
    while position < len(document):
        found = _DECLARED.match(document, position)
        if found is None:
            break
        position = found.end()
        if found["end"]:
            return position
        if found["use"] and found["use"] not in harmless:
            raise _refused()
        name = found["name"]
        if name is None:
            continue
        if found["parameter"]:
            if found["kind"] and _HTML_SETS.match(found["id"]):
                harmless.add(name)
                declared.html = True
        elif name not in declared.texts and name not in declared.others:
            _declare(declared, name, found["value"])
    raise NotAFeed("entities", "The document type cannot be read; a feed needs none.")


def _declare(declared: _Declared, name: str, quoted: str | None) -> None:
    text = html.unescape(re.sub(r"&(?!#)", "&amp;", quoted[1:-1])) if quoted else ""
    plain = quoted is not None and len(text) <= MAX_ENTITY and not re.search(r"[<%]|&[A-Za-z]", text)
    if plain and len(declared.texts) < MAX_ENTITIES:
        declared.texts[name] = text
    else:
        declared.others.add(name)


def _written_out(document: str, declared: _Declared) -> str:
    added = 0

    def replaced(match: re.Match[str]) -> str:
        nonlocal added
        name = match[1]
        if name in _PREDEFINED:
            return match[0]
        text = declared.texts.get(name)
        if text is None:
            if name in declared.others:
                raise _refused()
            if not declared.html or f"{name};" not in html5:
                return match[0]
            text = html5[f"{name};"]
        added += len(text)
        if added > MAX_EXPANSION:
            raise _refused()
        return escaped(text).replace('"', "&quot;").replace("'", "&apos;")

    parts = _PARTS.split(document)
    parts[::2] = [_REFERENCE.sub(replaced, part) for part in parts[::2]]
    return "".join(parts)


def _refused() -> NotAFeed:
    return NotAFeed("entities", "It uses entities that are not plain text or stand elsewhere; a feed needs none.")
