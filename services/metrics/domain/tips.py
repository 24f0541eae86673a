"""A tip from a person's own posts: what of theirs brought more, where enough posts say so and chance would hardly.

Of each post its counted clicks of its first `CLICKS_WITHIN` count, so that an old post has no advantage, and a post is
looked at once these are over. A comparison is drawn where

- each side has `MIN_POSTS` posts,
- the mean of the better side is `MIN_RATIO` times that of the other,
- a one-sided rank-sum test (H. B. Mann and D. R. Whitney, "On a test of whether one of two random variables is
  stochastically larger than the other", 1947; normal approximation, corrected for ties and continuity) gives a chance
  below `LEVEL`, divided by the number of comparisons that were looked at (Bonferroni).

Clicks per post are skewed, which is why ranks are compared and not means.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import NormalDist, fmean
from typing import Final, Literal

About = Literal["pictures", "own_words", "network"]
PICTURES: Final = frozenset(("image", "video", "infographic"))
"""Kinds of items of which there is something to see."""
MIN_POSTS: Final = 8
MIN_RATIO: Final = 1.5
LEVEL: Final = 0.05
CLICKS_WITHIN: Final = timedelta(days=7)
LOOKED_BACK: Final = timedelta(weeks=26)


@dataclass(frozen=True, slots=True)
class OwnPost:
    """A post, and the counted clicks of its first days. `kind` is that of its item, `edited` says whether the words
    were one's own; None where it is not known."""

    network: str
    clicks: int
    kind: str | None = None
    edited: bool | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """Posts that are alike: how many, and the mean of their clicks."""

    posts: int
    clicks: float


@dataclass(frozen=True, slots=True)
class Tip:
    """What brought more. `network` is the one that did, of `about` `network`."""

    about: About
    better: Side
    other: Side
    network: str | None = None


def tip_of(posts: Sequence[OwnPost]) -> Tip | None:
    """What the posts say most clearly; None where they say nothing that chance could not have said too."""
    compared = [one for one in _comparisons(posts) if min(len(one[2]), len(one[3])) >= MIN_POSTS]
    found: list[tuple[float, Tip]] = []
    for about, network, better, other in compared:
        sides = Side(len(better), round(fmean(better), 1)), Side(len(other), round(fmean(other), 1))
        chance = _chance(better, other)
        if chance < LEVEL / len(compared) and fmean(better) >= MIN_RATIO * fmean(other):
            found.append((chance, Tip(about, *sides, network)))
    return min(found, key=lambda one: one[0])[1] if found else None


def _comparisons(posts: Sequence[OwnPost]) -> Iterator[tuple[About, str | None, list[int], list[int]]]:
    known = [one for one in posts if one.kind is not None]
    yield "pictures", None, *_split([(one.kind in PICTURES, one.clicks) for one in known])
    worded = [one for one in posts if one.edited is not None]
    yield "own_words", None, *_split([(bool(one.edited), one.clicks) for one in worded])
    for network in sorted({one.network for one in posts}):
        yield "network", network, *_split([(one.network == network, one.clicks) for one in posts])


def _split(posts: Sequence[tuple[bool, int]]) -> tuple[list[int], list[int]]:
    return [clicks for so, clicks in posts if so], [clicks for so, clicks in posts if not so]


def _chance(better: Sequence[int], other: Sequence[int]) -> float:
    """How likely ranks would be so much higher on the one side if there were no difference (one-sided)."""
    n, m = len(better), len(other)
    ties = Counter([*better, *other])
    ranks: dict[int, float] = {}
    below = 0
    for value in sorted(ties):
        ranks[value] = below + (ties[value] + 1) / 2
        below += ties[value]
    u = sum(ranks[one] for one in better) - n * (n + 1) / 2
    whole = n + m
    tied = sum(count**3 - count for count in ties.values()) / (whole * (whole - 1))
    variance = n * m / 12 * (whole + 1 - tied)
    if variance <= 0:
        return 1.0
    return 1 - NormalDist().cdf((u - n * m / 2 - 0.5) / math.sqrt(variance))
