"""A service's database restored to an earlier moment than Kafka's, and `herald recover` on it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from typer.testing import CliRunner

from chassis.service import Service
from herald.cli.app import app
from herald_contracts import Event, Record
from tests.integration.harness import Harness

Rows = dict[str, list[dict[str, Any]]]


@dataclass
class Restore:
    """Of a service whose worker does not run: what it told is put on Kafka by `send`."""

    harness: Harness
    service: Service
    backup: Rows

    @property
    def db(self) -> Any:
        return self.service.runtime.mongo.db

    async def send(self) -> None:
        """What waits in the outbox goes to Kafka, in order."""
        own = [one for one in Event.registry.values() if one.source.endswith(f"/{self.service.name}")]
        audit = f"herald.audit.{self.service.name}"
        await self.harness.create_topics({audit, *(topic for one in own for topic in one.topics())})
        for row in await self.db["outbox"].find({}, sort=[("seq", 1)]).to_list():
            record = Record(row["topic"], bytes(row["key"]), bytes(row["value"]), list(row["headers"].items()))
            await self.harness.publish_record(record)
        await self.db["outbox"].delete_many({})

    async def put_back(self) -> None:
        """The database is as it was at the backup."""
        for name in await self.db.list_collection_names():
            await self.db[name].delete_many({})
            if rows := self.backup.get(name):
                await self.db[name].insert_many(rows)

    async def recover(self, *options: str) -> tuple[int, str]:
        """Exit code and output of the command."""
        command = CliRunner(env={"COLUMNS": "200"})
        said = await asyncio.to_thread(command.invoke, app, ["recover", self.service.name, *options])
        return said.exit_code, said.output


async def back_up(harness: Harness, service: Service, monkeypatch: pytest.MonkeyPatch) -> Restore:
    """Keep everything that is stored now; the command finds the test's servers from here on."""
    for name, value in {**harness.infra.environment, "HERALD_NAMESPACE": harness.namespace}.items():
        monkeypatch.setenv(name, value)
    db = service.runtime.mongo.db
    await db["outbox"].delete_many({})
    rows = {name: await db[name].find({}).to_list() for name in await db.list_collection_names()}
    return Restore(harness, service, rows)
