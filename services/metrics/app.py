"""Where metrics is put together."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from chassis.clock import Clock
from chassis.directory import Directory
from chassis.jobs import Job, JobContext
from chassis.service import Chassis, Service
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

    async def ensure_indexes() -> None:
        await directory.ensure_indexes()
        await store.ensure_indexes()

    async def find_reached(context: JobContext) -> None:
        for objective in await store.open_objectives():
            program = await store.program(objective["program_id"])
            if program is None or not context.may_go_on:
                continue
            value = await queries.kpi_value(store, program, objective)
            if value >= objective["target"]:
                await context.lease.transact(partial(commands.reach, store, objective, value))

    return Service(
        name="metrics",
        description="What came of the programme: figures by definition, live, each traceable to its events.",
        chassis=chassis,
        router=api.router,
        parts=api.Metrics(store, live, chassis.clock),
        principals=directory,
        consumer=consumer(store, directory),
        jobs=[Job("objectives", timedelta(seconds=2), find_reached)],
        ensure_indexes=ensure_indexes,
        background=[live.run],
    )
