"""Every form of every page, found on the rendered pages: whatever it is refused for, what was typed is still there, in
its field, under the right status, with a sentence; and nothing of it reached a service."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import httpx
import pytest

from services.hub.forms.markup import Control, forms_of
from services.hub.view import mask
from tests.fuzz import one_in
from tests.integration.hub.forms import LEFT_OUT, Fields, Found, Refusing, find_forms, refusing, routes, send
from tests.integration.hub.harness import URL, Browser

pytestmark = pytest.mark.xdist_group("hub-forms")  # they are found once a worker
WORD = "W" * 300
SCRIPTS = "Grüße Ω привет こんにちは مرحبا शुभ"
BEFORE = {
    "/manage/history": "what is sent here is no table",
    "/manage/setup/templates/{name}": "what is sent here is no number of ambassadors",
    "/manage/links/new": "what is sent here is in scripts that no poster shows",
}
"""Forms that the hub refuses by itself, with what the test sends."""


@pytest.fixture
async def apis(browser: Browser) -> Refusing:
    return refusing(browser)


@pytest.fixture
async def forms(browser: Browser, apis: Refusing) -> list[Found]:
    found = await find_forms(browser)
    browser.context.http._transport = httpx.MockTransport(apis)
    await browser.sign_in()
    apis.changed = 0
    return found


async def test_every_route_that_takes_a_form_has_one_on_some_page(forms: list[Found]) -> None:
    unseen = {one.path for one in routes()} - {one.route for one in forms}
    assert (unseen - LEFT_OUT.keys(), LEFT_OUT.keys() - unseen) == (set(), set())
    assert len(forms) > 25


def kept(answer: httpx.Response, found: Found, fields: Fields) -> None:
    """Everything that was typed is in a field of its name, and the page says why once, and where."""
    where = (found.page, found.form.action, answer.status_code)
    shown = [one for form in forms_of(answer.text) for one in form.controls]
    names = {one.name for one in found.typed}
    for name, value in fields:
        if name in names:
            assert value in {one.value for one in shown if one.name == name}, (*where, name)
    assert answer.text.count('role="alert"') >= 1, where
    assert answer.text.count(" autofocus") == 1, where
    for id in re.findall(r'aria-invalid="true" aria-describedby="([^" ]+)', answer.text):
        assert f'id="{id}"' in answer.text, (*where, id)


def problem(status: int, type_: str, *broken: tuple[str, str]) -> httpx.Response:
    errors = [{"field": name, "rule": rule, "detail": "x", "params": {}} for name, rule in broken]
    return httpx.Response(status, json={"type": type_, "title": "x", "status": status, "errors": errors})


def most(control: Control) -> int:
    length = control.tag.attributes.get("maxlength", "")
    return int(length) if length.isdigit() else 5000


WRITTEN: dict[str, Callable[[Control], str]] = {
    "nothing": lambda _: "",
    "at its limit": lambda one: "x" * most(one),
    "one past it": lambda one: "x" * (most(one) + 1),
    "a word of 300 letters": lambda _: WORD,
    "five scripts": lambda _: f"{SCRIPTS}\n<b>&amp;\"'",
}


@pytest.mark.parametrize("written", WRITTEN)
async def test_what_is_refused_is_marked_and_nothing_of_it_is_lost(
    browser: Browser, apis: Refusing, forms: list[Found], written: str
) -> None:
    turn = list(WRITTEN).index(written)
    for found in one_in(2, [one for one in forms if one.typed or written == "nothing"], turn):
        fields = found.fields(WRITTEN[written])
        apis.problem = problem(422, "invalid", *((one.name, "too-long") for one in found.typed))
        answer = await send(browser, found, fields)
        if answer.status_code == 200 and found.route == "/feed/{item_id}/share" and written == "nothing":
            continue  # the sheet asks first whether it is to be shared without words
        assert answer.status_code == 422, (found.page, found.form.action)
        kept(answer, found, fields)
    assert apis.changed == 0


@pytest.mark.parametrize(
    ("turn", "status", "type_"), [(0, 412, "stale-version"), (1, 409, "wrong-state"), (2, 429, "x"), (3, 404, "x")]
)
async def test_somebody_faster_too_much_at_once_and_what_is_gone_lose_nothing(
    browser: Browser, apis: Refusing, forms: list[Found], turn: int, status: int, type_: str
) -> None:
    for found in one_in(4, forms, turn):
        fields = found.fields(lambda one: f"{SCRIPTS} {one.name}")
        apis.problem = problem(status, type_)
        apis.gone = status == 404
        answer = await send(browser, found, fields)
        apis.gone = False
        if found.route in BEFORE or (answer.status_code == 303 and not found.typed):
            continue  # a button that leads on to what is newer
        assert answer.status_code == status, (found.page, found.form.action)
        kept(answer, found, fields)
    assert apis.changed == 0


async def test_a_service_that_is_away_keeps_what_was_typed(
    browser: Browser, apis: Refusing, forms: list[Found]
) -> None:
    for found in one_in(2, forms, 0):
        fields = found.fields(lambda one: f"{SCRIPTS} {one.name}")
        await browser.client.get("/me")
        apis.away = {"content", "sharing", "gamification", "metrics", "program"}
        answer = await send(browser, found, fields)
        apis.away = set()
        if found.route in BEFORE:
            continue
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5"), (found.page, found.form.action)
        kept(answer, found, fields)


async def test_a_form_of_an_ended_session_is_there_again_once_somebody_signed_in(
    browser: Browser, apis: Refusing, forms: list[Found]
) -> None:
    for found in one_in(2, forms, 1):
        fields = found.fields(lambda one: f"{SCRIPTS} {one.name}")
        browser.client.cookies.clear()
        ended = await send(browser, found, fields, headers={"referer": f"{URL}{found.page}"})
        assert ended.status_code == 401, found.form.action
        assert "Votre session" in ended.text or "Your session" in ended.text
        told = await send(browser, found, fields, headers={"herald-form": "1", "herald-page": found.page})
        assert told.status_code == 401
        assert told.headers["hx-redirect"].startswith("/welcome?ended=session&back=%2F")
        await browser.sign_in()
        again = await browser.client.post(
            html.unescape(found.form.action),
            data={"csrf": mask("of the session before"), "confirmed": "yes", **dict(fields)},
            headers={"origin": URL},
        )
        assert again.status_code == 403
        names = {one.name for one in found.typed}
        kept(again, found, [(name, value) for name, value in dict(fields).items() if name in names])
        apis.changed = 0
    assert apis.changed == 0


async def test_another_sites_form_is_shown_to_nobody(browser: Browser, apis: Refusing, forms: list[Found]) -> None:
    [found] = [one for one in forms if one.route == "/manage/program"]
    for headers in (
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ):
        answer = await send(browser, found, found.fields(lambda _: "Attack"), headers=headers)
        assert answer.status_code == 403
        assert "Attack" not in answer.text
