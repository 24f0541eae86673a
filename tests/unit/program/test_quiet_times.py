"""When somebody is left alone: at night and on their holidays, wherever they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.program.domain import quiet_times
from services.program.domain.people import Person
from services.program.domain.quiet_times import EVENING, MORNING, Clock, Moment, first_moment, holiday_on
from services.program.mail.zones import zones

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
PARIS = Clock("Europe/Paris", "FR")
CLOCKS = st.builds(
    Clock,
    st.sampled_from(["Europe/Paris", "America/New_York", "Asia/Tokyo", "Asia/Kathmandu", "Pacific/Apia", "UTC"]),
    st.sampled_from(["FR", "FR-57", "US", "JP", "CN", "IR", "DE-BY", "ZZ", "XX-1"]),
)
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


def is_quiet(at: datetime, clock: Clock) -> bool:
    local = at.astimezone(ZoneInfo(clock.zone))
    return holiday_on(clock.calendar, local.date()) is not None or not MORNING <= local.time() < EVENING


@given(MOMENTS, CLOCKS)
def test_the_first_moment_is_never_quiet_nor_earlier_nor_moved_without_a_reason(at: datetime, clock: Clock) -> None:
    found = first_moment(at, clock)
    assert found.at >= at
    assert not is_quiet(found.at, clock)
    assert (found.at == at) == (found.reason is None) == (not is_quiet(at, clock))
    assert first_moment(found.at, clock) == Moment(found.at)
    step = (found.at - at) / 40
    assert all(is_quiet(at + number * step, clock) for number in range(40) if found.reason)


@pytest.mark.parametrize(
    ("at", "clock", "expected", "reason"),
    [
        ("2026-07-14T07:30Z", PARIS, "2026-07-15T06:00Z", "holiday"),
        ("2026-07-13T19:00Z", PARIS, "2026-07-15T06:00Z", "holiday"),
        ("2026-07-15T19:00Z", PARIS, "2026-07-16T06:00Z", "night"),
        ("2026-07-15T02:00Z", PARIS, "2026-07-15T06:00Z", "night"),
        ("2026-07-15T12:00Z", PARIS, "2026-07-15T12:00Z", None),
        ("2026-12-26T12:00Z", PARIS, "2026-12-26T12:00Z", None),
        ("2026-12-26T12:00Z", Clock("Europe/Paris", "FR-57"), "2026-12-27T07:00Z", "holiday"),
    ],
)
def test_a_night_ends_at_eight_and_a_holiday_the_next_morning(
    at: str, clock: Clock, expected: str, reason: str | None
) -> None:
    found = first_moment(datetime.fromisoformat(at), clock)
    assert (found.at, found.reason) == (datetime.fromisoformat(expected), reason)


@pytest.mark.parametrize(
    ("language", "name"), [("fr", "Fête nationale"), ("en", "National Day"), ("pl", "National Day")]
)
def test_a_holiday_has_its_name_in_the_readers_language_or_in_english(language: str, name: str) -> None:
    assert holiday_on("FR", date(2026, 7, 14), language) == name


def test_what_a_person_chose_counts_before_what_their_country_has() -> None:
    person = Person(id="p", name="P", country="US", team="T", locale="en", created_at=NOW, updated_at=NOW)
    assert quiet_times.clock_of(person, "Europe/Paris", zones()) == Clock("America/New_York", "US")
    chosen = replace(person, time_zone="Asia/Tokyo", holidays="DE-BY")
    assert quiet_times.clock_of(chosen, "Europe/Paris", zones()) == Clock("Asia/Tokyo", "DE-BY")


def test_every_country_with_holidays_has_a_calendar_that_can_be_read() -> None:
    for country in ("AE", "BR", "CH", "DE", "ES", "FR", "GB", "IN", "JP", "US"):
        assert quiet_times.is_known(country)
        for calendar, name in quiet_times.parts_of(country):
            assert name
            assert quiet_times.is_known(calendar)
        assert len(quiet_times.next_holidays(country, NOW.date(), "fr")) == quiet_times.SHOWN
    assert not quiet_times.is_known("ZZ")
    assert not quiet_times.is_known("FR-XX")
    assert quiet_times.parts_of("ZZ") == []


def test_the_next_holidays_are_in_order_and_go_on_into_the_next_year() -> None:
    found = quiet_times.next_holidays("FR", date(2026, 12, 20), "fr")
    assert [one.day for one in found][:2] == [date(2026, 12, 25), date(2027, 1, 1)]
    assert [one.name for one in found][:2] == ["Noël", "Jour de l'an"]
    assert found == sorted(found, key=lambda one: one.day)
    assert timedelta(0) < found[-1].day - found[0].day
