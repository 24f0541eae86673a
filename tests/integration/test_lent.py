"""Databases that tests borrow one after another."""

from __future__ import annotations

import pytest

from services.metrics.app import build
from services.metrics.settings import MetricsSettings
from tests.integration.harness import Harness
from tests.integration.lent import lend


async def test_who_borrows_finds_nothing_but_indexes(harness: Harness) -> None:
    names = []
    for namespace in ("t-one", "t-two"):
        with pytest.MonkeyPatch.context() as patch:
            await lend(harness.infra, namespace, patch)
            service = build(harness.settings(MetricsSettings, namespace=namespace))
            fresh = build(harness.settings(MetricsSettings))
        db = service.runtime.mongo.db
        await service.create_indexes()
        assert await db["facts"].count_documents({}) == 0
        assert len(await db["facts"].index_information()) > 1
        await db["facts"].insert_one({"_id": "left behind"})
        names += [db.name, fresh.runtime.mongo.db.name]
        for one in (service, fresh):
            await one.runtime.close()
    assert names[0] == names[2] != names[1] == names[3] == f"{harness.namespace}_herald_metrics"
