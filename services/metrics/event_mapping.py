"""What was found here, as the event that others subscribe to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from herald_contracts import ObjectiveReached


def objective_reached(objective: Mapping[str, Any], value: float, now: datetime) -> ObjectiveReached:
    return ObjectiveReached(
        objective_id=objective["_id"],
        program_id=objective["program_id"],
        kpi=objective["kpi"],
        target=objective["target"],
        value=value,
        occurred_at=now,
    )
