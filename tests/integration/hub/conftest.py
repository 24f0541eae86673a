"""A browser before the hub."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.infra import Infra
from tests.integration.hub.harness import Browser, open_browser


@pytest.fixture
async def browser(infra: Infra, namespace: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Browser]:
    async with open_browser(infra, namespace, monkeypatch) as found:
        yield found
