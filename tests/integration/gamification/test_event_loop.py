"""Gamification keeps its event loop for no input that it accepts, and for nothing that it stored."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from chassis.service import Service
from herald_contracts.words import NETWORKS
from services.gamification import commands
from services.gamification.commands import MAX_RULES_KEPT, MAX_VERSIONS
from services.gamification.domain.rules import ACTS, MAX_RULES_AN_ACT
from services.gamification.leaderboard.cache import MAX_BOARDS, Board, Cache
from services.gamification.leaderboard.updater import _Session
from services.gamification.schemas import MAX_RULES
from services.gamification.store.standings import CHUNK, Standings
from tests.integration.event_loop import ALONE, check_doors, quick, quick_work
from tests.integration.gamification.harness import NOON, PROGRAM, clock, engaged, fact, populate, rebuilt, shared
from tests.integration.harness import Harness

PEOPLE = 20_000 if ALONE else 1_100
FACTS = 1_000 if ALONE else 60
DAYS = 1_000 if ALONE else 60
BOARDS = MAX_BOARDS if ALONE else 20


def rules(count: int) -> list[dict[str, Any]]:
    return [
        {
            "id": f"rule-{number}",
            "act": ACTS[number % len(ACTS)],
            "points": 1000,
            "networks": list(NETWORKS),
            "acts_a_day": 100_000,
            "points_a_day": 1_000_000,
        }
        for number in range(count)
    ]


async def know_rules(service: Service, versions: int, each: list[dict[str, Any]]) -> None:
    """A programme whose rules were changed as often as they may be."""
    kept = [
        {"version": one, "valid_from": NOON - timedelta(days=versions - one), "rules": each, "changed_by": "mia"}
        for one in range(1, versions + 1)
    ]
    row = {"_id": PROGRAM, "time_zone": "Europe/Paris", "version": versions, "rule_sets": kept}
    await service.runtime.mongo.db["programs"].replace_one({"_id": PROGRAM}, row, upsert=True)


@pytest.mark.parametrize("versions", [MAX_VERSIONS, MAX_RULES_KEPT // MAX_RULES] if ALONE else [MAX_VERSIONS])
async def test_rules_and_ledgers(harness: Harness, service: Service, versions: int) -> None:
    each = rules(MAX_RULES_KEPT // versions)
    await know_rules(service, versions, each)
    await service.ensure_indexes()
    await populate(
        service,
        {"ann": {"accounts": [harness.issuer.account("ann")], "roles": ["ambassador", "manager"]}},
        {"ann": 100},
    )
    entry = {
        "ambassador_id": "ann", "program_id": PROGRAM, "points": 10, "acts": 7, "worth": 7000, "act": "share",
        "rule": each[0]["id"], "rule_version": versions, "cause_id": "x" * 128, "cause_type": "herald.PostShared.v1",
        "post_id": "p" * 128, "content_id": "c" * 128, "network": "linkedin", "day": "2026-03-02",
        "occurred_at": NOON, "reverses": None,
    }  # fmt: skip
    await service.runtime.mongo.db["ledger"].insert_many([{**entry, "_id": f"e{number}"} for number in range(250)])
    async with harness.api(service) as client:
        headers = harness.bearer("ann")
        path, seen, cursor = f"/v1/programs/{PROGRAM}/rules", list[int](), None
        while cursor or not seen:
            params = {"limit": 100, **({"cursor": cursor} if cursor else {})}
            page = (await quick(client, "GET", path, params=params, headers=headers)).json()
            seen, cursor = seen + [one["version"] for one in page["items"]], page["next"]
            assert sum(len(one["rules"]) for one in page["items"]) <= 1000
        assert seen == list(range(versions, 0, -1))
        body = {"rules": rules(MAX_RULES)}
        more = await quick(client, "POST", path, json=body, headers={**headers, "If-Match": f'"{versions}"'})
        assert (more.status_code, more.json()["type"]) == (422, "too-many-versions")
        for one in ("/v1/me/points", "/v1/me/ledger"):
            params = {"program_id": PROGRAM, **({"limit": 100} if "ledger" in one else {})}
            assert (await quick(client, "GET", one, params=params, headers=headers)).status_code == 200


async def test_leaderboards_of_many(harness: Harness, service: Service) -> None:
    """As many teams as people; from the database, and from Redis where many boards are kept."""
    await know_rules(service, 1, rules(MAX_RULES))
    await service.ensure_indexes()
    members = {f"p{n:06}": {"team": f"Team {n} " + "é" * 100, "leader": True} for n in range(PEOPLE)}
    me = f"p{PEOPLE - 5:06}"
    members[me] |= {"accounts": [harness.issuer.account("ann")]}
    await populate(service, members, {id: 1000 + number for number, id in enumerate(members)})
    context, mongo = service.context, service.runtime.mongo
    cache = Cache(service.runtime.redis, service.runtime.settings)
    async with harness.api(service) as client:
        headers, path = harness.bearer("ann"), f"/v1/programs/{PROGRAM}/leaderboard"

        async def look() -> None:
            for scope in ("individual", "leaders", "team", "country"):
                params = {"period": "all", "scope": scope, "limit": 100}
                page = await quick(client, "GET", path, params=params, headers=headers)
                assert len(page.json()["items"]) == (1 if scope == "country" else 100)
            await quick(client, "GET", path, params={"period": "all", "around": "me"}, headers=headers)

        await look()
        session = _Session(cache, Standings(mongo), clock())
        await cache.claim(session._writer)
        await quick_work(lambda _: session._make(Board(PROGRAM, "all")))
        await look()
    session._kept[PROGRAM] = {f"{2000 + number // 52}-W{number % 52 + 1:02}" for number in range(BOARDS)}
    await cache.claim(session._writer)
    await quick_work(lambda _: session._put(PROGRAM, sorted(members)[:CHUNK]))
    assert await context.leaderboard.groups(Board(PROGRAM, "all"), "team")


async def test_booking_and_rebuilding(harness: Harness, service: Service) -> None:
    """A batch of facts that each earn by every rule, and a person's years of them."""
    each = [{**one, "act": "share"} for one in rules(MAX_RULES_AN_ACT)]
    await know_rules(service, 1, each)
    await service.ensure_indexes()
    context, mongo = service.context, service.runtime.mongo

    async def book(attempt: int) -> None:
        facts = [fact(shared(f"a{number % 50}", f"p{attempt}-{number}")) for number in range(FACTS)]
        await asyncio.sleep(0)
        await mongo.transact(lambda tx: commands.book_facts(context, tx, facts))

    await quick_work(book)
    assert await mongo.db["ledger"].count_documents({}) >= FACTS * MAX_RULES_AN_ACT
    entry = await mongo.db["ledger"].find_one({})
    assert entry is not None
    days = [(NOON - timedelta(days=number)).date().isoformat() for number in range(DAYS)]
    for person in range(50):
        rows = [
            {
                **entry,
                "_id": f"{person}-{day}-{rule}",
                "ambassador_id": f"a{person}",
                "day": day,
                "rule": f"rule-{rule}",
            }
            for day in days
            for rule in range(2)
        ]
        await mongo.db["ledger"].insert_many(rows, ordered=False)
    found = await quick_work(lambda _: rebuilt(service))
    assert found.entries >= 50 * DAYS * 2


async def test_removals_and_likes_of_one_post(service: Service) -> None:
    await know_rules(service, 1, rules(MAX_RULES))
    await service.ensure_indexes()
    context, mongo = service.context, service.runtime.mongo

    async def book(attempt: int) -> None:
        post = shared("ann", f"p{attempt}")
        facts = [fact(post), *(fact(engaged(post, "like", quantity=1_000_000)) for _ in range(FACTS))]
        await asyncio.sleep(0)
        await mongo.transact(lambda tx: commands.book_facts(context, tx, facts))

    await quick_work(book)


async def test_doors(harness: Harness, service: Service) -> None:
    await service.ensure_indexes()
    person = {"accounts": [harness.issuer.account("root")], "roles": ["manager", "admin"]}
    await populate(service, {"root": person}, {"root": 1})
    async with harness.api(service) as client:
        await check_doors(service, client, harness.bearer("root"))
