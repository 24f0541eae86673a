"""People at a browser: signing in by hand, as a persona, on a phone or at a desk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, Route, expect

from tests.browser import desktop, phone
from tests.integration.harness import eventually

DEVICES = {"phone": phone, "desktop": desktop}
PATIENCE = 60_000
PICTURES = Path(__file__).parent / "results"
CONFIRM = "form:has(input[name=confirmed]) button"
"""Says yes to a page that asks whether to go on."""


class CheckedPage:
    """A page, and everything in it that no page of ours may do."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self._said(message.type, message.text))

    def _said(self, kind: str, text: str) -> None:
        if kind == "error" and "Failed to load resource" not in text:
            self.complaints.append(text)


@asynccontextmanager
async def signed_in(
    browser: Browser, url: str, persona: str, device: str, **options: Any
) -> AsyncIterator[CheckedPage]:
    """A page of somebody who has just signed in; what lies outside of Herald answers with an empty page."""
    context = await DEVICES[device](browser, **options)
    context.set_default_timeout(PATIENCE)
    page = await context.new_page()
    checked = CheckedPage(page)
    await _keep_inside(context, url)
    await _sign_in_by_request(page, url, persona)
    try:
        yield checked
    except BaseException:
        PICTURES.mkdir(exist_ok=True)
        for number, shown in enumerate(context.pages):
            await shown.screenshot(path=PICTURES / f"{persona}-{device}-{number}.png")
        raise
    finally:
        await context.close()


async def sign_in(page: Page, url: str, persona: str) -> None:
    """The whole way: welcome page, issuer, back."""
    await page.goto(f"{url}/welcome")
    await page.locator('a[href^="/auth/sign-in"]').click()
    await page.locator(f'button[value="{persona}"]').click()
    await page.wait_for_url(lambda where: "/issuer/" not in where and "/auth/" not in where)
    await page.locator("main h1, main h2").first.wait_for()


async def _sign_in_by_request(page: Page, url: str, persona: str) -> None:
    """The same session and the same page at the end, without three pages to draw on the way."""
    chooses = await page.request.get(f"{url}/auth/sign-in")
    chosen = await page.request.post(chooses.url, form={"persona": persona}, max_redirects=0)
    came_back = await page.request.get(chosen.headers["location"], max_redirects=0)
    assert came_back.status == 303, await came_back.text()
    await page.goto(url)
    await page.locator("main h1, main h2").first.wait_for()


async def look_at_programme(page: Page, program_id: str) -> None:
    """Choose a programme, where there are several: other tests may have brought a person into another."""
    choice = page.locator(f'.programs button[value="{program_id}"]')
    among_many = page.locator(".programs select")
    if await choice.count() and await choice.get_attribute("aria-pressed") != "true":
        await choice.click()
        await expect(choice).to_have_attribute("aria-pressed", "true")
    elif await among_many.count() and await among_many.input_value() != program_id:
        async with page.expect_response(lambda answer: answer.url.endswith("/program")):
            await among_many.select_option(program_id)


async def confirm(page: Page) -> None:
    """Say yes, and wait for the page that comes of it: what an act before it left on the page proves nothing."""
    async with page.expect_navigation():
        await page.locator(CONFIRM).click()


async def _keep_inside(context: BrowserContext, url: str) -> None:
    async def answer(route: Route) -> None:
        await route.fulfill(status=200, content_type="text/html", body="<title>elsewhere</title>")

    await context.route(lambda where: not where.startswith(url) and where.startswith("http"), answer)


async def becomes_true(page: Page, expression: str) -> None:
    """Waits for an expression of the page. Playwright's own wait evaluates it from a timer, which the policy of the
    page forbids."""
    await eventually(lambda: page.evaluate(expression))
