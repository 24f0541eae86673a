"""Whoever is cut off or signs out is out: of every service, of the hub, and of what streams, within two seconds; beside
other tests, where each step waits for a core, within ten."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import httpx
import pytest
from playwright.async_api import Browser, expect

from tests.e2e.people import signed_in
from tests.e2e.stack import Stack
from tests.hub_session import HubSession, hub_session

pytestmark = pytest.mark.xdist_group("e2e-doors")
ADMIN, EMMA, AMINA = "ines@herald.example", "emma@herald.example", "amina@herald.example"
SERVICES = ("content", "sharing", "gamification", "metrics")
WITHIN = 10.0 if "PYTEST_XDIST_WORKER" in os.environ else 2.0
PATIENCE = 60.0
SENTENCE = "Your access to Herald has ended."
ENDED = "/welcome?ended=inactive&language=en"


def paths(program_id: str) -> dict[str, str]:
    """What somebody who edits and manages may ask of each service."""
    return {
        "program": "/v1/me",
        "content": "/v1/items",
        "sharing": f"/v1/programs/{program_id}/guardrails",
        "gamification": f"/v1/programs/{program_id}/rules",
        "metrics": f"/v1/programs/{program_id}/rates",
    }


@asynccontextmanager
async def with_everything(stack: Stack) -> AsyncIterator[str]:
    """Emma with the roles of an editor and manager, known to every service; afterwards she is who she was."""
    await stack.api.call(EMMA, "PUT", "/program/v1/me", {})
    emma = str((await stack.api.get(EMMA, "/program/v1/me"))["id"])
    await _roles(stack, emma, "editor", "manager")
    try:
        for service, path in paths(stack.program_id).items():
            await _until(partial(_status, stack, service, path), 200)
        yield emma
    finally:
        await stack.api.post(ADMIN, f"/program/v1/people/{emma}/reactivate")
        await _roles(stack, emma, "editor")
        for service in ("program", "content"):
            await _until(partial(_status, stack, service, paths(stack.program_id)[service]), 200)


async def _roles(stack: Stack, person: str, *roles: str) -> None:
    path = f"/program/v1/people/{person}"
    await stack.api.call(ADMIN, "PATCH", path, {"roles": list(roles)}, headers={"If-Match": "*"})


async def _status(stack: Stack, service: str, path: str) -> int:
    return (await stack.api.call(EMMA, "GET", f"/{service}{path}", allow=(403, 404))).status_code


async def _until(probe: Callable[[], Awaitable[object]], wanted: object) -> float:
    """When `probe` gave what is wanted. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE):
        while await probe() != wanted:
            await asyncio.sleep(0.02)
    return time.monotonic()


async def where(hub: HubSession) -> str:
    """Where a page sends the browser on to; empty for a page that is shown."""
    location: str = (await hub.client.get("/menu")).headers.get("location", "")
    return location


async def _sent_on(hub: HubSession) -> bool:
    """To the sentence, or, where the stream saw it first and ended the session, to the sign-in that says it."""
    return await where(hub) in (ENDED, "/auth/sign-in?back=%2Fmenu")


class Listener:
    """Reads a stream of server-sent events until it ends."""

    def __init__(self, client: httpx.AsyncClient, path: str, headers: dict[str, str]) -> None:
        self.text = ""
        self.began = asyncio.Event()
        self._task = asyncio.ensure_future(self._read(client, path, headers))

    async def _read(self, client: httpx.AsyncClient, path: str, headers: dict[str, str]) -> float:
        async with client.stream("GET", path, headers=headers, timeout=PATIENCE) as response:
            assert response.status_code == 200, response.status_code
            async for piece in response.aiter_text():
                self.text += piece
                if "event: figures" in self.text:
                    self.began.set()
        return time.monotonic()

    async def ended(self) -> float:
        return await asyncio.wait_for(self._task, PATIENCE)


async def test_whoever_is_cut_off_is_out_of_everything(stack: Stack) -> None:
    async with with_everything(stack) as emma, hub_session(stack.url, "emma") as hub:
        assert (await hub.client.get("/manage")).status_code == 200
        bearer = {"Authorization": f"Bearer {await stack.api.token(EMMA)}"}
        async with httpx.AsyncClient(base_url=stack.url, trust_env=False) as client:
            metrics = Listener(client, f"/api/metrics/v1/programs/{stack.program_id}/live", bearer)
            dashboard = Listener(hub.client, "/manage/live", {})
            await asyncio.wait_for(asyncio.gather(metrics.began.wait(), dashboard.began.wait()), PATIENCE)
            began = time.monotonic()
            await stack.api.post(ADMIN, f"/program/v1/people/{emma}/deactivate")
            services = paths(stack.program_id)
            probes = [_until(partial(_status, stack, name, path), 403) for name, path in services.items()]
            page = _until(partial(_sent_on, hub), True)
            ended = await asyncio.gather(*probes, metrics.ended(), dashboard.ended(), page)
        took = dict(
            zip((*services, "metrics' stream", "hub's stream", "hub"), (at - began for at in ended), strict=True)
        )
        print({name: round(seconds, 2) for name, seconds in took.items()})
        assert max(took.values()) < WITHIN, took
        assert "event: ended\ndata: /welcome" in dashboard.text
        again = await hub.sign_in("emma")
        assert again.headers["location"] == ENDED
        told = await hub.client.get(ENDED)
        assert (told.status_code, SENTENCE in told.text) == (403, True)
        assert (await hub.client.get("/manage")).status_code == 303


async def test_who_was_cut_off_by_mistake_is_back_where_they_were(stack: Stack, browser: Browser) -> None:
    me = await stack.api.get(AMINA, "/program/v1/me")
    feed = await stack.api.get(AMINA, "/content/v1/feed")
    assert feed["items"]
    enrolled = {"person_id": me["id"], "intervals.until": None}
    async with signed_in(browser, stack.url, "ines", "phone") as seen:
        page = seen.page
        await page.goto(f"{stack.url}/admin/people/{me['id']}")
        await page.click('form[action$="/deactivate"] button')
        await page.click("main button[data-first]")
        await page.locator("[data-undo] button").wait_for()
        await _until(partial(stack.count, "metrics", "enrolments", enrolled), 0)
        await page.click("[data-undo] button")
        await expect(page.locator(".toast")).to_contain_text("Accès rendu")
        await expect(page.locator('form[action$="/deactivate"]')).to_be_visible()
        assert seen.complaints == []
    assert (await stack.api.get(AMINA, "/program/v1/me"))["programs"] == me["programs"]
    for service, collection, wanted in (
        ("metrics", "enrolments", enrolled),
        *((name, "principals", {"_id": me["id"], "memberships": stack.program_id}) for name in SERVICES),
    ):
        await _until(partial(stack.count, service, collection, wanted), 1)
    assert (await stack.api.get(AMINA, "/content/v1/feed"))["items"] == feed["items"]


async def test_an_open_dashboard_says_that_access_has_ended(stack: Stack, browser: Browser) -> None:
    async with with_everything(stack) as emma, signed_in(browser, stack.url, "emma", "desktop") as watched:
        await watched.page.goto(f"{stack.url}/manage")
        await watched.page.locator(".live.on").wait_for()
        await stack.api.post(ADMIN, f"/program/v1/people/{emma}/deactivate")
        await watched.page.get_by_text(SENTENCE).wait_for()
        assert watched.complaints == []


async def test_whoever_signs_out_hears_no_more(stack: Stack) -> None:
    async with with_everything(stack), hub_session(stack.url, "emma") as hub:
        dashboard = Listener(hub.client, "/manage/live", {})
        await asyncio.wait_for(dashboard.began.wait(), PATIENCE)
        began = time.monotonic()
        await hub.post("/auth/sign-out")
        took = await dashboard.ended() - began
        print(f"{took:.2f} s")
        assert took < WITHIN
        assert dashboard.text.endswith("event: ended\ndata: /welcome\n\n")
