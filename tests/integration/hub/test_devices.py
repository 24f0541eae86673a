"""Signing in with a one-time code: a session of its own, an ambassador's at most, that ends when its device does."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import orjson
import pytest

from services.hub.view import mask
from tests.integration.hub.harness import ME, URL, Browser

UNKNOWN = httpx.Response(422, json={"type": "code-unknown", "title": "No.", "status": 422})
NOBODY = httpx.Response(403, json={"type": "unknown-person", "title": "No.", "status": 403})


async def form(browser: Browser) -> tuple[httpx.Response, dict[str, str]]:
    page = await browser.client.get("/code?back=/i/abc")
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.text))
    return page, hidden


async def let_in(browser: Browser) -> httpx.Response:
    ends_at = browser.clock.now() + timedelta(days=90)
    browser.network.answers["/v1/device"] = {"since": ends_at.isoformat(), "ends_at": ends_at.isoformat()}
    _, hidden = await form(browser)
    return await browser.client.post("/code", data={**hidden, "code": "7k3m v0qx 2hrt"}, headers={"origin": URL})


def sent(browser: Browser, path: str) -> list[httpx.Request]:
    return [one for one in browser.network.asked if one.url.path == path]


async def test_a_code_signs_this_browser_in(browser: Browser) -> None:
    answer = await let_in(browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/i/abc")
    [asked] = sent(browser, "/v1/device")
    token = asked.headers["authorization"].removeprefix("Bearer ")
    assert re.fullmatch(r"hdv_[\w-]{43}", token)
    assert orjson.loads(asked.content) == {"code": "7k3m v0qx 2hrt"}
    assert token not in answer.text + str(answer.headers)
    [cookie] = [one for one in answer.headers.get_list("set-cookie") if one.startswith("herald_session=")]
    assert "HttpOnly" in cookie
    assert "Max-Age=7776000" in cookie, "as long as the device, and not as a session at a desk"
    rows = await browser.mongo.db["sessions"].find().to_list()
    assert len(rows) == 1, "the session that protected the form is over"
    assert token not in str(rows)

    # Roles that the person has elsewhere are not theirs here.
    page = await browser.client.get("/menu")
    assert page.status_code == 200
    assert (await browser.client.get("/manage")).status_code == 403
    assert (await browser.client.get("/admin/people")).status_code == 403
    browser.clock.advance(timedelta(days=2))
    assert (await browser.client.get("/menu")).status_code == 200, "no issuer is asked, and no idle time ends it"
    browser.clock.advance(timedelta(days=90))
    ended = await browser.client.get("/menu")
    assert ended.headers["location"] == "/welcome?ended=device&back=%2Fmenu", "the issuer knows nobody here"


async def test_a_code_that_does_not_hold_signs_nobody_in(browser: Browser) -> None:
    browser.network.answers["/v1/device"] = UNKNOWN
    page, hidden = await form(browser)
    assert page.status_code == 200
    answer = await browser.client.post("/code", data={**hidden, "code": "0000-0000"}, headers={"origin": URL})
    assert answer.status_code == 422
    assert "code" in answer.text
    assert "nouveau" in answer.text or "new one" in answer.text
    assert (await browser.client.get("/menu")).status_code == 303
    assert len(await browser.mongo.db["sessions"].find().to_list()) == 1


async def test_no_other_site_sends_a_code(browser: Browser) -> None:
    _, hidden = await form(browser)
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        answer = await browser.client.post("/code", data={**hidden, "code": "x"}, headers=headers)
        assert answer.status_code == 403
    answer = await browser.client.post("/code", data={"csrf": mask("guessed"), "code": "x"}, headers={"origin": URL})
    assert answer.status_code == 403
    assert sent(browser, "/v1/device") == []


@pytest.mark.parametrize("by_hand", [True, False])
async def test_a_device_that_was_signed_out_is_told_so(browser: Browser, by_hand: bool) -> None:
    await let_in(browser)
    if by_hand:
        session = await browser.context.sessions.find(browser.client.cookies["herald_session"])
        assert session is not None
        answer = await browser.client.post("/auth/sign-out", data={"csrf": mask(session.csrf)})
        assert (answer.status_code, answer.headers["location"]) == (303, "/welcome")
        assert len(sent(browser, "/v1/device/end")) == 1
    else:
        browser.clock.advance(timedelta(seconds=30))
        browser.network.answers["/v1/me"] = NOBODY
        answer = await browser.client.get("/menu")
        assert answer.headers["location"].startswith("/welcome?ended=device")
        told = await browser.client.get(answer.headers["location"])
        assert "déconnecté" in told.text or "signed out" in told.text
    assert await browser.mongo.db["sessions"].find().to_list() == []
    browser.network.answers["/v1/me"] = ME


async def test_a_link_asks_whoever_is_not_signed_in_how_they_come_in(browser: Browser) -> None:
    answer = await browser.client.get("/i/abc")
    assert (answer.status_code, answer.headers["location"]) == (303, "/welcome?back=%2Fi%2Fabc")
    welcome = await browser.client.get(answer.headers["location"])
    assert 'href="/code?back=/i/abc"' in welcome.text
    assert 'href="/auth/sign-in?back=/i/abc"' in welcome.text
