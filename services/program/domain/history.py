"""Past memberships from another product. They are over, and give no rights here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.program.domain.people import Membership

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class MembershipRow:
    """A person was an ambassador from `joined_at` until `left_at`; None: until the import."""

    id: str
    person_id: str
    joined_at: datetime
    left_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PastMembership:
    """A past membership as stored: from `joined_at` until `left_at`, exclusive."""

    id: str
    person_id: str
    program_id: str
    joined_at: datetime
    left_at: datetime
    source: str


class NotPast(ValueError):
    """The row breaks a rule of history."""

    def __init__(self, field: str, rule: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field
        self.rule = rule
        self.detail = detail


def end_of(row: MembershipRow, present: Membership | None, now: datetime) -> datetime:
    """When the membership ended: as the row says; else when the person joined here, or now. Raises NotPast."""
    for name, at in (("joined_at", row.joined_at), ("left_at", row.left_at)):
        if at is not None and at > now:
            raise NotPast(name, "future", "This has not happened yet.")
    if row.joined_at < EARLIEST:
        raise NotPast("joined_at", "too-early", f"Not before {EARLIEST.date()}.")
    if row.left_at is not None and row.left_at <= row.joined_at:
        raise NotPast("left_at", "order", "After joined_at.")
    end = row.left_at or now
    if present is not None and present.status == "joined":
        end = min(end, present.since - timedelta(milliseconds=1))
        if end <= row.joined_at:
            raise NotPast("joined_at", "overlaps", "This person was an ambassador here already.")
    return end


def overlaps(joined_at: datetime, left_at: datetime, others: Iterable[PastMembership]) -> bool:
    """Whether it overlaps a known membership."""
    return any(one.joined_at < left_at and joined_at < one.left_at for one in others)
