"""The browser of these tests is a real one, on a phone and on a desktop, and axe-core sees what is wrong."""

import asyncio

from playwright.async_api import Browser, Page

from tests.browser import accessibility_findings, phone

GOOD = '<!doctype html><html lang="en"><title>A</title><main><h1>Good</h1><button>Share</button></main></html>'
BAD = "<!doctype html><html><title>A</title><main><h1>Bad</h1><button></button></main></html>"


async def test_a_phone(phone_page: Page) -> None:
    await phone_page.set_content('<meta name="viewport" content="width=device-width"><span>Bonjour</span>')
    assert await phone_page.evaluate("[innerWidth, innerHeight, navigator.maxTouchPoints > 0]") == [390, 844, True]
    assert (await phone_page.screenshot()).startswith(b"\x89PNG")
    box = await phone_page.locator("span").bounding_box()
    assert box is not None
    assert box["width"] > 20, "there is no font to write with"


async def test_a_desktop(desktop_page: Page) -> None:
    assert await desktop_page.evaluate("[innerWidth, innerHeight]") == [1440, 900]


async def test_visitors_share_nothing(browser: Browser) -> None:
    one, two = await asyncio.gather(phone(browser), phone(browser, locale="fr-FR"))
    await one.add_cookies([{"name": "a", "value": "1", "url": "http://127.0.0.1"}])
    assert await two.cookies() == []
    page = await two.new_page()
    assert await page.evaluate("navigator.language") == "fr-FR"
    await asyncio.gather(one.close(), two.close())


async def test_axe_finds_what_is_serious(desktop_page: Page) -> None:
    await desktop_page.set_content(GOOD)
    assert await accessibility_findings(desktop_page) == []
    await desktop_page.set_content(BAD)
    findings = await accessibility_findings(desktop_page)
    assert [finding.split()[0] for finding in findings] == ["button-name", "html-has-lang"]
