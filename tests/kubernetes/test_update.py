"""From the release before to this one and back, under load and today's chart."""

from __future__ import annotations

import asyncio
import os
import secrets
import time

import pytest

from tests.kubernetes.crowd import RESULTS, Crowd
from tests.kubernetes.installed import TAG, Installation, installed

pytestmark = pytest.mark.asyncio(loop_scope="session")
BEFORE = os.environ.get("HERALD_KUBERNETES_BEFORE", "0.1.0")
WORKS_SECONDS = 20.0
# What that release's image has no command for: its indexes are made by its services as they start.
NOT_YET = {"jobs": {"hooks": "none"}, "drain": {"enabled": False}}


async def images_are_of(herald: Installation, tag: str) -> bool:
    containers = [one["spec"]["containers"][0]["image"] for one in await herald.pods()]
    return all(one.endswith(f":{tag}") for one in containers)


@pytest.mark.skipif(BEFORE == "none", reason="HERALD_KUBERNETES_BEFORE names no release")
async def test_an_update_from_the_release_before_and_back() -> None:
    async with installed(RESULTS / "update", f"herald-{secrets.token_hex(3)}") as herald, herald.mailbox():
        await herald.make_topics(BEFORE)
        await herald.install(image={"tag": BEFORE}, **NOT_YET)
        assert await images_are_of(herald, BEFORE)
        crowd = await Crowd.begin(herald)
        try:
            async with crowd.acting(f"update from {BEFORE} to this release") as watch:
                watch.all_answered = True
                began = time.monotonic()
                await herald.install(image={"tag": TAG}, jobs={"hooks": "helm"}, drain={"enabled": True})
                await herald.settled()
                watch.figure(f"{len(await herald.pods())} pods replaced in {time.monotonic() - began:.0f} s")
                watch.holds("this release runs", await images_are_of(herald, TAG))
            async with crowd.acting(f"back to {BEFORE} by helm rollback, and on again") as watch:
                began = time.monotonic()
                await herald.roll_back()
                watch.figure(f"{len(await herald.pods())} pods replaced in {time.monotonic() - began:.0f} s")
                watch.holds("the release before runs", await images_are_of(herald, BEFORE))
                await asyncio.sleep(WORKS_SECONDS)
                # What that release does not consume waits for this one.
                await herald.roll_back()
                watch.holds("this release runs again", await images_are_of(herald, TAG))
        finally:
            await crowd.end()
