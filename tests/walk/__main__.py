"""Walks, prints what is wrong with each page, and ends with 0 only if nothing is."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import typer
from playwright.async_api import Browser, Error, Page
from rich.console import Console
from rich.table import Table

from chassis.messages import LANGUAGES
from herald.development.personas import PERSONAS
from tests import infra as servers
from tests.browser import once_drawn, start_browser
from tests.e2e.people import signed_in
from tests.walk.budget import BUDGETS, SLOW, measured
from tests.walk.findings import Looks
from tests.walk.pages import STARTS, Seen, Walk, follow, look_around, never_visited, speak
from tests.walk.states import STATES

PICTURES = Path(".cache") / "walk"
SIZES: dict[str, tuple[str, dict[str, Any]]] = {
    "desktop": ("desktop", {}),
    "phone": ("phone", {}),
    "small": ("phone", {"viewport": {"width": 320, "height": 640}, "screen": {"width": 320, "height": 640}}),
}
THEMES = ("light", "dark")
WINDOWS = 3


@asynccontextmanager
async def _address(url: str) -> AsyncIterator[tuple[str, Mapping[str, Sequence[str]]]]:
    """Of the Herald at `url`, or of one that lives as long as this, with pages to which no link leads, by
    persona."""
    if url:
        yield url.rstrip("/"), {}
        return
    from tests.e2e.stack import running
    from tests.walk import asked, furnished

    with tempfile.TemporaryDirectory(prefix="herald-walk-") as folder:
        async with running(servers.acquire(), Path(folder)) as stack, asked.survey(stack):
            await furnished.furnish(stack)
            yield stack.url, await furnished.addresses(stack)


async def go(
    browser: Browser, url: str, walk: Walk, looks: Looks, pictures: Path, more: Sequence[str] = ()
) -> AsyncIterator[Seen]:
    """One walk: every page that the persona reaches, from `more` too, and the states of some. Pictures go into a folder
    of its own."""
    device, options = SIZES[walk.device]
    options = {**options, "color_scheme": walk.theme, "permissions": ["clipboard-write"]}
    async with signed_in(browser, url, walk.persona, device, **options) as seen:
        page = seen.page
        await speak(page, url, walk.language)
        async for found in follow(seen, url, walk, looks, (*STARTS, *more)):
            await _picture(page, pictures / walk.name, found.address)
            yield found
        for name, reach in STATES.get(walk.persona, {}).items():
            seen.complaints.clear()
            await reach(page, url)
            yield Seen(name, await look_around(seen, walk, looks))
            await _picture(page, pictures / walk.name, name)


async def _picture(page: Page, folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    file = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "start"
    await once_drawn(lambda: page.screenshot(path=folder / f"{file[:80]}.png", full_page=True))


async def _run(url: str, walks: Sequence[Walk], pictures: Path) -> bool:
    console, table = Console(), Table("walk", "pages", "findings", title="Every page of Herald")
    visited: set[str] = set()
    async with _address(url) as (address, more), start_browser() as browser:
        well = await _weigh(console, browser, address)
        for walk in walks:
            pages, findings = 0, 0
            with console.status(walk.name):
                try:
                    async for one in go(
                        browser, address, walk, Looks(WINDOWS, press=True), pictures, more.get(walk.persona, ())
                    ):
                        visited.add(one.address)
                        pages, findings = pages + 1, findings + len(one.findings)
                        for finding in one.findings:
                            _say(console, f"{walk.name} {one.address}: {finding}")
                except (Error, AssertionError) as error:
                    findings += 1
                    _say(console, f"{walk.name} ended after {pages} pages: {error}")
            table.add_row(walk.name, str(pages), f"[{'red' if findings else 'green'}]{findings}")
            well = well and not findings
    console.print(table)
    if missed := never_visited(visited):
        console.print(f"Not visited by these walks: {', '.join(missed)}", soft_wrap=True)
    console.print(f"Pictures: {pictures}")
    return well


def _say(console: Console, finding: str) -> None:
    console.print(finding, style="red", markup=False, highlight=False, soft_wrap=True)


async def _weigh(console: Console, browser: Browser, url: str) -> bool:
    """What pages weigh and how soon they are painted on a slow line; prints a table, says whether all is in budget."""
    table = Table("page", "bytes", "requests", "script", "painted", "over", title="On a phone, nothing cached")
    well = True
    async for name, found in measured(browser, url, BUDGETS, SLOW):
        over = found.over(BUDGETS[name])
        table.add_row(
            name,
            f"{found.bytes:,}",
            str(found.requests),
            f"{found.script:,}",
            f"{found.painted:,.0f} ms",
            ", ".join(over),
        )
        well = well and not over
    console.print(table)
    return well


def main(
    personas: Annotated[list[str] | None, typer.Argument(help="As whom; as each of them unless named")] = None,
    url: Annotated[str, typer.Option(help="The address of a Herald that runs; one is started otherwise")] = "",
    language: Annotated[str, typer.Option(help="In one language alone")] = "",
    size: Annotated[str, typer.Option(help="On one size alone: desktop, phone, small")] = "",
    theme: Annotated[str, typer.Option(help="In one theme alone: light, dark")] = "",
    pictures: Annotated[Path, typer.Option(help="Where pictures go")] = PICTURES,
) -> None:
    """Visit every page as each persona, in each language and size, each theme with one of the languages, and say what
    is wrong with it."""
    walks = [
        Walk(persona.key, language_, size_, theme_)
        for persona in PERSONAS
        for number, (size_, language_) in enumerate(product(SIZES, LANGUAGES))
        for theme_ in ([theme] if theme else [THEMES[number % 2]])
        if (not personas or persona.key in personas) and size in ("", size_) and language in ("", language_)
    ]
    servers.begin_run()
    try:
        well = asyncio.run(_run(url, walks, pictures))
    finally:
        servers.end_run()
    raise typer.Exit(0 if well else 1)


if __name__ == "__main__":
    typer.run(main)
