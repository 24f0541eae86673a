"""Where metrics is put together."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from chassis.chassis import Chassis
from chassis.clock import Clock
from chassis.directory import Directory
from chassis.jobs import Job, JobContext
from chassis.service import Service
from services.metrics import api, commands, queries
from services.metrics.consumers import consumer
from services.metrics.live import Live
from services.metrics.settings import MetricsSettings
from services.metrics.store import Store


def build(settings: MetricsSettings, *, clock: Clock | None = None) -> Service:
    """The service, nothing connected yet."""
    chassis = Chassis("metrics", settings, clock=clock)
    store = Store(chassis.mongo)
    directory = Directory(chassis.mongo)
    live = Live(store, chassis.clock, chassis.telemetry)
    checked: dict[str, tuple[int, int]] = {}

    async def ensure_indexes() -> None:
        await directory.ensure_indexes()
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
            if value >= objective["target"]:
                reach = partial(commands.reach, store, objective, value, beat["traceparent"])
                await context.lease.transact(reach)
            checked[objective["_id"]] = state

    async def book_waiting(_: JobContext) -> None:
        for program_id in await store.overdue():
            while await chassis.mongo.transact(partial(commands.book_waiting, store, program_id)):
                pass

    return Service(
        name="metrics",
        description="What came of the programme: figures by definition, live, each traceable to its events.",
        chassis=chassis,
        router=api.router,
        parts=api.Metrics(store, live, chassis.clock),
        principals=directory,
        consumer=consumer(store, directory),
        jobs=[
            Job("objectives", timedelta(seconds=2), find_reached),
            Job("waiting", timedelta(seconds=5), book_waiting),
        ],
        ensure_indexes=ensure_indexes,
        background=[live.run],
    )
