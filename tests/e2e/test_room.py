"""Room for what is long and many: words, lists, and where one was in them."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from tests.e2e.people import signed_in
from tests.e2e.stack import Stack
from tests.e2e.test_hub import PAGES

pytestmark = [pytest.mark.xdist_group("e2e"), pytest.mark.timeout(300)]
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


@pytest.mark.parametrize("persona", PAGES)
async def test_no_word_makes_a_page_wider_than_the_screen(browser: Browser, stack: Stack, persona: str) -> None:
    wide: list[str] = []
    async with signed_in(browser, stack.url, persona, "desktop") as seen:
        for path in PAGES[persona]:
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
