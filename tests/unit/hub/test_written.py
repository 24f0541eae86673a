"""What the hub remembers of what a person wrote a moment ago."""

from datetime import UTC, datetime, timedelta

from chassis.ids import new_id
from services.hub.written import MAX_EVENTS, recent


def test_what_was_written_is_remembered_for_half_a_minute() -> None:
    now = datetime.now(UTC)
    event = f"herald.AmbassadorJoined.v1/{new_id()}"
    assert recent([event, event], now) == [event]
    assert recent([event], now + timedelta(seconds=29)) == [event]
    assert recent([event], now + timedelta(seconds=40)) == []
    assert recent(["", "nonsense", "herald.X.v1/zz"], now) == []


def test_no_more_is_remembered_than_a_request_can_name() -> None:
    now = datetime.now(UTC)
    events = [f"herald.AmbassadorInvited.v1/{new_id()}" for _ in range(MAX_EVENTS + 5)]
    assert recent(events, now) == events[-MAX_EVENTS:]
