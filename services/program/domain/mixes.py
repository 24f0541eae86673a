"""The content mix that a programme wants: its editorial line in figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from chassis.web.problems import Invalid

WHOLE: Final = 100


@dataclass(frozen=True, slots=True)
class Mix:
    """Percent of what is published by category; none where it wants none. `updated_at` is None where nothing was ever
    said."""

    program_id: str
    version: int
    shares: Mapping[str, int]
    updated_at: datetime | None = None


def no_mix(program_id: str) -> Mix:
    return Mix(program_id, 1, {})


def change_mix(before: Mix, shares: Mapping[str, int], now: datetime) -> Mix:
    """The mix with these shares, without those of nothing; the same object if nothing changes. Raises Invalid `shares`
    `not-whole` (`sum`, `whole`)."""
    kept = {category: share for category, share in shares.items() if share}
    if kept and (total := sum(kept.values())) != WHOLE:
        detail = f"The shares add up to {total} percent instead of {WHOLE}."
        raise Invalid.one("shares", "not-whole", detail, sum=total, whole=WHOLE)
    if kept == before.shares:
        return before
    return replace(before, version=before.version + 1, shares=kept, updated_at=now)
