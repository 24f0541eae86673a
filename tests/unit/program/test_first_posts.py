"""When somebody shared for the first time: a rule over any order of posts and what is taken back of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.program.domain import first_posts
from services.program.domain.first_posts import TOLD_FOR, FirstPost

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), max_size=20))
def test_the_first_post_is_the_one_with_which_some_stand(acts: list[tuple[bool, int]]) -> None:
    one, now = FirstPost("x", "p1", "lea"), NOW
    standing, told = 0, []
    for shares, days in acts:
        now += timedelta(days=days)
        before = one
        one = first_posts.shared(one, now) if shares else first_posts.removed(one)
        standing = standing + 1 if shares else max(standing - 1, 0)
        assert one.standing == standing
        assert (one.first_at is None) == (standing == 0)
        if shares and before.standing == 0:
            told.append(now)
            assert first_posts.is_news(one, now)
        elif standing:
            assert one.first_at == told[-1]  # a further one is not told
    if one.first_at is not None:
        assert not first_posts.is_news(one, one.first_at + TOLD_FOR)


def test_who_shared_with_another_product_shares_for_the_first_time_no_more() -> None:
    imported = first_posts.shared(FirstPost("x", "p1", "lea"), NOW - timedelta(days=400), imported=True)
    assert not first_posts.is_news(first_posts.shared(imported, NOW), NOW)
    later = first_posts.shared(FirstPost("x", "p1", "lea"), NOW)
    assert not first_posts.is_news(first_posts.shared(later, NOW - timedelta(days=400), imported=True), NOW)
