"""Faults of what Kafka holds and to whom it gives it: again, to others, or what nobody can read."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from pymongo import AsyncMongoClient

from herald.operations.topics import load_topics
from tests.fault import poison
from tests.fault.evidence import (
    DEAD,
    Document,
    Record,
    consumers,
    contract,
    end_offsets,
    read_stores,
    read_topics,
)
from tests.fault.harness import FaultHarness
from tests.fault.journal import Produced
from tests.fault.poison import Draft

AT_ONCE = 30
KEEPING = {
    "offsets", "offsets_aside", "inbox", "inbox_aside", "outbox", "leases", "jobs", "dead_letters", "dead_letter_index",
}  # fmt: skip
FLOOD = int(os.environ.get("HERALD_FAULT_FLOOD", "100000"))  # less on a machine that others use too
GOOD_EVERY = 100
FLOOD_AT_ONCE = 2_000
RATE = 2_000
MUTANT_FLOOD, MUTANT_RATE = 10_000, 200


async def rebalance_storm(harness: FaultHarness) -> None:
    """Strangers join every group and leave again; what they were given lies still in between."""
    for _ in range(3):
        strangers = [
            AIOKafkaConsumer(
                *topics,
                bootstrap_servers=harness.system.kafka,
                group_id=group,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                heartbeat_interval_ms=1_000,
            )
            for group, topics in consumers().items()
        ]
        await asyncio.gather(*(one.start() for one in strangers))
        await asyncio.sleep(3)
        await asyncio.gather(*(one.stop() for one in strangers))
        await asyncio.sleep(3)


async def offsets_reset(harness: FaultHarness) -> None:
    """Everything again from the beginning: held back by the stored positions alone, then by the inbox alone."""
    await harness.quiet()
    await harness.terminate("workers")
    before = await _states(harness)
    client: AsyncMongoClient[Document] = AsyncMongoClient(harness.system.mongo_direct)
    try:
        for name in ("inbox", "offsets"):
            await _put_aside(client, name)
            await _rewind(harness)
            await harness.restart("workers")
            await harness.until(lambda: _read_again(harness), "everything is read again", within=60)
            await harness.quiet()
            after = await _states(harness)
            changed = [
                f"{service}.{rows}" for service in before for rows in before[service]
                if before[service][rows] != after[service].get(rows)
            ]  # fmt: skip
            harness.holds(f"a full replay without {name} leaves the same state", not changed, ", ".join(changed))
            if name == "inbox":
                await harness.terminate("workers")
                await _put_back(client, name)
    finally:
        await client.close()


async def _put_aside(client: AsyncMongoClient[Document], name: str) -> None:
    for service in consumers():
        await client[f"herald_{service}"][name].rename(f"{name}_aside", dropTarget=True)


async def _put_back(client: AsyncMongoClient[Document], name: str) -> None:
    for service in consumers():
        await client[f"herald_{service}"][f"{name}_aside"].rename(name, dropTarget=True)


async def _read_again(harness: FaultHarness) -> bool:
    """Whether every group has committed the end of every partition."""
    ends = await end_offsets(harness.system.kafka, contract())
    for group, topics in consumers().items():
        async with _member(harness, group) as consumer:
            for (topic, number), end in ends.items():
                part = TopicPartition(topic, number)
                if topic in topics and (await consumer.committed(part) or 0) < end:
                    return False
    return True


@asynccontextmanager
async def _member(harness: FaultHarness, group: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A client that speaks for a group and takes no part in it."""
    consumer = AIOKafkaConsumer(bootstrap_servers=harness.system.kafka, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def _states(harness: FaultHarness) -> dict[str, dict[str, Any]]:
    stores = await read_stores(harness.system.mongo_direct)
    return {
        service: {name: rows for name, rows in collections.items() if name not in KEEPING}
        for service, collections in stores.items()
    }


async def _rewind(harness: FaultHarness) -> None:
    for group, topics in consumers().items():
        parts = [TopicPartition(topic, number) for topic in topics for number in range(contract()[topic]["partitions"])]
        async with _member(harness, group) as consumer:
            consumer.assign(parts)
            await consumer.commit(dict.fromkeys(parts, 0))


async def published_again(harness: FaultHarness) -> None:
    """Events of every topic once more, byte by byte, at new offsets."""
    topics = [name for name in contract() if not name.startswith(DEAD)]
    there = await read_topics(harness.system.kafka, topics)
    own = {one.id for one in harness.workload.journal.produced}
    known = [one for topic in topics for one in there[topic] if one.id and one.id not in own]
    chosen = harness.chance.sample(known, k=min(300, len(known)))

    async def publish(one: Record) -> None:
        note = Produced(one.id, one.topic, "published again")
        await harness.workload.send(note, Draft(one.topic, one.key, one.value, list(one.headers)))
        again = harness.workload.journal.repeated
        again[one.id] = again.get(one.id, 0) + note.copies

    for start in range(0, len(chosen), AT_ONCE):
        await asyncio.gather(*(publish(one) for one in chosen[start : start + AT_ONCE]))


async def poisoned(harness: FaultHarness) -> None:
    """Every kind, each between two good ones of the same key, all waiting when the consumers wake up."""
    workload = harness.workload
    async with harness.frozen(harness.process("workers")):
        for kind in poison.KINDS:
            post = harness.chance.choice(workload.posts)
            for spoilt in (False, True, False):
                id, draft = poison.engagement(harness.chance, post)
                if spoilt:
                    await workload.spoil(kind, id, draft)
                else:
                    note = Produced(id, draft.topic, "an engagement")
                    workload.journal.produced.append(note)
                    await workload.send(note, draft)
        id, draft = poison.click_of_nothing(harness.chance)
        never = poison.Poison("a click on a link that never was", lambda _: None, rules=frozenset(("link-unknown",)))
        await workload.spoil(never, id, draft)


async def flooded(harness: FaultHarness) -> None:
    """Very many records that nobody can decode, among good ones, and a cap of so many dead letters a second.

    Returns when the cap has let all of them go by its own arithmetic: what is measured from then on is recovery.
    """
    workload, chance = harness.workload, harness.chance
    # A mutant of the cap is seen only where the flood comes faster than the cap lets it: slow machines too.
    flood, rate = (MUTANT_FLOOD, MUTANT_RATE) if harness.system.mutation else (FLOOD, RATE)
    await harness.terminate("workers")
    await harness.restart("workers", HERALD_DEADLETTER_RATE=str(rate))
    began = asyncio.get_running_loop().time()
    client = AIOKafkaProducer(bootstrap_servers=harness.system.kafka, acks="all", linger_ms=20)
    await client.start()
    try:
        for start in range(0, flood, FLOOD_AT_ONCE):
            notes = [_of_flood(harness, number) for number in range(start, start + FLOOD_AT_ONCE)]
            sends = [
                await client.send(draft.topic, draft.value, key=draft.key, headers=draft.headers) for _, draft in notes
            ]
            for (note, _), done in zip(notes, await asyncio.gather(*sends), strict=True):
                note.copies, note.acked, note.place = 1, True, (note.topic, done.partition, done.offset)
                workload.journal.produced.append(note)
    finally:
        await client.stop()
    await asyncio.sleep(max(0.0, began + flood / rate - asyncio.get_running_loop().time()))
    id, draft = poison.engagement(chance, chance.choice(workload.posts))
    last = Produced(id, draft.topic, "the engagement behind the flood")
    workload.journal.produced.append(last)
    await workload.send(last, draft)


def _of_flood(harness: FaultHarness, number: int) -> tuple[Produced, Draft]:
    id, draft = poison.engagement(harness.chance, harness.chance.choice(harness.workload.posts))
    if number % GOOD_EVERY == 0:
        return Produced(id, draft.topic, "an engagement in the flood"), draft
    draft.value = b"{no json"
    return Produced(id, draft.topic, "poison of the flood", poison.DEAD_LETTERED, frozenset(("json-invalid",))), draft


async def dead_letters_unavailable(harness: FaultHarness) -> None:
    """Kafka refuses what is sent to the dead-letter topics while poison arrives: it is too large for them."""
    await _limit_letters(harness, {"max.message.bytes": "100"})
    try:
        before = await _letters(harness)
        kinds = [one for one in poison.KINDS if one.fates == poison.DEAD_LETTERED]
        for kind in harness.chance.sample(kinds, k=3):
            id, draft = poison.engagement(harness.chance, harness.chance.choice(harness.workload.posts))
            await harness.workload.spoil(kind, id, draft)
        await asyncio.sleep(10)
        taken = await _letters(harness) - before
        harness.holds("Kafka refuses dead letters", taken == 0, f"it took {taken}")
    finally:
        await _limit_letters(harness, {})


async def _limit_letters(harness: FaultHarness, changes: Mapping[str, str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=harness.system.kafka)
    await admin.start()
    try:
        wanted = [
            ConfigResource(ConfigResourceType.TOPIC, one.name, {**one.config, **changes})
            for one in load_topics() if one.name.startswith(DEAD)
        ]  # fmt: skip
        await admin.alter_configs(wanted)
    finally:
        await admin.close()


async def _letters(harness: FaultHarness) -> int:
    return sum((await end_offsets(harness.system.kafka, [one for one in contract() if one.startswith(DEAD)])).values())
