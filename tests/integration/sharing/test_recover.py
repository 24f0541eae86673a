"""Posts and clicks after a restore to an earlier moment than Kafka's."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from herald_contracts import ContentRetired, LinkClicked
from services.sharing.app import build
from tests.integration.harness import Harness, drained, eventually
from tests.integration.recovery import Restore, back_up
from tests.integration.sharing.conftest import SharingHarness, program, published, settings_of


async def test_links_lead_again_and_a_click_that_is_read_again_is_the_same_event(
    harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = build(settings_of(harness, tmp_path / "spool"))
    async with harness.worker(service), harness.api(service) as api:
        sharing = SharingHarness(harness, service, api, tmp_path / "spool")
        await sharing.known(*program(), published())
        ada = await sharing.ambassador("ada")
        await drained(service)
        restore = await back_up(harness, service, monkeypatch)
        await sharing.known(published(content_id="c2", url="https://example.com/new"))
        posts = [(await sharing.share(ada, content_id=id)).json() for id in ("c1", "c2", "c2")]
        await sharing.api.delete(f"/v1/posts/{posts[2]['id']}", headers=ada)
        click = LinkClicked(
            link_code=posts[1]["link_code"], occurred_at=datetime.now(UTC), visitor="a" * 32, agent="browser"
        )
        await sharing.known(click, ContentRetired(
            content_id="c2", program_id="p1", revision=2, occurred_at=datetime.now(UTC), reason="outdated",
        ))  # fmt: skip
        await eventually(lambda: service.runtime.mongo.outbox.count_documents({}), until=lambda rows: rows == 0)
        was = {row["_id"]: row async for row in restore.db["posts"].find({})}
        [counted] = [one.id for one in await harness.events("herald.engagements")]
    await restore.put_back()
    code, said = await restore.recover("--go")
    assert code == 0, said
    now = {row["_id"]: row async for row in restore.db["posts"].find({})}
    names = ("link_code", "target", "title", "shared_at", "removed_at", "version", "content_id", "ambassador_id")
    assert {id: [row[name] for name in names] for id, row in now.items()} == {
        id: [row[name] for name in names] for id, row in was.items()
    }
    assert (await restore.recover())[1].count("nothing is lacking") == 1
    await service.runtime.close()
    await _read_again(harness, tmp_path, restore, posts[1]["id"], counted)


async def _read_again(harness: Harness, folder: Path, restore: Restore, post: str, counted: str) -> None:
    service = build(settings_of(harness, folder / "spool"))
    restore.service = service
    async with harness.worker(service):

        async def clicks() -> int:
            row = await restore.db["posts"].find_one({"_id": post})
            return sum((row or {}).get("clicks", {}).values())

        await eventually(clicks, until=lambda count: count == 1)
        await drained(service)
        assert {one.id for one in await harness.events("herald.engagements")} == {counted}
    await service.runtime.close()
