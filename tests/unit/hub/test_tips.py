"""The tip on the start page: the same all week, from figures where they say something, and never more than they do."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.days import week_of
from services.hub.language import Language
from services.hub.tips import from_figures, general

WEEK = date(2026, 3, 2)
TIP = {
    "about": "pictures",
    "network": None,
    "better": {"posts": 12, "clicks": 6.25},
    "other": {"posts": 1200, "clicks": 0.0},
}


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("fr", "6,2 en moyenne avec image ou vidéo (12 publications), 0 sans (1\u202f200 publications)"),
        ("en", "6.2 on average with a picture or video (12 posts), 0 without (1,200 posts)"),
    ],
)
def test_figures_are_said_with_how_many_posts_they_are_from(code: str, said: str) -> None:
    tip = from_figures(Language(code), TIP)
    assert tip is not None
    assert said in tip.detail


def test_a_network_is_named_as_the_language_does() -> None:
    tip = from_figures(Language("fr"), {**TIP, "about": "network", "network": "linkedin"})
    assert tip is not None
    assert "Partagez plus souvent sur LinkedIn" in tip.text


def test_of_what_a_newer_service_says_nothing_is_said() -> None:
    assert from_figures(Language("fr"), {**TIP, "about": "moon_phase"}) is None


STEPS = st.lists(
    st.fixed_dictionaries(
        {
            "lesson_id": st.uuids().map(str),
            "completed_at": st.sampled_from([None, "2026-02-27T09:00:00.000Z", "2026-03-04T09:00:00.000Z"]),
        }
    ),
    max_size=12,
    unique_by=lambda one: one["lesson_id"],
)


@given(STEPS)
def test_a_lesson_that_is_completed_meanwhile_stays_the_tip_of_its_week(steps: list[dict[str, Any]]) -> None:
    before = general(steps, WEEK)
    after = [{**one, "completed_at": one["completed_at"] or "2026-03-05T10:00:00.000Z"} for one in steps]
    told = general(after, WEEK)
    assert (told and told["lesson_id"]) == (before and before["lesson_id"])
    new = [one for one in steps if one["completed_at"] is None]
    if new and before is not None:
        assert before["completed_at"] != "2026-02-27T09:00:00.000Z"


@given(STEPS.filter(bool), st.integers(0, 500))
def test_every_lesson_has_its_week(steps: list[dict[str, Any]], weeks: int) -> None:
    fresh = [{**one, "completed_at": None} for one in steps]
    told = {general(fresh, WEEK + timedelta(weeks=weeks + number))["lesson_id"] for number in range(len(fresh))}  # type: ignore[index]
    assert told == {one["lesson_id"] for one in fresh}
    assert week_of(WEEK + timedelta(days=6)) == WEEK
