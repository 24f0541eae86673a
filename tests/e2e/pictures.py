"""The pictures of the README: `python -m tests.e2e.pictures [URL]`, of the stack that runs here (`herald demo`)."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from playwright.async_api import Page

from herald.local.home import Home, default_folder
from tests.browser import start_browser
from tests.e2e.people import signed_in

FOLDER = Path(__file__).parents[2] / "docs" / "images"
SCALES = {"phone": 1.5, "desktop": 1}
SHOWN = (("feed", "jonas", "/feed"), ("share", "jonas", "/feed"), ("dashboard", "marc", "/manage?days=90"))
QUALITY = 82


async def take(url: str) -> None:
    """Feed, share sheet and dashboard, on a phone and at a desk, in daylight and in English."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    async with start_browser() as browser:
        for name, who, path in SHOWN:
            for device, scale in SCALES.items():
                options = {"color_scheme": "light", "device_scale_factor": scale}
                async with signed_in(browser, url, who, device, **options) as seen:
                    await _in_english(seen.page, url)
                    await seen.page.goto(url + path)
                    await seen.page.locator("main h1, main h2").first.wait_for()
                    if name == "share":
                        await seen.page.locator('[data-network="linkedin"]').first.click()
                        await seen.page.locator("#sheet [data-share]").wait_for()
                    await seen.page.wait_for_timeout(600)
                    picture = FOLDER / f"{name}-{device}.jpg"
                    await seen.page.screenshot(path=picture, type="jpeg", quality=QUALITY)
                    print(f"{picture.relative_to(FOLDER.parents[1])}: {picture.stat().st_size // 1024} KiB")


async def _in_english(page: Page, url: str) -> None:
    await page.goto(f"{url}/me")
    button = page.locator('button[name="locale"][value="en"]')
    if await button.count():
        await button.first.click()
        await page.wait_for_load_state()


if __name__ == "__main__":
    asyncio.run(take(sys.argv[1] if len(sys.argv) > 1 else str(Home(default_folder()).read_state()["url"])))
