"""Forms as people fill them: from lists with how many are there, rates in percent, refusals beside what they are about,
in the reader's language."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, expect

from tests.browser import accessibility_findings
from tests.e2e.people import signed_in
from tests.e2e.stack import Stack

pytestmark = [pytest.mark.xdist_group("e2e"), pytest.mark.timeout(300)]


@pytest.mark.parametrize("device", ["phone", "desktop"])
async def test_a_manager_chooses_from_lists_and_types_a_rate_in_percent(
    browser: Browser, stack: Stack, device: str
) -> None:
    async with signed_in(browser, stack.url, "marc", device) as seen:
        page = seen.page
        await page.goto(f"{stack.url}/manage/program")
        aim = page.locator("form.aim")
        await aim.locator("#kpi").select_option("shares")
        await expect(aim.locator(".unit").first).to_be_hidden()
        await aim.locator("#kpi").select_option("participation_rate")
        await expect(aim.locator(".unit").first).to_be_visible()
        await aim.locator("#baseline").fill("0")
        await aim.locator("#target").fill("many")
        await aim.locator("#starts_on").fill("2026-01-01")
        await aim.locator("#ends_on").fill("2026-12-31")
        await aim.locator("button").click()
        await expect(page.locator("main")).to_contain_text("Il faut un nombre, comme 12,5.")
        assert await accessibility_findings(page) == []
        await page.locator("#target").fill("35,5")
        await page.locator("form.aim button").click()
        await page.wait_for_url("**/manage/program?*")
        await expect(page.locator("#target")).to_have_value("35,5")

        await page.goto(f"{stack.url}/manage/ambassadors")
        countries = page.locator("fieldset", has=page.locator('[name="countries"]'))
        await expect(countries.locator("label", has_text="France")).to_contain_text(re.compile(r"\d personnes?"))
        teams = page.locator("fieldset", has=page.locator('[name="teams"]'))
        first = await teams.locator("bdi").first.inner_text()
        search = teams.locator("[data-filter]")
        if await search.count():
            await search.fill(first.upper())
            await expect(teams.locator("label", has_text=first).first).to_be_visible()
            await search.fill("no such team")
            await expect(teams.locator("label:visible")).to_have_count(0)
            await search.press("Enter")
            await expect(page).to_have_url(f"{stack.url}/manage/ambassadors")
        assert await accessibility_findings(page) == []
        assert seen.complaints == []
