"""The composition root: the only place where objects are built."""

from __future__ import annotations

from chassis.chassis import Chassis
from chassis.clock import Clock
from chassis.directory import Directory
from chassis.kafka import Producer
from chassis.service import Service
from services.sharing import api, consumers
from services.sharing.clicklog import ClickLog
from services.sharing.links import Links
from services.sharing.parts import Sharing
from services.sharing.settings import SharingSettings
from services.sharing.spool import Spool
from services.sharing.store import Store
from services.sharing.targetcache import TargetCache


def build(settings: SharingSettings, *, clock: Clock | None = None) -> Service:
    """The service with its roles: `api`, `worker`, and `links`, the public redirect."""
    chassis = Chassis("sharing", settings, clock=clock)
    store = Store(chassis.mongo)
    directory = Directory(chassis.mongo)
    decisions = chassis.telemetry.meter.create_counter(
        "herald.sharing.guardrail.decisions", description="What the guardrails decided at shares, by verdict"
    )
    parts = Sharing(settings, chassis.clock, store, directory, decisions)

    def links() -> Links:
        spool = Spool(settings.spool_dir, max_bytes=settings.spool_bytes)
        # Many small batches: compressing each would cost visitors more than it saves on the way to the broker.
        producer = Producer(settings, compression=None)
        log = ClickLog(producer, spool, chassis.telemetry, timeout=settings.click_timeout)
        cache = TargetCache(store.posts, chassis.redis, settings)
        return Links(chassis, settings, chassis.clock, cache, log)

    async def ensure_indexes() -> None:
        await store.ensure_indexes()
        await directory.ensure_indexes()

    return Service(
        name="sharing",
        chassis=chassis,
        description="Posts, short links and what they bring.",
        router=api.router,
        parts=parts,
        principals=directory,
        consumer=consumers.consumer(parts),
        ensure_indexes=ensure_indexes,
        roles={"links": links},
    )
