"""Feed sources: got from real sites on loopback, read once, refused when they are not what they should be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chassis.fetch import GuardedFetch
from chassis.jobs import JobContext
from chassis.mongo.leases import Lease
from chassis.web.problems import NotFound, TooManyRequests
from herald_contracts import ContentPublished, ContentSubmitted
from services.content import commands, jobs
from services.content.api import feeds as api
from services.content.feeds.client import FeedRefused, Feeds
from tests.integration.content.harness import PROGRAM, ContentHarness, broken, make, problem
from tests.integration.harness import Harness, eventually
from tests.integration.site import Answer, Asked, Site, serve_site

SAMPLE = Path(__file__).parents[3] / "herald" / "demo" / "samples" / "feed.atom.xml"
MEBIBYTE = 1024 * 1024


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with serve_site() as found:
        yield found


def rss(*names: str, more: str = "") -> bytes:
    items = "".join(f"<item><title>{one}</title><link>https://e.example/{one}</link>{more}</item>" for one in names)
    return f"<rss version='2.0'><channel><title>Blog</title>{items}</channel></rss>".encode()


def feed_at(site: Site, path: str = "/feed", **changes: Any) -> dict[str, Any]:
    return {"program_id": PROGRAM, "url": site.url(path), "language": "en", **changes}


async def waiting(content: ContentHarness, state: str = "in_review") -> list[str]:
    found = await content.get("/items", params={"state": state, "limit": 100})
    return [item["variants"][0]["title"] for item in found["items"]]


async def test_a_feeds_entries_become_items_for_review_and_are_not_taken_twice(
    content: ContentHarness, site: Site
) -> None:
    site.pages["/feed"] = Answer(body=rss("c", "b", "a"))
    source = await content.post("/feeds", feed_at(site, category="sector_news"))
    assert (source["kind"], source["title"], source["last"]["new"]) == ("url", "Blog", 3)
    assert await waiting(content) == ["c", "b", "a"]
    item = (await content.get("/items"))["items"][0]
    assert (item["origin"], item["source_id"], item["category"]) == ("feed", source["id"], "sector_news")
    for _ in range(2):
        again = await content.post(f"/feeds/{source['id']}/refresh")
        assert (again["last"]["new"], again["last"]["known"]) == (0, 3)
    content.clock.advance(timedelta(seconds=1))
    site.pages["/feed"] = Answer(body=rss("d", "c", "b"))
    assert (await content.post(f"/feeds/{source['id']}/refresh"))["last"]["new"] == 1
    assert await waiting(content) == ["d", "c", "b", "a"]
    assert await content.emitted() == ["ContentSubmitted"] * 4


async def test_looking_many_times_at_once_takes_each_entry_once(content: ContentHarness, site: Site) -> None:
    site.pages["/feed"] = Answer(body=rss("a"))
    source = await content.post("/feeds", feed_at(site))
    site.pages["/feed"] = Answer(body=rss("a", "b", "c", "b"))
    await asyncio.gather(*(content.post(f"/feeds/{source['id']}/refresh") for _ in range(4)))
    assert sorted(await waiting(content)) == ["a", "b", "c"]
    assert await content.emitted() == ["ContentSubmitted"] * 3


async def test_what_did_not_change_is_not_got_again(content: ContentHarness, site: Site) -> None:
    async def conditional(asked: Asked, writer: asyncio.StreamWriter) -> None:
        same = asked.headers.get("if-none-match") == '"v1"'
        await Answer(304 if same else 200, {"ETag": '"v1"'}, b"" if same else rss("a"))(asked, writer)

    site.pages["/feed"] = conditional
    source = await content.post("/feeds", feed_at(site))
    looked = await content.post(f"/feeds/{source['id']}/refresh")
    assert (looked["last"]["outcome"], len(site.asked)) == ("unchanged", 2)


async def test_an_editor_who_trusts_a_feed_has_its_entries_published_in_order(
    content: ContentHarness, site: Site
) -> None:
    await content.know("ann", "ambassador", programs=(PROGRAM,))
    site.pages["/feed"] = Answer(body=rss("new", "middle", "old"))
    await content.post("/feeds", feed_at(site, rule="publish"))
    assert await content.titles("ann") == ["new", "middle", "old"]
    assert await content.emitted() == ["ContentSubmitted", "ContentPublished"] * 3
    [first, *_] = (await content.get("/feed", by="ann"))["items"]
    assert [one["text"] for one in first["captions"]] == ["new"]


async def test_a_feed_is_added_once_and_its_entries_are_known_when_it_comes_back(
    content: ContentHarness, site: Site
) -> None:
    site.pages["/feed"] = Answer(body=rss("a"))
    source = await content.post("/feeds", feed_at(site))
    again = problem(await content.call("POST", "/feeds", feed_at(site)), 409, "feed-exists")
    assert again["id"] == source["id"]
    assert (await content.call("DELETE", f"/feeds/{source['id']}")).status_code == 204
    assert (await content.get("/feeds"))["items"] == []
    back = await content.post("/feeds", feed_at(site))
    assert (back["id"], back["last"]["known"]) == (source["id"], 1)
    assert await waiting(content) == ["a"]


DEEP = b"<rss>" + b"<a>" * 500 + b"</a>" * 500 + b"</rss>"
BOMB = b"<!DOCTYPE rss [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]><rss><channel><title>&b;</title></channel></rss>"


async def test_what_is_no_feed_is_refused_by_field_and_rule_and_nothing_is_kept(
    content: ContentHarness, site: Site
) -> None:
    site.pages |= {
        "/html": Answer(headers={"content-type": "text/html"}, body=b"<!doctype html><p>Hello"),
        "/deep": Answer(body=DEEP),
        "/bomb": Answer(body=BOMB),
        "/large": Answer(body=b"x" * (20 * MEBIBYTE)),
        "/broken": Answer(body=b"<rss><channel>"),
        "/svg": Answer(body=b"<svg/>"),
        "/loop": Answer(302, {"location": "/loop"}),
        "/inside": Answer(302, {"location": "http://10.0.0.1/feed"}),
    }
    expected = {
        site.url("/html"): "html",
        site.url("/deep"): "too-deep",
        site.url("/bomb"): "entities",
        site.url("/large"): "too-large",
        site.url("/broken"): "not-well-formed",
        site.url("/svg"): "not-a-feed",
        site.url("/loop"): "redirects",
        site.url("/inside"): "private-address",
        site.url("/missing"): "status",
        "http://10.0.0.1/feed": "private-address",
        "http://169.254.169.254/latest/meta-data": "private-address",
        "http://[::1]/feed": "private-address",
        "http://127.0.0.1:1/feed": "connection",
        "file:///etc/passwd": "scheme",
        "https://user:secret@e.example/feed": "credentials",
        "nonsense": "scheme",
    }
    for url, rule in expected.items():
        answer = await content.call("POST", "/feeds", {**feed_at(site), "url": url})
        assert broken(answer) == {("url", rule)}, url
        assert "secret" not in answer.text
    assert (await content.get("/feeds"))["items"] == []
    assert await waiting(content) == []


async def test_files_are_a_source_too(content: ContentHarness) -> None:
    path = f"/feeds/file?program_id={PROGRAM}&language=en"
    source = (await content.upload(path, SAMPLE.read_bytes(), "application/atom+xml")).json()
    assert (source["kind"], source["url"], source["next_poll_at"]) == ("file", None, None)
    assert (source["last"]["new"], source["last"]["skipped"]) == (12, 0)
    languages = [item["variants"][0]["language"] for item in (await content.get("/items"))["items"]]
    assert set(languages) == {"fr", "en"}
    more = (await content.upload(f"/feeds/{source['id']}/entries", rss("one more"))).json()
    again = (await content.upload(f"/feeds/{source['id']}/entries", SAMPLE.read_bytes(), "text/xml")).json()
    assert (more["last"]["new"], again["last"]["new"], again["last"]["known"]) == (1, 0, 12)
    problem(await content.call("POST", f"/feeds/{source['id']}/refresh"), 409, "feed-has-no-address")


async def test_files_that_are_no_feeds_are_refused(content: ContentHarness) -> None:
    path = f"/feeds/file?program_id={PROGRAM}&language=en"
    for body, rule in [(b"<!doctype html>", "html"), (DEEP, "too-deep"), (BOMB, "entities"), (b"", "not-well-formed")]:
        assert broken(await content.upload(path, body)) == {("body", rule)}
    assert broken(await content.upload(path, b"{}", "application/json")) == {("body", "not-a-feed")}
    problem(await content.upload(path, b"{}", "text/plain"), 415, "media-type")
    problem(await content.upload(path, b" " * (5 * MEBIBYTE + 1)), 413, "body-too-large")
    large = rss("a", more=f"<description>{'x ' * MEBIBYTE}</description>")
    assert (await content.upload(path, large)).status_code == 201
    missing = await content.upload("/feeds/file?language=en", rss("a"))
    assert ("program_id", "required") in broken(missing)
    problem(await content.upload("/feeds/unknown/entries", rss("a")), 404, "not-found")
    assert len((await content.get("/feeds"))["items"]) == 1


@pytest.mark.parametrize("path", ["/feeds/file", "/feeds/{id}/entries", "/feeds/{id}/refresh"])
async def test_who_may_not_is_told_so_before_anything_else(content: ContentHarness, path: str) -> None:
    """Neither the kind of a file nor how often they tried is looked at before their right."""
    await content.know("ann", "ambassador", programs=(PROGRAM,))
    source = (await content.upload(f"/feeds/file?program_id={PROGRAM}&language=en", rss("a"))).json()
    url = f"{path.format(**source)}?program_id={PROGRAM}&language=en"
    refresh = path.endswith("refresh")
    wrong: dict[str, Any] = {} if refresh else {"content": b"x", "headers": {"content-type": "text/plain"}}
    right: dict[str, Any] = {} if refresh else {"content": b"x", "headers": {"content-type": "text/xml"}}
    content.service.runtime.settings.__dict__.update(rate_uploads="1/hour", rate_feed_refresh="1/hour")
    for _ in range(3):
        problem(await content.call("POST", url, by="ann", **wrong), 403, "role-missing")
    await content.call("POST", url, **right)
    problem(await content.call("POST", url, **right), 429, TooManyRequests.type_default)


async def test_a_feed_that_is_made_to_take_for_ever_harms_nobody() -> None:
    """Python's parser of HTML takes a second for each of these texts; the process that reads feeds gets three."""
    feeds = Feeds(GuardedFetch())
    hostile = rss(*map(str, range(100)), more=f"<description>{'&lt;a ' * 3300}</description>")
    loop = asyncio.get_running_loop()
    longest = 0.0

    async def beat() -> None:
        nonlocal longest
        while True:
            before = loop.time()
            await asyncio.sleep(0.01)
            longest = max(longest, loop.time() - before)

    heart = asyncio.ensure_future(beat())
    with pytest.raises(FeedRefused) as caught:
        await feeds.read(hostile)
    heart.cancel()
    assert caught.value.rule == "too-complex"
    assert longest < 1.0
    assert (await feeds.read(rss("a"))).title == "Blog"


async def test_identity_is_guid_and_link_over_many_looks(content: ContentHarness, site: Site) -> None:
    def feed(*pairs: tuple[str, str]) -> bytes:
        items = "".join(
            f"<item><guid>{guid}</guid><link>{link}</link><title>T{link}</title></item>" for guid, link in pairs
        )
        return f"<rss><channel><title>Blog</title>{items}</channel></rss>".encode()

    async def look(*pairs: tuple[str, str]) -> tuple[int, int]:
        site.pages["/feed"] = Answer(body=feed(*pairs))
        last = (await content.post(f"/feeds/{source['id']}/refresh"))["last"]
        return last["new"], last["known"]

    five = [("g", f"/{number}") for number in range(5)]
    site.pages["/feed"] = Answer(body=feed(*five))
    source = await content.post("/feeds", feed_at(site))
    assert source["last"]["new"] == 5
    assert await look(*five) == (0, 5)
    assert await look(("g", "/5"), *five) == (1, 5)
    assert await look(("renamed", "/5"), *five) == (0, 6)
    site.pages["/moved"] = Answer(body=feed(*five))
    site.pages["/feed"] = Answer(301, {"location": "/moved"})
    moved = await content.post(f"/feeds/{source['id']}/refresh")
    assert (moved["last"]["new"], moved["last"]["known"]) == (0, 5)


async def test_a_feed_that_was_mended_says_so_for_as_long_as_it_is_broken(content: ContentHarness, site: Site) -> None:
    async def conditional(asked: Asked, writer: asyncio.StreamWriter) -> None:
        same = asked.headers.get("if-none-match") == '"v1"'
        await Answer(304 if same else 200, {"ETag": '"v1"'}, b"" if same else rss("R & D", "b"))(asked, writer)

    site.pages["/feed"] = conditional
    source = await content.post("/feeds", feed_at(site))
    mended = [{"rule": "ampersand", "line": 1}]
    assert (source["last"]["new"], source["last"]["mended"]) == (2, mended)
    again = await content.post(f"/feeds/{source['id']}/refresh")
    assert (again["last"]["outcome"], again["last"]["mended"]) == ("unchanged", mended)
    site.pages["/feed"] = Answer(body=rss("b"))
    assert (await content.post(f"/feeds/{source['id']}/refresh"))["last"]["mended"] == []


async def test_what_leads_nowhere_waits_for_an_address(content: ContentHarness, site: Site) -> None:
    body = "<rss><channel><title>Notes</title><item><description>Only words.</description></item></channel></rss>"
    site.pages["/feed"] = Answer(body=body.encode())
    await content.post("/feeds", feed_at(site, rule="publish"))
    [item] = (await content.get("/items"))["items"]
    assert (item["state"], item["url"], item["variants"][0]["title"]) == ("in_review", None, "Only words.")
    assert broken(await content.call("POST", f"/items/{item['id']}/publish")) == {("url", "required")}
    written = {name: item[name] for name in ("program_id", "kind", "category", "variants")}
    headers = {"if-match": f'"{item["version"]}"'}
    revised = await content.call(
        "PUT", f"/items/{item['id']}", {**written, "url": "https://e.example/"}, headers=headers
    )
    assert revised.is_success, revised.text
    assert (await content.post(f"/items/{item['id']}/publish"))["state"] == "published"


async def test_a_server_that_says_when_to_come_again_is_not_asked_before(content: ContentHarness, site: Site) -> None:
    site.pages["/feed"] = Answer(body=rss("a"))
    source = await content.post("/feeds", feed_at(site))
    site.pages["/feed"] = Answer(503, {"Retry-After": "86400"})
    looked = await content.post(f"/feeds/{source['id']}/refresh")
    assert (looked["last"]["rule"], looked["next_poll_at"]) == ("status", "2026-03-02T09:00:00Z")


async def test_a_caller_does_not_wait_without_an_end_for_others(
    content: ContentHarness, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    monkeypatch.setattr(api, "PATIENCE", 0.2)
    site.pages["/feed"] = never
    refused = await content.call("POST", "/feeds", feed_at(site))
    problem(refused, 503, "overloaded")
    assert refused.headers["retry-after"] == "10"


async def test_the_reader_gets_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}
    start = asyncio.create_subprocess_exec

    async def spy(*args: Any, **options: Any) -> Any:
        given.update(options["env"])
        return await start(*args, **options)

    monkeypatch.setenv("HERALD_MONGO_URL", "mongodb://user:secret@db")
    monkeypatch.setattr(asyncio, "create_subprocess_exec", spy)
    await Feeds(GuardedFetch()).read(rss("a"))
    assert "PATH" in given
    assert "secret" not in str(given)


async def test_the_worker_looks_at_feeds_by_itself_and_waits_longer_after_failures(
    harness: Harness, site: Site
) -> None:
    service, clock = make(harness)
    async with harness.api(service) as client:
        content = ContentHarness(harness, service, client, clock)
        await content.know("editor", "editor")
        site.pages |= {"/good": Answer(body=rss("a")), "/bad": Answer(body=rss("b"))}
        good = await content.post("/feeds", feed_at(site, "/good", rule="publish"))
        bad = await content.post("/feeds", feed_at(site, "/bad"))
        site.pages |= {"/good": Answer(body=rss("a2", "a")), "/bad": Answer(500)}
        clock.advance(timedelta(minutes=16))
        async with harness.worker(service):

            async def results() -> list[Any]:
                return [(await content.get(f"/feeds/{one['id']}"))["last"]["at"] for one in (good, bad)]

            await eventually(results, until=lambda found: found == ["2026-03-01T09:16:00Z"] * 2)
            events = await eventually(lambda: harness.events("herald.content"), until=lambda found: len(found) == 5)
            assert sum(isinstance(event.data, ContentPublished) for event in events) == 2
            submitted = [event.data for event in events if isinstance(event.data, ContentSubmitted)]
            assert {(one.origin, one.source_id) for one in submitted} == {("feed", good["id"]), ("feed", bad["id"])}
        failed = await content.get(f"/feeds/{bad['id']}")
        assert (failed["last"]["outcome"], failed["last"]["rule"], failed["failures"]) == ("failed", "status", 1)
        assert failed["next_poll_at"] == "2026-03-01T09:46:00Z"
        assert (await content.get(f"/feeds/{good['id']}"))["next_poll_at"] == "2026-03-01T09:31:00Z"
        metrics = (await client.get("/metrics")).text
        assert 'herald_content_feed_looks_total{outcome="failed"' in metrics
    await service.runtime.close()


async def test_a_hostile_source_is_counted_spaced_and_shown_and_holds_up_no_other(
    harness: Harness, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever reading a feed raises, or taking it in, is a failure of that source."""
    service, clock = make(harness)
    async with harness.api(service) as client:
        content = ContentHarness(harness, service, client, clock)
        await content.know("editor", "editor")
        names = ("before", "raises", "refused", "after")
        site.pages |= {f"/{name}": Answer(body=rss(name)) for name in names}
        sources = {name: await content.post("/feeds", feed_at(site, f"/{name}")) for name in names}
        site.pages |= {f"/{name}": Answer(body=rss(f"{name}-2", name)) for name in names}
        parse, record = Feeds._read, commands.record_look

        async def reads(self: Feeds, body: bytes, *said: str) -> Any:
            if b"raises-2" in body:
                raise UnicodeError("label too long")
            return await parse(self, body, *said)

        async def records(context: Any, tx: Any, id: str, got: Any, **options: Any) -> Any:
            if id == sources["refused"]["id"] and not isinstance(got, FeedRefused):
                raise OverflowError("a day after the last one")
            return await record(context, tx, id, got, **options)

        monkeypatch.setattr(Feeds, "_read", reads)
        monkeypatch.setattr(commands, "record_look", records)
        clock.advance(timedelta(minutes=16))
        lease = Lease(service.runtime.mongo, service.runtime.supervisor, "job:look-at-feeds")
        assert await lease.acquire()
        await jobs.look_at_feeds(service.context, JobContext(lease, asyncio.Event()))
        await lease.release()
        shown = {name: await content.get(f"/feeds/{sources[name]['id']}") for name in names}
        outcomes = {name: (one["last"]["outcome"], one["failures"]) for name, one in shown.items()}
        assert outcomes["raises"] == outcomes["refused"] == ("failed", 1)
        assert outcomes["before"] == outcomes["after"] == ("ok", 0)
        assert {shown[name]["last"]["rule"] for name in ("raises", "refused")} == {"failed"}
        assert {shown[name]["next_poll_at"] for name in ("raises", "refused")} == {"2026-03-01T09:46:00Z"}
        assert {shown[name]["next_poll_at"] for name in ("before", "after")} == {"2026-03-01T09:31:00Z"}
    await service.runtime.close()


async def test_a_source_that_goes_while_it_is_looked_at_leaves_nothing(content: ContentHarness, site: Site) -> None:
    site.pages["/feed"] = Answer(body=rss("a"))
    source = await content.post("/feeds", feed_at(site))

    async def vanish(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await content.call("DELETE", f"/feeds/{source['id']}")
        await Answer(body=rss("a", "b"))(asked, writer)

    site.pages["/feed"] = vanish
    gone = await content.call("POST", f"/feeds/{source['id']}/refresh")
    problem(gone, 404, NotFound.type_default)
    assert await waiting(content) == ["a"]


async def test_the_same_file_is_one_source(content: ContentHarness) -> None:
    path = f"/feeds/file?program_id={PROGRAM}&language=en"
    first = (await content.upload(path, rss("a"))).json()
    again = problem(await content.upload(path, rss("a")), 409, "feed-exists")
    assert again["id"] == first["id"]
    other = (await content.upload(path, rss("b"))).json()
    assert other["id"] != first["id"]
    assert len((await content.get("/feeds"))["items"]) == 2


async def test_a_source_that_is_paused_is_not_due_until_it_is_resumed(content: ContentHarness) -> None:
    async def due() -> list[str]:
        later = content.clock.now() + timedelta(days=2)
        return [one.id for one in await content.service.context.store.due(later, 10)]

    source = (await content.upload(f"/feeds/file?program_id={PROGRAM}&language=en", rss("a"))).json()
    await content.service.context.store.sources.update_one(
        {"_id": source["id"]}, {"$set": {"url": "https://a.example/feed", "next_poll_at": content.clock.now()}}
    )
    assert await due() == [source["id"]]
    for _ in range(2):
        paused = (await content.call("POST", f"/feeds/{source['id']}/pause")).json()
        assert (paused["paused_at"] is not None, paused["next_poll_at"]) == (True, None)
    assert await due() == []
    resumed = (await content.call("POST", f"/feeds/{source['id']}/resume")).json()
    assert (resumed["paused_at"], await due()) == (None, [source["id"]])


async def test_feeds_are_found_by_a_part_of_their_title(content: ContentHarness) -> None:
    source = (await content.upload(f"/feeds/file?program_id={PROGRAM}&language=en", rss("Water"))).json()
    title = (await content.get(f"/feeds/{source['id']}"))["title"]
    found = await content.get("/feeds", params={"query": title[1:].upper()})
    assert ([one["id"] for one in found["items"]], found["total"]) == ([source["id"]], 1)
    assert (await content.get("/feeds", params={"query": ".*"}))["total"] == 0


async def test_items_are_found_by_beginnings_of_words_of_their_titles(content: ContentHarness) -> None:
    await content.upload(f"/feeds/file?program_id={PROGRAM}&language=en", rss("Énergie solaire", "Water"))
    found = await content.get("/items?query=SOLAI%20energ")
    assert (found["total"], len(found["items"])) == (1, 1)
    assert (await content.get("/items?query=nergie"))["total"] == 0
    assert (await content.get("/items"))["total"] == 2
    await content.service.context.store.items.update_many({}, {"$unset": {"terms": ""}})
    await content.service.context.store.ensure_indexes()
    assert (await content.get("/items?query=water"))["total"] == 1
