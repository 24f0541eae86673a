"""The chassis on real servers, carried by a small service that counts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar

import pytest
from aiokafka import AIOKafkaConsumer
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from chassis.consumer import Consumer, InvalidEvent, InvalidEvents, Received, loop, offset_store, on, subscription
from chassis.dead_letters import cap
from chassis.ids import new_id
from chassis.mongo import Transaction
from chassis.principals import PEOPLE, Principal, PrincipalStore
from chassis.runtime import Runtime
from chassis.service import Service
from chassis.settings import Settings
from chassis.telemetry.otel import exposition
from chassis.web.http import Person, Router, Unit, requires
from chassis.web.json_bodies import Body
from chassis.web.problems import Refused
from herald_contracts import Event, PersonUpdated, PointsAwarded, ProgramCreated, Record, encode
from tests.integration.harness import PARTITIONS, Harness, drained, eventually

TOPICS = ["herald.program", "herald.people", "herald.deadletters.gamification", "herald.recognition"]


class Greeting(Body):
    word: str


def build(settings: Settings, *more: type[Event]) -> Service:
    """Counts programmes that it hears of, answers each with points, and takes greetings over HTTP."""
    runtime = Runtime("gamification", settings)
    principals = PrincipalStore(runtime.mongo)
    seen = runtime.mongo.db["seen"]
    router = Router()

    async def handle(_: object, tx: Transaction, batch: Sequence[Received[Event]]) -> None:
        await principals.apply(batch, tx)
        for event in batch:
            if isinstance(event.data, ProgramCreated):
                if event.data.name == "broken":
                    raise RuntimeError("a bug")
                if event.data.name == "invalid":
                    raise InvalidEvent("name-forbidden")
                await seen.update_one(
                    {"_id": event.data.program_id}, {"$inc": {"n": 1}}, upsert=True, session=tx.session
                )
                tx.emit(points(event.data.program_id, event.id, tx.now), cause=event)

    @router.post("/greetings", status_code=201)
    async def greet(body: Greeting, caller: Person, unit: Unit) -> Any:
        async def command(tx: Transaction) -> dict[str, str]:
            if body.word == "no":
                raise Refused("Not that word.", type_="word-refused")
            id = new_id()
            await seen.insert_one({"_id": id, "word": body.word}, session=tx.session)
            tx.emit(points(caller.id, id, tx.now))
            return {"id": id}

        return await unit.run(command, view=lambda found: found, status=201)

    @router.get("/secret")
    async def secret(caller: Annotated[Principal, requires("admin")]) -> dict[str, str]:
        return {"id": caller.id}

    return Service(
        name="gamification",
        runtime=runtime,
        router=router,
        principals=principals,
        consumer=Consumer(None, [on(*PEOPLE, ProgramCreated, *more, do=handle)]),
        ensure_indexes=principals.ensure_indexes,
    )


def points(subject: str, cause: str, now: datetime) -> PointsAwarded:
    return PointsAwarded(
        entry_id=new_id(),
        ambassador_id=subject,
        program_id="p",
        points=1,
        rule="test",
        rule_version=1,
        cause_id=cause,
        cause_type="test",
        occurred_at=now,
    )


def created(id: str, name: str = "Programme") -> ProgramCreated:
    return ProgramCreated(
        program_id=id, name=name, time_zone="Europe/Paris", languages=["fr"], occurred_at=datetime.now(UTC)
    )


@pytest.fixture
def service(harness: Harness) -> Service:
    return build(harness.settings(Settings))


async def counts(service: Service) -> dict[str, int]:
    return {row["_id"]: row["n"] async for row in service.runtime.mongo.db["seen"].find({"n": {"$exists": True}})}


@pytest.mark.parametrize("mishap", ["hangs", "is cancelled by nobody"])
async def test_a_batch_that_a_library_lets_down_is_tried_again(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, mishap: str
) -> None:
    monkeypatch.setattr(loop, "STEP_SECONDS", 1.0)
    service = build(harness.settings(Settings))
    assert service.consumer is not None
    sound, tries = service.consumer.apply, 0

    async def let_down(tx: Transaction, batch: Sequence[Received[Event]]) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            if mishap == "hangs":
                await asyncio.Event().wait()
            raise asyncio.CancelledError
        await sound(tx, batch)

    monkeypatch.setattr(service.consumer, "apply", let_down)
    async with harness.worker(service):
        await harness.publish(created("p1"))
        await eventually(lambda: counts(service), until=lambda found: found == {"p1": 1})
        assert tries == 2
        assert await harness.records("herald.deadletters.gamification") == []


@pytest.mark.parametrize("where", ["in_place", "ends"])
@pytest.mark.parametrize("error", [RuntimeError, asyncio.CancelledError])
async def test_a_batch_is_in_hand_until_it_is_dealt_with_whatever_fails(
    harness: Harness, service: Service, monkeypatch: pytest.MonkeyPatch, where: str, error: type[BaseException]
) -> None:
    """No other record comes that would have the partition read again."""
    module: Any = {"in_place": loop, "ends": offset_store}[where]
    sound, tries = getattr(module, where), 0

    def let_down(*given: Any) -> Any:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise error
        return sound(*given)

    monkeypatch.setattr(module, where, let_down)
    async with harness.worker(service):
        await harness.publish(created("p1"))
        await eventually(lambda: counts(service), until=lambda found: found == {"p1": 1})

        async def tried_again() -> bool:
            return tries > 1

        await eventually(tried_again)


async def test_what_keeps_coming_is_gathered_into_few_batches(
    harness: Harness, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "GATHERED_MS", (2000, 2000))
    assert service.consumer is not None
    sound, batches = service.consumer.apply, 0

    async def counted(tx: Transaction, batch: Sequence[Received[Event]]) -> None:
        nonlocal batches
        batches += 1
        await sound(tx, batch)

    monkeypatch.setattr(service.consumer, "apply", counted)
    async with harness.worker(service):
        await harness.publish(created("first"))
        await eventually(lambda: counts(service), until=lambda found: "first" in found)
        alone, batches = batches, 0
        for number in range(12):
            await harness.publish(created(f"p{number}"))
            await asyncio.sleep(0.05)
        await eventually(lambda: counts(service), until=lambda found: len(found) == 13)
    assert alone == 1
    assert batches <= 3


def test_a_batch_may_end_after_its_subscription(harness: Harness) -> None:
    subscription.Subscription("metrics", harness.settings(Settings), ("t",), 1).applied(1.0)


async def test_a_consumer_that_was_cancelled_by_nobody_is_started_anew(
    harness: Harness, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "LOOK_SECONDS", 0.1)
    sound, cancelled = AIOKafkaConsumer.getmany, asyncio.Event()

    async def let_down(client: Any, *given: Any, **options: Any) -> Any:
        if await counts(service) and not cancelled.is_set():
            cancelled.set()
            raise asyncio.CancelledError
        return await sound(client, *given, **options)

    monkeypatch.setattr(AIOKafkaConsumer, "getmany", let_down)
    async with harness.worker(service):
        await harness.publish(created("p1"))
        await asyncio.wait_for(cancelled.wait(), 60)
        await harness.publish(created("p2"))
        await eventually(lambda: counts(service), until=lambda found: found == {"p1": 1, "p2": 1})


async def test_an_event_has_its_effect_once_and_its_answer_reaches_kafka(harness: Harness, service: Service) -> None:
    async with harness.worker(service):
        [id] = await harness.publish(created("p1"))
        await harness.publish(created("p1"), ids=[id])
        await harness.publish(created("p2"))
        await eventually(lambda: counts(service), until=lambda found: found == {"p1": 1, "p2": 1})
        answers = await eventually(lambda: harness.events("herald.recognition"), until=lambda found: len(found) == 2)
        assert {one.partitionkey for one in answers} == {"p1", "p2"}
        assert await service.runtime.mongo.outbox.count_documents({}) == 0
    await service.runtime.close()


async def test_poison_in_the_middle_of_a_batch_is_dead_lettered_and_its_neighbours_are_applied(
    harness: Harness, service: Service
) -> None:
    await harness.create_topics(
        ["herald.program", "herald.people", "herald.deadletters.gamification", "herald.recognition"]
    )
    good = encode(created("good"), id=new_id(), time=datetime.now(UTC))
    bad = [
        Record(good.topic, good.key, b"{not json", good.headers),
        Record(good.topic, good.key, good.value, []),
        Record(good.topic, good.key, good.value, [("ce_id", None), *good.headers[1:]]),  # type: ignore[list-item]
        Record(
            good.topic,
            good.key,
            good.value,
            [(name, b"\xff\xfe" if name == "ce_type" else value) for name, value in good.headers],
        ),
        Record(good.topic, good.key, b"x" * 900_000, good.headers),
        Record(good.topic, good.key, good.value, [*good.headers, ("ce_type", b"herald.ProgramCreated.v9")]),
        Record(good.topic, good.key, b"{}", good.headers),
        encode(created("broken", "broken"), id=new_id(), time=datetime.now(UTC)),
        encode(created("invalid", "invalid"), id=new_id(), time=datetime.now(UTC)),
    ]
    for number, record in enumerate(bad):
        await harness.publish_record(record, partition=0)
        neighbour = encode(created(f"n{number}"), id=new_id(), time=datetime.now(UTC))
        await harness.publish_record(neighbour, partition=0)
    async with harness.worker(service):
        neighbours = {f"n{number}": 1 for number in range(len(bad))}
        await eventually(lambda: counts(service), until=lambda found: found == neighbours)
        letters = await eventually(
            lambda: harness.records("herald.deadletters.gamification"), until=lambda found: len(found) >= len(bad)
        )
    assert sorted(dict(letter.headers)["herald_deadletter_rule"].decode() for letter in letters) == [
        "failed",
        *["header-missing"] * 3,
        *["json-invalid"] * 2,
        "name-forbidden",
        "schema-mismatch",
        "version-unknown",
    ]
    await service.runtime.close()


async def test_what_fails_is_found_by_halving_its_batch(
    harness: Harness, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    await harness.create_topics(["herald.program", "herald.people", "herald.recognition"])
    names = ["Programme"] * 41 + ["broken"] + ["Programme"] * 22
    for number, name in enumerate(names):
        record = encode(created(f"p{number:02}", name), id=new_id(), time=datetime.now(UTC))
        await harness.publish_record(record, partition=0)
    assert service.consumer is not None
    sound, sizes = service.consumer.apply, []

    async def counted(tx: Transaction, batch: Sequence[Received[Event]]) -> None:
        sizes.append(len(batch))
        await sound(tx, batch)

    monkeypatch.setattr(service.consumer, "apply", counted)
    async with harness.worker(service):
        await eventually(lambda: counts(service), until=lambda found: len(found) == 63)
        await eventually(
            lambda: harness.records("herald.deadletters.gamification"), until=lambda found: len(found) == 1
        )
    assert len(sizes) <= 2 * len(names).bit_length()
    await service.runtime.close()


async def test_two_members_share_the_partitions_and_a_full_replay_changes_nothing(harness: Harness) -> None:
    first, second = build(harness.settings(Settings)), build(harness.settings(Settings))

    async def assigned() -> list[int]:
        clients = [one._loop and one._loop._subscription.client for one in (first, second)]
        return [len(client.assignment()) if client else 0 for client in clients]

    async with harness.worker(first), harness.worker(second):
        await eventually(assigned, until=lambda found: found == [PARTITIONS] * 2)
        await harness.publish(*(created(f"p{n}") for n in range(50)))
        await eventually(lambda: counts(first), until=lambda found: len(found) == 50)
    third = build(harness.settings(Settings, grace=5))
    await third.runtime.mongo.db["offsets"].delete_many({})
    await harness.rewind("gamification", third.consumer.topics if third.consumer else ())
    async with harness.worker(third):
        await harness.publish(created("last"))
        found = await eventually(lambda: counts(third), until=lambda found: "last" in found)
    assert set(found.values()) == {1}
    assert len(found) == 51
    for one in (first, second, third):
        await one.runtime.close()


async def test_requests_are_checked_and_repeated_ones_answered_once(harness: Harness, service: Service) -> None:
    async with harness.worker(service), harness.api(service) as client:
        assert (await client.get("/v1/secret")).json()["type"] == "unauthenticated"
        await harness.person("ann", "ambassador")

        async def known() -> bool:
            answer = await client.get("/v1/secret", headers=harness.bearer("ann"))
            return bool(answer.json()["type"] == "role-missing")

        await eventually(known)
        headers = {**harness.bearer("ann"), "Idempotency-Key": "k1"}
        answers = await asyncio.gather(
            *(client.post("/v1/greetings", json={"word": "hi"}, headers=headers) for _ in range(5))
        )
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.json()["id"] for answer in answers}) == 1
        other = await client.post("/v1/greetings", json={"word": "ho"}, headers=headers)
        assert (other.status_code, other.json()["type"]) == (422, "idempotency-key-reused")
        await drained(service)
        assert len(await harness.events("herald.recognition")) == 1


@pytest.mark.parametrize(
    ("content", "media", "status", "type_"),
    [
        (b"{", "application/json", 400, "malformed-json"),
        (b'{"word": "a", "more": 1}', "application/json", 422, "invalid"),
        (b"{}", "application/json", 422, "invalid"),
        (b'{"word": "no"}', "application/json", 422, "word-refused"),
        (b"word=a", "application/x-www-form-urlencoded", 415, "media-type"),
        (b'{"word": "' + b"a" * 1_100_000 + b'"}', "application/json", 413, "body-too-large"),
    ],
)
async def test_bad_input_is_a_problem_and_changes_nothing(
    harness: Harness, service: Service, content: bytes, media: str, status: int, type_: str
) -> None:
    await service.runtime.mongo.db["principals"].insert_one(
        {"_id": "ann", "accounts": [harness.issuer.account("ann")], "roles": [], "active": True}
    )
    async with harness.api(service) as client:
        headers = {**harness.bearer("ann"), "Content-Type": media}
        answer = await client.post("/v1/greetings", content=content, headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (status, type_)
        assert answer.headers["content-type"] == "application/problem+json"
        assert await service.runtime.mongo.outbox.count_documents({}) == 0
        assert await service.runtime.mongo.db["seen"].count_documents({}) == 0
    await service.runtime.close()


async def test_tokens_that_do_not_hold_are_refused(harness: Harness, service: Service) -> None:
    async with harness.api(service) as client:
        for claims in ({"aud": "other"}, {"iss": "http://elsewhere"}, {"exp": 1}):
            answer = await client.get("/v1/secret", headers=harness.bearer("ann", **claims))
            assert (answer.status_code, answer.json()["type"]) == (401, "unauthenticated"), claims
        forged = harness.issuer.token("ann")[:-6] + "AAAAAA"
        answer = await client.get("/v1/secret", headers={"Authorization": f"Bearer {forged}"})
        assert answer.status_code == 401
        answer = await client.get("/v1/secret", headers=harness.bearer("ann"))
        assert (answer.status_code, answer.json()["type"]) == (403, "unknown-person")
    await service.runtime.close()


@pytest.mark.parametrize("scopes", [(), ("admin",), ("admin manager editor ambassador",), ("herald:admin",)])
async def test_no_scope_of_a_machine_is_a_role_of_persons(
    harness: Harness, service: Service, scopes: tuple[str, ...]
) -> None:
    headers = {"Authorization": f"Bearer {harness.issuer.machine_token('loader', *scopes)}"}
    async with harness.api(service) as client:
        answer = await client.get("/v1/secret", headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (403, "person-needed")


async def test_a_person_who_left_is_cut_off(harness: Harness, service: Service) -> None:
    async with harness.worker(service), harness.api(service) as client:
        person = await harness.person("ann", "admin")

        async def status() -> int:
            return (await client.get("/v1/secret", headers=harness.bearer("ann"))).status_code

        await eventually(status, until=lambda found: found == 200)
        state = person.model_dump(exclude={"origin"})
        await harness.publish(PersonUpdated(**{**state, "active": False, "roles": [], "revision": 2}))
        await eventually(status, until=lambda found: found == 403)


async def test_a_command_is_seen_in_the_trace_that_it_belongs_to_and_makes_none_of_its_own(service: Service) -> None:
    telemetry, seen = service.runtime.telemetry, InMemorySpanExporter()
    telemetry.tracer_provider.add_span_processor(SimpleSpanProcessor(seen))
    await service.runtime.mongo.ping()
    assert seen.get_finished_spans() == ()
    with telemetry.tracer.start_as_current_span("request"):
        await service.runtime.mongo.ping()
    assert [span.name for span in seen.get_finished_spans()] == ["admin.ping", "request"]
    await service.runtime.close()


async def test_the_first_record_of_a_partition_is_applied_at_the_first_attempt(
    harness: Harness, service: Service
) -> None:
    """Each attempt is a span of its own, and what follows from the event hangs below the last of them."""
    telemetry, seen = service.runtime.telemetry, InMemorySpanExporter()
    telemetry.tracer_provider.add_span_processor(SimpleSpanProcessor(seen))
    traced = f"00-{'1' * 32}-{'2' * 16}-01"
    async with harness.worker(service):
        for number in range(PARTITIONS):
            event = ProgramCreated(
                program_id=f"p{number}", name="a", time_zone="UTC", languages=["en"], occurred_at=datetime.now(UTC)
            )
            one = encode(event, id=new_id(), time=datetime.now(UTC), traceparent=traced)
            await harness.publish_record(one, partition=number)
            await eventually(lambda: service.runtime.mongo.db["seen"].find_one({"_id": event.program_id}))  # noqa: B023
    attempts = [span for span in seen.get_finished_spans() if span.name.startswith("process herald.")]
    assert [span.status.is_ok or span.status.is_unset for span in attempts] == [True] * PARTITIONS
    await service.runtime.close()


class ProgramCreatedV2(ProgramCreated):
    """What the topic file would list beside v1, while a test says so."""

    type: ClassVar[str] = "herald.ProgramCreated.v2"


Event.registry.pop(ProgramCreatedV2.type)


async def test_a_fact_in_two_versions_is_applied_once_by_who_takes_one_and_by_who_moves_to_the_other(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(Event.registry, ProgramCreatedV2.type, ProgramCreatedV2)
    old = build(harness.settings(Settings))

    async def emit(tx: Transaction, *names: str) -> None:
        for name in names:
            both = created(name), ProgramCreatedV2(**created(name).model_dump())
            tx.emit(*both)

    async with harness.worker(old):
        await old.runtime.mongo.transact(lambda tx: emit(tx, "p1", "p2"))
        await eventually(lambda: counts(old), until=lambda found: len(found) == 2)
        await harness.publish(created("p3"))
        await eventually(lambda: counts(old), until=lambda found: len(found) == 3)
    new = build(harness.settings(Settings), ProgramCreatedV2)
    await harness.rewind("gamification", new.consumer.topics if new.consumer else ())
    await new.runtime.mongo.db["offsets"].delete_many({})
    async with harness.worker(new):
        await new.runtime.mongo.transact(lambda tx: emit(tx, "p4"))
        await eventually(lambda: counts(new), until=lambda found: len(found) == 4)
    assert set((await counts(new)).values()) == {1}
    assert len({one.id for one in await harness.events("herald.program")}) == 4
    assert len(await harness.records("herald.program")) == 7
    assert await harness.records("herald.deadletters.gamification") == []
    await old.runtime.close()
    await new.runtime.close()


async def test_a_flood_of_poison_pauses_its_partition_and_no_other(harness: Harness) -> None:
    service = build(harness.settings(Settings, deadletter_burst=3, deadletter_rate=0.5))
    await harness.create_topics(TOPICS)
    good = encode(created("x"), id=new_id(), time=datetime.now(UTC))
    bad = Record(good.topic, good.key, b"{no json", good.headers)
    for _ in range(30):
        await harness.publish_record(bad, partition=0)
    await harness.publish_record(encode(created("behind"), id=new_id(), time=datetime.now(UTC)), partition=0)
    async with harness.worker(service):
        await harness.publish_record(encode(created("beside"), id=new_id(), time=datetime.now(UTC)), partition=1)

        async def paused() -> set[int]:
            """The cap lets a few through every two seconds: meanwhile the partition is not paused."""
            return {part.partition for part in service._loop._subscription.paused} if service._loop else set()

        await eventually(lambda: counts(service), until=lambda found: found == {"beside": 1})
        await eventually(paused, until=lambda found: found == {0})
        assert await counts(service) == {"beside": 1}
        assert b"herald_consumer_paused" in exposition([service.runtime.telemetry])[0]
        until = datetime.now(UTC) + timedelta(minutes=1)
        await cap.lift(service.runtime.mongo.db, per_second=1000, until=until, by="test")
        await eventually(lambda: counts(service), until=lambda found: set(found) == {"beside", "behind"})
        await eventually(paused, until=lambda found: found == set())
    dead = await harness.records("herald.deadletters.gamification")
    assert len({dict(one.headers)["herald_deadletter_id"] for one in dead}) == len(dead) == 30
    await service.runtime.close()


async def test_invalid_events_that_the_handler_names_cost_one_more_attempt(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = build(harness.settings(Settings))
    await harness.create_topics(TOPICS)
    assert service.consumer is not None
    sound, sizes = service.consumer.apply, []

    async def picky(tx: Transaction, batch: Sequence[Received[Event]]) -> None:
        sizes.append(len(batch))
        refused = [one for one in batch if isinstance(one.data, ProgramCreated) and one.data.name == "refused"]
        if refused:
            raise InvalidEvents({one.id: InvalidEvent("name-refused") for one in refused})
        await sound(tx, batch)

    monkeypatch.setattr(service.consumer, "apply", picky)
    names = ["Programme", "refused"] * 20
    for number, name in enumerate(names):
        event = encode(created(f"p{number:02}", name), id=new_id(), time=datetime.now(UTC))
        await harness.publish_record(event, partition=0)
    async with harness.worker(service):
        await eventually(lambda: counts(service), until=lambda found: len(found) == 20)
        await eventually(
            lambda: harness.records("herald.deadletters.gamification"), until=lambda found: len(found) == 20
        )
    assert len(sizes) <= 4
    await service.runtime.close()
