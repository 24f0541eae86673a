"""The composition root: the only place where objects are built."""

from __future__ import annotations

from chassis.clock import Clock
from chassis.consumer import Consumer
from chassis.external_rows import ExternalRows
from chassis.principals import PrincipalStore
from chassis.runtime import Runtime
from chassis.service import Service
from services.content import api
from services.content.consumers import CONSUMERS
from services.content.context import Context
from services.content.feeds.client import Feeds
from services.content.jobs import jobs
from services.content.settings import ContentSettings
from services.content.store import Store


def build(settings: ContentSettings, *, clock: Clock | None = None) -> Service:
    """The service `content`; nothing is connected yet."""
    runtime = Runtime("content", settings, clock=clock)
    context = Context(
        settings=settings,
        clock=runtime.clock,
        store=Store(runtime.mongo),
        principals=PrincipalStore(runtime.mongo),
        external_rows=ExternalRows(runtime.mongo),
        feeds=Feeds(runtime.fetch),
        feed_looks=runtime.telemetry.meter.create_counter(
            "herald.content.feed_looks", description="By what came of them"
        ),
    )

    async def ensure_indexes() -> None:
        await context.principals.ensure_indexes()
        await context.store.ensure_indexes()

    return Service(
        name="content",
        runtime=runtime,
        description="What there is to share: written, reviewed, published, aimed at those whom it concerns.",
        router=api.router,
        context=context,
        principals=context.principals,
        consumer=Consumer(context, CONSUMERS),
        jobs=jobs(context),
        ensure_indexes=ensure_indexes,
        max_body=api.MAX_BODY,
    )
