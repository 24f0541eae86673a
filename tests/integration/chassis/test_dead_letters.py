"""Dead letters and the audit, as those on call use them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from typer.testing import CliRunner

from chassis.consumer import Consumer, Received, on
from chassis.dead_letters.index import Wanted
from chassis.dead_letters.record import DeadLetter
from chassis.dead_letters.store import DeadLetterStore
from chassis.ids import new_id
from chassis.mongo import Transaction
from chassis.runtime import Runtime
from chassis.service import Service
from chassis.settings import Settings
from herald.cli.app import app
from herald.operations.acting import operator
from herald.operations.settings import OperatorSettings
from herald.operations.topics import load_topics
from herald.operations.verify import verify
from herald_contracts import AdministrativeActRecorded, PersonDeactivated, Record, encode
from tests.integration.harness import Harness, eventually


def build(settings: Settings, *, broken: bool) -> Service:
    runtime = Runtime("gamification", settings)
    seen = runtime.mongo.db["seen"]

    async def handle(_: object, tx: Transaction, batch: Sequence[Received[PersonDeactivated]]) -> None:
        for event in batch:
            if broken and event.data.person_id == "hard":
                raise RuntimeError("a bug that will be fixed")
            await seen.insert_one({"_id": event.data.person_id}, session=tx.session)

    return Service(name="gamification", runtime=runtime, consumer=Consumer(None, [on(PersonDeactivated, do=handle)]))


def store_of(service: Service) -> DeadLetterStore:
    return DeadLetterStore(service.name, service.runtime.settings, service.runtime.mongo.db)


async def opened(dead_letters: DeadLetterStore) -> list[DeadLetter]:
    return await dead_letters.index.page(Wanted(), after=None, limit=100)


def left(person: str) -> PersonDeactivated:
    return PersonDeactivated(person_id=person, revision=1, occurred_at=datetime.now(UTC))


async def test_a_dead_letter_is_shown_replayed_once_the_bug_is_gone_and_closed(harness: Harness) -> None:
    settings = harness.settings(Settings)
    broken = build(settings, broken=True)
    async with harness.worker(broken):
        await harness.publish(left("easy"), left("hard"), left("light"))
        dead_letters = store_of(broken)
        [one] = await eventually(partial(opened, dead_letters))
    assert (one.rule, one.event_type) == ("failed", "herald.PersonDeactivated.v1")
    mended = build(settings, broken=False)
    seen = mended.runtime.mongo.db["seen"]
    async with harness.worker(mended):
        replayed = [it async for it in dead_letters.replay([one], mended.runtime.producer, per_second=100, by="ines")]
        assert [it.id for it in replayed] == [one.id]

        async def people() -> set[str]:
            return {row["_id"] async for row in seen.find({})}

        await eventually(people, until=lambda found: found == {"easy", "hard", "light"})
        assert await opened(dead_letters) == []
        assert [it.resolution for it in await dead_letters.topic.all()] == ["replayed"]
        async for _ in dead_letters.replay([one], mended.runtime.producer, per_second=100, by="ines"):
            pass
        await harness.publish(left("last"))
        await eventually(people, until=lambda found: "last" in found)
        assert len(await people()) == 4
    await broken.runtime.close()
    await mended.runtime.close()


async def test_the_audit_accounts_for_every_record_and_sees_one_that_vanished(harness: Harness) -> None:
    settings = harness.settings(Settings)
    service = build(settings, broken=True)
    await harness.create_topics([topic.name for topic in load_topics()])
    async with harness.worker(service):
        ids = await harness.publish(*(left(f"p{n}") for n in range(20)), left("hard"))
        poison = encode(left("x"), id=new_id(), time=datetime.now(UTC))
        await harness.publish_record(Record(poison.topic, poison.key, b"{", poison.headers))
        operator = OperatorSettings(
            namespace=harness.namespace,
            kafka_bootstrap=harness.infra.kafka_bootstrap,
            mongo_url=harness.infra.mongo_url,
        )

        async def account() -> tuple[int, int, int, int]:
            report = await verify(operator)
            [one] = [a for a in report.accounts if (a.service, a.topic) == ("gamification", "herald.people")]
            assert one.found == one.applied + one.dead_lettered + one.pending + one.passed_over + one.aged + one.missing
            return (one.applied, one.dead_lettered, one.pending, one.missing)

        async def everything() -> tuple[object, list[tuple[str, int]]]:
            found = await service.runtime.mongo.db.command("dbHash")
            for name in ("leases", "dead_letters", "dead_letter_index"):  # which the worker writes
                found["collections"].pop(name, None)
            topics = [topic.name for topic in load_topics()]
            return found["collections"], [(topic, len(await harness.records(topic))) for topic in topics]

        await eventually(account, until=lambda found: found == (20, 2, 0, 0))
        before = await everything()
        await account()
        assert await everything() == before, "it changed what it looked at"
        await service.runtime.mongo.db["inbox"].delete_one({"_id": ids[3]})
        assert await account() == (19, 2, 0, 1)
        assert not (await verify(operator)).ok
        await service.runtime.mongo.db["inbox"].insert_one({"_id": ids[3]})
        assert (await verify(operator)).ok
        await service.runtime.mongo.db["offsets"].update_one({}, {"$set": {"lost": 1}})
        assert not (await verify(operator)).ok
    await service.runtime.close()


async def traces(harness: Harness, service: str) -> list[str]:
    """The acts of operators that the service's worker has published; there is at least one."""
    found = partial(harness.events, f"herald.audit.{service}")
    acts = [one.data for one in await eventually(found, until=lambda there: len(there) > 1)]
    assert {one.actor_id for one in acts if isinstance(one, AdministrativeActRecorded)} == {operator().id}
    return [one.act for one in acts if isinstance(one, AdministrativeActRecorded)]


async def test_the_commands_say_first_what_they_would_do(harness: Harness) -> None:
    service = build(harness.settings(Settings), broken=True)
    env = {**harness.infra.environment, "HERALD_NAMESPACE": harness.namespace}

    async def herald(*words: str) -> str:
        answer = await asyncio.to_thread(CliRunner().invoke, app, ["deadletters", *words], env=env)
        assert answer.exit_code == 0, answer.output
        return answer.stdout

    async with harness.worker(service):
        [event_id] = await harness.publish(left("hard"))
        dead_letters = store_of(service)
        [one] = await eventually(partial(opened, dead_letters))
        of = ("--service", "gamification")
        assert (await herald("list", *of)).startswith(f"{one.id}  gamification  ")
        assert "no open dead letters" in await herald("list", *of, "--rule", "schema-mismatch")
        shown = await herald("show", one.id, *of)
        assert f"ce_id: {event_id}" in shown
        assert '  "person_id": "hard"' in shown
        for act in ("replay", "drop"):
            assert f"would {act} {one.id}" in await herald(act, *of, "--rule", "failed")
        assert await opened(dead_letters) == [one]
        assert "1 dropped" in await herald("drop", one.id, *of, "--go")
        assert await opened(dead_letters) == []
        await herald("resume", "gamification", "--minutes", "1")
        assert await traces(harness, "gamification") == ["drop_dead_letters", "resume_consumer"]
    await service.runtime.close()
