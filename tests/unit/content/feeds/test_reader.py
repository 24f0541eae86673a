"""Feeds as they come: well made, badly made, and made to harm. What takes time is tried in a process of its own."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.content.feeds.client import charset
from services.content.feeds.entry import MAX_ENTRIES
from services.content.feeds.mending import MAX_DEPTH
from services.content.feeds.reader import read
from services.content.feeds.refusal import NotAFeed
from services.content.feeds.text import plain, shortened

BASE = "https://www.example.com/blog/feed.xml"


def rss(*items: str, head: str = "") -> bytes:
    entries = "".join(f"<item>{item}</item>" for item in items)
    return (
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>Blog</title>{head}{entries}</channel></rss>'.encode()
    )


def entry(number: int = 1, more: str = "") -> str:
    return f"<title>Title {number}</title><link>https://www.example.com/{number}</link>{more}"


def only(body: bytes) -> dict[str, Any]:
    [found] = read(body, base_url=BASE)["entries"]
    assert isinstance(found, dict)
    return found


def rule(body: bytes, charset: str = "") -> str:
    with pytest.raises(NotAFeed) as caught:
        read(body, charset, BASE)
    return caught.value.rule


def test_rss_is_read() -> None:
    more = (
        "<guid isPermaLink='false'>tag:1</guid><description>&lt;p&gt;One &lt;b&gt;two&lt;/b&gt;&lt;/p&gt;</description>"
        "<enclosure url='https://www.example.com/1.mp3' type='audio/mpeg' length='1'/>"
        "<enclosure url='/1.jpg' type='image/jpeg' length='1'/>"
    )
    assert only(rss(entry(1, more))) == {
        "guid": "tag:1",
        "link": "www.example.com/1",
        "url": "https://www.example.com/1",
        "title": "Title 1",
        "summary": "One two",
        "image_url": "https://www.example.com/1.jpg",
        "kind": "podcast",
        "language": None,
        "published_at": None,
    }


def test_atom_is_read_with_relative_addresses_and_languages_of_entries() -> None:
    body = b"""<?xml version="1.0"?>
    <feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><title>News</title>
      <entry xml:lang="fr"><id>urn:2</id><title type="html">L&amp;eacute;t&amp;eacute; &amp;lt;3</title>
        <link href="/fr/2"/><updated>2026-01-02T00:00:00Z</updated>
        <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Un</p><p>deux</p></div></content></entry>
      <entry><id>urn:1</id><title>A &lt; B</title><link href="one"/><updated>2026-01-03T00:00:00Z</updated></entry>
    </feed>"""
    found = read(body, base_url=BASE)
    assert found["title"] == "News"
    newest, oldest = found["entries"]
    assert (newest["title"], newest["url"], newest["language"]) == ("A < B", "https://www.example.com/blog/one", None)
    assert (oldest["title"], oldest["url"], oldest["language"]) == ("Lété <3", "https://www.example.com/fr/2", "fr")
    assert oldest["summary"] == "Un deux"


def test_the_language_of_the_whole_feed_is_not_that_of_its_entries() -> None:
    assert only(rss(entry(), head="<language>en-us</language>"))["language"] is None


def test_rdf_and_feeds_with_a_document_type_are_read() -> None:
    rdf = (
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">'
        b"<channel><title>c</title></channel><item><title>t</title><link>http://e.example/</link></item></rdf:RDF>"
    )
    assert only(rdf)["title"] == "t"
    doctype = b'<!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "http://e.example/rss.dtd">'
    assert only(doctype + rss(entry())[21:])["title"] == "Title 1"


def test_entries_with_nothing_in_them_are_counted_and_left_out() -> None:
    found = read(rss(entry(), "<title> </title><guid/>", "<description></description>"))
    assert (len(found["entries"]), found["skipped"]) == (1, 2)


def test_the_newest_hundred_are_taken() -> None:
    dated = [
        entry(n, f"<pubDate>{n % 28 + 1:02} Jan {2000 + n} 00:00:00 GMT</pubDate>") for n in range(MAX_ENTRIES + 20)
    ]
    found = read(rss(*dated))
    assert found["skipped"] == 20
    assert [one["title"] for one in found["entries"]][::99] == ["Title 119", "Title 20"]
    undated = read(rss(*(entry(n) for n in range(3))))
    assert [one["title"] for one in undated["entries"]] == ["Title 0", "Title 1", "Title 2"]


@pytest.mark.parametrize(
    "body",
    [
        "<?xml version='1.0' encoding='iso-8859-1'?><rss><channel><title>é</title></channel></rss>".encode("latin-1"),
        "<?xml version='1.0' encoding='utf-16'?><rss><channel><title>é</title></channel></rss>".encode("utf-16"),
        "<rss><channel><title>é</title></channel></rss>".encode("utf-8-sig"),
        "\n <?xml version='1.0'?>\n<rss><channel><title>é</title></channel></rss>".encode(),
    ],
)
def test_a_feed_is_read_in_the_encoding_that_it_has(body: bytes) -> None:
    assert read(body)["title"] == "é"


def test_the_servers_word_on_the_encoding_goes_before_the_documents() -> None:
    body = "<?xml version='1.0' encoding='utf-8'?><rss><channel><title>é</title></channel></rss>".encode("cp1252")
    assert read(body, "windows-1252")["title"] == "é"
    assert read(rss(entry()), "no-such-charset")["title"] == "Blog"


ENTITIES = (
    "<!DOCTYPE rss [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'><!ENTITY c '&b;&b;'>]>"
    "<rss><channel><title>&c;</title></channel></rss>"
)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "not-well-formed"),
        (b"{}", "not-a-feed"),
        (b'{"items": {}}', "not-a-feed"),
        (b"[1, 2]", "not-a-feed"),
        (b'{"version": "https://jsonfeed.org/version/1", "items": [', "not-well-formed"),
        (b"[" * 100_000, "too-deep"),
        (b"<p>Hello<br>", "not-well-formed"),
        (b"<rss><channel></rss>", "not-well-formed"),
        (b"<rss>&nbsp;</rss>", "not-well-formed"),
        (bytes(range(256)), "encoding"),
        (b"\xff\xfe\x00", "encoding"),
        (b"<svg/>", "not-a-feed"),
        (b"<opml><rss/></opml>", "not-a-feed"),
        (b"<!doctype html><p>Hello", "html"),
        (b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "x" "y"><html xmlns="z"/>', "html"),
        (b"<!-- a comment --><HTML>", "html"),
        (ENTITIES.encode(), "entities"),
        (ENTITIES.encode("utf-16"), "entities"),
        (b"<!DOCTYPE rss [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><rss>&x;</rss>", "entities"),
        (b"<!DOCTYPE rss [<!ENTITY % x SYSTEM 'http://e.example/x'>%x;]><rss/>", "entities"),
        (b"<rss>" + b"<a>" * MAX_DEPTH + b"</a>" * MAX_DEPTH + b"</rss>", "too-deep"),
        (b"<rss>" + b"<a/>" * 200_001 + b"</rss>", "too-large"),
    ],
)
def test_what_is_no_feed_is_refused_by_a_rule(body: bytes, expected: str) -> None:
    assert rule(body) == expected


def test_an_encoding_cannot_hide_what_is_checked() -> None:
    hidden = ENTITIES.encode("utf-7")
    assert rule(hidden, "utf-7") == "entities"


def test_a_page_that_names_its_feed_is_refused_with_the_address() -> None:
    page = b"<!doctype html><link rel=alternate type='application/rss+xml' href='/feed.xml'>"
    with pytest.raises(NotAFeed) as caught:
        read(page, base_url=BASE)
    assert "https://www.example.com/feed.xml" in caught.value.detail


def test_where_it_is_broken_is_said() -> None:
    with pytest.raises(NotAFeed) as caught:
        read(b"<rss>\n<channel>\n</rss>")
    assert "line 3" in caught.value.detail


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: rss(entry(1, text))))
def test_whatever_the_bytes_the_reader_answers_or_refuses_by_a_rule(body: bytes) -> None:
    try:
        found = read(body, base_url=BASE)
    except NotAFeed as refusal:
        found = {"rule": refusal.rule, "detail": refusal.detail}
    assert set(found) in ({"title", "entries", "skipped", "mended"}, {"rule", "detail"})


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("a<script>alert(1)</script>b", "ab"),
        ("<style>p{}</style><p>One</p><p>Two</p>", " One  Two "),
        ("&lt;b&gt; &amp;amp; &eacute;&#x1F680;", "<b> &amp; é🚀"),
        ("5 < 6 and 7 > 3", "5 < 6 and 7 > 3"),
        ("<p>unclosed <b>bold", " unclosed bold"),
        ("<!-- hidden -->shown", "shown"),
    ],
)
def test_html_becomes_its_words(html: str, words: str) -> None:
    assert plain(html) == words


@given(st.text(max_size=400), st.integers(2, 60))
def test_a_shortened_text_is_one_line_within_its_limit(text: str, limit: int) -> None:
    line = shortened(text, limit)
    assert len(line) <= limit
    assert line == " ".join(line.split())
    assert not any(ord(sign) < 32 for sign in line)


def test_a_shortened_text_ends_after_a_word() -> None:
    assert shortened("one two three four", 12) == "one two…"
    assert shortened("x" * 20, 10) == "x" * 9 + "…"
    assert shortened("שלום  עולם", 20) == "שלום עולם"


@pytest.mark.parametrize(
    ("content_type", "found"),
    [
        ("text/xml; charset=ISO-8859-1", "iso-8859-1"),
        ('a/b;charset="utf-8"', "utf-8"),
        ("text/xml", ""),
        ("", ""),
        (";;", ""),
    ],
)
def test_the_charset_of_a_media_type(content_type: str, found: str) -> None:
    assert charset(content_type) == found
