"""Feeds: documents that other projects collected to test their readers, most of them broken on purpose.

What each should give is counted by another reader than Herald's: lxml, which recovers what it can, and a walk over
elements named `item` or `entry`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from lxml import etree

from services.content.feeds.entry import MAX_ENTRIES
from services.content.feeds.reader import read
from services.content.feeds.refusal import NotAFeed
from tests.corpora import Share
from tests.corpora.packages import SourceDistribution

FEEDPARSER: Final = SourceDistribution(
    "feedparser", "6.0.14", "088679b0c4b543ee211a820dd544698c76a402122eae7473c04a43425f283d06"
)
PODCASTPARSER: Final = SourceDistribution(
    "podcastparser", "0.6.11", "36c2663f90b86c3df50e55bb2611f61ef3d744439250a46da8ba622a95d57e89"
)
AIM: Final = 0.99
EVERY: Final = 10
"""The short form takes one document of so many."""
SUFFIXES: Final = frozenset({".xml", ".rss", ".atom", ".rdf", ".feed"})
ADDRESS: Final = "https://www.example.org/news/feed.xml"


def measure(short: bool) -> list[Share]:
    """Of the documents of each collection with at least one entry that has a link or text, those of which every such
    entry is given."""
    found, all_documents = [], []
    for package in (FEEDPARSER, PODCASTPARSER):
        documents = sorted(documents_in(package.folder() / "tests"))[:: EVERY if short else 1]
        found.append(of_documents(package.name, documents))
        all_documents += documents
    return [*found, of_damaged(all_documents)]


def documents_in(folder: Path) -> Iterator[Path]:
    yield from (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)


def of_documents(name: str, documents: list[Path]) -> Share:
    """The share of the documents that give every entry."""
    total, misses = 0, []
    for path in documents:
        body = path.read_bytes()
        expected = min(entries_of(body), MAX_ENTRIES)
        if not expected:
            continue
        total += 1
        given, complaint = _given(body)
        if given < expected:
            misses.append(f"{path.name}: {complaint or f'{given} of {expected}'}")
    return Share(f"{name}: documents that give every entry", total - len(misses), total, AIM, tuple(misses))


def _given(body: bytes) -> tuple[int, str]:
    """How many entries Herald's reader gives, and what it says instead."""
    try:
        return len(read(body, base_url=ADDRESS)["entries"]), ""
    except NotAFeed as refusal:
        return 0, str(refusal)


def entries_of(body: bytes) -> int:
    """The entries with a link or text, as lxml finds them when it recovers."""
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        return 0
    if root is None:
        return 0
    named = (one for one in root.iter("{*}item", "{*}entry") if isinstance(one.tag, str))
    return sum(_says_something(one) for one in named)


def _says_something(entry: etree._Element) -> bool:
    for child in entry.iter("{*}link", "{*}title", "{*}description", "{*}summary", "{*}content", "{*}encoded"):
        if "".join(map(str, child.itertext())).strip() or child.get("href", "").strip():
            return True
    return False


# --- damage ----------------------------------------------------------------------------------------------------------


def _in_first_title(*, before: bytes = b"", inside: bytes = b"") -> Callable[[bytes], bytes]:
    def damaged(body: bytes) -> bytes:
        return re.sub(rb"(<title\b[^>]*[^/>]>|<title>)", before + rb"\1" + inside, body, count=1)

    return damaged


DAMAGES: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "a bare ampersand": _in_first_title(inside=b"R & D "),
    "entities that nobody declared": _in_first_title(inside=b"Caf&eacute;&nbsp;"),
    "a control character": _in_first_title(inside=b"\x0b"),
    "a bad byte": _in_first_title(inside=b"\x92"),
    "an undeclared prefix": _in_first_title(before=b"<wp:x>1</wp:x>"),
    "a doubled attribute": _in_first_title(before=b"<category term='a' term='b'/>"),
    "a notice before the document": lambda body: b"Warning: mysql_connect() in db.php on line 3\n" + body,
    "text after the document": lambda body: body + b"\n<!-- cached --> 0.12 s",
    "no end": lambda body: body.rstrip()[:-6],
}
"""Ways in which a feed that was fine comes to be broken, none of which takes an entry away."""


def of_damaged(documents: list[Path]) -> Share:
    """The share of well-formed documents that, broken in each of these ways, still give every entry."""
    total, misses = 0, []
    for path in documents:
        body = path.read_bytes()
        try:
            etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
        except (etree.XMLSyntaxError, ValueError):
            continue
        expected = min(entries_of(body), MAX_ENTRIES)
        for name, damage in DAMAGES.items():
            broken = damage(body)
            if not expected or broken == body or b"\0" in body:
                continue
            total += 1
            given, complaint = _given(broken)
            if given < expected:
                misses.append(f"{path.name} with {name}: {complaint or f'{given} of {expected}'}")
    return Share(
        "well-formed documents, broken in one way: every entry", total - len(misses), total, AIM, tuple(misses)
    )
