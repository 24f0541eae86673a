"""Where content is put together."""

from __future__ import annotations

from datetime import timedelta

from chassis.clock import Clock
from chassis.consumer import Consumer
from chassis.external_rows import ExternalRows
from chassis.jobs import Job
from chassis.principals import PrincipalStore
from chassis.runtime import Runtime
from chassis.service import Service
from services.content import api, jobs
from services.content.consumers import CONSUMERS
from services.content.context import Context
from services.content.feeds.client import Feeds
from services.content.settings import ContentSettings
from services.content.store import Store


def build(settings: ContentSettings, *, clock: Clock | None = None) -> Service:
    """The service, nothing connected yet."""
    runtime = Runtime("content", settings, clock=clock)
    store = Store(runtime.mongo)
    principals = PrincipalStore(runtime.mongo)
    feeds = Feeds(runtime.fetch)
    interval = timedelta(seconds=settings.content_feed_interval)
    upkeep = jobs.Upkeep(store, feeds, runtime.clock, interval, runtime.telemetry.meter)

    async def ensure_indexes() -> None:
        await principals.ensure_indexes()
        await store.ensure_indexes()

    context = Context(store, feeds, runtime.clock, interval, principals, ExternalRows(runtime.mongo))
    return Service(
        name="content",
        description="What there is to share: written, reviewed, published, aimed at those whom it concerns.",
        runtime=runtime,
        router=api.router,
        context=context,
        principals=principals,
        consumer=Consumer(context, CONSUMERS),
        jobs=[
            Job("expire-items", jobs.EVERY, upkeep.expire_items),
            Job("look-at-feeds", jobs.EVERY, upkeep.look_at_feeds),
        ],
        ensure_indexes=ensure_indexes,
        max_body=api.MAX_BODY,
    )
