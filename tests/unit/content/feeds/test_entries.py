"""Entries as real feeds write them: posts without titles, episodes without links, videos, pictures, JSON Feed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.content.feeds.pictures import Picture, best, medium_of
from services.content.feeds.reader import read
from services.content.feeds.text import title, title_of

BASE = "https://www.example.com/blog/feed.xml"
SPACES = (
    'xmlns:media="http://search.yahoo.com/mrss/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" '
    'xmlns:yt="http://www.youtube.com/xml/schemas/2015" xmlns:dc="http://purl.org/dc/elements/1.1/"'
)


def rss(*items: str, head: str = "<link>https://www.example.com/</link>") -> bytes:
    entries = "".join(f"<item>{item}</item>" for item in items)
    return f'<rss version="2.0" {SPACES}><channel><title>Blog</title>{head}{entries}</channel></rss>'.encode()


def only(body: bytes, base: str = BASE) -> dict[str, Any]:
    [found] = read(body, base_url=base)["entries"]
    assert isinstance(found, dict)
    return found


# --- identity ------------------------------------------------------------------------------------------------------


def test_what_an_entry_is_known_by_does_not_depend_on_where_the_feed_was_got() -> None:
    body = rss("<title>a</title><guid isPermaLink='true'>/posts/1</guid><link>/posts/1?utm_source=rss</link>")
    one, other = only(body, "http://old.example/feed"), only(body, "https://www.new.example/feed.xml")
    assert (one["guid"], one["link"]) == (other["guid"], other["link"]) == ("/posts/1", "/posts/1")
    assert (one["url"], other["url"]) == (
        "http://old.example/posts/1?utm_source=rss",
        "https://www.new.example/posts/1?utm_source=rss",
    )
    secure = only(rss("<title>a</title><link>https://e.example/1</link>"))
    assert secure["link"] == only(rss("<title>a</title><link>http://e.example/1</link>"))["link"]


def test_xml_base_is_what_addresses_are_relative_to() -> None:
    body = b"""<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://e.example/a/">
      <entry xml:base="b/"><id>1</id><title>x</title><link href="c"/></entry></feed>"""
    found = only(body)
    assert (found["url"], found["link"], found["guid"]) == ("https://e.example/a/b/c", "e.example/a/b/c", "1")


# --- what is missing -----------------------------------------------------------------------------------------------


def test_a_post_without_a_title_gets_one_from_its_text() -> None:
    post = "<guid>https://m.example/@a/1</guid><link>https://m.example/@a/1</link><description>{}</description>"
    short = only(rss(post.format("&lt;p&gt;We have opened in Lyon! Come and see us on Friday.&lt;/p&gt;")))
    assert short["title"] == "We have opened in Lyon!"
    assert short["summary"] == "We have opened in Lyon! Come and see us on Friday."
    long = only(rss(post.format("word " * 100)))
    assert len(long["title"]) <= 120
    assert long["title"].endswith("…")


def test_an_episode_without_a_link_leads_to_its_file_or_its_guid() -> None:
    episode = "<itunes:title>Episode 1</itunes:title><guid isPermaLink='false'>ep-1</guid>"
    file = "<enclosure url='https://cdn.example/1.mp3' type='audio/mpeg' length='1'/><itunes:image href='/1.jpg'/>"
    found = only(rss(episode + file))
    assert (found["title"], found["url"], found["kind"]) == ("Episode 1", "https://cdn.example/1.mp3", "podcast")
    assert (found["guid"], found["link"], found["image_url"]) == ("ep-1", "", "https://www.example.com/1.jpg")
    named = only(rss("<title>a</title><guid isPermaLink='false'>https://e.example/ep/1</guid>"))
    assert named["url"] == "https://e.example/ep/1"


def test_a_text_without_an_address_leads_to_the_page_of_its_feed_if_there_is_one() -> None:
    found = only(rss("<description>Only words</description>"))
    assert (found["url"], found["link"]) == ("https://www.example.com/", "")
    assert found["guid"].startswith("text:")
    assert only(rss("<description>Only words</description>", head=""))["url"] is None


def test_an_address_without_words_is_read_out() -> None:
    assert only(rss("<link>https://e.example/2026/our-first_year.html</link>"))["title"] == "our first year"
    assert only(rss("<link>https://www.e.example/?p=1</link>"))["title"] == "e.example"


def test_an_entry_of_youtube_is_a_video() -> None:
    group = (
        "<media:group><media:title>T</media:title><media:content url='https://www.youtube.com/v/x' "
        "type='application/x-shockwave-flash' width='640' height='390'/>"
        "<media:thumbnail url='https://i.ytimg.com/vi/x/hqdefault.jpg' width='480' height='360'/>"
        "<media:description>About it</media:description></media:group>"
    )
    found = only(
        rss(f"<yt:videoId>x</yt:videoId><title>T</title><link>https://www.youtube.com/watch?v=x</link>{group}")
    )
    assert (found["kind"], found["image_url"]) == ("video", "https://i.ytimg.com/vi/x/hqdefault.jpg")
    assert found["summary"] == "About it"
    assert only(rss("<title>T</title><link>https://youtu.be/x</link>"))["kind"] == "video"
    assert only(rss("<title>T</title><link>https://www.youtube.com/@us</link>"))["kind"] == "article"


# --- text ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("Fish &amp;amp; chips", "Fish & chips"),
        ("Fish &amp; chips", "Fish & chips"),
        ("It&amp;#8217;s", "It’s"),
        ("One&lt;br /&gt;two", "One two"),
        ("<br />One", "One"),
        ("&lt;b&gt;Bold&lt;/b&gt; words", "Bold words"),
        ("&amp;lt;br /&amp;gt;One", "One"),
        ("How &lt;video&gt; works", "How <video> works"),
        ("How &amp;lt;video&amp;gt; works", "How &lt;video&gt; works"),
        ("a &lt; b", "a < b"),
        ("5 <6 &amp; 7> 3", "5 <6 & 7> 3"),
        ("R&D", "R&D"),
    ],
)
def test_titles_are_plain_text_however_often_they_were_escaped(written: str, read_as: str) -> None:
    assert title(written, "html", 300) == read_as


def test_a_title_of_a_text_ends_with_a_sentence_or_a_word() -> None:
    assert title_of("Une phrase assez longue. Et une autre.") == "Une phrase assez longue."
    assert title_of("v2.0 is out and it is good") == "v2.0 is out and it is good"


# --- pictures ------------------------------------------------------------------------------------------------------


def test_the_best_picture_is_the_default_one_of_sensible_size() -> None:
    sizes = [Picture(f"https://e.example/{width}.jpg", "media", width, width) for width in (75, 300, 1200, 6000)]
    assert best(sizes) == "https://e.example/1200.jpg"
    assert (
        best([*sizes, Picture("https://e.example/d.jpg", "media", 800, 600, default=True)]) == "https://e.example/d.jpg"
    )
    thumbnail = Picture("https://e.example/t.jpg", "thumbnail", 75, 75)
    assert best([thumbnail, Picture("https://e.example/l.jpg", "text")]) == "https://e.example/l.jpg"
    assert best([thumbnail]) == "https://e.example/t.jpg"
    wordpress = [
        Picture("https://e.example/a-150x150.jpg", "media"),
        Picture("https://e.example/a-1024x768.jpg", "media"),
    ]
    assert best(wordpress) == "https://e.example/a-1024x768.jpg"


@pytest.mark.parametrize(
    "picture",
    [
        Picture("https://e.example/x.gif", "text", 1, 1),
        Picture("https://e.example/x.gif", "media", 640, 1),
        Picture("https://0.gravatar.com/avatar/abc?s=96", "media"),
        Picture("https://e.example/avatars/ann.png", "media"),
        Picture("https://pixel.wp.com/b.gif", "text"),
        Picture("https://e.example/a.png", "text", label="wp-smiley"),
    ],
)
def test_what_is_no_picture_of_the_thing_is_never_taken(picture: Picture) -> None:
    assert best([picture]) is None


def test_pictures_are_found_wherever_feeds_put_them() -> None:
    link = "<title>a</title><link>https://e.example/1</link>"
    text = "<description>&lt;img src='/p.gif' width='1' height='1'&gt;&lt;img src='/in.jpg'&gt;</description>"
    for written, expected in [
        (text, "/in.jpg"),
        ("<enclosure url='/e.JPG' length='1'/>", "/e.JPG"),
        ("<media:content url='/m' medium='image'/>" + text, "/m"),
        ("<media:thumbnail url='/t.jpg' width='75' height='75'/>" + text, "/in.jpg"),
        ("<image><url>/i.png</url></image>", "/i.png"),
    ]:
        assert only(rss(link + written))["image_url"] == f"https://www.example.com{expected}", written


@pytest.mark.parametrize(
    ("address", "type_", "medium", "kind"),
    [
        ("https://e.example/a.mp3?x=1", "", "", "audio"),
        ("https://e.example/a.webp", "application/octet-stream", "", "image"),
        ("https://e.example/a", "video/mp4", "", "video"),
        ("https://e.example/a.jpg", "text/html", "", ""),
        ("https://e.example/a.bin", "", "image", "image"),
        ("https://[", "", "", ""),
    ],
)
def test_media_without_a_type_are_known_by_their_ending(address: str, type_: str, medium: str, kind: str) -> None:
    assert medium_of(address, type_, medium) == kind


# --- JSON Feed -----------------------------------------------------------------------------------------------------


def test_json_feed_is_read() -> None:
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Blog",
        "home_page_url": "https://e.example/",
        "language": "en",
        "items": [
            {
                "id": 1,
                "url": "https://e.example/1",
                "title": "Fish & chips",
                "content_html": "<p>One <b>two</b></p>",
                "image": "/1.jpg",
                "date_published": "2026-01-01T10:00:00+01:00",
                "language": "fr",
            },
            {
                "id": "2",
                "content_text": "An episode without a title.",
                "attachments": [{"url": "https://e.example/2.mp3", "mime_type": "audio/mpeg"}],
                "date_published": "2026-01-02T10:00:00Z",
            },
            {},
            "nonsense",
        ],
    }
    found = read(json.dumps(feed).encode("utf-8-sig"), base_url=BASE)
    assert (found["title"], found["skipped"], found["mended"]) == ("Blog", 1, [])
    newest, oldest = found["entries"]
    assert (newest["guid"], newest["kind"], newest["url"]) == ("2", "podcast", "https://e.example/2.mp3")
    assert newest["title"] == "An episode without a title."
    assert (oldest["guid"], oldest["title"], oldest["summary"]) == ("1", "Fish & chips", "One two")
    assert (oldest["language"], oldest["published_at"]) == ("fr", "2026-01-01T09:00:00+00:00")
    assert oldest["image_url"] == "https://www.example.com/1.jpg"
    first = read(json.dumps({**feed, "version": "https://jsonfeed.org/version/1"}).encode("utf-16"))
    assert len(first["entries"]) == 2
