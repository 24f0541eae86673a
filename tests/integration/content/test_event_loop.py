"""Content keeps its event loop for no input that it accepts."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from services.content.domain import items
from tests.integration.content.harness import PROGRAM, ContentHarness, order
from tests.integration.event_loop import check_doors, quick

ENTRY = "<item><title>{n}</title><link>https://www.example.com/{n}</link><description>{words}</description></item>"
FEEDS = {
    "entries": "".join(ENTRY.format(n=n, words="&lt;b&gt;" * 20) for n in range(20_000)),
    "levels": "<a>" * 400_000,
    "text": ENTRY.format(n=1, words="&lt;p&gt;" * 300_000),
    "marks": ENTRY.format(n=1, words="&amp;" * 600_000),
}
MOST_TEXT = 1850
"""Bytes of text in each of 500 rows of a body."""
LANGUAGES = [f"{first}{second}" for first in "abcd" for second in "abcde"]


def worst_item(number: int = 0, letter: str = "é") -> dict[str, Any]:
    captions = [
        {"language": LANGUAGES[one % 20], "text": f"{one} {letter}" + letter * (items.MAX_CAPTION - 10)}
        for one in range(items.MAX_CAPTIONS_TEXT // items.MAX_CAPTION)
    ]
    variants = [
        {"language": one, "title": letter * items.MAX_TITLE, "summary": letter * items.MAX_SUMMARY}
        for one in LANGUAGES[: items.MAX_VARIANTS]
    ]
    targeting = {"countries": [], "teams": [f"{number} {one} {letter * 150}" for one in range(items.MAX_TEAMS)]}
    return order(variants=variants, captions=captions, targeting=targeting, url=f"https://www.example.com/{number}")


async def test_items_and_feeds_of_long_ones(content: ContentHarness) -> None:
    await content.know("ann", "ambassador", programs=(PROGRAM,))
    client, headers = content._client, content.harness.bearer("editor")
    for letter in ("é", "a\u200b", "漢"):
        made = await quick(client, "POST", "/v1/items", json=worst_item(0, letter), headers=headers)
        assert made.status_code in (201, 422), made.text[:300]
    for number in range(12):
        body = {**worst_item(number), "targeting": {}}
        item = await content.post("/items", body)
        await content.post(f"/items/{item['id']}/submit")
        await quick(client, "POST", f"/v1/items/{item['id']}/publish", headers=headers)
    seen, cursor = 0, None
    while cursor or not seen:
        params = {"limit": 100, **({"cursor": cursor} if cursor else {})}
        page = (await quick(client, "GET", "/v1/items", params=params, headers=headers)).json()
        seen, cursor = seen + len(page["items"]), page["next"]
    assert seen >= 12
    feed = await quick(client, "GET", "/v1/feed", params={"limit": 100}, headers=content.harness.bearer("ann"))
    assert 0 < len(feed.json()["items"]) < 12
    assert feed.json()["next"]


@pytest.mark.parametrize("name", FEEDS)
async def test_feeds(content: ContentHarness, name: str) -> None:
    body = f"<rss version='2.0'><channel><title>x</title>{FEEDS[name]}</channel></rss>".encode()
    headers = {**content.harness.bearer("editor"), "content-type": "application/rss+xml"}
    params = {"program_id": PROGRAM, "language": "en"}
    await quick(content._client, "POST", "/v1/feeds/file", content=body, params=params, headers=headers)


@pytest.mark.parametrize("letters", ["ab", "a ", "é", "\u0628\u200d"])
async def test_history(content: ContentHarness, letters: str) -> None:
    """500 rows of the longest titles, with summaries as long as the body may be."""
    await content.know("max", "manager")
    headers = content.harness.bearer("max")
    long = MOST_TEXT // len(letters.encode()) * len(letters)
    title = (letters * 300)[: min(items.MAX_TITLE, long // 2)]
    rows = [
        {
            "id": f"I{number}",
            "url": f"https://www.example.com/{number}",
            "title": title,
            "summary": (letters * 2000)[: long - len(title)],
            "published_at": "2026-02-02T00:00:00Z",
        }
        for number in range(500)
    ]
    body = {"program_id": PROGRAM, "source": "old", "items": rows}
    sent = orjson.dumps(body)
    assert 800_000 < len(sent) < 1 << 20
    headers = {**headers, "content-type": "application/json"}
    answer = await quick(content._client, "POST", "/v1/history/items", content=sent, headers=headers)
    assert answer.status_code == 200, answer.text[:300]
    named = {"program_id": PROGRAM, "source": "old", "items": [row["url"] for row in rows]}
    await quick(content._client, "POST", "/v1/items/resolve", json=named, headers=headers)


async def test_doors(content: ContentHarness) -> None:
    await content.know("root", "editor", "manager", "admin")
    await check_doors(content.service, content._client, content.harness.bearer("root"))
