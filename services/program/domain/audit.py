"""The audit trail as an administrator searches it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Change:
    """A field before and after; both None where they are `withheld`."""

    field: str
    before: str | None = None
    after: str | None = None
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class Act:
    """One administrative act, as the service in which it was done told of it."""

    id: str
    service: str
    act: str
    actor_id: str
    object_type: str
    object_id: str
    occurred_at: datetime
    session: str | None = None
    program_id: str | None = None
    changes: Sequence[Change] = ()


@dataclass(frozen=True, slots=True)
class ActFilter:
    """Which acts; None means any. `since` is included, `until` is not."""

    service: str | None = None
    act: str | None = None
    actor_id: str | None = None
    object_type: str | None = None
    object_id: str | None = None
    program_id: str | None = None
    session: str | None = None
    since: datetime | None = None
    until: datetime | None = None


COLUMNS = (
    "occurred_at", "service", "act", "actor_id", "session", "object_type", "object_id", "program_id", "field",
    "before", "after", "withheld", "id",
)  # fmt: skip
"""The columns of an export: a line for each field that an act changed, one for an act that changed none."""


def exported(act: Act) -> list[list[str | bool | None]]:
    """An act's lines of an export."""
    return [
        [
            act.occurred_at.isoformat(),
            act.service,
            act.act,
            act.actor_id,
            act.session,
            act.object_type,
            act.object_id,
            act.program_id,
            change.field,
            change.before,
            change.after,
            change.withheld,
            act.id,
        ]
        for change in act.changes or [Change("")]
    ]
