"""`herald.recognition`: points of ambassadors. Owned by gamification, keyed by ambassador."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from herald_contracts.base import Event, Id, Label, Time
from herald_contracts.words import Rule


class PointsAwarded(Event):
    """One entry of the points ledger; a reversal has negative points and names the entry it reverses."""

    type: ClassVar[str] = "herald.PointsAwarded.v1"
    topic: ClassVar[str] = "herald.recognition"
    source: ClassVar[str] = "/herald/gamification"
    key: ClassVar[str] = "ambassador_id"
    subject: ClassVar[str] = "ambassador_id"

    entry_id: Id
    ambassador_id: Id
    program_id: Id
    points: int
    rule: Rule
    rule_version: int = Field(ge=1)
    cause_id: Id = Field(description="ce_id of the event that earned it")
    cause_type: Label
    reverses: Id | None = None
    occurred_at: Time = Field(description="When the act happened, not when it was booked")
