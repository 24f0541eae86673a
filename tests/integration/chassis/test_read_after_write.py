"""A request that names an event is answered once the event was applied, or as things stand after a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from chassis.ids import new_id
from chassis.service import Service
from chassis.web.read_after_write import AFTER
from services.gamification.app import build
from services.gamification.settings import GamificationSettings
from tests.integration.harness import Harness

PATH = "/v1/me/points?program_id=none"
JOINED = "herald.AmbassadorJoined.v1"


@pytest.fixture
async def service(harness: Harness) -> AsyncIterator[Service]:
    found = build(harness.settings(GamificationSettings, wait_seconds=10))
    yield found
    await found.runtime.close()


async def test_a_person_who_was_just_made_is_known_to_whoever_names_the_event(
    harness: Harness, service: Service
) -> None:
    """No poll by the caller: the first request after the command is answered for a person who is known."""
    async with harness.worker(service), harness.api(service) as client:
        for number in range(3):
            person = harness.provisioned(f"p{number}", "ambassador")
            asked = asyncio.create_task(
                client.get(PATH, headers={**harness.bearer(f"p{number}"), AFTER: f"{person.type}/{(id := new_id())}"})
            )
            await asyncio.sleep(0)
            await harness.publish(person, ids=[id])
            answer = await asked
            assert answer.json()["type"] == "not-found", "the person is known, the programme is not"


async def test_what_is_not_applied_in_time_holds_nobody_up_for_long(harness: Harness) -> None:
    service = build(harness.settings(GamificationSettings, wait_seconds=3))
    async with harness.api(service) as client:
        headers = harness.bearer("nobody")
        began = time.monotonic()
        for event in ("herald.SurveyClosed.v1", "nonsense"):
            await client.get(PATH, headers={**headers, AFTER: f"{event}/{new_id()}"})
        quick = time.monotonic() - began
        began = time.monotonic()
        answer = await client.get(PATH, headers={**headers, AFTER: f"{JOINED}/{new_id()}"})
        assert answer.json()["type"] == "unknown-person"
        assert time.monotonic() - began >= 3
        assert quick < 3, "events that a service does not take are not waited for"
    await service.runtime.close()
