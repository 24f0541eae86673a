"""The links in mails: whoever has one may end those mails without signing in, and looking at one ends nothing."""

from __future__ import annotations

import httpx
import pytest

from tests.integration.hub.apis import Apis
from tests.integration.hub.harness import Browser

LINK = "/mail/abcdefghijklmnopqrstuvwxyz/newsletter/p1"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def apis(browser: Browser) -> Apis:
    found = Apis()
    browser.context.http._transport = httpx.MockTransport(found)
    return found


async def test_what_follows_every_link_unsubscribes_nobody(browser: Browser, apis: Apis) -> None:
    for method in ("GET", "HEAD", "GET"):
        answer = await browser.client.request(method, LINK, headers={"user-agent": "scanner"})
        assert answer.status_code == 200
    for address in (f"{LINK}/again", f"{LINK}/unsubscribe", f"{LINK}?List-Unsubscribe=One-Click"):
        await browser.client.get(address)
    assert {one.method for one in apis.asked} == {"GET"}
    page = await browser.client.get(LINK)
    assert (page.headers["referrer-policy"], page.headers["x-robots-tag"]) == ("no-referrer", "noindex")


@pytest.mark.parametrize("headers", [{}, {"origin": "https://mail.example", "sec-fetch-site": "cross-site"}])
async def test_one_click_needs_neither_session_nor_page(browser: Browser, apis: Apis, headers: dict[str, str]) -> None:
    answer = await browser.client.post(LINK, data=ONE_CLICK, headers=headers)
    assert answer.status_code == 200, "RFC 8058: no other address is named"
    assert [(one.method, one.template) for one in apis.asked] == [
        ("POST", "/v1/mail/{reader}/{kind}/{program_id}/unsubscribe")
    ]
    assert apis.wrong == []


async def test_it_can_be_taken_back_on_the_page(browser: Browser, apis: Apis) -> None:
    for one in apis.known:
        if one.template.endswith("/unsubscribe"):
            apis.said[one] = {**one.answer(), "kind": "newsletter", "wanted": False}
    page = await browser.client.post(LINK)
    assert f'action="{LINK}/again"' in page.text
    assert (await browser.client.post(f"{LINK}/again")).status_code == 200
    assert apis.asked[-1].template.endswith("/subscribe")


async def test_a_link_of_nobody_has_a_page_that_says_so(browser: Browser, apis: Apis) -> None:
    gone = {"type": "not-found", "title": "There is no such thing.", "status": 404}
    browser.context.http._transport = httpx.MockTransport(lambda _: httpx.Response(404, json=gone))
    for method in ("GET", "POST"):
        assert (await browser.client.request(method, LINK)).status_code == 404
