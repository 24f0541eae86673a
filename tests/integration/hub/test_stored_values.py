"""The worst value of each stored field under every page: one bad item is one bad card, and no page falls."""

from __future__ import annotations

import copy
import logging
import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi.routing import APIRoute

from services.hub.pages import ROUTERS
from services.hub.view import mask
from tests.integration.hub.apis import WORST, Apis, Operation, changed, places
from tests.integration.hub.harness import Browser

pytestmark = pytest.mark.filterwarnings("error:coroutine:RuntimeWarning")
EACH = os.environ.get("HERALD_STORED_VALUES") == "each"
"""The long form: every worst value of each field by itself, beside all fields at their worst."""
LEFT_OUT = {"/manage/live", "/manage/history/{import_id}", "/", "/admin/deadletters/{service}/{dead_letter_id}"}
CODES = {"/manage/links/link_id/poster.pdf", "/manage/events/event_id/poster"}
"""Where an address is printed as a code: one that none can be made of is not there (404)."""
FORMS = {
    "/feed/{item_id}/share": {"network": "linkedin", "caption": "x", "language": "fr"},
    "/feed/{item_id}/check": {"network": "linkedin", "caption": "x", "language": "fr"},
    "/admin/deadletters/{service}/{act}": {"type": "t", "rule": "r"},
}


def pages() -> Iterator[tuple[str, dict[str, str] | None]]:
    """The address of every page, and what is sent to those that are the answer to a form."""
    for router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, APIRoute)
            form = FORMS.get(route.path) if "POST" in (route.methods or ()) else None
            if (form is not None or "GET" in (route.methods or ())) and route.path not in LEFT_OUT:
                filled = route.path.replace("{service}", "content").replace("{act}", "drop")
                yield filled.replace("{program_id}", "p1").replace("{", "").replace("}", ""), form
    yield "/admin/deadletters/content/0a1b", None
    yield "/manage/ambassadors?query=x", None
    yield "/leaderboard?scope=team", None
    yield "/leaderboard?scope=country", None


PAGES = list(pages())


async def visit(browser: Browser, path: str, form: dict[str, str] | None) -> httpx.Response:
    if form is None:
        return await browser.client.get(path)
    session = await browser.context.sessions.find(browser.client.cookies["herald_session"])
    assert session is not None
    return await browser.client.post(path, data={**form, "csrf": mask(session.csrf)})


@pytest.fixture
def browser(shared_browser: Browser) -> Browser:
    return shared_browser


@pytest_asyncio.fixture(loop_scope="module")
async def apis(browser: Browser) -> Apis:
    found = Apis()
    browser.context.http._transport = httpx.MockTransport(found)
    await browser.sign_in()
    return found


def test_every_page_is_tried() -> None:
    assert len(PAGES) > 30


@pytest.mark.parametrize(("path", "form"), PAGES, ids=[path for path, _ in PAGES])
async def test_no_stored_value_breaks_a_page(
    browser: Browser, apis: Apis, path: str, form: dict[str, str] | None, caplog: pytest.LogCaptureFixture
) -> None:
    plain = await visit(browser, path, form)
    assert plain.status_code in (200, 303), caplog.text[-1500:]
    assert "ne peut pas être affiché" not in plain.text
    asked = [one for one in dict.fromkeys(apis.asked) if one.template not in ("/v1/me", "/v1/programs")]
    for operation in asked:
        for place, worst in places(operation.schema, operation.defs) if EACH else ():
            for value in worst:
                apis.said = {operation: changed(operation.answer(), place, value)}
                caplog.clear()
                page = await visit(browser, path, form)
                assert page.status_code == plain.status_code, (operation.template, place, value, caplog.text[-1500:])
                assert page.text.count("ne peut pas être affiché") <= 1, (operation.template, place, value)
    for worst_of in range(max(map(len, WORST.values()))):
        apis.said = {one: all_worst(one, worst_of) for one in asked}
        page = await visit(browser, path, form)
        told = {plain.status_code, 404} if path in CODES else {plain.status_code}
        assert page.status_code in told, (worst_of, caplog.text[-1500:])
    assert apis.wrong == [] or all("items/" in one for one in apis.wrong)


def all_worst(operation: Operation, number: int) -> Any:
    """The answer with every field at its worst at once; lists and maps stay, so that what is in them is shown."""
    found = operation.answer()
    for place, worst in places(operation.schema, operation.defs):
        if not isinstance(worst[0], list | dict):
            found = changed(found, place, worst[number % len(worst)])
    return found


@pytest.mark.parametrize("name", ["name", "email", "country", "team", "locale", "time_zone"])
async def test_no_person_breaks_their_pages(browser: Browser, apis: Apis, name: str) -> None:
    for value in [*WORST["string"], None]:
        apis.me = {**apis.me, name: value}
        session = await browser.sign_in()
        assert (await browser.client.get("/me")).status_code == 200, value
        assert (await browser.client.get("/feed")).status_code == 200, value
        await browser.context.sessions.end(session)


@pytest.mark.parametrize("name", ["name", "time_zone", "languages", "picture_id"])
async def test_no_programme_breaks_its_pages(browser: Browser, apis: Apis, name: str) -> None:
    for value in [[]] if name == "languages" else WORST["string"]:
        apis.programs = copy.deepcopy(apis.programs)
        apis.programs["items"][0][name] = value
        session = await browser.sign_in()
        for path in ("/me", "/manage", "/join", "/menu", "/feed", "/editor"):
            assert (await browser.client.get(path)).status_code == 200, (path, value)
        await browser.context.sessions.end(session)


async def test_one_bad_item_is_one_bad_card_and_is_logged(
    browser: Browser, apis: Apis, caplog: pytest.LogCaptureFixture
) -> None:
    feed = next(one for one in apis.known if (one.service, one.template) == ("content", "/v1/feed"))
    answer = feed.answer()
    del answer["items"][0]["title"]
    answer["items"][1]["title"] = "A good neighbour"
    apis.said = {feed: answer}
    with caplog.at_level(logging.ERROR, "services.hub.rendering"):
        page = await browser.client.get("/feed")
    assert page.status_code == 200
    assert "A good neighbour" in page.text
    assert page.text.count("ne peut pas être affiché") == 1
    assert [record.message for record in caplog.records] == ["an item cannot be shown"]


async def test_what_is_no_web_address_is_no_link(browser: Browser, apis: Apis) -> None:
    item = next(one for one in apis.known if (one.service, one.template) == ("content", "/v1/feed/{item_id}"))
    for address in ("javascript:alert(1)", "https://[/x", "data:text/html,x"):
        apis.said = {item: {**item.answer(), "url": address, "shareable": False}}
        page = await browser.client.get("/feed/x")
        assert page.status_code == 200
        assert f'href="{address}"' not in page.text
