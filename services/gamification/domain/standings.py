"""Who stands where on a leaderboard. A tie is a tie: equal scores share a rank, and the next rank is skipped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Scope = Literal["individual", "leaders", "team", "country"]
Group = Literal["team", "country"]


@dataclass(frozen=True, slots=True)
class Member:
    """An ambassador who may be ranked."""

    country: str
    team: str
    leader: bool


@dataclass(frozen=True, slots=True)
class Change:
    """A person whose standing may have changed: in one programme, or (None) in each."""

    person_id: str
    program_id: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """One line of a leaderboard. `id` is a person's id, or the name of a team or country."""

    rank: int
    id: str
    points: int


@dataclass(frozen=True, slots=True)
class GroupStanding:
    """A team or country, ranked by its points per head of its ambassadors, so that a small one can win."""

    rank: int
    id: str
    points: int
    ambassadors: int
    per_head: float


def ranked(scores: Sequence[tuple[str, int]], *, start: int, first_rank: int) -> list[Standing]:
    """Ranks of a stretch of a leaderboard: scores in descending order, from position `start` (0 is the top),
    given the rank of its first line."""
    found: list[Standing] = []
    for position, (id, points) in enumerate(scores, start):
        if not found:
            rank = first_rank
        elif points == found[-1].points:
            rank = found[-1].rank
        else:
            rank = position + 1
        found.append(Standing(rank, id, points))
    return found


def rank_groups(groups: Iterable[tuple[str, int, int]]) -> list[GroupStanding]:
    """Groups from (name, points, ambassadors), best first; those without points or ambassadors are left out."""
    scored = [(points / heads, name, points, heads) for name, points, heads in groups if points > 0 and heads > 0]
    scored.sort(key=lambda one: (-one[0], one[1]))
    found: list[GroupStanding] = []
    for position, (per_head, name, points, heads) in enumerate(scored, 1):
        tied = found and found[-1].per_head == per_head
        found.append(GroupStanding(found[-1].rank if tied else position, name, points, heads, per_head))
    return found
