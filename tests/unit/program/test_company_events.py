"""Events: when one can check in, and what cannot be taken back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.web.problems import Conflict, Invalid
from services.program.domain import company_events
from services.program.domain.company_events import DOORS, Attendance, CompanyEvent

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOBODY = Attendance("x", "p1", "e1", "ada", version=0)


def planned(starts: timedelta = 24 * HOUR, lasts: timedelta = 3 * HOUR) -> CompanyEvent:
    at = NOW + starts
    return company_events.plan("e1", "p1", "code", NOW, title="Day", place="", starts_at=at, ends_at=at + lasts)


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
        there = company_events.check_in(event, NOBODY, act_id="a", now=NOW + at)
        assert (there.checked_in_at, there.event_act) == (NOW + at, "a")
        assert company_events.check_in(event, there, act_id="b", now=NOW + 99 * HOUR) is there
        return
    with pytest.raises(Conflict) as raised:
        company_events.check_in(event, NOBODY, act_id="a", now=NOW + at)
    assert raised.value.type == type_


@given(st.lists(st.sampled_from(["yes", "no", "check_in", "spoke", "unspoke", "cancel", "restore"]), max_size=10))
def test_whatever_is_done_only_who_was_there_spoke(steps: list[str]) -> None:
    event, one, now = planned(), NOBODY, NOW + 24 * HOUR
    for step in steps:
        before = one
        try:
            match step:
                case "yes" | "no":
                    one = company_events.reply(event, one, coming=step == "yes", now=now)
                case "check_in":
                    one = company_events.check_in(event, one, act_id="there", now=now)
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
