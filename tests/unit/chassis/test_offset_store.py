"""Stored positions where Kafka is silent, or hands out what comes later."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from chassis.consumer import offset_store
from chassis.consumer.offset_store import OffsetStore

PART = TopicPartition("t", 0)


def record(offset: int) -> ConsumerRecord[bytes, bytes]:
    return ConsumerRecord(*PART, offset, 0, 0, None, b"{}", None, 0, 2, ())


async def silent(*_: Any) -> dict[str, str]:
    await asyncio.sleep(60)
    return {}


async def test_a_silent_broker_is_an_outage_and_no_fault_of_the_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain TimeoutError would count as a bug of the handler, and good events would be dead-lettered."""
    monkeypatch.setattr(offset_store, "topic_ids", silent)
    mongo: Any = SimpleNamespace(db={"offsets": None})
    looked: Any = OffsetStore(mongo, MagicMock(), ["t"], seconds=0.05)
    with pytest.raises(KafkaError):
        await looked.reconcile(SimpleNamespace(assignment=set), [record(0)], tuple)


class Rows:
    """The row of the one partition."""

    def __init__(self, row: dict[str, Any]) -> None:
        self._row = row

    async def find(self, _: Any) -> AsyncIterator[dict[str, Any]]:
        yield self._row


class Client:
    """A member that was given the partition and is about to hand out offset 5."""

    def __init__(self) -> None:
        self.sought: list[int] = []
        self.assign()

    def assign(self) -> None:
        state = SimpleNamespace(position=5, has_valid_position=True)
        self._subscription = SimpleNamespace(
            subscription=SimpleNamespace(assignment=SimpleNamespace(state_value=lambda _: state))
        )

    def assignment(self) -> set[TopicPartition]:
        return {PART}

    def seek(self, _: TopicPartition, offset: int) -> None:
        self.sought.append(offset)

    async def beginning_offsets(self, parts: Any) -> dict[TopicPartition, int]:
        return dict.fromkeys(parts, 0)

    async def end_offsets(self, parts: Any) -> dict[TopicPartition, int]:
        return dict.fromkeys(parts, 9)


async def test_what_lies_between_is_read_again_after_each_rebalance_and_else_taken_for_a_gap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def known(*_: Any) -> dict[str, str]:
        return {"t": "log"}

    monkeypatch.setattr(offset_store, "topic_ids", known)
    mongo: Any = SimpleNamespace(db={"offsets": Rows({"_id": "t:0", "next": 2, "log": "log"})})
    looked, client = OffsetStore(mongo, MagicMock(), ["t"], seconds=1), Client()
    later = [record(5)]
    assert (await looked.reconcile(client, later, tuple), client.sought) == ([], [2])
    assert [one.offset for one in await looked.reconcile(client, later, tuple)] == [5]
    client.assign()
    assert (await looked.reconcile(client, later, tuple), client.sought) == ([], [2, 2])


async def test_what_was_read_ahead_needs_no_look_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []

    async def known(*_: Any) -> dict[str, str]:
        looks.append(1)
        return {"t": "log"}

    monkeypatch.setattr(offset_store, "topic_ids", known)
    mongo: Any = SimpleNamespace(db={"offsets": Rows({"_id": "t:0", "next": 3, "log": "log"})})
    looked, client = OffsetStore(mongo, MagicMock(), ["t"], seconds=1), Client()
    other = ConsumerRecord("t", 1, 0, 0, 0, None, b"{}", None, 0, 2, ())
    ahead = [record(3), record(4)]
    assert await looked.reconcile(client, [other], lambda: ahead) == [other]
    assert (await looked.reconcile(client, ahead, tuple), client.sought, looks) == (ahead, [], [1])
