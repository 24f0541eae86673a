"""Where gamification is put together."""

from __future__ import annotations

from chassis.clock import Clock
from chassis.consumer import Consumer
from chassis.principals import PrincipalStore
from chassis.runtime import Runtime
from chassis.service import Service
from services.gamification.api import router
from services.gamification.consumers import CONSUMERS
from services.gamification.context import Context
from services.gamification.jobs import jobs
from services.gamification.leaderboard.cache import Cache
from services.gamification.leaderboard.reader import Leaderboard
from services.gamification.leaderboard.updater import BoardUpdater
from services.gamification.settings import GamificationSettings
from services.gamification.store.ledger import Ledger
from services.gamification.store.programs import Programs
from services.gamification.store.rebuilds import Rebuilds
from services.gamification.store.standings import Standings

DESCRIPTION = "Points, why they were given, and who stands where."


def build(settings: GamificationSettings, *, clock: Clock | None = None) -> Service:
    """The service, nothing connected yet."""
    runtime = Runtime("gamification", settings, clock=clock)
    standings = Standings(runtime.mongo)
    cache = Cache(runtime.redis, settings)
    reads = runtime.telemetry.meter.create_counter(
        "herald.leaderboard.reads", description="Leaderboards read, from the cache or from the database"
    )
    context = Context(
        clock=runtime.clock,
        mongo=runtime.mongo,
        principals=PrincipalStore(runtime.mongo),
        programs=Programs(runtime.mongo),
        ledger=Ledger(runtime.mongo),
        rebuilds=Rebuilds(runtime.mongo),
        leaderboard=Leaderboard(cache, standings, runtime.clock, reads),
    )

    async def ensure_indexes() -> None:
        for store in (context.principals, context.programs, context.ledger, context.rebuilds, standings):
            await store.ensure_indexes()

    return Service(
        name="gamification",
        runtime=runtime,
        description=DESCRIPTION,
        router=router,
        context=context,
        principals=context.principals,
        consumer=Consumer(context, CONSUMERS),
        jobs=jobs(context, BoardUpdater(cache, standings, runtime.clock)),
        ensure_indexes=ensure_indexes,
    )
