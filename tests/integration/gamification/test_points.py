"""From events on Kafka to points, why they were given, and the events that tell of them."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import Any

import pytest

from chassis.ids import new_id
from chassis.mongo import Transaction
from chassis.mongo.leases import LeaseLost
from chassis.service import Service
from herald_contracts import Event, PointsAwarded, encode
from services.gamification import commands, projections
from services.gamification.app import build
from services.gamification.domain.rebuilds import Rebuild
from services.gamification.settings import GamificationSettings
from tests.integration.gamification.harness import (
    NOON,
    PROGRAM,
    acted,
    clock,
    created,
    engaged,
    fact,
    joined,
    know_program,
    ledger,
    points_of,
    rebuilt,
    received,
    removed,
    shared,
    sums,
    unacted,
    work_on_rebuilds,
)
from tests.integration.harness import Harness, eventually


async def count(service: Service, collection: str) -> int:
    return await service.runtime.mongo.db[collection].count_documents({})


async def applied(service: Service, ids: list[str]) -> bool:
    """Whether these events have had their effect."""
    return await service.runtime.mongo.db["inbox"].count_documents({"_id": {"$in": ids}}) == len(ids)


async def test_points_follow_the_rules_and_say_why(harness: Harness, service: Service) -> None:
    post = shared("ann", "p1")
    async with harness.worker(service), harness.api(service) as client:
        await harness.publish(created(), joined("ann"))
        await harness.person("ann", "ambassador")
        ids = await harness.publish(post, engaged(post), engaged(post, "comment", quantity=2))
        nothing = [engaged(post, verdict=why) for why in ("bot", "prefetch", "repeat", "self")]
        nothing += [engaged(post, "impression"), engaged(post, "like", measure="estimated")]
        ids += await harness.publish(*nothing)
        await eventually(lambda: applied(service, ids))

        assert await points_of(client, harness, "ann") == {
            "program_id": PROGRAM,
            "total": 18,
            "this_week": 18,
            "this_month": 18,
            "rank": 1,
            "hidden": False,
        }
        answer = await client.get("/v1/me/ledger", params={"program_id": PROGRAM}, headers=harness.bearer("ann"))
        entries = {one["rule"]: one for one in answer.json()["items"]}
        assert {rule: one["points"] for rule, one in entries.items()} == {"share": 10, "click": 2, "comment": 6}
        assert entries["share"]["cause_id"] == ids[0]
        assert entries["click"]["explanation"]["en"] == "1 person followed your link on LinkedIn: 2 points."

        await harness.publish(removed(post))
        await eventually(lambda: points_of(client, harness, "ann"), until=lambda found: found["total"] == 8)
        answer = await client.get("/v1/me/ledger", params={"program_id": PROGRAM}, headers=harness.bearer("ann"))
        [reversal] = [one for one in answer.json()["items"] if one["reverses"]]
        assert (reversal["points"], reversal["reverses"]) == (-10, entries["share"]["entry_id"])

        awarded = await eventually(
            lambda: harness.events("herald.recognition"), until=lambda events: len(events) == len(entries) + 1
        )

        talk, article = acted("ann"), acted("ann", "article", "a2")
        await harness.publish(unacted(article), talk, article, talk)
        await eventually(lambda: points_of(client, harness, "ann"), until=lambda found: found["total"] == 8 + 40)
        ids = await harness.publish(unacted(talk), unacted(talk))
        await eventually(lambda: applied(service, ids))
        assert (await points_of(client, harness, "ann"))["total"] == 8
    told = [event.data for event in awarded]
    assert {one.entry_id: one.points for one in told if isinstance(one, PointsAwarded)} == {
        **{one["entry_id"]: one["points"] for one in entries.values()},
        reversal["entry_id"]: -10,
    }


async def test_what_arrives_before_its_programme_and_its_person_waits_and_counts(
    harness: Harness, service: Service
) -> None:
    kept, gone = shared("ann", "kept"), shared("ann", "gone")
    async with harness.worker(service), harness.api(service) as client:
        early = await harness.publish(engaged(kept), gone, removed(gone), kept)
        await eventually(lambda: applied(service, early))
        assert await count(service, "ledger") == 0
        await harness.publish(created())
        await eventually(lambda: ledger(service), until=lambda found: len(found) == 4)
        assert await count(service, "waiting") == 0
        await harness.publish(joined("ann"))
        await harness.person("ann", "ambassador")
        found = await eventually(lambda: points_of(client, harness, "ann"), until=lambda found: found.get("rank"))
        assert (found["total"], found["rank"]) == (12, 1)
        awarded = await eventually(lambda: harness.events("herald.recognition"), until=lambda one: len(one) == 4)
    assert sum(event.data.points for event in awarded if isinstance(event.data, PointsAwarded)) == 12


async def test_history_earns_nothing_unless_the_rules_say_from_when(harness: Harness, service: Service) -> None:
    old = [shared("ann", f"p{n}", method="imported", occurred_at=NOON - timedelta(days=n)) for n in range(1, 5)]
    likes = [engaged(post, "like", measure="imported", occurred_at=post.occurred_at) for post in old]
    async with harness.worker(service), harness.api(service) as client:
        await harness.publish(created(), joined("ann"))
        await harness.person("ann", "ambassador")
        await harness.person("mia", "manager")
        path, headers = f"/v1/programs/{PROGRAM}/rules", harness.bearer("mia")
        await eventually(lambda: points_of(client, harness, "ann"), until=lambda found: "total" in found)
        first = await harness.publish(old[0], likes[0], shared("ann", "now"))
        await eventually(lambda: applied(service, first))
        assert (await points_of(client, harness, "ann"))["total"] == 10

        since = (NOON - timedelta(days=3)).date().isoformat()
        share = {"id": "share", "act": "share", "points": 10}
        order = {"rules": [share, {"id": "like", "act": "like", "points": 1}], "imported_since": since}
        answer = await client.post(path, json=order, headers={**headers, "If-Match": '"1"'})
        assert (answer.status_code, answer.json()["items"][0]["imported_since"]) == (201, since)
        await harness.publish(*old[1:], *likes[1:], at=NOON)
        await eventually(lambda: points_of(client, harness, "ann"), until=lambda found: found["total"] == 32)
    assert {entry[3] for entry in (await ledger(service)).values()} == {
        (NOON - timedelta(days=n)).date().isoformat() for n in (0, 2, 3)
    }


async def test_points_continue_the_trace_of_what_earned_them(harness: Harness, service: Service) -> None:
    """Also where the fact had to wait for its programme."""
    traces = {f"p{number}": f"{number:032x}" for number in (1, 2)}

    async def share(post: str) -> None:
        parent = f"00-{traces[post]}-00f067aa0ba902b7-01"
        await harness.publish_record(encode(shared("ann", post), id=new_id(), time=NOON, traceparent=parent))

    async with harness.worker(service):
        await share("p1")
        await eventually(lambda: count(service, "waiting"))
        await harness.publish(created())
        await share("p2")
        awarded = await eventually(lambda: harness.events("herald.recognition"), until=lambda one: len(one) == 2)
    assert sorted((event.traceparent or "")[3:35] for event in awarded) == sorted(traces.values())


async def test_a_fact_and_its_programme_at_once_never_miss_each_other(harness: Harness, service: Service) -> None:
    context, mongo = service.context, service.runtime.mongo
    await service.ensure_indexes()

    async def meet(program: str) -> None:
        first, second = (shared("ann", f"{post}-{program}", program_id=program) for post in ("first", "second"))
        await mongo.transact(lambda tx: commands.book_facts(context, tx, [fact(first)]))
        await asyncio.gather(
            mongo.transact(lambda tx: commands.book_facts(context, tx, [fact(second)])),
            mongo.transact(lambda tx: projections.project_programs(context, tx, [received(created(program))])),
        )

    for first in range(0, 40, 8):  # all of them are of one person, and would hold each other up for too long
        await asyncio.gather(*(meet(f"prog{first + number}") for number in range(8)))
    assert await count(service, "waiting") == 0
    assert await count(service, "ledger") == 80


async def test_a_day_s_limit_holds_for_two_workers_at_once(harness: Harness, service: Service) -> None:
    """Posts and engagement of one person come by different partitions, and so may the same rule's facts."""
    context, mongo = service.context, service.runtime.mongo
    await service.ensure_indexes()
    await know_program(service)
    post = shared("ann", "p1")

    async def work() -> None:
        for _ in range(10):
            clicks = [fact(engaged(post)), fact(engaged(post))]

            async def book(tx: Transaction, clicks: Any = clicks) -> None:
                await commands.book_facts(context, tx, clicks)

            await mongo.transact(book)

    await asyncio.gather(*(work() for _ in range(3)))
    assert sum(points for _, points, _, _ in (await ledger(service)).values()) == 40
    assert (await sums(service))["balances"][f"{PROGRAM}|ann|all"]["points"] == 40


async def test_what_is_told_again_is_booked_once(harness: Harness, service: Service) -> None:
    """The same share under another id, and everything once more after the inbox has forgotten."""
    post = shared("ann", "p1")
    facts: list[Event] = [post, engaged(post), engaged(post, "like", quantity=3), removed(post)]
    topics = ("herald.posts", "herald.engagements", "herald.program", "herald.people")
    async with harness.worker(service):
        ids = await harness.publish(created(), *facts)
        ids += await harness.publish(post, removed(post))
        await eventually(lambda: applied(service, ids))
        before, sums_before = await ledger(service), await sums(service)
    assert len(before) == 4
    db = service.runtime.mongo.db
    for forgotten in ("inbox", "offsets"):
        await db[forgotten].delete_many({})
    await harness.rewind("gamification", topics)
    again = build(harness.settings(GamificationSettings), clock=clock())
    async with harness.worker(again):
        await eventually(lambda: applied(again, ids))
        assert await ledger(again) == before
        assert await sums(again) == sums_before
    await again.runtime.close()


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_replay_into_nothing_gives_the_same_ledger_and_the_rebuild_agrees(
    harness: Harness, service: Service, seed: int
) -> None:
    """A busy day read twice: the second time in other batches, and with topics overtaking each other."""
    ids = await _busy_day(harness, seed)
    async with harness.worker(service):
        await eventually(lambda: applied(service, ids))
        first, first_sums = await ledger(service), await sums(service)
    found = await rebuilt(service)
    assert (found.state, found.ambassadors, found.entries, found.corrected) == ("done", 8, len(first), 0)
    for name in await service.runtime.mongo.db.list_collection_names():
        await service.runtime.mongo.db[name].delete_many({})
    await harness.rewind("gamification", ("herald.posts", "herald.engagements", "herald.program", "herald.people"))
    again = build(harness.settings(GamificationSettings), clock=clock())
    assert again.consumer is not None
    again.consumer.max_batch = 17
    async with harness.worker(again):
        await eventually(lambda: applied(again, ids))
        assert await ledger(again) == first
        assert await sums(again) == first_sums
    await again.runtime.close()


async def _busy_day(harness: Harness, seed: int) -> list[str]:
    await harness.create_topics(("herald.posts", "herald.engagements", "herald.program", "herald.people"))
    chance = random.Random(seed)
    told: list[Event] = []
    for number in range(60):
        post = shared(f"person-{chance.randrange(8)}", f"p{number}", network=chance.choice(["linkedin", "x"]))
        told.append(post)
        told += [
            engaged(post, chance.choice(["click", "click", "like", "repost"]), quantity=chance.choice([1, 1, 4]))
            for _ in range(chance.randrange(8))
        ]
        if chance.random() < 0.3:
            told.append(removed(post))
    return await harness.publish(*told[:50], created(), *told[50:])


async def test_a_rebuild_mends_what_was_broken(harness: Harness, service: Service) -> None:
    context, mongo = service.context, service.runtime.mongo
    await service.ensure_indexes()
    await know_program(service)
    facts = [fact(shared("ann", "p1")), fact(shared("ben", "p2")), fact(engaged(shared("ben", "p2")))]
    await mongo.transact(lambda tx: commands.book_facts(context, tx, facts))
    right = await sums(service)
    day = f"{NOON:%Y-%m-%d}"
    await mongo.db["balances"].update_one({"_id": f"{PROGRAM}|ben|all"}, {"$set": {"points": 999}})
    await mongo.db["balances"].delete_one({"_id": f"{PROGRAM}|ann|{NOON:%Y-%m}"})
    await mongo.db["balances"].insert_one(
        {"_id": f"{PROGRAM}|eve|all", "program_id": PROGRAM, "period": "all", "ambassador_id": "eve", "points": 5}
    )
    await mongo.db["totals"].update_one({"_id": f"{PROGRAM}|ben|{day}"}, {"$set": {"rules.click.points": 40}})
    found = await rebuilt(service)
    assert (found.ambassadors, found.entries, found.corrected) == (3, 3, 4)
    assert await sums(service) == right
    found = await rebuilt(service)
    assert (found.ambassadors, found.entries, found.corrected) == (2, 3, 0)


async def test_a_rebuild_goes_on_where_a_process_that_died_had_come_to(
    harness: Harness, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is added up twice, and bookings that come meanwhile are in the sums."""
    monkeypatch.setattr(commands, "REBUILT_AT_ONCE", 1)
    context, mongo = service.context, service.runtime.mongo
    await service.ensure_indexes()
    await know_program(service)
    people = ["a", "a1", "a10", "ab", "b"]
    facts = [fact(shared(one, f"post-{one}")) for one in people]
    await mongo.transact(lambda tx: commands.book_facts(context, tx, facts))
    right = await sums(service)
    await mongo.db["balances"].update_many({"ambassador_id": {"$in": people}}, {"$set": {"points": 1}})
    lost = ["a1z", "zz"]
    orphans = [
        {"_id": f"{PROGRAM}|{one}|all", "program_id": PROGRAM, "period": "all", "ambassador_id": one, "points": 5}
        for one in lost
    ]
    await mongo.db["balances"].insert_many(orphans)
    asked = await mongo.transact(lambda tx: commands.request_rebuild(context, tx, PROGRAM, by="root"))
    again = await mongo.transact(lambda tx: commands.request_rebuild(context, tx, PROGRAM, by="root"))
    assert again.id == asked.id, "one is open already"
    seen: list[str] = []
    step = commands.rebuild_some

    async def dies(context: Any, tx: Any, rebuild: Rebuild) -> Rebuild:
        if len(seen) == 3:
            seen.append("died")
            raise LeaseLost("job:rebuilds")
        found = await step(context, tx, rebuild)
        seen.append(found.position)
        return found

    monkeypatch.setattr(commands, "rebuild_some", dies)
    with pytest.raises(LeaseLost):
        await work_on_rebuilds(service)
    halfway = await context.rebuilds.find(asked.id)
    assert (halfway.state, halfway.ambassadors, halfway.position) == ("running", 3, "a10")
    assert 0 < halfway.progress < 1
    await work_on_rebuilds(service)
    done = await context.rebuilds.find(asked.id)
    assert (done.state, done.ambassadors, done.entries, done.progress) == ("done", 7, 5, 1.0)
    assert seen[:3] == ["a", "a1", "a10"]
    assert seen[4:6] == ["ab", "b"]
    assert await sums(service) == right


async def test_what_cannot_be_is_dead_lettered_and_stops_nothing(harness: Harness, service: Service) -> None:
    post = shared("ann", "p1")
    async with harness.worker(service):
        await harness.publish(
            created("lost", time_zone="Mars/Olympus"),
            created(),
            shared("ann", "future", occurred_at=NOON.replace(year=9999)),
            shared("ann", "past", occurred_at=NOON.replace(year=1)),
            post,
        )
        await eventually(lambda: ledger(service), until=lambda found: len(found) == 1)
        letters = await eventually(
            lambda: harness.records("herald.deadletters.gamification"), until=lambda found: len(found) == 3
        )
    reasons = sorted(value.decode() for letter in letters for name, value in letter.headers if b"-" in (value or b""))
    assert [reason for reason in reasons if reason in ("time-zone-unknown", "occurred-at-implausible")] == [
        "occurred-at-implausible",
        "occurred-at-implausible",
        "time-zone-unknown",
    ]
