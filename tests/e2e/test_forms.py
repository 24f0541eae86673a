"""Forms in a browser: what is typed is never lost, and nothing is sent twice or by accident."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.people import CheckedPage, becomes_true, signed_in
from tests.e2e.stack import Stack
from tests.integration.harness import eventually

pytestmark = pytest.mark.xdist_group("e2e")

EDITOR = "emma"
TEXT = "Ein Entwurf, который ещё не готов"


@asynccontextmanager
async def writing(browser: Browser, stack: Stack, device: str = "desktop") -> AsyncIterator[CheckedPage]:
    """An editor before a new item."""
    async with signed_in(browser, stack.url, EDITOR, device) as checked:
        await checked.page.goto(f"{stack.url}/editor/new")
        yield checked


async def saved_and_opened_again(page: Page, title: str) -> Page:
    """Saves the new item; another page that shows it, as somebody else has it open."""
    await page.fill("#url", "https://www.example.com/")
    await page.fill("#title_en", title)
    await page.click('button[name="then"][value=""]')
    await page.wait_for_url("**/editor/items/**")
    other = await page.context.new_page()
    await other.goto(page.url)
    return other


async def kept_on_device(page: Page) -> str:
    return str(await page.evaluate("JSON.stringify(localStorage)"))


@pytest.mark.parametrize("device", ["phone", "desktop"])
async def test_a_refusal_marks_its_field_and_keeps_the_rest(browser: Browser, stack: Stack, device: str) -> None:
    async with writing(browser, stack, device) as checked:
        page = checked.page
        await page.fill("#url", "https://www.example.com/kept")
        await page.fill("#summary_en", TEXT)
        await page.click('button[name="then"][value=""]')
        marked = page.locator('[aria-invalid="true"]')
        await marked.first.wait_for()
        assert await marked.first.evaluate("element => element === document.activeElement")
        described = await marked.first.get_attribute("aria-describedby")
        assert described is not None
        assert await page.locator(f"#{described.split()[0]}").is_visible()
        assert await page.input_value("#summary_en") == TEXT
        assert await page.input_value("#url") == "https://www.example.com/kept"
        assert await page.locator('form[data-kept] [role="alert"]').count() == 1
        assert checked.complaints == []


async def test_without_a_network_the_text_stays_and_the_button_works_again(browser: Browser, stack: Stack) -> None:
    async with writing(browser, stack) as checked:
        page = checked.page
        await page.fill("#url", "https://www.example.com/offline")
        await page.fill("#title_en", TEXT)
        await page.context.set_offline(True)
        await page.click('button[name="then"][value=""]')
        await page.locator('#item [role="alert"]').wait_for()
        assert await page.input_value("#title_en") == TEXT
        await page.context.set_offline(False)
        await page.click('button[name="then"][value=""]')
        await page.wait_for_url("**/editor/items/**")
        assert await page.input_value("#title_en") == TEXT
        assert TEXT not in await kept_on_device(page)
        assert await stack.count("content", "items", {"copy.url": "https://www.example.com/offline"}) == 1


async def test_what_was_typed_is_there_after_leaving_and_is_gone_once_discarded(browser: Browser, stack: Stack) -> None:
    async with writing(browser, stack) as checked:
        page = checked.page
        await page.fill("#title_en", TEXT)
        await page.locator("[name=caption_text]").last.fill("First")
        await page.click('[hx-get="/editor/caption"]')
        await becomes_true(page, "document.querySelectorAll('[data-row=captions]').length === 3")
        await page.locator("[name=caption_text]").last.fill("Second")
        await page.goto(f"{stack.url}/editor")
        await page.go_back()
        await becomes_true(page, f"document.querySelector('#title_en').value === {TEXT!r}")
        assert await page.locator("[name=caption_text]").last.input_value() == "Second"
        await page.click("[data-said] button")
        assert await page.input_value("#title_en") == ""
        assert await page.locator("[data-row=captions]").count() == 2
        await page.reload()
        assert await page.locator("[data-said]").count() == 0


async def test_a_session_that_ended_gives_the_text_back_to_its_account_alone(browser: Browser, stack: Stack) -> None:
    async with writing(browser, stack) as checked:
        page = checked.page
        await page.fill("#title_en", TEXT)
        await page.context.clear_cookies(name="herald_session")
        await page.fill("#url", "https://www.example.com/expired")
        await page.click('button[name="then"][value=""]')
        await page.wait_for_url("**/welcome?ended=session**")
        assert await page.locator('[role="alert"]').is_visible()
        await page.locator('a[href^="/auth/sign-in"]').click()
        await page.locator('button[value="ines"]').click()
        await page.locator("main h1, main h2").first.wait_for()
        await page.goto(f"{stack.url}/editor/new")
        assert TEXT not in await page.content()
        await page.context.clear_cookies(name="herald_session")
        await page.goto(f"{stack.url}/welcome?ended=session&back=/editor/new")
        await page.locator('a[href^="/auth/sign-in"]').click()
        await page.locator(f'button[value="{EDITOR}"]').click()
        await page.wait_for_url("**/editor/new")
        await becomes_true(page, f"document.querySelector('#title_en').value === {TEXT!r}")
        await page.goto(f"{stack.url}/me")
        await page.click('form[action="/auth/sign-out"] button')
        await page.wait_for_url("**/welcome**")
        assert TEXT not in await kept_on_device(page)


async def test_two_who_change_one_item_see_both_and_choose(browser: Browser, stack: Stack) -> None:
    async with writing(browser, stack) as checked:
        page = checked.page
        other = await saved_and_opened_again(page, "As it began")
        await other.fill("#title_en", "Of the other")
        await other.fill("#summary_en", "A summary of the other")
        await other.click('button[name="then"][value=""]')
        await eventually(lambda: stack.count("content", "items", {"copy.variants.title": "Of the other"}))
        await page.fill("#title_en", "Mine")
        await page.click('button[name="then"][value=""]')
        await page.locator(".stored").first.wait_for()
        assert await page.input_value("#title_en") == "Mine"
        assert await page.locator(".stored").count() == 2
        await page.locator('.stored [name="stored.summary_en.0"]').check()
        async with page.expect_navigation():
            await page.click('button[name="then"][value=""]')
        assert await page.locator(".stored").count() == 0
        assert await page.input_value("#title_en") == "Mine"
        assert await page.input_value("#summary_en") == "A summary of the other"


async def test_sending_back_keeps_what_the_reviewer_changed(browser: Browser, stack: Stack) -> None:
    async with writing(browser, stack) as checked:
        page = checked.page
        await page.fill("#url", "https://www.example.com/back")
        await page.fill("#title_en", "For review")
        await page.click('button[name="then"][value="submit"]')
        await page.wait_for_url("**state=in_review**")
        await page.get_by_role("link", name="For review").click()
        await page.fill("#title_en", "For review, mended")
        await page.click('button[name="then"][value="reject"]')
        await page.locator('#comment[aria-invalid="true"]').wait_for()
        assert await page.input_value("#title_en") == "For review, mended"
        await page.fill("#comment", "The figure needs a source.")
        await page.click('button[name="then"][value="reject"]')
        await page.wait_for_url("**state=draft**")
        await page.get_by_role("link", name="For review, mended").click()
        assert await page.get_by_text("The figure needs a source.").is_visible()


async def test_an_item_that_was_retired_meanwhile_becomes_a_new_draft(browser: Browser, stack: Stack) -> None:
    async with writing(browser, stack) as checked:
        page = checked.page
        other = await saved_and_opened_again(page, "To be retired")
        await other.click('form[action$="/retire"] button')
        await other.locator("form [name=confirmed]").first.wait_for(state="attached")
        await other.click('form[action$="/retire"] button')
        await other.wait_for_url("**/editor?**")
        await page.fill("#summary_en", TEXT)
        await page.click('button[name="then"][value=""]')
        await page.locator('form[data-kept][action="/editor/new"]').wait_for()
        assert await page.input_value("#summary_en") == TEXT
        await page.click('button[name="then"][value=""]')
        await eventually(lambda: stack.count("content", "items", {"copy.variants.summary": TEXT, "state": "draft"}))


async def test_a_retired_item_is_published_again_from_its_own_page(browser: Browser, stack: Stack) -> None:
    async with writing(browser, stack, "phone") as checked:
        page = checked.page
        await page.fill("#url", "https://www.example.com/again")
        await page.fill("#title_fr", "Deux fois moins d’eau")
        await page.click('button[name="then"][value="publish"]')
        await page.click("main button[data-first]")
        await page.wait_for_url("**state=published**")
        title = page.get_by_role("link", name="Deux fois moins d’eau").first
        await expect(page.locator('h2[lang="fr"]', has=title)).to_be_visible()
        await title.click()
        await expect(page.locator("h1")).to_have_attribute("lang", "fr")
        item = {"_id": page.url.rpartition("/")[2]}
        await page.click('form[action$="/retire"] button')
        await page.click("main button[data-first]")
        await page.wait_for_url("**state=retired**")
        await page.goto(f"{stack.url}/editor/items/{item['_id']}")
        await expect(page.locator("aside")).to_contain_text("Publish it again as it is, at its old place, or copy it")
        await page.click('form[action$="/restore"] button')
        await expect(page.locator("main")).to_contain_text(re.compile(r"ambassadors? will see it again"))
        await expect(page.locator('h1 [lang="fr"]')).to_have_text("Deux fois moins d’eau")
        assert await stack.count("content", "items", {**item, "state": "retired"}) == 1
        await page.click("main button[data-first]")
        await page.wait_for_url("**state=published**")
        assert await stack.count("content", "items", {**item, "state": "published"}) == 1
        await page.click("[data-undo] button")
        await page.wait_for_url("**state=retired**")
        assert await stack.count("content", "items", {**item, "state": "retired"}) == 1


async def test_what_is_refused_without_scripts_is_there_as_well(browser: Browser, stack: Stack) -> None:
    async with signed_in(browser, stack.url, EDITOR, "phone", java_script_enabled=False) as checked:
        page = checked.page
        await page.goto(f"{stack.url}/editor/new")
        await page.fill("#url", "https://www.example.com/plain")
        await page.fill("#summary_en", TEXT)
        await page.click('button[name="then"][value=""]')
        await page.locator('[aria-invalid="true"]').first.wait_for()
        assert await page.input_value("#summary_en") == TEXT


@pytest.mark.parametrize("device", ["phone", "desktop"])
async def test_a_caption_outlives_its_sheet_and_is_forgotten_once_shared(
    browser: Browser, stack: Stack, device: str
) -> None:
    words = f"Unfinished on the {device}"
    async with signed_in(browser, stack.url, "jonas", device) as checked:
        page = checked.page
        for typed in (True, False):
            await page.locator('[data-network="x"]').first.click()
            await page.locator("#sheet textarea[name=caption]").wait_for()
            if typed:
                await page.fill("#caption", words)
                await page.keyboard.press("Escape")
                await becomes_true(page, "!document.querySelector('#sheet').open")
        await becomes_true(page, f"document.querySelector('#caption')?.value === {words!r}")
        await becomes_true(page, f"document.querySelector('#check').textContent.includes({words!r})")
        await becomes_true(page, "!document.querySelector('#sheet-body').hasAttribute('data-settling')")
        await page.click("[data-share]")
        await page.locator("[data-shared]").wait_for()
        assert words not in await kept_on_device(page)
        assert checked.complaints == []


async def test_what_is_asked_first_opens_at_its_beginning(browser: Browser, stack: Stack) -> None:
    """However far down the form was, and however many it would reach."""
    async with signed_in(browser, stack.url, "marc", "phone") as seen:
        page = seen.page
        await page.goto(f"{stack.url}/manage/ambassadors")
        await page.locator("[name=everybody]").check()
        await page.locator('form[action="/manage/invitations"] button').first.click()
        await page.locator("input[name=confirmed]").wait_for(state="attached")
        await expect(page.locator("h1")).to_be_in_viewport()
        await expect(page.locator("form:has([name=confirmed]) button")).to_be_in_viewport()
