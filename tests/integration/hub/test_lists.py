"""Where the set is known one chooses from a list; numbers are typed as one writes them."""

from __future__ import annotations

import html
import re
from typing import Any

import httpx
import orjson
import pytest

from services.hub.view import mask
from tests.integration.hub.harness import EMPTY, ME, Browser

GROUPS = {
    "countries": [{"name": "FR", "people": 120, "ambassadors": 14}, {"name": "DE", "people": 9, "ambassadors": 0}],
    "teams": [{"name": "R&D, Lyon", "people": 5, "ambassadors": 1}],
    "sites": [{"name": "Lyon", "people": 40, "ambassadors": 3}],
}
ITEM: dict[str, Any] = {
    "id": "i1",
    "program_id": "p1",
    "state": "draft",
    "version": 3,
    "targeting": {"countries": ["FR"], "teams": ["Gone"]},
    "variants": [{"language": "fr", "title": "Moins d’eau"}],
}
OBJECTIVE: dict[str, Any] = {
    "use_case": "awareness",
    "kpi": "participation_rate",
    "baseline": 0.08,
    "target": 0.355,
    "starts_on": "2026-03-01",
    "ends_on": "2026-06-30",
}


async def signed_in(browser: Browser, locale: str = "fr") -> str:
    roles = ["ambassador", "editor", "manager", "admin"]
    browser.network.answers |= {
        **EMPTY,
        "/v1/me": {**ME, "roles": roles, "locale": locale},
        "/v1/people/groups": GROUPS,
        "/v1/items/i1": ITEM,
        "/v1/programs/p1/audience": {"ambassadors": 43},
    }
    return mask((await browser.sign_in()).csrf)


def shown(page: httpx.Response) -> str:
    assert page.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html.unescape(page.text)))


def sent_to(browser: Browser, path: str) -> Any:
    found = [one for one in browser.network.asked if one.url.path == path and one.method != "GET"]
    return orjson.loads(found[-1].content)


async def test_an_item_is_for_countries_teams_and_sites_out_of_lists_with_how_many_are_there(browser: Browser) -> None:
    csrf = await signed_in(browser)
    page = await browser.client.get("/editor/items/i1")
    text = shown(page)
    assert "France 14 ambassadeurs" in text
    assert "Allemagne personne" in text
    assert "Gone personne" in text
    assert 'name="countries" value="FR" checked' in page.text
    assert 'name="teams" value="R&amp;D, Lyon" >' in page.text
    assert "Lyon 3 ambassadeurs" in text
    meant = {"countries": ["FR", "DE"], "teams": ["R&D, Lyon"], "sites": ["Lyon"]}
    await browser.client.post("/editor/items/i1", data={"csrf": csrf, "version": "3", **meant})
    assert sent_to(browser, "/v1/items/i1")["targeting"] == meant


@pytest.mark.parametrize(("count", "told"), [(14, "14 ambassadeurs sont concernés"), (0, "personne n’est concerné")])
async def test_how_many_are_reached_is_said_while_one_ticks(browser: Browser, count: int, told: str) -> None:
    csrf = await signed_in(browser)
    browser.network.answers["/v1/programs/p1/audience"] = {"ambassadors": count}
    assert told in shown(await browser.client.get("/editor/items/i1"))  # also without a script
    meant = {"countries": ["FR"], "teams": ["Gone"], "sites": ["Lyon"]}
    form = {"csrf": csrf, "program_id": "p1", **meant}
    answer = await browser.client.post("/editor/audience", data=form, headers={"hx-request": "true"})
    assert told in shown(answer)
    assert "<html" not in answer.text
    assert sent_to(browser, "/v1/programs/p1/audience") == meant
    browser.network.down = {"program"}
    answer = await browser.client.post("/editor/audience", data=form, headers={"hx-request": "true"})
    assert "notice warn" in answer.text


async def test_what_was_chosen_stays_where_nobody_knows_how_many_are_there(browser: Browser) -> None:
    await signed_in(browser)
    browser.network.answers["/v1/people/groups"] = httpx.Response(403, json={"type": "role-missing"})
    page = await browser.client.get("/editor/items/i1")
    assert 'name="countries" value="FR" checked' in page.text
    assert "personne" not in shown(page)


async def test_a_group_is_invited_by_countries_teams_and_sites(browser: Browser) -> None:
    csrf = await signed_in(browser)
    assert "Lyon 40 personnes" in shown(await browser.client.get("/manage/ambassadors"))
    form = {"csrf": csrf, "countries": "DE", "sites": "Lyon", "limit": "1\u202f200", "confirmed": "yes"}
    browser.network.answers["/v1/programs/p1/invitations"] = {"invited": 1, "skipped": {}, "remaining": 0}
    await browser.client.post("/manage/invitations", data=form)
    order = sent_to(browser, "/v1/programs/p1/invitations")
    assert (order["segment"]["countries"], order["segment"]["sites"], order["limit"]) == (["DE"], ["Lyon"], 1200)


@pytest.mark.parametrize(
    ("locale", "baseline", "target", "kpi", "expected"),
    [
        ("fr", "8", "35,5 %", "participation_rate", (0.08, 0.355)),
        ("en", "8", "35.5%", "participation_rate", (0.08, 0.355)),
        ("fr", "0", "1\u202f200,5", "earned_media_value", (0, 1200.5)),
        ("en", "0", "1,200.5", "earned_media_value", (0, 1200.5)),
        ("en", "7", "many", "participation_rate", (0.07, "many")),
    ],
)
async def test_a_rate_is_typed_in_percent_and_a_number_as_one_writes_it(
    browser: Browser, locale: str, baseline: str, target: str, kpi: str, expected: tuple[Any, Any]
) -> None:
    csrf = await signed_in(browser, locale)
    form = {**OBJECTIVE, "csrf": csrf, "kpi": kpi, "baseline": baseline, "target": target}
    await browser.client.post("/manage/objectives/new", data=form)
    order = sent_to(browser, "/v1/programs/p1/objectives")
    assert (order["baseline"], order["target"], order["baseline_source"]) == (*expected, "given")


@pytest.mark.parametrize(("measured", "expected"), [(0.11, (0.11, "measured")), (None, (0.08, "given"))])
async def test_a_baseline_is_measured_where_there_is_something_to_measure(
    browser: Browser, measured: float | None, expected: tuple[float, str]
) -> None:
    csrf = await signed_in(browser, "en")
    browser.network.answers["/v1/programs/p1/baseline"] = {"value": measured, "measured": None}
    form = {**OBJECTIVE, "csrf": csrf, "baseline": "8", "target": "35", "measure": "yes"}
    await browser.client.post("/manage/objectives/new", data=form)
    order = sent_to(browser, "/v1/programs/p1/objectives")
    assert (order["baseline"], order["baseline_source"]) == expected


@pytest.mark.parametrize(("locale", "target"), [("fr", "35,5"), ("en", "35.5")])
async def test_a_rate_stands_in_its_form_in_percent(browser: Browser, locale: str, target: str) -> None:
    await signed_in(browser, locale)
    answer = httpx.Response(200, json={**OBJECTIVE, "id": "o1"}, headers={"etag": '"1"'})
    browser.network.answers["/v1/programs/p1/objectives/o1"] = answer
    page = (await browser.client.get("/manage/objectives/o1")).text
    assert re.search(rf'name="target"[^>]* value="{target}"', page)
    assert re.search(r'name="baseline"[^>]* value="8"', page)
    page = (await browser.client.get("/manage/program")).text
    paris = "France (Paris)"
    assert f'<option value="Europe/Paris" selected>{paris}</option>' in page


async def test_countries_and_languages_of_the_guardrails_are_typed_by_their_names(browser: Browser) -> None:
    await signed_in(browser)
    rules = {"disclosures": {"*": {"en": "#Ad"}, "DE": {"de": "#Werbung"}}, "forbidden": []}
    browser.network.answers["/v1/programs/p1/guardrails"] = rules
    shown = {"country": "*", "language": "en"}
    page = (await browser.client.get("/manage/guardrails/disclosure", params=shown)).text
    assert "Tous les autres pays" in page
    assert "Allemagne · 9 personnes" in re.sub(r"\s+", " ", page)
    assert "Anglais" in page


async def test_a_person_works_in_a_country_by_its_name(browser: Browser) -> None:
    csrf = await signed_in(browser)
    person: dict[str, Any] = {
        "id": "ada",
        "name": "Ada",
        "email": None,
        "roles": [],
        "team": "R&D, Lyon",
        "country": "DE",
    }
    person |= {"version": 1, "active": True, "leader": False, "same_address_as": None, "merged_into": None}
    browser.network.answers["/v1/people/ada"] = person
    page = (await browser.client.get("/admin/people/ada")).text
    assert 'value="Allemagne"' in page
    assert '<option value="R&amp;D, Lyon" label="R&amp;D, Lyon · 5 personnes">' in page
    assert 'label="France · 120 personnes"' in page
    form = {"csrf": csrf, "version": "1", "team": "R&D, Lyon", "country": "Égypte"}
    await browser.client.post("/admin/people/ada", data=form)
    assert sent_to(browser, "/v1/people/ada")["country"] == "EG"


async def test_a_path_keeps_its_lessons_however_many_there_are(browser: Browser) -> None:
    lessons = [{"id": f"l{number}", "titles": {"fr": f"Leçon {number}"}, "state": "published"} for number in range(150)]

    def pages(request: httpx.Request) -> Any:
        start = int(request.url.params.get("cursor", "0"))
        end = start + int(request.url.params["limit"])
        return {"items": lessons[start:end], "next": str(end) if end < len(lessons) else None}

    path = {"id": "way", "version": 1, "titles": {"fr": "Expert"}, "lesson_ids": ["l120", "l3"]}
    await signed_in(browser)
    browser.network.answers |= {"/v1/programs/p1/lessons": pages, "/v1/programs/p1/paths/way": path}
    page = (await browser.client.get("/manage/paths/way")).text
    placed = re.findall(r'name="lesson" value="(l\d+)".*?name="place"[^>]*value="(\d*)"', page, re.DOTALL)
    assert len(placed) == 150
    assert [id for id, place in sorted(placed, key=lambda one: int(one[1] or 999))][:2] == ["l120", "l3"]


async def test_a_survey_is_written_in_the_languages_of_its_programme(browser: Browser) -> None:
    csrf = await signed_in(browser)
    programme = {"id": "p1", "name": "Stimmen", "time_zone": "Europe/Berlin", "languages": ["de", "pt-BR"]}
    browser.network.answers["/v1/programs"] = {"items": [programme]}
    page = (await browser.client.get("/manage/surveys/new")).text
    assert re.findall(r'<input id="prompt_([^"]+)"', page) == ["de", "pt-BR"]
    assert "Portugais (Brésil)" in page
    form = {"csrf": csrf, "title": "Puls", "opens_on": "2026-03-02", "closes_on": "2026-03-13", "key": "k"}
    form |= {"question_1_de": "Zeit?", "question_1_pt-BR": "Tempo?", "prompt_de": "Was?", "prompt_pt-BR": ""}
    wrong = {"field": "questions.0.pt-BR", "rule": "too-long", "params": {"max": 200}}
    browser.network.answers["/v1/programs/p1/surveys"] = httpx.Response(
        422, json={"type": "invalid", "errors": [wrong]}
    )
    refused = await browser.client.post("/manage/surveys/new", data={**form, "page": "/manage/surveys/new"})
    assert refused.status_code == 422
    assert re.search(r'<input id="question_1_pt-BR"[^>]*aria-invalid="true"', refused.text)
    sent = sent_to(browser, "/v1/programs/p1/surveys")
    assert (sent["questions"], sent["prompt"]) == ([{"de": "Zeit?", "pt-BR": "Tempo?"}], {"de": "Was?"})


async def test_points_of_more_posts_than_are_looked_up_say_so(browser: Browser) -> None:
    await signed_in(browser)
    posts: dict[str, Any] = {"items": [{"id": "s1"}], "next": "more", "total": 140}
    browser.network.answers |= {"/v1/posts": posts, "/v1/me/ledger": {"items": [], "next": None, "total": 3}}
    told = "Les points des 100 publications les plus récentes"
    assert told in (await browser.client.get("/points?query=eau")).text
    browser.network.answers["/v1/posts"] = {**posts, "next": None}
    assert told not in (await browser.client.get("/points?query=eau")).text
