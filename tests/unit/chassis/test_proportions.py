"""Intervals of shares and of their differences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.proportions import difference, net_share, share

GROUPS = st.integers(1, 400).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole)))


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (29, 29, 0.8830, 1.0)],
)
def test_a_share_has_the_score_interval(part: int, whole: int, low: float, high: float) -> None:
    """Values of R. G. Newcombe, "Two-sided confidence intervals for the single proportion", 1998."""
    found = share(part, whole)
    assert found == pytest.approx((part / whole, low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((5, 56), (0, 29), -0.0381, 0.1926),
    ],
)
def test_a_difference_has_the_interval_of_newcombe(
    one: tuple[int, int], other: tuple[int, int], low: float, high: float
) -> None:
    """Values of its table II, method 10."""
    found = difference(share(*one), share(*other))
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


@given(GROUPS, GROUPS)
def test_a_value_lies_in_its_interval_and_a_difference_turns_around(
    one: tuple[int, int], other: tuple[int, int]
) -> None:
    mine, theirs = share(*one), share(*other)
    assert 0 <= mine.low <= mine.value <= mine.high <= 1
    there, back = difference(mine, theirs), difference(theirs, mine)
    assert there.low <= there.value <= there.high
    assert there == pytest.approx((-back.value, -back.high, -back.low))
    wider = share(one[0] * 4, one[1] * 4)
    assert wider.high - wider.low < mine.high - mine.low


@given(st.tuples(st.integers(0, 90), st.integers(0, 90), st.integers(0, 90)).filter(any))
def test_a_net_share_is_wider_than_its_parts_would_be_apart(counts: tuple[int, int, int]) -> None:
    """Whoever is for it is not against it: the two move against each other."""
    pro, con, rest = counts
    whole = pro + con + rest
    found = net_share(pro, con, whole)
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert found.value == pytest.approx((pro - con) / whole)
    apart = difference(share(pro, whole), share(con, whole))
    assert found.low <= max(-1.0, apart.low) + 1e-12
    if pro and con and rest and found.low > -1:
        assert found.low < apart.low
    turned = net_share(con, pro, whole)
    assert found == pytest.approx((-turned.value, -turned.high, -turned.low))


@pytest.mark.parametrize(("part", "whole"), [(1, 0), (3, 2), (-1, 2), (0, 0)])
def test_no_share_of_nothing(part: int, whole: int) -> None:
    with pytest.raises(ValueError, match="of"):
        share(part, whole)
    with pytest.raises(ValueError, match="of"):
        net_share(2, 2, 3)
