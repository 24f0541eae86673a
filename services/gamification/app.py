"""Where this service is put together."""

from __future__ import annotations

from chassis.chassis import Chassis
from chassis.clock import Clock
from chassis.directory import Directory
from chassis.service import Service
from services.gamification.api import router
from services.gamification.consumers import consumer
from services.gamification.leaderboard.cache import Cache
from services.gamification.leaderboard.keeper import Keeper
from services.gamification.leaderboard.reader import Leaderboard
from services.gamification.parts import Parts
from services.gamification.settings import GamificationSettings
from services.gamification.store.ledger import Ledger
from services.gamification.store.programmes import Programmes
from services.gamification.store.standings import Standings

DESCRIPTION = "Points, why they were given, and who stands where."


def build(settings: GamificationSettings, *, clock: Clock | None = None) -> Service:
    chassis = Chassis("gamification", settings, clock=clock)
    directory = Directory(chassis.mongo)
    programmes = Programmes(chassis.mongo)
    ledger = Ledger(chassis.mongo)
    standings = Standings(chassis.mongo)
    cache = Cache(chassis.redis, settings)
    reads = chassis.telemetry.meter.create_counter(
        "herald.leaderboard.reads", description="Leaderboards read, from the cache or from the database"
    )
    leaderboard = Leaderboard(cache, standings, chassis.clock, reads)
    parts = Parts(chassis.clock, chassis.mongo, directory, programmes, ledger, leaderboard)

    async def ensure_indexes() -> None:
        for store in (directory, programmes, ledger, standings):
            await store.ensure_indexes()

    return Service(
        name="gamification",
        chassis=chassis,
        description=DESCRIPTION,
        router=router,
        parts=parts,
        principals=directory,
        consumer=consumer(parts),
        jobs=[Keeper(cache, standings, chassis.clock).job],
        ensure_indexes=ensure_indexes,
    )
