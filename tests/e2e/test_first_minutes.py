"""An ambassador's first five minutes on a phone, in taps: join, first lesson, guidelines, first share, thanks."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.people import becomes_true, signed_in
from tests.e2e.stack import MANAGER, Stack
from tests.e2e.test_setup import empty_program, written
from tests.integration.harness import eventually

pytestmark = pytest.mark.xdist_group("e2e")
EMMA = "emma@herald.example"
"""An editor, who is invited as well."""
DECISIONS = 7
"""Agree and join; open the lesson; send the answers; go on; choose a network; agree to the guidelines; share. Each is
somebody's own decision, or says that a page was read: none can be spared. Beside them each question takes a tap. The
thanks take none. `docs/guides/hub.md` names the figure."""
TAPS = "addEventListener('pointerdown', () => heraldTapped(), true)"


async def first_day(stack: Stack) -> tuple[str, list[int]]:
    """A programme from a template, with guidelines and an item, that invites Emma; the right answers of its first
    lesson, in the language that she reads, each a single one."""
    api, id = stack.api, await empty_program(stack, "First minutes")
    path = f"/program/v1/programs/{id}"
    texts = {"fr": "Parlez pour vous.", "en": "Speak for yourself."}
    await api.post(MANAGER, f"{path}/guidelines", {"texts": texts, "material": True})
    await api.post(MANAGER, f"{path}/templates/visibility/apply", {"language": "fr"})
    order: dict[str, Any] = {
        "program_id": id,
        "kind": "article",
        "category": "company_news",
        "url": "https://www.example.com/first",
        "variants": [{"language": "fr", "title": "Deux fois moins d’eau"}],
        "captions": [{"language": "fr", "network": None, "text": "Deux fois moins d’eau, et j’y étais."}],
    }
    item = (await eventually(partial(written, stack, order)))["id"]
    for act in ("submit", "publish"):
        await api.post(EMMA, f"/content/v1/items/{item}/{act}")
    emma = await api.get(EMMA, "/program/v1/me")
    await api.post(MANAGER, f"{path}/invitations", {"people": [emma["id"]]})
    lessons = (await api.get(MANAGER, f"{path}/lessons", limit=100))["items"]
    paths = (await api.get(MANAGER, f"{path}/paths"))["items"]
    first = next(one for one in lessons if one["id"] == paths[0]["lesson_ids"][0])
    lesson = await api.get(MANAGER, f"{path}/lessons/{first['id']}")
    questions = lesson["latest"]["texts"]["en"]["questions"]
    return id, [next(n for n, one in enumerate(each["choices"]) if one["right"]) for each in questions]


async def test_the_first_five_minutes_take_few_taps(browser: Browser, stack: Stack) -> None:
    id, right = await first_day(stack)
    taps = 0

    def tapped(_: object) -> None:
        nonlocal taps
        taps += 1

    async with signed_in(browser, stack.url, "emma", "phone") as seen:
        page = seen.page
        await page.context.expose_binding("heraldTapped", tapped)
        await page.context.add_init_script(TAPS)
        await page.goto(f"{stack.url}/join")
        await page.locator(f'form[action="/programs/{id}/join"] button').tap()
        await page.locator('.notice a[href*="/lessons/"]').tap()
        for number, choice in enumerate(right):
            await page.locator(f"label:has(input[name=answer_{number}][value='{choice}'])").tap()
        await page.locator("#quiz button").tap()
        await expect(page.locator(".notice.good")).to_be_visible()
        await page.locator("main a.button.wide").tap()
        await expect(page.locator("article h2").first).to_have_text("Deux fois moins d’eau")
        await page.locator('[data-network="linkedin"]').first.tap()
        await becomes_true(page, "!document.querySelector('[data-settling]')")
        await page.locator("[data-acknowledge]").tap()
        await page.locator("[data-share]").wait_for()
        await becomes_true(page, "!document.querySelector('[data-settling]')")
        async with page.context.expect_page():
            await page.locator("[data-share]").tap()
        await expect(page.locator("#sheet [data-shared]")).to_contain_text("Thank you")
        assert seen.complaints == []
    assert DECISIONS <= taps <= DECISIONS + len(right), f"{taps} taps"
    me = await stack.api.get(EMMA, "/program/v1/me")
    [mine] = [one for one in me["programs"] if one["program_id"] == id]
    assert (mine["status"], mine["must_acknowledge"]) == ("joined", False)
    await stack.api.post(MANAGER, f"/program/v1/programs/{id}/archive")
