"""Chromium for the end-to-end tests, with the helpers that they share. `python -m tests.browser` fetches it.

It is the one that HERALD_CHROMIUM names, or one on PATH, or else the one inside the npm package
`@sparticuz/chromium`, which brings the libraries it needs; that one is unpacked once into the user's cache.
"""

import asyncio
import base64
import fcntl
import io
import json
import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import cramjam
from playwright.async_api import Browser, BrowserContext, Error, Page, async_playwright

from herald.archives import unpack
from herald.local.downloads import cache_folder
from tests.node import node_modules

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
FONTS = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{folder}/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>{folder}/font-cache</cachedir>
  <alias><family>sans-serif</family><prefer><family>Open Sans</family></prefer></alias>
  <alias><family>system-ui</family><prefer><family>Open Sans</family></prefer></alias>
</fontconfig>
"""
ARCHIVES = ("al2023", "swiftshader", "fonts")
SERIOUS = ("serious", "critical")
NO_FRAME: Final = "Unable to capture screenshot"
FRAME_SECONDS: Final = 20.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Chromium:
    """A program to start, and what its environment needs beside the usual."""

    program: Path
    environment: Mapping[str, str]


def find_chromium() -> Chromium:
    """Raises RuntimeError or LocalError with what stands in the way."""
    named = os.environ.get("HERALD_CHROMIUM")
    on_path = filter(None, (shutil.which(name) for name in NAMES))
    for candidate in [named] if named else on_path:
        if _runs(candidate, {}):
            return Chromium(Path(candidate), {})
        if named:
            raise RuntimeError(f"HERALD_CHROMIUM names {named}, which does not run here")
    return _packaged()


def _runs(program: str | Path, environment: Mapping[str, str]) -> bool:
    return _complaint(program, environment) is None


def _complaint(program: str | Path, environment: Mapping[str, str]) -> str | None:
    try:
        run = subprocess.run(
            [program, "--version"],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    return None if run.returncode == 0 else run.stderr.strip()


def _packaged() -> Chromium:
    package = node_modules() / "@sparticuz" / "chromium"
    version = json.loads((package / "package.json").read_text())["version"]
    folder = cache_folder(f"chromium-{version}")
    environment = {
        "LD_LIBRARY_PATH": f"{folder / 'al2023' / 'lib'}{os.pathsep}{folder}",
        "FONTCONFIG_FILE": str(folder / "fonts.conf"),
    }
    program = folder / "chromium"
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists() or not _runs(program, environment):
            _unpack(package / "bin", folder)
            complaint = _complaint(program, environment)
            if complaint is not None:
                program.unlink()
                raise RuntimeError(f"Chromium does not run on this machine: {complaint}")
    return Chromium(program, environment)


def _unpack(source: Path, folder: Path) -> None:
    for name in ARCHIVES:
        target = folder if name == "swiftshader" else folder / name
        with tarfile.open(fileobj=io.BytesIO(_expand(source / f"{name}.tar.br"))) as archive:
            unpack(archive, target)
    (folder / "fonts.conf").write_text(FONTS.format(folder=folder))
    part = folder / "chromium.part"
    part.write_bytes(_expand(source / "chromium.br"))
    part.chmod(0o755)
    part.replace(folder / "chromium")


def _expand(path: Path) -> bytes:
    return bytes(cramjam.brotli.decompress(path.read_bytes()))


@asynccontextmanager
async def start_browser() -> AsyncIterator[Browser]:
    """A headless Chromium that ends with this process."""
    chromium = find_chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium.program,
            args=list(FLAGS),
            env={**os.environ, **chromium.environment},
        )
        try:
            yield browser
        finally:
            await browser.close()


async def phone(browser: Browser, **options: Any) -> BrowserContext:
    """A visitor of their own with a phone of 390 x 844 points; `options` as of Playwright's `new_context`."""
    size = {"width": 390, "height": 844}
    defaults = {"viewport": size, "screen": size, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
    return await browser.new_context(**{**defaults, "locale": "en-GB", **options})


async def desktop(browser: Browser, **options: Any) -> BrowserContext:
    """A visitor of their own with a window of 1440 x 900 points."""
    return await browser.new_context(**{"viewport": {"width": 1440, "height": 900}, "locale": "en-GB", **options})


async def window_picture(page: Page) -> bytes:
    """What the window of the page shows now, as PNG, a pixel for each point.

    Asked without a clip, unlike Playwright's: for a clip Chromium changes the size that it emulates and back again, and
    has no picture when it is too busy to draw both in time.
    """
    session = await page.context.new_cdp_session(page)
    try:
        found = await once_drawn(lambda: session.send("Page.captureScreenshot", {"format": "png"}))
    finally:
        await session.detach()
    return base64.b64decode(found["data"])


async def once_drawn(take: Callable[[], Awaitable[T]]) -> T:
    """What `take` pictures, asked again as long as a busy Chromium has drawn nothing that it could copy."""
    deadline = time.monotonic() + FRAME_SECONDS
    while True:
        try:
            return await take()
        except Error as error:
            if NO_FRAME not in error.message or time.monotonic() > deadline:
                raise
        await asyncio.sleep(0.1)


STANDS_STILL = """Promise.allSettled(document.getAnimations()
  .filter((one) => one.effect.getComputedTiming().endTime < 10_000).map((one) => one.finished)).then(() => true)"""


async def accessibility_findings(page: Page) -> list[str]:
    """What axe-core finds serious or critical on the page once it stands still: rule, help and the elements.

    Half transparent, as it comes, a message has too little contrast."""
    await page.evaluate(STANDS_STILL)
    await page.evaluate((node_modules() / "axe-core" / "axe.min.js").read_text())
    result = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{found['id']} ({found['impact']}): {found['help']}: "
        + ", ".join(str(node["target"][0]) for node in found["nodes"])
        for found in result["violations"]
        if found["impact"] in SERIOUS
    ]


if __name__ == "__main__":
    print(f"The browser for the tests is {find_chromium().program}.")
