"""Dates in the forms that feeds use: right, or none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.content.feeds.dates import Dates


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("Fri, 15 Mar 2024 10:00:00 GMT", "2024-03-15T10:00"),
        ("Fri, 15 Mar 2024 10:00:00 CEST", "2024-03-15T08:00"),
        ("Fri, 15 Mar 2024 10:00:00 +0530", "2024-03-15T04:30"),
        ("15 Mar 24 10:00 EST", "2024-03-15T15:00"),
        ("Thu, 01 Jan 04 19:48:21 PDT", "2004-01-02T02:48:21"),
        ("2024-03-15T10:00:00Z", "2024-03-15T10:00"),
        ("2024-03-15T10:00:00.123456789+05:30", "2024-03-15T04:30"),
        ("2024-03-15 10:00:00 CET", "2024-03-15T09:00"),
        ("20240315T100000Z", "2024-03-15T10:00"),
        ("2024-03-15", "2024-03-15T00:00"),
        ("Fri Mar 15 10:00:00 CET 2024", "2024-03-15T09:00"),
        ("Fri Mar 15 2024 10:00:00 GMT+0100 (CET)", "2024-03-15T09:00"),
        ("March 15, 2024 3:30 pm PDT", "2024-03-15T22:30"),
        ("15-Mar-2024", "2024-03-15T00:00"),
        ("15/03/2024 10:00", "2024-03-15T10:00"),
        ("15.03.2024 10:00", "2024-03-15T10:00"),
        ("ven., 15 mars 2024 10:00:00 +0100", "2024-03-15T09:00"),
        ("jeu., 1 août 2024 08:00:00 CEST", "2024-08-01T06:00"),
        ("15 fevrier 2024 à 14h30", "2024-02-15T14:30"),
        ("Do, 14 Dez 2024 10:00:00 MEZ", "2024-12-14T09:00"),
        ("15. März 2024 10:00 Uhr", "2024-03-15T10:00"),
        ("15 de marzo de 2024", "2024-03-15T00:00"),
        ("пт, 15 мар 2024 10:00:00 +0300", "2024-03-15T07:00"),
        ("2024年3月15日 10:00", "2024-03-15T10:00"),
        ("2024. március 15.", "2024-03-15T00:00"),
    ],
)
def test_a_date_is_read_in_many_forms(written: str, moment: str) -> None:
    assert Dates().read(written) == datetime.fromisoformat(moment).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        *("05/03/2024", "Fri, 15 Mar 2024 10:00:00 IST", "Fri, 32 Mar 2024 10:00:00 GMT", "2024-13-01", "yesterday"),
        *("2 hours ago", "5 listopada 2024", "2024-03", "1710500000", "15 mar 2024 25:00:00 GMT", "", "garbage"),
        *("Fri, 15 Mar 2024 10:00:00 +9900", "15 Mar 2024 13:00 PM", "Mar 2024", "15 Foo 2024", None, "x" * 200),
    ],
)
def test_what_may_be_several_moments_or_none_is_no_date(written: str | None) -> None:
    assert Dates().read(written) is None


def test_the_language_of_a_feed_decides_what_could_be_two_months() -> None:
    assert Dates(["pl"]).read("5 listopada 2024") == datetime(2024, 11, 5, tzinfo=UTC)
    assert Dates(["hr-HR"]).read("5 listopada 2024") == datetime(2024, 10, 5, tzinfo=UTC)
    assert Dates(["fr"]).read("05/03/2024") == datetime(2024, 3, 5, tzinfo=UTC)


WRITTEN = st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.strftime("%d %b %Y %H:%M %Z"))


@given(st.text(max_size=60) | WRITTEN)
def test_whatever_is_written_it_is_a_moment_or_none(written: str) -> None:
    found = Dates(["fr"]).read(written)
    assert found is None or found.tzinfo is not None
