"""A browser before the hub."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.infra import Infra
from tests.integration.hub.harness import Browser, open_browser


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "shared_browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.asyncio(loop_scope="module"), append=False)


@pytest.fixture
async def browser(
    borrowed: None, infra: Infra, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Browser]:
    async with open_browser(infra, namespace, monkeypatch) as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_browser(infra: Infra) -> AsyncIterator[Browser]:
    """One for all tests of a module, where each has many cases and begins a session of its own; they run in one event
    loop."""
    with pytest.MonkeyPatch.context() as patch:
        async with open_browser(infra, f"t{secrets.token_hex(3)}", patch) as found:
            yield found
