"""The company's first day, act by act, through the same APIs that everybody uses."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from herald.demo.api import Api
from herald.demo.browser import Browser
from herald.demo.company import Person, make_company, to_csv
from herald.demo.history import SOURCE, WEEKS, History, make_history
from herald.demo.tally import Share, Tally
from herald.demo.visitors import Visitor, a_bot, a_person, a_prefetcher, a_scanner, at_home
from herald.development.personas import PERSONAS, Persona
from services.hub.clients import Apis, Caller
from services.hub.history.importer import File, Importer
from services.hub.history.plan import Plan

T = TypeVar("T")
ZONE = "Europe/Paris"
ADMIN, EDITOR, MANAGER = "ines@herald.example", "emma@herald.example", "marc@herald.example"
NETWORKS = (("linkedin", 55), ("x", 15), ("facebook", 12), ("whatsapp", 12), ("email", 6))
PUBLISHED_OF_FEED = 8
ARRIVAL_SECONDS = 60
NAME = "Northwind Voices"
NEWCOMERS = 9
"""About one of ten ambassadors joins on the demo's day; the others were in the former product."""
TARGET = 4000
Progress = Callable[[str, int, int], None]

CONSENT = {
    "fr": "Je participe de mon plein gré. Je peux faire une pause ou partir à tout moment, sans me justifier.",
    "en": "I take part of my own free will. I may pause or leave at any time, without giving a reason.",
}
GUIDELINES = {
    "fr": "# Nos repères\n\nParlez en votre nom. Dites que vous travaillez ici. Rien de confidentiel. Restez courtois.",
    "en": "# Our guidelines\n\nSpeak for yourself. Say that you work here. Nothing confidential. Stay kind.",
}


@dataclass(frozen=True, slots=True)
class Scale:
    """How large the company and its day are."""

    people: int = 2000
    ambassadors: int = 300
    visits_per_post: int = 3
    seed: int = 7


@dataclass
class Story:
    """The acts in order; each records what it did in `tally`."""

    api: Api
    scale: Scale
    feed: bytes | str
    progress: Progress
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.scale.seed)  # noqa: S311 - a demo, repeatable
        self.company: list[Person] = [_row(one) for one in PERSONAS] + make_company(self.scale.people, self.scale.seed)
        self.ids: dict[str, str] = {}
        self.past: History | None = None
        self.owners: dict[str, Visitor] = {}

    @property
    def acts(self) -> list[Callable[[], Awaitable[None]]]:
        """The whole story."""
        return [
            self.people,
            self.programme,
            self.history,
            self.invitations,
            self.content,
            self.shares,
            self.clicks,
        ]

    async def people(self) -> None:
        """The administrator imports the personnel file and gives the team its roles."""
        await self.api.call(ADMIN, "PUT", "/program/v1/me", {})
        preview = await self.api.post(
            ADMIN, "/program/v1/imports", content=to_csv(self.company), headers={"Content-Type": "text/csv"}
        )
        if preview["errors"]:
            raise AssertionError(f"the personnel file has errors: {preview['errors'][:3]}")
        await self.api.post(ADMIN, f"/program/v1/imports/{preview['id']}/confirm")
        while True:
            found = await self.api.get(ADMIN, f"/program/v1/imports/{preview['id']}")
            self.progress("people imported", found["done"], found["valid"])
            if found["state"] == "done":
                break
            await asyncio.sleep(0.1)
        self.tally.people = len(self.company)
        for who, role in ((EDITOR, "editor"), (MANAGER, "manager")):
            me = (await self.api.call(who, "PUT", "/program/v1/me", {})).json()
            person = await self.api.call(ADMIN, "GET", f"/program/v1/people/{me['id']}")
            roles = sorted({*person.json()["roles"], role})
            await self.api.call(
                ADMIN,
                "PATCH",
                f"/program/v1/people/{me['id']}",
                {"roles": roles},
                headers={"If-Match": person.headers["etag"]},
            )

    async def programme(self) -> None:
        """The manager sets the programme up: consent, guidelines, an objective."""
        there = {one["name"] for one in await self.api.pages(MANAGER, "/program/v1/programs", limit=100)}
        names = (f"{NAME} {number}" if number > 1 else NAME for number in count(1))
        program = await self.api.post(
            MANAGER,
            "/program/v1/programs",
            {
                "name": next(name for name in names if name not in there),
                "time_zone": ZONE,
                "languages": ["fr", "en"],
                "consent": CONSENT,
            },
        )
        self.tally.program_id = program["id"]
        path = f"/program/v1/programs/{program['id']}"
        await self.api.post(MANAGER, f"{path}/guidelines", {"texts": GUIDELINES, "material": True})
        today = self.tally.today = self.today
        await self.api.call(
            MANAGER,
            "POST",
            f"{path}/objectives",
            {
                "title": "A company with a voice",
                "use_case": "employer_brand",
                "kpi": "shares",
                "baseline": 0,
                "target": TARGET * self.scale.ambassadors // 300,
                "starts_on": (today - timedelta(weeks=WEEKS)).isoformat(),
                "ends_on": (today + timedelta(days=35)).isoformat(),
            },
        )

    @property
    def today(self) -> date:
        return datetime.now(UTC).astimezone(ZoneInfo(ZONE)).date()

    async def history(self) -> None:
        """The manager decides that the past counts, and imports it from the former product."""
        former = self._chosen()[: self.scale.ambassadors * NEWCOMERS // 10]
        stayed = [person for person in self.company if person.email in set(former)]
        gone = [person for person in self.company if person.email in set(self._others())][: len(stayed) // 10]
        self.past = make_history([*stayed, *gone], self.scale.seed, self.today, ZoneInfo(ZONE))
        self.tally.history = self.past
        await self._let_history_count()
        apis = Apis(
            self.api.client,
            {one: f"/api/{one}" for one in ("program", "content", "sharing")},
            Caller(await self.api.token(MANAGER)),
        )
        importer = Importer(apis, self.tally.program_id, SOURCE)
        await self._await_everywhere()
        files = [File(name, data) for name, data in self.past.files().items()]
        plan = Plan(files, ZONE, datetime.now(UTC))
        report = await plan.run(importer, preview=False, tell=partial(self.progress, "history imported"))
        self.tally.imported = dict(report.new)
        if report.refused:
            raise AssertionError(f"history was refused: {report.errors[:3]}")

    async def _let_history_count(self) -> None:
        """Imported acts earn points from the first of the twelve weeks on, by the rules that Herald starts with."""
        path = f"/gamification/v1/programs/{self.tally.program_id}/rules"
        found = (await self._once_known(MANAGER, "GET", path)).json()
        order = {
            "rules": found["items"][0]["rules"],
            "imported_since": (self.today - timedelta(weeks=WEEKS)).isoformat(),
        }
        await self.api.call(MANAGER, "POST", path, order, headers={"If-Match": f'"{found["version"]}"'})

    async def _await_everywhere(self) -> None:
        """Returns when content and sharing know the manager and the programme."""
        program = self.tally.program_id
        await self._once_known(MANAGER, "GET", f"/sharing/v1/programs/{program}/guardrails")
        order = {"program_id": program, "source": SOURCE, "items": []}
        await self._once_known(MANAGER, "POST", "/content/v1/items/resolve", order)

    async def _once_known(self, who: str, method: str, path: str, json: Any = None) -> Any:
        """The answer once the service knows the caller and what they ask for; after a minute, its refusal."""
        deadline = asyncio.get_running_loop().time() + ARRIVAL_SECONDS
        while True:
            late = asyncio.get_running_loop().time() > deadline
            answer = await self.api.call(who, method, path, json, allow=() if late else (403, 404))
            if answer.is_success:
                return answer
            await asyncio.sleep(0.1)

    async def invitations(self) -> None:
        """The manager invites; people accept, decline or think about it. Nobody is enrolled."""
        listed = await self.api.pages(MANAGER, "/program/v1/people", limit=100)
        self.ids = {one["email"]: one["id"] for one in listed if one.get("email")}
        chosen = self._chosen()
        hesitant = self._others()[: self.scale.ambassadors // 5]
        path = f"/program/v1/programs/{self.tally.program_id}"
        await self.api.post(
            MANAGER, f"{path}/invitations", {"people": [self.ids[email] for email in chosen + hesitant]}
        )
        self.tally.invited = {self.ids[email] for email in chosen + hesitant}
        consent = await self.api.get(MANAGER, f"{path}/consent", language="en")
        await self._all("ambassadors joining", chosen, lambda email: self._join(email, consent["version"]))
        refusing = hesitant[: len(hesitant) // 3]
        await self._all("invitations declined", refusing, self._decline)
        lead = {one.email for one in self.company if one.leader}
        self.tally.leaders = {self.ids[email] for email in chosen if email in lead}

    def _chosen(self) -> list[str]:
        """Whom the manager invites and who accepts: the named personas, some leaders, and others by the seed."""
        return self._drawn_people()[: self.scale.ambassadors]

    def _others(self) -> list[str]:
        """Those who do not take part now."""
        return self._drawn_people()[self.scale.ambassadors :]

    def _drawn_people(self) -> list[str]:
        named = [one.email for one in PERSONAS if one.ambassador]
        others = [one.email for one in self.company if one.email not in {persona.email for persona in PERSONAS}]
        leaders = [one.email for one in self.company if one.leader and one.email in set(others)]
        first = named + leaders[: self.scale.ambassadors // 12]
        rest = [email for email in others if email not in set(first)]
        random.Random(self.scale.seed).shuffle(rest)  # noqa: S311 - a demo, repeatable
        return first + rest

    async def _join(self, email: str, consent_version: int) -> None:
        path = f"/program/v1/programs/{self.tally.program_id}"
        await self.api.call(email, "PUT", "/program/v1/me", {})
        await self.api.post(email, f"{path}/join", {"consent_version": consent_version})
        self.tally.joined[self.ids[email]] = email
        await self.api.post(email, f"{path}/guidelines/1/acknowledge")
        self.tally.acknowledged.add(self.ids[email])

    async def _decline(self, email: str) -> None:
        await self.api.call(email, "PUT", "/program/v1/me", {})
        await self.api.post(email, f"/program/v1/programs/{self.tally.program_id}/decline")
        self.tally.declined.add(self.ids[email])

    async def content(self) -> None:
        """A feed's entries come in for review; the editor publishes the best and writes one herself."""
        before = {item["id"] for item in await self._items("in_review")}
        if isinstance(self.feed, bytes):
            await self.api.post(
                EDITOR,
                f"/content/v1/feeds/file?program_id={self.tally.program_id}&language=en&category=company_news",
                content=self.feed,
                headers={"Content-Type": "application/atom+xml"},
            )
        else:
            await self.api.post(
                EDITOR,
                "/content/v1/feeds",
                {
                    "program_id": self.tally.program_id,
                    "url": self.feed,
                    "language": "en",
                    "rule": "review",
                    "category": "company_news",
                },
            )
        waiting = [item for item in await self._items("in_review") if item["id"] not in before]
        self.tally.submitted = {item["id"] for item in waiting}
        for item in waiting[:PUBLISHED_OF_FEED]:
            await self._publish(item["id"])
        own = await self.api.post(EDITOR, "/content/v1/items", _own_item(self.tally.program_id))
        await self.api.post(EDITOR, f"/content/v1/items/{own['id']}/submit")
        self.tally.submitted.add(own["id"])
        await self._publish(own["id"])

    async def _items(self, state: str) -> list[Any]:
        return await self.api.pages(
            EDITOR, "/content/v1/items", program_id=self.tally.program_id, state=state, limit=100
        )

    async def _publish(self, content_id: str) -> None:
        await self.api.post(EDITOR, f"/content/v1/items/{content_id}/publish")
        self.tally.published.add(content_id)
        self.progress("items published", len(self.tally.published), PUBLISHED_OF_FEED + 1)

    async def shares(self) -> None:
        """One in three ambassadors shares one or two items, each as their own feed offers it."""
        active = [email for email in self.tally.joined.values() if self.chance.random() < 0.34]
        active += [one.email for one in PERSONAS if one.ambassador and one.email not in active]
        plans = [
            (email, self.chance.randint(1, 2), [_drawn(self.chance) for _ in range(2)], at_home(self.chance))
            for email in active
        ]
        self.owners = {self.ids[email]: visitor for email, _, _, visitor in plans}
        await self._all("posts shared", plans, lambda plan: self._share(*plan))
        await self.through_the_hub()
        for share in self.chance.sample(self.tally.shares[:-1], k=max(1, len(self.tally.shares) // 50)):
            email = self.tally.joined[share.ambassador]
            await self.api.call(email, "DELETE", f"/sharing/v1/posts/{share.id}")
            self.tally.removed.add(share.id)

    async def _share(self, email: str, count: int, networks: Sequence[str], visitor: Visitor) -> None:
        feed = await self._feed(email, count)
        for item, network in zip(feed, networks, strict=False):
            caption = next(
                (one for one in item["captions"] if one["network"] in (network, None)),
                {"text": item["title"], "caption_id": None},
            )
            order = {
                "content_id": item["id"],
                "network": network,
                "language": item["language"],
                "caption": caption["text"],
                "caption_id": caption["caption_id"],
            }
            post = await self._post(email, order, visitor)
            self.tally.shares.append(Share(post["id"], self.ids[email], network, post["short_url"], item["id"]))

    async def _post(self, email: str, order: dict[str, Any], visitor: Visitor) -> Any:
        """Shares; tries again while sharing does not know the item, the person or their consent yet."""
        deadline = asyncio.get_running_loop().time() + ARRIVAL_SECONDS
        while True:
            late = asyncio.get_running_loop().time() > deadline
            answer = await self.api.call(
                email,
                "POST",
                "/sharing/v1/posts",
                order,
                headers={"User-Agent": visitor.agent},
                allow=() if late else (403, 404, 409),
            )
            if answer.is_success:
                return answer.json()
            await asyncio.sleep(0.5)

    async def through_the_hub(self) -> None:
        """One share as a person makes it, in the hub; its trace is kept for the report."""
        persona = next(one for one in PERSONAS if one.ambassador)
        path = "/sharing/v1/posts"
        before = {post["id"] for post in await self.api.pages(persona.email, path, limit=100)}
        [item] = (await self._feed(persona.email, 4))[-1:]
        browser = Browser(self.api.url, self.owners[self.ids[persona.email]].agent)
        try:
            await browser.sign_in(persona.key)
            self.tally.trace_id = await browser.share(item["id"], "linkedin")
        finally:
            await browser.close()
        [post] = [post for post in await self.api.pages(persona.email, path, limit=100) if post["id"] not in before]
        share = Share(post["id"], self.ids[persona.email], "linkedin", post["short_url"], item["id"])
        self.tally.shares.append(share)

    async def _feed(self, email: str, count: int) -> list[Any]:
        """The first items of the person's own feed, once it has reached them."""
        deadline = asyncio.get_running_loop().time() + ARRIVAL_SECONDS
        while True:
            answer = await self.api.call(email, "GET", f"/content/v1/feed?limit={count}", allow=(403,))
            found: list[Any] = [] if answer.is_error else answer.json()["items"]
            if len(found) >= count or asyncio.get_running_loop().time() > deadline:
                return found[:count]
            await asyncio.sleep(0.1)

    async def clicks(self) -> None:
        """People, bots, prefetchers, repeats and authors follow links; the last one was shared in the hub.

        Links that were just shared by e-mail are opened by a mail scanner, not yet by people.
        """
        visits: list[tuple[Share, list[tuple[Visitor, str]]]] = []
        for share in self.tally.shares:
            readers = 0 if share.network == "email" else self.chance.randint(0, 2 * self.scale.visits_per_post)
            people = [a_person(self.chance) for _ in range(readers)]
            plan = [(visitor, "counted") for visitor in people]
            plan += [(visitor, "repeat") for visitor in people if self.chance.random() < 0.15]
            plan += [(a_bot(self.chance), "bot") for _ in range(self.chance.choice((0, 0, 1)))]
            plan += [(a_prefetcher(self.chance), "prefetch") for _ in range(self.chance.choice((0, 0, 0, 1)))]
            if share.network == "email":
                plan += zip(a_scanner(self.chance), ("bot", "scanner"), strict=True)
            if self.chance.random() < 0.3 or share is self.tally.shares[-1]:
                plan.append((self.owners[share.ambassador], "self"))
            visits.append((share, plan))
        await self._all("posts followed", visits, lambda visit: self._follow(*visit))

    async def _follow(self, share: Share, plan: Iterable[tuple[Visitor, str]]) -> None:
        for visitor, verdict in plan:
            await visitor.follow(share.short_url)
            self.tally.clicks[verdict] += 1
            self.tally.raw_by_post[share.id] += 1
            self.tally.counted_by_post[share.id] += verdict == "counted"

    async def _all(self, what: str, things: Sequence[T], work: Callable[[T], Awaitable[None]]) -> None:
        """Runs the work for all items, several at once, and shows progress."""
        waiting = list(reversed(things))
        done = 0

        async def some() -> None:
            nonlocal done
            while waiting:
                await work(waiting.pop())
                done += 1
                self.progress(what, done, len(things))

        self.progress(what, 0, len(things))
        async with asyncio.TaskGroup() as group:
            for _ in range(12):
                group.create_task(some())


def _drawn(chance: random.Random) -> str:
    return chance.choices([name for name, _ in NETWORKS], [weight for _, weight in NETWORKS])[0]


def _row(persona: Persona) -> Person:
    return Person(
        external_id=f"P-{persona.key}",
        email=persona.email,
        name=persona.name,
        country=persona.country,
        team=persona.team,
        role=persona.job,
        level=persona.level,
        site=persona.site,
        locale=persona.locale,
        leader=persona.leader,
    )


def _own_item(program_id: str) -> dict[str, Any]:
    return {
        "program_id": program_id,
        "kind": "article",
        "category": "behind_the_scenes",
        "url": "https://www.northwind-demo.example/stories/night-shift",
        "shareable": True,
        "variants": [
            {
                "language": "fr",
                "title": "Une nuit avec l’équipe qui garde le réseau debout",
                "summary": "De 22 h à 6 h, six personnes, trois cafés et une panne qui n’a pas eu lieu.",
            },
            {
                "language": "en",
                "title": "A night with the team that keeps the network up",
                "summary": "From 10 pm to 6 am: six people, three coffees and an outage that did not happen.",
            },
        ],
        "captions": [
            {"language": "fr", "text": "Ceux qu’on ne voit jamais, et sans qui rien ne marche. Bravo à eux."},
            {"language": "en", "text": "The people you never see, and without whom nothing works. Hats off."},
            {"language": "en", "network": "x", "text": "Six people, three coffees, zero outages."},
        ],
        "targeting": {"countries": [], "teams": []},
    }
