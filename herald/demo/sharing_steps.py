"""Content, shares and clicks."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Sequence
from typing import Any

from herald.demo.browser import Browser
from herald.demo.stage import ARRIVAL_SECONDS, EDITOR, Stage
from herald.demo.tally import Share
from herald.demo.texts import own_item
from herald.demo.visitors import Visitor, a_bot, a_person, a_prefetcher, a_scanner, at_home
from herald.development.personas import PERSONAS

NETWORKS = (("linkedin", 55), ("x", 15), ("facebook", 12), ("whatsapp", 12), ("email", 6))
PUBLISHED_OF_FEED = 8


class SharingSteps(Stage):
    """The main job: an item is published, shared, followed."""

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
            await self.publish(item["id"])
        own = await self.api.post(EDITOR, "/content/v1/items", own_item(self.tally.program_id))
        await self.api.post(EDITOR, f"/content/v1/items/{own['id']}/submit")
        self.tally.submitted.add(own["id"])
        await self.publish(own["id"])

    async def _items(self, state: str) -> list[Any]:
        return await self.api.pages(
            EDITOR, "/content/v1/items", program_id=self.tally.program_id, state=state, limit=100
        )

    async def publish(self, content_id: str) -> None:
        await self.api.post(EDITOR, f"/content/v1/items/{content_id}/publish")
        self.tally.published.add(content_id)
        self.progress("items published", len(self.tally.published), PUBLISHED_OF_FEED + 1)

    async def shares(self) -> None:
        """One in three ambassadors shares one or two items, each as their own feed offers it.

        One post in 50 is withdrawn, never one of somebody who is signed in as: they find what they shared.
        """
        active = [email for email in self.tally.joined.values() if self.chance.random() < 0.34]
        active += [one.email for one in PERSONAS if one.ambassador and one.email not in active]
        plans = [
            (email, self.chance.randint(1, 2), [_drawn(self.chance) for _ in range(2)], at_home(self.chance))
            for email in active
        ]
        self.owners = {self.ids[email]: visitor for email, _, _, visitor in plans}
        await self.all_of("posts shared", plans, lambda plan: self._share(*plan))
        await self.through_the_hub()
        personas = {self.ids[one.email] for one in PERSONAS}
        others = [share for share in self.tally.shares if share.ambassador not in personas]
        for share in self.chance.sample(others, k=min(len(others), max(1, len(self.tally.shares) // 50))):
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
        await self.all_of("posts followed", visits, lambda visit: self._follow(*visit))

    async def _follow(self, share: Share, plan: Iterable[tuple[Visitor, str]]) -> None:
        for visitor, verdict in plan:
            await visitor.follow(share.short_url)
            self.tally.clicks[verdict] += 1
            self.tally.raw_by_post[share.id] += 1
            self.tally.counted_by_post[share.id] += verdict == "counted"


def _drawn(chance: random.Random) -> str:
    return chance.choices([name for name, _ in NETWORKS], [weight for _, weight in NETWORKS])[0]
