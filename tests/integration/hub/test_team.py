"""The pages of a programme's team, before services that say what there is."""

from __future__ import annotations

import html
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx

from services.hub.sessions import Session
from services.hub.view import mask
from tests.integration.hub.harness import EMPTY, URL, Browser

ITEM: dict[str, Any] = {
    "id": "i1",
    "category": "jobs",
    "variants": [{"language": "fr", "title": "Deux fois moins d’eau"}],
    "published_at": "2026-03-10T23:30:00Z",
    "expires_at": "2026-03-20T09:00:00Z",
}
TASK = {"id": "t1", "day": "2026-03-10", "kind": "task", "title": "Écrire", "owner_id": None, "done": True}
RULE = {"id": "share", "act": "share", "points": 10, "networks": [], "acts_a_day": 3, "points_a_day": None}
PLAN: dict[str, Any] = {
    "template": {"name": "ours", "title": "Ours", "lead": "For us", "mix": {}, "rules": [RULE]},
    "pieces": [
        {
            "part": "objective",
            "title": "Half",
            "outcome": "left",
            "count": 1,
            "day": None,
            "target": 0.5,
            "written": 0.5,
        }
    ],
    "scale": None,
}
FIRST = [{**RULE, "points": 1}]


def sending(browser: Browser, session: Session) -> Callable[[str, dict[str, str]], Awaitable[httpx.Response]]:
    """Sends forms of that session."""

    def send(path: str, fields: dict[str, str]) -> Awaitable[httpx.Response]:
        data = {**fields, "csrf": mask(session.csrf), "page": path}
        return browser.client.post(path, data=data, headers={"Origin": URL})

    return send


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
        items = [{"version": version, "rules": kept}, *([{"version": 1, "rules": FIRST}] if version > 1 else ())]
        return httpx.Response(200, json={"version": version, "items": items}, headers={"etag": f'"{version}"'})

    assert "Tout mettre en place" in await said(rules(1, FIRST))
    assert "Quelqu’un a fixé d’autres règles" in await said(rules(2, []))
    assert "Tout mettre en place" in await said(rules(3, FIRST)), "taken back before"
    assert "Ces règles s’appliquent déjà" in await said(rules(2, [RULE]))
    assert "ne peuvent être ni lus ni fixés" in await said(httpx.Response(404, json={"type": "not-found"}))
    browser.network.down.add("gamification")
    away = await said(None)
    assert "ne peuvent être ni lus ni fixés" in away
    assert "Half" in away, "all else is shown"


async def test_points_are_taken_back_where_those_of_the_template_hold(browser: Browser) -> None:
    browser.network.answers |= EMPTY
    taken = {"template": PLAN["template"], "applied_at": "2026-03-02T09:00:00Z", "pieces": []}
    browser.network.answers["/v1/programs/p1/templates/ours/withdraw"] = taken
    send = sending(browser, await browser.sign_in())

    def rules(*versions: Any) -> httpx.Response:
        items = [{"version": len(versions) - number, "rules": one} for number, one in enumerate(versions)]
        return httpx.Response(200, json={"items": items}, headers={"etag": f'"{len(versions)}"'})

    async def said(method: str, answer: httpx.Response) -> str:
        browser.network.answers["/v1/programs/p1/rules"] = answer
        path = "/manage/setup/templates/ours/withdraw"
        return html.unescape((await (browser.client.get(path) if method == "GET" else send(path, {}))).text)

    assert "Il n’y a rien à annuler" in await said("GET", rules(FIRST))
    assert "Quelqu’un a fixé d’autres règles" in await said("GET", rules([], [RULE], FIRST))
    assert "Les règles d’avant s’appliquent" in await said("GET", rules([RULE], FIRST))
    assert "Les règles d’avant s’appliquent" in await said("POST", rules([RULE], FIRST))
    [sent] = [one for one in browser.network.asked if one.method == "POST" and one.url.path.endswith("/rules")]
    assert json.loads(sent.content) == {"rules": FIRST}


async def test_targets_are_shown_anew_before_they_are_set(browser: Browser) -> None:
    browser.network.answers |= EMPTY
    scale = {"ambassadors": 120, "written_for": 50, "expected": "headcount", "headcount": 1200, "taking_part": 3}
    piece = {**PLAN["pieces"][0], "outcome": "set", "title": "3 600 clicks", "target": 3600.0, "written": 1500.0}
    plan = {**PLAN, "pieces": [piece], "scale": scale}
    at = "/v1/programs/p1/templates/ours"
    browser.network.answers |= {at: plan, f"{at}/apply": plan}
    held = {"items": [{"version": 1, "rules": FIRST}]}
    browser.network.answers["/v1/programs/p1/rules"] = httpx.Response(200, json=held, headers={"etag": '"1"'})
    send = sending(browser, await browser.sign_in())
    page = html.unescape((await browser.client.get("/manage/setup/templates/ours")).text)
    assert "Les cibles sont prévues pour 120 ambassadeurs" in page
    assert "1\u202f500 dans le modèle" in page
    form = {"ambassadors": "1 000", "shown": "", "planned": "120", "then": "set"}
    sent = await send("/manage/setup/templates/ours", form)
    assert (sent.status_code, sent.headers["location"]) == (303, "/manage/setup/templates/ours?ambassadors=1000")
    sent = await send("/manage/setup/templates/ours", {**form, "ambassadors": ""})
    assert "Mis en place" in sent.text
    [order] = [one for one in browser.network.asked if one.url.path == f"{at}/apply"]
    assert json.loads(order.content)["ambassadors"] == 120, "what was shown is set"


async def test_editors_see_what_is_missing_of_the_mix(browser: Browser) -> None:
    browser.network.answers |= EMPTY
    await browser.sign_in()
    mix = "/v1/programs/p1/mix"
    assert 'id="mix"' not in (await browser.client.get("/editor")).text, "none is wanted"
    browser.network.answers[mix] = {"shares": {"jobs": 60, "company_news": 40}}
    assert "rien n’a été publié" in (await browser.client.get("/editor")).text
    now = browser.clock.now()
    moments = [(now - timedelta(days=day)).isoformat() for day in (1, 20, 27, 29)]
    items = [{**ITEM, "category": "company_news", "published_at": moment} for moment in moments]
    browser.network.answers["/v1/items"] = lambda asked: httpx.Response(
        200, json={"items": items if "published" in str(asked.url) else [], "next": None, "total": len(items)}
    )
    for path in ("/editor", "/manage/calendar"):
        page = html.unescape((await browser.client.get(path)).text)
        assert "3 contenus publiés" in page, "what is older than four weeks is not counted"
        assert "2 à publier" in page
    browser.network.answers[mix] = httpx.Response(503, json={"type": "overloaded"})
    answer = await browser.client.get("/editor")
    assert answer.status_code == 200, "the list is there without the mix"


async def test_the_home_says_who_waits_and_which_wave_is_over(browser: Browser) -> None:
    browser.network.answers |= EMPTY
    wave = {"id": "w1", "name": "Pilot"}
    browser.network.answers["/v1/programs/p1/waves"] = {"items": [{"wave": wave, "state": "ended"}]}
    browser.network.answers["/v1/programs/p1/applications"] = {"items": [{}], "next": "x", "total": 7}
    await browser.sign_in()
    page = html.unescape((await browser.client.get("/manage")).text)
    assert "7 personnes veulent participer" in page
    assert 'href="/manage/waves/w1"' in page


async def test_a_calendar_program_reads_the_secret_address_without_a_session(browser: Browser) -> None:
    told = {"name": "Voices", "language": "fr", "time_zone": "Europe/Paris", "items": [TASK]}
    browser.network.answers["/v1/calendars/s3cret"] = told
    file = await browser.client.get("/calendar/s3cret.ics")
    assert (file.status_code, file.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    assert "✓ Écrire (tâche)" in file.text
    browser.network.answers["/v1/calendars/s3cret"] = httpx.Response(404, json={"type": "not-found"})
    assert (await browser.client.get("/calendar/s3cret.ics")).status_code == 404
