"""The pictures of the README and the guides: `python -m tests.e2e.pictures [URL] [NAME ...]`, of the stack that runs
here (`herald demo`), all or those of some names."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.async_api import Page

from herald.local.home import Home, default_folder
from tests.browser import start_browser
from tests.e2e.people import becomes_true, signed_in
from tests.walk.pages import speak

FOLDER: Final = Path(__file__).parents[2] / "docs" / "images"
SCALES: Final = {"phone": 1.5, "desktop": 1.0}
WIDE: Final = {"viewport": {"width": 1280, "height": 800}, "screen": {"width": 1280, "height": 800}}
QUALITY: Final = 82
MAX_BYTES: Final = 150_000
Act = Callable[[Page], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Picture:
    """A page as somebody sees it; `act` is done on it first."""

    name: str
    who: str
    path: str
    act: Act | None = None
    suffix: str = "webp"


async def _sheet(page: Page) -> None:
    await page.locator('[data-network="linkedin"]').first.click()
    await page.locator("#sheet [data-share]").wait_for()


async def _first(page: Page, links: str) -> None:
    await page.locator(links).first.click()
    await page.wait_for_load_state()


async def _wave(page: Page) -> None:
    await _first(page, 'main a[href^="/manage/waves/"]:not([href$="/new"])')


async def _lesson(page: Page) -> None:
    await _first(page, 'main a[href*="/lessons/"]')


async def _next_month(page: Page) -> None:
    await _first(page, 'main a[href*="?month="] >> nth=1')


async def _newsletter(page: Page) -> None:
    await _first(page, 'main a[href^="/manage/newsletters/"]:not([href$="/new"])')
    await page.locator('a[href$="/preview"], button[name=then][value=preview]').first.click()
    await page.wait_for_url("**/preview*")
    await page.goto(page.url.partition("?")[0] + "?language=en")
    await page.locator("iframe.mail").first.wait_for()
    await page.locator("iframe.mail").first.scroll_into_view_if_needed()


SHOWN: Final = (
    Picture("feed", "jonas", "/feed", suffix="jpg"),
    Picture("share", "jonas", "/feed", _sheet, suffix="jpg"),
    Picture("dashboard", "marc", "/manage?days=90", suffix="jpg"),
    Picture("setup", "marc", "/manage/setup"),
    Picture("template", "marc", "/manage/setup/templates/experts?ambassadors=40"),
    Picture("waves", "marc", "/manage/waves", _wave),
    Picture("learning", "jonas", "/learn", _lesson),
    Picture("newsletter", "marc", "/manage/newsletters", _newsletter),
    Picture("calendar", "marc", "/manage/calendar", _next_month),
)


async def take(url: str, names: Sequence[str] = ()) -> None:
    """On a phone and at a desk, in daylight and in English. Raises ValueError where one is too heavy."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    async with start_browser() as browser:
        for shown in SHOWN:
            for device, scale in SCALES.items():
                if names and shown.name not in names:
                    continue
                wide = WIDE if device == "desktop" and shown.suffix == "webp" else {}
                options = {"color_scheme": "light", "device_scale_factor": scale, **wide}
                async with signed_in(browser, url, shown.who, device, **options) as seen:
                    before = await speak(seen.page, url, "en")
                    await _of(seen.page, url, shown, FOLDER / f"{shown.name}-{device}.{shown.suffix}")
                    await speak(seen.page, url, before)


async def _of(page: Page, url: str, shown: Picture, file: Path) -> None:
    await page.goto(url + shown.path)
    await page.locator("main h1, main h2").first.wait_for()
    if shown.act:
        await shown.act(page)
    await becomes_true(page, "[...document.images].every(one => one.complete)")
    await page.wait_for_timeout(600)
    if file.suffix == ".jpg":
        await page.screenshot(path=file, type="jpeg", quality=QUALITY)
    else:
        Image.open(BytesIO(await page.screenshot())).convert("RGB").save(file, quality=QUALITY, method=6)
    size = file.stat().st_size
    print(f"{file.relative_to(FOLDER.parents[1])}: {size // 1000} kB")
    if size > MAX_BYTES:
        raise ValueError(f"{file.name} is heavier than {MAX_BYTES // 1000} kB")


def main(words: Sequence[str]) -> None:
    urls = [one for one in words if one.startswith("http")]
    url = urls[0] if urls else str(Home(default_folder()).read_state()["url"])
    asyncio.run(take(url, [one for one in words if one not in urls]))


if __name__ == "__main__":
    main(sys.argv[1:])
