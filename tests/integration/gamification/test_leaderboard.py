"""Who stands where: from Redis and from MongoDB alike, through opt-outs, floods, flushes and takeovers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from chassis.service import Service
from herald_contracts import AmbassadorLeft, PersonDeactivated
from services.gamification.app import build
from services.gamification.domain.standings import Member
from services.gamification.leaderboard.cache import Board, Cache, Superseded
from services.gamification.leaderboard.reader import Leaderboard
from services.gamification.settings import GamificationSettings
from services.gamification.store.standings import Standings
from tests.integration.gamification.harness import (
    NOON,
    PROGRAM,
    clock,
    created,
    engaged,
    joined,
    points_of,
    populate,
    shared,
    updated,
)
from tests.integration.harness import Harness, eventually

BOARD = Board(PROGRAM, "all")
PATH = f"/v1/programs/{PROGRAM}/leaderboard"


class Reads:
    """Stands for the metric of reads: where the last came from, and all since they were cleared."""

    def __init__(self) -> None:
        self.source = ""
        self.seen: set[str] = set()

    def add(self, _: int, labels: dict[str, str]) -> None:
        self.source = labels["source"]
        self.seen.add(self.source)


def reader(service: Service, redis: Redis | None = None) -> tuple[Leaderboard, Reads]:
    """A leaderboard that tells where it read; without Redis unless one is given."""
    counter = Reads()
    nowhere = Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0))
    cache = Cache(redis or nowhere, service.runtime.settings)
    return Leaderboard(cache, Standings(service.runtime.mongo), clock(), counter), counter  # type: ignore[arg-type]


@asynccontextmanager
async def kept(harness: Harness, service: Service) -> AsyncIterator[tuple[Leaderboard, Reads]]:
    """A leaderboard that is in Redis, kept by a worker."""
    async with harness.worker(service):
        board, counter = reader(service, service.runtime.redis)
        await eventually(lambda: from_cache(board, counter))
        counter.seen.clear()
        yield board, counter


async def from_cache(board: Leaderboard, counter: Reads) -> bool:
    await board.page(BOARD, me=None, limit=1)
    return counter.source == "cache"


def crowd(seed: int, size: int = 120) -> tuple[dict[str, dict[str, Any]], dict[str, int]]:
    """People with many ties; some opted out, some left, some lead, some have no points."""
    chance = random.Random(seed)
    members = {
        f"person-{number:03}": {
            "team": chance.choice(["Sales", "IT", "HR"]),
            "country": chance.choice(["FR", "DE"]),
            "leader": chance.random() < 0.2,
            "hidden_from_rankings": chance.random() < 0.1,
            "hidden_from_statistics": chance.random() < 0.1,
            "active": chance.random() > 0.05,
            "memberships": [PROGRAM] if chance.random() > 0.05 else [],
        }
        for number in range(size)
    }
    return members, {id: chance.randrange(12) for id in members if chance.random() < 0.9}


def hides(state: dict[str, Any]) -> bool:
    """A line of a leaderboard is a ranking and a named statistic: either opt-out keeps a person off it."""
    return bool(state["hidden_from_rankings"] or state["hidden_from_statistics"])


def expected(
    members: dict[str, dict[str, Any]], points: dict[str, int], *, leaders: bool
) -> list[tuple[int, str, int]]:
    """Ranks by their definition: one more than those who have more."""
    ranked = {
        id: points[id]
        for id, state in members.items()
        if points.get(id, 0) > 0
        and state["active"]
        and state["memberships"]
        and not hides(state)
        and (state["leader"] or not leaders)
    }
    order = sorted(ranked, key=lambda who: (ranked[who], who), reverse=True)
    return [(1 + sum(other > ranked[id] for other in ranked.values()), id, ranked[id]) for id in order]


async def check_everything(board: Leaderboard, members: dict[str, dict[str, Any]], points: dict[str, int]) -> None:
    for leaders in (False, True):
        whole = expected(members, points, leaders=leaders)
        found: list[tuple[int, str, int]] = []
        start: int | None = 0
        while start is not None:
            page = await board.page(BOARD, leaders=leaders, me=None, start=start, limit=7)
            found += [(one.rank, one.id, one.points) for one in page.standings]
            start = page.next
        assert found == whole
        for position, (rank, id, score) in enumerate(whole):
            page = await board.page(BOARD, leaders=leaders, me=id, around=True, limit=5)
            assert page.mine is not None
            assert (page.mine.rank, page.mine.points) == (rank, score)
            first = max(0, position - 2)
            assert [(one.rank, one.id, one.points) for one in page.standings] == whole[first : first + 5]
    ranked = {id: score for _, id, score in expected(members, points, leaders=False)}
    visible = [
        state | {"id": id}
        for id, state in members.items()
        if state["active"] and state["memberships"] and not hides(state)
    ]
    for group in ("team", "country"):
        heads: dict[str, list[str]] = {}
        for state in visible:
            heads.setdefault(state[group], []).append(state["id"])
        groups = await board.groups(BOARD, group)
        assert {one.id: (one.points, one.ambassadors) for one in groups} == {
            name: (sum(ranked.get(id, 0) for id in ids), len(ids)) for name, ids in heads.items()
        }
        assert [one.per_head for one in groups] == sorted((one.per_head for one in groups), reverse=True)


@pytest.mark.parametrize("source", ["database", "cache"])
async def test_pages_neighbours_and_groups_are_as_defined(harness: Harness, service: Service, source: str) -> None:
    members, points = crowd(5)
    await service.ensure_indexes()
    await populate(service, members, points)
    if source == "database":
        await check_everything(reader(service)[0], members, points)
    else:
        async with kept(harness, service) as (board, counter):
            await check_everything(board, members, points)
            assert counter.seen == {"cache"}


async def test_the_cache_follows_whatever_happens(harness: Harness, service: Service) -> None:
    """Random changes of people and points; in the end Redis says what MongoDB says, sums of groups included."""
    members, points = crowd(6, 40)
    await populate(service, members, points)
    chance = random.Random(6)
    db = service.runtime.mongo.db
    async with kept(harness, service) as (board, counter):
        for _ in range(150):
            id = chance.choice(list(members))
            if chance.random() < 0.5:
                points[id] = chance.randrange(12)
                balance = {"program_id": PROGRAM, "period": "all", "ambassador_id": id, "points": points[id]}
                await db["balances"].update_one({"_id": f"{PROGRAM}|{id}|all"}, {"$set": balance}, upsert=True)
            else:
                changed = crowd(chance.randrange(1000), 1)[0]["person-000"]
                members[id] |= changed
                await db["principals"].update_one({"_id": id}, {"$set": changed})

        async def agrees() -> bool:
            counter.seen.clear()
            try:
                await check_everything(board, members, points)
            except AssertionError:
                return False
            return counter.seen == {"cache"}

        await eventually(agrees, within=10)


@pytest.mark.parametrize("opt_out", ["hidden_from_rankings", "hidden_from_statistics"])
async def test_who_opts_out_is_gone_at_once_and_may_come_back(harness: Harness, service: Service, opt_out: str) -> None:
    async with harness.worker(service), harness.api(service) as client:
        people = {}
        await harness.publish(created())
        for number, name in enumerate(("ann", "ben", "cat")):
            people[name] = await harness.person(name, "ambassador", leader=name == "cat")
            post = shared(name, f"post-{name}")
            await harness.publish(joined(name), post, *[engaged(post, "like") for _ in range(number)])

        async def names() -> list[tuple[int, str]]:
            answer = await client.get(PATH, params={"period": "week"}, headers=harness.bearer("ann"))
            return [(one["rank"], one["person_id"]) for one in answer.json().get("items", [])]

        await eventually(names, until=lambda found: found == [(1, "cat"), (2, "ben"), (3, "ann")])
        hidden = updated(people["ben"], **{opt_out: True})
        await harness.publish(hidden)
        await eventually(
            lambda: points_of(client, harness, "ben"),
            until=lambda found: (found["hidden"], found["rank"], found["total"]) == (True, None, 11),
        )
        assert "ben" not in [name for _, name in await names()]
        await eventually(names, until=lambda found: found == [(1, "cat"), (2, "ann")])
        near = await client.get(PATH, params={"around": "me"}, headers=harness.bearer("ben"))
        assert (near.json()["items"], near.json()["me"]) == ([], None)
        await harness.publish(updated(hidden, **{opt_out: False}))
        await eventually(names, until=lambda found: found == [(1, "cat"), (2, "ben"), (3, "ann")])
        await harness.publish(
            AmbassadorLeft(person_id="cat", program_id=PROGRAM, reason="left", occurred_at=NOON),
            PersonDeactivated(person_id="ben", revision=9, occurred_at=NOON),
        )
        await eventually(names, until=lambda found: found == [(1, "ann")])


@pytest.mark.parametrize("opt_out", ["hidden_from_rankings", "hidden_from_statistics"])
async def test_a_hidden_person_is_not_shown_even_while_redis_still_has_them(
    harness: Harness, service: Service, opt_out: str
) -> None:
    members, points = crowd(7, 20)
    await populate(service, members, points)
    async with kept(harness, service):
        pass
    cache = Cache(service.runtime.redis, service.runtime.settings)
    await cache.claim("stale")
    board, counter = reader(service, service.runtime.redis)
    await cache.open("stale", BOARD)
    whole = expected(members, points, leaders=False)
    assert [one.id for one in (await board.page(BOARD, me=None, limit=50)).standings] == [id for _, id, _ in whole]
    assert counter.source == "cache"
    top = whole[0][1]
    await service.runtime.mongo.db["principals"].update_one({"_id": top}, {"$set": {opt_out: True}})
    shown = [one.id for one in (await board.page(BOARD, me=None, limit=50)).standings]
    assert shown == [id for _, id, _ in whole[1:]]
    assert counter.source == "database"


async def test_flushed_redis_loses_nothing_and_heals(harness: Harness) -> None:
    """On a Redis database of this test's own, flushed again and again while points are given."""
    variables = {"redis_url": harness.infra.redis_url.rpartition("/")[0] + "/9"}
    service = build(harness.settings(GamificationSettings, **variables), clock=clock())
    redis = service.runtime.redis
    members, points = crowd(8, 30)
    try:
        await populate(service, members, points)
        async with kept(harness, service) as (board, counter):
            ids = list(members)
            for number in range(6):
                await redis.flushdb()
                id = ids[number]
                points[id] = 20 + number
                balance = {"program_id": PROGRAM, "period": "all", "ambassador_id": id, "points": points[id]}
                await service.runtime.mongo.db["balances"].update_one(
                    {"_id": f"{PROGRAM}|{id}|all"}, {"$set": balance}, upsert=True
                )
                await check_top(board, members, points)
            await eventually(lambda: from_cache(board, counter))
            await check_everything(board, members, points)
    finally:
        await redis.flushdb()
        await service.runtime.close()


async def check_top(board: Leaderboard, members: dict[str, dict[str, Any]], points: dict[str, int]) -> None:
    """Right within moments, wherever it is read."""
    wanted = [id for _, id, _ in expected(members, points, leaders=False)][:5]

    async def top() -> list[str]:
        return [one.id for one in (await board.page(BOARD, me=None, limit=5)).standings]

    await eventually(top, until=lambda found: found == wanted)


async def test_without_redis_leaderboards_are_answered(harness: Harness) -> None:
    service = build(harness.settings(GamificationSettings, redis_url="redis://127.0.0.1:1/0"), clock=clock())
    try:
        async with harness.worker(service), harness.api(service) as client:
            await harness.publish(created(), joined("ann"), shared("ann", "p1"))
            await harness.person("ann", "ambassador", team="IT")
            await eventually(lambda: points_of(client, harness, "ann"), until=lambda found: found.get("rank") == 1)
            for scope, line in (("individual", ("ann", None)), ("team", (None, "IT")), ("country", (None, "FR"))):
                answer = await client.get(PATH, params={"scope": scope}, headers=harness.bearer("ann"))
                [item] = answer.json()["items"]
                assert (item["person_id"], item["name"], item["points"], item["me"]) == (*line, 10, True)
    finally:
        await service.runtime.close()


async def test_a_keeper_that_was_superseded_writes_no_more(harness: Harness, service: Service) -> None:
    cache = Cache(service.runtime.redis, service.runtime.settings)
    member = {"ann": Member("FR", "IT", False)}
    await cache.claim("old")
    await cache.put("old", PROGRAM, ["ann"], member, {"all": {"ann": 5}})
    await cache.claim("new")
    with pytest.raises(Superseded):
        await cache.put("old", PROGRAM, ["ann"], member, {"all": {"ann": 99}})
    with pytest.raises(Superseded):
        await cache.open("old", BOARD)
    with pytest.raises(Superseded):
        await cache.renew("old", now=0)
    await cache.open("new", BOARD)
    found = await cache.slice_of(BOARD, "individual", me="ann", start=0, around=None, limit=5, now=0)
    assert found is not None
    assert (found.scores, found.my_rank) == ([("ann", 5)], 1)


async def test_a_takeover_in_the_middle_of_a_write_undoes_it(harness: Harness, service: Service) -> None:
    """Between reading and writing, another updater claims the cache."""

    class Overtaken(Cache):
        async def _commit(self, pipe: Any) -> None:
            await Cache(service.runtime.redis, service.runtime.settings).claim("new")
            await super()._commit(pipe)

    cache = Overtaken(service.runtime.redis, service.runtime.settings)
    await cache.claim("old")
    with pytest.raises(Superseded):
        await cache.put("old", PROGRAM, ["ann"], {"ann": Member("FR", "IT", False)}, {"all": {"ann": 5}})
    await Cache(service.runtime.redis, service.runtime.settings).open("new", BOARD)
    found = await Cache(service.runtime.redis, service.runtime.settings).slice_of(
        BOARD, "individual", me=None, start=0, around=None, limit=5, now=0
    )
    assert found is not None
    assert found.scores == []


async def test_two_workers_keep_one_board_and_one_takes_over(harness: Harness, service: Service) -> None:
    members, points = crowd(9, 20)
    await populate(service, members, points)
    other = build(harness.settings(GamificationSettings), clock=clock())
    db = service.runtime.mongo.db
    try:
        async with kept(harness, service), harness.worker(other):
            pass
        async with kept(harness, other) as (board, counter):
            top = expected(members, points, leaders=False)[-1][1]
            await db["balances"].update_one({"_id": f"{PROGRAM}|{top}|all"}, {"$inc": {"points": 100}})
            points[top] += 100
            wanted = [id for _, id, _ in expected(members, points, leaders=False)][:5]

            async def shown() -> tuple[str, list[str]]:
                page = await board.page(BOARD, me=None, limit=5)
                return counter.source, [one.id for one in page.standings]

            await eventually(shown, until=lambda found: found == ("cache", wanted))
    finally:
        await other.runtime.close()


async def test_a_rebuild_reaches_the_leaderboard(harness: Harness, service: Service) -> None:
    async with harness.worker(service), harness.api(service) as client:
        await harness.publish(created(), joined("ann"), shared("ann", "p1"))
        await harness.person("ann", "ambassador")
        await harness.person("root", "admin")
        await eventually(lambda: points_of(client, harness, "ann"), until=lambda found: found.get("rank") == 1)
        await service.runtime.mongo.db["balances"].update_many({}, {"$set": {"points": 70}})
        await eventually(lambda: board_points(client, harness), until=lambda found: found == [70])
        answer = await eventually(
            lambda: client.post(f"{PATH}/rebuild", headers=harness.bearer("root")),
            until=lambda answer: answer.status_code == 202,
        )
        assert answer.json()["state"] == "queued"

        async def status() -> dict[str, Any]:
            return dict((await client.get(answer.headers["location"], headers=harness.bearer("root"))).json())

        done = await eventually(status, until=lambda found: found["state"] == "done")
        assert (done["progress"], done["ambassadors"], done["entries"], done["corrected"]) == (1.0, 1, 1, 4)
        await eventually(lambda: board_points(client, harness), until=lambda found: found == [10])
        other = await client.get(f"{PATH}/rebuilds/none", headers=harness.bearer("root"))
        assert (other.status_code, other.json()["type"]) == (404, "not-found")


async def board_points(client: httpx.AsyncClient, harness: Harness) -> list[int]:
    answer = await client.get(PATH, headers=harness.bearer("ann"))
    return [one["points"] for one in answer.json()["items"]]


async def test_reads_while_everything_changes_are_never_torn(harness: Harness, service: Service) -> None:
    """Ranks of a page always fit its points, whatever is written meanwhile."""
    members, points = crowd(10, 60)
    await populate(service, members, points)
    chance = random.Random(10)
    db = service.runtime.mongo.db
    async with kept(harness, service) as (board, _):
        stop = asyncio.Event()

        async def churn() -> None:
            while not stop.is_set():
                id = chance.choice(list(points))
                await db["balances"].update_one(
                    {"_id": f"{PROGRAM}|{id}|all"}, {"$set": {"points": chance.randrange(9)}}
                )

        churning, rows = asyncio.create_task(churn()), 0
        try:
            for start in [*range(40)] * 3:
                page = await board.page(BOARD, me=None, start=start, limit=15)
                for above, below in zip(page.standings, page.standings[1:], strict=False):
                    assert (above.rank == below.rank) == (above.points == below.points)
                    assert above.points >= below.points
                assert all(one.rank <= start + place for place, one in enumerate(page.standings, 1))
                assert len({one.id for one in page.standings}) == len(page.standings)
                rows += len(page.standings)
        finally:
            stop.set()
            await churning
    assert rows > 1000
