"""Whatever is sent to the hub, nothing of it is a failure of ours, and no API is asked for what was not meant.

`HERALD_FUZZ=1000 pytest tests/integration/hub/test_inputs.py` sends so many requests to each route.
"""

from __future__ import annotations

import asyncio
import inspect
import re
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from services.hub import shell, signin
from services.hub.pages import ROUTERS
from services.hub.view import mask
from tests.fuzz import examples, one_in
from tests.integration.hub.apis import Apis
from tests.integration.hub.harness import URL, Browser

EXAMPLES = examples(3)
SETTINGS = settings(
    max_examples=EXAMPLES,
    database=None,
    derandomize=EXAMPLES < 100,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
READ = re.compile(
    r'(?:field|whole|getlist|_texts|_number|form\.get|query_params\.get)\(\s*(?:view, )?"(\w+)"|"(\w+)" in form'
)
ODD = (
    "", " ", "0", "1", "-1", "9" * 5000, "²", "٣", "1e999", "nan", "1_0", "x\r\nSet-Cookie: y=z", "/x\ny",
    "//x.example", "/\\x.example", "/é→", "x?language=zz", "x#y", "..", ".", "%2F", "%2e%2e", "a/b", "\x00",
    "\x7f\x85\u2028", "é", "W" * 70_000, "https://[/x", "{{ 7 * 7 }}", "true", "on", "fr", "linkedin", "p1",
    "2026-03-02", "0001-01-01T00:00", "9999-12-31T23:59", "name", "draft", "publish", "bm8",
)  # fmt: skip
TEXT = st.one_of(st.sampled_from(ODD), st.text(max_size=20))
HEADER = st.one_of(st.sampled_from([one for one in ODD if len(one) < 200]), st.text(max_size=20)).map(
    lambda text: re.sub(rb"[\x00-\x08\x0a-\x1f\x7f]", b"", text.encode("utf-8", "replace"))
)
REFUSALS = (
    (422, {"type": "invalid", "errors": [{"field": "é[0].x", "rule": "y", "detail": "z"}]}),
    (422, {"type": "guardrail-blocked", "errors": []}),
    (409, {"type": "guidelines-not-acknowledged", "detail": "x"}),
    (404, {"type": "not-found"}),
    (412, {"type": "stale-version"}),
)


def routes() -> list[APIRoute]:
    routers = (shell.router, signin.router, *ROUTERS)
    found = [one for router in routers for one in router.routes if isinstance(one, APIRoute)]
    return [one for one in found if one.path != "/manage/live"]


def names(route: APIRoute) -> list[str]:
    """The fields and parameters that the route's module reads."""
    source = inspect.getsource(sys.modules[route.endpoint.__module__])
    read = {one or other for one, other in READ.findall(source)}
    return sorted(read | {one.alias for one in route.dependant.query_params} | {"cursor", "toast", "count", "back"})


@dataclass(frozen=True)
class Request:
    """What is sent, how its body is written, and what the APIs say to it."""

    path: list[str]
    query: dict[str, str]
    form: list[tuple[str, str]]
    written: str
    headers: dict[str, bytes]
    refusal: int | None
    has_program: bool


def requests(route: APIRoute) -> st.SearchStrategy[Request]:
    read = st.sampled_from(names(route))
    said = ("user-agent", "accept-language", "x-forwarded-for", "hx-request", "traceparent", "cookie")
    return st.builds(
        Request,
        path=st.lists(TEXT.filter(lambda text: 0 < len(text) < 10_000), min_size=3, max_size=3),
        query=st.dictionaries(read, TEXT.filter(lambda text: len(text) < 10_000), max_size=3),
        form=st.lists(st.tuples(read, TEXT), max_size=8),
        written=st.sampled_from(("form", "form", "form", "multipart", "charset", "broken", "json")),
        headers=st.dictionaries(st.sampled_from(said), HEADER, max_size=2),
        refusal=st.none() | st.integers(0, len(REFUSALS) - 1),
        has_program=st.sampled_from((True, True, True, False)),
    )


def body(request: Request) -> tuple[str, bytes]:
    """The media type and the bytes of a form."""
    parts = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in request.form
    )
    match request.written:
        case "multipart":
            return "multipart/form-data; boundary=b", f"{parts}--b--\r\n".encode()
        case "charset":
            odd = parts.encode("ascii", "backslashreplace") + b"--b--\r\n"
            return "multipart/form-data; boundary=b; charset=unicode_escape", odd.replace(
                b"\r\n\r\n", b"\r\n\r\n\\ud800", 1
            )
        case "broken":
            return "multipart/form-data; boundary=b", parts.encode()[:-3]
        case "json":
            return "application/json", b'{"x": 1}'
    return "application/x-www-form-urlencoded", urlencode(request.form).encode()


@pytest.fixture
def browser(shared_browser: Browser) -> Browser:
    return shared_browser


class Sender:
    """Sends requests of a thread's into the loop of the hub."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._loop = asyncio.get_running_loop()
        self.apis = Apis()
        browser.context.http._transport = httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        return self.apis(request)

    def send(self, route: APIRoute, request: Request) -> httpx.Response:
        return self.run(self._send(route, request))

    def run(self, work: Coroutine[Any, Any, httpx.Response]) -> httpx.Response:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def headers(self, pending: bool = False) -> dict[str, bytes]:
        """Of a new session, with the token of its forms."""
        session = await self._browser.sign_in()
        if pending:
            said = {"state": "s", "nonce": "n", "verifier": "v", "back": "/"}
            await self._browser.context.sessions.put(session, "pending", said)
        self._browser.client.cookies.clear()
        return {"cookie": f"herald_session={session.name}".encode(), "x-csrf-token": mask(session.csrf).encode()}

    async def _send(self, route: APIRoute, request: Request) -> httpx.Response:
        self.apis = Apis()
        if not request.has_program:
            self.apis.programs = {"items": [], "next": None}
        if request.refusal is not None:
            status, document = REFUSALS[request.refusal]
            self.apis.refusal = httpx.Response(status, json={**document, "status": status})
        steps = iter(request.path)
        path = re.sub(r"\{\w+\}", lambda _: quote(next(steps), safe=""), route.path)
        own = await self.headers(pending=route.path == "/auth/callback")
        odd = dict(request.headers)
        own["cookie"] += b"; herald_language=" + odd.pop("cookie", b"en").replace(b";", b"")
        method = "POST" if "POST" in (route.methods or ()) else "GET"
        media, content = body(request) if method == "POST" else ("", b"")
        raw = [(name.encode(), value) for name, value in {**odd, **own}.items()]
        if media:
            raw.append((b"content-type", media.encode()))
        url = f"{URL}{path}" + (f"?{urlencode(request.query)}" if request.query else "")
        return await self._browser.client.request(method, url, content=content or None, headers=raw)


ROUTES = routes()


def test_every_route_is_tried() -> None:
    assert len(ROUTES) > 60


@pytest.mark.parametrize("route", ROUTES, ids=[f"{min(one.methods or ('',))} {one.path}" for one in ROUTES])
async def test_no_input_is_a_failure_of_ours(browser: Browser, route: APIRoute) -> None:
    sender = Sender(browser)

    def one(request: Request) -> None:
        answer = sender.send(route, request)
        assert answer.status_code < 500, answer.text
        assert sender.apis.wrong == []
        assert "\n" not in answer.headers.get("location", "") + answer.headers.get("hx-redirect", "")

    tried: Callable[[], None] = SETTINGS(given(request=requests(route))(one))
    await asyncio.to_thread(tried)


async def test_schemathesis_finds_no_failure_either(browser: Browser) -> None:
    app = browser.app
    assert isinstance(app, FastAPI)
    document = app.openapi()
    for route in ROUTES:
        if "POST" in (route.methods or ()):
            fields = {name: {"type": "string"} for name in names(route)}
            schema = {"type": "object", "properties": fields}
            content = {"application/x-www-form-urlencoded": {"schema": schema}}
            document["paths"][route.path]["post"]["requestBody"] = {"content": content}
    cases = await asyncio.to_thread(collect, document)
    assert len(cases) > len(ROUTES)
    sender = Sender(browser)
    for case in cases:
        request = case.as_transport_kwargs(base_url=URL)
        request.pop("cookies", None)
        headers = {**(request.pop("headers", None) or {}), **await sender.headers()}
        try:
            answer = await browser.client.request(**request, headers=headers)
        except (httpx.InvalidURL, UnicodeEncodeError):
            continue
        assert answer.status_code < 500, (case.method, case.path, request)
        assert sender.apis.wrong == [], (case.method, case.path, request)


def collect(document: dict[str, Any]) -> list[Any]:
    """Requests as the description allows, and as it does not, of each route."""
    cases: list[Any] = []
    described = schemathesis.openapi.from_dict(document).exclude(path_regex="/manage/live").get_all_operations()
    for turn, result in enumerate(described):
        operation: Any = result.ok()  # type: ignore[union-attr]
        asked = [*operation.query, *operation.headers, *operation.cookies, *operation.body]
        # Where nothing is asked, nothing else can be sent, and to find that out takes hundreds of tries.
        modes = list(GenerationMode) if asked else [GenerationMode.POSITIVE]
        for mode in one_in(len(modes), modes, turn):

            @settings(SETTINGS, max_examples=max(2, EXAMPLES // 4))
            @given(operation.as_strategy(mode))
            def take(case: Any) -> None:
                cases.append(case)

            take()
    return cases


@pytest.mark.parametrize(
    ("id", "asked"),
    [
        ("ID%3Flanguage=zz", "/v1/feed/ID%3Flanguage%3Dzz"),
        ("%2E%2E", "/v1/feed/%2E%2E"),
        ("a%2523b", "/v1/feed/a%2523b"),
    ],
)
async def test_an_id_reaches_its_own_resource_and_no_other(browser: Browser, id: str, asked: str) -> None:
    sender = Sender(browser)
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return sender.apis(request)

    browser.context.http._transport = httpx.MockTransport(answer)
    await browser.sign_in()
    await browser.client.get(httpx.URL(URL).copy_with(raw_path=f"/feed/{id}".encode()))
    (call,) = [one for one in seen if one.url.host == "content"]
    assert call.url.raw_path.decode() == f"{asked}?language=fr"
