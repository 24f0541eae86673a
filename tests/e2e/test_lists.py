"""Forms as people fill them: from lists with how many are there, rates in percent, refusals beside what they are about,
in the reader's language."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, expect

from tests.browser import accessibility_findings
from tests.e2e.people import look_at_programme, signed_in
from tests.e2e.stack import Stack

pytestmark = pytest.mark.xdist_group("e2e")


@pytest.mark.parametrize("device", ["phone", "desktop"])
async def test_a_manager_chooses_from_lists_and_types_a_rate_in_percent(
    browser: Browser, stack: Stack, device: str
) -> None:
    async with signed_in(browser, stack.url, "marc", device) as seen:
        page = seen.page
        await page.goto(f"{stack.url}/manage/program")
        await page.click('a[href="/manage/objectives"]')
        await page.click('a[href="/manage/objectives/new"]')
        aim = page.locator("form.aim")
        await aim.locator("#kpi").select_option("shares")
        await expect(aim.locator(".unit").first).to_be_hidden()
        await aim.locator("#kpi").select_option("participation_rate")
        await expect(aim.locator(".unit").first).to_be_visible()
        await aim.locator("[name=measure]").uncheck()
        await aim.locator("#baseline").fill("0")
        await aim.locator("#title").fill(f"Une sur trois, {device}")
        await aim.locator("#target").fill("many")
        await aim.locator("#starts_on").fill("2026-01-01")
        await aim.locator("#ends_on").fill("2026-12-31")
        await aim.locator("button").click()
        await expect(page.locator("main")).to_contain_text("Il faut un nombre, comme 12,5.")
        assert await accessibility_findings(page) == []
        await page.locator("#target").fill("35,5")
        await page.locator("form.aim button").click()
        await page.wait_for_url("**/manage/objectives?*")
        card = page.locator("li.card", has_text=f"Une sur trois, {device}")
        await expect(card).to_contain_text("35,5")
        assert await accessibility_findings(page) == []
        await card.locator('form[action$="/withdraw"] button').click()
        await expect(card).to_have_count(0)
        await page.click("[data-undo] button")
        await expect(card).to_contain_text("Taux de participation")
        await card.locator("a", has_text="Modifier").click()
        await expect(page.locator("#target")).to_have_value("35,5")
        await page.goto(f"{stack.url}/manage")
        await expect(page.locator("#charts")).to_contain_text(f"Une sur trois, {device}")
        assert await accessibility_findings(page) == []

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


@pytest.mark.parametrize("device", ["phone", "desktop"])
async def test_how_many_an_item_reaches_is_said_while_one_ticks(browser: Browser, stack: Stack, device: str) -> None:
    emma, path = "emma@herald.example", f"/program/v1/programs/{stack.program_id}/audience"
    everybody = (await stack.api.post(emma, path, {}))["ambassadors"]
    lyon = (await stack.api.post(emma, path, {"sites": ["Lyon"]}))["ambassadors"]
    assert 0 < lyon < everybody
    async with signed_in(browser, stack.url, "emma", device) as seen:
        page = seen.page
        await look_at_programme(page, stack.program_id)
        await page.goto(f"{stack.url}/editor/new")
        reached = page.locator("#audience")
        await expect(reached).to_contain_text(re.compile(rf"reaches {everybody} ambassadors?\."))
        sent: list[str] = []
        page.on("request", lambda one: sent.append(one.post_data or "") if one.url.endswith("/audience") else None)
        await page.fill("#title_en", "Not for counting")
        await page.locator('[name="sites"][value="Lyon"]').check()
        await expect(reached).to_contain_text(re.compile(rf"reaches {lyon} ambassadors?\."))
        assert sent
        assert "counting" not in "".join(sent), "more is sent than what is counted"
        await page.locator('[name="countries"][value="DE"]').check()
        await expect(reached).to_contain_text("reaches nobody")
        assert await accessibility_findings(page) == []
        await page.fill("#url", "https://www.example.com/lyon")
        await page.locator('[name="countries"][value="DE"]').uncheck()
        await page.click('button[name="then"][value="publish"]')
        await expect(page.locator("main")).to_contain_text(re.compile(rf"{lyon} ambassadors? will see it"))
        await expect(page.locator("main")).to_contain_text("Meant for: Lyon")
        assert seen.complaints == []


async def test_a_programme_is_opened_to_everybody_once_asked_and_closed_by_undoing_it(
    browser: Browser, stack: Stack
) -> None:
    path = f"/program/v1/programs/{stack.program_id}"

    async def is_open() -> bool:
        return bool((await stack.api.get("marc@herald.example", path))["open"])

    async with signed_in(browser, stack.url, "marc", "phone") as seen:
        page = seen.page
        await look_at_programme(page, stack.program_id)
        await page.goto(f"{stack.url}/manage/program")
        await expect(page.locator("#joining")).to_contain_text("Sur invitation seulement.")
        await page.click("#joining button")
        await expect(page.locator("main")).to_contain_text(re.compile(r"\d+ personnes? de plus dans l’entreprise"))
        assert not await is_open()
        await page.click("main button[data-first]")
        await expect(page.locator("#joining")).to_contain_text("Toute personne de l’entreprise peut participer.")
        assert await is_open()
        await page.click("[data-undo] button")
        await expect(page.locator("#joining")).to_contain_text("Sur invitation seulement.")
        assert not await is_open()
        assert await accessibility_findings(page) == []
        assert seen.complaints == []
