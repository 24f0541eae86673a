"""A leader asks a colleague to prepare; the colleague writes a draft, and the leader alone shares it, on a phone."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.people import becomes_true, look_at_programme, signed_in
from tests.e2e.stack import Stack
from tests.integration.harness import eventually

pytestmark = pytest.mark.xdist_group("e2e")
WORDS = "I was there when it started. Ask me how it went."
CONFIRM = 'input[name="confirmed"] ~ button'


async def posts(stack: Stack, persona: str) -> int:
    found = await stack.api.get(f"{persona}@herald.example", "/sharing/v1/posts", limit=100)
    return len(found["items"])


async def asked(page: Page, url: str) -> None:
    """The leader names a colleague, and says yes to what that means."""
    await page.goto(f"{url}/lead")
    await page.locator("#person").fill("jonas@herald.example")
    await page.locator('form[action="/lead/deputies"] button').click()
    await page.locator(CONFIRM).click()
    await expect(page.locator("#deputies li")).to_contain_text("Jonas Weber")


async def prepared(page: Page, url: str) -> None:
    """The colleague finds the question on their start page, accepts and prepares the first item."""
    await page.goto(f"{url}/feed")
    await page.locator('.notice a[href="/deputy"]').click()
    await page.locator('form[action$="/accept"] button').click()
    await page.locator('main a[href$="/items"]').click()
    await page.locator('main a[href*="/items/"]').first.click()
    await page.locator("#caption").fill(WORDS)
    await page.locator("main form button").click()
    await expect(page.locator("main li")).to_contain_text(WORDS)


async def test_a_deputy_prepares_and_the_leader_shares(browser: Browser, stack: Stack) -> None:
    shared = {who: await posts(stack, who) for who in ("lea", "jonas")}
    async with signed_in(browser, stack.url, "lea", "phone") as lea, signed_in(
        browser, stack.url, "jonas", "desktop"
    ) as jonas:  # fmt: skip
        for one in (lea, jonas):
            await look_at_programme(one.page, stack.program_id)
        await asked(lea.page, stack.url)
        await prepared(jonas.page, stack.url)
        await lea.page.goto(f"{stack.url}/feed")
        await lea.page.locator('.notice a[href="/lead"]').click()
        await expect(lea.page.locator("main")).to_contain_text(WORDS)
        await lea.page.locator('[data-network="linkedin"]').first.click()
        await expect(lea.page.locator("#caption")).to_have_value(WORDS)
        await becomes_true(lea.page, "!document.querySelector('[data-settling]')")
        await lea.page.locator("#sheet [data-share]").click()
        await expect(lea.page.locator("[data-shared]")).to_be_visible()

        async def gone() -> bool:
            await lea.page.goto(f"{stack.url}/lead")
            return WORDS not in await lea.page.locator("main").inner_text()

        await eventually(gone)
        await expect(lea.page.locator("#own")).to_be_visible()
        await lea.page.locator('#deputies form[action$="/end"] button').click()
        await lea.page.locator(CONFIRM).click()
        await expect(lea.page.locator("#deputies li")).to_have_count(0)
        assert (lea.complaints, jonas.complaints) == ([], [])
    now = {who: await posts(stack, who) for who in ("lea", "jonas")}
    assert now == {"lea": shared["lea"] + 1, "jonas": shared["jonas"]}
