"""Cohorts: who is in one, whatever order the events come in, and what is said of its members' first weeks."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain import cohorts
from services.metrics.domain.cohorts import CohortChange, Place, Step

START = date(2026, 3, 2)
LATE = START + timedelta(days=90)
LEAST = 5
FIVE = [f"p{number}" for number in range(LEAST)]
STEPS: st.SearchStrategy[Step] = st.sampled_from(["joined", "left", "withdrawn"])


def of(shared: dict[str, list[int]], *, people: list[str] = FIVE, today: date = LATE) -> cohorts.CohortFigures:
    """Everybody entered on the first day; shares are by day since."""
    days = {person: [START + timedelta(days=day) for day in some] for person, some in shared.items()}
    return cohorts.of_members(dict.fromkeys(people, START), [], days, today, LEAST)


@given(st.lists(st.tuples(st.integers(0, 5), STEPS), max_size=8), st.randoms())
def test_places_do_not_depend_on_the_order_of_arrival(steps: list[tuple[int, Step]], random: Random) -> None:
    changes = [CohortChange(at, f"{number:02}", step) for number, (at, step) in enumerate(steps)]
    expected = cohorts.place(changes)
    shuffled = [*changes, *changes]
    random.shuffle(shuffled)
    assert cohorts.place(shuffled) == expected
    last = max(changes, key=lambda one: (one.at, one.id), default=None)
    if last is None or last.step == "withdrawn":
        assert expected == Place()
    if last and last.step == "joined":
        assert expected.entered_at is not None
        assert not expected.left


def test_who_left_counts_still_and_who_is_back_entered_when_they_did_first() -> None:
    there, gone, back = CohortChange(1, "x", "joined"), CohortChange(2, "x", "left"), CohortChange(3, "x", "joined")
    assert cohorts.place([there, gone]) == Place(1, left=True)
    assert cohorts.place([there, gone, back]) == Place(1)
    assert cohorts.place([gone]) == Place()
    assert cohorts.place([there, CohortChange(2, "x", "withdrawn"), back]) == Place(3)


def test_participation_is_of_four_weeks_and_retention_of_the_fifth() -> None:
    found = of({"p0": [0, 28], "p1": [27, 34], "p2": [3, 35], "p3": [28], "p4": [1]})
    rate = found.participation
    assert (found.members, found.shared, rate.numerator, rate.denominator) == (5, 5, 4, 5)
    assert found.retention.status == "too_few"
    more = [*FIVE, "p5"]
    found = of({"p0": [0, 28], "p1": [27, 34], "p2": [3, 35], "p3": [28], "p4": [1], "p5": [2]}, people=more)
    assert (found.retention.numerator, found.retention.denominator) == (2, 5)
    estimate = found.retention.estimate
    assert estimate is not None
    assert estimate.low < estimate.value == 0.4 < estimate.high


@pytest.mark.parametrize(
    ("days", "participation", "retention"),
    [(27, "too_early", "too_early"), (28, "shown", "too_early"), (34, "shown", "too_early"), (35, "shown", "shown")],
)
def test_nothing_is_said_too_early(days: int, participation: str, retention: str) -> None:
    found = of({person: [0] for person in FIVE}, today=START + timedelta(days=days))
    assert (found.participation.status, found.retention.status) == (participation, retention)
    assert found.shared == LEAST


def test_nothing_is_said_of_fewer_than_make_a_group() -> None:
    found = of({person: [0, 28] for person in FIVE}, people=FIVE[:4])
    assert (found.members, found.left, found.shared) == (None, None, None)
    assert (found.participation.estimate, found.retention.estimate) == (None, None)
    assert cohorts.feedback(None, None, None, LEAST).status == "too_few"
    assert cohorts.feedback(LEAST, 3, 1, LEAST + 1).status == "too_few"


@given(
    shares=st.dictionaries(st.sampled_from(FIVE), st.lists(st.integers(0, 60), max_size=9)),
    newcomers=st.lists(st.integers(1, 60), max_size=20),
)
def test_what_was_observed_is_not_touched_by_who_comes_later(
    shares: dict[str, list[int]], newcomers: list[int]
) -> None:
    """Others who enter another cohort, or this one so late that their weeks are not over, change no rate."""
    today = START + timedelta(days=cohorts.KEPT_DAYS)
    before = of(shares, today=today)
    days = {person: [START + timedelta(days=day) for day in some] for person, some in shares.items()}
    entered = dict.fromkeys(FIVE, START)
    entered |= {f"new{n}": START + timedelta(days=7 + day) for n, day in enumerate(newcomers)}
    days |= {f"new{n}": [today] for n in range(len(newcomers))}
    after = cohorts.of_members(entered, [], days, today, LEAST)
    assert (after.participation, after.retention) == (before.participation, before.retention)


def test_feedback_has_an_interval_where_the_numbers_are_told() -> None:
    known = cohorts.feedback(40, 20, 10, LEAST)
    assert known.estimate is not None
    assert known.estimate.value == pytest.approx(25.0)
    assert -2 < known.estimate.low < 25 < known.estimate.high < 48
    assert cohorts.feedback(12, None, None, LEAST).status == "none"
    assert cohorts.compared(known, cohorts.NO_FEEDBACK) is None
    difference = cohorts.compared(known, cohorts.feedback(40, 15, 15, LEAST))
    assert difference is not None
    assert difference.value == pytest.approx(25.0)
    assert difference.low < 25 < difference.high
