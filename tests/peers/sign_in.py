"""Herald with a real Keycloak instead of the development issuer, from the sign-in to the sign-out, by a browser."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import BrowserContext, Page
from pymongo import AsyncMongoClient

from herald.contracts.rights import scopes
from herald.local.home import Home
from herald.local.ports import free_ports
from herald.local.provider import SECRET
from tests.browser import desktop, start_browser
from tests.peers import Check
from tests.peers.keycloak import REALM, Keycloak, running

ACCESS_SECONDS = 62
"""The hub renews a token in its last minute: two seconds after it was given out."""
HERALD_SECONDS = 240.0
PATIENCE = 20_000
EMAIL = "amina@herald.example"


@dataclass
class Trial:
    """Herald at `url`, whose people sign in with `keycloak`; one of them at a browser."""

    url: str
    home: Home
    keycloak: Keycloak
    page: Page
    user: str
    password: str

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    async def to_provider(self) -> None:
        await self.page.goto(f"{self.url}/welcome")
        await self.page.locator('a[href^="/auth/sign-in"]').click()

    async def sign_in(self) -> None:
        await self.to_provider()
        await self.page.locator("#username").fill("amina")
        await self.page.locator("#password").fill(self.password)
        await self.page.locator("#kc-login").click()

    async def arrived(self) -> None:
        await self.page.wait_for_url(lambda where: where.startswith(self.url) and "/auth/" not in where)
        await self.page.locator("main h1, main h2").first.wait_for()

    async def people(self) -> list[dict[str, Any]]:
        """Who `program` knows, oldest first."""
        async with AsyncMongoClient[dict[str, Any]](str(self.home.read_state()["mongo_url"])) as client:
            return await client["herald_program"]["people"].find({}, sort=[("_id", 1)]).to_list()


async def signs_in(trial: Trial) -> None:
    """The first administrator comes in by their verified address."""
    await trial.sign_in()
    await trial.arrived()
    [person] = await trial.people()
    assert (person["email"], person["grants"], person["name"]) == (EMAIL, ["admin"], "Amina Example")
    await trial.page.goto(f"{trial.url}/admin/people")
    assert "Amina Example" in await trial.page.locator("main").inner_text()


async def refreshes(trial: Trial) -> None:
    """A token in its last minute is renewed, and the session goes on."""
    before = await trial.keycloak.events("REFRESH_TOKEN")
    async with asyncio.timeout(30):
        while await trial.keycloak.events("REFRESH_TOKEN") == before:
            await asyncio.sleep(1)
            await trial.page.goto(f"{trial.url}/admin/people")
    assert "Amina Example" in await trial.page.locator("main").inner_text()
    assert await trial.keycloak.events("REFRESH_TOKEN_ERROR") == 0


async def signs_out_to_the_end(trial: Trial) -> None:
    """Neither Herald nor Keycloak has a session left, and the next sign-in asks for the password."""
    assert await trial.keycloak.sessions(trial.user) != (0, 0)
    await trial.page.goto(f"{trial.url}/me")
    await trial.page.locator('form[action="/auth/sign-out"] button').first.click()
    await trial.page.wait_for_url(f"{trial.url}/welcome*")
    assert await trial.keycloak.sessions(trial.user) == (0, 0)
    await trial.page.goto(f"{trial.url}/me")
    await trial.page.locator("#password").wait_for()


async def is_cut_off_when_disabled(trial: Trial) -> None:
    """Once the account is disabled the session ends with its token, and no sign-in works."""
    await trial.sign_in()
    await trial.arrived()
    await trial.keycloak.admin("PUT", f"/{REALM}/users/{trial.user}", {"enabled": False})
    async with asyncio.timeout(30):
        while trial.page.url.startswith(trial.url):
            await asyncio.sleep(1)
            await trial.page.goto(f"{trial.url}/me")
    await trial.sign_in()
    await trial.page.locator("#input-error, .pf-v5-c-alert, .kc-feedback-text").first.wait_for()
    assert trial.page.url.startswith(trial.keycloak.url)


async def is_another_person_with_a_new_account(trial: Trial) -> None:
    """The address was given to somebody else: they have no role of who had it before."""
    await trial.keycloak.admin("DELETE", f"/{REALM}/users/{trial.user}")
    trial.user = await trial.keycloak.add_user("amina", trial.password, EMAIL)
    await trial.sign_in()
    await trial.arrived()
    first, second = await trial.people()
    assert (second.get("email"), second["grants"], second["same_address_as"]) == (None, [], first["_id"])
    answer = await trial.page.goto(f"{trial.url}/admin/people")
    assert answer is not None
    assert answer.status == httpx.codes.FORBIDDEN


async def takes_machines_by_their_scopes(trial: Trial) -> None:
    """Client credentials: what a scope is for, and nothing else."""
    definitions, programs = f"{trial.url}/api/metrics/v1/definitions", f"{trial.url}/api/program/v1/programs"
    wanted = {
        ("herald:metrics:read",): (200, 403),
        ("herald:programs:read",): (403, 200),
        ("herald:programs:read", "herald:metrics:read"): (200, 200),
        (): (403, 403),
    }
    for asked, statuses in wanted.items():
        bearer = {"Authorization": f"Bearer {await trial.keycloak.machine_token(*asked)}"}
        answers = [await trial.keycloak.client.get(url, headers=bearer) for url in (definitions, programs)]
        assert tuple(answer.status_code for answer in answers) == statuses, (asked, [one.text for one in answers])
    assert not [one["name"] for one in await trial.people() if "service-account" in one["name"]]


async def has_no_development_issuer(trial: Trial) -> None:
    """Nobody signs in as a persona."""
    answer = await trial.keycloak.client.get(f"{trial.url}/issuer/.well-known/openid-configuration")
    assert answer.status_code == httpx.codes.NOT_FOUND


CHECKS = (
    has_no_development_issuer,
    signs_in,
    refreshes,
    signs_out_to_the_end,
    is_cut_off_when_disabled,
    is_another_person_with_a_new_account,
    takes_machines_by_their_scopes,
)


async def run() -> AsyncIterator[Check]:
    """Each check as it is done."""
    with tempfile.TemporaryDirectory(prefix="herald-peers-") as scratch:
        folder = Path(scratch)
        ports = free_ports(["herald", "keycloak"], folder / "ports.json")
        url = f"http://127.0.0.1:{ports['herald']}"
        provider = running(folder, ports["keycloak"], url, scopes(), access_seconds=ACCESS_SECONDS)
        async with provider as keycloak, _herald(folder, ports["herald"], keycloak) as home, start_browser() as browser:
            password = secrets.token_urlsafe(16)
            user = await keycloak.add_user("amina", password, EMAIL)
            context = await desktop(browser)
            context.set_default_timeout(PATIENCE)
            trial = Trial(url, home, keycloak, await context.new_page(), user, password)
            for check in CHECKS:
                try:
                    await check(trial)
                except Exception as error:  # noqa: BLE001 - the next check is told all the same
                    where = f"at {trial.page.url}"
                    yield Check(check.__name__.replace("_", " "), f"{type(error).__name__}: {error} {where}"[:600])
                else:
                    yield Check(check.__name__.replace("_", " "))


@asynccontextmanager
async def _herald(folder: Path, port: int, keycloak: Keycloak) -> AsyncIterator[Home]:
    """`herald up` with Keycloak as its issuer."""
    home = Home(folder / "herald")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HERALD_")}
    environment |= {"HERALD_HOME": str(home.folder), SECRET: keycloak.hub_secret}
    command = ("-m", "herald", "up", f"--port={port}", f"--issuer={keycloak.issuer}", f"--admins={EMAIL}")
    with (folder / "herald.log").open("wb") as log:
        child = await asyncio.create_subprocess_exec(
            sys.executable, *command, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        async with asyncio.timeout(HERALD_SECONDS):
            while home.read_state().get("status") != "ready":
                if child.returncode is not None:
                    raise AssertionError(f"Herald ended:\n{(folder / 'herald.log').read_text()[-3000:]}")
                await asyncio.sleep(0.5)
        yield home
    finally:
        if child.returncode is None:
            child.send_signal(signal.SIGTERM)
        await child.wait()
