"""Lists of more than twenty, on whatever page: searched, counted, and found again as they were; days and times name the
zone: days that of the programme, clock times that of who reads, if they set one."""

from __future__ import annotations

import html
import re
from typing import Any

import httpx
import pytest

from tests.integration.hub.apis import Apis, Operation, made, resolved
from tests.integration.hub.harness import Browser
from tests.integration.hub.test_stored_values import PAGES, visit

pytestmark = pytest.mark.filterwarnings("error:coroutine:RuntimeWarning")
MANY = 60
TOTAL = 73
LEFT_OUT = {
    "/acts/offers": "the jobs that are open now, newest first",
    "/acts/events": "what is to come, the next one first",
    "/manage/events": "a few a year, newest first",
    "/manage/events/event_id": "who comes to one event, with how many they are",
    "/manage/referrals": "narrowed by state",
    "/acts": "what one did oneself, newest first",
    "/lead": "a leader's own: at most three deputies, ten prepared shares",
    "/deputy": "for whom one prepares, and the latest fifty of what one prepared",
    "/admin/deadletters/content": "narrowed by service, type and error on the page that leads there",
    "/leaderboard": "a ranking: the best, and the ranks around one's own",
    "/leaderboard?scope=team": "a ranking",
    "/leaderboard?scope=country": "a ranking",
    "/manage": "charts, of which each shows the first of its kind",
    "/manage/waves": "at most twenty",
    "/manage/newsletters": "a few a month, the last one first",
    "/newsletters": "a few a month, the last one first",
    "/me": "who sees one's data: as many as are named, and that there are more",
}
MANY_LISTS = (
    "/feed",
    "/posts",
    "/points",
    "/editor/feeds",
    "/editor",
    "/admin/people",
    "/manage/objectives",
    "/manage/surveys",
)
ENTRY = re.compile(r"<(?:li|article)[ >]")
LIST = re.compile(r'<(ul|ol|div) class="(?:list|grid|feed)\b.*?</\1>', re.DOTALL)
ZONE, OWN_ZONE = "Asia/Tokyo", "Pacific/Auckland"
"""Of the programme and of who reads: where no other page of the test has its days."""


def many(operation: Operation) -> Any:
    """Its answer with sixty entries in each list of it that has pages."""
    schema = resolved(operation.schema, operation.defs)
    fields = schema.get("properties", {})
    if not {"items", "next"} <= fields.keys():
        return None
    items = resolved(fields["items"], operation.defs)["items"]
    found = [made(items, operation.defs, "", number) for number in range(MANY)]
    return {**operation.answer(), "items": found, "next": "more", **({"total": TOTAL} if "total" in fields else {})}


@pytest.fixture
async def apis(browser: Browser) -> Apis:
    apis = Apis()
    apis.programs["items"][0]["time_zone"] = ZONE
    apis.me["time_zone"] = OWN_ZONE
    browser.context.http._transport = httpx.MockTransport(apis)
    await browser.sign_in()
    return apis


async def test_every_long_list_has_a_search_a_count_and_a_place(browser: Browser, apis: Apis) -> None:
    apis.said = {one: answer for one in apis.known if one.method == "GET" and (answer := many(one)) is not None}
    long, wrong = set(), []
    for path, sent in PAGES:
        page = html.unescape((await visit(browser, path, sent)).text)
        if sent is not None or path in LEFT_OUT or len(ENTRY.findall(page)) < MANY:
            continue
        long.add(path)
        wrong += [f"{path}: no search"] if 'role="search"' not in page else []
        wrong += [f"{path}: no count"] if not re.search(rf'role="status">[^<]*\b{TOTAL}\b|<h1>{TOTAL}\b', page) else []
        if path.partition("?")[0] != "/manage/ambassadors" and "/merge" not in path:
            place = re.search(r'hx-replace-url="([^"]*)"', page)
            wrong += [f"{path}: no place"] if place is None or "shown=" not in place[1] else []
    assert wrong == []
    assert {"/feed", "/posts", "/points", "/editor", "/editor/feeds", "/admin/people", "/admin/audit"} <= long
    assert {"/manage/objectives", "/manage/surveys", "/manage/tasks", "/manage/lessons"} <= long


@pytest.mark.parametrize("path", MANY_LISTS)
async def test_what_is_looked_for_stays_while_the_list_grows(browser: Browser, apis: Apis, path: str) -> None:
    apis.said = {one: answer for one in apis.known if one.method == "GET" and (answer := many(one)) is not None}
    page = html.unescape((await browser.client.get(path, params={"query": "eau & vin"})).text)
    assert 'name="query" type="search"' in page
    assert 'value="eau & vin"' in page
    [more] = re.findall(r'hx-get="([^"]*cursor=[^"]*)"', page)
    assert "query=eau%20%26%20vin" in more


async def test_where_nothing_is_found_the_whole_list_is_one_tap_away(browser: Browser, apis: Apis) -> None:
    for operation in apis.known:
        if operation.method == "GET" and "items" in resolved(operation.schema, operation.defs).get("properties", {}):
            apis.said[operation] = {**operation.answer(), "items": [], "next": None, "total": 0}
    for path in ("/feed", "/posts", "/points", "/editor/feeds", "/manage/objectives", "/manage/surveys"):
        page = (await browser.client.get(path, params={"query": "x"})).text
        assert "Rien trouvé" in page, path
        assert re.search(rf'href="{path}["?]', page.partition("Rien trouvé")[2]), path


def text_of(page: str, id: str) -> str:
    found = re.search(rf'id="{re.escape(id)}"[^>]*>(.*?)</p>', page, re.DOTALL)
    return re.sub(r"<[^>]*>", "", found[1]) if found else ""


async def test_every_day_and_time_names_its_zone(browser: Browser, apis: Apis) -> None:
    wrong: list[str] = []
    fields = 0
    for path, sent in PAGES:
        page = html.unescape((await visit(browser, path, sent)).text)
        for field in re.findall(r'<input[^>]*type="(?:date|datetime-local)"[^>]*>', page):
            fields += 1
            described = re.search(r'aria-describedby="([^"]*)"', field)
            named = "Tokyo" if 'type="date"' in field and path != "/admin/audit" else "Auckland"
            if not any(named in text_of(page, one) for one in (described[1].split() if described else ())):
                wrong.append(f"{path}: {field}")
        shown = re.sub(
            r"<(?:script|style|pre|code|dd)\b.*?</(?:script|style|pre|code|dd)>|<[^>]*>", " ", page, flags=re.DOTALL
        )
        for clock in re.finditer(r"\b\d{1,2}:\d\d\b(?::\d\d)?[^<]{0,12}", shown):
            wrong += [f"{path}: {clock[0]}"] if "Auckland" not in clock[0] else []
    assert wrong == []
    assert fields >= 5


async def test_the_dashboard_names_the_zone_of_its_days(browser: Browser, apis: Apis) -> None:
    for path in ("/manage", "/manage/objectives"):
        assert "(Tokyo)" in (await browser.client.get(path)).text, path


async def test_two_lines_of_one_item_are_one_call(browser: Browser, apis: Apis) -> None:
    """And an item that is called as a parameter of ours would be is no trouble."""
    for operation in apis.known:
        if operation.template == "/v1/programs/{program_id}/series":
            answer = operation.answer()
            apis.said[operation] = {
                **answer,
                "items": [{**answer["items"][0], "key": key} for key in ("a", "a", "self")],
            }
    assert (await browser.client.get("/manage")).status_code == 200
    asked = [one.template for one in apis.asked]
    assert asked.count("/v1/items/{item_id}") == 2
