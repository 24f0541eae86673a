"""Items after a restore to an earlier moment than Kafka's."""

from __future__ import annotations

from typing import Any

import pytest

from herald_contracts import AdministrativeActRecorded, decode
from tests.integration.content.harness import ContentHarness, order
from tests.integration.recovery import back_up


async def test_items_are_taken_back_and_their_next_revision_is_new(
    content: ContentHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = await content.published(title="Before")
    restore = await back_up(content.harness, content.service, monkeypatch)
    path = f"/items/{known['id']}"
    etag = (await content.call("GET", path)).headers["etag"]
    answer = await content.call("PUT", path, order("After"), headers={"If-Match": etag})
    told = int(answer.headers["etag"].strip('"'))
    new, gone = await content.published(title="New"), await content.published(title="Gone")
    await content.post(f"/items/{gone['id']}/retire")
    waiting = await content.post("/items", order("Waiting"))
    await content.post(f"/items/{waiting['id']}/submit")
    items = content.service.runtime.mongo.db["items"]
    was = {row["_id"]: row async for row in items.find({})}
    await restore.send()
    await restore.put_back()

    code, said = await restore.recover()
    assert (code, await items.count_documents({})) == (2, 1), said
    assert "Nothing was changed" in said
    code, said = await restore.recover("--go")
    assert code == 2, said
    assert f"lacking: item {waiting['id']}, herald.content, herald.ContentSubmitted.v1" in said
    now = {row["_id"]: row async for row in items.find({})}
    assert _told(now) == {id: row for id, row in _told(was).items() if id != waiting["id"]}
    assert [row["version"] for id, row in now.items() if id == known["id"]] == [told]
    rows = await restore.db["outbox"].find({}).to_list()
    [act] = [decode(list(row["headers"].items()), row["value"]).data for row in rows]
    assert isinstance(act, AdministrativeActRecorded)
    assert {one.field: one.after for one in act.changes} == {
        "taken_back": "1",
        "made": "2",
        "lacking": "1",
        "lifted": "0",
    }
    code, said = await restore.recover("--go")
    assert (code, await restore.db["outbox"].count_documents({})) == (2, 1), said

    etag = (await content.call("GET", path)).headers["etag"]
    answer = await content.call("PUT", path, order("Later"), headers={"If-Match": etag})
    assert int(answer.headers["etag"].strip('"')) == told + 1
    assert "New" in [one["title"] for one in (await content.get("/items"))["items"][0]["variants"]] + [
        row["copy"]["variants"][0]["title"] for row in now.values()
    ]
    assert new["id"] in now


def _told(rows: dict[str, Any]) -> dict[str, Any]:
    """What events tell of items: not who wrote them, nor when the draft was begun."""
    left_out = ("author_id", "reviewer_id", "created_at", "listed")
    return {id: {name: value for name, value in row.items() if name not in left_out} for id, row in rows.items()}
