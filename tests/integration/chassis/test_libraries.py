"""What FastStream, aiokafka and MongoDB do by themselves: why the chassis is as it is (docs/adr/0004).

A test that fails here after an upgrade says that a detour may have become superfluous.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.parser import AioKafkaBatchParser
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure

from herald.local.mongod import TRANSACTION_SECONDS
from tests.infra import Infra


@pytest.mark.parametrize("value", [None, b"\xff\xfe"])
async def test_faststreams_own_parser_loses_a_batch_for_one_odd_header(value: bytes | None) -> None:
    good = ConsumerRecord("t", 0, 0, 0, 0, None, b"{}", None, 0, 2, (("a", b"b"),))
    odd = ConsumerRecord("t", 0, 1, 0, 0, None, b"{}", None, 0, 2, (("a", value),))
    with pytest.raises((AttributeError, UnicodeDecodeError)):
        await AioKafkaBatchParser(KafkaMessage, None).parse_batch((good, odd))


def test_defaults_lose_messages() -> None:
    """From the end of the topic, at most once; unnumbered, acknowledged by one broker. The chassis sets each."""
    subscriber: Any = KafkaBroker("nowhere").subscriber("t", batch=True, group_id="g")
    producer = inspect.signature(AIOKafkaProducer).parameters
    consumer = inspect.signature(AIOKafkaConsumer).parameters
    assert subscriber.ack_policy is AckPolicy.ACK_FIRST
    assert consumer["auto_offset_reset"].default == "latest"
    assert consumer["enable_auto_commit"].default is True
    assert producer["enable_idempotence"].default is False


async def test_a_transaction_that_was_left_open_holds_up_others_until_mongodb_gives_it_up(
    infra: Infra, namespace: str
) -> None:
    """A process that is killed leaves its transactions open. By default MongoDB waits for 60 s."""
    mine: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(infra.mongo_url)
    other: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(infra.mongo_url)
    things = f"{namespace}_things"
    try:
        await other[things]["offsets"].insert_one({"_id": "p", "next": 0})
        session = mine.start_session()
        await session.start_transaction()
        began = time.monotonic()
        await mine[things]["offsets"].update_one({"_id": "p"}, {"$inc": {"next": 1}}, session=session)

        async def try_once() -> bool:
            async with other.start_session() as second:
                try:
                    async with await second.start_transaction():
                        await other[things]["offsets"].update_one({"_id": "p"}, {"$set": {"next": 7}}, session=second)
                except OperationFailure as error:
                    if not error.has_error_label("TransientTransactionError"):
                        raise
                    return False
            return True

        assert not await try_once()
        async with asyncio.timeout(2 * TRANSACTION_SECONDS):
            while not await try_once():
                await asyncio.sleep(0.5)
        assert time.monotonic() - began > TRANSACTION_SECONDS / 2
    finally:
        await other.drop_database(things)
        await mine.close()
        await other.close()
