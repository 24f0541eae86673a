"""The short form of every attack, against the Herald of the browser's tests, when those are over."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.attack.families import FAMILIES, attempts_of
from tests.attack.target import Target, target_of
from tests.e2e.stack import Stack

pytestmark = [
    pytest.mark.xdist_group("e2e-doors"),
    pytest.mark.asyncio(loop_scope="session"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def target(stack: Stack) -> AsyncIterator[Target]:
    async with target_of(stack.url, stack.home, long=False) as found:
        yield found


@pytest.mark.parametrize("family", FAMILIES)
async def test_it_holds(target: Target, family: str) -> None:
    attempts = await attempts_of(family, target)
    assert attempts
    found = [f"{one.name}: {one.seen}" for one in attempts if not one.held]
    assert not found, "\n".join(found)
