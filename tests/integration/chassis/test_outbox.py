"""The outbox and its relay, leases and jobs, on real servers."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from bson.timestamp import Timestamp
from typer.testing import CliRunner

from chassis.ids import new_id
from chassis.jobs import Job, JobContext, keep_running
from chassis.kafka.producer import MAX_REQUEST_BYTES
from chassis.mongo import Transaction
from chassis.mongo.leases import Lease, LeaseLost
from chassis.outbox.blocked import BlockedLanes
from chassis.outbox.relay import BATCH, Relay
from chassis.runtime import Runtime
from chassis.settings import Settings
from herald.cli.app import app
from herald.operations.acting import operator
from herald_contracts import AdministrativeActRecorded, PersonDeactivated
from tests.bounds import bound
from tests.integration.harness import Harness, eventually

TOPIC = "herald.people"


@pytest.fixture
async def runtime(harness: Harness) -> AsyncIterator[Runtime]:
    found = Runtime("program", harness.settings(Settings))
    yield found
    await found.close()


@asynccontextmanager
async def relaying(*many: Runtime) -> AsyncIterator[None]:
    stop = asyncio.Event()
    tasks = [asyncio.ensure_future(Relay(one).run(stop)) for one in many]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


def left(person: str, revision: int) -> PersonDeactivated:
    return PersonDeactivated(person_id=person, revision=revision, occurred_at=datetime.now(UTC))


async def test_what_was_undone_is_never_published(harness: Harness, runtime: Runtime) -> None:
    async def fails(tx: Transaction) -> None:
        tx.emit(left("ghost", 1))
        await runtime.mongo.db["things"].insert_one({"_id": "ghost"}, session=tx.session)
        raise RuntimeError("no")

    await harness.create_topics([TOPIC])
    with pytest.raises(RuntimeError):
        await runtime.mongo.transact(fails)
    assert await runtime.mongo.db["things"].count_documents({}) == 0
    assert await runtime.mongo.outbox.count_documents({}) == 0


async def test_events_of_one_aggregate_keep_their_order_whoever_writes_them(harness: Harness, runtime: Runtime) -> None:
    """Writers with clocks that disagree take turns at the same aggregates; two relays publish."""
    await harness.create_topics([TOPIC])
    other = Runtime("program", harness.settings(Settings))
    things = runtime.mongo.db["things"]

    async def bump(on: Runtime, person: str) -> None:
        async def work(tx: Transaction) -> None:
            found = await on.mongo.db["things"].find_one_and_update(
                {"_id": person}, {"$inc": {"n": 1}}, session=tx.session, return_document=True
            )
            assert found is not None
            tx.emit(left(person, found["n"]))

        for _ in range(5):
            await on.mongo.transact(work)

    await things.insert_many([{"_id": f"p{n}", "n": 0} for n in range(5)])
    async with relaying(runtime, other):
        await asyncio.gather(*(bump(on, f"p{n}") for n in range(5) for on in (runtime, other) for _ in range(2)))

        async def drained() -> bool:
            return await runtime.mongo.outbox.count_documents({}) == 0

        await eventually(drained)
    revisions: dict[str, list[int]] = {}
    for event in await harness.events(TOPIC):
        assert isinstance(event.data, PersonDeactivated)
        revisions.setdefault(event.data.person_id, []).append(event.data.revision)
    assert revisions == {f"p{n}": list(range(1, 21)) for n in range(5)}
    await other.close()


async def test_what_another_process_commits_wakes_a_relay_that_would_look_in_ten_minutes(
    harness: Harness, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.outbox.relay.POLL_SECONDS", 600)
    monkeypatch.setattr("chassis.outbox.relay.PACE", 0)
    await harness.create_topics([TOPIC])
    api = Runtime("program", harness.settings(Settings))
    async with relaying(runtime):
        for revision in range(1, 4):  # the relay finds nothing in between, and waits to be woken
            await commit(api, left("p1", revision))
            await eventually(partial(published, harness, revision))
    await api.close()


async def test_without_redis_the_outbox_is_published_a_moment_later(harness: Harness) -> None:
    await harness.create_topics([TOPIC])
    cut_off = harness.settings(Settings).model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    runtime, api = Runtime("program", cut_off), Runtime("program", cut_off)
    async with relaying(runtime):
        for revision in range(1, 4):
            await commit(api, left("p1", revision))
            await eventually(partial(published, harness, revision))
    await runtime.close()
    await api.close()


async def commit(runtime: Runtime, event: PersonDeactivated) -> None:
    async def work(tx: Transaction) -> None:
        tx.emit(event)

    await runtime.mongo.transact(work)


async def published(harness: Harness, revision: int) -> bool:
    found = [event.data for event in await harness.events(TOPIC)]
    return [one.revision for one in found if isinstance(one, PersonDeactivated)] == list(range(1, revision + 1))


async def test_one_holder_at_a_time_and_a_stale_one_cannot_write(runtime: Runtime) -> None:
    first = Lease(runtime.mongo, runtime.supervisor, "x", seconds=0.6)
    second = Lease(runtime.mongo, runtime.supervisor, "x", seconds=0.6)
    assert await first.acquire()
    assert not await second.acquire()
    await eventually(second.acquire, within=5)
    assert second.epoch == first.epoch + 1
    assert not first.held

    async def write(tx: Transaction) -> None:
        await runtime.mongo.db["things"].insert_one({"_id": "stale"}, session=tx.session)

    with pytest.raises(LeaseLost):
        await first.transact(write)
    assert await runtime.mongo.db["things"].count_documents({}) == 0
    await second.release()
    assert await first.acquire()
    assert first.epoch == second.epoch + 1


async def test_a_job_runs_in_one_process_at_a_time_and_goes_on_after_a_failure(
    runtime: Runtime, harness: Harness
) -> None:
    other = Runtime("program", harness.settings(Settings))
    active = 0
    runs: list[int] = []

    async def run(context: JobContext) -> None:
        nonlocal active
        active += 1
        runs.append(active)
        await asyncio.sleep(0.01)
        active -= 1
        if len(runs) == 2:
            raise RuntimeError("once")

    stop = asyncio.Event()
    job = Job("count", timedelta(milliseconds=20), run)
    tasks = [asyncio.ensure_future(keep_running(job, one, stop)) for one in (runtime, other)]

    async def enough() -> bool:
        return len(runs) >= 6

    await eventually(enough)
    stop.set()
    await asyncio.gather(*tasks)
    assert set(runs) == {1}
    await other.close()


async def emit(runtime: Runtime, *rows: tuple[str, str, bytes]) -> None:
    """Leave rows (topic, key, value) in the outbox as a transaction does, in this order."""
    for number, (topic, key, value) in enumerate(rows):
        await runtime.mongo.outbox.insert_one(
            {
                "_id": new_id(),
                "seq": Timestamp(0, 0),
                "topic": topic,
                "key": key.encode(),
                "value": value,
                "headers": {"ce_id": b"%d" % number, "ce_type": b"herald.Test.v1"},
                "at": datetime.now(UTC),
            }
        )


async def values(harness: Harness, topic: str) -> dict[str, list[str]]:
    """The beginnings of the values on a topic, by key."""
    found: dict[str, list[str]] = {}
    for one in await harness.records(topic):
        found.setdefault(one.key.decode(), []).append(one.value[:4].decode())
    return found


async def drained(runtime: Runtime) -> bool:
    return await runtime.mongo.outbox.count_documents({}) == 0


def refused(size: int = 1_500_000) -> bytes:
    """More than a topic takes by default, and it does not compress."""
    return b"big " + os.urandom(size)


async def test_a_missing_topic_holds_up_its_own_events_and_no_others(
    harness: Harness, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More of them than the relay reads at once."""
    monkeypatch.setattr("chassis.outbox.lanes.LONGEST_PAUSE", 1.0)
    await harness.create_topics([TOPIC])
    await emit(runtime, *(("herald.later", f"k{n % 7}", b"%4d" % n) for n in range(BATCH + 50)), (TOPIC, "p", b"0001"))
    async with relaying(runtime):
        began = time.monotonic()
        await eventually(partial(values, harness, TOPIC), until=lambda found: found == {"p": ["0001"]})
        await emit(runtime, (TOPIC, "p", b"0002"))
        await eventually(
            partial(values, harness, TOPIC), until=lambda found: found == {"p": ["0001", "0002"]}, within=bound(5)
        )
        assert time.monotonic() - began < bound(15)
        await harness.create_topics(["herald.later"])
        await eventually(partial(drained, runtime))
    found = await values(harness, "herald.later")
    assert found == {f"k{k}": [f"{n:4d}" for n in range(BATCH + 50) if n % 7 == k] for k in range(7)}


async def test_a_row_that_is_too_large_blocks_its_lane_whole_and_no_other(harness: Harness, runtime: Runtime) -> None:
    await harness.create_topics([TOPIC])
    store = BlockedLanes(runtime.mongo.db)
    huge, large = b"huge" + os.urandom(MAX_REQUEST_BYTES), refused()
    lanes = [
        (TOPIC, "a", b"a001"),
        (TOPIC, "a", large),
        (TOPIC, "a", b"a003"),
        (TOPIC, "b", huge),
        (TOPIC, "b", b"b002"),
    ]
    others = [(TOPIC, f"k{n % 3}", b"%4d" % n) for n in range(30)]
    await emit(runtime, *others[:15], *lanes, *others[15:])
    async with relaying(runtime):
        await eventually(partial(drained, runtime))
        await emit(runtime, (TOPIC, "a", b"a004"), (TOPIC, "b", b"b003"), (TOPIC, "c", b"c001"))
        await eventually(partial(drained, runtime))
        found = await values(harness, TOPIC)
        assert found.pop("a") == ["a001"]
        assert found.pop("c") == ["c001"]
        assert found == {f"k{k}": [f"{n:4d}" for n in range(30) if n % 3 == k] for k in range(3)}
        blocked = {one.id: (one.rule, one.rows) for one in await store.all()}
        assert blocked == {f"{TOPIC}/a": ("refused", 3), f"{TOPIC}/b": ("too-large", 3)}
        assert [bytes(row["value"])[:4] for row in await store.rows(f"{TOPIC}/a")] == [b"big ", b"a003", b"a004"]
        async with runtime.mongo.client.start_session() as session:
            await session.with_transaction(lambda s: store.put_back(f"{TOPIC}/b", session=s, discard=True))
            await session.with_transaction(lambda s: store.put_back(f"{TOPIC}/a", session=s))
        await emit(runtime, (TOPIC, "b", b"b004"))
        await eventually(partial(values, harness, TOPIC), until=lambda now: now.get("b") == ["b002", "b003", "b004"])
        await eventually(store.all, until=lambda now: [one.rows for one in now] == [3])
    assert (await values(harness, TOPIC))["a"] == ["a001"], "it was tried again, and is refused as before"


async def test_what_a_topic_refuses_goes_on_once_it_takes_more(
    harness: Harness, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.outbox.stopped.PROBE_SECONDS", 0.5)
    await harness.create_topics([TOPIC])
    rows = [(TOPIC, f"k{n % 4}", refused() if n % 2 else b"%4d" % n) for n in range(24)]
    await emit(runtime, *rows)
    store = BlockedLanes(runtime.mongo.db)
    async with relaying(runtime):
        await eventually(store.all, until=lambda found: len(found) == 2)
        await eventually(partial(drained, runtime))
        assert sorted(await values(harness, TOPIC)) == ["k0", "k2"]
        admin = AIOKafkaAdminClient(bootstrap_servers=harness.infra.kafka_bootstrap)
        await admin.start()
        limit = {"max.message.bytes": "3000000"}
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, harness.name(TOPIC), limit)])
        await admin.close()
        await eventually(store.all, until=lambda found: found == [])
        await eventually(partial(drained, runtime))
    wanted = {f"k{k}": [value[:4].decode() for _, key, value in rows if key == f"k{k}"] for k in range(4)}
    assert await values(harness, TOPIC) == wanted


async def test_operators_look_at_blocked_lanes_and_decide(
    harness: Harness, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HERALD_NAMESPACE", harness.namespace)
    monkeypatch.setenv("HERALD_KAFKA_BOOTSTRAP", harness.infra.kafka_bootstrap)
    monkeypatch.setenv("HERALD_MONGO_URL", harness.infra.mongo_url)

    async def herald(*arguments: str) -> tuple[int, str]:
        result = await asyncio.to_thread(CliRunner().invoke, app, ["outbox", "blocked", *arguments])
        return result.exit_code, result.output

    lane = f"{TOPIC}/a"
    await harness.create_topics([TOPIC, "herald.audit.program"])
    assert await herald("list") == (0, "No lane is blocked.\n")
    await emit(runtime, (TOPIC, "a", refused()), (TOPIC, "a", b"a002"))
    async with relaying(runtime):
        await eventually(BlockedLanes(runtime.mongo.db).all)
        code, said = await herald("list")
        assert code == 0
        assert lane in said
        assert "refused (MessageSizeTooLargeError)" in said
        assert "2 events set aside" in said
        code, said = await herald("show", lane)
        assert (code, "ce_type: herald.Test.v1" in said) == (0, True)
        assert (await herald("show", "nothing"))[0] == 1
        assert "2 events go on" in (await herald("retry", lane))[1]
        await eventually(BlockedLanes(runtime.mongo.db).all)
        assert "add --go" in (await herald("discard", lane, "--service", "program"))[1]
        assert await values(harness, TOPIC) == {}
        assert (await herald("discard", lane, "--go"))[1] == "1 event dropped; 1 events go on\n"
        await eventually(partial(values, harness, TOPIC), until=lambda found: found == {"a": ["a002"]})
        trail = partial(harness.events, "herald.audit.program")
        acts = [one.data for one in await eventually(trail, until=lambda found: len(found) == 2)]
    told = [(one.act, one.actor_id) for one in acts if isinstance(one, AdministrativeActRecorded)]
    assert told == [("retry_event", operator().id), ("discard_event", operator().id)]
