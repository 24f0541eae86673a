"""The short form of `python -m tests.walk`: each page once, languages, sizes and themes by turns."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from tests.e2e.stack import Stack
from tests.walk.__main__ import go
from tests.walk.findings import Looks
from tests.walk.pages import Walk

pytestmark = [pytest.mark.xdist_group("e2e"), pytest.mark.timeout(300)]
WALKS = (
    Walk("amina", "fr", "small", "dark"),
    Walk("emma", "en", "phone", "light"),
    Walk("marc", "fr", "desktop", "light"),
    Walk("ines", "en", "small", "dark"),
)


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.name)
async def test_nothing_is_wrong_with_any_page(browser: Browser, stack: Stack, walk: Walk) -> None:
    seen = await go(browser, stack.url, walk, Looks(), None)
    assert len(seen) > 8
    assert {one.address: one.findings for one in seen if one.findings} == {}
