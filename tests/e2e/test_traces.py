"""One trace joins a tap to what it caused, in every service: the spans, who is whose parent, and who links to whom."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise

import httpx
import pytest

from herald.demo import visitors
from herald.demo.browser import Browser
from herald.operations.traces import Span, read_spans
from tests.e2e.stack import Stack

pytestmark = [
    pytest.mark.xdist_group("e2e-doors"),
    pytest.mark.asyncio(loop_scope="session"),
]
PATIENCE = 60


@dataclass(frozen=True, slots=True)
class Expected:
    """A span of the trace: where it hangs, by index in its table, and the span of this trace that it links to.

    `elsewhere`: it links to a span of another trace, the batch that carried it.
    """

    service: str
    kind: str
    name: str
    parent: int | None
    link: int | None = None
    elsewhere: bool = False


SHARE = (
    Expected("hub", "SERVER", "POST /feed/{item_id}/share", None),
    Expected("hub", "CLIENT", "POST", 0),
    Expected("sharing", "SERVER", "POST /v1/posts", 1),
    Expected("sharing", "CLIENT", "admin.commitTransaction", 2),
    Expected("sharing", "PRODUCER", "send herald.posts", 2, elsewhere=True),
    Expected("metrics", "CONSUMER", "process herald.posts", 2, link=2),
    Expected("metrics", "CLIENT", "admin.commitTransaction", 5),
    Expected("metrics", "SERVER", "push figures", 5),
    Expected("gamification", "CONSUMER", "process herald.posts", 2, link=2),
    Expected("gamification", "CLIENT", "admin.commitTransaction", 8),
    Expected("gamification", "PRODUCER", "send herald.recognition", 8, elsewhere=True),
)
CLICK = (
    Expected("sharing", "SERVER", "GET /l/{code}", None),
    Expected("sharing", "PRODUCER", "send herald.clicks", 0),
    Expected("sharing", "CONSUMER", "process herald.clicks", 1, link=1),
    Expected("sharing", "PRODUCER", "send herald.engagements", 2, elsewhere=True),
    Expected("metrics", "CONSUMER", "process herald.engagements", 2, link=2),
    Expected("metrics", "SERVER", "push figures", 4),
    Expected("gamification", "CONSUMER", "process herald.engagements", 2, link=2),
    Expected("gamification", "PRODUCER", "send herald.recognition", 6, elsewhere=True),
)


async def test_a_share_is_one_trace_from_the_tap_to_the_points_and_the_figure(stack: Stack) -> None:
    async with watching(stack):
        browser = Browser(stack.url, visitors.BROWSERS[0])
        try:
            await browser.sign_in("lea")
            feed = await stack.api.get("lea@herald.example", "/content/v1/feed", limit=1)
            trace_id = await browser.share(feed["items"][0]["id"], "device")
        finally:
            await browser.close()
        await _holds(stack, SHARE, lambda: trace_id)


async def test_a_click_is_one_trace_to_both_its_effects(stack: Stack) -> None:
    posts = await stack.api.get("jonas@herald.example", "/sharing/v1/posts", limit=1)
    visitor = visitors.Visitor(f"127.200.{random.randrange(256)}.{random.randrange(1, 255)}", visitors.BROWSERS[1])
    async with watching(stack):
        known = set(_clicks(stack))
        await visitor.follow(posts["items"][0]["short_url"])
        await _holds(stack, CLICK, lambda: next((one for one in _clicks(stack) if one not in known), None))


def _clicks(stack: Stack) -> list[str]:
    return [span.trace_id for span in read_spans(stack.spans) if span.name == "GET /l/{code}"]


@asynccontextmanager
async def watching(stack: Stack) -> AsyncIterator[None]:
    """A manager has the dashboard open: figures are pushed only to whoever looks."""
    token = await stack.api.token("marc@herald.example")
    url = f"{stack.url}/api/metrics/v1/programs/{stack.program_id}/live"
    async with (
        httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client,
        client.stream("GET", url, headers={"Authorization": f"Bearer {token}"}) as answer,
    ):
        lines = answer.aiter_lines()
        await anext(lines)
        reading = asyncio.ensure_future(_drain(lines))
        try:
            yield
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def _drain(lines: AsyncIterator[str]) -> None:
    async for _ in lines:
        pass


async def _holds(stack: Stack, table: Sequence[Expected], trace_of: Callable[[], str | None]) -> None:
    """Waits until the trace has every span of the table, then compares all of them."""
    problems: list[str] = ["no such trace"]
    try:
        async with asyncio.timeout(PATIENCE):
            while problems:
                await asyncio.sleep(0.2)
                trace_id = trace_of()
                problems = differences(table, read_spans(stack.spans, trace_id)) if trace_id else problems
    except TimeoutError:
        pytest.fail("\n".join(problems))


def differences(table: Sequence[Expected], spans: Sequence[Span]) -> list[str]:
    """What the trace lacks, in words; each expected span is the first of its name below its parent."""
    ids = {span.span_id for span in spans}
    found: list[Span | None] = []
    problems: list[str] = []
    for wanted in table:
        parent = None if wanted.parent is None else found[wanted.parent]
        match = next((span for span in spans if _is(span, wanted, parent, ids)), None)
        found.append(match)
        if match is None:
            problems.append(f"missing: {wanted}")
            continue
        links = [(link["trace_id"], link["span_id"]) for link in match.links]
        target = None if wanted.link is None else found[wanted.link]
        if target is not None and links != [(target.trace_id, target.span_id)]:
            problems.append(f"{wanted} links to {links}")
        if wanted.elsewhere and [trace for trace, _ in links if trace != match.trace_id] == []:
            problems.append(f"{wanted} links to no batch: {links}")
    in_order = [span for span in found if span is not None]
    problems += [f"{b.name} began before {a.name}" for a, b in pairwise(in_order[:3]) if a.start > b.start]
    return problems


def _is(span: Span, wanted: Expected, parent: Span | None, ids: set[str]) -> bool:
    if (span.service, span.kind, span.name.replace(_namespace(span), "")) != (wanted.service, wanted.kind, wanted.name):
        return False
    if wanted.parent is None:
        return span.parent_id not in ids
    return parent is not None and span.parent_id == parent.span_id


def _namespace(span: Span) -> str:
    """What a test's own topics have before their name."""
    topic = str(span.attributes.get("messaging.destination.name", "herald."))
    return topic[: topic.index("herald.")] or " no namespace"
