"""Small groups: figures of a handful of people are figures of persons, and are not shown."""

from __future__ import annotations

from collections.abc import Mapping

SMALLEST_GROUP = 5


def too_small(size: int) -> bool:
    """Whether a group of that many enrolled ambassadors has no figures of its own."""
    return size < SMALLEST_GROUP


def hidden(sizes: Mapping[str, int]) -> set[str]:
    """Which groups of a breakdown to hide: the small ones; and where that is one alone, the smallest of the
    others too, since the total less what is shown would give it away."""
    small = {group for group, size in sizes.items() if too_small(size)}
    others = sorted((size, group) for group, size in sizes.items() if group not in small)
    if len(small) == 1 and others:
        small.add(others[0][1])
    return small
