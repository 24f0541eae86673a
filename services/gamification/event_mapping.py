"""What was booked, as the event that others subscribe to."""

from __future__ import annotations

from herald_contracts import PointsAwarded
from services.gamification.domain.ledger import Entry


def points_awarded(entry: Entry) -> PointsAwarded:
    return PointsAwarded(
        entry_id=entry.id,
        ambassador_id=entry.ambassador_id,
        program_id=entry.program_id,
        points=entry.points,
        rule=entry.rule,
        rule_version=entry.rule_version,
        cause_id=entry.cause_id,
        cause_type=entry.cause_type,
        reverses=entry.reverses,
        occurred_at=entry.occurred_at,
    )
