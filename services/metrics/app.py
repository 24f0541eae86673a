"""Where metrics is put together."""

from __future__ import annotations

from chassis.clock import Clock
from chassis.consumer import Consumer
from chassis.principals import PrincipalStore
from chassis.runtime import Runtime
from chassis.service import Service
from services.metrics.api import router
from services.metrics.cohorts.store import Cohorts
from services.metrics.consumers import CONSUMERS
from services.metrics.context import Context
from services.metrics.jobs import jobs
from services.metrics.learning.store import LessonsCompleted
from services.metrics.live import Live
from services.metrics.paces import Paces
from services.metrics.settings import MetricsSettings
from services.metrics.store.facts import Store
from services.metrics.windows import Windows

DESCRIPTION = "What came of the programme: figures by definition, live, each traceable to its events."


def build(settings: MetricsSettings, *, clock: Clock | None = None) -> Service:
    """The service, nothing connected yet."""
    runtime = Runtime("metrics", settings, clock=clock)
    store, lessons = Store(runtime.mongo), LessonsCompleted(runtime.mongo)
    context = Context(
        clock=runtime.clock,
        mongo=runtime.mongo,
        principals=PrincipalStore(runtime.mongo),
        store=store,
        cohorts=Cohorts(runtime.mongo),
        lessons=lessons,
        small_group=settings.small_group,
        windows=Windows(store, lessons, settings.small_group),
        paces=Paces(store, lessons),
        live=Live(store, runtime.clock, runtime.telemetry, runtime.supervisor, heartbeat=settings.live_heartbeat),
    )

    async def ensure_indexes() -> None:
        await context.principals.ensure_indexes()
        await store.ensure_indexes()
        await context.cohorts.ensure_indexes()
        await lessons.ensure_indexes()

    return Service(
        name="metrics",
        description=DESCRIPTION,
        runtime=runtime,
        router=router,
        context=context,
        principals=context.principals,
        consumer=Consumer(context, CONSUMERS),
        jobs=jobs(context),
        ensure_indexes=ensure_indexes,
        background={"live figures": context.live.run},
    )
