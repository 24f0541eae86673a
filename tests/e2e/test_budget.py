"""Pages keep as light and as quick as they are: budgets and how they are measured are in `tests/walk/budget.py`."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from tests.e2e.stack import Stack
from tests.walk.budget import BUDGETS, SLOW, measured

pytestmark = pytest.mark.xdist_group("e2e")
ALIKE = {"points", "posts", "editor", "objectives", "survey form"}
"""Made as another page is that is measured: the walk measures them too."""


async def test_no_page_grows_heavy(browser: Browser, stack: Stack) -> None:
    wanted = BUDGETS.keys() - ALIKE
    seen = {name: found async for name, found in measured(browser, stack.url, wanted)}
    assert set(seen) == wanted
    assert {name: (over, found.parts) for name, found in seen.items() if (over := found.over(BUDGETS[name]))} == {}


async def test_the_feed_is_painted_soon_on_a_slow_line(browser: Browser, stack: Stack) -> None:
    async for name, found in measured(browser, stack.url, ["feed"], SLOW):
        assert found.painted > SLOW["latency"], "the line was not slow"
        assert found.over(BUDGETS[name]) == []
