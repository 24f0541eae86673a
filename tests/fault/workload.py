"""A seeded crowd: shares, clicks, reports, choices, items and other words for them, engagements straight to Kafka."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from chassis.tasks import run_bounded
from tests.fault import poison
from tests.fault.journal import Choice, Click, Journal, NewItem, Produced, Removal, Share, Tally, Wording
from tests.fault.poison import Draft, Poison
from tests.fault.system import Reached
from tests.fault.world import EDITOR, MACHINE, NETWORKS, NoAnswer, Refused, World, item_copy

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
ROBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
SEND_SECONDS = 3.0
PATIENCE = 75.0
VISIT_SECONDS = 12.0
FOUND = 302


@dataclass(frozen=True, slots=True)
class Load:
    """How much is asked: acts a second, the share of them that is asked twice, and of poison among what is
    produced. `at_once` bounds what is under way, as a crowd's patience does."""

    rate: float = 40.0
    duplicates: float = 0.1
    poison: float = 0.03
    at_once: int = 60


@dataclass
class Workload:
    """Acts drawn by `chance` on `world`, written into `journal`. `start`, then `stop`, any number of times."""

    system: Reached
    world: World
    journal: Journal
    chance: random.Random
    load: Load = field(default_factory=Load)
    posts: list[dict[str, Any]] = field(default_factory=list)
    visits: list[tuple[float, float, int]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    _running: asyncio.Task[None] | None = None
    _under_way: set[asyncio.Task[None]] = field(default_factory=set)
    _number: int = 0
    _busy: dict[str, asyncio.Lock] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._links = httpx.AsyncClient(base_url=self.system.links_url, trust_env=False, timeout=VISIT_SECONDS)
        self._sender = Sender(self.system.kafka)
        self._acts: tuple[tuple[float, Callable[[], Coroutine[Any, Any, None]]], ...] = (
            (0.40, self.click),
            (0.22, self.produce),
            (0.15, self.share),
            (0.08, self.report),
            (0.06, self.choose),
            (0.03, self.reword),
            (0.03, self.write),
            (0.03, self.remove),
        )

    def reseed(self, seed: int) -> None:
        """Draw anew from here on."""
        self.chance = random.Random(seed)

    @property
    def acting(self) -> bool:
        return self._running is not None

    async def start(self) -> None:
        """Begin to act; returns once there are posts to click on."""
        self._running = asyncio.ensure_future(self._run())
        async with asyncio.timeout(60):
            while len(self.posts) < 5:
                await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """Begin nothing new; returns when everything under way has its answer, or none for too long."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            self._running = None
        deadline = time.monotonic() + 2 * PATIENCE
        while self._under_way and time.monotonic() < deadline:
            await asyncio.wait(list(self._under_way), timeout=1)
        for task in self._under_way:
            self.failed.append(f"an act never ended: {task.get_stack(limit=1)}")
            task.cancel()
        self._under_way.clear()

    async def close(self) -> None:
        await self.stop()
        await self._sender.close()
        await self._links.aclose()

    async def _run(self) -> None:
        weights = [weight for weight, _ in self._acts]
        due = time.monotonic()
        while True:
            due = max(due + 1 / self.load.rate, time.monotonic() - 0.5)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            [(_, act)] = self.chance.choices(self._acts, weights)
            if len(self._under_way) < self.load.at_once:
                self._begin(act())

    def _begin(self, act: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(act)
        self._under_way.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """An act may fail for Herald's sake, never for its own."""
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failed.append(f"{type(error).__name__}: {error}")

    def _mark(self, letter: str) -> str:
        self._number += 1
        return f"{letter}{self._number:06}"

    def _twice(self) -> bool:
        return self.chance.random() < self.load.duplicates

    # --- acts ------------------------------------------------------------------------------------------------

    async def share(self) -> None:
        """Share an item; sometimes the same tap arrives twice at once, with the same key."""
        who = self.chance.choice(list(self.world.people))
        mark = self._mark("s")
        order = {
            "content_id": self.chance.choice(list(self.world.items)),
            "network": self.chance.choice(NETWORKS),
            "language": "en",
            "caption": f"Worth reading {mark}",
        }
        note = Share(mark, self.world.people[who])
        self.journal.shares.append(note)
        times = 2 if self._twice() else 1
        await asyncio.gather(*(self._share(who, order, note) for _ in range(times)))

    async def _share(self, who: str, order: dict[str, Any], note: Share) -> None:
        try:
            answer = await self.world.client.call(who, "POST", "/sharing/v1/posts", order, key=note.mark)
        except Refused as refused:
            note.refused = str(refused)
            return
        except NoAnswer:
            return
        post = answer.json()
        if post["id"] not in note.posts:
            note.posts.add(post["id"])
            network, content = order["network"], order["content_id"]
            self.posts.append(
                {
                    "post_id": post["id"],
                    "code": post["link_code"],
                    "ambassador_id": note.person,
                    "program_id": self.world.program_id,
                    "content_id": content,
                    "network": network,
                    "who": who,
                }
            )

    async def remove(self) -> None:
        """Take a share back."""
        if len(self.posts) < 10:
            return
        post = self.chance.choice(self.posts)
        note = Removal(post["post_id"])
        self.journal.removals.append(note)
        path = f"/sharing/v1/posts/{post['post_id']}"
        note.answered = await self._answered(self.world.client.call(post["who"], "DELETE", path, key=self._mark("r")))

    async def click(self) -> None:
        """Follow a link; sometimes as a robot or ahead of time, sometimes the same visitor twice."""
        if not self.posts:
            return
        post = self.chance.choice(self.posts)
        number = self.chance.randrange(1, 2**24)
        address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        headers, verdict = {"User-Agent": BROWSER, "X-Forwarded-For": address}, "counted"
        drawn = self.chance.random()
        if drawn < 0.08:
            headers["User-Agent"], verdict = ROBOT, "bot"
        elif drawn < 0.12:
            headers["Sec-Purpose"], verdict = "prefetch", "prefetch"
        again = verdict == "counted" and self._twice()
        # Who is first of two, and whether the mail was only just sent, is not known here.
        known = verdict != "counted" or not (again or post["network"] == "email")
        wanted = verdict if known else None
        await asyncio.gather(*(self._visit(post["code"], headers, wanted) for _ in range(1 + again)))

    async def _visit(self, code: str, headers: dict[str, str], verdict: str | None) -> None:
        mark = self._mark("c") + ".fault.example"
        note = Click(mark, code, verdict)
        self.journal.clicks.append(note)
        began, status = time.monotonic(), 0
        with contextlib.suppress(httpx.HTTPError):
            status = (
                await self._links.get(f"/l/{code}", headers={**headers, "Referer": f"https://{mark}/"})
            ).status_code
        note.answered = status == FOUND
        self.visits.append((began, time.monotonic() - began, status))

    async def report(self) -> None:
        """Another system reports a figure of a post, sometimes twice."""
        if not self.posts:
            return
        post, mark = self.chance.choice(self.posts), self._mark("t")
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        note = Tally(mark, post["post_id"], self.chance.choice(("like", "comment", "repost")), 1, at)
        self.journal.tallies.append(note)
        item = {
            "post_id": note.post, "kind": note.kind, "quantity": note.quantity, "measure": "measured",
            "occurred_at": at, "external_id": mark,
        }  # fmt: skip
        times = 2 if self._twice() else 1
        asked = (
            self.world.client.call(MACHINE, "POST", "/sharing/v1/engagements", {"items": [item]}) for _ in range(times)
        )
        answered = await asyncio.gather(*(self._answered(one) for one in asked))
        note.answered = any(answered)

    async def choose(self) -> None:
        """A person hides from the statistics, or no longer does."""
        who = self.chance.choice(list(self.world.people))
        value = self.chance.random() < 0.5
        async with self._busy.setdefault(who, asyncio.Lock()):
            note = Choice(self.world.people[who], value)
            self.journal.choices.append(note)
            note.answered = await self._answered(
                self.world.client.call(
                    who, "PATCH", "/program/v1/me", {"hidden_from_statistics": value}, key=self._mark("p")
                )
            )

    async def write(self) -> None:
        """The editor writes a new item, sometimes twice at once: nothing but its key says that it is the same."""
        note = NewItem(self._mark("n"))
        self.journal.new_items.append(note)
        copy = item_copy(self.world.program_id, f"Title {note.mark}", self._number)
        times = 2 if self._twice() else 1
        await asyncio.gather(*(self._write(copy, note) for _ in range(times)))

    async def _write(self, copy: dict[str, Any], note: NewItem) -> None:
        with contextlib.suppress(Refused, NoAnswer):
            answer = await self.world.client.call(EDITOR, "POST", "/content/v1/items", copy, key=note.mark)
            note.items.add(answer.json()["id"])

    async def reword(self) -> None:
        """The editor gives an item another title."""
        content, mark = self.chance.choice(list(self.world.items)), self._mark("w")
        async with self._busy.setdefault(content, asyncio.Lock()):
            note = Wording(mark, content)
            path = f"/content/v1/items/{content}"
            try:
                etag = (await self.world.client.call(EDITOR, "GET", path)).headers["etag"]
                self.journal.wordings.append(note)
                number = int(self.world.items[content]["url"].rpartition("/")[2])
                copy = item_copy(self.world.program_id, f"Title {mark}", number)
                answer = await self.world.client.call(EDITOR, "PUT", path, copy, key=mark, headers={"If-Match": etag})
            except (Refused, NoAnswer):
                return
            note.version = int(answer.headers["etag"].strip('"'))

    async def produce(self) -> None:
        """A partner's engagement on a post, straight to Kafka; sometimes twice, sometimes spoilt."""
        if not self.posts:
            return
        id, draft = poison.engagement(self.chance, self.chance.choice(self.posts))
        if self.chance.random() < self.load.poison:
            await self.spoil(self.chance.choice(poison.KINDS), id, draft)
            return
        note = Produced(id, draft.topic, "an engagement")
        self.journal.produced.append(note)
        for _ in range(2 if self._twice() else 1):
            await self._sender.send(note, draft)

    async def spoil(self, kind: Poison, id: str, draft: Draft) -> Produced:
        """Send a good record after spoiling it."""
        kind.spoil(draft)
        said = dict(draft.headers).get("ce_id")
        note = Produced(said.decode() if said else "", draft.topic, kind.kind, kind.fates, kind.rules)
        self.journal.produced.append(note)
        await self._sender.send(note, draft)
        return note

    async def send(self, note: Produced, draft: Draft) -> None:
        """Send a record that the journal knows of."""
        await self._sender.send(note, draft)

    async def _answered(self, call: Awaitable[object]) -> bool:
        try:
            await call
        except (Refused, NoAnswer):
            return False
        return True


class Sender:
    """Sends one record at a time of each key until Kafka confirms it; what is not confirmed is sent again."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._client: AIOKafkaProducer | None = None
        self._lock = asyncio.Lock()

    async def send(self, note: Produced, draft: Draft) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            client = None
            note.copies += 1
            try:
                client = await self._connected()
                sent = client.send_and_wait(draft.topic, draft.value, key=draft.key, headers=draft.headers)
                done = await run_bounded(SEND_SECONDS, sent)
            except (KafkaError, TimeoutError, OSError):
                await self._discard(client)
                await asyncio.sleep(0.5)
            else:
                note.acked, note.place = True, (draft.topic, done.partition, done.offset)
                return

    async def _connected(self) -> AIOKafkaProducer:
        async with self._lock:
            if self._client is None:
                client = AIOKafkaProducer(
                    bootstrap_servers=self._bootstrap, acks="all", max_request_size=2 * 1024 * 1024,
                    request_timeout_ms=int(SEND_SECONDS * 1000),
                )  # fmt: skip
                try:
                    await run_bounded(SEND_SECONDS, client.start())
                except BaseException:
                    await _end(client)
                    raise
                self._client = client
            return self._client

    async def _discard(self, client: AIOKafkaProducer | None) -> None:
        if client is not None and self._client is client:
            self._client = None
            await _end(client)

    async def close(self) -> None:
        await self._discard(self._client)


async def _end(client: AIOKafkaProducer) -> None:
    """stop() would wait for a dead broker."""
    with contextlib.suppress(KafkaError, TimeoutError, OSError):
        await run_bounded(2, client.stop())
