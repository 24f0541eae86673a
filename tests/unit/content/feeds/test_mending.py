"""Feeds that are broken: what can be kept is kept, and it is said what was mended."""

from __future__ import annotations

from typing import Any
from xml.parsers import expat

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.content.feeds.mending import mended
from services.content.feeds.reader import read
from services.content.feeds.refusal import Mends, NotAFeed

ITEMS = "".join(f"<item><title>Title {n}</title><link>https://e.example/{n}</link></item>" for n in range(3))


def feed(inside: str = "", *, head: str = "", tail: str = "") -> str:
    return f"{head}<rss version='2.0'><channel><title>Blog</title>{inside}{ITEMS}</channel></rss>{tail}"


def rules(found: dict[str, Any]) -> set[str]:
    return {one["rule"] for one in found["mended"]}


def titles(found: dict[str, Any]) -> list[str]:
    return [one["title"] for one in found["entries"]]


BROKEN = [
    (feed("<item><title>R&D</title></item>"), "ampersand", "R&D"),
    (feed("<item><title>?a=1&copy=2</title></item>"), "ampersand", "?a=1©=2"),
    (feed("<item><title>Un&nbsp;&ecirc;tre &amp; vous</title></item>"), "entity", "Un être & vous"),
    (feed("<item><title>a&#11;b\x0bc</title></item>"), "characters", "abc"),
    (feed("<item><title>first</title><wp:id>1</wp:id></item>"), "prefix", "first"),
    (feed("<item><itunes:title>episode</itunes:title></item>"), "prefix", "episode"),
    (feed("<item><title a='1' a='2'>first</title></item>"), "attribute", "first"),
    (feed("<item><title a=1>first</title></item>"), "attribute", "first"),
    (feed("<item><title>5 < 6</title></item>"), "markup", "5 < 6"),
    (feed("<item><title>first<link>https://e.example/x</link></item>"), "tag", "first"),
    (feed("<item><title>first</title>"), "tag", "first"),
    (feed("<item><Title>first</title></item>"), "tag", "first"),
    (feed("<item><title>first</title><description><p>a<br>b</description></item>"), "tag", "first"),
    (feed("<item><title><![CDATA[first</title></item>"), "markup", "first"),
    (
        feed("<item><title>first</title></item>", head="Notice: x in <b>a.php</b>\n<?xml version='1.0'?>"),
        "preamble",
        "first",
    ),
    (feed("<item><title>first</title></item>", tail="<!-- 3 s --> cached"), "trailing", "first"),
    (feed("<item><title>first</title></item>")[:-12], "truncated", "first"),
]


@pytest.mark.parametrize(("document", "rule", "first"), BROKEN)
def test_a_broken_feed_loses_no_entry_and_says_what_was_mended(document: str, rule: str, first: str) -> None:
    found = read(document.encode())
    assert titles(found) == [first, "Title 0", "Title 1", "Title 2"]
    assert rule in rules(found)


def test_a_sound_feed_was_not_mended() -> None:
    assert read(feed().encode())["mended"] == []


def test_the_first_line_of_each_fault_is_named() -> None:
    found = read(("\n\n" + feed("\n<x>a & b\n & c</x>")).encode())
    assert found["mended"] == [{"rule": "ampersand", "line": 4}]


def test_entries_behind_the_end_of_the_feed_are_kept() -> None:
    late = feed(tail="<item><title>late</title></item>")
    assert titles(read(late.encode())) == ["Title 0", "Title 1", "Title 2", "late"]


def test_what_breaks_off_keeps_its_last_words() -> None:
    assert titles(read(feed()[:-20].split("<item>")[0].encode() + b"<item><title>Last <![CD")) == ["Last <![CD"]


def test_one_bad_byte_costs_one_sign() -> None:
    body = feed("<item><title>Été à la mer, d@été</title></item>").encode().replace(b"@", b"\x92")
    found = read(body)
    assert titles(found)[0] == "Été à la mer, d’été"
    assert rules(found) == {"bytes"}


@pytest.mark.parametrize("charset", ["windows-1252", "iso-8859-1", "utf-8", ""])
def test_a_wrong_charset_is_found_out(charset: str) -> None:
    text = feed("<item><title>Где читать ежедневные новости о погоде и политике</title></item>")
    for real in ("utf-8", "windows-1251", "koi8-r"):
        assert titles(read(text.encode(real), charset))[0].startswith("Где читать"), real


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_wide_charsets_are_read_with_and_without_a_mark(codec: str) -> None:
    found = read(feed("<item><title>é</title></item>", head="<?xml version='1.0'?>").encode(codec))
    assert (titles(found)[0], found["mended"]) == ("é", [])


def test_entities_that_are_plain_text_are_read_and_no_others() -> None:
    plain = "<!DOCTYPE rss [<!-- x --><!ENTITY co 'Fish &#38; chips'><!ENTITY pad \"a\">]>"
    found = read(feed("<item><title>&co; &pad;<![CDATA[ &co;]]></title></item>", head=plain).encode())
    assert (titles(found)[0], found["mended"]) == ("Fish & chips a &co;", [])
    unused = "<!DOCTYPE rss [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
    assert len(read(feed(head=unused).encode())["entries"]) == 3
    for declared in (
        "<!ENTITY co SYSTEM 'file:///etc/passwd'>",
        "<!ENTITY co PUBLIC 'x' 'http://e.example/'>",
        "<!ENTITY co '&co;'>",
        "<!ENTITY co '<b>x</b>'>",
        "<!ENTITY % p SYSTEM 'http://e.example/'> %p;",
        f"<!ENTITY co '{'x' * 1001}'>",
    ):
        with pytest.raises(NotAFeed) as caught:
            read(feed("<x>&co;</x>", head=f"<!DOCTYPE rss [{declared}]>").encode())
        assert caught.value.rule == "entities", declared


def test_entities_cannot_make_a_document_large() -> None:
    text = feed("&a;" * 2000, head=f"<!DOCTYPE rss [<!ENTITY a '{'x' * 1000}'>]>")
    with pytest.raises(NotAFeed) as caught:
        read(text.encode())
    assert caught.value.rule == "entities"


def test_names_of_html_are_known_to_documents_that_name_its_declarations() -> None:
    doctype = (
        "<!DOCTYPE rss [<!ENTITY % HTMLlat1 PUBLIC '-//W3C//ENTITIES Latin 1 for XHTML//EN' "
        "'http://www.w3.org/TR/xhtml1/DTD/xhtml-lat1.ent'> %HTMLlat1;]>"
    )
    found = read(feed("<item><title>&eacute;</title></item>", head=doctype).encode())
    assert (titles(found)[0], found["mended"]) == ("é", [])


# fmt: off
PIECES = st.sampled_from((
    "<rss>", "</rss>", "<channel>", "<item>", "</item>", "<title>", "</title>", "<a:b ", "c='d'", 'x="', "<![CDATA[",
    "]]>", "<!--", "-->", "<?x ", "?>", "&", "&amp;", "&nbsp;", "&#0;", "&#xD800;", "<", ">", "/", "<!DOCTYPE x>", "é",
    "<x xmlns:a=''>", "<xmlns:a>", "<xml:a>", " xmlns:xml='y'", "\0", "\ufffe", "=", "'", '"', "a", " ", "\n",
))
# fmt: on


@settings(max_examples=500)
@given(st.lists(PIECES, max_size=30).map("".join))
@example("x]]>y")
def test_what_comes_out_of_mending_is_well_formed(text: str) -> None:
    out = mended("<rss>" + text, Mends())
    expat.ParserCreate("utf-8", " ").Parse(out.encode(), True)
