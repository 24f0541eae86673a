"""Every form of every page, found on the rendered pages: whatever it is refused for, what was typed is still there, in
its field, under the right status, with a sentence; and nothing of it reached a service."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from services.hub.forms.markup import Control, Form, forms_of
from services.hub.pages import ROUTERS
from services.hub.signin import router as sign_in_router
from services.hub.view import mask
from tests.integration.hub.apis import Apis
from tests.integration.hub.harness import SERVICES, URL, Browser
from tests.integration.hub.test_stored_values import PAGES, visit

WORD = "W" * 300
SCRIPTS = "Grüße Ω привет こんにちは مرحبا शुभ"
LEFT_OUT = {
    "/feed/{item_id}/check": "sent by the sheet while a caption is written",
    "/manage/history/{import_id}/step": "sent by the page of an import by itself",
    "/manage/history/{import_id}/confirm": "of an import that is staged in the hub: test_history.py",
    "/admin/people/{person_id}/reactivate": "a button alone, of a person who was cut off",
    "/manage/invitations/{batch_id}/withdraw": "in the message that says that people were invited",
    "/feed/{item_id}/acknowledge": "the sheet of who has guidelines to read",
    "/posts/{post_id}/restore": "in the message that says that a post was taken back",
    "/programs/{program_id}/return": "in the message that says that somebody left",
    "/programs/{program_id}/reconsider": "in the message that says that an invitation was declined",
    "/programs/{program_id}/resume": "a button alone, of a programme that somebody pauses",
    "/auth/sign-out": "leads to the issuer whatever the services say",
    "/language": "asks no service",
    "/program": "asks no service",
}
TYPED = ("text", "textarea", "url", "search", "number", "email")
Fields = list[tuple[str, str]]
FOUND: list[Found] = []


@dataclass
class Refusing(Apis):
    """APIs that refuse what would change something; `away` are the services that do not answer, `gone` whether nothing
    that was asked for is there any more. `changed` counts what would have changed something."""

    away: set[str] = field(default_factory=set)
    gone: bool = False
    problem: httpx.Response | None = None
    changed: int = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if request.url.host not in SERVICES or (request.method == "GET" and path in ("/v1/me", "/v1/programs")):
            return super().__call__(request)
        if request.url.host in self.away:
            raise httpx.ConnectError("nobody there")
        if self.gone:
            return httpx.Response(404, json={"type": "not-found", "title": "There is no such thing.", "status": 404})
        if request.method != "GET" and not path.endswith("/names"):
            if self.problem is not None:
                return self.problem
            self.changed += 1
        return super().__call__(request)


@dataclass(frozen=True)
class Found:
    """A form, and the page that it is on."""

    page: str
    form: Form
    route: str

    @property
    def typed(self) -> list[Control]:
        return [one for one in self.form.controls if one.kind in TYPED]

    def fields(self, write: Callable[[Control], str]) -> Fields:
        """What a browser sends where `write` was typed into every field."""
        sent: Fields = []
        for one in self.form.controls:
            if one.kind in TYPED:
                sent.append((one.name, write(one)))
            elif one.checked if one.ticked else one.kind != "file" and one.name != "csrf":
                sent.append((one.name, one.value))
        return sent


def routes() -> list[APIRoute]:
    found = [one for router in (sign_in_router, *ROUTERS) for one in router.routes if isinstance(one, APIRoute)]
    return [one for one in found if "POST" in (one.methods or ())]


def route_of(action: str) -> str:
    return next((one.path for one in routes() if one.path_regex.match(html.unescape(action).partition("?")[0])), "")


@pytest.fixture
async def apis(browser: Browser) -> Refusing:
    apis = Refusing()
    apis.me["programs"].append({"program_id": "p2", "status": "invited", "must_acknowledge": False})
    apis.programs["items"].append({**apis.programs["items"][0], "id": "p2"})
    for operation in (one for one in apis.known if one.method == "GET"):
        answer = operation.answer()
        if (operation.service, operation.template) == ("content", "/v1/items/{item_id}"):
            apis.said[operation] = {**answer, "state": "in_review", "expires_at": "2031-10-26T00:30:00Z"}
        elif (operation.service, operation.template) == ("content", "/v1/items"):
            apis.said[operation] = {**answer, "items": [{**one, "state": "in_review"} for one in answer["items"]]}
        elif operation.template == "/v1/imports/{import_id}":
            apis.said[operation] = {**answer, "missing": []}
        elif operation.template in ("/v1/people/{person_id}", "/v1/people"):
            apis.said[operation] = _active(answer)
    browser.context.http._transport = httpx.MockTransport(apis)
    return apis


def _active(answer: Any) -> Any:
    if "items" in answer:
        return {**answer, "items": [{**one, "active": True, "merged_into": None} for one in answer["items"]]}
    return {**answer, "active": True, "merged_into": None, "same_address_as": None}


@pytest.fixture
async def forms(browser: Browser, apis: Refusing) -> list[Found]:
    """One form of each route and shape, with the page that it is on; looked for once."""
    await browser.sign_in()
    if FOUND:
        return FOUND
    found: dict[tuple[str, frozenset[str]], Found] = {}
    extra = ["/admin/people/x/merge?query=x", "/programs/p2/join", "/programs/p2/guidelines"]
    for path, sent in [*PAGES, *((one, None) for one in extra)]:
        page = await visit(browser, path, sent)
        for form in forms_of(page.text):
            if route_of(form.action) in LEFT_OUT:
                continue
            shown = path if sent is None else "/"
            found.setdefault((route_of(form.action), frozenset(form.names)), Found(shown, form, route_of(form.action)))
    apis.changed = 0
    FOUND.extend(found.values())
    return FOUND


async def test_every_route_that_takes_a_form_has_one_on_some_page(forms: list[Found]) -> None:
    unseen = {one.path for one in routes()} - {one.route for one in forms}
    assert (unseen - LEFT_OUT.keys(), LEFT_OUT.keys() - unseen) == (set(), set())
    assert len(forms) > 25


async def send(browser: Browser, found: Found, fields: Fields, **headers: str) -> httpx.Response:
    session = await browser.context.sessions.find(browser.client.cookies.get("herald_session") or "")
    csrf = mask(session.csrf if session else "of another session")
    headers = {"origin": URL, **headers}
    pairs: dict[str, list[str]] = {"csrf": [csrf], "confirmed": ["yes"]}
    for name, value in fields:
        pairs.setdefault(name, []).append(value)
    files = {one.name: ("x.csv", b"x") for one in found.form.controls if one.kind == "file"}
    path = html.unescape(found.form.action)
    return await browser.client.post(path, data=pairs, files=files or None, headers=headers)


def kept(answer: httpx.Response, found: Found, fields: Fields) -> None:
    """Everything that was typed is in a field of its name, and the page says why once, and where."""
    where = (found.page, found.form.action, answer.status_code)
    shown = [one for form in forms_of(answer.text) for one in form.controls]
    names = {one.name for one in found.typed}
    for name, value in fields:
        if name in names:
            assert value in {one.value for one in shown if one.name == name}, (*where, name)
    assert answer.text.count('role="alert"') >= 1, where
    if found.route != "/feed/{item_id}/share":  # where a script gives the focus
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
    for found in forms:
        fields = found.fields(WRITTEN[written])
        apis.problem = problem(422, "invalid", *((one.name, "too-long") for one in found.typed))
        answer = await send(browser, found, fields)
        if answer.status_code == 200 and found.route == "/feed/{item_id}/share" and written == "nothing":
            continue  # the sheet asks first whether it is to be shared without words
        assert answer.status_code == 422, (found.page, found.form.action)
        kept(answer, found, fields)
    assert apis.changed == 0


@pytest.mark.parametrize(("status", "type_"), [(412, "stale-version"), (409, "wrong-state"), (429, "x"), (404, "x")])
async def test_somebody_faster_too_much_at_once_and_what_is_gone_lose_nothing(
    browser: Browser, apis: Refusing, forms: list[Found], status: int, type_: str
) -> None:
    for found in forms:
        fields = found.fields(lambda one: f"{SCRIPTS} {one.name}")
        apis.problem = problem(status, type_)
        apis.gone = status == 404
        answer = await send(browser, found, fields)
        apis.gone = False
        if answer.status_code in (303, 422):
            continue
        assert answer.status_code == status, (found.page, found.form.action)
        kept(answer, found, fields)
    assert apis.changed == 0


async def test_a_service_that_is_away_keeps_what_was_typed(
    browser: Browser, apis: Refusing, forms: list[Found]
) -> None:
    for found in forms:
        fields = found.fields(lambda one: f"{SCRIPTS} {one.name}")
        await browser.client.get("/me")
        apis.away = {"content", "sharing", "gamification", "metrics", "program"}
        answer = await send(browser, found, fields)
        apis.away = set()
        if answer.status_code == 422:
            continue
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5"), (found.page, found.form.action)
        kept(answer, found, fields)


async def test_a_form_of_an_ended_session_is_there_again_once_somebody_signed_in(
    browser: Browser, apis: Refusing, forms: list[Found]
) -> None:
    for found in forms:
        fields = found.fields(lambda one: f"{SCRIPTS} {one.name}")
        browser.client.cookies.clear()
        ended = await send(browser, found, fields, referer=f"{URL}{found.page}")
        assert ended.status_code == 401, found.form.action
        assert "Votre session" in ended.text or "Your session" in ended.text
        told = await send(browser, found, fields, **{"herald-form": "1", "herald-page": found.page})
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
        answer = await send(browser, found, found.fields(lambda _: "Attack"), **headers)
        assert answer.status_code == 403
        assert "Attack" not in answer.text
