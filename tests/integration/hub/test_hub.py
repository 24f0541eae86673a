"""The hub on a real MongoDB. The other services are played by a transport that fails on request: what they really
answer is the end-to-end tests' matter."""

from __future__ import annotations

import asyncio
import html
import json
import re
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet
from fastapi.routing import APIRoute

from services.hub.dependencies import PERSON_SECONDS, STANDS_SECONDS
from services.hub.pages import ROUTERS
from services.hub.sessions import Sessions
from services.hub.signin import router as sign_in_router
from services.hub.view import mask
from tests.bounds import bound
from tests.integration.hub.harness import ANSWERS, EMPTY, SERVICES, URL, Browser

ENDED = "/welcome?ended=inactive&language=fr"


def forms() -> list[str]:
    routes = [route for router in (sign_in_router, *ROUTERS) for route in router.routes if isinstance(route, APIRoute)]
    return sorted(re.sub(r"\{\w+\}", "x", route.path) for route in routes if "POST" in (route.methods or ()))


async def test_no_form_is_taken_without_the_sessions_token(browser: Browser) -> None:
    assert len(forms()) >= 25
    await browser.sign_in()
    await browser.client.get("/feed")
    del browser.network.asked[:]
    for path in forms():
        answer = await browser.client.post(path, data={"csrf": mask("of another session")})
        assert answer.status_code == 403, path
    assert [request for request in browser.network.asked if request.method != "GET"] == []


async def test_nobody_without_a_session_reaches_a_page_or_a_form(browser: Browser) -> None:
    for path in ("/feed", "/manage", "/editor", "/admin/people", "/me"):
        answer = await browser.client.get(path)
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/auth/sign-in?back=")
    for path in forms():
        assert (await browser.client.post(path, data={})).status_code == 401, path


async def test_the_store_holds_neither_the_cookie_nor_a_token(browser: Browser) -> None:
    session = await browser.sign_in()
    await browser.client.get("/feed")
    (row,) = [row async for row in browser.mongo.db["sessions"].find()]
    plain = repr(row)
    assert session.name not in plain
    for secret in ("the-access-token", "the-refresh-token", "amina@herald.example", "Amina"):
        assert secret not in plain
    assert await browser.context.sessions.find(session.name) is not None


async def test_a_session_ends_when_nobody_uses_it_and_lives_on_when_somebody_does(browser: Browser) -> None:
    session = await browser.sign_in(seconds=10**6)
    browser.clock.advance(timedelta(hours=7))
    assert (await browser.client.get("/feed")).status_code == 200
    browser.clock.advance(timedelta(hours=7))
    assert (await browser.client.get("/feed")).status_code == 200
    browser.clock.advance(timedelta(hours=13))
    assert await browser.context.sessions.find(session.name) is None
    assert (await browser.client.get("/feed")).status_code == 303


async def test_a_session_that_is_used_outlives_the_key_that_it_began_under(browser: Browser) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()

    def with_keys(*keys: str) -> Sessions:
        return Sessions(browser.mongo, browser.clock, list(keys), 12)

    used = await with_keys(old).begin({"tokens": {"access": "a"}, "choices": {"language": "fr"}}, signed_in=True)
    idle = await with_keys(old).begin({"tokens": {"access": "b"}}, signed_in=True)
    assert await with_keys(new).find(used.name) is None
    both = with_keys(new, old)
    found = await both.find(used.name)
    assert found is not None
    await both.put(found, "tokens", {"access": "c"})
    after = await with_keys(new).find(used.name)
    assert after is not None
    assert after.parts == {"tokens": {"access": "c"}, "choices": {"language": "fr"}}
    assert await with_keys(new).find(idle.name) is None


@pytest.mark.parametrize("path", ["/feed", "/posts", "/points", "/leaderboard", "/editor", "/editor/feeds", "/manage"])
async def test_a_service_that_is_down_leaves_the_rest_of_the_page(browser: Browser, path: str) -> None:
    await browser.sign_in()
    assert (await browser.client.get("/me")).status_code == 200
    browser.network.down = set(SERVICES)
    page = await browser.client.get(path)
    assert page.status_code == 200
    assert "Cette partie ne répond pas" in page.text
    assert "Traceback" not in page.text
    assert "Amina" in page.text


PLACES = (
    "/learn/examples", "/manage/examples",
    "/feed", "/posts", "/points", "/leaderboard", "/leaderboard?scope=team", "/join", "/me", "/menu", "/offline",
    "/editor", "/editor?state=retired", "/editor/new", "/editor/feeds", "/editor/caption", "/manage",
    "/manage/ambassadors?query=x", "/manage/program", "/manage/import", "/manage/guardrails", "/manage/setup",
    "/manage/setup/mix", "/manage/calendar?month=2026-02", "/manage/calendar/feed", "/manage/tasks",
    "/manage/tasks/new", "/manage/handover", "/manage/review?month=2026-02",
    "/admin/people?query=x", "/admin/audit", "/admin/audit?act=publish_item&since=2026-03-01&until=9999-12-31",
)  # fmt: skip


@pytest.mark.parametrize("path", PLACES)
async def test_no_page_breaks_where_nothing_has_happened_yet(browser: Browser, path: str) -> None:
    browser.network.answers |= EMPTY
    await browser.sign_in()
    page = await browser.client.get(path)
    assert page.status_code == 200
    assert "Cette partie" not in page.text


async def test_a_feed_says_why_it_failed_and_what_was_mended(browser: Browser) -> None:
    last = {"at": "2026-03-01T09:00:00Z", "outcome": "ok", "new": 3, "rule": None, "detail": None, "mended": []}
    mended = {**last, "mended": [{"rule": "ampersand", "line": 3}, {"rule": "newer_rule", "line": 0}]}
    failed = {**last, "rule": "timeout", "detail": "No full answer within 10 seconds."}
    feeds = [
        {"id": str(number), "url": "https://e.example/feed", "title": f"Feed {number}", "last": one}
        for number, one in enumerate((last, mended, failed))
    ]
    browser.network.answers["/v1/feeds"] = {"items": feeds, "next": None}
    await browser.sign_in()
    page = html.unescape((await browser.client.get("/editor/feeds")).text)
    assert page.count("Ce flux contient des erreurs") == 1
    assert "un « & » qui devrait être « &amp; » (ligne 3) ; newer rule." in page
    assert "Le site a mis trop de temps à répondre." in page
    assert "No full answer" not in page


ENTRY = {
    "entry_id": "e1",
    "points": 10,
    "rule": "share",
    "rule_version": 1,
    "explanation": {"fr": "Vous avez partagé.", "en": "You shared."},
    "post_id": "post-1",
    "content_id": "c1",
    "network": "linkedin",
    "occurred_at": "2026-03-02T09:14:31.020Z",
}


async def test_points_name_the_content_that_earned_them(browser: Browser) -> None:
    browser.network.answers["/v1/me/ledger"] = {"items": [ENTRY, {**ENTRY, "post_id": "post-2"}], "next": None}
    titles = {"post-1": {"content_id": "c1", "title": "Less <water>", "language": "en"}}
    browser.network.answers["/v1/posts/titles"] = {"titles": titles}
    await browser.sign_in()
    page = (await browser.client.get("/points")).text
    assert '<strong lang="en" dir="ltr">Less &lt;water&gt;</strong>' in page
    assert page.count("Vous avez partagé.") == 2
    [asked] = [one for one in browser.network.asked if one.url.path == "/v1/posts/titles"]
    assert json.loads(asked.content) == {"ids": ["post-1", "post-2"]}
    browser.network.down = {"sharing"}
    assert (await browser.client.get("/points")).text.count("Vous avez partagé.") == 2


@pytest.mark.parametrize(
    ("allowance", "said"),
    [
        ({"limit": 5, "left": 2}, "Aujourd’hui, 2 partages sur 5 rapportent encore des points."),
        ({"limit": 5, "left": 1}, "Aujourd’hui, 1 partage sur 5 rapporte encore des points."),
        ({"limit": 5, "left": 0}, "5 partages par jour rapportent des points, et ils sont faits."),
        ({"limit": None, "left": None}, None),
        (httpx.Response(404, json={"type": "not-found"}), None),
    ],
)
async def test_the_share_sheet_says_what_is_left_of_the_day(browser: Browser, allowance: Any, said: str | None) -> None:
    item = {"id": "c1", "program_id": "p1", "title": "Less water", "captions": []}
    browser.network.answers |= {"/v1/feed/c1": item, "/v1/me/allowance": allowance}
    browser.network.answers["/v1/drafts/check"] = httpx.Response(404, json={"type": "not-found"})
    await browser.sign_in()
    answer = await browser.client.get("/feed/c1/share?network=linkedin")
    assert answer.status_code == 200
    assert (said in answer.text) if said else ("des points" not in answer.text)


async def test_a_page_that_cannot_be_without_its_service_says_so_kindly(browser: Browser) -> None:
    await browser.sign_in()
    await browser.client.get("/me")
    browser.network.down = {"content"}
    page = await browser.client.get("/feed/x")
    assert (page.status_code, page.headers["retry-after"]) == (503, "5")
    assert "Une petite pause" in page.text


async def test_one_tap_twice_has_one_key_and_other_words_another(browser: Browser) -> None:
    session = await browser.sign_in()
    shared = {"id": "1", "caption": "Bravo", "short_url": "http://h/l/x", "dialog_url": None, "network": "x"}
    browser.network.answers["/v1/posts"] = shared
    form = {"csrf": mask(session.csrf), "network": "x", "language": "fr", "key": "opened-once"}
    for caption in ("Bravo", "Bravo", "Bravo !"):
        answer = await browser.client.post("/feed/i1/share", data={**form, "caption": caption})
        assert answer.status_code == 200
    asked = [one for one in browser.network.asked if one.method == "POST" and one.url.path == "/v1/posts"]
    first, second, other = [one.headers["idempotency-key"] for one in asked]
    assert first == second != other


async def test_a_failure_of_ours_shows_a_page_and_no_trace(browser: Browser) -> None:
    await browser.sign_in()
    browser.network.answers["/v1/feed/x"] = {"not": "an item"}
    page = await browser.client.get("/feed/x")
    assert page.status_code == 500
    assert "Quelque chose" in page.text
    assert "UndefinedError" not in page.text


async def test_a_leaver_whose_token_still_lives_is_shown_the_door(browser: Browser) -> None:
    await browser.sign_in()
    await browser.client.get("/me")
    refused = {"type": "inactive", "status": 403, "detail": "This person has left."}
    browser.network.answers["/v1/feed/x"] = httpx.Response(403, json=refused)
    page = await browser.client.get("/feed/x")
    assert (page.status_code, page.headers["location"]) == (303, ENDED)


async def test_an_expiring_token_is_renewed_and_a_refused_renewal_signs_out(browser: Browser) -> None:
    answers = browser.network.answers
    issuer = f"{URL}/issuer"
    discovered = {"issuer": issuer, "token_endpoint": f"{issuer}/token"}
    answers["/issuer/.well-known/openid-configuration"] = discovered
    answers["/issuer/token"] = {"access_token": "new", "expires_in": 3600, "refresh_token": "rt2"}
    await browser.sign_in(seconds=5)
    assert (await browser.client.get("/feed")).status_code == 200
    assert browser.network.asked[-1].headers["authorization"] == "Bearer new"
    answers["/issuer/token"] = httpx.Response(400, json={"error": "invalid_grant"})
    await browser.sign_in(seconds=5)
    assert (await browser.client.get("/feed")).status_code == 303


async def test_a_callback_that_nobody_started_signs_nobody_in(browser: Browser) -> None:
    page = await browser.client.get("/auth/callback?code=stolen&state=guess")
    assert page.status_code == 400
    assert "set-cookie" not in page.headers


async def test_a_sign_in_that_another_site_begins_ends_nobodys_session(browser: Browser) -> None:
    issuer = f"{URL}/issuer"
    browser.network.answers["/issuer/.well-known/openid-configuration"] = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
    }
    session = await browser.sign_in()
    foreign = {"sec-fetch-site": "cross-site", "referer": "https://evil.example/"}
    sent = await browser.client.get("/auth/sign-in?back=/feed", headers=foreign)
    assert (sent.status_code, sent.headers["location"].partition("?")[0]) == (303, f"{issuer}/authorize")
    failed = await browser.client.get("/auth/callback?error=access_denied&state=guess", headers=foreign)
    assert failed.status_code == 400
    assert browser.client.cookies["herald_session"] == session.name
    assert (await browser.client.get("/feed")).status_code == 200


async def test_browsers_take_the_deletion_of_a_host_cookie(browser: Browser) -> None:
    """They ignore one that is not `Secure`."""
    browser.context.settings.__dict__["public_url"] = "https://herald.example"
    session = await browser.context.sessions.begin({"tokens": {"access": "x", "until": 4e9}}, signed_in=True)
    out = await browser.client.post(
        "/auth/sign-out",
        data={"csrf": mask(session.csrf)},
        headers={"cookie": f"__Host-herald_session={session.name}"},
    )
    assert out.status_code == 303
    [said] = [one for one in out.headers.get_list("set-cookie") if one.startswith("__Host-herald_session=")]
    attributes = {part.strip().lower() for part in said.split(";")[1:]}
    assert {"secure", "path=/", "max-age=0"} <= attributes
    assert not any(one.startswith("domain") for one in attributes)


async def test_calls_carry_the_persons_token_their_address_and_the_trace(browser: Browser) -> None:
    await browser.sign_in()
    parent = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    await browser.client.get("/feed", headers={"user-agent": "Phone/1", "traceparent": parent})
    (call, *_) = [request for request in browser.network.asked if request.url.host == "content"]
    assert call.headers["authorization"] == "Bearer the-access-token"
    assert call.headers["x-forwarded-user-agent"] == "Phone/1"
    assert call.headers["x-forwarded-for"] == "127.0.0.1"
    assert call.headers["traceparent"].split("-")[1] == "a" * 32


def dashboard_of(browser: Browser, stream: Sequence[bytes]) -> list[str]:
    """Answer `metrics`' live figures with these pieces; returns what is asked of any API from now on."""
    asked: list[str] = []

    async def pieces() -> AsyncIterator[bytes]:
        for piece in stream:
            yield piece
            await asyncio.sleep(0)

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.url.host}{request.url.path}?{request.url.query.decode()}")
        if request.url.path.endswith("/live"):
            return httpx.Response(200, content=pieces(), headers={"content-type": "text/event-stream"})
        return httpx.Response(200, json=ANSWERS.get(request.url.path, {"items": []}))

    browser.context.http._transport = httpx.MockTransport(answer)
    return asked


def pushed(shares: int) -> bytes:
    line = {"shares": shares, "clicks_counted": 0}
    data = {
        "figures": {"shares": {"value": shares}},
        "series": {
            "day": [{"key": "2026-11-01", **line}],
            "network": [{"key": "linkedin", **line}],
            "country": [{"key": None, "shares": shares, "ambassadors_enrolled": 5}],
            "content": [],
        },
        "objectives": [],
    }
    return f"event: figures\nid: {shares}\ndata: {json.dumps(data)}\n\n".encode()


async def test_the_dashboard_shows_what_was_pushed_and_asks_for_nothing_else(browser: Browser) -> None:
    await browser.sign_in()
    await browser.client.get("/manage")
    asked = dashboard_of(browser, [pushed(3)[:40], pushed(3)[40:]])
    async with asyncio.timeout(60):
        page = await browser.client.get("/manage/live?days=7")
    assert page.headers["content-type"].startswith("text/event-stream")
    figures, charts = page.text.partition("event: charts")[::2]
    data = [json.loads(line[6:]) for line in figures.splitlines() if line.startswith("data: ")]
    assert data == [{"shares": ["3", ""]}]
    assert "LinkedIn" in charts
    live = [one for one in asked if "/live" in one]
    assert asked == [*live, "program/v1/me?"]  # whether the person is who they were, once the stream ended
    assert [one.partition("?")[2] for one in live] == ["days=7"]


async def test_the_heartbeat_of_metrics_goes_through_to_the_browser(browser: Browser) -> None:
    await browser.sign_in()
    await browser.client.get("/manage")
    dashboard_of(browser, [b"event: heartbeat\ndata: {}\n\n"])
    async with asyncio.timeout(60):
        page = await browser.client.get("/manage/live")
    assert [line for line in page.text.splitlines() if line.startswith(":")] == [": heartbeat"]


INACTIVE = {"type": "inactive", "title": "Forbidden", "status": 403, "detail": "x"}


@pytest.mark.parametrize(
    ("me", "path"),
    [
        (httpx.Response(200, json={}), "/welcome"),
        (httpx.Response(403, json=INACTIVE), "/welcome?ended=inactive&language=fr"),
        (None, "/welcome"),
    ],
    ids=["signed out", "no access any more", "nobody says"],
)
async def test_a_quiet_stream_ends_with_its_session(browser: Browser, me: httpx.Response | None, path: str) -> None:
    """Within two seconds, whatever `metrics` and `program` send or do not send meanwhile."""
    session = await browser.sign_in()
    await browser.client.get("/manage")
    listening = asyncio.Event()

    async def silence() -> AsyncIterator[bytes]:
        listening.set()
        await asyncio.Event().wait()
        yield b""

    def answer(request: httpx.Request) -> httpx.Response:
        if me is not None and request.url.path == "/v1/me":
            return me
        headers = {"content-type": "text/event-stream"}
        return httpx.Response(200, content=silence(), headers=headers)

    browser.context.http._transport = httpx.MockTransport(answer)
    stream = asyncio.ensure_future(browser.client.get("/manage/live"))
    async with asyncio.timeout(60):
        await listening.wait()
    await browser.context.sessions.end(session)
    async with asyncio.timeout(bound(2)):
        assert (await stream).text.endswith(f"event: ended\ndata: {path}\n\n")


async def test_a_stream_that_is_none_ends_and_does_not_hang(browser: Browser) -> None:
    await browser.sign_in()
    await browser.client.get("/manage")

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=ANSWERS.get(request.url.path, {"items": []}))

    browser.context.http._transport = httpx.MockTransport(answer)
    async with asyncio.timeout(60):
        page = await browser.client.get("/manage/live")
    assert page.text == "retry: 2000\n\n"


@pytest.mark.parametrize("headers", [{}, {"hx-request": "true"}], ids=["page", "fragment"])
async def test_whose_access_has_ended_is_told_so_and_has_no_session_any_more(
    browser: Browser, headers: dict[str, str]
) -> None:
    await browser.sign_in()
    assert (await browser.client.get("/menu")).status_code == 200
    browser.clock.advance(timedelta(seconds=PERSON_SECONDS + 0.1))
    browser.network.answers["/v1/me"] = httpx.Response(403, json={"type": "inactive", "title": "x", "status": 403})
    answer = await browser.client.get("/menu", headers=headers)
    assert (answer.headers.get("location") or answer.headers["hx-redirect"]) == ENDED
    assert "herald_session=" in answer.headers["set-cookie"]
    assert answer.headers["clear-site-data"] == '"cache", "storage"'
    assert await browser.mongo.db["sessions"].count_documents({}) == 0
    told = await browser.client.get(ENDED)
    assert (told.status_code, "pris fin" in html.unescape(told.text)) == (403, True)


async def test_while_program_does_not_answer_what_it_said_last_stands_without_being_asked_for_each_page(
    browser: Browser,
) -> None:
    await browser.sign_in()
    assert (await browser.client.get("/menu")).status_code == 200
    browser.network.down.add("program")
    browser.clock.advance(timedelta(seconds=PERSON_SECONDS + 0.1))
    assert (await browser.client.get("/menu")).status_code == 200
    del browser.network.asked[:]
    assert (await browser.client.get("/menu")).status_code == 200
    assert browser.network.asked == []
    browser.network.down.clear()
    browser.clock.advance(timedelta(seconds=STANDS_SECONDS))
    assert (await browser.client.get("/menu")).status_code == 200
    assert browser.network.asked != []


async def test_who_somebody_is_is_asked_once_a_second(browser: Browser) -> None:
    await browser.sign_in()
    await browser.client.get("/menu")
    for _ in range(3):
        browser.clock.advance(timedelta(seconds=PERSON_SECONDS + 0.1))
        del browser.network.asked[:]
        await browser.client.get("/menu")
        await browser.client.get("/menu")
        assert [one.url.path for one in browser.network.asked].count("/v1/me") == 1


async def test_a_session_is_looked_up_once_a_form(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    session = await browser.sign_in()
    found, sessions = [], type(browser.context.sessions)
    find = sessions.find

    async def counted(self: Any, name: str) -> Any:
        found.append(name)
        return await find(self, name)

    monkeypatch.setattr(sessions, "find", counted)
    answer = await browser.client.post("/language", data={"csrf": mask(session.csrf), "language": "en"})
    assert answer.status_code == 303
    assert found == [session.name]
    monkeypatch.setattr("services.hub.dependencies.SESSION_SECONDS", -1.0)  # the form took long to arrive
    await browser.client.post("/language", data={"csrf": mask(session.csrf), "language": "en"})
    assert len(found) == 3


async def test_an_address_that_is_not_there_answers_in_the_persons_language(browser: Browser) -> None:
    headers = {"accept-language": "en"}
    assert 'lang="en"' in (await browser.client.get("/nothing/here", headers=headers)).text
    await browser.sign_in()
    await browser.client.get("/menu")
    del browser.network.asked[:]
    answer = await browser.client.get("/nothing/here", headers=headers)
    assert (answer.status_code, 'lang="fr"' in answer.text) == (404, True)
    assert browser.network.asked == []


async def test_people_are_exported_as_program_writes_them(browser: Browser) -> None:
    await browser.sign_in()
    body = "\ufeffemail;name\r\namina@herald.example;Amina\r\n".encode()
    headers = {"content-type": "text/csv; charset=utf-8", "content-disposition": 'attachment; filename="people.csv"'}
    browser.network.answers["/v1/people/export"] = httpx.Response(200, content=body, headers=headers)
    answer = await browser.client.get("/admin/people/export")
    assert (answer.status_code, answer.content) == (200, body)
    assert {name: answer.headers[name] for name in headers} == headers
    assert "/admin/people/export" in (await browser.client.get("/admin/people")).text
    browser.network.down.add("program")
    assert (await browser.client.get("/admin/people/export")).status_code == 503


async def test_the_audit_trail_names_people_and_leaves_personal_values_out(browser: Browser) -> None:
    by, about = "019c1347-d280-7c1a-8f4e-3270269e0d41", "019c1347-d280-752e-b651-3270269e0d38"
    changes = [
        {"field": "grants", "before": "[]", "after": '["editor"]', "withheld": False},
        {"field": "team", "before": None, "after": None, "withheld": True},
    ]
    act: dict[str, Any] = {
        "id": "1",
        "service": "program",
        "act": "update_person",
        "actor_id": by,
        "session": "ab" * 32,
    }
    act |= {"object_type": "person", "object_id": about, "program_id": None, "changes": changes}
    newer = {**act, "act": "newer_act", "object_type": "newer_thing", "actor_id": "client:hr", "session": None}
    acts = [{**one, "occurred_at": "2026-04-18T16:03:00Z"} for one in (act, newer)]
    browser.network.answers["/v1/audit"] = {"items": acts, "next": None}
    place = {"team": "IT", "site": "Lyon", "country": "FR"}
    people = {by: {"name": "Inès Moreau", **place}, about: {"name": "Emma Lindqvist", **place}}
    browser.network.answers["/v1/people/names"] = {"names": people}
    await browser.sign_in()
    page = html.unescape((await browser.client.get("/admin/audit?since=2026-04-18&until=2026-04-18")).text)
    assert "Personne modifiée" in page
    assert "Inès Moreau" in page
    assert "Emma Lindqvist" in page
    assert '<ins dir="auto">["editor"]</ins>' in page
    assert "modifié ; personnel, donc non affiché" in page
    assert "newer act" in page
    [asked] = [one for one in browser.network.asked if one.url.path == "/v1/audit"]
    span = (asked.url.params["since"], asked.url.params["until"])
    assert span == ("2026-04-18T00:00:00+02:00", "2026-04-19T00:00:00+02:00")


async def test_the_audit_trail_is_given_out_as_it_comes(browser: Browser) -> None:
    browser.network.answers["/v1/audit/export"] = httpx.Response(200, text="act\r\npublish_item\r\n")
    await browser.sign_in()
    answer = await browser.client.get("/admin/audit/export?act=publish_item")
    assert (answer.text, answer.headers["content-type"]) == ("act\r\npublish_item\r\n", "text/csv; charset=utf-8")
    [asked] = [one for one in browser.network.asked if one.url.path == "/v1/audit/export"]
    assert dict(asked.url.params) == {"act": "publish_item"}


async def test_a_person_reads_who_can_see_what_of_them(browser: Browser) -> None:
    seen = {"person_id": "x", "name": "Marc Delattre", "team": "Communication", "role": "manager", "program_id": None}
    browser.network.answers["/v1/me/viewers"] = {"items": [seen], "more": False}
    await browser.sign_in()
    page = html.unescape((await browser.client.get("/me")).text)
    assert "Qui peut voir quoi de vous" in page
    assert "Marc Delattre (Communication)" in page
