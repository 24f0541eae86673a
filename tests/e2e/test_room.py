"""Room for what is long and many: words, lists, and where one was in them."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.people import DEVICES, becomes_true, look_at_programme, signed_in
from tests.e2e.stack import Stack
from tests.walk.pages import MAIN

pytestmark = pytest.mark.xdist_group("e2e")
WIDTHS = (320, 390, 1440)
OURS = "script, style, svg, .brand, .bottom"
"""What no text of a person gets into."""
LENGTHEN = f"""() => {{
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) {{
        if (walker.currentNode.data.trim() && !walker.currentNode.parentElement.closest("{OURS}"))
            found.push(walker.currentNode);
    }}
    for (const one of found) one.data = "W".repeat(300);
}}"""
TOO_WIDE = "document.documentElement.scrollWidth - innerWidth"
OVERLAPS = """() => {
    const shown = ["brand", "program", "self"].map((name) => document.querySelector(`.top .${name}`))
        .filter(Boolean).map((one) => one.getBoundingClientRect());
    return shown.some((one, at) => at > 0 && one.left < shown[at - 1].right);
}"""


@pytest.mark.parametrize("persona", MAIN)
async def test_no_word_makes_a_page_wider_than_the_screen(browser: Browser, stack: Stack, persona: str) -> None:
    wide: list[str] = []
    async with signed_in(browser, stack.url, persona, "desktop") as seen:
        for path in MAIN[persona]:
            await seen.page.goto(stack.url + path)
            await seen.page.evaluate(LENGTHEN)
            for width in WIDTHS:
                await seen.page.set_viewport_size({"width": width, "height": 800})
                by = await seen.page.evaluate(TOO_WIDE)
                overlaps = width < 960 and await seen.page.evaluate(OVERLAPS)
                wide += [f"{path} at {width}: {by} too wide"] if by > 0 else []
                wide += [f"{path} at {width}: what stands on top overlaps"] if overlaps else []
        assert wide == []
        assert seen.complaints == []


@pytest.mark.parametrize("device", DEVICES)
async def test_a_list_goes_on_where_it_grew_and_is_found_again_as_it_was(
    browser: Browser, stack: Stack, device: str
) -> None:
    await drafts(stack, 45)
    async with signed_in(browser, stack.url, "emma", device) as seen:
        page = seen.page
        await look_at_programme(page, stack.program_id)
        await page.goto(f"{stack.url}/editor?state=draft")
        entries = page.locator("main .grid > li")
        before = await entries.count()
        await page.locator(".more a").focus()
        await page.keyboard.press("Enter")
        await becomes_true(page, "document.activeElement.matches('main .grid > li')")
        first = await page.evaluate("[...document.querySelectorAll('main .grid > li')].indexOf(document.activeElement)")
        assert first == before, "the focus is not on the first entry that is new"
        shown = await entries.count()
        assert shown > before
        await entries.last.locator("h2 a").scroll_into_view_if_needed()
        place = await page.evaluate("scrollY")
        await entries.last.locator("h2 a").click()
        await page.wait_for_url("**/editor/items/**")
        await page.go_back()
        await expect(entries).to_have_count(shown)
        await becomes_true(page, f"Math.abs(scrollY - {place}) < 200")
        assert seen.complaints == []


async def drafts(stack: Stack, count: int) -> None:
    """At least so many drafts."""
    path, emma = "/content/v1/items", "emma@herald.example"
    there = (await stack.api.get(emma, path, state="draft", limit=1))["total"]
    for number in range(there, count):
        variant = {"language": "en", "title": f"Draft {number}"}
        order = {
            "kind": "article",
            "category": "company_news",
            "url": "https://www.example.com/",
            "variants": [variant],
        }
        await stack.api.call(emma, "POST", path, {"program_id": stack.program_id, **order})


@pytest.mark.parametrize("device", DEVICES)
async def test_what_is_searched_for_is_where_the_page_opens(browser: Browser, stack: Stack, device: str) -> None:
    async with signed_in(browser, stack.url, "marc", device) as seen:
        page = seen.page
        await page.goto(f"{stack.url}/manage/ambassadors")
        await page.locator("#query").fill("a")
        await page.locator("#query").press("Enter")
        found = page.locator("#by-name .list > li").first
        await expect(found).to_be_visible()
        await expect(found).to_be_in_viewport()
        await page.locator("#name").fill("amina")
        await page.locator("#name").press("Enter")
        await expect(page.locator("main .list > li")).to_have_count(1)
        await expect(page.locator("main .list > li")).to_contain_text("amina@herald.example")


async def test_an_editor_finds_an_item_by_words_of_its_title(browser: Browser, stack: Stack) -> None:
    async with signed_in(browser, stack.url, "emma", "phone") as seen:
        page = seen.page
        await look_at_programme(page, stack.program_id)
        await page.goto(f"{stack.url}/editor?state=published")
        title = await page.locator("main h2 a").last.inner_text()
        await page.locator("#query").fill(" ".join(word[:4] for word in title.split()[:2]).upper())
        await page.locator("#query").press("Enter")
        await expect(page.locator("main h2 a", has_text=title)).to_be_visible()
        await page.locator("#query").fill("xyzzy")
        await page.locator("#query").press("Enter")
        await expect(page.locator("main h2 a")).to_have_count(0)
        await expect(page.locator(".empty")).to_be_visible()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
async def test_guardrails_change_one_at_a_time_and_only_once_seen(
    browser: Browser, stack: Stack, device: str, script: bool
) -> None:
    path = f"/sharing/v1/programs/{stack.program_id}/guardrails"
    text = f"#Anzeige{device}{script}"

    async def stored() -> Any:
        return (await stack.api.get("marc@herald.example", path))["disclosures"]

    async with signed_in(browser, stack.url, "marc", device, java_script_enabled=script) as seen:
        page, before = seen.page, await stored()
        await page.goto(f"{stack.url}/manage/guardrails")
        assert await page.locator("input, select, textarea").count() < 10
        await page.locator('a[href^="/manage/guardrails/disclosure"]').first.click()
        await page.locator("#country").select_option("BE")
        await page.locator("#language").select_option("nl")
        await page.locator("#text").fill(text)
        await page.locator('button[name=then][value=""]').click()
        await expect(page.locator("main .list")).to_contain_text(text)
        assert await stored() == before, "it holds before it was confirmed"
        await page.locator("main button[data-first]").click()
        await expect(page.locator("#disclosures .list", has_text=text)).to_be_visible()
        assert await stored() == {**before, "BE": {"nl": text}}

        await page.goto(f"{stack.url}/manage/guardrails/disclosure?country=BE")
        await page.locator("#language").select_option("nl")
        await page.locator("#text").fill("#Other")
        await page.locator('button[name=then][value=""]').click()
        await expect(page.locator("[aria-invalid=true]")).to_be_visible()
        assert await page.locator("#text").input_value() == "#Other"
        assert await stored() == {**before, "BE": {"nl": text}}, "a legal text was replaced"

        await page.goto(f"{stack.url}/manage/guardrails?country=BE")
        await expect(page.locator("#disclosures .list > li")).to_have_count(1)
        await page.locator("#disclosures .list a").click()
        await page.locator("button[value=remove]").click()
        await expect(page.locator("main .list")).to_contain_text(text)
        await page.locator("main button[data-first]").click()
        await expect(page.locator("#disclosures")).to_be_visible()
        assert await stored() == before

        await page.locator("[data-undo] button").click()
        await expect(page.locator("[data-undo]")).to_have_count(0)
        await expect(page.locator("#disclosures")).to_be_visible()
        assert await stored() == {**before, "BE": {"nl": text}}
        await stack.api.call("marc@herald.example", "POST", f"{path}/restore", headers={"If-Match": "*"})
        assert await stored() == before
        assert seen.complaints == []
