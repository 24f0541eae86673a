"""Items of the past: known to figures and posts, in feeds only where they may still be shared."""

from __future__ import annotations

from typing import Any

from tests.integration.content.harness import PROGRAM, ContentHarness, order

OLD = {
    "id": "I-1",
    "url": "https://www.example.com/plant",
    "title": "Our first plant",
    "language": "en",
    "published_at": "2025-09-14T08:00:00Z",
}


def rows(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"program_id": PROGRAM, "source": "old", "items": [OLD | item for item in items], **more}


async def send(content: ContentHarness, *items: dict[str, Any], **more: Any) -> list[tuple[str, str, str]]:
    await content.know("max", "manager")
    answer = await content.post("/history/items", rows(*items, **more), by="max")
    return [(one["outcome"], one["field"], one["rule"]) for one in answer["items"]]


async def test_what_may_be_shared_stands_in_feeds_under_its_own_day_and_the_rest_does_not(
    content: ContentHarness,
) -> None:
    await content.know("ada", "ambassador", programs=(PROGRAM,))
    await content.published(title="News")
    ways: list[dict[str, Any]] = [
        {"shareable": True},
        {"id": "I-2", "url": "https://www.example.com/over", "title": "Over"},
        {"id": "I-3", "url": "https://www.example.com/gone", "title": "Gone", "retired_at": "2025-10-01T08:00:00Z"},
    ]
    assert await send(content, *ways) == [("new", "", "")] * 3
    feed = (await content.get("/feed", by="ada"))["items"]
    assert [(item["title"], item["imported"]) for item in feed] == [("News", False), ("Our first plant", True)]
    told = (await content.emitted())[-5:]
    assert told == ["ContentPublished", "ContentPublished", "ContentRetired", "ContentPublished", "ContentRetired"]
    listed = {item["variants"][0]["title"]: item for item in (await content.get("/items"))["items"]}
    assert (listed["Over"]["origin"], listed["Over"]["state"]) == ("imported", "retired")
    assert listed["Gone"]["retired_at"] == "2025-10-01T08:00:00Z"


async def test_the_same_rows_again_change_nothing_and_a_preview_writes_nothing(content: ContentHarness) -> None:
    items = content.service.runtime.mongo.db["items"]
    assert await send(content, {}, preview=True) == [("new", "", "")]
    assert await items.count_documents({}) == 0
    assert await content.emitted() == []
    await send(content, {})
    assert await send(content, {}) == [("known", "", "")]
    assert await send(content, {"title": "Other words"}) == [("refused", "id", "reused")]
    assert await items.count_documents({}) == 1
    assert await content.emitted() == ["ContentPublished", "ContentRetired"]


async def test_an_address_that_is_there_is_that_item(content: ContentHarness) -> None:
    known = await content.post("/items", order(url=OLD["url"]))
    assert await send(content, {}, {"id": "I-2", "url": "HTTPS://www.Example.com:443/plant"}) == [("known", "", "")] * 2
    asked = {"program_id": PROGRAM, "source": "old", "items": ["I-1", "I-2", OLD["url"], "I-9", "https://x.example"]}
    found = (await content.post("/items/resolve", asked, by="max"))["items"]
    assert {name: one["id"] for name, one in found.items()} == dict.fromkeys(["I-1", "I-2", OLD["url"]], known["id"])
    assert found["I-1"]["title"] == "Title"


async def test_titles_are_cleaned_as_an_editors_are(content: ContentHarness) -> None:
    await send(content, {"title": "  Our\u202e first\u00a0 plant "})
    [item] = (await content.get("/items"))["items"]
    assert item["variants"][0]["title"] == "Our first plant"
    answer = await content.call("POST", "/history/items", rows({"id": "I-2", "title": "\u200b \u202e"}), by="max")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "items.0.title")


async def test_a_row_that_breaks_a_rule_is_refused_by_name(content: ContentHarness) -> None:
    wrong: list[dict[str, Any]] = [
        {"published_at": "2999-01-01T00:00:00Z"},
        {"id": "I-2", "retired_at": "2025-09-14T08:00:00Z"},
        {"id": "I-3", "published_at": "1999-01-01T00:00:00Z"},
    ]
    assert await send(content, *wrong) == [
        ("refused", "published_at", "future"),
        ("refused", "retired_at", "order"),
        ("refused", "published_at", "too-early"),
    ]
    answer = await content.call("POST", "/history/items", rows({"url": "ftp://x.example"}), by="max")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "items.0.url")
    assert (await content.call("POST", "/history/items", rows({}))).status_code == 403
