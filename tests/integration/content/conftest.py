"""The service `content` on real servers."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.content.harness import ContentHarness, make
from tests.integration.harness import Harness


@pytest.fixture
async def content(borrowed: None, harness: Harness) -> AsyncIterator[ContentHarness]:
    """The service's API with an editor; no worker, so that the outbox keeps what was told."""
    service, clock = make(harness)
    async with harness.api(service) as client:
        found = ContentHarness(harness, service, client, clock)
        await found.know("editor", "editor")
        yield found
    await service.runtime.close()
