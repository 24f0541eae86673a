"""The service under test."""

from collections.abc import AsyncIterator

import pytest

from chassis.service import Service
from services.gamification.app import build
from services.gamification.settings import GamificationSettings
from tests.integration.gamification.harness import clock
from tests.integration.harness import Harness


@pytest.fixture
async def service(borrowed: None, harness: Harness) -> AsyncIterator[Service]:
    found = build(harness.settings(GamificationSettings), clock=clock())
    yield found
    await found.runtime.close()
