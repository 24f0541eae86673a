"""Progress of objectives: their share, where the pace leads, and how sure that is."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from herald_contracts.words import ACTS, KPIS
from services.metrics.domain.definitions import DEFINITIONS
from services.metrics.domain.figures import ACTS_OF, of_acts
from services.metrics.domain.objectives import (
    FIGURES,
    PACE_DAYS,
    Pace,
    Progress,
    Standing,
    _t_quantile,
    before,
    measured_baseline,
    progress,
)
from services.metrics.domain.periods import Period

START = date(2026, 1, 1)
TEN_WEEKS = Period(START, START + timedelta(days=69))


def day(number: int) -> date:
    return START + timedelta(days=number - 1)


def of_sum(days: list[float], *, target: float, today_too: float = 0, period: Period = TEN_WEEKS) -> Progress:
    """Of what adds up: so much on each whole day."""
    total = sum(days) + today_too
    pace = Pace(sum(days), len(days), days[-PACE_DAYS:])
    return progress(
        Standing(total, total), baseline=0, target=target, period=period, today=day(len(days) + 1), pace=pace
    )


def interval(found: Progress) -> tuple[float, float]:
    assert found.low is not None
    assert found.high is not None
    return found.low, found.high


def test_each_kpi_is_a_figure_with_a_definition() -> None:
    assert set(FIGURES) == set(KPIS)
    assert set(FIGURES.values()) <= set(DEFINITIONS)


def test_every_act_beside_sharing_is_of_one_kpi() -> None:
    """But for speaking at an event: whoever spoke was there."""
    counted = [act for some in ACTS_OF.values() for act in some]
    assert sorted([*counted, "event_speaker"]) == sorted(ACTS)
    found = of_acts({"talk": 2, "podcast": 1, "hire": 1, "stand_up": 5})
    assert {name: found[name]["value"] for name in ("acts", *ACTS_OF)} == {
        "acts": 9, "expert_acts": 3, "referrals": 0, "hires": 1, "event_attendances": 0,
    }  # fmt: skip


def test_a_steady_pace_leads_where_it_leads_and_counts_are_never_certain() -> None:
    found = of_sum([10.0] * 30, target=750, today_too=4)
    assert (found.value, found.share, found.days_left) == (304, round(304 / 750, 6), 40)
    assert found.forecast == 700
    low, high = interval(found)
    assert 650 < low < 700 < high < 750
    assert (found.outlook, found.pace) == ("unlikely", 10)
    assert found.needed == round((750 - 304) / 40, 4)


@pytest.mark.parametrize(("target", "outlook"), [(600, "likely"), (700, "open"), (900, "unlikely"), (200, "reached")])
def test_the_outlook_is_where_the_target_lies(target: float, outlook: str) -> None:
    assert of_sum([10.0] * 30, target=target).outlook == outlook


def test_days_on_which_nothing_happened_are_not_certain() -> None:
    low, high = interval(of_sum([0.0] * 30, target=50))
    assert (low, high > 1) == (0, True)


def test_the_pace_is_that_of_the_last_four_weeks() -> None:
    assert of_sum([100.0] * 10 + [1.0] * 28, target=2_000).forecast == 1_000 + 28 + 32


@pytest.mark.parametrize(("days", "first"), [(90, 7), (28, 7), (10, 3), (4, 2), (2, 2), (1, 2)])
def test_few_days_foretell_nothing(days: int, first: int) -> None:
    period = Period(START, day(days))
    for passed in range(days):
        found = of_sum([10.0] * passed, target=100, period=period)
        assert (found.forecast is None) == (passed < first), passed
        assert (found.low is None) == (found.high is None) == (found.pace is None) == (found.forecast is None)


def test_what_is_over_has_no_forecast_and_what_has_not_begun_neither() -> None:
    over = of_sum([10.0] * 70, target=900)
    assert (over.ended, over.days_left, over.forecast, over.outlook) == (True, 0, None, None)
    ahead = progress(
        Standing(0, 0), baseline=0, target=9, period=TEN_WEEKS, today=START - timedelta(days=9), pace=Pace(0, 0, ())
    )
    assert (ahead.ended, ahead.days_left, ahead.forecast) == (False, 70, None)


def test_people_are_compared_with_the_baseline_and_are_no_more_than_there_are() -> None:
    pace = Pace(40, 20, [2.0] * 20)
    common: dict[str, Any] = {"period": TEN_WEEKS, "today": day(21), "pace": pace}
    found = progress(Standing(0.4, 40, 100, rate=True), baseline=0.2, target=0.6, **common)
    assert (found.share, found.forecast, found.high) == (0.5, 1.0, 1.0)
    assert found.needed == round(20 / 50, 4)
    below = progress(Standing(0.1, 10, 100, rate=True), baseline=0.2, target=0.6, **common)
    assert below.share == 0
    nobody = progress(
        Standing(0, 0, 0, rate=True), baseline=0, target=0.5, **{**common, "pace": Pace(0, 20, [0.0] * 20)}
    )
    assert (nobody.share, nobody.forecast) == (0, 0)


@given(st.lists(st.integers(0, 50), min_size=7, max_size=69), st.integers(1, 5_000), st.integers(0, 50))
def test_a_forecast_lies_in_its_interval_and_not_below_what_is_there(days: list[int], target: int, today: int) -> None:
    found = of_sum([float(one) for one in days], target=target, today_too=today)
    low, high = interval(found)
    assert found.forecast is not None
    assert found.value <= low <= found.forecast <= high


def test_the_interval_holds_as_often_as_it_says() -> None:
    """Days that are alike and independent: the end lies in the interval in about four of five cases."""
    chance, held, tries = random.Random(20), 0, 600
    for _ in range(tries):
        days = [float(sum(chance.random() < 0.2 for _ in range(40))) for _ in range(70)]
        found = of_sum(days[:28], target=10**6)
        low, high = interval(found)
        held += low <= sum(days) <= high
    assert 0.75 < held / tries < 0.9


@pytest.mark.parametrize(("freedom", "expected"), [(1, 3.078), (2, 1.886), (3, 1.638), (6, 1.440), (27, 1.314)])
def test_the_quantiles_are_those_of_the_tables(freedom: int, expected: float) -> None:
    assert _t_quantile(0.9, freedom) == pytest.approx(expected, abs=0.004)


def test_a_baseline_is_of_as_many_days_before_as_there_are() -> None:
    period = Period(day(61), day(90))
    assert before(period, day(61), START) == Period(day(31), day(60))
    assert before(period, day(50), START) == Period(day(20), day(49))
    assert before(period, day(61), day(40)) == Period(day(40), day(60))
    assert before(period, day(61), day(48)) is None
    assert before(period, day(61), None) is None
    assert before(Period(day(61), day(63)), day(61), day(58)) == Period(day(58), day(60))


def test_what_adds_up_is_brought_to_the_length_of_the_period() -> None:
    measured, period = Period(day(40), day(60)), Period(day(61), day(102))
    assert measured_baseline("shares", 210, measured, period) == 420
    assert measured_baseline("participation_rate", 0.2, measured, period) == 0.2
