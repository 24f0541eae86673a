"""What commands and queries work with."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.clock import Clock
from chassis.directory import Directory
from chassis.mongo import Mongo
from services.gamification.leaderboard.reader import Leaderboard
from services.gamification.store.ledger import Ledger
from services.gamification.store.programmes import Programmes


@dataclass(frozen=True, slots=True)
class Parts:
    """Built once, in `app.py`."""

    clock: Clock
    mongo: Mongo
    directory: Directory
    programmes: Programmes
    ledger: Ledger
    leaderboard: Leaderboard
