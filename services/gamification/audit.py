"""What the audit trail tells of the things of this service."""

from __future__ import annotations

from chassis.audit import Audited
from services.gamification.domain.rebuilds import Rebuild
from services.gamification.domain.rules import RuleSet

RULES = Audited(
    "rules",
    RuleSet,
    shown=("version", "valid_from", "rules", "imported_since"),
    left_out=("changed_by", "changed_at"),
)
REBUILD = Audited(
    "rebuild",
    Rebuild,
    shown=("state",),
    left_out=(
        "id",
        "program_id",
        "requested_by",
        "requested_at",
        "phase",
        "position",
        "expected",
        "ambassadors",
        "entries",
        "corrected",
        "finished_at",
    ),
)
