"""The composition root: the only place where objects are built."""

from __future__ import annotations

from chassis.clock import Clock
from chassis.consumer import Consumer
from chassis.external_rows import ExternalRows
from chassis.kafka.producer import Producer
from chassis.principals import PrincipalStore
from chassis.runtime import Runtime
from chassis.service import Service
from services.sharing import api
from services.sharing.consumers import CONSUMERS
from services.sharing.context import Context
from services.sharing.jobs import jobs
from services.sharing.redirect.click_producer import ClickProducer
from services.sharing.redirect.own_visits import OwnVisits
from services.sharing.redirect.server import RedirectServer
from services.sharing.redirect.spool import Spool
from services.sharing.redirect.target_cache import TargetCache
from services.sharing.settings import SharingSettings
from services.sharing.store import Store


def build(settings: SharingSettings, *, clock: Clock | None = None) -> Service:
    """The service with its roles: `api`, `worker`, and `links`, the public redirect."""
    runtime = Runtime("sharing", settings, clock=clock)
    store = Store(runtime.mongo)
    principals = PrincipalStore(runtime.mongo)
    decisions = runtime.telemetry.meter.create_counter(
        "herald.sharing.guardrail.decisions", description="What the guardrails decided at shares, by verdict"
    )
    own_visits = OwnVisits(settings, runtime.clock, store.visits)
    context = Context(settings, runtime.clock, store, principals, ExternalRows(runtime.mongo), decisions, own_visits)

    def links() -> RedirectServer:
        spool = Spool(settings.spool_dir, max_bytes=settings.spool_bytes)
        # Many small batches: compressing each would cost visitors more than it saves on the way to the broker.
        producer = Producer(settings, compression=None)
        log = ClickProducer(
            producer,
            spool,
            runtime.telemetry,
            runtime.supervisor,
            timeout=settings.click_timeout,
            last_seconds=settings.spool_grace,
        )
        cache = TargetCache(store.posts, runtime.redis, settings)
        return RedirectServer(runtime, settings, runtime.clock, cache, log)

    async def ensure_indexes() -> None:
        await store.ensure_indexes()
        await principals.ensure_indexes()

    return Service(
        name="sharing",
        runtime=runtime,
        description="Posts, short links and what they bring.",
        router=api.router,
        context=context,
        principals=principals,
        consumer=Consumer(context, CONSUMERS),
        jobs=jobs(context),
        ensure_indexes=ensure_indexes,
        roles={"links": links},
    )
