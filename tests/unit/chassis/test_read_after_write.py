"""How an answer names the events that it caused, and how a reader waits for them."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from chassis.ids import new_id
from chassis.web.read_after_write import MAX_EVENTS, named, parse, wait_until

TYPES = st.sampled_from(["herald.AmbassadorJoined.v1", "herald.PersonUpdated.v2"])


@given(st.lists(TYPES, max_size=20))
def test_the_last_events_are_named_and_read_again(types: list[str]) -> None:
    rows = [{"_id": new_id(), "headers": {"ce_type": type_.encode()}} for type_ in types]
    events = [(type_, str(row["_id"])) for type_, row in zip(types, rows, strict=True)]
    assert parse(named(rows)) == events[-MAX_EVENTS:]


@given(st.text(max_size=300))
def test_whatever_a_stranger_sends_names_no_more_than_a_few_events(header: str) -> None:
    assert len(parse(header)) <= MAX_EVENTS
    assert parse(f"{header}/,{header},x/{header}") == []


def test_waiting_ends_when_it_is_so_and_when_time_is_over() -> None:
    answers = iter([False, False, True])

    async def soon() -> bool:
        return next(answers)

    async def never() -> bool:
        return False

    async def both() -> tuple[bool, bool, bool]:
        return (
            await wait_until(soon, seconds=5),
            await wait_until(never, seconds=0.03),
            await wait_until(never, seconds=0),
        )

    assert asyncio.run(both()) == (True, False, False)
