"""The pages of a programme's team, before services that say what there is."""

from __future__ import annotations

import html
from typing import Any

import httpx

from tests.integration.hub.harness import EMPTY, Browser

ITEM: dict[str, Any] = {
    "id": "i1",
    "category": "jobs",
    "variants": [{"language": "fr", "title": "Deux fois moins d’eau"}],
    "published_at": "2026-03-10T23:30:00Z",
    "expires_at": "2026-03-20T09:00:00Z",
}
TASK = {"id": "t1", "day": "2026-03-10", "kind": "task", "title": "Écrire", "owner_id": None, "done": True}
RULE = {"id": "share", "act": "share", "points": 10, "networks": [], "acts_a_day": 3, "points_a_day": None}
PLAN = {
    "template": {"name": "ours", "title": "Ours", "lead": "For us", "mix": {}, "rules": [RULE]},
    "pieces": [{"part": "objective", "title": "Half", "outcome": "left", "count": 1, "day": None}],
}
FIRST = [{**RULE, "points": 1}]


async def test_a_month_has_tasks_and_content_on_their_days(browser: Browser) -> None:
    browser.network.answers |= EMPTY
    browser.network.answers["/v1/programs/p1/calendar"] = {"items": [TASK]}
    browser.network.answers["/v1/items"] = {"items": [ITEM], "next": None, "total": 1}
    await browser.sign_in()
    page = html.unescape((await browser.client.get("/manage/calendar?month=2026-03")).text)
    found = [
        page.index(one)
        for one in ('id="day-2026-03-10"', "Écrire", 'id="day-2026-03-11"', "Deux fois", "fin d’un contenu")
    ]
    assert found == sorted(found), "published after midnight in the programme's time zone"
    assert "février" not in page


async def test_points_are_set_where_nobody_made_others(browser: Browser) -> None:
    browser.network.answers |= EMPTY
    browser.network.answers["/v1/programs/p1/templates/ours"] = PLAN
    await browser.sign_in()

    async def said(answer: Any) -> str:
        browser.network.answers["/v1/programs/p1/rules"] = answer
        return html.unescape((await browser.client.get("/manage/setup/templates/ours")).text)

    def rules(version: int, kept: Any) -> httpx.Response:
        items = [{"version": version, "rules": kept}]
        return httpx.Response(200, json={"version": version, "items": items}, headers={"etag": f'"{version}"'})

    assert "Tout mettre en place" in await said(rules(1, FIRST))
    assert "Quelqu’un a fixé d’autres règles" in await said(rules(2, FIRST))
    assert "Ces règles s’appliquent déjà" in await said(rules(2, [RULE]))
    assert "ne peuvent être ni lus ni fixés" in await said(httpx.Response(404, json={"type": "not-found"}))
    browser.network.down.add("gamification")
    away = await said(None)
    assert "ne peuvent être ni lus ni fixés" in away
    assert "Half" in away, "all else is shown"


async def test_a_calendar_program_reads_the_secret_address_without_a_session(browser: Browser) -> None:
    told = {"name": "Voices", "language": "fr", "time_zone": "Europe/Paris", "items": [TASK]}
    browser.network.answers["/v1/calendars/s3cret"] = told
    file = await browser.client.get("/calendar/s3cret.ics")
    assert (file.status_code, file.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    assert "✓ Écrire (tâche)" in file.text
    browser.network.answers["/v1/calendars/s3cret"] = httpx.Response(404, json={"type": "not-found"})
    assert (await browser.client.get("/calendar/s3cret.ics")).status_code == 404
