"""What an entry point accepts, no consumer refuses: all services, their databases real, without Kafka between.

Requests are made from each service's OpenAPI document: a well-made one, with some of its values as the document allows
them. What is emitted goes from the outboxes to every consumer that takes it, and so does what these emit.
"""

from __future__ import annotations

import asyncio
import csv
import io
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any
from xml.sax.saxutils import escape

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from chassis.ids import new_id
from chassis.service import Service
from chassis.web.signatures import SignedCall
from chassis.web.tokens import new_device_token
from herald.local.plan import SERVICES
from herald_contracts import Event, FeedbackSubmitted, ObjectiveReached, Record, decode
from services.program.commands.referrals import RecruitingCall, take_call
from services.sharing.redirect.server import RedirectServer
from services.sharing.redirect.target_cache import TargetCache
from tests.drawings import drawing
from tests.fuzz import WANTED
from tests.integration.consumers import Applied, received, services
from tests.integration.harness import Harness

pytestmark = pytest.mark.usefixtures("borrowed")
SHARES = (0.0, 0.25) if not WANTED else (0.0, *(number % 7 / 10 for number in range(WANTED)))
"""In each round, the share of values that are as the document allows them: 0 is the well-made request."""
READS_THE_WEB = {"POST /v1/feeds", "POST /v1/feeds/{feed_id}/refresh"}
"""What these bring goes the way of a file that is uploaded."""
SIGNED = {"POST /v1/recruiting-calls"}
"""By nobody who has a token: tests/integration/program/test_referrals.py."""
BY_A_JOB = {ObjectiveReached.type, FeedbackSubmitted.type}
ROOT, MACHINE, PHONE = "root", "crm", "a phone"
PEOPLE = (ROOT, "ada", "bob", "carol", "eve")
ACTORS = {
    "POST /v1/engagements": MACHINE,
    "POST /v1/mail/reports": MACHINE,
    **{f"POST /v1/programs/{{program_id}}/{act}": "ada" for act in ("join", "leave")},
    **{f"POST /v1/programs/{{program_id}}/{act}": "carol" for act in ("decline", "reconsider")},
    **{f"POST /v1/programs/{{program_id}}/{act}": "dora" for act in ("apply", "withdraw-application")},
    "POST /v1/invitation-links/{token}/follow": "fred",
    **{f"POST /v1/device{act}": PHONE for act in ("", "/end")},
    "POST /v1/programs/{program_id}/expert-acts": "dan",
    "POST /v1/programs/{program_id}/examples/offers": "dan",
    "POST /v1/programs/{program_id}/examples/{example_id}/withdraw": "dan",
    "POST /v1/check-ins": "dan",
    "POST /v1/programs/{program_id}/events/{event_id}/reply": "dan",
    "POST /v1/programs/{program_id}/job-offers/{job_id}/link": "dan",
    "POST /v1/programs/{program_id}/expert-acts/{expert_act_id}/withdraw": "dan",
    "POST /v1/programs/{program_id}/deputies": "lena",
    **{f"POST /v1/programs/{{program_id}}/prepared/{{prepared_id}}/{act}": "lena" for act in ("dismiss", "keep")},
    **{
        f"POST /v1/programs/{{program_id}}/deputies/{{deputy_id}}/{act}": "dan"
        for act in ("accept", "decline", "end", "prepared")
    },
    "PUT /v1/programs/{program_id}/prepared/{prepared_id}": "dan",
    "POST /v1/programs/{program_id}/prepared/{prepared_id}/withdraw": "dan",
}
"""Who calls, where it is not the administrator."""
CREATES = {
    "POST /v1/items": "item_id",
    "POST /v1/feeds/file": "feed_id",
    "POST /v1/imports": "import_id",
    "POST /v1/posts": "post_id",
    "POST /v1/programs/{program_id}/lessons": "lesson_id",
    "POST /v1/programs/{program_id}/paths": "path_id",
    "POST /v1/programs/{program_id}/feedback": "feedback_id",
    "POST /v1/programs/{program_id}/objectives": "objective_id",
    "POST /v1/programs/{program_id}/tasks": "task_id",
    "POST /v1/programs/{program_id}/waves": "wave_id",
    "POST /v1/programs/{program_id}/invitation-links": "link_id",
}
"""What the id of an answer names in paths."""
TEXTS = {"en": "I take part of my own free will."}
SURVEY = {
    "title": "Pulse",
    "opens_on": "2026-03-02",
    "closes_on": (datetime.now(UTC).date() + timedelta(days=9)).isoformat(),
    "enps": True,
    "questions": [TEXTS],
    "prompt": TEXTS,
}
NEWSLETTER: dict[str, Any] = {
    "subjects": TEXTS,
    "blocks": [{"kind": "text", "texts": {"en": {"title": "Thanks", "text": "To all"}}}],
    "segment": {"everybody": True},
}
WAVE = {
    "name": "Pilot",
    "starts_on": "2026-03-02",
    "ends_on": (datetime.now(UTC).date() + timedelta(days=9)).isoformat(),
    "criteria": {"everybody": True},
    "goal": "Do they find the time?",
}
WELL_MADE: dict[str, Any] = {
    "POST /v1/items": {
        "program_id": "",
        "kind": "article",
        "category": "company_news",
        "url": "https://www.example.com/a",
        "variants": [{"language": "en", "title": "Title"}],
        "captions": [{"language": "en", "text": "Proud of the team"}],
    },
    "POST /v1/items/{item_id}/reject": {"comment": "Too long"},
    "PUT /v1/me": {"locale": "en"},
    "PATCH /v1/me": {"locale": "fr"},
    "POST /v1/people/names": {"ids": [""]},
    "POST /v1/posts/titles": {"ids": ["post-1"]},
    "PATCH /v1/people/{person_id}": {"team": "Sales", "country": "FR"},
    "POST /v1/people/{person_id}/merge": {"other_id": ""},
    "PUT /v1/imports/{import_id}/columns": {"columns": ["email", "name", "country", "team"]},
    "POST /v1/programs": {"name": "Voices", "time_zone": "Europe/Paris", "languages": ["en"], "consent": TEXTS},
    "PATCH /v1/programs/{program_id}": {"name": "More voices", "open": True},
    "POST /v1/programs/{program_id}/consent": {"texts": TEXTS},
    "POST /v1/programs/{program_id}/guidelines": {"texts": TEXTS, "material": False},
    "POST /v1/programs/{program_id}/guidelines/{version}/answers": {"language": "en", "answers": []},
    "PUT /v1/programs/{program_id}/identity": {"colours": [{"name": "Red", "value": "#b0413e"}], "elements": []},
    "POST /v1/programs/{program_id}/feedback": {"kind": "comment", "text": "More pictures", "language": "en"},
    "PUT /v1/programs/{program_id}/feedback/{feedback_id}/answer": {
        "answer": "They come.",
        "public": {"en": {"said": "More pictures", "answer": "They come."}},
        "done": True,
    },
    "POST /v1/programs/{program_id}/join": {"consent_version": 1},
    "PUT /v1/programs/{program_id}/admission": {"nominations": True, "questions": [TEXTS]},
    "POST /v1/programs/{program_id}/apply": {"answers": []},
    "POST /v1/programs/{program_id}/invitation-links": {"title": "Canteen", "headlines": TEXTS},
    "POST /v1/invitation-links/{token}/follow": {"answers": []},
    "POST /v1/programs/{program_id}/surveys": SURVEY,
    "PUT /v1/programs/{program_id}/surveys/{survey_id}": SURVEY,
    "POST /v1/programs/{program_id}/surveys/{survey_id}/answers": {"enps": 9, "scores": [4], "text": "More pictures"},
    "POST /v1/programs/{program_id}/newsletters": {
        **NEWSLETTER,
        "prepared": {"first": "2026-03-02", "last": "2026-03-29"},
    },
    "PUT /v1/programs/{program_id}/newsletters/{newsletter_id}": NEWSLETTER,
    "POST /v1/programs/{program_id}/newsletters/{newsletter_id}/schedule": {
        "send_on": (datetime.now(UTC).date() + timedelta(days=9)).isoformat(),
        "send_at": "09:00",
    },
    "PUT /v1/me/mails": {"kind": "newsletter", "program_id": "", "wanted": True},
    "POST /v1/programs/{program_id}/waves": WAVE,
    "PUT /v1/programs/{program_id}/waves/{wave_id}": {**WAVE, "targets": {"participation": 0.5}},
    "POST /v1/programs/{program_id}/waves/{wave_id}/decision": {"decision": "go", "reasons": "They like it."},
    "POST /v1/programs/{program_id}/paths": {"titles": {"en": "First day"}, "lesson_ids": []},
    "PUT /v1/programs/{program_id}/paths/{path_id}": {"titles": {"en": "First week"}, "lesson_ids": []},
    "POST /v1/programs/{program_id}/rules": {"rules": [{"id": "share", "act": "share", "points": 10}]},
    "PUT /v1/programs/{program_id}/rates": {
        "valid_from": (datetime.now(UTC).date() + timedelta(days=1)).isoformat(),
        "currency": "EUR",
        "source": "Our campaigns",
        "rates": {"*": {"click": "0.50"}},
    },
}
OBJECTIVE = {
    "use_case": "awareness",
    "kpi": "shares",
    "baseline": 0,
    "target": 10,
    "starts_on": "2026-03-01",
    "ends_on": "2026-12-31",
}
_SOON = datetime.now(UTC) + timedelta(minutes=30)
EVENT = {
    "title": "Day",
    "starts_at": _SOON.isoformat(),
    "ends_at": (_SOON + timedelta(hours=1)).isoformat(),
    "audience": {"everybody": True},
}
EXPERT_ACT = {"act": "talk", "title": "Events", "happened_on": datetime.now(UTC).date().isoformat()}
WELL_MADE["POST /v1/programs/{program_id}/expert-acts"] = {**EXPERT_ACT, "link": "https://conf.example/talk"}
WELL_MADE["POST /v1/programs/{program_id}/deputies"] = {"person": "dan@x.example"}
EXAMPLE = {"text": "Half the water.", "network": "linkedin", "language": "en", "why": {"en": "One fact."}}
WELL_MADE["POST /v1/programs/{program_id}/examples"] = EXAMPLE
WELL_MADE["PUT /v1/programs/{program_id}/examples/{example_id}"] = EXAMPLE
OFFER = {"post_id": "post-1", "text": "Half the water.", "network": "linkedin", "language": "en", "named": True}
WELL_MADE["POST /v1/programs/{program_id}/examples/offers"] = OFFER
WELL_MADE["POST /v1/programs/{program_id}/events"] = EVENT
WELL_MADE["PUT /v1/programs/{program_id}/events/{event_id}"] = EVENT
WELL_MADE["PUT /v1/items/{item_id}"] = {
    **WELL_MADE["POST /v1/items"],
    "variants": [{"language": "en", "title": "Another title"}],
}
"""Bodies of operations whose description has no example."""


def feed_file(texts: list[str]) -> tuple[str, bytes]:
    entries = "".join(
        f"<item><title>{escape(text)}</title><link>https://e.example/{new_id()}</link></item>" for text in texts
    )
    document = f"<rss version='2.0'><channel><title>Blog</title>{entries}</channel></rss>"
    return "application/rss+xml", document.encode(errors="replace")


def people_file(texts: list[str]) -> tuple[str, bytes]:
    table = io.StringIO()
    rows = csv.writer(table)
    rows.writerow(["email", "name", "country", "team"])
    rows.writerows([f"{new_id()}@x.example", text, "FR", text] for text in texts)
    return "text/csv", table.getvalue().encode(errors="replace")


def picture_file(texts: list[str]) -> tuple[str, bytes]:
    return "image/png", drawing(size=(8 + len(texts[0]), 8))


def report_file(texts: list[str]) -> tuple[str, bytes]:
    return "message/rfc822", f"To: bounces+{'a' * 26}@x.example\n\n{texts[0]}".encode(errors="replace")


FILES = {
    "POST /v1/mail/reports": report_file,
    "POST /v1/feeds/file": feed_file,
    "POST /v1/feeds/{feed_id}/entries": feed_file,
    "POST /v1/imports": people_file,
    "POST /v1/pictures": picture_file,
}
ONE_LINE = st.text(st.characters(codec="latin-1", categories=("L", "N", "P", "S", "Zs")), max_size=300)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "user-agent": ONE_LINE | st.just("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"),
        "referer": ONE_LINE | ONE_LINE.map("https://{}/".format) | ONE_LINE.map("https://example.com:{}".format),
        "x-forwarded-for": ONE_LINE | st.ip_addresses().map(str),
        "sec-purpose": ONE_LINE | st.just("prefetch"),
        "dnt": st.just("1"),
    },
)


def drawn(strategy: st.SearchStrategy[Any], count: int) -> list[Any]:
    """That many of what the strategy gives, the same in every run."""
    found: list[Any] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def take(one: Any) -> None:
        found.append(one)

    take()
    return found


@dataclass
class Operation:
    """An operation that changes something, with requests to try: query and body as its document allows them."""

    service: str
    name: str
    path: str
    method: str
    good: Any
    cases: list[Any]


def operations(service: str, document: dict[str, Any]) -> list[Operation]:
    schema: Any = schemathesis.openapi.from_dict(document).exclude(path_regex="/deadletters")
    found = []
    for one in schema.get_all_operations():
        operation = one.ok()
        name = f"{operation.method.upper()} {operation.path}"
        if operation.method.upper() == "GET" or name in READS_THE_WEB | SIGNED:
            continue
        strategy = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
        cases = [] if name in FILES else drawn(strategy, len(SHARES))
        good = WELL_MADE.get(name) or _example(document, document["paths"][operation.path][operation.method.lower()])
        found.append(Operation(service, name, operation.path, operation.method.upper(), good, cases))
    return found


def _example(document: dict[str, Any], operation: dict[str, Any]) -> Any:
    """The example of the body, if there is one."""
    [content] = list(operation.get("requestBody", {}).get("content", {}).values())[:1] or [{}]
    schema = content.get("schema", {})
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema["examples"][0] if "examples" in schema else schema.get("example")


def blended(good: Any, other: Any, share: float, chance: Random) -> Any:
    """The good one with a share of the values of the other."""
    if isinstance(good, dict) and isinstance(other, dict):
        found = {name: blended(value, other.get(name, value), share, chance) for name, value in good.items()}
        return found | {name: one for name, one in other.items() if name not in good and chance.random() < share}
    if isinstance(good, list) and isinstance(other, list) and good and isinstance(good[0], dict):
        rows = other[:3] if share else good
        return [blended(good[number % len(good)], one, share, chance) for number, one in enumerate(rows)] or good
    return other if chance.random() < share else good


class ClickLog:
    """Stands for the producer of clicks: every click is kept at once."""

    waiting = 0

    def __init__(self) -> None:
        self.records: list[Record] = []

    def put(self, record: Record, then: Callable[[], None]) -> None:
        self.records.append(record)
        then()


@dataclass
class World:
    """The services, called and connected: `known` has ids by what names them in bodies, `there` those of paths."""

    harness: Harness
    services: dict[str, Service]
    clients: dict[str, httpx.AsyncClient]
    clicks: ClickLog
    known: dict[str, Any] = field(default_factory=dict)
    there: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    refused: list[str] = field(default_factory=list)
    emitted: set[str] = field(default_factory=set)

    async def call(self, service: str, method: str, path: str, body: Any = None, *, by: str = ROOT, **more: Any) -> Any:
        """The answer; what it caused has gone to every consumer."""
        headers = {**self._token(by), **more.pop("headers", {"If-Match": "*"})}
        answer = await self.clients[service].request(method, path, json=body, headers=headers, **more)
        assert answer.status_code < 500, f"{method} {path} {body!r}: {answer.text}"
        await self.deliver(f"{method} {path}")
        return answer

    async def ok(self, service: str, method: str, path: str, body: Any = None, **more: Any) -> Any:
        answer = await self.call(service, method, path, body, **more)
        assert answer.is_success, f"{method} {path}: {answer.text}"
        return answer.json() if answer.content else None

    def _token(self, by: str) -> dict[str, str]:
        if by == PHONE:
            return {"Authorization": f"Bearer {self.known['device']}"}
        if by == MACHINE:
            return self.harness.bearer(by, client_id=by, scope="herald:engagements:write herald:mail:write")
        claims = {"email": f"{by}@x.example", "email_verified": True, "name": by.title(), "country": "FR", "team": "IT"}
        return self.harness.bearer(by, **claims)

    async def deliver(self, cause: str) -> None:
        """Hand on what waits in outboxes, in order, until nothing does."""
        await self._hand_on([(record.headers, record.value) for record in self.clicks.records], cause)
        self.clicks.records.clear()
        delivered = True
        while delivered:
            delivered = False
            for service in self.services.values():
                outbox = service.runtime.mongo.outbox
                rows = await outbox.find({}, sort=[("seq", 1)]).to_list()
                await self._hand_on([(list(row["headers"].items()), row["value"]) for row in rows], cause)
                if rows:
                    delivered = True
                    await outbox.delete_many({"_id": {"$in": [row["_id"] for row in rows]}})

    async def _hand_on(self, records: Iterable[tuple[Any, bytes]], cause: str) -> None:
        for headers, value in records:
            try:
                event = decode(headers, value)
            except ValueError as error:
                self.refused.append(f"{cause}: {value!r} cannot be read: {error}")
                continue
            self.emitted.add(event.type)
            for service in self.services.values():
                if service.consumer is not None:
                    try:
                        await Applied(service, service.consumer).take([received(event.data, id=event.id)])
                    except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
                        self.refused.append(f"{cause}: {service.name} refuses {event.type} {value!r}: {error!r}")

    def with_ids(self, body: Any) -> Any:
        """The body with ids of what there is."""
        if isinstance(body, dict):
            return {name: self.known.get(name, self.with_ids(value)) for name, value in body.items()}
        return [self.with_ids(one) for one in body] if isinstance(body, list) else body

    def path(self, operation: Operation, chance: Random, ids: dict[str, str]) -> str:
        """The path with these ids, the others of the latest there are."""
        names = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
        pools = {name: self.there[name] or ["none"] for name in names}
        latest = {name: chance.choice(pool[-5:]) for name, pool in pools.items()}
        return operation.path.format(**latest | ids)


@asynccontextmanager
async def world(harness: Harness) -> AsyncIterator[World]:
    """All services with a programme, an ambassador who may do everything, an item and a post."""
    options = {
        "issuer": harness.issuer.url,
        "public_url": "http://herald.test",
        "program_admins": f"{ROOT}@x.example",
        "smtp_host": "smtp.test",
        "mail_from": "herald@x.example",
        "wait_seconds": 0.0,
        "rate_uploads": "100/second",
        "rate_drafts": "100/second",
    }
    async with services(harness.infra, harness.namespace, *SERVICES, **options) as built, AsyncExitStack() as stack:
        clients = {one.name: await stack.enter_async_context(harness.api(one)) for one in built}
        found = World(harness, {one.name: one for one in built}, clients, ClickLog())
        runtime, context = found.services["sharing"].runtime, found.services["sharing"].context
        cache = TargetCache(context.store.posts, runtime.redis, context.settings)
        redirect: Any = RedirectServer(runtime, context.settings, runtime.clock, cache, found.clicks)  # type: ignore[arg-type]
        transport = httpx.ASGITransport(redirect)
        clients["links"] = await stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="http://herald.test")
        )
        await _settle_in(found)
        yield found


async def _settle_in(world: World) -> None:
    people = {who: (await world.ok("program", "PUT", "/v1/me", {}, by=who))["id"] for who in PEOPLE}
    root = people[ROOT]
    await world.ok("program", "PATCH", f"/v1/people/{root}", {"roles": ["editor", "manager", "admin"]})
    program = (await world.ok("program", "POST", "/v1/programs", {**WELL_MADE["POST /v1/programs"], "open": True}))[
        "id"
    ]
    where = f"/v1/programs/{program}"
    await world.ok("program", "POST", f"{where}/join", {"consent_version": 1})
    await world.ok("program", "POST", f"{where}/guidelines", {"texts": TEXTS})
    await world.ok("program", "POST", f"{where}/guidelines/1/acknowledge")
    await world.ok("program", "POST", f"{where}/objectives", OBJECTIVE)
    for who in ["dan", "lena", *(new_id() for _ in range(3))]:  # with the administrator, enough to be asked in a survey
        await world.ok("program", "PUT", "/v1/me", {}, by=who)
        await world.ok("program", "POST", f"{where}/join", {"consent_version": 1}, by=who)
    lena = (await world.ok("program", "GET", "/v1/me", by="lena"))["id"]
    await world.ok("program", "PATCH", f"/v1/people/{lena}", {"leader": True})
    world.there.update(program_id=[program], version=[1], person_id=[people["bob"], people["eve"]])
    await world.ok("program", "PUT", f"{where}/admission", {"nominations": True}, headers={"If-Match": '"0"'})
    for who in ("dora", "fred"):
        await world.ok("program", "PUT", "/v1/me", {}, by=who)
    world.known["device"] = new_device_token()
    world.known.update(program_id=program, ambassador_id=root, person_id=root, people=[*people.values()])
    item = await _item(world, "submit", "publish")
    await world.ok("content", "PUT", f"/v1/items/{item}", world.with_ids(WELL_MADE["PUT /v1/items/{item_id}"]))
    world.known.update(content_id=item, consent_version=1)
    share = {"content_id": item, "network": "linkedin", "language": "en", "caption": "Proud"}
    post = await world.ok("sharing", "POST", "/v1/posts", share)
    world.known["post_id"] = post["id"]
    world.there["code"].append(post["link_code"])
    past = {"id": "P-1", "ambassador_id": root, "content_id": item, "title": "T", "url": "https://example.com"}
    row = {**past, "language": "en", "network": "x", "posted_at": "2025-09-14T08:30:00Z", "counts": {"click": 1}}
    rows = {"program_id": program, "source": "old-product", "items": [row]}
    await world.ok("sharing", "POST", "/v1/history/posts", rows)
    world.known.update(post="P-1", caption_id=None, occurred_at=datetime.now(UTC).isoformat())
    rates = WELL_MADE["PUT /v1/programs/{program_id}/rates"]
    await world.ok("metrics", "PUT", f"{where}/rates", rates, headers={"If-Match": '"0"'})


async def _item(world: World, *acts: str) -> str:
    """A new item after these acts."""
    id: str = (await world.ok("content", "POST", "/v1/items", world.with_ids(WELL_MADE["POST /v1/items"])))["id"]
    for act in acts:
        await world.ok("content", "POST", f"/v1/items/{id}/{act}")
    return id


async def _person(world: World) -> str:
    """Somebody who signs in for the first time."""
    id: str = (await world.ok("program", "PUT", "/v1/me", {}, by=new_id()))["id"]
    return id


async def _draft(world: World) -> dict[str, str]:
    return {"item_id": await _item(world)}


async def _in_review(world: World) -> dict[str, str]:
    return {"item_id": await _item(world, "submit")}


async def _published(world: World) -> dict[str, str]:
    return {"item_id": await _item(world, "submit", "publish")}


async def _retired(world: World) -> dict[str, str]:
    return {"item_id": await _item(world, "submit", "publish", "retire")}


async def _invited(world: World) -> dict[str, str]:
    person = await _person(world)
    program = world.known["program_id"]
    path, order = f"/v1/programs/{program}/invitations", {"people": [person]}
    invited = await world.ok("program", "POST", path, order)
    return {"program_id": program, "person_id": person, "batch_id": invited["batch_id"]}


async def _applied(world: World) -> dict[str, str]:
    """Somebody who put themselves forward."""
    who, program = new_id(), world.known["program_id"]
    person = (await world.ok("program", "PUT", "/v1/me", {}, by=who))["id"]
    await world.ok("program", "POST", f"/v1/programs/{program}/apply", {}, by=who)
    return {"program_id": program, "person_id": person}


async def _link(world: World) -> dict[str, str]:
    program = world.known["program_id"]
    link = await world.ok("program", "POST", f"/v1/programs/{program}/invitation-links", {"title": "Canteen"})
    return {"program_id": program, "link_id": link["id"], "token": link["token"]}


async def _without_account(world: World) -> dict[str, str]:
    """Somebody from a file who has no e-mail address, invited."""
    number = new_id()
    content = f"external_id,name,country,team\n{number},Olga,FR,Plant\n".encode()
    headers = {"Content-Type": "text/csv"}
    preview = await world.ok("program", "POST", "/v1/imports", content=content, headers=headers)
    await world.ok("program", "POST", f"/v1/imports/{preview['id']}/confirm")
    [person] = (await world.ok("program", "GET", "/v1/people", params={"query": number}))["items"]
    program = world.known["program_id"]
    await world.ok("program", "POST", f"/v1/programs/{program}/invitations", {"people": [person["id"]]})
    return {"program_id": program, "person_id": person["id"]}


async def _with_code(world: World) -> dict[str, str]:
    ids = await _without_account(world)
    path = f"/v1/programs/{ids['program_id']}/ambassadors/{ids['person_id']}/code"
    world.known.update(device=new_device_token(), code=(await world.ok("program", "POST", path))["code"])
    return {}


async def _let_in(world: World) -> dict[str, str]:
    await _with_code(world)
    await world.ok("program", "POST", "/v1/device", {"code": world.known["code"]}, by=PHONE)
    return {}


async def _task(world: World) -> dict[str, str]:
    program = world.known["program_id"]
    order = {"title": "Write", "due_on": "2026-03-10"}
    task = await world.ok("program", "POST", f"/v1/programs/{program}/tasks", order)
    return {"program_id": program, "task_id": task["id"]}


async def _lesson(world: World) -> dict[str, str]:
    """A lesson that can be read."""
    program = world.known["program_id"]
    where, lesson = f"/v1/programs/{program}/lessons", {"texts": {"en": {"title": "First", "text": "Two taps."}}}
    id = (await world.ok("program", "POST", where, lesson))["id"]
    await world.ok("program", "POST", f"{where}/{id}/publish")
    return {"program_id": program, "lesson_id": id}


async def _declared(world: World) -> dict[str, str]:
    """A talk of somebody who is an ambassador."""
    where = f"/v1/programs/{world.known['program_id']}/expert-acts"
    talk = {**EXPERT_ACT, "link": f"https://conf.example/{new_id()}"}
    made = await world.ok("program", "POST", where, talk, by="dan")
    return {"program_id": world.known["program_id"], "expert_act_id": made["id"]}


async def _confirmed(world: World) -> dict[str, str]:
    ids = await _declared(world)
    path = f"/v1/programs/{ids['program_id']}/expert-acts/{ids['expert_act_id']}/confirm"
    await world.ok("program", "POST", path)
    return ids


async def _post_that_worked(world: World) -> dict[str, str]:
    """An example that can be shown."""
    program = world.known["program_id"]
    made = await world.ok("program", "POST", f"/v1/programs/{program}/examples", EXAMPLE)
    return {"program_id": program, "example_id": made["id"]}


async def _offered(world: World) -> dict[str, str]:
    """A post that its author offered."""
    program = world.known["program_id"]
    order = {**OFFER, "post_id": new_id()}
    made = await world.ok("program", "POST", f"/v1/programs/{program}/examples/offers", order, by="dan")
    return {"program_id": program, "example_id": made["id"]}


async def _event(world: World) -> dict[str, str]:
    """An event at which one can check in."""
    path = f"/v1/programs/{world.known['program_id']}/events"
    made = await world.ok("program", "POST", path, EVENT)
    world.known["code"] = made["code"]
    return {"program_id": world.known["program_id"], "event_id": made["id"]}


async def _leader(world: World) -> dict[str, str]:
    """The leader `lena`, who has no deputy, and for whom nothing waits."""
    program = world.known["program_id"]
    where = f"/v1/programs/{program}"
    for one in (await world.ok("program", "GET", f"{where}/deputies/mine", by="lena"))["items"]:
        await world.ok("program", "POST", f"{where}/deputies/{one['id']}/end", by="lena")
    for one in (await world.ok("program", "GET", f"{where}/prepared", by="lena"))["items"]:
        await world.ok("program", "POST", f"{where}/prepared/{one['id']}/dismiss", by="lena")
    return {"program_id": program}


async def _named(world: World) -> dict[str, str]:
    ids = await _leader(world)
    path, dan = f"/v1/programs/{ids['program_id']}/deputies", {"person": "dan@x.example"}
    return {**ids, "deputy_id": (await world.ok("program", "POST", path, dan, by="lena"))["id"]}


async def _deputy(world: World) -> dict[str, str]:
    ids = await _named(world)
    path = f"/v1/programs/{ids['program_id']}/deputies/{ids['deputy_id']}/accept"
    await world.ok("program", "POST", path, by="dan")
    return ids


async def _waiting(world: World) -> dict[str, str]:
    """A share that was prepared for a leader."""
    ids = await _deputy(world)
    path = f"/v1/programs/{ids['program_id']}/deputies/{ids['deputy_id']}/prepared"
    words = {"content_id": world.known["content_id"], "language": "en", "caption": "Proud"}
    return {**ids, "prepared_id": (await world.ok("program", "POST", path, words, by="dan"))["id"]}


async def _dismissed(world: World) -> dict[str, str]:
    ids = await _waiting(world)
    path = f"/v1/programs/{ids['program_id']}/prepared/{ids['prepared_id']}/dismiss"
    await world.ok("program", "POST", path, by="lena")
    return ids


async def _guest(world: World) -> dict[str, str]:
    ids = await _event(world)
    await world.ok("program", "POST", "/v1/check-ins", {"code": world.known["code"]}, by="dan")
    me = (await world.ok("program", "GET", "/v1/me", by="dan"))["id"]
    return {**ids, "person_id": me}


async def _job_offer(world: World) -> dict[str, str]:
    """A job offer that can be seen."""
    offer = {**world.with_ids(WELL_MADE["POST /v1/items"]), "kind": "job_offer"}
    id = (await world.ok("content", "POST", "/v1/items", offer))["id"]
    for act in ("submit", "publish"):
        await world.ok("content", "POST", f"/v1/items/{id}/{act}")
    return {"program_id": world.known["program_id"], "job_id": id}


async def _hired(world: World) -> dict[str, str]:
    """A candidate whom somebody referred, as the recruiting system tells it."""
    ids = await _job_offer(world)
    path = f"/v1/programs/{ids['program_id']}/job-offers/{ids['job_id']}/link"
    code = (await world.ok("program", "POST", path, by="dan"))["code"]
    context: Any = world.services["program"].context
    for state in ("applied", "hired"):
        said: Any = {"link": code, "candidate": "ATS-1", "state": state, "consented_at": datetime.now(UTC)}
        said = RecruitingCall(**said)
        await context.mongo.transact(partial(take_call, context, signed=SignedCall(new_id(), state), call=said))
    [referral] = await context.referrals.page(ids["program_id"], state="hired", after=None, limit=1)
    await world.deliver("the recruiting system")
    return {"program_id": ids["program_id"], "referral_id": referral.id}


async def _taken_back_for_now(world: World) -> dict[str, str]:
    share = {
        "content_id": await _item(world, "submit", "publish"),
        "network": "x",
        "language": "en",
        "caption": new_id(),
    }
    post = str((await world.ok("sharing", "POST", "/v1/posts", share))["id"])
    await world.ok("sharing", "DELETE", f"/v1/posts/{post}?held_seconds=20")
    return {"post_id": post}


async def _feedback(world: World) -> dict[str, str]:
    """A comment that waits for an answer."""
    program = world.known["program_id"]
    comment = WELL_MADE["POST /v1/programs/{program_id}/feedback"]
    sent = await world.ok("program", "POST", f"/v1/programs/{program}/feedback", comment)
    return {"program_id": program, "feedback_id": sent["id"]}


async def _survey(world: World) -> dict[str, str]:
    """A survey, and none that is open."""
    program = world.known["program_id"]
    path = f"/v1/programs/{program}/surveys"
    for one in (await world.ok("program", "GET", path, params={"state": "open"}))["items"]:
        await world.ok("program", "POST", f"{path}/{one['id']}/withdraw")
    survey = await world.ok("program", "POST", path, SURVEY)
    return {"program_id": program, "survey_id": survey["id"]}


async def _asked(world: World) -> dict[str, str]:
    ids = await _survey(world)
    await world.ok("program", "POST", f"/v1/programs/{ids['program_id']}/surveys/{ids['survey_id']}/open")
    return ids


async def _newsletter(world: World, *acts: str) -> dict[str, str]:
    """A newsletter after these acts, and no others that wait."""
    program, db = world.known["program_id"], world.services["program"].runtime.mongo.db
    await db["newsletters"].delete_many({})
    path = f"/v1/programs/{program}/newsletters"
    made = await world.ok("program", "POST", path, NEWSLETTER)
    for act in acts:
        if act == "begin":
            state = {"$set": {"state": "sending", "begun_at": datetime.now(UTC)}}
            await db["newsletters"].update_one({"_id": made["id"]}, state)
        else:
            await world.ok(
                "program", "POST", f"{path}/{made['id']}/{act}", WELL_MADE.get(f"POST {_OF_NEWSLETTER}/{act}")
            )
    return {"program_id": program, "newsletter_id": made["id"]}


async def _reader(world: World) -> dict[str, str]:
    """The link of somebody's mails."""
    choice = {"kind": "newsletter", "program_id": world.known["program_id"], "wanted": True}
    await world.ok("program", "PUT", "/v1/me/mails", choice)
    row = await world.services["program"].runtime.mongo.db["mail_readers"].find_one({})
    assert row is not None
    return {"reader": row["token"], "kind": "newsletter", "program_id": world.known["program_id"]}


_OF_NEWSLETTER = "/v1/programs/{program_id}/newsletters/{newsletter_id}"


async def _wave(world: World) -> dict[str, str]:
    """A planned wave, in a programme of its own with one ambassador."""
    order = {**WELL_MADE["POST /v1/programs"], "open": True}
    program = (await world.ok("program", "POST", "/v1/programs", order))["id"]
    await world.ok("program", "POST", f"/v1/programs/{program}/join", {"consent_version": 1})
    wave = await world.ok("program", "POST", f"/v1/programs/{program}/waves", WAVE)
    return {"program_id": program, "wave_id": wave["id"]}


async def _started(world: World) -> dict[str, str]:
    ids = await _wave(world)
    await world.ok("program", "POST", f"/v1/programs/{ids['program_id']}/waves/{ids['wave_id']}/start")
    return ids


async def _decided(world: World) -> dict[str, str]:
    ids = await _started(world)
    path = f"/v1/programs/{ids['program_id']}/waves/{ids['wave_id']}/decision"
    await world.ok("program", "POST", path, {"decision": "go", "reasons": "They like it."})
    return ids


async def _objective_over(world: World) -> dict[str, str]:
    program = world.known["program_id"]
    order = {**OBJECTIVE, "starts_on": "2025-01-01", "ends_on": "2025-01-31"}
    made = await world.ok("program", "POST", f"/v1/programs/{program}/objectives", order)
    return {"program_id": program, "objective_id": made["id"]}


async def _program_apart(world: World) -> dict[str, str]:
    order = {"name": "Apart", "time_zone": "UTC", "languages": ["en"], "consent": TEXTS}
    return {"program_id": (await world.ok("program", "POST", "/v1/programs", order))["id"]}


async def _with_a_template(world: World) -> dict[str, str]:
    return {**await _program_apart(world), "template_name": "consultants"}


async def _with_an_applied_template(world: World) -> dict[str, str]:
    ids = await _with_a_template(world)
    path = f"/v1/programs/{ids['program_id']}/templates/{ids['template_name']}/apply"
    await world.ok("program", "POST", path, {"language": "en"})
    return ids


async def _program_over(world: World) -> dict[str, str]:
    apart = await _program_apart(world)
    await world.ok("program", "POST", f"/v1/programs/{apart['program_id']}/archive")
    return apart


async def _preview(world: World) -> dict[str, str]:
    media, content = people_file([new_id()])
    headers = {"Content-Type": media}
    preview = await world.ok("program", "POST", "/v1/imports", content=content, headers=headers)
    return {"import_id": preview["id"]}


async def _feed(world: World) -> dict[str, str]:
    media, content = feed_file([new_id()])
    params = {"program_id": world.known["program_id"], "language": "en"}
    headers = {"Content-Type": media}
    feed = await world.ok("content", "POST", "/v1/feeds/file", params=params, content=content, headers=headers)
    return {"feed_id": feed["id"]}


async def _two_persons(world: World) -> dict[str, str]:
    world.known["other_id"] = await _person(world)
    return {"person_id": await _person(world)}


PREPARED = {
    "PUT /v1/programs/{program_id}/feedback/{feedback_id}/answer": _feedback,
    "DELETE /v1/programs/{program_id}/feedback/{feedback_id}": _feedback,
    "POST /v1/items/{item_id}/submit": _draft,
    "POST /v1/items/{item_id}/approve": _in_review,
    "POST /v1/items/{item_id}/reject": _in_review,
    "POST /v1/items/{item_id}/publish": _in_review,
    "POST /v1/items/{item_id}/retire": _published,
    "POST /v1/items/{item_id}/unpublish": _published,
    "POST /v1/items/{item_id}/restore": _retired,
    **{f"POST /v1/feeds/{{feed_id}}/{act}": _feed for act in ("pause", "resume", "entries")},
    "DELETE /v1/feeds/{feed_id}": _feed,
    "POST /v1/imports/{import_id}/confirm": _preview,
    "PUT /v1/imports/{import_id}/columns": _preview,
    "POST /v1/people/{person_id}/merge": _two_persons,
    "POST /v1/posts/{post_id}/restore": _taken_back_for_now,
    **{f"{act} /v1/programs/{{program_id}}/surveys/{{survey_id}}": _survey for act in ("PUT", "DELETE")},
    "POST /v1/programs/{program_id}/surveys/{survey_id}/open": _survey,
    **{f"POST /v1/programs/{{program_id}}/surveys/{{survey_id}}/{act}": _asked for act in ("close", "answers")},
    "POST /v1/programs/{program_id}/surveys/{survey_id}/withdraw": _asked,
    "POST /v1/programs/{program_id}/newsletters": _newsletter,
    **{f"{act} {_OF_NEWSLETTER}": _newsletter for act in ("PUT", "DELETE")},
    **{f"POST {_OF_NEWSLETTER}/{act}": _newsletter for act in ("approve", "test", "unschedule")},
    f"POST {_OF_NEWSLETTER}/schedule": lambda world: _newsletter(world, "approve"),
    f"POST {_OF_NEWSLETTER}/stop": lambda world: _newsletter(world, "approve", "schedule", "begin"),
    **{f"POST /v1/mail/{{reader}}/{{kind}}/{{program_id}}/{act}": _reader for act in ("subscribe", "unsubscribe")},
    **{f"{act} /v1/programs/{{program_id}}/waves/{{wave_id}}": _wave for act in ("PUT", "DELETE")},
    "POST /v1/programs/{program_id}/waves": _program_apart,
    "POST /v1/programs/{program_id}/waves/{wave_id}/start": _wave,
    **{f"POST /v1/programs/{{program_id}}/waves/{{wave_id}}/{act}": _started for act in ("withdraw", "decision")},
    "POST /v1/programs/{program_id}/waves/{wave_id}/reopen": _decided,
    "POST /v1/programs/{program_id}/ambassadors/{person_id}/withdraw": _invited,
    **{f"POST /v1/programs/{{program_id}}/ambassadors/{{person_id}}/{act}": _applied for act in ("approve", "reject")},
    "POST /v1/programs/{program_id}/ambassadors/{person_id}/code": _without_account,
    "POST /v1/programs/{program_id}/ambassadors/{person_id}/devices/end": _without_account,
    "POST /v1/invitation-links/{token}/follow": _link,
    "POST /v1/device": _with_code,
    "POST /v1/device/end": _let_in,
    **{f"POST /v1/programs/{{program_id}}/tasks/{{task_id}}/{act}": _task for act in ("finish", "reopen")},
    "POST /v1/programs/{program_id}/learning/{lesson_id}/answers": _lesson,
    **{
        f"POST /v1/programs/{{program_id}}/expert-acts/{{expert_act_id}}/{act}": _declared
        for act in ("confirm", "refuse", "withdraw")
    },
    "POST /v1/programs/{program_id}/expert-acts/{expert_act_id}/reopen": _confirmed,
    "PUT /v1/programs/{program_id}/examples/{example_id}": _post_that_worked,
    **{
        f"POST /v1/programs/{{program_id}}/examples/{{example_id}}/{act}": _post_that_worked
        for act in ("show", "retire")
    },
    "POST /v1/programs/{program_id}/examples/{example_id}/withdraw": _offered,
    "POST /v1/programs/{program_id}/job-offers/{job_id}/link": _job_offer,
    "POST /v1/programs/{program_id}/deputies": _leader,
    **{
        f"POST /v1/programs/{{program_id}}/deputies/{{deputy_id}}/{act}": _named for act in ("accept", "decline", "end")
    },
    "POST /v1/programs/{program_id}/deputies/{deputy_id}/prepared": _deputy,
    "PUT /v1/programs/{program_id}/prepared/{prepared_id}": _waiting,
    **{f"POST /v1/programs/{{program_id}}/prepared/{{prepared_id}}/{act}": _waiting for act in ("withdraw", "dismiss")},
    "POST /v1/programs/{program_id}/prepared/{prepared_id}/keep": _dismissed,
    "POST /v1/check-ins": _event,
    "PUT /v1/programs/{program_id}/events/{event_id}": _event,
    **{f"POST /v1/programs/{{program_id}}/events/{{event_id}}/{act}": _event for act in ("cancel", "restore", "reply")},
    **{
        f"{act} /v1/programs/{{program_id}}/events/{{event_id}}/guests/{{person_id}}/speaker": _guest
        for act in ("POST", "DELETE")
    },
    **{f"POST /v1/programs/{{program_id}}/referrals/{{referral_id}}/{act}": _hired for act in ("reward", "unreward")},
    "POST /v1/programs/{program_id}/archive": _program_apart,
    "POST /v1/programs/{program_id}/invitations/{batch_id}/withdraw": _invited,
    "POST /v1/programs/{program_id}/objectives/{objective_id}/review": _objective_over,
    "POST /v1/programs/{program_id}/restore": _program_over,
    "POST /v1/programs/{program_id}/templates/{template_name}/apply": _with_a_template,
    "POST /v1/programs/{program_id}/templates/{template_name}/withdraw": _with_an_applied_template,
}
"""What is made for operations that few states allow; every second round, so that the others are tried too."""
APART = {f"POST /v1/programs/{{program_id}}/{act}" for act in ("archive", "restore")}
"""In every round: what ends would let nothing else be done."""


async def _try(world: World, operation: Operation, number: int, texts: list[str], chance: Random) -> str:
    """Why the request of a round was not accepted; empty where it was."""
    more: dict[str, Any] = {}
    body = None
    prepared = operation.name in PREPARED and (number % 2 == 0 or operation.name in APART)
    ids = await PREPARED[operation.name](world) if prepared else {}
    if operation.name in FILES:
        media, more["content"] = FILES[operation.name](texts)
        more["headers"] = {"Content-Type": media}
        more["params"] = {"program_id": world.known["program_id"], "language": "en"} if media != "text/csv" else {}
    elif operation.good is not None:
        case = operation.cases[number % len(operation.cases)]
        body = blended(world.with_ids(operation.good), case.body, SHARES[number], chance)
        rows = [row for row in body.get("items", ()) if isinstance(row, dict)]
        for row in rows:
            row.update({name: new_id() for name in ("id", "external_id") if name in row and chance.random() < 0.9})
    by = ACTORS.get(operation.name, ROOT)
    path = world.path(operation, chance, ids)
    answer = await world.call(operation.service, operation.method, path, body, by=by, **more)
    if answer.is_success and operation.method == "DELETE":
        for pool in world.there.values():
            pool[:] = [one for one in pool if one != path.rpartition("/")[2]]
    if answer.is_success and operation.name in CREATES:
        world.there[CREATES[operation.name]].append(answer.json()["id"])
    if answer.is_success and operation.path.endswith("/consent"):
        world.known["consent_version"] = answer.json()["version"]
    return "" if answer.is_success else f"{answer.status_code} {answer.text}"


async def test_what_an_entry_point_accepts_no_consumer_refuses(harness: Harness) -> None:
    async with world(harness) as found:
        documents = {name: one.asgi().openapi() for name, one in found.services.items()}  # type: ignore[attr-defined]
        every: list[Operation] = []
        for name, document in documents.items():
            every += await asyncio.to_thread(operations, name, document)
        rounds = len(SHARES)
        texts = await asyncio.to_thread(drawn, st.lists(st.text(max_size=80), min_size=3, max_size=3), rounds)
        headers = await asyncio.to_thread(drawn, HEADERS, rounds * 4)
        chance, never, odd = Random(1), {one.name: "" for one in every}, 0
        for number in range(rounds):
            for acts in ((), ("submit",), ("submit", "publish"), ("submit", "publish")):
                found.there["item_id"].append(await _item(found, *acts))
            for operation in every:
                refusal = await _try(found, operation, number, texts[number % len(texts)], chance)
                if not refusal:
                    never.pop(operation.name, None)
                    odd += number > 0
                elif never.get(operation.name) == "":
                    never[operation.name] = refusal
            chance.shuffle(every)
            for sent in headers[number::rounds]:
                raw = {name: value.encode("latin-1") for name, value in sent.items()}
                code = chance.choice(found.there["code"])
                answer = await found.clients["links"].get(f"/l/{code}", headers=raw)
                assert answer.status_code == 302
                await found.deliver(f"GET /l/{code} {sent}")
    assert found.refused == []
    assert never == {}
    assert odd > 50
    assert found.emitted == set(Event.registry) - BY_A_JOB
