"""Content on a stage of its own."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.content.stage import Content, make
from tests.integration.harness import Stage


@pytest.fixture
async def content(stage: Stage) -> AsyncIterator[Content]:
    """The service's API with an editor; no worker, so that the outbox keeps what was told."""
    service, clock = make(stage)
    async with stage.api(service) as client:
        found = Content(stage, service, client, clock)
        await found.know("editor", "editor")
        yield found
    await service.runtime.close()
