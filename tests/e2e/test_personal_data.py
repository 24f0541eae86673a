"""Every journey is made with marked personal data, every door is knocked at with it, and then it is looked for: in
logs, spans, metrics, topics, Redis and files.

Names, addresses, words and tokens of persons are in the services' databases and in their answers, and nowhere else.
What a topic may carry, by its contract, stands in `MARKS`.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from redis.asyncio import Redis

from chassis.kafka.topic_reader import read_topic
from herald.demo.visitors import BROWSERS, Visitor
from herald.operations.topics import load_topics
from herald.operations.traces import read_spans
from tests.attack.doors import SERVICES, api_operations, hub_routes, who_enters
from tests.e2e.stack import MANAGER, Stack
from tests.hub_session import HubSession, hub_session
from tests.integration.harness import eventually

pytestmark = [
    pytest.mark.xdist_group("e2e-doors"),
    pytest.mark.asyncio(loop_scope="session"),
]
PERSON = "zqmail@herald.example"
VISITOR = "127.203.17.99"
PEOPLE, PROGRAM, CONTENT = "herald.people", "herald.program", "herald.content"
LINKS = "redis sharing:link"
OF_PROGRAM, OF_CONTENT, OF_SHARING = (f"herald.audit.{service}" for service in ("program", "content", "sharing"))
MARKS: dict[str, frozenset[str]] = {
    "zqname": frozenset(),
    "zqmail": frozenset(),
    "zqjob": frozenset(),
    "zqfile": frozenset(),
    "zqcaption": frozenset(),
    "zqdraft": frozenset(),
    "zqsearch": frozenset(),
    "zqreason": frozenset(),
    "zqconsent": frozenset(),
    "zqfeedback": frozenset(),
    "zqtalk": frozenset(),
    "zqnotes": frozenset(),
    "zqagent": frozenset(),
    "zqreferrer": frozenset(),
    "zqtoken": frozenset(),
    "zqknock": frozenset(),
    # A limit that counts by address knows it for a minute.
    VISITOR: frozenset({"redis limits"}),
    # Which part of the company a person belongs to: consumers' figures and targeting go by it.
    "zqteam": frozenset({PEOPLE}),
    "zqsite": frozenset({PEOPLE}),
    # What the company publishes: the words that editors suggest, and no person's. A short link leads to an address with
    # the programme in it.
    "zqprogram": frozenset({PROGRAM, LINKS, OF_PROGRAM}),
    "zqtitle": frozenset({CONTENT, OF_CONTENT}),
    "zqsuggestion": frozenset({CONTENT, OF_CONTENT}),
    "zqaddress": frozenset({CONTENT, LINKS, OF_CONTENT}),
    # What the company lays down: the audit trail says what was changed.
    "zqguideline": frozenset({OF_PROGRAM}),
    "zqtask": frozenset({OF_PROGRAM}),
    "zqphrase": frozenset({OF_SHARING}),
    "zqdisclosure": frozenset({OF_SHARING}),
}
"""What is looked for, and where it may be."""


@dataclass
class Journeys:
    """What was done, and what must be found nowhere of it."""

    stack: Stack
    secrets: set[str] = field(default_factory=set)

    async def run(self) -> None:
        program = await self._people_and_programme()
        item = await self._content(program)
        await self._membership_and_shares(program, item)
        await self._history()
        await self._knock_at_the_hub()
        await self._knock_at_the_apis()
        await self._knock_with_tokens()

    async def _people_and_programme(self) -> str:
        """People come by file; a manager sets a programme up and invites one of them by name."""
        rows = (
            "email,name,country,team,role,site\n"
            f"{PERSON},Zqname Zqname,FR,Zqteam,Zqjob,Zqsite\n"
            f"{PERSON},Zqname Twice,FR,Zqteam,Zqjob,Zqsite\n"
            "zqmail(at)broken,Zqname Broken,Zqjob,Zqteam,,\n"
        )
        async with hub_session(self.stack.url, "marc") as marc:
            file = {"file": ("zqfile.csv", rows.encode(), "text/csv")}
            shown = await marc.post("/manage/import", files=file)
            assert shown.status_code == 303, shown.text
            preview = shown.headers["location"]
            assert "Zqname" in (await marc.client.get(preview)).text
            await marc.post(f"{preview}/confirm")
            person = await eventually(self._person)
            await marc.post(
                "/manage/program",
                {"name": "Zqprogram", "time_zone": "UTC", "consent_fr": "zqconsent", "consent_en": "zqconsent"},
            )
            await marc.post(
                "/manage/guidelines",
                {"guidelines_fr": "zqguideline", "guidelines_en": "zqguideline", "confirmed": "yes"},
            )
            page = await marc.client.get("/manage/program")
            assert "Zqprogram" in page.text
            assert "zqguideline" in (await marc.client.get("/manage/guidelines")).text
            await marc.client.get("/manage/ambassadors", params={"query": "zqname zqsearch"})
            found = await marc.client.get("/manage/ambassadors", params={"query": "zqname"})
            assert "Zqname" in found.text
            await marc.post("/manage/invitations", {"by": "name", "person": person, "confirmed": "yes"})
            disclosure = {"was": "", "country": "GB", "language": "de-AT", "text": "#zqdisclosure"}
            phrase = {"was": "", "phrase": "zqphrase", "language": "en", "severity": "warn", "suggestion": "zqbetter"}
            for kind, entry in (("disclosure", disclosure), ("phrase", phrase)):
                await marc.post(f"/manage/guardrails/{kind}", {**entry, "confirmed": "yes"})
            self._keep(marc)
        async with hub_session(self.stack.url, "ines") as ines:
            assert "Zqname" in (await ines.client.get("/admin/people", params={"query": "zqmail"})).text
            assert "Zqname" in (await ines.client.get(f"/admin/people/{person}")).text
            await ines.post(f"/admin/people/{person}", {"team": "Zqteam", "country": "DE", "version": "1"})
            self._keep(ines)
        programs = await self.stack.api.pages("marc@herald.example", "/program/v1/programs", limit=100)
        return str(next(one["id"] for one in programs if one["name"] == "Zqprogram"))

    async def _person(self) -> str | None:
        found = await self.stack.api.get("marc@herald.example", "/program/v1/people", query="zqmail")
        return next((str(one["id"]) for one in found["items"]), None)

    async def _content(self, program: str) -> str:
        """An editor writes, rejects, publishes, and brings feeds in."""
        form = {
            "program_id": program, "kind": "article", "category": "company_news", "shareable": "on",
            "url": "https://www.example.com/zqaddress?zqaddress=1", "title_fr": "Zqtitle", "title_en": "Zqtitle",
            "caption_language": "en", "caption_network": "", "caption_text": "zqsuggestion",
        }  # fmt: skip
        feed = (
            "<rss version='2.0'><channel><title>Zqtitle</title><item><title>Zqtitle</title>"
            "<link>https://www.example.com/zqaddress</link><author>zqmail@herald.example (Zqname)</author>"
            "<guid>zqaddress</guid></item></channel></rss>"
        )
        async with hub_session(self.stack.url, "emma") as emma:
            await eventually(lambda: self._written(emma, form))
            items = await self.stack.api.pages(
                "emma@herald.example", "/content/v1/items", program_id=program, state="draft", limit=100
            )
            item = str(items[0]["id"])
            await emma.post(f"/editor/items/{item}/submit")
            await emma.post(f"/editor/items/{item}/reject", {"comment": "zqreason"})
            await emma.post(f"/editor/items/{item}/submit")
            await emma.post(f"/editor/items/{item}/publish", {"confirmed": "yes"})
            assert "Zqtitle" in (await emma.client.get(f"/editor/items/{item}")).text
            await emma.post("/editor/feeds", {"url": "https://feed.invalid/zqaddress?zqtoken"})
            await emma.post("/editor/feeds/file", files={"file": ("zqfile.xml", feed.encode(), "text/xml")})
            self._keep(emma)
        return item

    async def _written(self, emma: HubSession, form: dict[str, str]) -> bool:
        return (await emma.post("/editor/new", form)).status_code == 303

    async def _membership_and_shares(self, program: str, item: str) -> None:
        """The person joins, shares in their own words, is followed, and leaves."""
        api, path = self.stack.api, f"/program/v1/programs/{program}"
        await api.call(PERSON, "PUT", "/program/v1/me", {})
        await api.post(PERSON, f"{path}/join", {"consent_version": 1})
        await api.post(PERSON, f"{path}/guidelines/1/acknowledge")
        draft = {
            "content_id": item,
            "network": "linkedin",
            "language": "en",
            "caption": "zqdraft zqmail@herald.example",
        }
        order = {**draft, "caption": "Zqcaption, my own words."}

        async def shared() -> dict[str, Any] | None:
            answer = await api.call(PERSON, "POST", "/sharing/v1/posts", order, allow=(403, 404, 409))
            return answer.json() if answer.is_success else None

        post = await eventually(shared)
        assert post is not None
        await api.call(PERSON, "POST", "/sharing/v1/drafts/check", draft)
        await Visitor(VISITOR, f"{BROWSERS[0]} zqagent").follow(post["short_url"])
        parts = urlsplit(post["short_url"])
        async with httpx.AsyncClient(trust_env=False, headers={"user-agent": "zqagent"}) as client:
            headers = {"referer": "https://www.example.com/zqreferrer?zqreferrer", "x-forwarded-for": VISITOR}
            await client.get(f"{post['short_url']}?zqreferrer=1", headers=headers)
            await client.get(f"{parts.scheme}://{parts.netloc}/l/zqknock", headers=headers)
        await api.call(PERSON, "DELETE", f"/sharing/v1/posts/{post['id']}")
        asked = {"kind": "question", "text": "Zqfeedback: may I?", "language": "en"}
        await api.post(PERSON, f"{path}/feedback", asked)
        day = datetime.now(UTC).date().isoformat()
        talk = {"act": "talk", "title": "Zqtalk", "link": "https://conf.example/zqtalk", "happened_on": day}
        told = await api.post(PERSON, f"{path}/expert-acts", talk)
        await api.post(MANAGER, f"{path}/expert-acts/{told['id']}/confirm")
        task = {"title": "Zqtask", "due_on": day, "notes": "Zqnotes: ask Zqname."}
        await api.post(MANAGER, f"{path}/tasks", task)
        await api.post(PERSON, f"{path}/leave")
        self.secrets.add(await api.token(PERSON))
        async with hub_session(self.stack.url, "amina", **{"user-agent": "zqagent"}) as amina:
            feed = await amina.client.get("/feed")
            first = re.search(r'href="/feed/([0-9a-f-]{36})', feed.text)
            assert first is not None
            share = {"network": "bluesky", "language": "fr", "caption": "Zqcaption par moi.", "key": "zqtoken-1"}
            await amina.post(f"/feed/{first[1]}/check", {**share, "caption": "zqdraft"})
            for network in ("linkedin", "facebook", "device"):
                await amina.post(f"/feed/{first[1]}/share", {**share, "network": network, "key": f"zqtoken-{network}"})
            await amina.post("/me/privacy", {})
            self._keep(amina)

    async def _history(self) -> None:
        """A manager brings in what another product knew of the person."""
        day = (datetime.now(UTC) - timedelta(days=20)).date()
        files = [
            ("file", ("zqfile-members.csv", f"person,joined_at\n{PERSON},{day}\n".encode(), "text/csv")),
            ("file", ("zqfile-items.csv", _ITEMS.format(day=day).encode(), "text/csv")),
            ("file", ("zqfile-posts.csv", _POSTS.format(day=day).encode(), "text/csv")),
        ]
        async with hub_session(self.stack.url, "marc") as marc:
            answer = await marc.post("/manage/history", {"source": "zqold"}, files=files)
            assert answer.status_code == 303, answer.text
            for act in ("step", "confirm", "step"):
                await marc.post(f"{answer.headers['location']}/{act}")
            self._keep(marc)

    async def _knock_at_the_hub(self) -> None:
        """Every route of the hub with marks for ids, parameters and fields, by somebody who may enter."""
        for persona in ("amina", "emma", "marc", "ines"):
            async with hub_session(self.stack.url, persona, **{"user-agent": "zqagent"}) as session:
                csrf = await session.csrf()
                doors = [(one, path) for one, path in hub_routes() if who_enters(path) == persona]
                knocks = [_knock(session.client, *one, csrf) for one in doors if not one[1].startswith("/auth/")]
                await _few_at_once(knocks)
                await session.client.get("/auth/callback", params={"state": "zqtoken", "code": "zqtoken"})
                self._keep(session)
                await session.post("/auth/sign-out")
        async with hub_session(self.stack.url) as nobody:
            started = await nobody.client.get("/auth/sign-in")
            state = httpx.URL(started.headers["location"]).params["state"]
            refused = {"state": state, "error": "zqknock", "error_description": "zqname"}
            answer = await nobody.client.get("/auth/callback", params=refused)
            assert answer.status_code == 400

    async def _knock_at_the_apis(self) -> None:
        """Every operation with marks for ids, parameters and bodies, by an administrator."""
        token = await self.stack.api.token("ines@herald.example")
        headers = {"authorization": f"Bearer {token}", "user-agent": "zqagent", "if-match": '"1"'}
        async with httpx.AsyncClient(base_url=self.stack.url, trust_env=False, headers=headers, timeout=60) as client:
            knocks = [_knock(client, method, f"/api/{service}{path}") for service, method, path in api_operations()]
            await _few_at_once(knocks)
            await client.get("/api/program/v1/zqknock")
            await client.put("/api/program/v1/people", content=b'{"zqknock": 1}')
            await client.post(
                "/api/program/v1/imports", content=b"zqknock\xff\xfe", headers={"content-type": "text/csv"}
            )

    async def _knock_with_tokens(self) -> None:
        async with httpx.AsyncClient(base_url=self.stack.url, trust_env=False) as client:
            for token in ("zqtoken", "zqtoken.zqtoken.zqtoken", "e30.e30.zqtoken"):
                for service in SERVICES:
                    answer = await client.get(f"/api/{service}/v1/me", headers={"authorization": f"Bearer {token}"})
                    assert answer.status_code in (401, 404)

    def _keep(self, session: HubSession) -> None:
        """Remember what the session's browser held."""
        self.secrets |= {value for value in session.client.cookies.values() if len(value) > 16}


_ITEMS = "id,url,title,published_at\nzq-1,https://www.example.com/zqaddress-old,Zqtitle,{day}T08:00\n"
_POSTS = (
    "id,person,item,network,posted_at,clicks\n"
    f"zq-p,{PERSON},zq-1,linkedin,{{day}}T10:00,3\n"
    "zq-q,zqname@nowhere.example,zq-1,linkedin,{day}T10:00,3\n"
)


async def _few_at_once(knocks: Iterable[Awaitable[None]]) -> None:
    """So that none waits for hundreds of others."""
    several = asyncio.Semaphore(8)

    async def one(knock: Awaitable[None]) -> None:
        async with several:
            await knock

    await asyncio.gather(*map(one, knocks))


async def _knock(client: httpx.AsyncClient, method: str, path: str, csrf: str = "") -> None:
    """One request full of marks; a stream is left as soon as it begins."""
    marked = {"query": "zqsearch", "cursor": "zqknock", "text": "zqcaption", "name": "zqname", "email": PERSON}
    url = re.sub(r"\{[^}]+\}", "zqknock", path)
    options: dict[str, Any] = {"params": {**marked, "language": "en"}}
    if method not in ("GET", "HEAD", "DELETE"):
        options |= {"data": {"csrf": csrf, **marked}} if csrf else {"json": marked}
    async with client.stream(method, url, **options):
        pass


# --- looking for it ----------------------------------------------------------------------------------------------


async def test_what_is_of_persons_leaves_no_trace(stack: Stack) -> None:
    journeys = Journeys(stack)
    await journeys.run()
    await eventually(lambda: _seen_everywhere(stack), until=lambda missing: not missing)
    for service in SERVICES:
        await eventually(lambda one=service: stack.count(one, "outbox", {}), until=lambda rows: rows == 0)  # type: ignore[misc]
    wanted = {**MARKS, **dict.fromkeys(journeys.secrets, frozenset[str]())}
    found: dict[str, set[str]] = defaultdict(set)
    async for place, text in _left(stack):
        for mark, allowed in wanted.items():
            if mark.lower() in text and place not in allowed:
                found[place].add(mark)
    assert not found
    assert len(journeys.secrets) >= 4


async def _seen_everywhere(stack: Stack) -> set[tuple[str, str, str]]:
    """The routes that no span tells of yet: each was asked for, so that nothing was left out."""
    wanted = {("hub", *one) for one in hub_routes()} | set(api_operations())
    names = {(span.service, *span.name.split(" ", 1)) for span in read_spans(stack.spans) if " " in span.name}
    return {one for one in wanted if one not in names}


async def _left(stack: Stack) -> AsyncIterator[tuple[str, str]]:
    """Every place outside the databases, and what it holds, in lower case."""
    for file in filter(Path.is_file, stack.home.folder.rglob("*")):
        yield str(file.relative_to(stack.home.folder)), file.read_text(errors="replace").lower()
    async with httpx.AsyncClient(trust_env=False) as client:
        for process in stack.processes:
            yield f"{process}/metrics", (await client.get(f"{process}/metrics")).text.lower()
    for topic in load_topics():
        options = {"bootstrap_servers": stack.infra.kafka_bootstrap}
        async for record in read_topic(options, f"{stack.namespace}.{topic.name}"):
            headers = b" ".join(value for _, value in record.headers)
            yield topic.name, b" ".join((record.key or b"", record.value or b"", headers)).decode().lower()
    async with Redis.from_url(stack.infra.redis_url) as redis:
        async for key in redis.scan_iter(f"{stack.namespace}*"):
            _, *kind, _ = key.decode().split(":")
            yield f"redis {':'.join(kind)}", f"{key!r} {await _value(redis, key)!r}".lower()


async def _value(redis: Any, key: bytes) -> Any:
    kind = (await redis.type(key)).decode()
    readers = {
        "string": lambda: redis.get(key),
        "hash": lambda: redis.hgetall(key),
        "set": lambda: redis.smembers(key),
        "zset": lambda: redis.zrange(key, 0, -1),
        "list": lambda: redis.lrange(key, 0, -1),
    }
    return await readers[kind]()
