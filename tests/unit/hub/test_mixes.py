"""The content mix that is wanted, against what was published."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.hub.mixes import balance, published_since


def test_what_is_missing_brings_each_category_to_what_is_wanted() -> None:
    found = balance({"jobs": 20, "company_news": 50, "sector_news": 30}, ["company_news"] * 8 + ["csr"] * 2)
    told = [(one.category, one.wanted, one.count, one.share, one.missing) for one in found.shares]
    assert told == [
        ("company_news", 50, 8, 0.8, 0), ("sector_news", 30, 0, 0.0, 3), ("jobs", 20, 0, 0.0, 2), ("csr", 0, 2, 0.2, 0),
    ]  # fmt: skip
    assert [one.category for one in found.missing] == ["sector_news", "jobs"]
    assert balance({"jobs": 100}, []).missing == []


@given(
    st.lists(st.integers(1, 100), min_size=1, max_size=6),
    st.lists(st.sampled_from("abcdefgh"), max_size=60),
)
def test_nothing_is_missing_of_what_has_its_share(weights: list[int], categories: list[str]) -> None:
    wanted = {name: 100 * weight // sum(weights) for name, weight in zip("abcdef", weights, strict=False)}
    found = balance(wanted, categories)
    assert sum(one.count for one in found.shares) == found.total == len(categories)
    for one in found.shares:
        exact = one.wanted * found.total / 100
        assert (one.missing > 0) == (exact - one.count >= 0.5)
        assert abs(one.count + one.missing - exact) <= 0.5 or one.count > exact


def test_four_weeks_are_counted_to_the_moment() -> None:
    since = datetime(2026, 3, 2, 9, tzinfo=UTC)
    items: list[dict[str, Any]] = [
        {"published_at": "2026-03-02T09:00:00Z"},
        {"published_at": "2026-03-02T08:59:59Z"},
        {"published_at": None},
    ]
    assert published_since(items, since) == items[:1]
