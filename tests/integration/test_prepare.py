"""`herald prepare` on real servers: rights are asked for, indexes are made, and made once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from herald.cli.app import app
from herald.contracts.services import PLACEHOLDERS
from services.metrics.app import build
from services.metrics.settings import MetricsSettings
from tests.integration.harness import Harness


async def test_indexes_are_there_before_a_role_starts(
    harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {**PLACEHOLDERS, **harness.infra.environment, "HERALD_NAMESPACE": harness.namespace}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    for _ in range(2):
        said = await asyncio.to_thread(CliRunner().invoke, app, ["prepare", "metrics"])
        assert said.exit_code == 0, said.output
        assert "metrics may do what it must, and its indexes are there" in said.output
    service = build(harness.settings(MetricsSettings))
    db = service.runtime.mongo.db
    there = {name: sorted(await db[name].index_information()) for name in await db.list_collection_names()}
    assert {"facts", "inbox", "outbox", "principals"} <= there.keys()
    assert any(len(indexes) > 1 for indexes in there.values())
    await service.create_indexes()
    assert {name: sorted(await db[name].index_information()) for name in there} == there
    await service.runtime.close()


async def test_what_is_away_is_a_sentence(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {**PLACEHOLDERS, **harness.infra.environment, "HERALD_KAFKA_BOOTSTRAP": "127.0.0.1:1"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    said = await asyncio.to_thread(CliRunner().invoke, app, ["prepare", "metrics"])
    assert (said.exit_code, "Kafka cannot be asked" in said.output) == (1, True), said.output
    assert (await asyncio.to_thread(CliRunner().invoke, app, ["prepare", "metric"])).exit_code == 2
