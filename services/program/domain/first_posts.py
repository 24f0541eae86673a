"""When somebody shared in a programme for the first time: what they took back does not count."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

TOLD_FOR: Final = timedelta(days=7)
"""How long the programme's ambassadors are told of a leader's first share."""


@dataclass(frozen=True, slots=True)
class FirstPost:
    """Of one person in one programme: how many of their posts stand, and when the first of these was shared.
    `imported` says that they had shared with another product before, which is nothing new."""

    id: str
    program_id: str
    person_id: str
    standing: int = 0
    first_at: datetime | None = None
    imported: bool = False


def shared(before: FirstPost, at: datetime, *, imported: bool = False) -> FirstPost:
    """After a further post."""
    first = at if not before.standing or before.first_at is None else min(before.first_at, at)
    return replace(before, standing=before.standing + 1, first_at=first, imported=before.imported or imported)


def removed(before: FirstPost) -> FirstPost:
    """After one was taken back: with none left, the next one is the first again."""
    standing = max(before.standing - 1, 0)
    return replace(before, standing=standing, first_at=before.first_at if standing else None)


def is_news(post: FirstPost, now: datetime) -> bool:
    """Whether it is told now."""
    return not post.imported and post.first_at is not None and post.first_at > now - TOLD_FOR
