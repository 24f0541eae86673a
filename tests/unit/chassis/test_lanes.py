"""Lanes of the outbox that wait."""

from __future__ import annotations

from chassis.outbox import lanes
from chassis.outbox.lanes import WaitingLanes

A, B = ("herald.posts", b"a"), ("herald.posts", b"b")


class Watch:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_each_waits_longer_every_time_and_goes_on_when_it_was_sent() -> None:
    clock = Watch()
    waiting = WaitingLanes(clock)
    waiting.wait(A)
    assert waiting.due() == []
    pauses = []
    for _ in range(7):
        began = clock.now
        while not waiting.due():
            clock.now += 0.25
        pauses.append(clock.now - began)
        waiting.wait(A)
    assert pauses == [0.5, 1, 2, 4, 8, 10, 10]
    waiting.resume(A)
    assert (len(waiting), waiting.query()) == (0, {})


def test_only_what_waits_is_left_out() -> None:
    waiting = WaitingLanes()
    waiting.wait(A)
    waiting.wait("herald.people")
    assert waiting.query() == {
        "$or": [
            {"topic": {"$nin": ["herald.people", "herald.posts"]}},
            {"topic": "herald.posts", "key": {"$nin": [b"a"]}},
        ]
    }


def test_a_topic_stands_for_its_lanes() -> None:
    waiting = WaitingLanes()
    for one in (A, B, "herald.posts"):
        waiting.wait(one)
    assert waiting.query() == {"$or": [{"topic": {"$nin": ["herald.posts"]}}]}


def test_too_many_lanes_wait_by_topic() -> None:
    waiting = WaitingLanes()
    for number in range(lanes.MOST_LANES + 1):
        waiting.wait(("herald.posts", b"%d" % number))
    assert len(waiting) == 1
