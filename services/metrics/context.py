"""What commands and queries are given."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.clock import Clock
from chassis.mongo import Mongo
from chassis.principals import PrincipalStore
from services.metrics.cohorts.store import Cohorts
from services.metrics.learning.store import LessonsCompleted
from services.metrics.live import Live
from services.metrics.paces import Paces
from services.metrics.store.facts import Store
from services.metrics.windows import Windows


@dataclass(frozen=True, slots=True)
class Context:
    """Built once, in `app.py`."""

    clock: Clock
    mongo: Mongo
    principals: PrincipalStore
    store: Store
    cohorts: Cohorts
    lessons: LessonsCompleted
    small_group: int
    windows: Windows
    paces: Paces
    live: Live
