"""Metrics keeps its event loop for no input that it accepts, and for nothing that it stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import orjson
import pytest
from pymongo.asynchronous.collection import AsyncCollection

from chassis.consumer import Received
from chassis.ids import new_id
from chassis.mongo import Transaction
from chassis.service import Service
from herald_contracts import EngagementRecorded, Event, PostShared
from herald_contracts.words import ENGAGEMENT_KINDS, NETWORKS
from services.metrics import commands, queries
from services.metrics.app import build
from services.metrics.commands import MAX_RATE_VERSIONS
from services.metrics.domain.changes import FigureChange
from services.metrics.domain.counts import FIELDS
from services.metrics.domain.periods import MAX_DAYS, last_days
from services.metrics.settings import MetricsSettings
from services.metrics.store.changes import FiguresVersion
from tests.integration.event_loop import ALONE, check_doors, quick, quick_work
from tests.integration.harness import Harness

PROGRAM = "prog"
TODAY = datetime.now(UTC).date()
PEOPLE = 10_000 if ALONE else 400
VERSIONS = MAX_RATE_VERSIONS if ALONE else 40
ITEMS = 5_000 if ALONE else 1_100
DAYS = MAX_DAYS if ALONE else 20
EVENTS = 1_000 if ALONE else 200
CHANGES = 300 if ALONE else 20
WHOLE = {"from": (TODAY - timedelta(days=MAX_DAYS - 1)).isoformat(), "to": TODAY.isoformat()}


@pytest.fixture
async def service(harness: Harness) -> AsyncIterator[Service]:
    found = build(harness.settings(MetricsSettings))
    await found.ensure_indexes()
    db = found.runtime.mongo.db
    await db["programs"].insert_one({"_id": PROGRAM, "name": "P", "time_zone": "Europe/Paris"})
    roles = ["manager", "admin", "ambassador"]
    person = {"_id": "boss", "accounts": [harness.issuer.account("boss")], "roles": roles, "active": True}
    await db["principals"].insert_one({**person, "memberships": [PROGRAM]})
    yield found
    await found.runtime.close()


def days(count: int) -> list[str]:
    return [(TODAY - timedelta(days=number)).isoformat() for number in range(count)]


async def insert(collection: AsyncCollection[Any], rows: Iterable[dict[str, Any]]) -> None:
    some = list(rows)
    for start in range(0, len(some), 5000):
        await collection.insert_many(some[start : start + 5000], ordered=False)


async def fill(service: Service) -> None:
    """Years of a large company, and rates that changed as often and as much as they may."""
    db = service.runtime.mongo.db
    counts = dict.fromkeys(FIELDS, 3)
    rates = {network: dict.fromkeys(ENGAGEMENT_KINDS, "1.2345") for network in (f"network-{n}" for n in range(32))}
    await insert(
        db["rates"],
        (
            {
                "_id": f"{PROGRAM}|{version}", "program_id": PROGRAM, "version": version, "valid_from": day,
                "currency": "EUR", "source": "s" * 500, "rates": rates,
            }
            for version, day in enumerate(reversed(days(VERSIONS)), 1)
        ),
    )  # fmt: skip
    common = {"program_id": PROGRAM, **counts}
    daily = [
        {"_id": f"{day}|{network}", **common, "day": day, "network": network, "content_id": "c0"}
        for day in days(DAYS)
        for network in NETWORKS
    ]
    per_item = [
        {"_id": f"{n}|{k}", **common, "day": days(9)[k], "network": "x", "content_id": f"c{n}"}
        for n in range(ITEMS)
        for k in range(3 if ALONE else 1)
    ]
    await insert(db["totals"], daily + per_item)
    per_person = [
        {"_id": f"p{n}|{k}", **common, "day": days(9)[k], "network": "x", "ambassador_id": f"p{n}"}
        for n in range(PEOPLE)
        for k in range(3 if ALONE else 1)
    ]
    own = [{"_id": f"boss|{one['_id']}", **one, "ambassador_id": "boss"} for one in daily]
    await insert(db["person_days"], per_person + [{**one, "_id": f"boss|{n}"} for n, one in enumerate(own)])
    leader = {"country": "FR", "leader": True, "active": True}
    await insert(db["principals"], ({**leader, "_id": f"p{n}", "team": f"T{n // 5}"} for n in range(PEOPLE)))
    stays: list[dict[str, Any]] = [{"since": float(number), "until": float(number + 1)} for number in range(20)]
    stays.append({"since": 99.0, "until": None})
    await insert(
        db["enrolments"],
        (
            {"_id": f"{PROGRAM}|p{n}", "program_id": PROGRAM, "person_id": f"p{n}", "changes": [], "intervals": stays}
            for n in range(PEOPLE)
        ),
    )
    objective = {
        "_id": "o1", "program_id": PROGRAM, "revision": 1, "use_case": "awareness", "kpi": "shares", "baseline": 0,
        "target": 10**9, "starts_on": "2000-01-01", "ends_on": "2199-12-31", "reached_at": None,
    }  # fmt: skip
    await db["objectives"].insert_one(objective)


async def test_figures_of_years(harness: Harness, service: Service) -> None:
    await fill(service)
    context = service.context
    async with harness.api(service) as client:
        headers, of = harness.bearer("boss"), f"/v1/programs/{PROGRAM}"
        get = partial(quick, client, "GET", headers=headers)
        for part in ({}, {"network": "x"}, {"content_id": "c0"}, {"country": "FR"}, {"team": "T1"}):
            found = (await get(f"{of}/figures", params={**WHOLE, **part})).json()
            assert found["figures"]["shares"]["value"] > 0
        sizes = {"day": MAX_DAYS, "network": len(NETWORKS), "content": ITEMS, "country": 1, "team": PEOPLE // 5}
        for by, size in sizes.items():
            seen: list[str] = []
            cursor = None
            while cursor or not seen:
                params = {**WHOLE, "by": by, **({"cursor": cursor} if cursor else {})}
                page = (await get(f"{of}/series", params=params)).json()
                seen, cursor = seen + [one["key"] for one in page["items"]], page["next"]
                assert len(page["items"]) <= MAX_DAYS
            assert len(seen) == len(set(seen))
            assert size <= len(seen) <= size + 1
        versions, cursor = list[int](), None
        while cursor or not versions:
            params = {"limit": 100, **({"cursor": cursor} if cursor else {})}
            page = (await get(f"{of}/rates", params=params)).json()
            versions, cursor = versions + [one["version"] for one in page["items"]], page["next"]
        assert versions == list(range(VERSIONS, -1, -1))
        order = {"valid_from": (TODAY + timedelta(days=9)).isoformat(), "currency": "EUR", "source": "new"}
        refused = await quick(
            client, "PUT", f"{of}/rates", json={**order, "rates": {"x": {"click": "1"}}},
            headers={**headers, "If-Match": f'"{VERSIONS if ALONE else 0}"'},
        )  # fmt: skip
        assert refused.status_code == (422 if ALONE else 412)
        assert (await get(f"{of}/objectives")).json()["items"][0]["value"] > 0
        own = (await get("/v1/me/figures", params={**WHOLE, "program_id": PROGRAM})).json()
        assert own["figures"]["shares"] > 0
        await get("/v1/definitions")
    program = await context.store.program(PROGRAM)

    async def pushed(_: int) -> dict[str, Any]:
        context.windows.forget()
        found = await queries.live_figures(context, program, 366, datetime.now(UTC), FiguresVersion())
        orjson.dumps(found)
        return found

    assert len((await quick_work(pushed))["series"]["day"]) == 366
    await follow(service, program)


async def follow(service: Service, program: Any) -> None:
    """A dashboard that missed many large changes moves on by them."""
    context, db = service.context, service.runtime.mongo.db
    today = TODAY.isoformat()
    change = FigureChange(traceparent=None)
    for number in range(1000):
        where = {"day": today, "network": "x", "content_id": f"c{number}", "ambassador_id": f"p{number}"}
        change.add(where, "shares", -1)
        change.add(where, "click_counted", 1)
    row = change.to_row()
    period = last_days(TODAY, 366)

    async def move(attempt: int) -> None:
        first = attempt * CHANGES
        await context.windows.at_version(program, period, FiguresVersion(first))
        rows = [
            {"_id": f"{PROGRAM}|{number:012}", "version": number, "at": datetime.now(UTC), **row}
            for number in range(first + 1, first + CHANGES + 1)
        ]
        for start in range(0, len(rows), 10):
            await db["figure_changes"].insert_many(rows[start : start + 10])
        window = await context.windows.at_version(program, period, FiguresVersion(first + CHANGES))
        assert window.version == first + CHANGES

    await quick_work(move)


def received(events: Sequence[Event]) -> list[Received[Any]]:
    return [
        Received(new_id(), one.type, one.aggregate_id, datetime.now(UTC), one, one.topic, 0, offset, None, None)
        for offset, one in enumerate(events)
    ]


async def test_batches(harness: Harness, service: Service) -> None:
    """The largest batches, of as many persons, items and days as there are events."""
    now = datetime.now(UTC)
    context, mongo = service.context, service.runtime.mongo

    def common(number: int) -> dict[str, Any]:
        return {
            "post_id": f"post-{number}" + "p" * 100, "ambassador_id": f"a{number}" + "a" * 100, "program_id": PROGRAM,
            "content_id": f"c{number}" + "c" * 100, "network": "linkedin",
            "occurred_at": now - timedelta(days=number % 1000),
        }  # fmt: skip

    def share(number: int) -> PostShared:
        said: dict[str, Any] = {"language": "fr", "edited": False, "link_code": f"link{number}", "method": "imported"}
        return PostShared(**common(number), **said)

    def click(number: int) -> EngagementRecorded:
        said: dict[str, Any] = {"kind": "click", "verdict": "counted", "quantity": 1, "measure": "imported"}
        return EngagementRecorded(**common(number), **said)

    async def book(tx: Transaction, events: Sequence[Received[Any]]) -> None:
        await commands.book_events(context, tx, events)

    for make in (share, click):

        async def take(attempt: int, make: Any = make) -> None:
            events = received([make(attempt * EVENTS + number) for number in range(EVENTS)])
            await asyncio.sleep(0)
            await mongo.transact(partial(book, events=events))

        await quick_work(take)

    async def people(attempt: int) -> None:
        told = [
            harness.provisioned(f"who-{number}", "ambassador", program_roles=[], revision=attempt + 1)
            for number in range(EVENTS)
        ]
        events = received(told)
        await asyncio.sleep(0)
        await mongo.transact(lambda tx: context.principals.apply(events, tx))

    await quick_work(people)


async def test_doors(harness: Harness, service: Service) -> None:
    async with harness.api(service) as client:
        await check_doors(service, client, harness.bearer("boss"))
