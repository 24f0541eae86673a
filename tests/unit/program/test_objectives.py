"""Objectives: what they may say, and the states that they go through."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.web.problems import Conflict, Invalid
from services.program.domain.objectives import (
    Objective,
    change_objective,
    new_objective,
    reopen_objective,
    review_objective,
    withdraw_objective,
)

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
GOAL: dict[str, Any] = {
    "use_case": "recruiting",
    "kpi": "clicks",
    "baseline": 0.0,
    "target": 20_000.0,
    "starts_on": date(2026, 3, 1),
    "ends_on": date(2026, 12, 31),
}
ZONE = "Pacific/Auckland"


def objective(**values: Any) -> Objective:
    return new_objective("o", "prog", NOW, **{**GOAL, **values})


def test_an_objective_has_versions_and_the_same_again_is_none() -> None:
    one = objective()
    assert (one.id, one.version, one.updated_at, one.state) == ("o", 1, NOW, "open")
    assert change_objective(one, LATER, **GOAL) is one
    two = change_objective(one, LATER, **{**GOAL, "target": 30_000.0})
    assert (two.id, two.version, two.updated_at, two.target) == ("o", 2, LATER, 30_000.0)


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"ends_on": date(2026, 2, 28)}, "ends_on", "before-start"),
        ({"kpi": "participation_rate", "target": 1.5}, "target", "above-one"),
        ({"kpi": "leader_participation", "target": 1.01}, "target", "above-one"),
        ({"baseline": 20_000.0}, "target", "not-above-baseline"),
    ],
)
def test_an_objective_that_makes_no_sense_is_invalid(changes: dict[str, Any], field: str, rule: str) -> None:
    with pytest.raises(Invalid) as raised:
        objective(**changes)
    assert [(error.field, error.rule) for error in raised.value.errors] == [(field, rule)]
    with pytest.raises(Invalid) as raised:
        change_objective(objective(), LATER, **changes)
    assert [(error.field, error.rule) for error in raised.value.errors] == [(field, rule)]


def test_it_is_reviewed_from_the_day_after_its_last_one_in_the_programmes_zone() -> None:
    one = objective(ends_on=date(2026, 3, 2))
    before, after = datetime(2026, 3, 2, 10, 59, tzinfo=UTC), datetime(2026, 3, 2, 11, tzinfo=UTC)
    with pytest.raises(Conflict) as raised:
        review_objective(one, "Ask earlier.", "ann", ZONE, before)
    assert raised.value.type == "objective-not-over"
    reviewed = review_objective(one, "Ask earlier.", "ann", ZONE, after)
    assert (reviewed.state, reviewed.learned, reviewed.reviewed_by) == ("reviewed", "Ask earlier.", "ann")
    assert review_objective(reviewed, "Ask earlier.", "bob", ZONE, LATER + timedelta(days=9)) is reviewed
    again = review_objective(reviewed, "Ask at once.", "bob", ZONE, LATER + timedelta(days=9))
    assert (again.version, again.learned, again.reviewed_by) == (reviewed.version + 1, "Ask at once.", "bob")


ACTS: dict[str, Callable[[Objective, datetime], Objective]] = {
    "change": lambda one, now: change_objective(one, now, target=one.target + 1),
    "review": lambda one, now: review_objective(one, str(one.version), "ann", "UTC", now),
    "withdraw": withdraw_objective,
    "reopen": reopen_objective,
}
MOVES = {("open", "review"): "reviewed", ("open", "withdraw"): "withdrawn", ("withdrawn", "reopen"): "open"}
REFUSED = {("withdrawn", "change"), ("withdrawn", "review"), *(("reviewed", one) for one in ACTS if one != "review")}


@given(st.lists(st.sampled_from(sorted(ACTS)), max_size=12))
def test_states_follow_from_acts_and_each_change_is_a_version(acts: list[str]) -> None:
    one, now = objective(ends_on=date(2026, 3, 1)), NOW + timedelta(days=2)
    for act in acts:
        if (one.state, act) in REFUSED:
            with pytest.raises(Conflict) as raised:
                ACTS[act](one, now)
            assert raised.value.type == "objective-closed"
            continue
        after = ACTS[act](one, now)
        assert after.state == MOVES.get((one.state, act), one.state)
        assert after.version - one.version == (after is not one)
        assert ACTS[act](after, now) is after or act in ("change", "review")
        one = after
