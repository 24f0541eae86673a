"""Pages of the hub alone, with what no first day brings: eight people of one name, and feeds that are paused."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.e2e.alone import Network, page_of
from tests.e2e.people import DEVICES
from tests.infra import Infra
from tests.integration.hub.apis import Apis
from tests.integration.hub.harness import URL, open_browser
from tests.integration.hub.harness import Browser as Hub

pytestmark = pytest.mark.xdist_group("e2e")
NAME = "Marie Martin"
PLACES = [("Sales", "Lyon"), ("Sales", "Lille"), ("Sales", "Nice"), *((f"Team {number}", None) for number in range(5))]
"""Eight of one name, three of them in one team."""


@pytest_asyncio.fixture(loop_scope="session")
async def hub(infra: Infra, namespace: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hub]:
    async with open_browser(infra, namespace, monkeypatch) as found:
        yield found


def namesake(number: int) -> dict[str, Any]:
    team, site = PLACES[number]
    shown = {"id": f"m{number}", "person_id": f"m{number}", "name": NAME, "team": team, "site": site, "country": "FR"}
    return {**shown, "email": f"marie.martin{number}@herald.example", "active": True, "merged_into": None}


class Namesakes(Apis):
    """APIs in which everybody has one name."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path, everybody = request.url.path, [namesake(number) for number in range(len(PLACES))]
        answer = super().__call__(request)
        found: Any = answer.json() if answer.content else None
        if path == "/v1/people/names":
            found = {"names": {one["id"]: one for one in everybody}}
        elif path == "/v1/people/m0":
            found |= everybody[0]
        elif path == "/v1/people/m1":
            found |= everybody[1]
        elif path.endswith(("/v1/people", "/ambassadors")):
            found |= {"items": [{**found["items"][0], **one} for one in everybody], "next": None}
        elif path.endswith("/leaderboard"):
            rows = [{**found["items"][0], "person_id": one["id"], "me": False} for one in everybody]
            found |= {"items": [] if "around" in request.url.params else rows, "next": None}
        elif path.endswith("/invitations"):
            found |= {"invited": len(everybody), "people": everybody}
        elif path == "/v1/audit":
            acts = [{**found["items"][0], "object_type": "person", "object_id": one["id"]} for one in everybody]
            found |= {"items": acts, "next": None}
        else:
            return answer
        return httpx.Response(200, json=found, headers={"etag": '"3"'})


async def told_apart(page: Page, where: str, count: int = len(PLACES)) -> None:
    """Every entry with the name says something that no other one does, beside its rank and figures."""
    entries = page.locator(f"{where} li", has_text=NAME)
    await expect(entries).to_have_count(count)
    texts = await entries.evaluate_all(
        """(entries) => entries.map((entry) => {
            const copy = entry.cloneNode(true);
            copy.querySelectorAll(".rank, .amount, .number, .step, time, [hidden]").forEach((one) => one.remove());
            return copy.textContent.replace(/\\s+/g, " ").trim();
        })"""
    )
    assert len(set(texts)) == count, texts


@pytest.mark.parametrize("device", DEVICES)
async def test_namesakes_are_told_apart_wherever_they_are_listed(browser: Browser, hub: Hub, device: str) -> None:
    hub.context.http._transport = httpx.MockTransport(Namesakes())
    await hub.sign_in()
    async with page_of(browser, Network(hub), device) as page:
        await page.goto(f"{URL}/leaderboard")
        await told_apart(page, "main")
        await page.goto(f"{URL}/admin/people?query=marie")
        await told_apart(page, "main")
        await page.goto(f"{URL}/admin/audit")
        await told_apart(page, "main .list")
        await page.goto(f"{URL}/admin/people/m0/merge?query=marie")
        await told_apart(page, "main", len(PLACES) - 1)
        await page.locator("main form button", has_text=re.compile("même|same", re.IGNORECASE)).first.click()
        await page.locator("input[name=confirmed]").wait_for(state="attached")
        await told_apart(page, "main", 2)
        await page.goto(f"{URL}/manage/ambassadors?query=marie")
        await told_apart(page, "main .split > section")
        await told_apart(page, "#by-name")
        await page.locator("#by-name [name=person]").first.check()
        await page.locator("#by-name form[method=post] button").click()
        await page.locator("input[name=confirmed]").wait_for(state="attached")
        await told_apart(page, "main")


class Feeds(Apis):
    """APIs that have one feed, by its address."""

    paused: Any = None
    removed: Any = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path, answer = request.url.path, super().__call__(request)
        feed = {"id": "f1", "title": "Presse", "url": "https://www.example.com/feed", "paused_at": self.paused}
        if path == "/v1/feeds":
            found = answer.json()
            items = [] if self.removed else [{**found["items"][0], **feed}]
            return httpx.Response(200, json={**found, "items": items, "next": None, "total": len(items)})
        if path == "/v1/feeds/f1" and request.method == "GET":
            return httpx.Response(200, json={**answer.json(), **feed})
        if path == "/v1/feeds/f1":
            self.removed = True
        elif path.endswith(("/pause", "/resume")):
            self.paused = "2026-03-02T09:30:00Z" if path.endswith("/pause") else None
        return answer


@pytest.mark.parametrize("device", DEVICES)
async def test_a_feed_is_paused_resumed_and_removed_by_its_buttons(browser: Browser, hub: Hub, device: str) -> None:
    feeds = Feeds()
    hub.context.http._transport = httpx.MockTransport(feeds)
    await hub.sign_in()
    async with page_of(browser, Network(hub), device) as page:
        await page.goto(f"{URL}/editor/feeds")
        await page.locator('form[action="/editor/feeds/f1/pause"] button').click()
        await page.locator('main form[action="/editor/feeds/f1/resume"]').wait_for()
        assert bool(feeds.paused)
        await expect(page.locator("main .tag", has_text="Suspendu")).to_be_visible()
        await page.locator(".toast[role=status] form[data-undo] button").click()
        await page.locator('main form[action="/editor/feeds/f1/pause"]').wait_for()
        assert not feeds.paused
        await page.locator('main form[action="/editor/feeds/f1/pause"] button').click()
        await page.locator('main form[action="/editor/feeds/f1/resume"] button').click()
        await page.locator('main form[action="/editor/feeds/f1/pause"]').wait_for()
        assert not feeds.paused
        await page.locator('form[action="/editor/feeds/f1/remove"] button').click()
        await page.locator("input[name=confirmed]").wait_for(state="attached")
        await expect(page.locator("main")).to_contain_text("https://www.example.com/feed")
        assert not feeds.removed, "removed before it was confirmed"
        await page.locator("main form button[data-first]").click()
        await expect(page.locator("main .empty")).to_be_visible()
        assert feeds.removed
