"""RSS of every version, RDF and Atom: the entries of a tree."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from lxml import etree

from chassis import web_address
from services.content.feeds.dates import Dates
from services.content.feeds.entry import Enclosure, Feed, RawEntry, Text, newest
from services.content.feeds.pictures import Picture, medium_of, pixels, shown_in
from services.content.feeds.text import BLOCKS, HIDDEN, images

Element = etree._Element  # noqa: SLF001 - lxml's name for the type of its elements

_ENTRIES: Final = frozenset({"item", "entry"})
_CORE: Final = (
    "http://www.w3.org/2005/atom",
    "http://purl.org/atom/ns#",
    "http://purl.org/rss/1.0/",
    "http://purl.org/net/rss1.1#",
    "http://my.netscape.com/",
    "http://channel.netscape.com/",
    "http://backend.userland.com/",
    "http://blogs.law.harvard.edu/",
    "http://cyber.law.harvard.edu/",
    "http://www.rssboard.org/",
)
_PREFIXES: Final = (
    ("http://purl.org/dc/", "dc"),
    ("http://purl.org/rss/1.0/modules/content/", "content"),
    ("http://search.yahoo.com/mrss", "media"),
    ("http://tools.search.yahoo.com/mrss", "media"),
    ("http://video.search.yahoo.com/mrss", "media"),
    ("http://www.itunes.com/dtds/podcast", "itunes"),
    ("http://www.youtube.com/xml/schemas/", "yt"),
    ("http://www.w3.org/1999/xhtml", "xhtml"),
    ("http://www.w3.org/1999/02/22-rdf-syntax-ns#", "rdf"),
)
_XML: Final = "{http://www.w3.org/XML/1998/namespace}"
_RDF_ABOUT: Final = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
_NO_PAGES: Final = frozenset({"enclosure", "edit", "edit-media", "hub", "license", "next", "prev", "replies"})
_DATES: Final = (
    "published",
    "pubdate",
    "dc:date",
    "issued",
    "dc:issued",
    "dc:created",
    "created",
    "updated",
    "dc:modified",
    "modified",
    "date",
)
_TEXTS: Final = (
    "summary",
    "description",
    "content:encoded",
    "content",
    "itunes:summary",
    "itunes:subtitle",
    "dc:description",
    "xhtml:body",
    "tagline",
    "abstract",
    "body",
)


def read_tree(root: Element) -> Feed:
    """The feed of a tree."""
    named = [one for one in root.iter() if _local(one) in _ENTRIES and _is_core(one)]
    entries = [one for one in named if not _is_inside(one, root)] or named
    head = _head(root)
    language = _own_language(root, head)
    dates = Dates([language])
    filled = [(one, _date(_fields(one), dates)) for one in entries if not _is_empty(one)]
    return Feed(
        title=next((_text(one) for one in head.get("title", ())), Text("")),
        link=next(iter(_links(head.get("link", ()))[0]), ""),
        base=_base(root),
        entries=[_entry(one, dates, language) for one in newest(filled)],
        count=len(entries),
    )


def _is_inside(element: Element, root: Element) -> bool:
    """Whether the element belongs to something inside the feed's text, such as an example."""
    return any(_name(one) in _TEXTS for one in element.iterancestors() if one is not root)


def _head(root: Element) -> dict[str, list[Element]]:
    channel = next((one for one in root if _local(one) == "channel"), root)
    fields = _fields(channel)
    if channel is not root:
        for name, found in _fields(root).items():
            fields.setdefault(name, found)
    return fields


def _own_language(root: Element, head: dict[str, list[Element]]) -> str | None:
    named = [root.get(f"{_XML}lang"), *(one.get(f"{_XML}lang") for one in root if _local(one) == "channel")]
    named += [_flat(one) for name in ("language", "dc:language") for one in head.get(name, ())]
    return next((one.strip() for one in named if one and one.strip()), None)


def _entry(element: Element, dates: Dates, spoken: str | None) -> RawEntry:
    fields = _fields(element)
    found = RawEntry(base=_base(element))
    _identify(found, element, fields)
    for name in ("title", "itunes:title", "media:title", "dc:title"):
        found.titles += [_text(one) for one in fields.get(name, ())]
    for name in _TEXTS:
        found.texts += [_text(one) for one in fields.get(name, ())]
    found.texts += [_text(one) for one in fields.get("media:description", ())]
    _attach(found, fields)
    _illustrate(found, fields)
    found.is_video = "yt:videoid" in fields
    found.language = _language(element, fields, spoken)
    found.date = _date(fields, dates)
    return found


def _date(fields: dict[str, list[Element]], dates: Dates) -> datetime | None:
    read = (dates.read(_flat(one)) for name in _DATES for one in fields.get(name, ()))
    return next((date for date in read if date is not None), None)


def _is_empty(element: Element) -> bool:
    addresses = (one.get(name) for one in element.iter() for name in ("href", "url", "src", _RDF_ABOUT))
    return not (_content(element).strip() or any(addresses))


def _identify(found: RawEntry, element: Element, fields: dict[str, list[Element]]) -> None:
    links, others = _links(fields.get("link", ()))
    found.links += links
    found.last_links += others
    for one in fields.get("guid", ()):
        guid = _flat(one)
        found.guid = found.guid or guid
        permalink = next((value for name, value in one.attrib.items() if str(name).lower() == "ispermalink"), "true")
        lasting = permalink.strip().lower() != "false" and guid.lower().startswith(("http://", "https://"))
        (found.links if lasting else found.last_links).append(guid)
    for one in (*fields.get("id", ()), *fields.get("dc:identifier", ())):
        found.guid = found.guid or _flat(one)
        found.last_links.append(_flat(one))
    about = element.get(_RDF_ABOUT, "").strip()
    found.guid = found.guid or about
    found.links += [one for one in (about, element.get("href", "").strip()) if one]
    found.last_links += [one.get("src", "") for one in fields.get("content", ())]
    found.last_links = [one for one in found.last_links if one.strip().lower().startswith(("http://", "https://"))]


def _attach(found: RawEntry, fields: dict[str, list[Element]]) -> None:
    for one in fields.get("enclosure", ()):
        found.attached.append(Enclosure(one.get("url") or one.get("href") or "", one.get("type") or ""))
    for one in fields.get("link", ()):
        if (one.get("rel") or "").strip().lower() == "enclosure":
            found.attached.append(Enclosure(one.get("href") or "", one.get("type") or ""))
    for one in fields.get("media:content", ()):
        found.attached.append(Enclosure(one.get("url") or "", one.get("type") or "", one.get("medium") or ""))
    found.last_links += [one.get("url", "") for one in fields.get("media:player", ())]
    found.attached = [one for one in found.attached if one.address.strip()]


def _illustrate(found: RawEntry, fields: dict[str, list[Element]]) -> None:
    for one in fields.get("media:content", ()):
        if medium_of(one.get("url") or "", one.get("type") or "", one.get("medium") or "") == "image":
            label = " ".join(_flat(inner) for inner in one if _name(inner) == "media:title")
            found.pictures.append(
                Picture(
                    one.get("url") or "",
                    "media",
                    pixels(one.get("width")),
                    pixels(one.get("height")),
                    (one.get("isDefault") or "").strip().lower() == "true",
                    label,
                )
            )
            found.captions += [_text(inner) for inner in one if _name(inner) == "media:description"]
    found.pictures += [
        Picture(one.address, "media") for one in found.attached if one.kind == "image" and not _has(found, one.address)
    ]
    for one in fields.get("itunes:image", ()):
        found.pictures.append(Picture(one.get("href") or one.get("url") or _flat(one), "itunes"))
    for one in fields.get("image", ()):
        inner = next((_flat(child) for child in one if _local(child) == "url"), None)
        found.pictures.append(Picture(inner or one.get("href") or one.get("url") or _flat(one), "media"))
    for one in fields.get("media:thumbnail", ()):
        address = one.get("url") or _flat(one)
        found.pictures.append(Picture(address, "thumbnail", pixels(one.get("width")), pixels(one.get("height"))))
    found.pictures += [picture for name in _TEXTS for one in fields.get(name, ()) for picture in shown_in(_images(one))]


def _has(found: RawEntry, address: str) -> bool:
    return any(one.url == address for one in found.pictures)


def _language(element: Element, fields: dict[str, list[Element]], spoken: str | None) -> str | None:
    """The entry's language, where it is not that of the whole feed."""
    said = [one.get(f"{_XML}lang") for one in fields.get("title", ())]
    said += [element.get(f"{_XML}lang"), *(_flat(one) for one in fields.get("dc:language", ()))]
    language = next((one.strip() for one in said if one and one.strip()), None)
    return language if language and language.lower() != (spoken or "").lower() else None


def _links(elements: Iterable[Element]) -> tuple[list[str], list[str]]:
    """Where links lead, best first, RSS's text and Atom's alternate page in HTML before other alternates; and
    addresses that links give for other ends."""
    pages: list[str] = []
    alternates: list[str] = []
    others: list[str] = []
    for one in elements:
        href = one.get("href")
        relation = (one.get("rel") or "alternate").strip().lower()
        type_ = (one.get("type") or "text/html").strip().lower()
        if href is None:
            pages.append(_flat(one) or _after(one))
        elif relation != "alternate":
            others += [href] if relation not in _NO_PAGES else []
        elif type_ in ("text/html", "application/xhtml+xml"):
            pages.append(href)
        else:
            alternates.append(href)
    return [one for one in (*pages, *alternates) if one.strip()], [one for one in others if one.strip()]


def _after(link: Element) -> str:
    """The text behind an empty link element: HTML tools close it before the address."""
    tail = (link.tail or "").strip()
    return tail if tail.lower().startswith(("http://", "https://")) else ""


# --- elements ------------------------------------------------------------------------------------------------------


def _fields(element: Element) -> dict[str, list[Element]]:
    """The fields of a feed or an entry by their names, those of a group of media among them."""
    found: dict[str, list[Element]] = {}
    for one in element:
        if _local(one) in _ENTRIES:
            continue
        name = _name(one)
        found.setdefault(name, []).append(one)
        if name == "media:group" or name == "media:content":
            for inner_name, inner in _fields(one).items():
                if name == "media:group" or inner_name == "media:thumbnail":
                    found.setdefault(inner_name, []).extend(inner)
    return found


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2].lower()


def _namespace(element: Element) -> str:
    return element.tag[1:].rpartition("}")[0].strip().lower() if element.tag.startswith("{") else ""


def _is_core(element: Element) -> bool:
    """Whether an element named `item` or `entry` is a feed's: of its formats' namespaces, of none, or of the root's."""
    namespace = _namespace(element)
    if not namespace or namespace.startswith(_CORE):
        return True
    root = element.getroottree().getroot()
    channel = element.getparent()
    return namespace in (_namespace(root), _namespace(channel) if channel is not None else "")


def _name(element: Element) -> str:
    """The field's name, with its well-known prefix; without one for what the formats themselves define."""
    namespace, local = _namespace(element), _local(element)
    for beginning, prefix in _PREFIXES:
        if namespace.startswith(beginning):
            return f"{prefix}:{local}"
    if not namespace or namespace.startswith(_CORE):
        return local
    parent = element.getparent()
    if parent is not None and namespace == _namespace(parent):
        return local
    prefix = (element.prefix or "").lower()
    return f"{prefix or '?'}:{local}"


def _base(element: Element) -> str:
    """What addresses in the element are relative to, as far as the document says: its bases, outermost first."""
    named = [one.get(f"{_XML}base") for one in (element, *element.iterancestors())]
    base = ""
    for one in reversed([name.strip() for name in named if name and name.strip()]):
        found = web_address.find(one, base if web_address.find(base) else None)
        base = found.href if found else one
    return base


def _content(element: Element) -> str:
    return "".join(map(str, element.itertext()))


def _flat(element: Element) -> str:
    """The text of an element, its blanks as one."""
    return " ".join(_content(element).split())


def _text(element: Element) -> Text:
    """A text construct: markup as it stands in the tree gives its words, a string is HTML or text as it says."""
    type_ = (element.get("type") or "").strip().lower()
    if (element.get("mode") or "").strip().lower() == "base64" or _is_binary(element, type_):
        return Text(_from_base64(_content(element)), "html" if "html" in type_ else "text")
    if len(element):
        return Text(_words(element), "text")
    plain = type_ in ("text", "text/plain", "plain") or (not type_ and _is_atom(element))
    return Text(element.text or "", "text" if plain else "html")


def _is_atom(element: Element) -> bool:
    return _namespace(element).startswith(_CORE[:2])


def _is_binary(element: Element, type_: str) -> bool:
    return _is_atom(element) and "/" in type_ and not type_.startswith("text/") and not type_.endswith(("xml", "html"))


def _from_base64(text: str) -> str:
    try:
        return base64.b64decode(text, validate=False).decode()
    except (binascii.Error, ValueError):
        return ""


def _words(element: Element) -> str:
    """The words of markup in the tree, blocks apart."""
    found = [element.text or ""]
    for event, one in etree.iterwalk(element, events=("start", "end")):
        if one is element:
            continue
        if _local(one) in BLOCKS:
            found.append(" ")
        if event == "end":
            found.append(one.tail or "")
        elif _local(one) not in HIDDEN:
            found.append(one.text or "")
    return "".join(found)


def _images(element: Element) -> Iterator[dict[str, str]]:
    yield from images(element.text or "")
    for one in element.iter():
        if _local(one) == "img":
            yield {str(name).lower(): str(value) for name, value in one.attrib.items()}
