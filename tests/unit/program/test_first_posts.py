"""When somebody shared for the first time: the same in whatever order posts and removals are heard of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from services.program.domain import first_posts
from services.program.domain.first_posts import KNOWN, TOLD_FOR, FirstPost

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
NOTHING = FirstPost("x", "p1", "lea")
Fact = tuple[str, int]
"""`shared`, `removed` or `imported`, and the number of a post: its day, and the order of its id."""
FACTS = st.lists(st.tuples(st.sampled_from(["shared", "removed"]), st.integers(0, 7)), max_size=12)


def heard(facts: list[Fact]) -> FirstPost:
    one = NOTHING
    for kind, number in facts:
        id, at = f"post-{number:02}", NOW + timedelta(days=number)
        if kind == "removed":
            one = first_posts.removed(one, id)
        else:
            one = first_posts.shared(one, id, at, imported=kind == "imported")
    return one


@given(FACTS, st.randoms(use_true_random=False), st.booleans())
def test_no_order_and_no_repetition_changes_what_is_known(facts: list[Fact], chance: Random, imported: bool) -> None:
    told = [*facts, ("imported", 9)] if imported else facts
    other = [*told, *told[:3]]
    chance.shuffle(other)
    assert heard(other) == heard(told)


@given(FACTS)
def test_the_first_post_is_the_earliest_that_stands(facts: list[Fact]) -> None:
    shared = {number for kind, number in facts if kind == "shared"}
    stand = sorted(shared - {number for kind, number in facts if kind == "removed"})
    found = heard(facts)
    assert found.first_at == (NOW + timedelta(days=stand[0]) if stand else None)
    if found.first_at is not None:
        assert first_posts.is_news(found, found.first_at)
        assert not first_posts.is_news(found, found.first_at + TOLD_FOR)
    assert not first_posts.is_news(heard([*facts, ("imported", 0)]), NOW)


def test_of_many_posts_the_first_are_kept() -> None:
    found = heard([("shared", number) for number in range(2 * KNOWN)])
    assert (len(found.posts), found.first_at) == (KNOWN, NOW)
    later = heard([("shared", number) for number in range(2 * KNOWN)] + [("removed", 2 * KNOWN - 1)])
    assert later == found
