"""Shares of a group, with the interval in which they lie, and how two of them differ.

All intervals are of one kind, and hold for small groups and for shares near 0 and 1, where the usual
`± z * sqrt(p * (1 - p) / n)` does not:

- a share: the score interval (E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
  Journal of the American Statistical Association 22, 1927, 209-212);
- a difference: built of the intervals of its two parts (G. Y. Zou and A. Donner, "Construction of confidence limits
  about effect measures: a general approach", Statistics in Medicine 27, 2008, 1693-1702). Of two independent shares
  it is method 10 of R. G. Newcombe, "Interval estimation for the difference between independent proportions:
  comparison of eleven methods", Statistics in Medicine 17, 1998, 873-890.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Final, NamedTuple

LEVEL: Final = 0.95
Z: Final = NormalDist().inv_cdf(0.5 + LEVEL / 2)


class Estimate(NamedTuple):
    """A value, and between what it lies as likely as `LEVEL` says."""

    value: float
    low: float
    high: float


def share(part: int, whole: int) -> Estimate:
    """`part` of `whole`, from 0 to 1. Raises ValueError where there is no whole, or less than the part."""
    if not 0 <= part <= whole or not whole:
        raise ValueError(f"{part} of {whole}")
    p, spread = part / whole, Z * Z / whole
    middle = (p + spread / 2) / (1 + spread)
    half = Z * math.sqrt(p * (1 - p) / whole + spread / (4 * whole)) / (1 + spread)
    return Estimate(p, max(0.0, min(p, middle - half)), min(1.0, max(p, middle + half)))


def difference(one: Estimate, other: Estimate, correlation: float = 0.0) -> Estimate:
    """`one` less `other`; `correlation` is that of the two, 0 for groups that have nobody in common."""
    found = one.value - other.value

    def distance(mine: float, theirs: float) -> float:
        return math.sqrt(max(0.0, mine * mine + theirs * theirs - 2 * correlation * mine * theirs))

    return Estimate(
        found,
        found - distance(one.value - one.low, other.high - other.value),
        found + distance(one.high - one.value, other.value - other.low),
    )


def net_share(for_it: int, against: int, whole: int) -> Estimate:
    """The share of those for less that of those against, out of one group, from -1 to 1. Raises ValueError.

    The two shares of one group are correlated: by `-sqrt(p * q / ((1 - p) * (1 - q)))`, as in every multinomial
    distribution.
    """
    p, q = share(for_it, whole), share(against, whole)
    if for_it + against > whole:
        raise ValueError(f"{for_it} and {against} of {whole}")
    rest = (1 - p.value) * (1 - q.value)
    correlation = -math.sqrt(p.value * q.value / rest) if rest else 0.0
    found = difference(p, q, max(-1.0, correlation))
    return Estimate(found.value, max(-1.0, found.low), min(1.0, found.high))
