"""The service under test."""

from collections.abc import AsyncIterator

import pytest

from chassis.service import Service
from services.gamification.app import build
from services.gamification.settings import GamificationSettings
from tests.integration.gamification.scene import clock
from tests.integration.harness import Stage


@pytest.fixture
async def service(stage: Stage) -> AsyncIterator[Service]:
    found = build(stage.settings(GamificationSettings), clock=clock())
    yield found
    await found.runtime.close()
