"""Herald as those who are paged see it: a whole installation with a real Prometheus, collector and Jaeger.

Every panel of the dashboards has data; a point of a panel leads to its trace; the traces of a tap and of a click are
whole in Jaeger; a complaint about a post leads to its trace; tail sampling keeps what matters; and each cause that is
brought about makes its alert fire, which ends once the cause has gone.

Pictures of the dashboards are left in `tests/peers/results`.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from aiokafka import AIOKafkaProducer
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import StatusCode

from chassis.settings import StoreSettings
from herald.demo import SAMPLE, visitors
from herald.demo.api import Api, Unexpected
from herald.demo.browser import Browser
from herald.demo.stage import MANAGER, Scale
from herald.demo.story import Story
from herald.local.home import Home
from herald.local.ports import LOOPBACK
from herald.observability.dashboards import DASHBOARDS
from herald.operations.traces import ask_jaeger, facts_of_post
from tests.e2e.stack import Stack
from tests.e2e.test_traces import CLICK, SHARE, differences, watching
from tests.infra import Infra
from tests.peers import Check, jaeger, panels, prometheus
from tests.peers.jaeger import Tracing
from tests.peers.local import herald, herald_up
from tests.peers.prometheus import Prometheus

RESULTS = Path(__file__).parent / "results"
PATIENCE = 90.0
QUIET_SECONDS = 5.0
ALIVE = 45.0
"""Seconds of a day's work before the panels are looked at."""
OF_A_SLOW_MACHINE = {
    "HeraldRequestsAreSlow", "HeraldRedirectsAreSlow", "HeraldEffectsComeLate", "HeraldProcessLate",
}  # fmt: skip
MAY_BE_EMPTY = {"Alerts that fire now", "Background tasks started again"}


@dataclass
class Trial:
    """An installation that is watched, and somebody who uses it all the while."""

    stack: Stack
    prometheus: Prometheus
    tracing: Tracing
    began: float
    links: list[str] = field(default_factory=list)
    quiet: bool = False
    """Nobody else follows links: what comes together is consumed in one transaction, which is in one trace alone."""

    def pid(self, name: str) -> int:
        found: int = self.stack.home.read_state()["children"][name]["pid"]
        return found

    @asynccontextmanager
    async def stopped(self, *names: str) -> AsyncIterator[None]:
        """These processes stand still."""
        pids = [self.pid(name) for name in names]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    async def fires(self, *alerts: str, within: float = PATIENCE) -> None:
        """Until all of these fire."""
        await self._until(lambda firing: set(alerts) <= firing, within, f"{alerts} do not fire")

    async def ends(self, *alerts: str, within: float = PATIENCE) -> None:
        """Until none of these fires."""
        await self._until(lambda firing: not set(alerts) & firing, within, f"{alerts} still fire")

    async def _until(self, holds: Callable[[set[str]], bool], within: float, wrong: str) -> None:
        firing: set[str] = set()
        try:
            async with asyncio.timeout(within):
                while not holds(firing := {name for name, severity in await self.firing() if severity == "page"}):
                    await asyncio.sleep(0.5)
        except TimeoutError:
            raise AssertionError(f"{wrong}; there fire {sorted(firing)}") from None

    async def firing(self) -> set[tuple[str, str]]:
        """What fires; a ticket stands under its own name, and for a page of the same name too."""
        found = await self.prometheus.firing()
        return found | {(name, "page") for name, severity in found if name not in _WITH_BUDGET}


_WITH_BUDGET = {
    "HeraldRequestsFail", "HeraldRequestsAreSlow", "HeraldRedirectsFail", "HeraldRedirectsAreSlow",
    "HeraldEffectsComeLate",
}  # fmt: skip
"""Their tickets last as long as their long windows, so that only their pages are waited for."""


# --- what is looked at ----------------------------------------------------------------------------------------------


async def every_panel_has_data(trial: Trial) -> None:
    """Each query of each panel returns series with whole legends, each once."""
    await asyncio.sleep(max(0.0, ALIVE - (time.monotonic() - trial.began)))
    seconds = time.monotonic() - trial.began
    drawn = []
    for name, page in DASHBOARDS.items():
        chosen = {"service": "program"} if name == "service" else {"service": ".*"}
        drawn += await panels.look(trial.prometheus, name, page, chosen, seconds)
    await panels.draw(RESULTS, drawn)
    empty = [
        f"{one.page}: {one.panel.title}" for one in drawn if not one.series and one.panel.title not in MAY_BE_EMPTY
    ]
    assert empty == [], f"no data: {empty}"
    wrong = [f"{one.page}: {one.panel.title}: {one.wrong}" for one in drawn if one.wrong]
    assert wrong == [], "\n".join(wrong)


async def a_slow_bucket_leads_to_its_trace(trial: Trial) -> None:
    """Exemplars of requests, redirects and effects name traces that Jaeger keeps."""
    for metric in (
        "http_server_request_duration_seconds",
        "herald_links_redirect_seconds",
        "herald_commit_to_effect_seconds",
    ):
        now = time.time()
        found = await trial.prometheus.ask("query_exemplars", query=f"{metric}_bucket", start=now - 30, end=now)
        traces = [one["labels"]["trace_id"] for series in found for one in series["exemplars"]]
        assert traces, f"no exemplar of {metric}"
        async with asyncio.timeout(PATIENCE):
            while not await asyncio.to_thread(ask_jaeger, trial.tracing.query, traces[0]):
                await asyncio.sleep(0.5)


async def a_tap_is_one_trace_in_jaeger(trial: Trial) -> None:
    """Every span of the table, from the tap to the points and the figure; and from the post's id to that trace."""
    browser = Browser(trial.stack.url, visitors.BROWSERS[0])
    async with _alone(trial):
        try:
            await browser.sign_in("lea")
            feed = await trial.stack.api.get("lea@herald.example", "/content/v1/feed", limit=1)
            trace_id = await browser.share(feed["items"][0]["id"], "device")
        finally:
            await browser.close()
        await _whole(trial, trace_id, SHARE)
    posts = await trial.stack.api.get("lea@herald.example", "/sharing/v1/posts", limit=1)
    infra = trial.stack.infra
    settings = StoreSettings(kafka_bootstrap=infra.kafka_bootstrap, mongo_url=infra.mongo_url)
    facts = await facts_of_post(settings, posts["items"][0]["id"])
    assert facts[0].trace_id == trace_id, facts
    at_jaeger = ("--jaeger", trial.tracing.query)
    code, told = await herald(trial.stack.home, "trace", "--post", posts["items"][0]["id"], *at_jaeger)
    assert (code, trace_id in told, "push figures" in told) == (0, True, True), told
    code, told = await herald(trial.stack.home, "trace", "--post", "nothing", *at_jaeger)
    assert (code, "no trace of post nothing" in told) == (1, True), told


async def a_click_is_one_trace_in_jaeger(trial: Trial) -> None:
    """Every span of the table, from the visitor to the figure and the points."""
    async with _alone(trial):
        known = {one["traceID"] for one in await _clicks(trial)}
        await visitors.a_person(random.Random(11)).follow(trial.links[-1])
        async with asyncio.timeout(PATIENCE):
            while not (new := [one["traceID"] for one in await _clicks(trial) if one["traceID"] not in known]):
                await asyncio.sleep(0.5)
        await _whole(trial, new[0], CLICK)


async def _clicks(trial: Trial) -> list[dict[str, str]]:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(
            f"{trial.tracing.query}/api/traces",
            params={"service": "sharing", "operation": "GET /l/{code}", "limit": 500},
        )
    found: list[dict[str, str]] = answer.raise_for_status().json()["data"]
    return found


async def _whole(trial: Trial, trace_id: str, table: Iterable[object], within: float = PATIENCE) -> None:
    problems = ["no such trace"]
    try:
        async with asyncio.timeout(within):
            while problems:
                await asyncio.sleep(0.5)
                spans = await asyncio.to_thread(ask_jaeger, trial.tracing.query, trace_id)
                problems = differences(tuple(table), spans) if spans else problems  # type: ignore[arg-type]
    except TimeoutError:
        raise AssertionError("\n".join(problems)) from None


async def the_log_reaches_the_collector(trial: Trial) -> None:
    """What the processes log is printed by the collector, under the service's name."""
    async with asyncio.timeout(PATIENCE):
        while (
            "LogRecord" not in (printed := trial.tracing.printed.read_text("utf-8"))
            or "service.namespace: Str(herald)" not in printed
        ):
            await asyncio.sleep(1)


# --- causes and their alerts ----------------------------------------------------------------------------------------


async def nothing_fires_while_all_is_well(trial: Trial) -> None:
    """After a day's work no alert fires, but for those that tell of a machine that is too slow for it."""
    firing = {name for name, _ in await trial.prometheus.firing()} - OF_A_SLOW_MACHINE
    assert firing == set(), f"there fires {sorted(firing)}"


async def mongodb_away(trial: Trial) -> None:
    """Requests fail; it is over a short window after MongoDB is back."""
    async with trial.stopped("mongod"):
        await trial.fires("HeraldRequestsFail")
    await trial.ends("HeraldRequestsFail")


async def workers_away(trial: Trial) -> None:
    """Nobody answers for the workers."""
    async with trial.stopped("workers"):
        await trial.fires("HeraldWorkerAway")
    await trial.ends("HeraldWorkerAway", "HeraldConsumerAway")


async def links_away(trial: Trial) -> None:
    """Nobody answers for the links."""
    async with trial.stopped("links"):
        await trial.fires("HeraldLinksAway")
    await trial.ends("HeraldLinksAway")


async def kafka_away(trial: Trial) -> None:
    """Events stay and clicks go to disk; afterwards effects come late, and all ends by itself."""
    async with trial.stopped("kafka"):
        await trial.fires("HeraldEventsStay", "HeraldClicksOnDisk", within=150)
    await trial.fires("HeraldEffectsComeLate")
    await trial.ends("HeraldEventsStay", "HeraldClicksOnDisk", "HeraldEffectsComeLate", within=150)


async def poison(trial: Trial) -> None:
    """A record that nobody can read is a dead letter in each of its consumers."""
    async with AIOKafkaProducer(bootstrap_servers=trial.stack.infra.kafka_bootstrap) as producer:
        await producer.send_and_wait("herald.posts", b"no JSON", headers=[("ce_type", b"herald.PostShared.v1")])
    await trial.fires("HeraldDeadLetters")
    await trial.ends("HeraldDeadLetters")


async def somebody_guesses_codes(trial: Trial) -> None:
    """Who tries out codes of links is limited."""
    async with httpx.AsyncClient(trust_env=False, base_url=trial.stack.url) as client:
        for _ in range(150):
            await client.get(f"/l/{secrets.token_hex(4)}")
    await trial.fires("HeraldCallersLimited")
    await trial.ends("HeraldCallersLimited")


CHECKS: tuple[Callable[[Trial], Awaitable[None]], ...] = (
    every_panel_has_data,
    a_slow_bucket_leads_to_its_trace,
    a_tap_is_one_trace_in_jaeger,
    a_click_is_one_trace_in_jaeger,
    nothing_fires_while_all_is_well,
    somebody_guesses_codes,
    poison,
    mongodb_away,
    the_log_reaches_the_collector,
    workers_away,
    links_away,
    kafka_away,
)


TRACED = {
    a_slow_bucket_leads_to_its_trace,
    a_tap_is_one_trace_in_jaeger,
    a_click_is_one_trace_in_jaeger,
    the_log_reaches_the_collector,
}
"""What needs a collector and Jaeger."""


# --- tail sampling --------------------------------------------------------------------------------------------------


async def keeps_errors_and_slow_traces(folder: Path) -> None:
    """Of ordinary traces none is kept at 0 %, of those with an error or a second's work all."""
    async with jaeger.running(folder, percent=0) as tracing:
        provider = TracerProvider(resource=Resource.create({"service.name": "sampled"}))
        provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{tracing.otlp}/v1/traces")))
        tracer = provider.get_tracer("test")
        kept = set()
        for number in range(30):
            kind = ("ordinary", "error", "slow")[number % 3]
            begin = time.time_ns()
            root = tracer.start_span(kind, start_time=begin)
            inner = tracer.start_span("inner", context=None, start_time=begin)
            inner.end()
            if kind == "error":
                root.set_status(StatusCode.ERROR)
            root.end(begin + (1_100_000_000 if kind == "slow" else 20_000_000))
            if kind != "ordinary":
                kept.add(f"{root.get_span_context().trace_id:032x}")
        await asyncio.to_thread(provider.shutdown)
        async with asyncio.timeout(PATIENCE):
            while len(found := await tracing.traces("sampled")) < len(kept):
                await asyncio.sleep(0.5)
        await asyncio.sleep(2 * jaeger.DECISION_SECONDS)
        found = await tracing.traces("sampled")
        there = {one["traceID"].zfill(32) for one in found}
        assert there == kept, f"missing {len(kept - there)}, too many {len(there - kept)}"


# --- the installation -----------------------------------------------------------------------------------------------


@asynccontextmanager
async def _alone(trial: Trial) -> AsyncIterator[None]:
    """A manager looks on, and what the others did before is over."""
    trial.quiet = True
    try:
        await asyncio.sleep(QUIET_SECONDS)
        async with watching(trial.stack):
            yield
    finally:
        trial.quiet = False


@asynccontextmanager
async def _watched(folder: Path, *, traced: bool) -> AsyncIterator[Trial]:
    async with jaeger.running(folder) if traced else nullcontext(jaeger.NOWHERE) as tracing:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": tracing.otlp, "HERALD_OTLP_LOGS": "true"} if traced else {}
        async with herald_up(folder, **variables) as home:
            state = home.read_state()
            ports = {name: state["children"][name]["port"] for name in ("apis", "workers", "links")}
            targets = {name: f"{LOOPBACK}:{port}" for name, port in ports.items()}
            async with prometheus.running(folder, targets) as prom, _used(home, prom, tracing) as trial:
                yield trial


@asynccontextmanager
async def _used(home: Home, prom: Prometheus, tracing: Tracing) -> AsyncIterator[Trial]:
    """An installation whose first day has been lived, and that somebody goes on using."""
    state = home.read_state()
    api = Api(state["url"], home, at_once=6)
    began = time.monotonic()
    try:
        story = Story(
            api, Scale(people=40, ambassadors=12, visits_per_post=2, seed=3), SAMPLE.read_bytes(), lambda *_: None
        )
        for act in (story.people, story.programme, story.invitations, story.content, story.shares, story.clicks):
            await act()
        infra = Infra(state["kafka_bootstrap"], state["mongo_url"], state["redis_url"])
        stack = Stack(state["url"], story.tally.program_id, api, infra, "", home, ())
        trial = Trial(stack, prom, tracing, began, [share.short_url for share in story.tally.shares])
        users = [asyncio.ensure_future(_visits(trial)), asyncio.ensure_future(_asks(trial))]
        try:
            yield trial
        finally:
            for user in users:
                user.cancel()
            await asyncio.gather(*users, return_exceptions=True)
    finally:
        await api.close()


async def _visits(trial: Trial) -> None:
    """Three visitors a second, whatever they are answered."""
    chance = random.Random(5)
    while True:
        if trial.quiet:
            await asyncio.sleep(0.3)
            continue
        with suppress(OSError, ValueError, TimeoutError, asyncio.IncompleteReadError):
            await asyncio.wait_for(visitors.a_person(chance).follow(chance.choice(trial.links)), 5)
        await asyncio.sleep(0.3)


async def _asks(trial: Trial) -> None:
    """Somebody who looks at content and figures, whatever they are answered."""
    bearer = {"Authorization": f"Bearer {await trial.stack.api.token(MANAGER)}"}
    paths = (
        "/api/content/v1/items",
        f"/api/metrics/v1/programs/{trial.stack.program_id}/figures",
        "/api/program/v1/programs",
    )
    async with httpx.AsyncClient(base_url=trial.stack.url, trust_env=False, headers=bearer, timeout=10) as client:
        while True:
            for path in paths:
                with suppress(httpx.HTTPError, Unexpected):
                    await client.get(path)
            await asyncio.sleep(0.3)


async def run() -> AsyncIterator[Check]:
    """All checks, in order; `HERALD_ONLY` names some of them."""
    only = os.environ.get("HERALD_ONLY", "").split()
    with tempfile.TemporaryDirectory(prefix="herald-observed-") as scratch:
        folder = Path(scratch)
        if not only or "keeps_errors_and_slow_traces" in only:
            (folder / "sampling").mkdir()
            yield await _tried(keeps_errors_and_slow_traces, folder / "sampling")
        if only == ["keeps_errors_and_slow_traces"]:
            return
        checks = [check for check in CHECKS if not only or check.__name__ in only]
        async with _watched(folder, traced=not TRACED.isdisjoint(checks)) as trial:
            for check in checks:
                yield await _tried(check, trial)


async def _tried(check: Callable[..., Awaitable[None]], given: object) -> Check:
    name = f"{check.__name__.replace('_', ' ')}: {(check.__doc__ or '').strip()}"
    try:
        await check(given)
    except (AssertionError, TimeoutError, httpx.HTTPError, Unexpected) as error:
        return Check(name, f"{type(error).__name__}: {error}")
    return Check(name)
