"""What a consumer is declared to take, what it makes of a record, and where the cap on dead letters stops it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from chassis.consumer import Consumer, InvalidEvent, Received, on
from chassis.consumer.batch_decoder import Batch
from chassis.consumer.decoder import Decoded, Decoder, PassedOver
from chassis.consumer.loop import held_back
from chassis.consumer.versions import Versions, listed_for
from chassis.dead_letters.cap import DeadLetterCap
from chassis.ids import new_id
from herald_contracts import Event, PostRemoved, PostShared, ProgramCreated, Undecodable, encode

CREATED = ProgramCreated(
    program_id="p", name="P", time_zone="Europe/Paris", languages=["fr"], occurred_at=datetime(2026, 3, 1, tzinfo=UTC)
)


class ProgramCreatedV2(ProgramCreated):
    """Listed beside v1 for as long as this module is loaded."""

    type: ClassVar[str] = "herald.ProgramCreated.v2"


Event.registry.pop(ProgramCreatedV2.type)


@pytest.fixture
def second_version(monkeypatch: pytest.MonkeyPatch) -> type[ProgramCreatedV2]:
    monkeypatch.setitem(Event.registry, ProgramCreatedV2.type, ProgramCreatedV2)
    return ProgramCreatedV2


def record(event: Event = CREATED, *, offset: int = 0, partition: int = 0, **headers: bytes) -> Any:
    one = encode(event, id=new_id(), time=datetime.now(UTC))
    kept = [(name, headers.get(name, value)) for name, value in one.headers]
    return ConsumerRecord(one.topic, partition, offset, 0, 0, one.key, one.value, None, 0, 0, tuple(kept))


async def ignore(*_: Any) -> None:
    return None


def decoder(*events: type[Event], service: str = "nobody") -> Decoder:
    return Decoder(service, Consumer(None, [on(*events, do=ignore)]), {event.topic: event.topic for event in events})


def outcome(one: Decoded) -> str:
    match one:
        case Undecodable(rule=rule):
            return rule
        case PassedOver(reason=reason):
            return reason
    return "event"


def test_a_listed_version_that_is_not_taken_is_passed_over_and_an_unlisted_one_is_poison(
    second_version: type[ProgramCreatedV2],
) -> None:
    takes = decoder(ProgramCreated)
    assert outcome(takes.decode(record())) == "event"
    assert outcome(takes.decode(record(second_version(**CREATED.model_dump())))) == "other-version"
    assert outcome(takes.decode(record(ce_type=b"herald.ProgramCreated.v9"))) == "version-unknown"
    assert outcome(decoder(PostShared).decode(record())) == "not-asked-for"


def test_a_fact_that_the_topic_file_lists_for_a_service_that_takes_no_version_of_it_is_no_silence() -> None:
    assert "herald.ProgramCreated.v1" in listed_for("metrics")
    assert outcome(decoder(PostShared, service="metrics").decode(record())) == "version-not-taken"
    assert Versions(["herald.A.v1"], ["herald.A.v1"]).why_passed_over("herald.B.v1") == "not-asked-for"


def test_what_breaks_the_decoder_itself_is_poison(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("chassis.consumer.decoder.decode", broken)
    assert outcome(decoder(ProgramCreated).decode(record(ce_time=b"yesterday"))) == "failed"


def test_versions_of_a_fact_share_an_inbox(second_version: type[ProgramCreatedV2]) -> None:
    with pytest.raises(ValueError, match="different inboxes"):
        Consumer(None, [on(ProgramCreated, do=ignore, inbox="facts"), on(second_version, do=ignore)])
    together = Consumer(None, [on(ProgramCreated, second_version, do=ignore, inbox="facts")])
    assert together.inbox_of(second_version.type) == "facts"


async def test_each_route_gets_the_events_of_its_types_in_their_order() -> None:
    told: list[tuple[str, list[str]]] = []

    def route(name: str) -> Any:
        async def do(context: str, _: Any, events: list[Received[Event]]) -> None:
            told.append((f"{context} {name}", [event.id for event in events]))

        return do

    def event(id: str, cls: type[Event]) -> Any:
        return Received(id, cls.type, "s", datetime.now(UTC), None, cls.topic, 0, 0, None, None)

    routes = [
        on(ProgramCreated, do=route("programs")),
        on(PostShared, PostRemoved, do=route("posts")),
        on(PostShared, do=route("shares")),
    ]
    consumer = Consumer("ctx", routes)
    tx: Any = None
    await consumer.apply(tx, [event("1", PostRemoved), event("2", PostShared), event("3", PostRemoved)])
    assert told == [("ctx posts", ["1", "2", "3"]), ("ctx shares", ["2"])]
    told.clear()
    await consumer.apply(tx, [])
    assert told == []


def test_a_batch_only_ever_loses_records() -> None:
    takes = decoder(ProgramCreated)
    records = [record(offset=number) for number in range(5)]
    batch = Batch(records, [takes.decode(one) for one in records])
    assert batch.only(records) is batch
    assert [one.offset for one in batch.only(records[1:3]).records] == [1, 2]
    first, second = batch.halves()
    assert [*first.records, *second.records] == records
    bad = batch.events[2].id
    rejecting = batch.rejecting({bad: InvalidEvent("too-hard", "why")})
    assert [(one.offset, why.rule, why.detail) for one, why in rejecting.poison] == [(2, "too-hard", "why")]
    assert bad not in {event.id for event in rejecting.events}


@given(st.lists(st.integers(1, 40), max_size=6), st.integers(0, 100))
def test_the_cap_is_shared_by_the_partitions_and_never_exceeded(counts: list[int], room: int) -> None:
    poison = [record(partition=part, offset=offset) for part, count in enumerate(counts) for offset in range(count)]
    held = held_back(poison, room)
    through = {part: held.get(TopicPartition(CREATED.topic, part), count) for part, count in enumerate(counts)}
    assert sum(through.values()) == min(room, sum(counts))
    stopped = [through[part.partition] for part in held]
    assert not stopped or max(stopped) - min(stopped) <= 1
    assert not stopped or all(through[part] <= max(stopped) + 1 for part in through)


def test_the_cap_lets_a_burst_go_and_then_its_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("chassis.dead_letters.cap.time.monotonic", lambda: now)
    bucket = DeadLetterCap(burst=100, per_second=20)
    assert (bucket.room(), bucket.seconds_until_worth_it) == (100, 0)
    bucket.spend(100)
    assert bucket.room() == 0
    assert bucket.seconds_until_worth_it == pytest.approx(2.0)
    now = 0.5
    assert bucket.room() == 10
    bucket.lift(1000)
    now = 10.0
    assert (bucket.room(), bucket.seconds_until_worth_it) == (4000, 0)
    bucket.lift(None)
    bucket.spend(bucket.room())
    now = 11.0
    assert bucket.room() == 20
    now = 100.0
    assert bucket.room() == 100
