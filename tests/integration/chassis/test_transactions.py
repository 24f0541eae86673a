"""Transactions that meet others: what is counted, and what the caller is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import Response
from pymongo.errors import DuplicateKeyError

from chassis.mongo import Transaction
from chassis.runtime import Runtime
from chassis.settings import Settings
from chassis.web import idempotency
from chassis.web.idempotency import UnitOfWork
from chassis.web.problems import Conflict, Overloaded, Refused
from tests.integration.harness import Harness


@pytest.fixture
async def runtime(harness: Harness) -> AsyncIterator[Runtime]:
    found = Runtime("program", harness.settings(Settings))
    await idempotency.ensure_indexes(found.mongo)
    await found.mongo.db["things"].insert_one({"_id": "x", "n": 0})
    yield found
    await found.close()


def unit(runtime: Runtime, key: str | None) -> UnitOfWork:
    async def body() -> bytes:
        return b"{}"

    headers = {} if key is None else {"idempotency-key": key}
    url = SimpleNamespace(path="/v1/things", query="")
    request: Any = SimpleNamespace(headers=headers, method="POST", url=url, body=body, state=SimpleNamespace())
    return UnitOfWork(runtime.mongo, request, "caller", "session")


async def test_what_is_counted_in_a_transaction_that_is_tried_again_counts_once(runtime: Runtime) -> None:
    attempts: list[int] = []
    counted: list[int] = []
    things = runtime.mongo.db["things"]

    async def work(tx: Transaction) -> None:
        attempts.append(1)
        tx.on_outcome(lambda: counted.append(1))
        await things.find_one({"_id": "x"}, session=tx.session)
        if len(attempts) < 3:
            await things.update_one({"_id": "x"}, {"$inc": {"n": 1}})  # another one, between reading and writing
        await things.update_one({"_id": "x"}, {"$inc": {"n": 1}}, session=tx.session)

    await runtime.mongo.transact(work)
    assert (len(attempts), len(counted)) == (3, 1)


async def test_a_refusal_counts_once_and_an_outage_does_not(runtime: Runtime) -> None:
    counted: list[str] = []

    async def refuses(tx: Transaction) -> None:
        tx.on_outcome(lambda: counted.append("refused"))
        raise Refused("no")

    async def breaks(tx: Transaction) -> None:
        tx.on_outcome(lambda: counted.append("broken"))
        await runtime.mongo.db["things"].insert_one({"_id": "x"}, session=tx.session)

    with pytest.raises(Refused):
        await runtime.mongo.transact(refuses)
    with pytest.raises(DuplicateKeyError):
        await runtime.mongo.transact(breaks)
    assert counted == ["refused"]


@pytest.mark.parametrize("key", [None, "k1"])
async def test_contention_is_told_as_such_with_or_without_a_key(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    monkeypatch.setattr("chassis.mongo.client.TRANSACTION_SECONDS", 0.3)
    things = runtime.mongo.db["things"]

    async def command(tx: Transaction) -> None:
        await things.update_one({"_id": "x"}, {"$inc": {"n": 1}}, session=tx.session)

    async with runtime.mongo.client.start_session() as other, await other.start_transaction():
        await things.update_one({"_id": "x"}, {"$inc": {"n": 1}}, session=other)
        with pytest.raises(Overloaded) as told:
            await unit(runtime, key).run(command)
    assert told.value.status == 503
    assert told.value.headers is not None
    assert int(told.value.headers["Retry-After"]) >= 1


async def test_a_key_whose_request_is_under_way_is_told_as_in_use(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.mongo.client.TRANSACTION_SECONDS", 0.3)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_: Transaction) -> None:
        begun.set()
        await go_on.wait()

    async def again(_: Transaction) -> None:
        raise AssertionError("the first one is not over")

    first = asyncio.ensure_future(unit(runtime, "k2").run(slow))
    await asyncio.wait_for(begun.wait(), 60)
    with pytest.raises(Conflict) as told:
        await unit(runtime, "k2").run(again)
    assert told.value.marshal()["type"] == "idempotency-key-in-use"
    go_on.set()
    answer: Response = await first
    assert answer.status_code == 204
