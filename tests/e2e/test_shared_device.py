"""Two people at one device: nothing of the first is left for the second, with a network or without."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.people import CheckedPage, becomes_true, sign_in, signed_in
from tests.e2e.stack import Stack

pytestmark = pytest.mark.xdist_group("e2e-doors")
LEFT = """async () => {
    const found = [];
    for (const name of await caches.keys()) {
        const cache = await caches.open(name);
        for (const request of await cache.keys()) {
            const text = await (await cache.match(request)).text();
            if (!request.url.includes("/static/")) found.push([new URL(request.url).pathname, text]);
        }
    }
    return [found, JSON.stringify(localStorage) + JSON.stringify(sessionStorage)];
}"""


async def left_of(page: Page, *marks: str) -> list[str]:
    """Where the device keeps something of a person."""
    kept, storage = await page.evaluate(LEFT)
    found = [path for path, text in kept if any(mark in text for mark in marks)]
    return found + (["storage"] if any(mark in storage for mark in marks) else [])


async def keep_feed(seen: CheckedPage, url: str) -> None:
    page = seen.page
    await page.evaluate("navigator.serviceWorker.ready")
    await becomes_true(page, "navigator.serviceWorker.controller !== null")
    await page.goto(f"{url}/feed")
    await becomes_true(page, "caches.match('/feed').then(Boolean)")
    assert await left_of(page, "Amina") == ["/feed"]


async def without_network(page: Page, url: str) -> None:
    """What the feed's address shows is for anybody."""
    await page.context.set_offline(True)
    await page.goto(f"{url}/feed")
    await expect(page.locator("h2")).to_have_text(re.compile("hors ligne|offline"))
    assert "Amina" not in await page.content()
    await page.context.set_offline(False)


async def test_nothing_is_left_after_a_sign_out(browser: Browser, stack: Stack) -> None:
    async with signed_in(browser, stack.url, "amina", "phone") as seen:
        page = seen.page
        await keep_feed(seen, stack.url)
        await page.goto(f"{stack.url}/menu")
        await page.locator('form[action="/auth/sign-out"] button').click()
        await page.locator('a[href^="/auth/sign-in"]').wait_for()
        assert await left_of(page, "Amina") == []
        await page.evaluate("navigator.serviceWorker.ready")
        await without_network(page, stack.url)
        await page.go_back()
        assert "Amina" not in await page.locator("body").inner_text()


async def test_the_worker_forgets_by_itself_where_a_browser_clears_nothing(browser: Browser, stack: Stack) -> None:
    async with signed_in(browser, stack.url, "amina", "phone") as seen:
        await keep_feed(seen, stack.url)
        await seen.page.goto(f"{stack.url}/auth/nothing")
        assert await left_of(seen.page, "Amina") == []
        await without_network(seen.page, stack.url)


async def test_nothing_is_left_where_another_signs_in_without_a_sign_out(browser: Browser, stack: Stack) -> None:
    async with signed_in(browser, stack.url, "amina", "phone") as seen:
        page = seen.page
        await keep_feed(seen, stack.url)
        await page.context.clear_cookies()
        await sign_in(page, stack.url, "marc")
        assert await left_of(page, "Amina") == []
        await without_network(page, stack.url)


async def test_a_session_that_begins_elsewhere_forgets_what_another_left(browser: Browser, stack: Stack) -> None:
    async with (
        signed_in(browser, stack.url, "amina", "phone") as seen,
        signed_in(browser, stack.url, "marc", "phone") as other,
    ):
        page = seen.page
        await keep_feed(seen, stack.url)
        await page.context.clear_cookies()
        await page.context.add_cookies(await other.page.context.cookies())  # type: ignore[arg-type]
        await page.goto(f"{stack.url}/me")
        assert await left_of(page, "Amina") == []
