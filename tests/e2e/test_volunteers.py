"""From a poster to the feed, without an e-mail address and without an account: on a phone, with a one-time code."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser import desktop
from tests.e2e.people import confirm, sign_in
from tests.e2e.stack import MANAGER, Stack
from tests.integration.harness import eventually

pytestmark = pytest.mark.xdist_group("e2e")
ADMIN = "ines@herald.example"
FILE = b"external_id,name,country,team,site\nOLGA-PLANT,Olga Plante,FR,Plant,Lyon\n"


async def test_somebody_without_an_account_joins_with_a_code(browser: Browser, stack: Stack, phone_page: Page) -> None:
    program = f"/program/v1/programs/{stack.program_id}"
    api = stack.api
    imports, csv = "/program/v1/imports", {"Content-Type": "text/csv"}
    preview = (await api.call(ADMIN, "POST", imports, content=FILE, headers=csv)).json()
    await api.call(ADMIN, "POST", f"{imports}/{preview['id']}/confirm")
    found = (await api.call(ADMIN, "GET", "/program/v1/people?query=OLGA-PLANT")).json()
    [olga] = [one["id"] for one in found["items"]]
    await api.call(MANAGER, "POST", f"{program}/invitations", {"people": [olga]})
    link = (await api.call(MANAGER, "POST", f"{program}/invitation-links", {"title": "Canteen"})).json()

    context = await desktop(browser)
    manager = await context.new_page()
    await sign_in(manager, stack.url, "marc")
    await manager.goto(f"{stack.url}/manage/ambassadors/{olga}/access")
    await manager.locator('form[action$="/code"] button').click()
    code = await manager.locator(".code-shown").inner_text()

    await phone_page.goto(f"{stack.url}/i/{link['token']}")
    await phone_page.locator('a[href^="/code"]').click()
    await phone_page.locator("#code").fill(code.lower())
    await phone_page.locator('form[action="/code"] button').click()
    await phone_page.locator('form[action^="/i/"] button').click()
    await phone_page.wait_for_url("**/feed**")
    await expect(phone_page.locator("main h1")).to_contain_text("Olga")

    await manager.goto(f"{stack.url}/manage/ambassadors/{olga}/access")
    await manager.locator('form[action$="/devices/end"] button').click()
    await confirm(manager)
    await context.close()

    async def ended() -> bool:
        """The hub asks who somebody is once a second."""
        await phone_page.goto(f"{stack.url}/feed")
        return "/welcome?ended=device" in phone_page.url

    await eventually(ended)
    await expect(phone_page.locator("[role=alert]")).to_be_visible()
