"""The HTTP interface: who may do what, what is refused and why, and what OpenAPI promises of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx

from chassis.service import Service
from services.gamification import commands
from services.gamification.domain.rules import DEFAULT_RULES
from tests.integration.gamification.harness import (
    NOON,
    PROGRAM,
    created,
    engaged,
    fact,
    joined,
    know_program,
    points_of,
    shared,
)
from tests.integration.harness import Harness, eventually

RULES = f"/v1/programs/{PROGRAM}/rules"
BOARD = f"/v1/programs/{PROGRAM}/leaderboard"
SHARE = {"id": "share", "act": "share", "points": 7}


@asynccontextmanager
async def opened(harness: Harness, service: Service) -> AsyncIterator[httpx.AsyncClient]:
    """A programme with an ambassador, a manager, an administrator and a colleague, known to the service."""
    async with harness.worker(service), harness.api(service) as client:
        await harness.publish(created(), joined("ann"))
        for name, role in (("ann", "ambassador"), ("mia", "manager"), ("root", "admin"), ("bob", "editor")):
            await harness.person(name, *([role] if name != "bob" else []))
        db = service.runtime.mongo.db
        await eventually(
            lambda: db["principals"].count_documents({"accounts": {"$exists": True}}), until=lambda found: found == 4
        )
        await eventually(lambda: db["programs"].count_documents({"time_zone": {"$exists": True}}))
        yield client


def problem(answer: httpx.Response) -> tuple[int, str, list[tuple[str, str]]]:
    """Status, type, and each field with the rule it breaks."""
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    return answer.status_code, document["type"], [(one["field"], one["rule"]) for one in document.get("errors", [])]


async def test_rules_are_public_and_changed_by_managers(harness: Harness, service: Service) -> None:
    async with opened(harness, service) as client:
        answer = await client.get(RULES, headers=harness.bearer("ann"))
        assert (answer.headers["etag"], answer.json()["in_force"]) == ('"1"', 1)
        assert [rule["points"] for rule in answer.json()["items"][0]["rules"]] == [
            one.points for one in DEFAULT_RULES.rules
        ]

        later = {"rules": [SHARE], "valid_from": (NOON + timedelta(days=9)).isoformat()}
        manager = harness.bearer("mia")
        answer = await client.post(RULES, json=later, headers={**manager, "If-Match": '"1"'})
        assert (answer.status_code, answer.headers["etag"]) == (201, '"2"')
        answer = await client.post(RULES, json={"rules": [SHARE]}, headers={**manager, "If-Match": '"2"'})
        states = {one["version"]: one["state"] for one in answer.json()["items"]}
        assert (answer.json()["in_force"], states) == (3, {3: "in_force", 2: "past", 1: "past"})
        assert answer.json()["items"][0]["changed_by"] == "mia"

        await harness.publish(shared("ann", "p1", occurred_at=NOON - timedelta(seconds=1)), shared("ann", "p2"))
        await eventually(lambda: points_of(client, harness, "ann"), until=lambda found: found["total"] == 17)


async def test_the_days_limit_and_what_is_left_of_it_are_told(harness: Harness, service: Service) -> None:
    async def left(**params: str) -> tuple[int, int | None, int | None]:
        wanted = {"program_id": PROGRAM, "network": "linkedin", **params}
        found = (await client.get("/v1/me/allowance", params=wanted, headers=harness.bearer("ann"))).json()
        return found["points"], found["limit"], found["left"]

    async with opened(harness, service) as client:
        assert await left() == (10, 5, 5)
        await harness.publish(*(shared("ann", f"p{number}") for number in range(4)), shared("ben", "p9"))
        await eventually(left, until=lambda found: found == (10, 5, 1))
        await harness.publish(shared("ann", "p5"))
        await eventually(left, until=lambda found: found == (0, 5, 0))
        assert await left(network="x") == (0, 5, 0)
        wrong = await client.get(
            "/v1/me/allowance", params={"program_id": PROGRAM, "network": "myspace"}, headers=harness.bearer("ann")
        )
        assert [(one["field"], one["rule"]) for one in wrong.json()["errors"]] == [("network", "one-of")]


async def test_of_two_changes_at_once_one_is_taken(harness: Harness, service: Service) -> None:
    async with opened(harness, service) as client:
        answers = await asyncio.gather(
            *(
                client.post(
                    RULES,
                    json={"rules": [{**SHARE, "points": points}]},
                    headers={**harness.bearer("mia"), "If-Match": '"1"'},
                )
                for points in range(1, 7)
            )
        )
        assert sorted(answer.status_code for answer in answers) == [201] + [412] * 5
        [taken] = [answer.json() for answer in answers if answer.status_code == 201]
        now = (await client.get(RULES, headers=harness.bearer("ann"))).json()
        assert now == taken
        assert [one["version"] for one in now["items"]] == [2, 1]


async def test_a_repeated_change_of_rules_is_one(harness: Harness, service: Service) -> None:
    async with opened(harness, service) as client:
        headers = {**harness.bearer("mia"), "If-Match": '"1"', "Idempotency-Key": "once"}
        first = await client.post(RULES, json={"rules": [SHARE]}, headers=headers)
        second = await client.post(RULES, json={"rules": [SHARE]}, headers=headers)
        assert (first.status_code, second.json(), second.headers["etag"]) == (201, first.json(), '"2"')
        assert second.headers["idempotency-replayed"] == "true"
        other = await client.post(RULES, json={"rules": []}, headers=headers)
        assert problem(other)[:2] == (422, "idempotency-key-reused")


WRONG: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({}, ("rules", "required")),
    ({"rules": [SHARE], "extra": 1}, ("extra", "unknown-field")),
    ({"rules": [{**SHARE, "points": 0}]}, ("rules.0.points", "at-least")),
    ({"rules": [{**SHARE, "points": "7"}]}, ("rules.0.points", "whole-number")),
    ({"rules": [{**SHARE, "points": 2.5}]}, ("rules.0.points", "whole-number")),
    ({"rules": [{**SHARE, "act": "dance"}]}, ("rules.0.act", "one-of")),
    ({"rules": [{**SHARE, "id": "Bad Id."}]}, ("rules.0.id", "format")),
    ({"rules": [{**SHARE, "id": "x$y"}]}, ("rules.0.id", "format")),
    ({"rules": [{**SHARE, "networks": ["myspace"]}]}, ("rules.0.networks.0", "one-of")),
    ({"rules": [SHARE, SHARE]}, ("rules.1.id", "unique")),
    ({"rules": [SHARE] * 51}, ("rules", "too-many")),
    ({"rules": [SHARE], "valid_from": "2020-01-01T00:00:00Z"}, ("valid_from", "not-retroactive")),
    ({"rules": [SHARE], "valid_from": "2099-01-01T00:00:00"}, ("valid_from", "rfc3339")),
    ({"rules": [SHARE], "valid_from": 4070908800}, ("valid_from", "rfc3339")),
]


async def test_what_is_wrong_with_rules_is_named(harness: Harness, service: Service) -> None:
    async with prepared(harness, service) as client:
        found = []
        for body, _ in WRONG:
            answer = await client.post(RULES, json=body, headers={**harness.bearer("mia"), "If-Match": '"1"'})
            found.append(problem(answer))
        assert found == [(422, "invalid", [wrong]) for _, wrong in WRONG]
        assert (await client.get(RULES, headers=harness.bearer("mia"))).json()["version"] == 1


@asynccontextmanager
async def prepared(harness: Harness, service: Service) -> AsyncIterator[httpx.AsyncClient]:
    """The same without Kafka: who is there stands in the database already."""
    db = service.runtime.mongo.db
    async with harness.api(service) as client:
        for name, role in (("ann", "ambassador"), ("mia", "manager"), ("root", "admin")):
            person = {"accounts": [harness.issuer.account(name)], "roles": [role], "active": name != "gone"}
            await db["principals"].insert_one(
                {"_id": name, **person, "memberships": [PROGRAM] if name == "ann" else []}
            )
        await db["principals"].insert_one({"_id": "bob", "accounts": [harness.issuer.account("bob")], "active": True})
        await db["principals"].insert_one(
            {"_id": "gone", "accounts": [harness.issuer.account("gone")], "active": False}
        )
        await know_program(service, "Europe/Paris")
        yield client


async def test_refusals_are_problems(harness: Harness, service: Service) -> None:
    async with prepared(harness, service) as client:
        mia, if_match = harness.bearer("mia"), {"If-Match": '"1"'}
        good = {"rules": [SHARE]}
        points, ledger = "/v1/me/points", "/v1/me/ledger"
        json = {"Content-Type": "application/json"}
        nobody = {"Authorization": "Bearer nonsense"}
        cases: list[tuple[httpx.Response, tuple[int, str]]] = [
            (await client.get(points, params={"program_id": PROGRAM}), (401, "unauthenticated")),
            (await client.get(points, params={"program_id": PROGRAM}, headers=nobody), (401, "unauthenticated")),
            (await client.get(RULES, headers=harness.bearer("stranger")), (403, "unknown-person")),
            (await client.get(RULES, headers=harness.bearer("gone")), (403, "inactive")),
            (await client.get(points, params={"program_id": "none"}, headers=mia), (404, "not-found")),
            (await client.get(ledger, params={"program_id": "none"}, headers=mia), (404, "not-found")),
            (await client.get("/v1/programs/none/leaderboard", headers=mia), (404, "not-found")),
            (await client.get("/v1/programs/none/rules", headers=mia), (404, "not-found")),
            (await client.get(points, headers=mia), (422, "invalid")),
            (await client.get(points, params={"program_id": "a|b"}, headers=mia), (422, "invalid")),
            (await client.get(BOARD, headers=harness.bearer("bob")), (403, "not-a-member")),
            (await client.get(BOARD, params={"period": "decade"}, headers=mia), (422, "invalid")),
            (await client.get(BOARD, params={"scope": "pets"}, headers=mia), (422, "invalid")),
            (await client.get(BOARD, params={"on": "1999-01-01"}, headers=mia), (422, "invalid")),
            (await client.get(BOARD, params={"around": "you"}, headers=mia), (422, "invalid")),
            (await client.get(BOARD, params={"limit": 101}, headers=mia), (422, "invalid")),
            (await client.get(BOARD, params={"cursor": "???"}, headers=mia), (422, "invalid")),
            (await client.get(BOARD, params={"cursor": "LTE"}, headers=mia), (422, "invalid")),
            (
                await client.get(ledger, params={"program_id": PROGRAM, "cursor": "WzEsMl0"}, headers=mia),
                (422, "invalid"),
            ),
            (await client.post(RULES, json=good, headers=mia), (428, "precondition-required")),
            (await client.post(RULES, json=good, headers={**mia, "If-Match": '"4"'}), (412, "stale-version")),
            (await client.post(RULES, json=good, headers={**mia, "If-Match": "four"}), (412, "stale-version")),
            (await client.post(RULES, json=good, headers={**harness.bearer("ann"), **if_match}), (403, "role-missing")),
            (
                await client.post(RULES, json=good, headers={**harness.bearer("root"), **if_match}),
                (403, "role-missing"),
            ),
            (await client.post(RULES, content=b"{", headers={**mia, **if_match, **json}), (400, "malformed-json")),
            (
                await client.post(RULES, content=b"<a/>", headers={**mia, **if_match, "Content-Type": "text/xml"}),
                (415, "media-type"),
            ),
            (await client.post(RULES, content=b" " * 1_100_000, headers={**mia, **if_match}), (413, "body-too-large")),
            (await client.post(f"{BOARD}/rebuild", headers=mia), (403, "role-missing")),
            (
                await client.post("/v1/programs/none/leaderboard/rebuild", headers=harness.bearer("root")),
                (404, "not-found"),
            ),
        ]
        assert [problem(answer)[:2] for answer, _ in cases] == [wanted for _, wanted in cases]
        assert (await client.get(RULES, headers=mia)).json()["version"] == 1


async def test_the_ledger_is_read_page_by_page(harness: Harness, service: Service) -> None:
    async with prepared(harness, service) as client:
        post = shared("ann", "p0")
        facts = [
            fact(shared("ann", f"p{number}", occurred_at=NOON - timedelta(days=number // 3))) for number in range(9)
        ]
        facts += [fact(engaged(post)) for _ in range(4)]
        await service.runtime.mongo.transact(lambda tx: commands.book_facts(service.context, tx, facts))
        seen: list[dict[str, Any]] = []
        params: dict[str, Any] = {"program_id": PROGRAM, "limit": 3}
        while True:
            page = (await client.get("/v1/me/ledger", params=params, headers=harness.bearer("ann"))).json()
            assert page["total"] == (None if seen else 13), "counted beside the first page alone"
            seen += page["items"]
            if page["next"] is None:
                break
            params["cursor"] = page["next"]
        assert len(seen) == len({one["entry_id"] for one in seen}) == 13
        order = [(one["occurred_at"], one["entry_id"]) for one in seen]
        assert order == sorted(order, reverse=True)
        other = await client.get("/v1/me/ledger", params={"program_id": PROGRAM}, headers=harness.bearer("mia"))
        assert other.json() == {"items": [], "next": None, "total": 0}
        of_one = {"program_id": PROGRAM, "post_id": [facts[8].fact.post_id, "another"]}
        found = (await client.get("/v1/me/ledger", params=of_one, headers=harness.bearer("ann"))).json()
        assert ([one["post_id"] for one in found["items"]], found["total"]) == ([facts[8].fact.post_id], 1)


async def test_a_leaderboard_is_read_page_by_page_and_in_the_past(harness: Harness, service: Service) -> None:
    async with prepared(harness, service) as client:
        db = service.runtime.mongo.db
        await db["principals"].insert_many(
            [
                {"_id": f"p{number}", "active": True, "memberships": [PROGRAM], "team": "IT", "country": "FR"}
                for number in range(5)
            ]
        )
        await db["principals"].update_many({}, {"$set": {"team": "IT", "country": "FR", "leader": False}})
        past = NOON - timedelta(days=400)
        facts = [fact(shared(f"p{number}", f"post-{number}", occurred_at=past)) for number in range(5)]
        await service.runtime.mongo.transact(lambda tx: commands.book_facts(service.context, tx, facts))
        found: list[tuple[int, str]] = []
        params: dict[str, Any] = {"period": "quarter", "on": past.date().isoformat(), "limit": 2}
        while True:
            page = (await client.get(BOARD, params=params, headers=harness.bearer("ann"))).json()
            found += [(one["rank"], one["person_id"]) for one in page["items"]]
            assert page["starts_on"] <= past.date().isoformat() <= page["ends_on"]
            if page["next"] is None:
                break
            params["cursor"] = page["next"]
        assert found == [(1, f"p{number}") for number in (4, 3, 2, 1, 0)]
        now = await client.get(BOARD, params={"period": "quarter"}, headers=harness.bearer("mia"))
        assert now.json()["items"] == []
        teams = await client.get(BOARD, params={"period": "all", "scope": "team"}, headers=harness.bearer("ann"))
        [team] = teams.json()["items"]
        assert team["points_per_head"] == round(50 / 6, 2)
        assert (team["name"], team["ambassadors"], team["me"], team["person_id"]) == ("IT", 6, True, None)
