"""A browser and a Herald for the tests here, shared by those of one worker; they run in one event loop.

Both end with the last of these tests, not with the run: a Herald that nobody uses keeps its databases busy."""

import inspect
from collections.abc import AsyncIterator, Generator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.browser import desktop, phone, start_browser
from tests.e2e.people import PATIENCE
from tests.e2e.stack import Stack, running
from tests.infra import Infra

RESULTS = Path(__file__).parent / "results"
HERE = Path(__file__).parent
expect.set_options(timeout=PATIENCE)  # a machine that runs the whole suite is slower than one page needs


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE) and inspect.iscoroutinefunction(getattr(item, "obj", None)):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Headless Chromium."""
    async with start_browser() as browser:
        yield browser


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def stack(infra: Infra, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """All of Herald, whose first day has been lived."""
    async with running(infra, tmp_path_factory.mktemp("herald")) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="session")
async def phone_page(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """A page on a phone; when the test fails, `results/` gets its picture."""
    context = await phone(browser)
    yield await context.new_page()
    await _end(context, request, "phone")


@pytest_asyncio.fixture(loop_scope="session")
async def desktop_page(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """A page in a window of a desktop; when the test fails, `results/` gets its picture."""
    context = await desktop(browser)
    yield await context.new_page()
    await _end(context, request, "desktop")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.when == "call":
        item.stash[FAILED] = report.failed
    return report


FAILED = pytest.StashKey[bool]()


async def _end(context: BrowserContext, request: pytest.FixtureRequest, kind: str) -> None:
    if request.node.stash.get(FAILED, False):
        RESULTS.mkdir(exist_ok=True)
        for number, page in enumerate(context.pages):
            await page.screenshot(path=RESULTS / f"{request.node.name}-{kind}-{number}.png", full_page=True)
    await context.close()
