"""A pilot as a manager runs it: planned, started, looked at, decided on; the next wave waits for the decision."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser, expect

from tests.browser import accessibility_findings
from tests.e2e.people import confirm, signed_in
from tests.e2e.stack import MANAGER, Stack
from tests.e2e.test_guidelines import CONSENT, at

pytestmark = pytest.mark.xdist_group("e2e")
AMBASSADORS = [f"wave{number}@herald.example" for number in range(5)]


async def test_a_pilot_is_planned_started_and_decided_on(browser: Browser, stack: Stack) -> None:
    api, today = stack.api, datetime.now(UTC).date()
    order = {"name": "Pilot voices", "time_zone": "Europe/Paris", "languages": ["fr", "en"], "consent": CONSENT}
    program_id = (await api.post(MANAGER, "/program/v1/programs", {**order, "open": True}))["id"]
    for who in AMBASSADORS:
        await api.call(who, "PUT", "/program/v1/me", {})
        await api.post(who, f"/program/v1/programs/{program_id}/join", {"consent_version": 1})
    async with signed_in(browser, stack.url, "marc", "phone") as seen:
        page = seen.page
        await at(page, stack, program_id, "/manage/waves")
        await page.locator('.empty a[href="/manage/waves/new"]').click()
        await page.locator("#starts_on").fill((today - timedelta(days=1)).isoformat())
        await page.locator("#ends_on").fill((today + timedelta(days=40)).isoformat())
        await page.locator("#goal").fill("Do five of us find the time?")
        await page.locator("#participation").fill("60")
        save = page.locator('form[action="/manage/waves/new"] button').last
        await save.click()
        await expect(page.locator("input[name=everybody]")).to_have_attribute("aria-invalid", "true")
        await expect(page.locator("#participation")).to_have_value("60")
        await page.locator("input[name=everybody]").check()
        await save.click()
        await expect(page.locator("main")).to_contain_text("5 ambassadeurs y entreraient")
        assert await accessibility_findings(page) == []
        await page.locator('form[action$="/start"] button').click()
        await expect(page.locator("main")).to_contain_text("5 ambassadeurs y entrent")
        await confirm(page)
        results = page.locator("section[aria-labelledby=results]")
        shown = results.locator(".bars").first
        await expect(shown).to_contain_text("Trop tôt pour le dire")
        await results.locator('a[href^="/manage/surveys/new?wave="]').click()
        await expect(page.locator("#wave_id option:checked")).to_contain_text("Vague")
        await page.go_back()
        await page.locator("input[name=decision][value=go]").check()
        await page.locator("#reasons").fill("Trois sur cinq ont **partagé**.")
        await page.locator('form[action$="/decision"] button').click()
        await confirm(page)
        decision = page.locator("section[aria-labelledby=decision]")
        await expect(decision).to_contain_text("On continue")
        await expect(decision.locator("strong", has_text="partagé")).to_be_visible()
        assert await accessibility_findings(page) == []
        assert seen.complaints == []
    await api.post(MANAGER, f"/program/v1/programs/{program_id}/archive")
