"""The hub keeps its event loop for no form that it accepts, and for no answer of an API."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx
import orjson
import pytest
from fastapi.routing import APIRoute

from chassis.messages import LANGUAGES
from services.hub import shell, signin
from services.hub.history.staging import MAX_ROWS
from services.hub.pages import ROUTERS
from services.hub.view import MAX_FIELDS, mask
from tests.integration.event_loop import ALONE, quick
from tests.integration.hub.apis import Apis, Json, Operation, kind, operation_for, resolved
from tests.integration.hub.apis import made as plain
from tests.integration.hub.harness import Browser
from tests.integration.hub.test_stored_values import PAGES

ANSWER = 600_000
"""Letters of an answer; none of our APIs gives more."""
TEXT = 20_000
"""Letters of guidelines and consent."""
LEFT_OUT = {"/manage/history/{import_id}/step", "/manage/history/{import_id}/confirm", "/auth/callback"}
NESTED = 10


@dataclass
class LargeApis(Apis):
    """Answers with lists as long as was asked for, of texts that are long and must be escaped."""

    kept: dict[tuple[Operation, int], bytes] = field(default_factory=dict)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        asked = int(parse_qs(request.url.query.decode()).get("limit", ["100"])[0])
        found = operation_for(request)
        if found is None or found.status == 204 or found.template in ("/v1/me", "/v1/programs"):
            return super().__call__(request)
        self.asked.append(found)
        if (found, asked) not in self.kept:
            self.kept[found, asked] = large(found, asked)
        headers = {"etag": '"3"', "content-type": "application/json"}
        return httpx.Response(found.status, content=self.kept[found, asked], headers=headers)


def large(operation: Operation, size: int) -> bytes:
    """The operation's answer, of `ANSWER` bytes at most."""
    letters = 5_000
    while True:
        found = orjson.dumps(made(operation.schema, operation.defs, size, letters))
        if len(found) <= ANSWER or letters < 10:
            return found
        letters = letters * ANSWER // len(found) * 9 // 10


def made(schema: dict[str, Json], defs: dict[str, Json], size: int, letters: int, name: str = "", n: int = 0) -> Json:
    schema = resolved(schema, defs)
    match kind(schema):
        case "object":
            return {key: made(one, defs, size, letters, key, n) for key, one in schema["properties"].items()}
        case "map":
            inner = schema.get("additionalProperties")
            return (
                {key: made(inner, defs, NESTED, letters, key) for key in LANGUAGES} if isinstance(inner, dict) else {}
            )
        case "array":
            return [made(schema["items"], defs, NESTED, letters, name, number) for number in range(size)]
        case "string" if name == "key":
            return f"{n}-<é&"
        case "string" if name == "text":
            return ("[é*`<" * letters)[: min(4 * letters, TEXT)]
        case "string" if "x-known-values" not in schema and not name.endswith("id"):
            return ('<é&"' * letters)[: min(letters, 5_000)]
        case _:
            return plain(schema, defs, name, n)


@pytest.fixture
async def apis(browser: Browser) -> LargeApis:
    found = LargeApis()

    async def answer(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)  # as no network answers at once
        return found(request)

    browser.context.http._transport = httpx.MockTransport(answer)
    await browser.sign_in()
    return found


async def token(browser: Browser) -> str:
    """Of the session's forms; somebody who signed out signs in again."""
    session = await browser.context.sessions.find(browser.client.cookies.get("herald_session") or "")
    return mask((session or await browser.sign_in()).csrf)


async def test_pages_of_the_longest_answers(browser: Browser, apis: LargeApis) -> None:
    """A page that cannot be made of such an answer says so; none takes long."""
    slow: list[str] = []
    for path, form in PAGES if ALONE else PAGES[::6]:
        said = {} if form is None else {"data": {**form, "csrf": await token(browser)}}
        method = "GET" if form is None else "POST"
        try:
            await quick(browser.client, method, path, **said)
        except AssertionError as error:
            slow.append(str(error))
    assert not slow, "\n".join(slow)
    assert len(apis.asked) > 10


def forms() -> list[tuple[str, APIRoute]]:
    """Addresses to which a form is sent, and their routes."""
    routes = [one for router in (shell.router, signin.router, *ROUTERS) for one in router.routes]
    found = [one for one in routes if isinstance(one, APIRoute) and "POST" in (one.methods or ())]
    return [(re.sub(r"{\w+}", "x", one.path), one) for one in found if one.path not in LEFT_OUT]


def worst_forms() -> Iterator[tuple[str, bytes]]:
    """Media type and body."""
    urlencoded, multipart = "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"
    names = ("caption", "caption_text", "phrase", "person", "column", "teams", "consent_fr", "guidelines_fr", "query")
    for letter, name in zip(("%C3%A9", "%EF%B7%BA", "a%2C", "&", "="), names, strict=False):
        yield urlencoded, f"{name}={letter * (900_000 // len(letter))}".encode()
    yield urlencoded, b"&".join(b"phrase=%C3%A9" for _ in range(MAX_FIELDS - 1))
    yield urlencoded, b"&".join(b"caption_text=%C3%A9%0D%0A" for _ in range(MAX_FIELDS - 1))
    yield urlencoded, "&".join(f"{name}={',' * 90_000}" for name in names).encode()
    part = '--b\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    yield multipart, ("".join(part.format("person", "é") for _ in range(MAX_FIELDS - 1)) + "--b--\r\n").encode()
    yield multipart, (part.format("caption", "é\r\n-" * 150_000) + "--b--\r\n").encode()


async def test_forms(browser: Browser, apis: LargeApis) -> None:
    slow: list[str] = []
    bodies = list(worst_forms())
    for number, (path, _) in enumerate(forms() if ALONE else forms()[::4]):
        for media_type, body in bodies[number % 2 :: 2] if ALONE else [bodies[number % len(bodies)]]:
            headers = {"content-type": media_type, "x-csrf-token": await token(browser)}
            try:
                await quick(browser.client, "POST", path, content=body, headers=headers)
            except AssertionError as error:
                slow.append(f"{error} for {body[:30]!r}")
    assert not slow, "\n".join(slow)


HISTORY = {
    "items": '{{"url": "https://x.example/{n}", "title": "{words}", "published_at": "2026-02-02"}}\n',
    "posts": '{{"person": "ann@x.example", "item": "I{n}", "network": "x", "posted_at": "2026-02-02", "text": "{words}"}}\n',  # noqa: E501
    "faults": '{{"url": "", "title": "{n}", "published_at": "2"}}\n',
}


@pytest.mark.parametrize("name", HISTORY if ALONE else ["posts"])
async def test_history(browser: Browser, name: str) -> None:
    """Files of as many rows and of as long ones as may be, and the pages of their import."""
    apis = Apis()
    count = (MAX_ROWS if name == "faults" else 20_000) if ALONE else 300

    async def answer(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        if request.url.path.endswith("/resolve"):
            asked = orjson.loads(request.content)
            items = dict.fromkeys(asked.get("items", ()), ITEM)
            return httpx.Response(200, json={"people": {"ann@x.example": "ann"}, "items": items})
        if "/history/" in request.url.path:
            return httpx.Response(200, json={"items": [TAKEN] * len(orjson.loads(request.content)["items"])})
        return apis(request)

    browser.context.http._transport = httpx.MockTransport(answer)
    await browser.sign_in()
    words = "é" * 280
    data = "".join(HISTORY[name].format(n=n, words=words) for n in range(count)).encode()
    said: dict[str, Any] = {
        "data": {"source": "old", "csrf": await token(browser)},
        "files": {"file": ("history.jsonl", data, "application/x-ndjson")},
    }
    taken = await quick(browser.client, "POST", "/manage/history", **said)
    assert taken.status_code == 303, taken.text[-500:]
    path = taken.headers["location"]
    await quick(browser.client, "GET", path)
    if name != "faults":
        await quick(browser.client, "POST", f"{path}/step", data={"csrf": await token(browser)})


TAKEN = {"outcome": "new", "field": "", "rule": "", "detail": ""}
ITEM = {"id": "i" * 36, "title": "é" * 300, "url": "https://x.example/" + "x" * 1900, "language": "fr"}


async def test_files_pass_through(browser: Browser) -> None:
    apis = Apis()
    rows = b"id,name,email\r\n" + "p,é,a@x.example\r\n".encode() * 200_000
    preview = next(one for one in apis.known if one.method == "POST" and one.template == "/v1/imports")

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/export"):
            return httpx.Response(200, content=rows, headers={"content-type": "text/csv"})
        return apis(request)

    browser.context.http._transport = httpx.MockTransport(answer)
    await browser.sign_in()
    for path in ("/admin/people/export", "/admin/audit/export"):
        found = await quick(browser.client, "GET", path)
        assert len(found.content) == len(rows), path
    for path in ("/manage/import", "/editor/feeds/file"):
        said: dict[str, Any] = {"data": {"csrf": await token(browser)}, "files": {"file": ("x.csv", rows, "text/csv")}}
        assert (await quick(browser.client, "POST", path, **said)).status_code == 303
    assert preview in apis.asked
