"""The outbox and its relay, leases and jobs, on real servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from chassis.jobs import Job, JobContext, keep_running
from chassis.mongo import Transaction
from chassis.mongo.leases import Lease, LeaseLost
from chassis.outbox.relay import Relay
from chassis.runtime import Runtime
from chassis.settings import Settings
from herald_contracts import PersonDeactivated
from tests.integration.harness import Stage, eventually

TOPIC = "herald.people"


@pytest.fixture
async def runtime(stage: Stage) -> AsyncIterator[Runtime]:
    found = Runtime("program", stage.settings(Settings))
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


async def test_what_was_undone_is_never_published(stage: Stage, runtime: Runtime) -> None:
    async def fails(tx: Transaction) -> None:
        tx.emit(left("ghost", 1))
        await runtime.mongo.db["things"].insert_one({"_id": "ghost"}, session=tx.session)
        raise RuntimeError("no")

    await stage.create_topics([TOPIC])
    with pytest.raises(RuntimeError):
        await runtime.mongo.transact(fails)
    assert await runtime.mongo.db["things"].count_documents({}) == 0
    assert await runtime.mongo.outbox.count_documents({}) == 0


async def test_events_of_one_aggregate_keep_their_order_whoever_writes_them(stage: Stage, runtime: Runtime) -> None:
    """Writers with clocks that disagree take turns at the same aggregates; two relays publish."""
    await stage.create_topics([TOPIC])
    other = Runtime("program", stage.settings(Settings))
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
    for event in await stage.events(TOPIC):
        assert isinstance(event.data, PersonDeactivated)
        revisions.setdefault(event.data.person_id, []).append(event.data.revision)
    assert revisions == {f"p{n}": list(range(1, 21)) for n in range(5)}
    await other.close()


async def test_what_another_process_commits_is_published_at_once(
    stage: Stage, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.outbox.relay.POLL_SECONDS", 600)
    monkeypatch.setattr("chassis.outbox.relay.PACE", 0)
    await stage.create_topics([TOPIC])
    api = Runtime("program", stage.settings(Settings))
    async with relaying(runtime):
        for revision in range(1, 4):  # the relay finds nothing in between, and waits to be woken
            await commit(api, left("p1", revision))
            await eventually(partial(published, stage, revision), within=15)
    await api.close()


async def test_without_redis_the_outbox_is_published_a_moment_later(stage: Stage) -> None:
    await stage.create_topics([TOPIC])
    cut_off = stage.settings(Settings).model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    runtime, api = Runtime("program", cut_off), Runtime("program", cut_off)
    async with relaying(runtime):
        for revision in range(1, 4):
            await commit(api, left("p1", revision))
            await eventually(partial(published, stage, revision), within=15)
    await runtime.close()
    await api.close()


async def commit(runtime: Runtime, event: PersonDeactivated) -> None:
    async def work(tx: Transaction) -> None:
        tx.emit(event)

    await runtime.mongo.transact(work)


async def published(stage: Stage, revision: int) -> bool:
    found = [event.data for event in await stage.events(TOPIC)]
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


async def test_a_job_runs_in_one_process_at_a_time_and_goes_on_after_a_failure(runtime: Runtime, stage: Stage) -> None:
    other = Runtime("program", stage.settings(Settings))
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
