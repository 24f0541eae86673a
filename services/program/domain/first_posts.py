"""When somebody shared in a programme for the first time: what they took back does not count, and whoever shared with
another product before never does.

Of each person the first posts are known, by the order of their ids, which is that of their time. What is heard of them
in another order, or twice, gives the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

TOLD_FOR: Final = timedelta(days=7)
"""How long the programme's ambassadors are told of a leader's first share."""
KNOWN: Final = 10
"""Posts of a person that are kept."""


@dataclass(frozen=True, slots=True)
class Shared:
    """A post; `at` is None while only its removal is known."""

    at: datetime | None = None
    removed: bool = False


@dataclass(frozen=True, slots=True)
class FirstPost:
    """The first posts of a person in a programme by their ids, and when the first that stands was shared; None for
    none. `imported` says that they shared with another product before."""

    id: str
    program_id: str
    person_id: str
    posts: Mapping[str, Shared] = field(default_factory=dict)
    imported: bool = False
    first_at: datetime | None = None


def shared(before: FirstPost, post_id: str, at: datetime, *, imported: bool = False) -> FirstPost:
    """With a post; one that is known changes nothing."""
    if imported:
        return replace(before, imported=True, first_at=None)
    return _with(before, post_id, replace(before.posts.get(post_id, Shared()), at=at))


def removed(before: FirstPost, post_id: str) -> FirstPost:
    """With a post that was taken back, whether it is known or not."""
    return _with(before, post_id, replace(before.posts.get(post_id, Shared()), removed=True))


def is_news(post: FirstPost, now: datetime) -> bool:
    """Whether it is told now."""
    return post.first_at is not None and post.first_at > now - TOLD_FOR


def _with(before: FirstPost, post_id: str, post: Shared) -> FirstPost:
    posts = dict(sorted({**before.posts, post_id: post}.items())[:KNOWN])
    stand = [one.at for one in posts.values() if one.at is not None and not one.removed]
    return replace(before, posts=posts, first_at=None if before.imported else min(stand, default=None))
