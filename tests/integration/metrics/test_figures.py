"""From events on Kafka to figures, their stream and the objective, on real servers."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest

from chassis.ids import new_id
from chassis.service import Service
from herald_contracts import (
    ActRecorded,
    ActWithdrawn,
    AmbassadorJoined,
    AmbassadorLeft,
    ContentPublished,
    EngagementRecorded,
    Event,
    LessonCompleted,
    ObjectiveReached,
    ObjectiveSet,
    PostRemoved,
    PostShared,
    ProgramCreated,
    Variant,
)
from services.metrics import queries
from services.metrics.app import build
from services.metrics.settings import MetricsSettings
from tests.integration.harness import Harness, drained, eventually

NOW = datetime.now(UTC)
PROGRAM = "prog"


def created() -> ProgramCreated:
    return ProgramCreated(program_id=PROGRAM, name="P", time_zone="UTC", languages=["fr"], occurred_at=NOW)


def joined(person: str, *, days_ago: int = 5) -> AmbassadorJoined:
    at = NOW - timedelta(days=days_ago)
    return AmbassadorJoined(person_id=person, program_id=PROGRAM, consent_version=1, occurred_at=at)


def shared(person: str, post: str, *, network: Any = "linkedin", days_ago: int = 0) -> PostShared:
    return PostShared(
        post_id=post,
        ambassador_id=person,
        program_id=PROGRAM,
        content_id="c1",
        network=network,
        occurred_at=NOW - timedelta(days=days_ago),
        language="fr",
        edited=False,
        link_code=f"code-{post}",
        method="dialog",
    )


def removed(post: PostShared) -> PostRemoved:
    kept = post.model_dump(include={"post_id", "ambassador_id", "program_id", "content_id", "network"})
    return PostRemoved(**kept, occurred_at=NOW, reason="ambassador")


def engaged(
    post: PostShared, *, kind: Any = "click", verdict: Any = "counted", quantity: int = 1
) -> EngagementRecorded:
    kept = post.model_dump(include={"post_id", "ambassador_id", "program_id", "content_id", "network"})
    return EngagementRecorded(
        **kept, kind=kind, verdict=verdict, quantity=quantity, measure="measured", occurred_at=post.occurred_at
    )


def acted(person: str, act: str, id: str, *, days_ago: int = 0) -> ActRecorded:
    at = NOW - timedelta(days=days_ago)
    names = {"act_id": id, "ambassador_id": person, "program_id": PROGRAM, "act": act, "object_id": f"of-{id}"}
    return ActRecorded(**names, occurred_at=at)


def unacted(act: ActRecorded) -> ActWithdrawn:
    return ActWithdrawn(**{**act.model_dump(), "occurred_at": NOW}, reason="manager")


@pytest.fixture
async def service(borrowed: None, harness: Harness) -> AsyncIterator[Service]:
    found = build(harness.settings(MetricsSettings))
    yield found
    await found.runtime.close()


async def figures(client: httpx.AsyncClient, harness: Harness, **params: str) -> dict[str, Any]:
    answer = await client.get(f"/v1/programs/{PROGRAM}/figures", params=params, headers=harness.bearer("boss"))
    return dict(answer.json().get("figures", {"shares": {"value": answer.text}}))


async def test_figures_follow_the_definitions(harness: Harness, service: Service) -> None:
    async with harness.worker(service), harness.api(service) as client:
        await harness.person("boss", "manager")
        for name, country, leader in (("ann", "FR", False), ("bob", "DE", True), ("cid", "FR", False)):
            await harness.person(name, "ambassador", country=country, leader=leader)
        first, second, gone = shared("ann", "1"), shared("ann", "2", network="x", days_ago=2), shared("bob", "3")
        item = ContentPublished(
            content_id="c1",
            program_id=PROGRAM,
            revision=1,
            occurred_at=NOW,
            kind="article",
            category="company_news",
            url="https://a.example/",
            shareable=True,
            variants=[Variant(language="fr", title="T")],
        )
        left = AmbassadorLeft(person_id="cid", program_id=PROGRAM, reason="left", occurred_at=NOW - timedelta(days=4))
        # The acts come before the programme does: they wait for it.
        await harness.publish(
            joined("ann"), joined("bob"), joined("cid"), left, first, second, gone, removed(gone), item
        )
        await harness.publish(
            engaged(first), engaged(first, verdict="bot"), engaged(second, quantity=3), engaged(first, kind="like")
        )
        await eventually(lambda: service.runtime.mongo.db["waiting"].count_documents({}), until=lambda n: n == 8)
        await harness.publish(created())

        def heard(found: dict[str, Any]) -> bool:
            """Whether all topics were: people, joinings, content and acts each come in their own time."""
            wholes = ("participation_rate", "leader_participation", "shared_content_rate")
            known = [found.get(name, {}).get("denominator") for name in wholes]
            values = [found.get(name, {}).get("value") for name in ("shares", "clicks_raw")]
            return (known, values) == ([3, 1, 1], [2, 5])

        found = await eventually(lambda: figures(client, harness), until=heard)
        rate = found["participation_rate"]
        assert (rate["value"], rate["numerator"], rate["denominator"]) == (0.333333, 1, 3)
        assert rate["formula"]
        assert (found["clicks_raw"]["value"], found["clicks_raw"]["by_verdict"]) == (5, {"bot": 1, "counted": 4})
        assert found["clicks_counted"]["value"] == 4
        assert found["engagements"]["value"] == 5
        assert found["leader_participation"]["denominator"] == 1
        assert (found["earned_media_value"]["value"], found["earned_media_value"]["currency"]) == (6.2, "EUR")
        assert found["shared_content_rate"]["value"] == 1.0
        assert await figures(client, harness, country="FR") == {}
        one_day = await figures(client, harness, **{"from": NOW.date().isoformat(), "to": NOW.date().isoformat()})
        assert (one_day["shares"]["value"], one_day["ambassadors_enrolled"]["value"]) == (1, 2)
        answer = await client.get(
            f"/v1/programs/{PROGRAM}/series", params={"by": "network"}, headers=harness.bearer("boss")
        )
        assert {entry["key"]: entry["shares"] for entry in answer.json()["items"]} == {"linkedin": 1, "x": 1}
        forbidden = await client.get(f"/v1/programs/{PROGRAM}/figures", headers=harness.bearer("ann"))
        assert forbidden.status_code == 403
        own = await client.get("/v1/me/figures", params={"program_id": PROGRAM}, headers=harness.bearer("ann"))
        assert own.json()["figures"] == {"shares": 2, "clicks_raw": 5, "clicks_counted": 4, "engagements": 5}


async def test_any_order_of_arrival_gives_the_same_figures(harness: Harness, service: Service) -> None:
    posts = [shared(f"a{n % 3}", f"p{n}", network=("linkedin", "x")[n % 2], days_ago=n % 4) for n in range(12)]
    clicks = [engaged(post, quantity=n + 1) for n, post in enumerate(posts)]
    events: list[Event] = [*posts, *clicks, created(), *(joined(f"a{n}") for n in range(3))]
    random.Random(4).shuffle(events)
    async with harness.worker(service), harness.api(service) as client:
        await harness.person("boss", "manager")
        ids = await harness.publish(*events)
        await harness.publish(*events, ids=ids)

        async def values() -> list[Any]:
            found = await figures(client, harness)
            return [found.get(name, {}).get("value") for name in ("clicks_counted", "shares", "participation_rate")]

        await eventually(values, until=lambda found: found == [sum(range(1, 13)), 12, 1.0])


async def test_acts_beside_sharing_are_figures_that_move(harness: Harness, service: Service) -> None:
    talk, hire, old = acted("ann", "talk", "a1"), acted("bob", "hire", "a2"), acted("ann", "talk", "a3", days_ago=40)
    new = acted("bob", "stand_up", "a4")  # a word of a newer version
    people = [joined(f"p{number}") for number in range(5)]
    async with harness.worker(service), harness.api(service) as client:
        await harness.person("boss", "manager")
        for name in ("ann", "bob", *(f"p{number}" for number in range(5))):
            await harness.person(name, "ambassador", country="FR" if name != "bob" else "DE")
        await harness.publish(unacted(hire), talk, hire, old, joined("ann", days_ago=50), joined("bob"), *people)
        await eventually(lambda: service.runtime.mongo.db["waiting"].count_documents({}), until=lambda n: n == 4)
        await harness.publish(created())
        await eventually(
            lambda: figures(client, harness), until=lambda f: f.get("ambassadors_enrolled", {}).get("value") == 7
        )
        found = await eventually(lambda: figures(client, harness), until=lambda f: f["acts"]["value"] == 1)
        assert (found["acts"]["by_kind"], found["shares"]["value"]) == ({"talk": 1}, 0)
        assert (await figures(client, harness, country="FR"))["acts"]["by_kind"] == {"talk": 1}
        assert "acts" not in await figures(client, harness, network="x")

        program = await service.context.store.program(PROGRAM)
        stream = service.context.live.stream(program, 30, partial(queries.live_figures, service.context))
        assert b'"acts":{"value":1,"by_kind":{"talk":1}' in await anext(stream)
        await harness.publish(new, talk, unacted(talk))
        message = b""
        while b'"acts":{"value":1,"by_kind":{"stand_up":1}' not in message:
            message = await anext(stream)
        await stream.aclose()
        assert (await figures(client, harness))["acts"]["by_kind"] == {"stand_up": 1}


async def test_a_figure_moves_within_two_seconds_and_the_objective_is_reached_once(
    harness: Harness, service: Service
) -> None:
    async with harness.worker(service), harness.api(service) as client:
        await harness.person("boss", "manager")
        objective = ObjectiveSet(
            program_id=PROGRAM,
            occurred_at=NOW,
            objective_id="o1",
            revision=1,
            use_case="awareness",
            kpi="shares",
            baseline=0,
            target=2,
            starts_on=NOW.date(),
            ends_on=NOW.date() + timedelta(days=1),
        )
        await harness.publish(created(), objective, joined("ann"))
        await eventually(
            lambda: figures(client, harness), until=lambda f: f.get("ambassadors_enrolled", {}).get("value") == 1
        )
        program = await service.context.store.program(PROGRAM)
        stream = service.context.live.stream(program, 30, partial(queries.live_figures, service.context))
        assert b'"shares":{"value":0,' in await anext(stream)
        before = datetime.now(UTC)
        await harness.publish(shared("ann", "1"))
        message = b""
        while b'"shares":{"value":1,' not in message:
            message = await anext(stream)
        assert datetime.now(UTC) - before < timedelta(seconds=2)
        await stream.aclose()
        await harness.publish(shared("ann", "2"))
        await eventually(lambda: harness.events("herald.metrics"))
        await harness.publish(shared("ann", "3"))
        await eventually(lambda: figures(client, harness), until=lambda found: found["shares"]["value"] == 3)
        await drained(service)
        reached = await harness.events("herald.metrics")
        assert [one.data.objective_id for one in reached if isinstance(one.data, ObjectiveReached)] == ["o1"]
        answer = await client.get(f"/v1/programs/{PROGRAM}/objectives", headers=harness.bearer("boss"))
        [found] = answer.json()["items"]
        assert (found["reached_at"] is not None, found["outlook"], found["figure"]) == (True, "reached", "shares")
        assert found["share"] >= 1


async def test_rates_are_dated_and_never_rewrite_what_was(harness: Harness, service: Service) -> None:
    async with harness.worker(service), harness.api(service) as client:
        await harness.person("boss", "manager")
        await harness.publish(created())
        await eventually(lambda: figures(client, harness), until=lambda f: f["shares"]["value"] == 0)
        path, reader = f"/v1/programs/{PROGRAM}/rates", harness.bearer("boss")
        headers = {**reader, "If-Match": (await client.get(path, headers=reader)).headers["etag"]}
        order = {
            "valid_from": NOW.date().isoformat(),
            "currency": "EUR",
            "source": "test",
            "rates": {"*": {"click": "2"}},
        }
        past = await client.put(path, json={**order, "valid_from": "2020-01-01"}, headers=headers)
        assert (past.status_code, past.json()["errors"][0]["rule"]) == (422, "past")
        unknown = await client.put(path, json={**order, "rates": {"*": {"stare": "2"}}}, headers=headers)
        assert unknown.json()["type"] == "invalid"
        assert (await client.put(path, json=order, headers=reader)).json()["type"] == "precondition-required"
        changed = await client.put(path, json=order, headers=headers)
        assert (changed.status_code, changed.headers["etag"]) == (200, '"1"')
        assert (await client.put(path, json=order, headers=headers)).json()["type"] == "stale-version"
        assert len((await client.get(path, headers=headers)).json()["items"]) == 2
        missing = await client.get(f"/v1/programs/{new_id()}/figures", headers=headers)
        assert missing.json()["type"] == "not-found"


async def test_an_act_that_comes_again_is_one_fact_and_holds_up_no_neighbour(
    harness: Harness, service: Service
) -> None:
    """Facts are the inbox of what they tell of: nothing is noted twice, and a repeat costs only itself."""
    db = service.runtime.mongo.db
    post = shared("ann", "1")
    acts: list[Event] = [post, *(engaged(post, quantity=number) for number in range(1, 6))]
    async with harness.worker(service), harness.api(service) as client:
        await harness.person("boss", "manager")
        await harness.publish(created())
        await eventually(lambda: db["programs"].find_one({"_id": PROGRAM}))
        ids = await harness.publish(*acts)
        await eventually(lambda: db["facts"].count_documents({}), until=lambda n: n == len(acts))
        later = [engaged(post, kind="like"), *acts[1:], engaged(post, kind="comment"), acts[2]]
        await harness.publish(*later, ids=[new_id(), *ids[1:], new_id(), ids[2]])
        found = await eventually(
            lambda: figures(client, harness), until=lambda found: found.get("engagements", {}).get("value") == 17
        )
        assert (found["clicks_raw"]["value"], found["shares"]["value"]) == (15, 1)
        assert await db["facts"].count_documents({}) == len(acts) + 2
        assert await db["inbox"].count_documents({"_id": {"$in": ids}}) == 0
    assert await harness.records("herald.deadletters.metrics") == []


def learned(person: str, lesson: str, *paths: str, days_ago: int = 0) -> LessonCompleted:
    return LessonCompleted(
        program_id=PROGRAM,
        person_id=person,
        lesson_id=lesson,
        edition=1,
        paths=[*paths],
        occurred_at=NOW - timedelta(days=days_ago),
    )


async def test_what_was_learned_moves_and_is_told_of_no_few_and_a_tip_is_one_s_own(
    harness: Harness, service: Service
) -> None:
    people = [f"p{number}" for number in range(6)]
    async with harness.worker(service), harness.api(service) as client:
        await harness.person("boss", "manager")
        for name in people:
            await harness.person(name, "ambassador", country="FR" if name != "p5" else "DE", memberships=[PROGRAM])
        await harness.publish(created(), *(joined(name) for name in people[:4]))
        await harness.publish(learned("p0", "l1", days_ago=1), learned("p0", "l2", "first-day"))
        few = await eventually(
            lambda: figures(client, harness), until=lambda f: f.get("ambassadors_enrolled", {}).get("value") == 4
        )
        assert (few["lessons_completed"]["value"], few["first_day_path"]["value"]) == (None, None)
        await harness.publish(joined("p4"), joined("p5"), learned("p0", "l1", days_ago=1))  # once more is not once more
        found = await eventually(
            lambda: figures(client, harness), until=lambda f: f["lessons_completed"]["value"] is not None
        )
        found = await eventually(
            lambda: figures(client, harness), until=lambda f: f["ambassadors_enrolled"]["value"] == 6
        )
        assert found["lessons_completed"]["value"] == 2
        assert (found["first_day_path"]["numerator"], found["first_day_path"]["denominator"]) == (1, 6)
        french = await figures(client, harness, country="FR")
        assert (french["lessons_completed"]["value"], french["first_day_path"]["value"]) == (2, 0.2)
        assert "lessons_completed" not in await figures(client, harness, network="x")

        program = await service.context.store.program(PROGRAM)
        stream = service.context.live.stream(program, 30, partial(queries.live_figures, service.context))
        assert b'"lessons_completed":{"value":2' in await anext(stream)
        await harness.publish(learned("p5", "l2", "first-day"), learned("p1", "l1", days_ago=40))
        message = b""
        while b'"lessons_completed":{"value":3' not in message or b'"numerator":2,"denominator":6' not in message:
            message = await anext(stream)
        await stream.aclose()

        old = [shared("p0", f"old-{number}", network="x", days_ago=20) for number in range(8)]
        new = [shared("p0", f"new-{number}", days_ago=30) for number in range(8)]
        await harness.publish(*old, *new, *(engaged(post, quantity=9) for post in old), engaged(new[0]))
        wanted = {
            "about": "network",
            "network": "x",
            "better": {"posts": 8, "clicks": 9.0},
            "other": {"posts": 8, "clicks": 0.1},
        }
        await eventually(
            lambda: client.get("/v1/me/tip", params={"program_id": PROGRAM}, headers=harness.bearer("p0")),
            until=lambda answer: answer.json().get("tip") == wanted,
        )
        quiet = await client.get("/v1/me/tip", params={"program_id": PROGRAM}, headers=harness.bearer("p1"))
        assert quiet.json()["tip"] is None
        nobody = await client.get("/v1/me/tip", params={"program_id": PROGRAM}, headers=harness.bearer("boss"))
        assert nobody.status_code == 403
