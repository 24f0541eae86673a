"""A manager sets an empty programme up from each of the three templates, and sees what there is to do."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser import accessibility_findings
from tests.e2e.people import look_at_programme, signed_in
from tests.e2e.stack import MANAGER, Stack
from tests.integration.harness import eventually

pytestmark = [pytest.mark.xdist_group("e2e"), pytest.mark.timeout(300)]
TEMPLATES = {
    "visibility": ("La moitié de nos ambassadeurs partagent", "Conférence de rédaction"),
    "experts": ("Experts qui publient", "Interroger un expert vingt minutes"),
    "consultants": ("Six ambassadeurs sur dix partagent", "Trouver un relais dans chaque pays"),
}
"""An objective and a task of each."""


async def empty_program(stack: Stack, name: str) -> str:
    """A programme that nothing was set in; `gamification` knows it."""
    consent = {"fr": "Je participe de mon plein gré.", "en": "I take part of my own free will."}
    order = {"name": name, "time_zone": "Europe/Paris", "languages": ["fr", "en"], "consent": consent}
    id = str((await stack.api.post(MANAGER, "/program/v1/programs", order))["id"])
    await eventually(lambda: rules_version(stack, id))
    return id


async def rules_version(stack: Stack, program_id: str) -> int:
    """The latest version of its rules of points; 0 where `gamification` does not know it yet."""
    known = await stack.count("gamification", "programs", {"_id": program_id})
    if not known:
        return 0
    return int((await stack.api.get(MANAGER, f"/gamification/v1/programs/{program_id}/rules"))["version"])


async def settle(page: Page) -> None:
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert await accessibility_findings(page) == []


async def test_each_template_sets_an_empty_programme_up(browser: Browser, stack: Stack) -> None:
    programs = {name: await empty_program(stack, f"Set up by {name}") for name in TEMPLATES}
    async with signed_in(browser, stack.url, "marc", "phone") as seen:
        page = seen.page
        for name, (objective, task) in TEMPLATES.items():
            await page.goto(f"{stack.url}/manage/program")
            await look_at_programme(page, programs[name])
            await page.goto(f"{stack.url}/manage/program")
            await page.click('a[href="/manage/setup"]')
            await expect(page.locator("h2", has_text=re.compile(r"0 étape"))).to_be_visible()
            await page.click(f'a[href="/manage/setup/templates/{name}"]')
            await expect(page.locator("main")).to_contain_text("Ce qui serait mis en place")
            await expect(page.locator("main")).to_contain_text(objective)
            await page.click(f'form[action="/manage/setup/templates/{name}"] button')
            await expect(page.locator("main")).to_contain_text("Mis en place")
            await expect(page.locator("main")).not_to_contain_text("Les points ne peuvent être")
            assert await rules_version(stack, programs[name]) == 2
            await page.goto(f"{stack.url}/manage/setup/templates/{name}")
            await expect(page.locator("main")).to_contain_text("Le programme a déjà tout cela.")
            await page.goto(f"{stack.url}/manage/objectives")
            await expect(page.locator("main")).to_contain_text(objective)
            await page.goto(f"{stack.url}/manage/tasks")
            await expect(page.locator("main")).to_contain_text(task)
        await page.locator("form[action$='/finish'] button").first.click()
        await expect(page.locator(".toast")).to_contain_text("Tâche terminée")
        await page.click("[data-undo] button")
        await expect(page.locator(".toast")).to_contain_text("Tâche rouverte")
        for path in ("/manage/setup", "/manage/setup/mix", "/manage/calendar", "/manage/tasks"):
            await page.goto(f"{stack.url}{path}")
            await settle(page)
        await page.goto(f"{stack.url}/manage/review")
        await expect(page.locator("main li", has_text=re.compile(r"\w"))).to_have_count(3)
        await settle(page)
        await page.goto(f"{stack.url}/manage")
        await expect(page.locator("section", has_text="À faire aujourd’hui").locator("li")).to_have_count(3)
        await page.goto(f"{stack.url}/manage/calendar/feed")
        await page.click('form[action="/manage/calendar/feed"] button')
        address = await page.locator("main code").inner_text()
        file = await page.request.get(address)
        assert (file.status, file.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
        assert "Trouver un relais" in await file.text()
        assert seen.complaints == []
