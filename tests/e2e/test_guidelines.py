"""Guidelines, questions and surveys as people meet them: written at a desk, read and answered on a phone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser import accessibility_findings
from tests.drawings import drawing
from tests.e2e.people import CONFIRM, becomes_true, confirm, look_at_programme, signed_in
from tests.e2e.stack import MANAGER, Stack

pytestmark = pytest.mark.xdist_group("e2e")
CONSENT = {"fr": "Je participe de mon plein gré.", "en": "I take part of my own free will."}
AMBASSADORS = ("emma", "amina", "ines")
OTHERS = 3


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def program_id(stack: Stack) -> AsyncIterator[str]:
    """A programme of its own with six ambassadors, archived at the end."""
    api = stack.api
    order = {"name": "Guided voices", "time_zone": "Europe/Paris", "languages": ["fr", "en"], "consent": CONSENT}
    id = (await api.post(MANAGER, "/program/v1/programs", {**order, "open": True}))["id"]
    others = [f"guided{number}@herald.example" for number in range(OTHERS)]
    for who in (*(f"{one}@herald.example" for one in AMBASSADORS), *others):
        await api.call(who, "PUT", "/program/v1/me", {})
        await api.post(who, f"/program/v1/programs/{id}/join", {"consent_version": 1})
    yield id
    await api.post(MANAGER, f"/program/v1/programs/{id}/archive")


async def at(page: Page, stack: Stack, program_id: str, path: str) -> None:
    """A page, with that programme chosen."""
    await page.goto(f"{stack.url}/menu")
    await look_at_programme(page, program_id)
    await page.goto(f"{stack.url}{path}")


async def test_guidelines_with_a_quiz_an_identity_and_a_question(
    browser: Browser, stack: Stack, program_id: str
) -> None:
    path = f"/programs/{program_id}/guidelines"
    async with signed_in(browser, stack.url, "marc", "desktop") as seen:
        page = seen.page
        await at(page, stack, program_id, "/manage/guidelines")
        for code in ("fr", "en"):
            await page.locator(f"#guidelines_{code}").fill("## Speak for yourself<script>x</script>")
            await page.locator(f"details:has(#do_{code}_0) summary").click()
            await page.locator(f"#do_{code}_0").fill("Say what you saw")
            await page.locator(f"#do_example_{code}_0").fill("I was on site when the pump started.")
            await page.locator(f"details:has(#question_{code}_0) summary").click()
            await page.locator(f"#question_{code}_0").fill("Who posts?")
            await page.locator(f"#choice_{code}_0_0").fill("Herald")
            await page.locator(f"#choice_{code}_0_1").fill("You")
            await page.locator(f"#explanation_{code}_0").fill("The last tap is yours.")
        await page.locator('form[action="/manage/guidelines"] button').click()
        await page.locator(CONFIRM).click()
        await expect(page.locator("[role=alert]").first).to_contain_text("Markdown")
        await expect(page.locator("#choice_en_0_0")).to_have_attribute("aria-invalid", "true")
        await expect(page.locator("#do_example_en_0")).to_have_value("I was on site when the pump started.")
        for code in ("fr", "en"):
            await page.locator(f"#guidelines_{code}").fill("## Speak for yourself")
            await page.locator(f"input[name=right_{code}_0][value='1']").check()
        await page.locator('form[action="/manage/guidelines"] button').click()
        await confirm(page)
        await expect(page.locator(".toast")).to_be_visible()
        await _give_a_logo(page, stack)
        assert seen.complaints == []
    async with signed_in(browser, stack.url, "emma", "phone") as seen:
        page = seen.page
        await page.goto(f"{stack.url}{path}")
        await expect(page.locator(".rule")).to_contain_text("I was on site when the pump started.")
        await page.locator("input[name=answer_0][value='0']").check()
        await page.locator("#quiz button").click()
        await expect(page.locator("#quiz .notice.warn").last).to_contain_text("The last tap is yours.")
        assert await _must_acknowledge(stack, program_id)
        await page.locator("input[name=answer_0][value='1']").check()
        await page.locator("#quiz button").click()
        await page.wait_for_url("**/feed*")
        assert not await _must_acknowledge(stack, program_id)
        await page.goto(f"{stack.url}{path}")
        assert await accessibility_findings(page) == []
        await becomes_true(page, "[...document.querySelectorAll('.sample')].every(one => one.naturalWidth > 0)")
        file = await page.request.get(f"{stack.url}{await page.locator('a[download]').get_attribute('href')}")
        assert file.headers["content-type"] == "image/png"
        assert file.headers["content-disposition"] == 'attachment; filename="logo.png"'
        assert seen.complaints == []


async def _give_a_logo(page: Page, stack: Stack) -> None:
    await page.goto(f"{stack.url}/manage/identity")
    fake: Any = {"name": "logo.png", "mimeType": "image/png", "buffer": b"<script>alert(1)</script>"}
    logo: Any = {**fake, "buffer": drawing(size=(600, 200))}
    for file in (fake, logo):
        await page.locator("#picture").set_input_files(file)
        for code in ("fr", "en"):
            await page.locator(f"#title_{code}").fill("Logo")
        await page.locator('form[action="/manage/identity"] button').click()
        if file is fake:
            await expect(page.locator("[role=alert]").first).to_contain_text("PNG")
    await expect(page.locator(".sample")).to_have_count(1)
    await page.locator("#name").fill("Herald violet")
    await page.locator('form[action="/manage/identity/colours"] button').click()
    await expect(page.locator("code")).to_have_text("#4531c4")
    assert await accessibility_findings(page) == []


async def _must_acknowledge(stack: Stack, program_id: str) -> bool:
    me = await stack.api.get("emma@herald.example", "/program/v1/me")
    return any(one["must_acknowledge"] for one in me["programs"] if one["program_id"] == program_id)


async def test_a_question_is_asked_answered_and_told_to_everybody(
    browser: Browser, stack: Stack, program_id: str
) -> None:
    async with signed_in(browser, stack.url, "emma", "phone") as seen:
        await at(seen.page, stack, program_id, "/feedback?kind=question")
        await seen.page.locator("#text").fill("May I show the prototype?")
        await seen.page.locator('form[action="/feedback"] button').click()
        await expect(seen.page.locator(".toast")).to_be_visible()
    async with signed_in(browser, stack.url, "marc", "desktop") as seen:
        page = seen.page
        await at(page, stack, program_id, "/manage/feedback")
        await expect(page.locator(".list")).to_contain_text("Emma Lindqvist")
        assert await accessibility_findings(page) == []
        await page.locator(".list a.through").click()
        await page.locator("#answer").fill("Yes, since Monday.")
        await page.locator("details:has(#said_fr) summary").click()
        for code, said in (("fr", "Et les prototypes ?"), ("en", "And prototypes?")):
            await page.locator(f"#said_{code}").fill(said)
            await page.locator(f"#answer_{code}").fill("Once they are in the press kit.")
        assert await accessibility_findings(page) == []
        await page.locator("form:has(#answer) button").last.click()
        await confirm(page)
        await expect(page.locator(".toast form")).to_be_visible()
    async with signed_in(browser, stack.url, "emma", "phone") as seen:
        page = seen.page
        await at(page, stack, program_id, "/feed")
        await page.locator('.notice a[href="/feedback"]').click()
        await expect(page.locator("main")).to_contain_text("Yes, since Monday.")
        assert await accessibility_findings(page) == []
        await page.goto(f"{stack.url}/programs/{program_id}/guidelines")
        question = page.locator("#questions details")
        await question.locator("summary").click()
        await expect(question).to_contain_text("Once they are in the press kit.")
        await page.goto(f"{stack.url}/feed")
        await expect(page.locator('.notice a[href="/feedback"]')).to_have_count(0)


async def test_a_survey_is_asked_and_its_few_answers_are_shown_to_nobody(
    browser: Browser, stack: Stack, program_id: str
) -> None:
    today = datetime.now(UTC).date()
    async with signed_in(browser, stack.url, "marc", "desktop") as seen:
        page = seen.page
        await at(page, stack, program_id, "/manage/surveys/new")
        await page.locator("#title").fill("Pulse")
        await page.locator("#opens_on").fill((today - timedelta(days=1)).isoformat())
        await page.locator("#closes_on").fill((today + timedelta(days=7)).isoformat())
        await page.locator("#question_0_fr").fill("J’ai le temps de partager.")
        await page.locator("#question_0_en").fill("I have the time to share.")
        await page.locator('form[action="/manage/surveys/new"] button').click()
        await page.locator('form[action$="/open"] button').click()
        await confirm(page)
        await expect(page.locator(".tag.good")).to_be_visible()
    async with signed_in(browser, stack.url, "amina", "phone") as seen:
        page = seen.page
        await at(page, stack, program_id, "/feed")
        await page.locator('.notice a[href="/survey"]').click()
        assert await accessibility_findings(page) == []
        await page.locator("label:has(input[name=enps][value='9'])").click()
        await page.locator("label:has(input[name=score_0][value='4'])").click()
        await page.locator('form[action^="/survey/"] button').click()
        await page.wait_for_url("**/feed*")
        await expect(page.locator('.notice a[href="/survey"]')).to_have_count(0)
        assert seen.complaints == []
    async with signed_in(browser, stack.url, "marc", "desktop") as seen:
        page = seen.page
        await at(page, stack, program_id, "/manage/surveys")
        await page.locator("h2 a", has_text="Pulse").first.click()
        await page.locator('form[action$="/close"] button').click()
        await confirm(page)
        await expect(page.locator("main")).to_contain_text("Moins de 5 personnes")
        await expect(page.locator(".number")).to_have_count(0)
        assert await accessibility_findings(page) == []
