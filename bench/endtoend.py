"""From the tap on "share" to its points, and from a click to the figure on a live dashboard, all of Herald running.

Processes as `herald up` runs them, behind real HTTP; a company as the demo makes it. For 20 s there are 490 clicks
and 10 taps a second, which makes some 1,500 events a second, for each click is an event twice and earns points. A
tap's points are there when its entry in the ledger is committed; a click is shown when a push to the dashboard
counts it. Clicks go to the redirect itself, as an ingress leads them. `events` is clicks and taps a second.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
import orjson
import uvloop
from pymongo import AsyncMongoClient

from bench.frame import Bench, Comparison, Findings, Limit, Round, Size
from bench.harness import Harness, answers, installation, process
from bench.visitors import Load, visit
from herald.demo import SAMPLE
from herald.demo.api import Api
from herald.demo.stage import MANAGER, Scale
from herald.demo.story import Story
from herald.local.home import Home
from herald.local.plan import ProcessSpec
from herald.operations.topics import apply_topics

SECONDS = 20.0
TAPS_A_SECOND = 10
CONNECTIONS = 64
LINKS = 60
SCALE = Scale(people=300, ambassadors=120)
SETTLE_SECONDS = 30.0
AIMS = {"p50": 250.0, "p99": 1000.0}


@dataclass
class Seen:
    """What was done and what was seen, each with its moment (`time.perf_counter`); what counts began at `from_`."""

    taps: dict[str, float] = field(default_factory=dict)
    points: dict[str, float] = field(default_factory=dict)
    shown: list[tuple[int, float]] = field(default_factory=list)
    clicks: Load = field(default_factory=Load)
    from_: float = 0.0


class Company:
    """A programme in use on a running Herald."""

    def __init__(self, harness: Harness, namespace: str, specs: Sequence[ProcessSpec]) -> None:
        self._harness = harness
        self._namespace = namespace
        self._links_port = next(spec.port for spec in specs if spec.name.endswith("links"))
        self._url = f"http://127.0.0.1:{specs[0].port}"
        self._home = Home(harness.folder / namespace)

    async def day(self, rate: int) -> Seen:
        """Set the programme up, then live a while of it."""
        api = Api(self._url, self._home)
        story = Story(api, SCALE, SAMPLE.read_bytes(), lambda *_: None)
        seen = Seen()
        try:
            for act in (story.people, story.programme, story.invitations, story.content):
                await act()
            async with asyncio.TaskGroup() as group:
                watching = [
                    group.create_task(self._watch_ledger(seen)),
                    group.create_task(self._watch_dashboard(api, story.tally.program_id, seen)),
                ]
                try:
                    await self._live(api, story, seen, rate)
                finally:
                    for one in watching:
                        one.cancel()
        finally:
            await api.close()
        return seen

    async def _live(self, api: Api, story: Story, seen: Seen, rate: int) -> None:
        turns = self.turns(api, story)
        codes = [await self.tap(api, await anext(turns), Seen()) for _ in range(LINKS)]
        await visit(self._links_port, codes, connections=CONNECTIONS, seconds=2, rate=rate / 2, load=seen.clicks)
        await _until(lambda: len(seen.shown) > 0 and seen.shown[-1][0] >= seen.clicks.answered)
        clicking = visit(
            self._links_port,
            codes,
            connections=CONNECTIONS,
            seconds=SECONDS,
            rate=rate - TAPS_A_SECOND,
            load=seen.clicks,
        )
        seen.from_ = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            group.create_task(clicking)
            began = time.perf_counter()
            for number in range(int(SECONDS * TAPS_A_SECOND)):
                await asyncio.sleep(max(0.0, began + number / TAPS_A_SECOND - time.perf_counter()))
                group.create_task(self.tap(api, await anext(turns), seen))
        await _until(lambda: seen.taps.keys() <= seen.points.keys() and seen.shown[-1][0] >= seen.clicks.answered)

    async def turns(self, api: Api, story: Story) -> Any:
        """Who shares what where: each ambassador in turn, each time another item or network."""
        people = list(story.tally.joined.values())
        feeds: dict[str, list[Any]] = {}
        for number in range(10_000):
            email = people[number % len(people)]
            if email not in feeds:
                feeds[email] = (await api.get(email, "/content/v1/feed", limit=5))["items"]
            items = feeds[email]
            yield email, items[number // len(people) % len(items)], ("linkedin", "x")[number // len(people) % 2]

    async def tap(self, api: Api, turn: tuple[str, Any, str], seen: Seen) -> str:
        """Share an item; returns the link's code."""
        email, item, network = turn
        order = {"content_id": item["id"], "network": network, "language": item["language"], "caption": item["title"]}
        began = time.perf_counter()
        post = await api.post(email, "/sharing/v1/posts", order)
        seen.taps[post["id"]] = began
        code: str = post["link_code"]
        return code

    async def _watch_ledger(self, seen: Seen) -> None:
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(self._harness.mongo_url)
        ledger = client[f"{self._namespace}_herald_gamification"]["ledger"]
        try:
            async with await ledger.watch([{"$match": {"operationType": "insert"}}]) as stream:
                async for change in stream:
                    entry = change["fullDocument"]
                    if entry["act"] == "share":
                        seen.points[entry["post_id"]] = time.perf_counter()
        finally:
            await client.close()

    async def _watch_dashboard(self, api: Api, program_id: str, seen: Seen) -> None:
        headers = {"Authorization": f"Bearer {await api.token(MANAGER)}"}
        async with (
            httpx.AsyncClient(base_url=self._url, trust_env=False, timeout=60) as client,
            client.stream("GET", f"/api/metrics/v1/programs/{program_id}/live", headers=headers) as answer,
        ):
            answer.raise_for_status()
            async for line in answer.aiter_lines():
                if line.startswith("data: "):
                    figures = orjson.loads(line[6:])["figures"]
                    seen.shown.append((int(figures["clicks_raw"]["value"]), time.perf_counter()))


async def _until(holds: Any) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit("Herald does not keep up: what was done is not shown")
        await asyncio.sleep(0.05)


def delays(seen: Seen) -> dict[str, list[float]]:
    """Milliseconds from tap to points, and from click to dashboard, sorted.

    Figures count, they do not name: the click that was the n-th to begin is shown once n clicks are counted.
    """
    counts = [count for count, _ in seen.shown]
    clicks = [
        (seen.shown[bisect_left(counts, number)][1] - began) * 1000
        for number, began in enumerate(sorted(seen.clicks.began), start=1)
        if began >= seen.from_
    ]
    taps = [(seen.points[post] - began) * 1000 for post, began in seen.taps.items()]
    return {"tap to points": sorted(taps), "click to dashboard": sorted(clicks)}


@contextmanager
def open_(harness: Harness, size: Size) -> Iterator[Comparison]:
    namespace = harness.namespace()
    asyncio.run(apply_topics(harness.kafka_bootstrap, namespace))
    specs = installation(harness, namespace, split=False)
    found: list[dict[str, list[float]]] = []
    with ExitStack() as running:
        for spec in specs:
            running.enter_context(process(spec.argv[1:], spec.env, harness.folder / f"{spec.name}.log"))
        for spec in specs:
            answers(spec.address)
        company = Company(harness, namespace, specs)

        def herald() -> float:
            found.append(delays(uvloop.run(company.day(size.events))))
            return share_of(found[-1]["click to dashboard"], 0.5)

        yield Comparison(herald, findings=partial(findings, found))


def share_of(ordered: Sequence[float], share: float) -> float:
    return ordered[int(share * (len(ordered) - 1))]


def findings(found: Sequence[dict[str, list[float]]], rounds: Sequence[Round]) -> Findings:
    merged = {name: sorted(value for one in found for value in one[name]) for name in found[0]}
    limits = [
        Limit(f"{name} {which}", share_of(ordered, int(which[1:]) / 100), bound, "ms")
        for name, ordered in merged.items()
        for which, bound in AIMS.items()
    ]
    return Findings(limits, {f"{name}, measured": len(ordered) for name, ordered in merged.items()})


BENCH = Bench(
    name="endtoend",
    counted="from a click to the live dashboard, median",
    unit="ms",
    aim=None,
    size=Size(rounds=1, events=500),
    packages=("fastapi", "faststream", "aiokafka", "pymongo"),
    open=open_,
    better="less",
)
