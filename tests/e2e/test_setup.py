"""A manager sets an empty programme up: from each of the three templates, and by the nine steps one after the other."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from services.hub.pages.setup import STEPS
from tests.browser import accessibility_findings
from tests.e2e.people import confirm, look_at_programme, signed_in
from tests.e2e.stack import MANAGER, Stack
from tests.integration.harness import eventually

pytestmark = pytest.mark.xdist_group("e2e")
TEMPLATES = {
    "visibility": ("La moitié de nos ambassadeurs partagent", "Conférence de rédaction"),
    "experts": ("Experts qui publient", "Interroger un expert vingt minutes"),
    "consultants": ("Six ambassadeurs sur dix partagent", "Trouver un relais dans chaque pays"),
}
"""An objective and a task of each."""


async def empty_program(stack: Stack, name: str) -> str:
    """A programme that nothing was set in; `gamification` knows it."""
    consent = {"fr": "Je participe de mon plein gré.", "en": "I take part of my own free will."}
    order = {"name": name, "time_zone": "Europe/Paris", "languages": ["fr", "en"], "consent": consent}
    id = str((await stack.api.post(MANAGER, "/program/v1/programs", order))["id"])
    await eventually(lambda: rules_version(stack, id))
    return id


async def rules_version(stack: Stack, program_id: str) -> int:
    """The latest version of its rules of points; 0 where `gamification` does not know it yet."""
    known = await stack.count("gamification", "programs", {"_id": program_id})
    if not known:
        return 0
    return int((await stack.api.get(MANAGER, f"/gamification/v1/programs/{program_id}/rules"))["version"])


async def settle(page: Page) -> None:
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert await accessibility_findings(page) == []


async def first_share(stack: Stack, program_id: str) -> None:
    """Somebody joins, an item comes, and they share it."""
    api, who = stack.api, f"first-{program_id}@herald.example"
    await api.call(MANAGER, "PATCH", f"/program/v1/programs/{program_id}", {"open": True}, headers={"If-Match": "*"})
    await api.call(who, "PUT", "/program/v1/me", {})
    await api.post(who, f"/program/v1/programs/{program_id}/join", {"consent_version": 1})
    variant = {"language": "fr", "title": "Une première histoire"}
    order = {"program_id": program_id, "kind": "article", "category": "company_news", "variants": [variant]}
    order["url"] = f"https://www.example.com/first/{program_id}"
    item = (await eventually(partial(written, stack, order)))["id"]
    for act in ("submit", "publish"):
        await api.post("emma@herald.example", f"/content/v1/items/{item}/{act}")
    post = {"content_id": item, "network": "linkedin", "language": "fr", "caption": "J’y étais, avec toute l’équipe."}

    async def shared() -> bool:
        """Sharing may not know the item or the person yet."""
        return (await api.call(who, "POST", "/sharing/v1/posts", post, allow=(403, 404, 409))).is_success

    await eventually(shared)


async def test_each_template_sets_an_empty_programme_up(browser: Browser, stack: Stack) -> None:
    programs = {name: await empty_program(stack, f"Set up by {name}") for name in TEMPLATES}
    async with signed_in(browser, stack.url, "marc", "phone") as seen:
        page = seen.page
        for name, (objective, task) in TEMPLATES.items():
            await page.goto(f"{stack.url}/manage/program")
            await look_at_programme(page, programs[name])
            await page.goto(f"{stack.url}/manage/program")
            await page.click('a[href="/manage/setup"]')
            await expect(page.locator("h2", has_text=re.compile(r"0 étape"))).to_be_visible()
            await page.click(f'a[href="/manage/setup/templates/{name}"]')
            await expect(page.locator("main")).to_contain_text("Ce qui serait mis en place")
            await expect(page.locator("main")).to_contain_text(objective)
            await page.click(f'form[action="/manage/setup/templates/{name}"] button')
            await expect(page.locator("main")).to_contain_text("Mis en place")
            await expect(page.locator("main")).not_to_contain_text("Les points ne peuvent être")
            assert await rules_version(stack, programs[name]) == 2
            await page.goto(f"{stack.url}/manage/setup/templates/{name}")
            await expect(page.locator("main")).to_contain_text("Le programme a déjà tout cela.")
            await page.goto(f"{stack.url}/manage/objectives")
            await expect(page.locator("main")).to_contain_text(objective)
            await first_share(stack, programs[name])
            await page.goto(f"{stack.url}/manage")
            await expect(page.locator('[data-figure="shares"]')).to_have_text("1")
            await page.goto(f"{stack.url}/manage/tasks")
            await expect(page.locator("main")).to_contain_text(task)
        await page.locator("form[action$='/finish'] button").first.click()
        await expect(page.locator(".toast")).to_contain_text("Tâche terminée")
        await page.click("[data-undo] button")
        await expect(page.locator(".toast")).to_contain_text("Tâche rouverte")
        for path in ("/manage/setup", "/manage/setup/mix", "/manage/calendar", "/manage/tasks"):
            await page.goto(f"{stack.url}{path}")
            await settle(page)
        await page.goto(f"{stack.url}/manage/review")
        await expect(page.locator("main li", has_text=re.compile(r"\w"))).to_have_count(3)
        await settle(page)
        await page.goto(f"{stack.url}/manage")
        await expect(page.locator("section", has_text="À faire aujourd’hui").locator("li")).to_have_count(3)
        await page.goto(f"{stack.url}/manage/calendar/feed")
        await page.click('form[action="/manage/calendar/feed"] button')
        address = await page.locator("main code").inner_text()
        file = await page.request.get(address)
        assert (file.status, file.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
        assert "Trouver un relais" in await file.text()
        await page.goto(f"{stack.url}/manage/setup")
        await page.click('a[href="/manage/setup/templates/consultants/withdraw"]')
        await expect(page.locator("main")).to_contain_text("Ce qui serait annulé")
        kept = page.locator("section", has_text="Ce qui resterait").locator("li")
        await expect(kept).to_contain_text(re.compile("Trouver un relais.*modifié depuis", re.DOTALL))
        await settle(page)
        await page.click('form[action="/manage/setup/templates/consultants/withdraw"] button')
        await expect(page.locator("main")).to_contain_text("C’est annulé")
        assert await rules_version(stack, programs["consultants"]) == 3
        await page.goto(f"{stack.url}/manage/tasks")
        await expect(page.locator("main form[action$='/finish']")).to_have_count(1)
        await expect(page.locator("main")).to_contain_text("Trouver un relais")
        await page.goto(f"{stack.url}/manage/setup/templates/consultants")
        await page.fill("#ambassadors", "ten")
        await page.press("#ambassadors", "Enter")
        await expect(page.locator("#ambassadors")).to_have_attribute("aria-invalid", "true")
        await page.fill("#ambassadors", "300")
        await page.press("#ambassadors", "Enter")
        await expect(page.locator("main")).to_contain_text("2\u202f500 courts partages")
        await settle(page)
        assert seen.complaints == []


# --- the nine steps -----------------------------------------------------------------------------------------------

NAME, LANGUAGES = "Nine steps", ("en", "fr", "de")
LEADER = "head.of.nine@herald.example"


async def test_nine_steps_lead_from_nothing_to_a_programme_that_is_set_up(browser: Browser, stack: Stack) -> None:
    """Each step by the button of the set-up. What no other journey does is done by hand here, in three languages: the
    programme itself, leaders who are invited, and a newsletter; the rest as services are told."""
    async with signed_in(browser, stack.url, "marc", "phone") as seen:
        page = seen.page
        await page.goto(f"{stack.url}/manage/program")
        await page.locator('details:has(form[action="/manage/program"]) > summary').click()
        await page.fill("#name", NAME)
        await page.locator("details:has(#language_0) > summary").last.click()
        await page.select_option("#language_0", "de")
        await page.locator('form[action="/manage/program"] button').last.click()
        await expect(page.locator("#consent_text_0")).to_have_attribute("aria-invalid", "true")
        await page.fill("#consent_text_0", "Ich nehme freiwillig teil.")
        await page.locator('form[action="/manage/program"] button').last.click()
        await expect(page.locator("h1")).to_have_text(NAME)
        *_, program = [one for one in await all_programs(stack) if one["name"] == NAME]
        assert program["languages"] == list(LANGUAGES)
        for key, path in STEPS.items():
            await page.goto(f"{stack.url}/manage/setup")
            await page.click(f'main a[href="{path if key != "content" else "/manage/tasks/new"}"]')
            await expect(page.locator("main h1")).to_be_visible()
            if key == "guidelines":
                await expect(page.locator("main textarea[required]")).to_have_count(len(LANGUAGES))
        await do_the_rest(stack, program["id"])
        await page.goto(f"{stack.url}/manage/leaders")
        await page.locator('form[action="/manage/invitations"] button').click()
        await confirm(page)
        await expect(page.locator(".toast")).to_be_visible()
        await stack.api.post(LEADER, f"/program/v1/programs/{program['id']}/join", {"consent_version": 1})
        await approve_a_newsletter(page, stack)
        await page.goto(f"{stack.url}/manage/setup")
        await expect(page.locator("h2", has_text=re.compile(r"9 étapes sur 9"))).to_be_visible()
        await settle(page)
        assert seen.complaints == []
    await stack.api.post(MANAGER, f"/program/v1/programs/{program['id']}/archive")


async def all_programs(stack: Stack) -> list[Any]:
    return list((await stack.api.get(MANAGER, "/program/v1/programs", limit=100))["items"])


async def do_the_rest(stack: Stack, id: str) -> None:
    """What other journeys do by hand: an objective, volunteers, guidelines, content, lessons, a survey, a pilot."""
    api, of, today = stack.api, f"/program/v1/programs/{id}", datetime.now(UTC).date()
    soon = (today + timedelta(days=30)).isoformat()
    span = {"starts_on": today.isoformat(), "ends_on": soon}
    aim = {"use_case": "culture", "kpi": "shares", "baseline": 0, "target": 9}
    await api.post(MANAGER, f"{of}/objectives", {**aim, **span})
    await api.call(MANAGER, "PATCH", of, {"open": True}, headers={"If-Match": "*"})
    for number in range(9):
        who = f"nine{number}@herald.example"
        await api.call(who, "PUT", "/program/v1/me", {})
        await api.post(who, f"{of}/join", {"consent_version": 1})
    await api.call(LEADER, "PUT", "/program/v1/me", {})
    leader = (await api.get(LEADER, "/program/v1/me"))["id"]
    change = {"leader": True}
    await api.call("ines@herald.example", "PATCH", f"/program/v1/people/{leader}", change, headers={"If-Match": "*"})
    texts = dict.fromkeys(LANGUAGES, "Speak for yourself.")
    await api.post(MANAGER, f"{of}/guidelines", {"texts": texts, "material": True})
    for number in range(3):
        text = {"title": f"Lesson {number}", "text": "It takes **two taps**."}
        lesson = await api.post(MANAGER, f"{of}/lessons", {"texts": dict.fromkeys(LANGUAGES, text)})
        await api.post(MANAGER, f"{of}/lessons/{lesson['id']}/publish")
    survey = {"title": "Pulse", "opens_on": today.isoformat(), "closes_on": soon, "enps": True}
    asked = await api.post(MANAGER, f"{of}/surveys", survey)
    await api.post(MANAGER, f"{of}/surveys/{asked['id']}/open")
    await api.post(MANAGER, f"{of}/waves", {"name": "Pilot", **span, "criteria": {"everybody": True}})
    for number in range(5):
        words = {"language": "fr", "title": f"Histoire {number}"}
        order = {"program_id": id, "kind": "article", "category": "company_news", "variants": [words]}
        order["url"] = f"https://www.example.com/nine/{number}"
        item = (await eventually(partial(written, stack, order)))["id"]
        for act in ("submit", "publish"):
            await api.post("emma@herald.example", f"/content/v1/items/{item}/{act}")


async def written(stack: Stack, order: dict[str, Any]) -> Any:
    """An item that an editor writes; nothing until `content` knows the programme."""
    answer = await stack.api.call("emma@herald.example", "POST", "/content/v1/items", order, allow=(404, 422))
    return answer.json() if answer.is_success else None


async def approve_a_newsletter(page: Page, stack: Stack) -> None:
    """Write one, look at it, approve it, and say when it goes out."""
    await page.goto(f"{stack.url}/manage/newsletters")
    await page.click('a[href="/manage/newsletters/new"]')
    for code in LANGUAGES:
        await page.fill(f"#subject_{code}", f"Nine steps ({code})")
        await page.fill(f"#title_0_{code}", "Done")
        await page.fill(f"#text_0_{code}", "Nine of **nine**.")
    await page.click("button[name=then][value=preview]")
    await expect(page.locator("input[name=everybody]")).to_have_attribute("aria-invalid", "true")
    await page.check("input[name=everybody]")
    await page.click("button[name=then][value=preview]")
    await page.click('form[action$="/approve"] button')
    await page.fill("#send_on", (datetime.now(UTC).date() + timedelta(days=7)).isoformat())
    await page.click('form[action$="/schedule"] button')
    await confirm(page)
    await expect(page.locator("main .tag.sun").first).to_be_visible()
