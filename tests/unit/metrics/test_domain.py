"""The figures' rules: days, counts, value, objectives, definitions."""

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from herald_contracts import words
from services.metrics.domain.counts import (
    FIELDS,
    VERDICTS,
    Counts,
    fields_of,
    ratio,
    shown_apart,
)
from services.metrics.domain.definitions import DEFINITIONS
from services.metrics.domain.enrolments import MembershipChange, intervals
from services.metrics.domain.figures import Tally
from services.metrics.domain.periods import Period, day_of, last_days
from services.metrics.domain.value import DEFAULT_RATES, Rates, RateTable, doubly_paid, to_cents

WORDS = st.sampled_from(
    [*words.VERDICTS, *words.ENGAGEMENT_KINDS, *words.MEASURES, "shares", "like_estimated"]
) | st.from_regex(words.PATTERN, fullmatch=True)
acts = st.lists(
    st.tuples(
        st.sampled_from(["click", "like", "comment", "repost", "impression"]),
        st.sampled_from(VERDICTS),
        st.integers(1, 9),
    )
)


def counted(entries: list[tuple[str, str, int]], measure: str = "measured") -> Counts:
    flat: dict[str, int] = defaultdict(int)
    for kind, verdict, quantity in entries:
        for name in fields_of(kind, verdict, measure):
            flat[name] += quantity
    return Counts.of_fields(flat)


@given(acts, acts)
def test_counts_add_up_however_they_are_split(
    first: list[tuple[str, str, int]], second: list[tuple[str, str, int]]
) -> None:
    merged = counted(first)
    merged.merge(counted(second))
    assert merged.fields() == counted(first + second).fields()
    assert Counts.of_fields(merged.fields()).fields() == merged.fields()
    assert set(merged.fields()) <= set(FIELDS)


@given(acts)
def test_what_was_imported_counts_like_what_was_measured_and_apart(entries: list[tuple[str, str, int]]) -> None:
    measured, imported = counted(entries), counted(entries, "imported")
    assert imported.engagements == measured.engagements
    assert imported.clicks == measured.clicks
    assert imported.imported("like", "comment", "repost") == measured.engagements - measured.clicks_counted
    assert imported.imported("click") == measured.clicks_raw
    assert measured.imported("click", "like", "comment", "repost", "impression") == 0


@given(acts)
def test_raw_clicks_are_the_sum_of_the_verdicts(entries: list[tuple[str, str, int]]) -> None:
    found = counted(entries)
    assert found.clicks_raw == sum(quantity for kind, _, quantity in entries if kind == "click")
    assert found.clicks_counted <= found.clicks_raw


@given(kind=WORDS, verdict=WORDS, measure=WORDS)
def test_words_that_are_not_known_are_in_no_figure_but_the_raw_clicks(kind: str, verdict: str, measure: str) -> None:
    names = fields_of(kind, verdict, measure)
    assert set(names) <= set(FIELDS)
    assert "shares" not in names
    if kind == "click" and measure == "measured":
        [name] = names
        assert Counts.of_fields({name: 1}).clicks_raw == 1
        assert Counts.of_fields({name: 1}).clicks_counted == (verdict == "counted")


@pytest.mark.parametrize(
    ("moment", "zone", "day"),
    [
        ("2026-03-28T23:30:00+00:00", "Europe/Paris", "2026-03-29"),
        ("2026-06-30T21:59:59+00:00", "Europe/Paris", "2026-06-30"),
        ("2026-06-30T22:00:00+00:00", "Europe/Paris", "2026-07-01"),
        ("2026-01-01T04:59:00+00:00", "America/Toronto", "2025-12-31"),
        ("2026-01-01T00:00:00+00:00", "No/Where", "2026-01-01"),
    ],
)
def test_an_act_belongs_to_the_day_of_the_programmes_time_zone(moment: str, zone: str, day: str) -> None:
    assert day_of(datetime.fromisoformat(moment), zone) == day


def test_a_period_knows_its_days_and_the_one_before() -> None:
    period = last_days(date(2026, 3, 31), 31)
    assert (period.first, period.days) == (date(2026, 3, 1), 31)
    assert period.before == Period(date(2026, 1, 29), date(2026, 2, 28))
    start, end = Period(date(2026, 3, 29), date(2026, 3, 29)).bounds("Europe/Paris")
    assert end - start == timedelta(hours=23)
    assert list(Period(date(2026, 1, 1), date(2026, 1, 3))) == ["2026-01-01", "2026-01-02", "2026-01-03"]


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=8, unique_by=lambda one: one[0]), st.randoms())
def test_when_somebody_was_enrolled_does_not_depend_on_when_it_was_heard(
    told: list[tuple[int, bool]], chance: random.Random
) -> None:
    turns = [MembershipChange(at, str(at), joined) for at, joined in told]
    shuffled = chance.sample(turns, len(turns))
    assert intervals(shuffled) == intervals(turns)
    for moment in range(10):
        before = [turn.joined for turn in sorted(turns, key=lambda one: one.at) if turn.at <= moment]
        inside = any(since <= moment and (until is None or moment < until) for since, until in intervals(turns))
        assert inside is (bool(before) and before[-1])


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 24)), st.integers(5, 10))
def test_what_is_put_together_is_never_a_handful_nor_one_group_alone(sizes: dict[str | None, int], least: int) -> None:
    apart = shown_apart(sizes, least)
    rest = [sizes[group] for group in sizes if group not in apart]
    assert all(sizes[group] >= least for group in apart)
    assert not rest or sum(rest) >= least or not apart


def test_no_network_is_paid_for_a_click_and_for_the_impression_that_led_to_it() -> None:
    assert doubly_paid({"x": {"click": "1"}, "*": {"impression": "0.01"}}) == ["x"]
    assert doubly_paid({"x": {"click": "1", "impression": "0"}, "*": {"impression": "0.01"}}) == []


def test_a_rate_of_nothing_is_absent() -> None:
    assert ratio(1, 0) is None
    assert ratio(1, 3) == 0.333333


def test_each_day_has_the_rates_that_held_on_it() -> None:
    newer = Rates(1, "2026-02-01", "EUR", "test", {"*": {"click": Decimal(2)}})
    later = Rates(2, "2026-02-01", "EUR", "test", {"*": {"click": Decimal(2)}})
    rates = RateTable([later, newer])
    assert rates.on("2026-01-31") is DEFAULT_RATES
    assert rates.on("2026-02-01") is later
    assert (rates.currency, RateTable().on("2026-01-31")) == ("EUR", DEFAULT_RATES)
    clicks = counted([("click", "counted", 10), ("click", "bot", 90), ("impression", "counted", 1000)])
    tally = Tally()
    for day in ("2026-01-31", "2026-02-01"):
        tally.add(day, "linkedin", clicks, rates)
    assert to_cents(tally.value) == 52.0


def test_an_unnamed_network_takes_the_rates_of_all() -> None:
    likes = counted([("like", "counted", 3)])
    assert RateTable().value("2026-01-01", "email", likes) == Decimal("0.30")


def test_every_definition_is_in_both_languages() -> None:
    for name, one in DEFINITIONS.items():
        assert set(one.name) == set(one.text) == {"fr", "en"}, name
        assert one.formula


def test_a_moment_needs_no_more_than_its_offset() -> None:
    assert day_of(datetime(2026, 5, 5, tzinfo=UTC), "UTC") == "2026-05-05"
