"""Events: when one can check in, and what cannot be taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.web.problems import Conflict, Invalid
from services.program.domain import company_events
from services.program.domain.company_events import DOORS, Attendance, CompanyEvent
from services.program.domain.people import Segment
from services.program.domain.waves import Criteria
from tests.unit.program.test_people import person

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ADA = replace(person(), id="ada", country="FR", team="IT", site="Lyon")
NOBODY = Attendance("x", "p1", "e1", "ada", version=0)


def planned(starts: timedelta = 24 * HOUR, lasts: timedelta = 3 * HOUR, **changes: Any) -> CompanyEvent:
    at = NOW + starts
    values = {"title": "Day", "place": "", "starts_at": at, "ends_at": at + lasts, **changes}
    return company_events.plan("e1", "p1", "code", NOW, **values)


@pytest.mark.parametrize(
    ("starts", "lasts", "rule"),
    [(HOUR, -HOUR, "before-start"), (-5 * HOUR, HOUR, "past"), (HOUR, timedelta(days=15), "too-long-event")],
)
def test_an_event_that_cannot_be_is_refused(starts: timedelta, lasts: timedelta, rule: str) -> None:
    with pytest.raises(Invalid) as raised:
        planned(starts, lasts)
    assert [(one.field, one.rule) for one in raised.value.errors] == [("ends_at", rule)]


@pytest.mark.parametrize(
    ("at", "type_"),
    [
        (24 * HOUR - DOORS - timedelta(seconds=1), "event-not-open"),
        (24 * HOUR - DOORS, None),
        (27 * HOUR - timedelta(seconds=1), None),
        (27 * HOUR, "event-over"),
    ],
)
def test_one_checks_in_from_an_hour_before_until_the_end(at: timedelta, type_: str | None) -> None:
    event = planned()
    if type_ is None:
        there = company_events.check_in(event, NOBODY, ADA, act_id="a", now=NOW + at)
        assert (there.checked_in_at, there.event_act) == (NOW + at, "a")
        assert company_events.check_in(event, there, ADA, act_id="b", now=NOW + 99 * HOUR) is there
        return
    with pytest.raises(Conflict) as raised:
        company_events.check_in(event, NOBODY, ADA, act_id="a", now=NOW + at)
    assert raised.value.type == type_


@pytest.mark.parametrize(
    ("audience", "meant"),
    [
        (Criteria(everybody=True), True),
        (Criteria(segment=Segment(countries=("FR", "BE"))), True),
        (Criteria(segment=Segment(countries=("FR",), teams=("HR",))), False),
        (Criteria(segment=Segment(sites=("Lyon",))), True),
        (Criteria(segment=Segment(countries=("DE",))), False),
    ],
)
def test_an_event_is_for_its_audience(audience: Criteria, meant: bool) -> None:
    event, at = planned(audience=audience), NOW + 24 * HOUR
    if meant:
        assert company_events.reply(event, NOBODY, ADA, coming=True, now=NOW).coming
        assert company_events.check_in(event, NOBODY, ADA, act_id="a", now=at).event_act == "a"
        return
    with pytest.raises(Conflict) as refused:
        company_events.reply(event, NOBODY, ADA, coming=True, now=NOW)
    with pytest.raises(Conflict) as raised:
        company_events.check_in(event, NOBODY, ADA, act_id="a", now=at)
    assert (refused.value.type, raised.value.type) == ("not-a-guest", "not-a-guest")
    there = replace(NOBODY, checked_in_at=at)
    assert company_events.check_in(event, there, ADA, act_id="a", now=at) is there, "who was there was there"


@pytest.mark.parametrize("audience", [Criteria(), Criteria(everybody=True, segment=Segment(countries=("FR",)))])
def test_nobody_named_is_nobody(audience: Criteria) -> None:
    with pytest.raises(Invalid) as raised:
        planned(audience=audience)
    assert [(one.field, one.rule) for one in raised.value.errors] == [("audience", "empty-segment")]


@given(st.lists(st.sampled_from(["yes", "no", "check_in", "spoke", "unspoke", "cancel", "restore"]), max_size=10))
def test_whatever_is_done_only_who_was_there_spoke(steps: list[str]) -> None:
    event, one, now = planned(), NOBODY, NOW + 24 * HOUR
    for step in steps:
        before = one
        try:
            match step:
                case "yes" | "no":
                    one = company_events.reply(event, one, ADA, coming=step == "yes", now=now)
                case "check_in":
                    one = company_events.check_in(event, one, ADA, act_id="there", now=now)
                case "spoke":
                    one = company_events.note_speaker(one, act_id="spoke")
                case "unspoke":
                    one = company_events.unnote_speaker(one)
                case "cancel":
                    event = company_events.cancel(event, int(one.checked_in_at is not None), now)
                case _:
                    event = company_events.restore(event, now)
        except Conflict:
            assert one is before
            continue
        assert one.version - before.version == (one is not before)
        assert (one.event_act is None) == (one.checked_in_at is None)
        assert one.speaker_act is None or one.event_act is not None
        assert event.state == "planned" or one.checked_in_at is None
