"""Where content is put together."""

from __future__ import annotations

from datetime import timedelta

from chassis.chassis import Chassis
from chassis.clock import Clock
from chassis.directory import Directory
from chassis.jobs import Job
from chassis.service import Service
from services.content import api, jobs
from services.content.consumers import consumer
from services.content.feeds import Feeds
from services.content.settings import ContentSettings
from services.content.store import Store


def build(settings: ContentSettings, *, clock: Clock | None = None) -> Service:
    """The service, nothing connected yet."""
    chassis = Chassis("content", settings, clock=clock)
    store = Store(chassis.mongo)
    directory = Directory(chassis.mongo)
    feeds = Feeds(chassis.fetch)
    interval = timedelta(seconds=settings.content_feed_interval)
    upkeep = jobs.Upkeep(store, feeds, chassis.clock, interval, chassis.telemetry.meter)

    async def ensure_indexes() -> None:
        await directory.ensure_indexes()
        await store.ensure_indexes()

    return Service(
        name="content",
        description="What there is to share: written, reviewed, published, aimed at those whom it concerns.",
        chassis=chassis,
        router=api.router,
        parts=api.Content(store, feeds, chassis.clock, interval),
        principals=directory,
        consumer=consumer(directory),
        jobs=[
            Job("expire-items", jobs.EVERY, upkeep.expire_items),
            Job("look-at-feeds", jobs.EVERY, upkeep.look_at_feeds),
        ],
        ensure_indexes=ensure_indexes,
        max_body=api.MAX_BODY,
    )
