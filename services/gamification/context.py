"""What commands and queries are given."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.clock import Clock
from chassis.mongo import Mongo
from chassis.principals import PrincipalStore
from services.gamification.leaderboard.reader import Leaderboard
from services.gamification.store.ledger import Ledger
from services.gamification.store.programs import Programs
from services.gamification.store.rebuilds import Rebuilds


@dataclass(frozen=True, slots=True)
class Context:
    """Built once, in `app.py`."""

    clock: Clock
    mongo: Mongo
    principals: PrincipalStore
    programs: Programs
    ledger: Ledger
    rebuilds: Rebuilds
    leaderboard: Leaderboard
