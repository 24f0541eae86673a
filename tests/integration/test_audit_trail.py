"""Every administrative act leaves a trace in the transaction that does it; administrators search the trail."""

from __future__ import annotations

import csv
import importlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from io import StringIO
from typing import Any, get_type_hints

import httpx
import pytest
from fastapi import FastAPI

from chassis.mongo import Transaction
from chassis.principals import PrincipalStore
from chassis.runtime import Runtime
from chassis.service import Service
from chassis.settings import Settings
from chassis.web.http import Router, Unit, requires
from chassis.web.rights import rights_of
from chassis.web.signatures import SignedCall
from herald.contracts.examples import example
from herald.contracts.services import PLACEHOLDERS
from herald.local.plan import SERVICES
from herald_contracts import AdministrativeActRecorded, ProgramCreated, decode
from herald_contracts.words import ADMINISTRATIVE_ACTS
from services.content.app import build as build_content
from services.content.settings import ContentSettings
from services.program.app import build as build_program
from services.program.commands.referrals import RecruitingCall, take_call
from services.program.domain.referrals import JobOffer
from services.program.settings import ProgramSettings
from tests.drawings import drawing
from tests.integration.consumers import Applied, received
from tests.integration.harness import Harness, eventually
from tests.integration.program.conftest import CONSENT, GUIDELINES, OBJECTIVE
from tests.integration.site import Answer, Site, serve_site

pytestmark = pytest.mark.usefixtures("borrowed")
PROGRAM = "programme-1"
ROLES = {"editor", "manager", "admin"}
READING = {
    ("POST", "/v1/items/resolve"),
    ("POST", "/v1/people/resolve"),
    ("POST", "/v1/people/names"),
    ("POST", "/v1/programs/{program_id}/audience"),
}
"""They change nothing: a POST because what is asked for does not fit into an address."""
FEED = b"""<rss version="2.0"><channel><title>News</title><item><title>A</title><link>https://x.example/a</link>
<guid>a</guid></item></channel></rss>"""
RSS = {"content-type": "application/rss+xml"}
YESTERDAY = datetime.now(UTC) - timedelta(days=1)


@dataclass
class Trail:
    """A service, its API, somebody with every role, and which acts left what."""

    harness: Harness
    service: Service
    client: httpx.AsyncClient
    site: Site
    acts: dict[tuple[str, str], str] = field(default_factory=dict)

    async def told(self) -> list[AdministrativeActRecorded]:
        """The acts that wait in the outbox, which is empty then."""
        rows = await self.service.runtime.mongo.outbox.find({}, sort=[("seq", 1)]).to_list()
        await self.service.runtime.mongo.outbox.delete_many({})
        events = [decode(list(row["headers"].items()), row["value"]).data for row in rows]
        return [one for one in events if isinstance(one, AdministrativeActRecorded)]

    async def act(self, method: str, route: str, json: Any = None, *, of: str = PROGRAM, **options: Any) -> Any:
        """Do it; it must leave one trace. `of` stands for the parameter of the route; where it has several, the values
        are parted by slashes."""
        values = iter(of.split("/"))
        path = re.sub(r"\{\w+\}", lambda _: next(values), route)
        headers = {**self.harness.bearer("ines", sid="one sign-in"), **options.pop("headers", {})}
        answer = await self.client.request(method, f"/v1{path}", json=json, headers=headers, **options)
        assert answer.is_success, f"{method} {route}: {answer.text}"
        traces = await self.told()
        assert len(traces) == 1, f"{method} {route} left {len(traces)} traces"
        [trace] = traces
        assert trace.service == self.service.name
        assert trace.session is not None
        self.acts[method, f"/v1{route}"] = trace.act
        return answer.json() if answer.headers.get("content-type", "").startswith("application/json") else None


async def in_program(trail: Trail) -> None:
    body = {"name": "Voices", "time_zone": "Europe/Paris", "languages": ["fr", "en"], "consent": CONSENT}
    program = (await trail.act("POST", "/programs", body))["id"]
    first = {"headers": {"If-Match": '"1"'}, "of": program}
    await trail.act("PATCH", "/programs/{program_id}", {"open": True}, **first)
    aim = (await trail.act("POST", "/programs/{program_id}/objectives", OBJECTIVE, of=program))["id"]
    aims, aim = "/programs/{program_id}/objectives/{objective_id}", f"{program}/{aim}"
    higher = {**OBJECTIVE, "target": 0.5}
    await trail.act("PUT", aims, higher, of=aim, headers={"If-Match": '"1"'})
    for act in ("withdraw", "reopen"):
        await trail.act("POST", f"{aims}/{act}", of=aim)
    await trail.act("POST", "/programs/{program_id}/consent", {"texts": CONSENT}, of=program)
    await trail.act("POST", "/programs/{program_id}/guidelines", {"texts": GUIDELINES, "material": True}, of=program)
    await in_learning(trail, program)
    await with_a_question(trail, program)
    png = {"content-type": "image/png"}
    logo = await trail.act("POST", "/pictures", content=drawing(), headers=png, params={"program_id": program})
    shown = [{"picture_id": logo["id"], "kind": "logo", "titles": {"fr": "Logo", "en": "Logo"}}]
    await trail.act(
        "PUT", "/programs/{program_id}/identity", {"elements": shown}, of=program, headers={"If-Match": "*"}
    )
    await trail.act("POST", "/pictures", content=drawing(), headers=png, params={"program_id": program})
    await with_an_expert(trail, program)
    await with_an_event(trail, program)
    segment = {"segment": {"countries": ["FR"], "teams": [], "leaders_only": False}}
    batch = (await trail.act("POST", "/programs/{program_id}/invitations", segment, of=program))["batch_id"]
    taken_back = "/programs/{program_id}/invitations/{batch_id}/withdraw"
    await trail.act("POST", taken_back, of=f"{program}/{batch}")
    await with_a_survey(trail, program)
    await with_a_newsletter(trail, program)
    await in_the_team(trail, program)
    await with_a_wave(trail, program)
    await coming_in(trail, program)
    for act in ("archive", "restore"):
        await trail.act("POST", f"/programs/{{program_id}}/{act}", of=program)
    text = b"email,name,country,team\nbob@x.example,Bob,FR,IT\n"
    preview = (await trail.act("POST", "/imports", content=text, headers={"content-type": "text/csv"}))["id"]
    columns = {"columns": ["email", "name", "country", "team"]}
    await trail.act("PUT", "/imports/{import_id}/columns", columns, of=preview)
    await trail.act("POST", "/imports/{import_id}/confirm", of=preview)
    people = (await trail.client.get("/v1/people?query=bob", headers=trail.harness.bearer("ines"))).json()["items"]
    bob = people[0]["id"]
    await trail.act("POST", "/programs/{program_id}/invitations", {"people": [bob]}, of=program)
    taken_back = "/programs/{program_id}/ambassadors/{person_id}/withdraw"
    await trail.act("POST", taken_back, of=f"{program}/{bob}")
    change = {"roles": ["editor"], "leader": True, "team": "Sales"}
    await trail.act("PATCH", "/people/{person_id}", change, of=bob, headers={"If-Match": "*"})
    await trail.act("POST", "/people/{person_id}/deactivate", of=bob)
    await trail.act("POST", "/people/{person_id}/reactivate", of=bob)
    claims = {"email": "bob@x.example", "email_verified": True}
    accounts = [trail.harness.bearer(account, **claims) for account in ("bob-1", "bob-2")]
    one, other = [await trail.client.put("/v1/me", json={}, headers=account) for account in accounts]
    assert one.json()["id"] == bob
    merge = {"other_id": other.json()["id"]}
    await trail.act("POST", "/people/{person_id}/merge", merge, of=bob, headers={"If-Match": "*"})
    row = {"id": "M-1", "person_id": bob, "joined_at": "2025-03-01T00:00:00Z", "left_at": "2025-04-01T00:00:00Z"}
    rows = {"source": "old", "items": [row]}
    await trail.act("POST", "/programs/{program_id}/history/memberships", rows, of=program)
    await trail.act("GET", "/people/export")
    await trail.act("GET", "/audit/export")


async def with_a_survey(trail: Trail, program: str) -> None:
    for who in ("ann", "ben", "cat", "dan", "eva"):
        await trail.client.put("/v1/me", json={}, headers=trail.harness.bearer(who, country="FR", team="IT", name=who))
        join = await trail.client.post(
            f"/v1/programs/{program}/join", json={"consent_version": 2}, headers=trail.harness.bearer(who)
        )
        assert join.is_success, join.text
    await trail.told()
    route = "/programs/{program_id}/surveys"
    closes_on = (datetime.now(UTC) + timedelta(days=9)).date().isoformat()
    body = {"title": "Pulse", "opens_on": "2026-03-02", "closes_on": closes_on}
    one = f"{program}/{(await trail.act('POST', route, body, of=program))['id']}"
    changed = {**body, "title": "Another"}
    await trail.act("PUT", f"{route}/{{survey_id}}", changed, of=one, headers={"If-Match": "*"})
    for act in ("open", "withdraw", "open", "close"):
        await trail.act("POST", f"{route}/{{survey_id}}/{act}", of=one)
    other = (await trail.act("POST", route, body, of=program))["id"]
    await trail.act("DELETE", f"{route}/{{survey_id}}", of=f"{program}/{other}")


async def in_the_team(trail: Trail, program: str) -> None:
    applied = "/programs/{program_id}/templates/{template_name}/apply"
    await trail.act("POST", applied, {"language": "en"}, of=f"{program}/experts")
    await trail.act("POST", applied.replace("apply", "withdraw"), of=f"{program}/experts")
    mix = {"shares": {"jobs": 100}}
    await trail.act("PUT", "/programs/{program_id}/mix", mix, of=program, headers={"If-Match": "*"})
    tasks, task = "/programs/{program_id}/tasks", {"title": "Write", "due_on": "2026-03-10"}
    of = f"{program}/{(await trail.act('POST', tasks, task, of=program))['id']}"
    later = {**task, "due_on": "2026-03-11"}
    await trail.act("PUT", f"{tasks}/{{task_id}}", later, of=of, headers={"If-Match": "*"})
    for act in ("finish", "reopen"):
        await trail.act("POST", f"{tasks}/{{task_id}}/{act}", of=of)
    await trail.act("DELETE", f"{tasks}/{{task_id}}", of=of)
    notes, match = {"text": "The works council meets on Tuesdays."}, {"If-Match": "*"}
    await trail.act("PUT", "/programs/{program_id}/handover", notes, of=program, headers=match)
    await trail.act("POST", "/programs/{program_id}/calendar/feed", {"language": "en"}, of=program)
    await trail.act("DELETE", "/programs/{program_id}/calendar/feed", of=program)


async def with_a_question(trail: Trail, program: str) -> None:
    asker = trail.harness.bearer("zoe", country="FR", team="IT", name="zoe")
    await trail.client.put("/v1/me", json={}, headers=asker)
    await trail.client.post(f"/v1/programs/{program}/join", json={"consent_version": 2}, headers=asker)
    body = {"kind": "question", "text": "May I?", "language": "en"}
    asked = await trail.client.post(f"/v1/programs/{program}/feedback", json=body, headers=asker)
    assert asked.is_success, asked.text
    await trail.told()
    route, of = "/programs/{program_id}/feedback/{feedback_id}/answer", f"{program}/{asked.json()['id']}"
    await trail.act("PUT", route, {"answer": "Yes"}, of=of, headers={"If-Match": "*"})


async def with_a_newsletter(trail: Trail, program: str) -> None:
    route, of = "/programs/{program_id}/newsletters", "/programs/{program_id}/newsletters/{newsletter_id}"
    blocks = [{"texts": {code: {"text": "Thanks"} for code in ("fr", "en")}}]
    body = {"subjects": {"fr": "Mars", "en": "March"}, "blocks": blocks, "segment": {"everybody": True}}
    join, ines = f"/v1/programs/{program}/join", trail.harness.bearer("ines")
    assert (await trail.client.post(join, json={"consent_version": 2}, headers=ines)).is_success
    await trail.told()
    one = f"{program}/{(await trail.act('POST', route, body, of=program))['id']}"
    await trail.act("PUT", of, {**body, "blocks": blocks * 2}, of=one, headers={"If-Match": "*"})
    await trail.act("POST", f"{of}/test", of=one)
    await trail.act("POST", f"{of}/approve", of=one, headers={"If-Match": "*"})
    when = {"send_on": (datetime.now(UTC) + timedelta(days=9)).date().isoformat(), "send_at": "09:00"}
    await trail.act("POST", f"{of}/schedule", when, of=one)
    await trail.act("POST", f"{of}/unschedule", of=one)
    other = f"{program}/{(await trail.act('POST', route, body, of=program))['id']}"
    await trail.act("DELETE", of, of=other)
    sending = {"$set": {"state": "sending", "begun_at": datetime.now(UTC)}}
    await trail.service.runtime.mongo.db["newsletters"].update_one({"_id": one.partition("/")[2]}, sending)
    await trail.act("POST", f"{of}/stop", of=one)


async def with_a_wave(trail: Trail, program: str) -> None:
    route, one = "/programs/{program_id}/waves", "/programs/{program_id}/waves/{wave_id}"
    today = datetime.now(UTC).date()
    days = {"starts_on": (today - timedelta(days=2)).isoformat(), "ends_on": (today + timedelta(days=9)).isoformat()}
    body = {"name": "Pilot", **days, "criteria": {"everybody": True}}
    wave = f"{program}/{(await trail.act('POST', route, body, of=program))['id']}"
    match = {"If-Match": "*"}
    await trail.act("PUT", one, {**body, "name": "First wave", "goal": "Find out."}, of=wave, headers=match)
    for act in ("start", "withdraw", "start"):
        await trail.act("POST", f"{one}/{act}", of=wave)
    await trail.act("POST", f"{one}/decision", {"decision": "go", "reasons": "They like it."}, of=wave)
    await trail.act("POST", f"{one}/reopen", of=wave)
    later = {"starts_on": (today + timedelta(days=10)).isoformat(), "ends_on": (today + timedelta(days=20)).isoformat()}
    other = (await trail.act("POST", route, {**body, **later}, of=program))["id"]
    await trail.act("DELETE", one, of=f"{program}/{other}")


async def coming_in(trail: Trail, program: str) -> None:
    both = {"fr": "Pourquoi ?", "en": "Why?"}
    order = {"nominations": True, "questions": [both]}
    await trail.act("PUT", "/programs/{program_id}/admission", order, of=program, headers={"If-Match": '"0"'})
    links = "/programs/{program_id}/invitation-links"
    link = (await trail.act("POST", links, {"title": "Canteen"}, of=program))["id"]
    for act in ("withdraw", "reopen"):
        await trail.act("POST", f"{links}/{{link_id}}/{act}", of=f"{program}/{link}")
    person = ""
    for who, act in (("gus", "approve"), ("hal", "reject")):
        token = trail.harness.bearer(who, country="FR", team="IT", name=who)
        person = (await trail.client.put("/v1/me", json={}, headers=token)).json()["id"]
        said = {"answers": ["Because of Lyon."]}
        assert (await trail.client.post(f"/v1/programs/{program}/apply", json=said, headers=token)).is_success
        await trail.act("POST", f"/programs/{{program_id}}/ambassadors/{{person_id}}/{act}", of=f"{program}/{person}")
    # As somebody whom a file brought.
    await trail.service.runtime.mongo.db["people"].update_one({"_id": person}, {"$unset": {"accounts": ""}})
    of = f"{program}/{person}"
    await trail.act("POST", "/programs/{program_id}/ambassadors/{person_id}/code", of=of)
    await trail.act("POST", "/programs/{program_id}/ambassadors/{person_id}/devices/end", of=of)


async def in_learning(trail: Trail, program: str) -> None:
    lessons, of = "/programs/{program_id}/lessons", "/programs/{program_id}/lessons/{lesson_id}"
    body = {"texts": {one: {"title": "First post", "text": "Two taps."} for one in ("fr", "en")}}
    lesson = f"{program}/{(await trail.act('POST', lessons, body, of=program))['id']}"
    match = {"If-Match": "*"}
    await trail.act("PUT", of, {**body, "required_for": ["share"]}, of=lesson, headers=match)
    await trail.act("POST", f"{of}/publish", of=lesson)
    await trail.act("POST", f"{of}/retire", of=lesson)
    titles = {"titles": {"fr": "Un", "en": "One"}}
    path = f"{program}/{(await trail.act('POST', '/programs/{program_id}/paths', titles, of=program))['id']}"
    renamed = {"titles": {"fr": "Deux", "en": "Two"}}
    await trail.act("PUT", "/programs/{program_id}/paths/{path_id}", renamed, of=path, headers=match)
    await trail.act("DELETE", "/programs/{program_id}/paths/{path_id}", of=path)
    await trail.act("POST", "/programs/{program_id}/starter-lessons", of=program)
    words = {"text": "Half the water.", "network": "linkedin", "language": "en"}
    why = {"fr": "Un fait.", "en": "One fact."}
    example = (await trail.act("POST", "/programs/{program_id}/examples", {**words, "why": why}, of=program))["id"]
    of, one = "/programs/{program_id}/examples/{example_id}", f"{program}/{example}"
    await trail.act("PUT", of, {"why": {**why, "en": "One precise fact."}}, of=one, headers={"If-Match": "*"})
    for act in ("show", "retire"):
        await trail.act("POST", f"{of}/{act}", of=one)


async def with_an_expert(trail: Trail, program: str) -> None:
    expert = trail.harness.bearer("expert", country="FR", team="IT", name="Expert")
    await trail.client.put("/v1/me", json={}, headers=expert)
    join = await trail.client.post(f"/v1/programs/{program}/join", json={"consent_version": 2}, headers=expert)
    assert join.is_success, join.text
    where, today = f"/v1/programs/{program}/expert-acts", datetime.now(UTC).date().isoformat()
    talk = {"act": "talk", "title": "Events", "link": "https://conf.example/talk", "happened_on": today}
    act = (await trail.client.post(where, json=talk, headers=expert)).json()["id"]
    await trail.told()
    of = "/programs/{program_id}/expert-acts/{expert_act_id}"
    await trail.act("POST", f"{of}/confirm", of=f"{program}/{act}")
    await trail.act("POST", f"{of}/reopen", of=f"{program}/{act}")
    await with_a_hire(trail, program, expert)
    await trail.act("POST", f"{of}/refuse", {"reason": "Of another year."}, of=f"{program}/{act}")


async def with_an_event(trail: Trail, program: str) -> None:
    guest = trail.harness.bearer("expert", country="FR", team="IT", name="Expert")
    at = datetime.now(UTC) + timedelta(minutes=30)
    times = {"starts_at": at.isoformat(), "ends_at": (at + timedelta(hours=1)).isoformat()}
    body: dict[str, Any] = {"title": "Day", **times, "audience": {"everybody": True}}
    route = "/programs/{program_id}/events"
    event = await trail.act("POST", route, body, of=program)
    of, one = f"{route}/{{event_id}}", f"{program}/{event['id']}"
    await trail.act("PUT", of, {**body, "place": "Hall 3"}, of=one, headers={"If-Match": "*"})
    await trail.act("POST", f"{of}/cancel", of=one)
    await trail.act("POST", f"{of}/restore", of=one)
    there = await trail.client.post("/v1/check-ins", json={"code": event["code"]}, headers=guest)
    assert there.is_success, there.text
    await trail.told()
    me = (await trail.client.get("/v1/me", headers=guest)).json()["id"]
    for method in ("POST", "DELETE"):
        await trail.act(method, f"{of}/guests/{{person_id}}/speaker", of=f"{one}/{me}")


async def with_a_hire(trail: Trail, program: str, expert: dict[str, str]) -> None:
    context: Any = trail.service.context
    offer = JobOffer("job", program, 1, {"en": "Engineer"}, "https://jobs.example/1", open=True)
    await context.mongo.transact(lambda tx: context.referrals.put_offers([offer], tx))
    where = f"/v1/programs/{program}/job-offers/job/link"
    code = (await trail.client.post(where, headers=expert)).json()["code"]
    for state in ("applied", "hired"):
        said: Any = {"link": code, "candidate": "ATS-1", "state": state, "consented_at": datetime.now(UTC)}
        call = RecruitingCall(**said)
        await context.mongo.transact(partial(take_call, context, signed=SignedCall(state, state), call=call))
    await trail.told()
    [referral] = await context.referrals.page(program, after=None, limit=1)
    of = "/programs/{program_id}/referrals/{referral_id}"
    await trail.act("POST", f"{of}/reward", of=f"{program}/{referral.id}")
    await trail.act("POST", f"{of}/unreward", of=f"{program}/{referral.id}")


async def in_content(trail: Trail) -> None:
    variants = [{"language": "en", "title": "Title"}]
    body: dict[str, Any] = {
        "program_id": PROGRAM,
        "kind": "article",
        "category": "jobs",
        "url": "https://x.example/",
        "variants": variants,
    }

    async def item() -> str:
        return str((await trail.act("POST", "/items", body))["id"])

    one, other = await item(), await item()
    revised = {**body, "pinned": True}
    await trail.act("PUT", "/items/{item_id}", revised, of=one, headers={"If-Match": '"1"'})
    for id in (one, other):
        await trail.act("POST", "/items/{item_id}/submit", of=id)
    await trail.act("POST", "/items/{item_id}/reject", {"comment": "Ada should write this."}, of=other)
    for act in ("approve", "publish", "unpublish", "publish", "retire", "restore"):
        await trail.act("POST", f"/items/{{item_id}}/{act}", of=one)
    order = {"program_id": PROGRAM, "language": "en", "url": trail.site.url("/rss")}
    feed = (await trail.act("POST", "/feeds", order))["id"]
    await trail.act("POST", "/feeds/{feed_id}/refresh", of=feed)
    await trail.act("POST", "/feeds/{feed_id}/entries", of=feed, content=FEED, headers=RSS)
    for act in ("pause", "resume"):
        await trail.act("POST", f"/feeds/{{feed_id}}/{act}", of=feed)
    await trail.act("DELETE", "/feeds/{feed_id}", of=feed)
    params = {"program_id": PROGRAM, "language": "en"}
    await trail.act("POST", "/feeds/file", params=params, content=FEED, headers=RSS)
    row = {"id": "I-1", "url": "https://x.example/old", "title": "Old", "language": "en"}
    rows = {"program_id": PROGRAM, "source": "old", "items": [{**row, "published_at": YESTERDAY.isoformat()}]}
    await trail.act("POST", "/history/items", rows)


async def in_sharing(trail: Trail) -> None:
    route = "/programs/{program_id}/guardrails"
    body = {"disclosures": {"*": {"en": "#IWorkHere"}}, "forbidden": [{"phrase": "guaranteed returns"}]}
    await trail.act("PUT", route, body, headers={"If-Match": '"1"'})
    await trail.act("POST", f"{route}/restore", headers={"If-Match": '"2"'})
    post: dict[str, Any] = {
        "id": "P-1",
        "ambassador_id": "ada",
        "content_id": "item",
        "title": "A",
        "url": "https://x.example/",
    }
    post |= {"language": "en", "network": "linkedin", "posted_at": YESTERDAY.isoformat(), "counts": {"like": 1}}
    await trail.act("POST", "/history/posts", {"program_id": PROGRAM, "source": "old", "items": [post]})
    row = {"id": "E-1", "post": "P-1", "counted_at": datetime.now(UTC).isoformat(), "counts": {"like": 2}}
    await trail.act("POST", "/history/engagements", {"program_id": PROGRAM, "source": "old", "items": [row]})


async def in_gamification(trail: Trail) -> None:
    rules = {"rules": [{"id": "share", "act": "share", "points": 10}]}
    await trail.act("POST", "/programs/{program_id}/rules", rules, headers={"If-Match": '"1"'})
    await trail.act("POST", "/programs/{program_id}/leaderboard/rebuild")


async def in_metrics(trail: Trail) -> None:
    day = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    rates = {"valid_from": day, "currency": "EUR", "source": "Our campaigns", "rates": {"*": {"click": "0.50"}}}
    await trail.act("PUT", "/programs/{program_id}/rates", rates, headers={"If-Match": '"0"'})


ACTS: dict[str, Callable[[Trail], Awaitable[None]]] = {
    "program": in_program,
    "content": in_content,
    "sharing": in_sharing,
    "gamification": in_gamification,
    "metrics": in_metrics,
}


async def with_dead_letters(trail: Trail) -> None:
    """What every service has."""
    for act in ("replay", "drop"):
        await trail.act("POST", f"/deadletters/{act}", {"dry_run": False})
    await trail.act("POST", "/deadletters/resume", {"per_second": 10, "minutes": 1})


def administrative(app: Any) -> set[tuple[str, str]]:
    """The operations of an application that change something and for which a role is needed."""
    assert isinstance(app, FastAPI)
    needs = {(method, path): words for (path, method), words in rights_of(app).items()}
    found = {key for key, words in needs.items() if ROLES.intersection(words) and key[0] not in ("GET", "HEAD")}
    return found - READING


def built(harness: Harness, name: str) -> Service:
    build = importlib.import_module(f"services.{name}.app").build
    cls = get_type_hints(build)["settings"]
    common = set(Settings.model_fields)
    required = {
        field: PLACEHOLDERS[f"HERALD_{field.upper()}"]
        for field, info in cls.model_fields.items()
        if info.is_required() and field not in common
    }
    changes: dict[str, Any] = {"fetch_allow": ("127.0.0.0/8",)}
    if name == "program":
        changes |= {"program_admins": "ines@x.example", "smtp_host": "smtp.test", "mail_from": "herald@x.example"}
    service: Service = build(harness.settings(cls, **required, **changes))
    return service


async def know_everybody(trail: Trail) -> None:
    """The caller has every role; the programme is known."""
    service = trail.service
    if service.name == "program":
        claims = {"email": "ines@x.example", "email_verified": True, "name": "Ines", "country": "FR", "team": "IT"}
        token = trail.harness.bearer("ines", **claims)
        ines = (await trail.client.put("/v1/me", json={}, headers=token)).json()
        [first] = await trail.told()
        assert (first.act, first.actor_id, first.object_id) == ("become_first_admin", ines["id"], ines["id"])
        change, match = {"roles": ["editor", "manager", "admin"]}, {"If-Match": "*"}
        await trail.act("PATCH", "/people/{person_id}", change, of=ines["id"], headers=match)
        return
    assert service.consumer is not None
    known = trail.harness.provisioned("ines", *ROLES)
    created = ProgramCreated(**{**example("ProgramCreated").data, "program_id": PROGRAM, "occurred_at": YESTERDAY})
    await Applied(service, service.consumer).take([received(known), received(created)])


@pytest.mark.parametrize("name", SERVICES)
async def test_every_administrative_route_leaves_a_trace(harness: Harness, name: str) -> None:
    service = built(harness, name)
    await harness.create_topics([f"herald.deadletters.{name}"])
    async with serve_site() as site, harness.api(service) as client:
        site.pages["/rss"] = Answer(headers={"content-type": "application/rss+xml"}, body=FEED)
        trail = Trail(harness, service, client, site)
        await know_everybody(trail)
        await ACTS[name](trail)
        await with_dead_letters(trail)
    changing = {route for route in trail.acts if route[0] != "GET"}
    assert changing == administrative(service.asgi())
    assert set(trail.acts.values()) <= set(ADMINISTRATIVE_ACTS)
    await service.runtime.close()


async def test_an_act_without_a_trace_does_not_take_place(harness: Harness) -> None:
    runtime = Runtime("content", harness.settings(Settings))
    principals, router = PrincipalStore(runtime.mongo), Router()

    @router.post("/things", dependencies=[requires("editor")])
    async def make(unit: Unit) -> Any:
        async def command(tx: Transaction) -> None:
            await runtime.mongo.db["things"].insert_one({"_id": "made"}, session=tx.session)

        return await unit.run(command)

    service = Service(name="content", runtime=runtime, principals=principals, router=router)
    await runtime.mongo.transact(lambda tx: principals.apply([received(harness.provisioned("ed", "editor"))], tx))
    async with harness.api(service) as client:
        answer = await client.post("/v1/things", headers=harness.bearer("ed"))
    assert answer.status_code == 500
    assert await runtime.mongo.db["things"].count_documents({}) == 0
    await runtime.close()


@pytest.fixture
async def searched(harness: Harness) -> AsyncIterator[tuple[Harness, httpx.AsyncClient]]:
    """`program` at work, and its API with the administrator `root`."""
    service = build_program(harness.settings(ProgramSettings, program_admins="root@x.example"))
    async with harness.worker(service), harness.api(service) as client:
        claims = {"email": "root@x.example", "email_verified": True, "name": "Root", "country": "FR", "team": "IT"}
        assert (await client.put("/v1/me", json={}, headers=harness.bearer("root", **claims))).is_success
        yield harness, client
    await service.runtime.close()


async def search(harness: Harness, client: httpx.AsyncClient, **params: Any) -> Any:
    answer = await client.get("/v1/audit", params=params, headers=harness.bearer("root"))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_acts_of_other_services_are_found_and_exported(
    searched: tuple[Harness, httpx.AsyncClient],
) -> None:
    harness, client = searched
    content = build_content(harness.settings(ContentSettings))
    assert content.consumer is not None
    await Applied(content, content.consumer).take([received(harness.provisioned("ed", "editor"))])
    body: dict[str, Any] = {"program_id": PROGRAM, "kind": "article", "category": "jobs", "url": "https://x.example/"}
    body |= {"variants": [{"language": "en", "title": "=1+1"}]}
    async with harness.worker(content), harness.api(content) as api:
        made = await api.post("/v1/items", json=body, headers=harness.bearer("ed"))
        assert made.status_code == 201

        async def acts() -> list[Any]:
            return list((await search(harness, client, service="content"))["items"])

        [act] = await eventually(acts)
    await content.runtime.close()
    assert (act["act"], act["actor_id"], act["object_id"]) == ("create_item", "ed", made.json()["id"])
    for name, value in (
        ("actor_id", "ed"),
        ("object_type", "item"),
        ("program_id", PROGRAM),
        ("until", "2999-01-01T00:00:00Z"),
    ):
        assert act in (await search(harness, client, **{name: value}))["items"]
    for name, value in (("actor_id", "ada"), ("act", "retire_item"), ("since", "2999-01-01T00:00:00Z")):
        found = await search(harness, client, **{name: value})
        assert (found["items"], found["total"]) == ([], 0)
    assert (await search(harness, client, service="content"))["total"] == 1
    export = await client.get("/v1/audit/export", params={"service": "content"}, headers=harness.bearer("root"))
    rows = list(csv.DictReader(StringIO(export.text.removeprefix("\ufeff"))))
    assert {row["field"]: row["after"] for row in rows}["state"] == "draft"
    assert "'=1+1" not in export.text  # inside of JSON it is no formula
    exported = await eventually(lambda: search(harness, client, act="export_audit_trail"), until=lambda it: it["items"])
    assert exported["items"][0]["changes"] == [
        {"field": "service", "before": None, "after": "content", "withheld": False}
    ]


async def test_pages_follow_one_another_and_only_administrators_read(
    searched: tuple[Harness, httpx.AsyncClient],
) -> None:
    harness, client = searched
    first = AdministrativeActRecorded(**example("AdministrativeActRecorded", "published").data)
    events = [
        first.model_copy(
            update={"object_id": f"item-{number}", "occurred_at": YESTERDAY + timedelta(seconds=number // 2)}
        )
        for number in range(7)
    ]
    ids = await harness.publish(*events)
    await eventually(lambda: search(harness, client, act="publish_item"), until=lambda it: len(it["items"]) == 7)
    seen: list[str] = []
    cursor = None
    while True:
        page = await search(harness, client, act="publish_item", limit=3, **({"cursor": cursor} if cursor else {}))
        seen += [one["id"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(ids)
    claims = {"email": "max@x.example", "email_verified": True, "name": "Max", "country": "FR", "team": "IT"}
    max_ = (await client.put("/v1/me", json={}, headers=harness.bearer("max", **claims))).json()
    order, match = {"roles": ["manager"]}, {**harness.bearer("root"), "If-Match": "*"}
    assert (await client.patch(f"/v1/people/{max_['id']}", json=order, headers=match)).is_success
    for path in ("/v1/audit", "/v1/audit/export"):
        answer = await client.get(path, headers=harness.bearer("max"))
        assert (answer.status_code, answer.json()["type"]) == (403, "role-missing")
    for cursor in ("WzFd", "WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzE0OjAwIiwieCJd"):
        answer = await client.get("/v1/audit", params={"cursor": cursor}, headers=harness.bearer("root"))
        assert answer.status_code == 422, answer.text
