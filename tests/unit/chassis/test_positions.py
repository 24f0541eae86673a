"""Stored positions while Kafka is silent."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError

from chassis import positions
from chassis.positions import Positions


async def silent(*_: Any) -> dict[str, str]:
    await asyncio.sleep(60)
    return {}


async def test_a_silent_broker_is_an_outage_and_no_fault_of_the_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain TimeoutError would count as a bug of the handler, and good events would be dead-lettered."""
    monkeypatch.setattr(positions, "topic_ids", silent)
    mongo: Any = SimpleNamespace(db={"offsets": None})
    looked: Any = Positions(mongo, MagicMock(), ["t"], seconds=0.05)
    record = ConsumerRecord("t", 0, 0, 0, 0, None, b"{}", None, 0, 2, ())
    with pytest.raises(KafkaError):
        await looked.sound(SimpleNamespace(assignment=set), [record])
