"""A moment that is written in a form and shown in it again is the same, in any zone and whatever its clocks do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.hub.language import Language
from services.hub.times import NoSuchTime, local, moment_of

PARIS = ZoneInfo("Europe/Paris")
ZONES = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)
FIRST, LAST = datetime.fromisoformat("1975-01-01"), datetime.fromisoformat("2090-01-01")
MOMENTS = st.datetimes(FIRST, LAST, timezones=st.just(UTC))
SPRING, AUTUMN = datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)
"""When Paris turns its clocks: 02:00 becomes 03:00, and 03:00 becomes 02:00."""
AROUND = st.builds(
    lambda turn, minutes: turn + timedelta(minutes=minutes), st.sampled_from((SPRING, AUTUMN)), st.integers(-180, 180)
)


@given(zone=ZONES, moment=MOMENTS)
def test_a_moment_that_nobody_touched_is_the_same(zone: ZoneInfo, moment: datetime) -> None:
    assert moment_of(local(moment, zone), zone, moment) == moment


@given(zone=ZONES, written=st.datetimes(FIRST, LAST).map(lambda at: at.replace(microsecond=0)))
def test_what_is_written_is_shown_as_it_was_written_or_refused(zone: ZoneInfo, written: datetime) -> None:
    text = written.isoformat()
    try:
        found = moment_of(text, zone)
    except NoSuchTime:
        before, after = (written + timedelta(days=days) for days in (-1, 1))
        assert before.replace(tzinfo=zone).utcoffset() != after.replace(tzinfo=zone).utcoffset()
        return
    assert datetime.fromisoformat(local(found, zone)) == written


@given(moment=AROUND)
def test_nothing_moves_around_the_hours_at_which_clocks_are_turned(moment: datetime) -> None:
    assert moment_of(local(moment, PARIS), PARIS, moment) == moment
    for_the_first_time = moment_of(local(moment, PARIS), PARIS)
    assert local(for_the_first_time, PARIS) == local(moment, PARIS)
    assert moment - for_the_first_time in (timedelta(), timedelta(hours=1))


def test_an_hour_that_is_left_out_is_refused_and_one_that_comes_twice_is_the_first_until_it_was_the_second() -> None:
    with pytest.raises(NoSuchTime):
        moment_of("2026-03-29T02:30", PARIS)
    assert moment_of("2026-10-25T02:30", PARIS) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert moment_of("2026-10-25T02:30", PARIS, second) == second


@pytest.mark.parametrize("text", ["", "x", "2026-13-01T00:00", "2026-03-29T12:00Z", "0001-01-01T00:00", "²"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(NoSuchTime):
        moment_of(text, ZoneInfo("Asia/Tokyo"))


def test_a_moment_is_shown_with_no_smaller_units_than_it_has() -> None:
    at = datetime(2026, 11, 27, 17, tzinfo=UTC)
    assert local(at, PARIS) == "2026-11-27T18:00"
    assert local(at + timedelta(seconds=30), PARIS) == "2026-11-27T18:00:30"
    assert local(at + timedelta(milliseconds=7), PARIS) == "2026-11-27T18:00:00.007"


@pytest.mark.parametrize(
    ("zone", "named"), [("Europe/Paris", "Paris"), ("Europe/London", "Londres"), ("UTC", "UTC"), ("Nowhere/At", "UTC")]
)
def test_a_moment_says_the_zone_that_it_is_shown_in(zone: str, named: str) -> None:
    language = Language("fr", "FR", zone)
    assert language.zone_name == named
    assert language.moment("2026-11-27T17:00:00Z").endswith(f"({named})")


def test_moments_are_of_ones_own_clock_and_days_of_the_programmes() -> None:
    at = "2026-11-27T17:00:00Z"
    language = Language("fr", "FR", "Europe/Paris", "Asia/Tokyo")
    assert language.moment(at) == "28 nov. 2026, 02:00 (Tokyo)"
    assert language.local(at) == "2026-11-28T02:00"
    assert ">28 nov. 2026</time>" in language.ago(at, datetime(2027, 1, 1, tzinfo=UTC))
    assert (language.clock_name, language.zone_name) == ("Tokyo", "Paris")
    assert Language("fr", "FR", "Europe/Paris").moment(at) == "27 nov. 2026, 18:00 (Paris)"


def test_seconds_are_shown_where_there_are_any() -> None:
    assert Language("en", "GB").moment("2026-11-27T17:00:07Z") == "27 Nov 2026, 17:00:07 (UTC)"
    assert Language("en", "US").moment("2026-11-27T17:00:00Z") == "Nov 27, 2026, 5:00\u202fPM (UTC)"


def test_pages_for_everybody_show_a_moment_to_the_minute() -> None:
    assert Language("en", "GB").minute("2026-11-27T17:00:07.5Z") == "27 Nov 2026, 17:00 (UTC)"
    assert Language("en", "GB").minute("soon") == "soon"
