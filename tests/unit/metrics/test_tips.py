"""The tip of a week: what one's own posts say, and nothing that chance could have said."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chassis.days import week_of
from services.metrics.domain.tips import LEVEL, MIN_POSTS, MIN_RATIO, OwnPost, Side, tip_of

POSTS = st.builds(
    OwnPost,
    network=st.sampled_from(["linkedin", "x"]),
    clicks=st.integers(0, 40),
    kind=st.sampled_from([None, "article", "image", "video"]),
    edited=st.sampled_from([None, True, False]),
)


def posts(clicks: list[int], kind: str = "article", network: str = "linkedin") -> list[OwnPost]:
    return [OwnPost(network, one, kind, False) for one in clicks]


def test_what_brings_more_is_said_with_how_many_posts_say_it() -> None:
    found = tip_of(posts([6, 5, 7, 6, 8, 5, 6, 7], "image") + posts([2, 3, 1, 2, 3, 2, 1, 2, 2]))
    assert found is not None
    assert (found.about, found.network) == ("pictures", None)
    assert (found.better, found.other) == (Side(8, 6.2), Side(9, 2.0))


def test_the_network_that_brings_more_is_named() -> None:
    found = tip_of(posts([9, 8, 9, 7, 8, 9, 8, 9], network="x") + posts([1, 0, 1, 2, 1, 0, 1, 1]))
    assert found is not None
    assert (found.about, found.network, found.other.posts) == ("network", "x", 8)


def test_a_few_posts_say_nothing() -> None:
    assert tip_of(posts([50] * (MIN_POSTS - 1), "image") + posts([0] * 40)) is None
    assert tip_of([]) is None


def test_one_lucky_post_says_nothing() -> None:
    assert tip_of(posts([900, 1, 0, 1, 2, 1, 0, 1], "image") + posts([1, 0, 1, 2, 1, 0, 1, 1])) is None


def test_what_brings_less_is_no_tip() -> None:
    assert tip_of(posts([0] * 20, "image") + posts([9, 8, 7, 9, 8, 7, 9, 8, 9])) is None


@given(st.lists(POSTS, max_size=60))
def test_a_tip_keeps_its_promises_and_does_not_depend_on_the_order(found: list[OwnPost]) -> None:
    tip = tip_of(found)
    assert tip_of(random.Random(7).sample(found, len(found))) == tip
    if tip is not None:
        assert min(tip.better.posts, tip.other.posts) >= MIN_POSTS
        assert tip.better.clicks >= MIN_RATIO * tip.other.clicks - 0.2  # both are rounded
        assert tip.better.posts + tip.other.posts <= len(found)


@given(st.lists(st.integers(0, 30), min_size=8, max_size=40))
def test_the_same_clicks_everywhere_are_no_tip(clicks: list[int]) -> None:
    assert tip_of(posts(clicks, "image") + posts(clicks)) is None


def test_chance_alone_hardly_makes_a_tip() -> None:
    chance, told = random.Random(2026), 0
    for _ in range(400):
        drawn = [OwnPost(chance.choice(["x", "linkedin"]), int(chance.paretovariate(1.1)), None) for _ in range(40)]
        told += tip_of([replace(one, kind=chance.choice(["image", "article"])) for one in drawn]) is not None
    assert told / 400 <= LEVEL + 0.02


@given(st.dates())
def test_a_week_begins_on_its_monday(day: date) -> None:
    week = week_of(day)
    assert week.weekday() == 0
    assert timedelta(0) <= day - week < timedelta(days=7)
