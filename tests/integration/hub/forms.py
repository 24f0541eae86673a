"""The forms of all pages, found on the rendered pages, before services that refuse."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
from fastapi.routing import APIRoute

from services.hub.forms.markup import Control, Form, forms_of
from services.hub.pages import ROUTERS
from services.hub.signin import router as sign_in_router
from services.hub.view import mask
from tests.integration.hub.apis import PLAIN, Apis
from tests.integration.hub.harness import SERVICES, URL, Browser
from tests.integration.hub.test_stored_values import PAGES, visit

LEFT_OUT = {
    "/feed/{item_id}/check": "no form leads there: the sheet asks it while a caption is written",
    "/editor/audience": "no form leads there: that of an item asks it while one ticks",
    "/manage/history/{import_id}/step": "asks for rows of an import that the hub itself keeps: test_history.py",
    "/manage/history/{import_id}/confirm": "of an import that the hub itself keeps: test_history.py",
    "/code": "for a browser that nobody is signed in on: test_devices.py",
    "/auth/sign-out": "leads to the issuer whatever the services say",
    "/language": "asks no service, and has buttons alone",
    "/program": "asks no service, and has buttons alone",
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
    text: str
    """The page, as it is shown."""

    @property
    def typed(self) -> list[Control]:
        return [one for one in self.form.controls if one.kind in TYPED]

    def fields(self, write: Callable[[Control], str]) -> Fields:
        """What a browser sends where `write` was typed into every field."""
        sent: Fields = []
        for one in self.form.controls:
            if one.kind in TYPED:
                sent.append((one.name, write(one)))
            elif (one.checked or one.name == "person") if one.ticked else one.kind != "file" and one.name != "csrf":
                sent.append((one.name, one.value))
        return sent


def routes() -> list[APIRoute]:
    found = [one for router in (sign_in_router, *ROUTERS) for one in router.routes if isinstance(one, APIRoute)]
    return [one for one in found if "POST" in (one.methods or ())]


def route_of(action: str) -> str:
    return next((one.path for one in routes() if one.path_regex.match(html.unescape(action).partition("?")[0])), "")


def refusing(browser: Browser) -> Refusing:
    """Makes the browser's services refuse; what they say otherwise has a form of each kind."""
    apis = Refusing()
    apis.me["programs"][0]["consent_version"] = PLAIN["integer"]
    apis.me["programs"].append({"program_id": "p2", "status": "invited", "must_acknowledge": False})
    apis.programs["items"].append({**apis.programs["items"][0], "id": "p2"})
    for operation in (one for one in apis.known if one.method == "GET"):
        answer = operation.answer()
        if (operation.service, operation.template) == ("content", "/v1/items/{item_id}"):
            apis.said[operation] = {**answer, "state": "in_review", "expires_at": "2031-10-26T00:30:00Z"}
        elif (operation.service, operation.template) == ("content", "/v1/items"):
            apis.said[operation] = {**answer, "items": [{**one, "state": "in_review"} for one in answer["items"]]}
        elif (operation.service, operation.template) == ("content", "/v1/feed/{item_id}"):
            apis.said[operation] = {**answer, "program_id": "p1"}
        elif operation.template.endswith("/surveys/running"):
            asked = {"id": "x", "closes_on": "2031-03-13", "language": "en", "enps": True, "answered": False}
            apis.said[operation] = {"survey": {**asked, "questions": ["I have the time."], "prompt": "What to change?"}}
        elif operation.template.endswith("/templates/{template_name}"):
            apis.said[operation] = {**answer, "pieces": [{**one, "outcome": "set"} for one in answer["pieces"]]}
        elif operation.template.endswith("/templates/{template_name}/withdraw"):
            apis.said[operation] = {**answer, "pieces": [{**one, "outcome": "withdrawn"} for one in answer["pieces"]]}
        elif operation.template == "/v1/imports/{import_id}":
            apis.said[operation] = {**answer, "missing": []}
        elif operation.template in ("/v1/people/{person_id}", "/v1/people"):
            apis.said[operation] = _with_access(answer)
    _saying("/examples/{example_id}", state="draft", author_id=None)(apis)
    browser.context.http._transport = httpx.MockTransport(apis)
    return apis


def _with_access(answer: Any, *, active: bool = True) -> Any:
    if "items" in answer:
        return {**answer, "items": [{**one, "active": active, "merged_into": None} for one in answer["items"]]}
    return {**answer, "active": active, "merged_into": None, "same_address_as": None}


def _cut_off(apis: Refusing) -> None:
    for operation in apis.said:
        if operation.template == "/v1/people/{person_id}":
            apis.said[operation] = _with_access(operation.answer(), active=False)


def _to_acknowledge(apis: Refusing) -> None:
    apis.me["programs"][0]["must_acknowledge"] = True


def _paused(apis: Refusing) -> None:
    apis.me["programs"][0]["paused_since"] = "2026-03-02T09:30:00Z"


def _applied(apis: Refusing) -> None:
    apis.me["programs"].append({"program_id": "p3", "status": "applied", "must_acknowledge": False})
    apis.programs["items"].append({**apis.programs["items"][0], "id": "p3"})


def _open_survey(apis: Refusing) -> None:
    for operation in (one for one in apis.known if one.template.endswith("/surveys/{survey_id}")):
        if operation.method == "GET":
            apis.said[operation] = {**operation.answer(), "state": "open"}


NEWSLETTER_STATES = ("approved", "scheduled", "sending")


def _newsletter_in(state: str, apis: Refusing) -> None:
    for one in (one for one in apis.known if one.template.endswith("/newsletters/{newsletter_id}")):
        if one.method == "GET":
            apis.said[one] = {**one.answer(), "state": state}


def _declared_acts(apis: Refusing) -> None:
    for one in apis.known:
        if one.method == "GET" and one.template.endswith(("/expert-acts", "/expert-acts/mine")):
            answer = one.answer()
            apis.said[one] = {**answer, "items": [{**act, "state": "declared"} for act in answer["items"]]}


def _saying(ending: str, **changes: Any) -> Callable[[Refusing], None]:
    """Makes the answers of GETs whose path ends so, or the entries of their list, say this."""

    def say(apis: Refusing) -> None:
        for one in apis.known:
            if one.method == "GET" and one.template.endswith(ending):
                answer = one.answer()
                if "items" in answer:
                    apis.said[one] = {**answer, "items": [{**row, **changes} for row in answer["items"]]}
                else:
                    apis.said[one] = {**answer, **changes}

    return say


_hired = _saying("/referrals", state="hired", rewarded_at=None)
_without_link = _saying("/job-offers", code=None)


def _event(state: str) -> Callable[[Refusing], None]:
    return _saying("/events/{event_id}", state=state)


def _not_there(apis: Refusing) -> None:
    for ending in ("/check-ins/{code}", "/events/upcoming"):
        _saying(ending, checked_in_at=None, coming=None)(apis)


def _leading(apis: Refusing) -> None:
    apis.me["leader"] = True
    _saying("/deputies/mine", leader_id=apis.me["id"], state="accepted")(apis)
    _saying("/prepared", state="waiting")(apis)


def _deputy(state: str) -> Callable[[Refusing], None]:
    """Asked by a leader, or preparing for them."""

    def say(apis: Refusing) -> None:
        _saying("/deputies/mine", person_id=apis.me["id"], state=state)(apis)
        _saying("/prepared/mine", state="waiting")(apis)

    return say


def _open_objectives(apis: Refusing) -> None:
    for one in apis.known:
        if (one.service, one.method, one.template) == ("program", "GET", "/v1/programs/{program_id}/objectives"):
            answer = one.answer()
            apis.said[one] = {**answer, "items": [{**aim, "state": "open"} for aim in answer["items"]]}


def _open_tasks(apis: Refusing) -> None:
    for one in apis.known:
        if (one.service, one.method, one.template) == ("program", "GET", "/v1/programs/{program_id}/tasks"):
            answer = one.answer()
            apis.said[one] = {**answer, "items": [{**task, "state": "open"} for task in answer["items"]]}


def _wave(state: str) -> Callable[[Refusing], None]:
    """A wave in a state, begun long ago."""

    def put(apis: Refusing) -> None:
        decided: dict[str, Any] = {} if state == "decided" else {"decision": None, "reasons": "", "decided_by": []}
        for one in apis.known:
            if (one.service, one.method) == ("program", "GET") and one.template.endswith("/waves/{wave_id}"):
                answer = one.answer()
                stored = "running" if state == "ended" else state
                wave = {**answer["wave"], "state": stored, "starts_on": "2025-03-02", **decided}
                apis.said[one] = {**answer, "state": state, "wave": wave, "matching": 3}

    return put


MORE: tuple[tuple[str, Callable[[Refusing], None] | None], ...] = (
    ("/admin/people/x/merge?query=x", None),
    ("/programs/p2/join", None),
    ("/programs/p2/guidelines", None),
    ("/me?toast=left&of=p1", None),
    ("/join", _applied),
    ("/manage/links?toast=link-withdrawn&of=x", None),
    ("/join?toast=declined&of=p2", None),
    ("/posts?toast=post-removed&of=x", None),
    ("/manage/ambassadors?toast=invited&of=b1", None),
    ("/manage/acts", _declared_acts),
    ("/acts", _declared_acts),
    ("/manage/referrals", _hired),
    ("/manage/referrals?toast=referral-rewarded&of=x", None),
    ("/acts/offers", _without_link),
    ("/check-in/x", _not_there),
    ("/acts/events", _not_there),
    ("/lead", _leading),
    ("/lead?toast=deputy-named&of=x", None),
    ("/lead?toast=prepared-dismissed&of=x", None),
    ("/deputy", _deputy("named")),
    ("/deputy", _deputy("accepted")),
    ("/deputy?toast=prepared&of=x", None),
    ("/manage/events/x", _event("planned")),
    ("/manage/events/x", _event("cancelled")),
    ("/manage/events?toast=event-planned&of=x", None),
    ("/manage/acts?toast=expert-act-confirmed&of=x", None),
    ("/manage/lessons?toast=lesson-retired&of=x", None),
    ("/manage/examples/x", _saying("/examples/{example_id}", state="shown")),
    ("/manage/examples/x", _saying("/examples/{example_id}", state="retired")),
    ("/manage/examples?toast=example-retired&of=x", None),
    ("/manage/examples?toast=example-shown&of=x", None),
    ("/learn/examples?toast=example-offered&of=x", None),
    ("/posts", _saying("/posts", removed_at=None, imported=False)),
    ("/manage/feedback?toast=feedback-published&of=x", None),
    ("/manage/guardrails?toast=guardrails-changed&of=p1:7", None),
    ("/manage/program?toast=program-opened&of=p1", None),
    ("/manage/program?toast=archived&of=p1", None),
    ("/manage/objectives?toast=objective-withdrawn&of=o1", _open_objectives),
    ("/admin/people/x", _cut_off),
    ("/feed/x/share?network=linkedin", _to_acknowledge),
    ("/me", _paused),
    ("/manage/tasks?toast=task-done&of=x", _open_tasks),
    ("/manage/surveys/x", _open_survey),
    *((f"/manage/newsletters/x?{state}", partial(_newsletter_in, state)) for state in NEWSLETTER_STATES),
    ("/manage/newsletters?toast=newsletter-scheduled&of=x", None),
    ("/manage/surveys?toast=survey-opened&of=x", None),
    ("/manage/waves/x", _wave("planned")),
    ("/manage/waves/x", _wave("ended")),
    ("/manage/waves/x", _wave("decided")),
    ("/manage/waves/x/change", _wave("running")),
    ("/manage/waves?toast=wave-started&of=x", None),
    ("/manage/waves?toast=wave-decided&of=x", None),
)
"""Further states of pages, with forms of their own: after an act that can be undone, of who paused, and the like."""


async def find_forms(browser: Browser) -> list[Found]:
    """One form of each route and shape, with the page that it is on; looked for once. What asks before it is done has
    two: the one that is filled, and the one that says yes."""
    await browser.sign_in()
    if FOUND:
        return FOUND
    found: dict[tuple[str, frozenset[str]], Found] = {}

    def note(path: str, text: str) -> None:
        for form in forms_of(text):
            if (route := route_of(form.action)) not in LEFT_OUT:
                found.setdefault((route, frozenset(form.names)), Found(path, form, route, text))

    for path, sent in PAGES:
        note(path if sent is None else "/", (await visit(browser, path, sent)).text)
    for path, state in MORE:
        apis = refusing(browser)
        if state is not None:
            state(apis)
            await browser.sign_in()
        note(path, (await visit(browser, path, None)).text)
    refusing(browser)
    await browser.sign_in()
    for one in list(found.values()):
        answer = await send(
            browser, one, one.fields(lambda control: "7" if control.name == "limit" else "x"), yes=False
        )
        if answer.status_code == 200 and any("confirmed" in form.names for form in forms_of(answer.text)):
            note(one.page, answer.text)
    FOUND.extend(found.values())
    return FOUND


async def send(
    browser: Browser, found: Found, fields: Fields, *, yes: bool = True, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    """Sends a form as its page does, to what is asked about with a yes."""
    session = await browser.context.sessions.find(browser.client.cookies.get("herald_session") or "")
    csrf = mask(session.csrf if session else "of another session")
    sent_with = {"origin": URL, **(headers or {})}
    pairs: dict[str, list[str]] = {"csrf": [csrf], **({"confirmed": ["yes"]} if yes else {})}
    for name, value in fields:
        if name != "confirmed":
            pairs.setdefault(name, []).append(value)
    files = {one.name: ("x.csv", b"x") for one in found.form.controls if one.kind == "file"}
    return await browser.client.post(
        html.unescape(found.form.action), data=pairs, files=files or None, headers=sent_with
    )
