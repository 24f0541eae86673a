"""`herald.metrics`: objectives that were reached. Owned by metrics, keyed by programme."""

from __future__ import annotations

from typing import ClassVar

from herald_contracts.base import Event, Id, Time
from herald_contracts.words import Kpi


class ObjectiveReached(Event):
    """A programme's figure met its objective's target for the first time."""

    type: ClassVar[str] = "herald.ObjectiveReached.v1"
    topic: ClassVar[str] = "herald.metrics"
    source: ClassVar[str] = "/herald/metrics"
    key: ClassVar[str] = "program_id"
    subject: ClassVar[str] = "objective_id"

    objective_id: Id
    program_id: Id
    kpi: Kpi
    target: float
    value: float
    occurred_at: Time
