"""States of pages that no address leads to: an open sheet, a refused form, a question before something is done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from playwright.async_api import Page, expect

State = Callable[[Page, str], Awaitable[None]]


async def sheet(page: Page, url: str) -> None:
    await page.goto(f"{url}/feed")
    await page.locator("[data-opens-sheet]").first.click()
    await expect(page.locator("#sheet form").first).to_be_visible()


async def refused_item(page: Page, url: str) -> None:
    await page.goto(f"{url}/editor/new")
    await page.locator("#url").fill("https://www.example.com/")
    await page.locator('button[name=then][value=""]').click()
    await expect(page.locator("[aria-invalid=true]").first).to_be_visible()


async def refused_objective(page: Page, url: str) -> None:
    await page.goto(f"{url}/manage/objectives/new")
    await page.locator("[name=measure]").uncheck()
    await page.locator("[name=target]").fill("5")
    for name, day in (("starts_on", "2026-03-02"), ("ends_on", "2026-03-01")):
        await page.locator(f"[name={name}]").fill(day)
    await page.locator('form[action="/manage/objectives/new"] button').last.click()
    await expect(page.locator("[aria-invalid=true]").first).to_be_visible()


async def refused_lesson(page: Page, url: str) -> None:
    await page.goto(f"{url}/manage/lessons/new")
    await page.locator("[name^=text_]").first.fill("It takes two taps.")
    await page.locator('button[form=lesson][value=""]').click()
    await expect(page.locator("[aria-invalid=true]").first).to_be_visible()


async def refused_survey(page: Page, url: str) -> None:
    await page.goto(f"{url}/manage/surveys/new")
    await page.locator("[name=title]").fill("Pulse")
    for name, day in (("opens_on", "2026-03-02"), ("closes_on", "2026-03-01")):
        await page.locator(f"[name={name}]").fill(day)
    await page.locator('form[action="/manage/surveys/new"] button').last.click()
    await expect(page.locator("[aria-invalid=true]").first).to_be_visible()


async def quiz(page: Page, url: str) -> None:
    """A lesson, answered wrongly as far as it can be."""
    await page.goto(f"{url}/learn")
    await page.locator("a.through").first.click()
    for asked in await page.locator("#quiz fieldset").all():
        await asked.locator("input").first.check()
    await page.locator("#quiz button").click()
    await expect(page.locator("main .notice").first).to_be_visible()


async def asked_survey(page: Page, url: str) -> None:
    await page.goto(f"{url}/survey")
    await expect(page.locator("main h1")).to_be_visible()


async def question(page: Page, url: str) -> None:
    await page.goto(f"{url}/manage/ambassadors")
    await page.locator("[name=everybody]").check()
    await page.locator('form[action="/manage/invitations"] button').first.click()
    await expect(page.locator("main h1")).to_be_visible()


STATES: Final[Mapping[str, Mapping[str, State]]] = {
    "amina": {"share sheet": sheet, "answered quiz": quiz, "survey": asked_survey},
    "emma": {"refused item": refused_item},
    "marc": {
        "refused objective": refused_objective,
        "refused lesson": refused_lesson,
        "refused survey": refused_survey,
        "question before an invitation": question,
    },
}
