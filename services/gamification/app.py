"""Where this service is put together."""

from __future__ import annotations

from chassis.clock import Clock
from chassis.consumer import Consumer
from chassis.principals import PrincipalStore
from chassis.runtime import Runtime
from chassis.service import Service
from services.gamification.api import router
from services.gamification.consumers import CONSUMERS
from services.gamification.context import Context
from services.gamification.leaderboard.cache import Cache
from services.gamification.leaderboard.keeper import Keeper
from services.gamification.leaderboard.reader import Leaderboard
from services.gamification.settings import GamificationSettings
from services.gamification.store.ledger import Ledger
from services.gamification.store.programmes import Programmes
from services.gamification.store.standings import Standings

DESCRIPTION = "Points, why they were given, and who stands where."


def build(settings: GamificationSettings, *, clock: Clock | None = None) -> Service:
    runtime = Runtime("gamification", settings, clock=clock)
    principals = PrincipalStore(runtime.mongo)
    programmes = Programmes(runtime.mongo)
    ledger = Ledger(runtime.mongo)
    standings = Standings(runtime.mongo)
    cache = Cache(runtime.redis, settings)
    reads = runtime.telemetry.meter.create_counter(
        "herald.leaderboard.reads", description="Leaderboards read, from the cache or from the database"
    )
    leaderboard = Leaderboard(cache, standings, runtime.clock, reads)
    context = Context(runtime.clock, runtime.mongo, principals, programmes, ledger, leaderboard)

    async def ensure_indexes() -> None:
        for store in (principals, programmes, ledger, standings):
            await store.ensure_indexes()

    return Service(
        name="gamification",
        runtime=runtime,
        description=DESCRIPTION,
        router=router,
        context=context,
        principals=principals,
        consumer=Consumer(context, CONSUMERS),
        jobs=[Keeper(cache, standings, runtime.clock).job],
        ensure_indexes=ensure_indexes,
    )
