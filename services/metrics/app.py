"""Where metrics is put together."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from chassis.clock import Clock
from chassis.jobs import Job, JobContext
from chassis.principals import PrincipalStore
from chassis.runtime import Runtime
from chassis.service import Service
from services.metrics import api, commands, queries
from services.metrics.consumers import consumer
from services.metrics.live import Live
from services.metrics.settings import MetricsSettings
from services.metrics.store import Store


def build(settings: MetricsSettings, *, clock: Clock | None = None) -> Service:
    """The service, nothing connected yet."""
    runtime = Runtime("metrics", settings, clock=clock)
    store = Store(runtime.mongo)
    principals = PrincipalStore(runtime.mongo)
    live = Live(store, runtime.clock, runtime.telemetry, runtime.supervisor)
    checked: dict[str, tuple[int, int]] = {}

    async def ensure_indexes() -> None:
        await principals.ensure_indexes()
        await store.ensure_indexes()

    async def find_reached(context: JobContext) -> None:
        for objective in await store.open_objectives():
            program = await store.program(objective["program_id"])
            if program is None or not context.may_go_on:
                continue
            beat = await store.beat_of(program["_id"]) or {"beats": 0, "traceparent": None}
            state = (objective["revision"], beat["beats"])
            if checked.get(objective["_id"]) == state:
                continue
            value = await queries.kpi_value(store, program, objective)
            if value is not None and value >= objective["target"]:
                reach = partial(commands.reach, store, objective, value, beat["traceparent"])
                await context.lease.transact(reach)
            checked[objective["_id"]] = state

    async def book_waiting(_: JobContext) -> None:
        for program_id in await store.overdue():
            while await runtime.mongo.transact(partial(commands.book_waiting, store, program_id)):
                pass

    return Service(
        name="metrics",
        description="What came of the programme: figures by definition, live, each traceable to its events.",
        runtime=runtime,
        router=api.router,
        context=api.Metrics(store, live, runtime.clock),
        principals=principals,
        consumer=consumer(store, principals),
        jobs=[
            Job("objectives", timedelta(seconds=2), find_reached),
            Job("waiting", timedelta(seconds=5), book_waiting),
        ],
        ensure_indexes=ensure_indexes,
        background={"live figures": live.run},
    )
