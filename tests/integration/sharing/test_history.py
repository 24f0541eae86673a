"""Posts of the past and what they brought: of their own day, marked imported, each once."""

from __future__ import annotations

from typing import Any

from herald_contracts import EngagementRecorded, PostShared
from tests.integration.harness import eventually
from tests.integration.sharing.conftest import SharingHarness

POST: dict[str, Any] = {
    "id": "P-1",
    "ambassador_id": "ada",
    "content_id": "c9",
    "title": "Our first plant",
    "url": "https://example.com/plant",
    "language": "en",
    "network": "xing",
    "posted_at": "2025-09-14T08:30:00Z",
    "counts": {"click": 12, "like": 3, "comment": 0},
}
ENGAGEMENT: dict[str, Any] = {"id": "E-1", "post": "P-1", "counted_at": "2025-09-20T08:00:00Z", "counts": {"like": 2}}


async def send(sharing: SharingHarness, kind: str, *items: dict[str, Any], **more: Any) -> list[tuple[str, str, str]]:
    await sharing.harness.person("max", "manager")
    await eventually(lambda: sharing.db["principals"].find_one({"_id": "max", "roles": "manager"}))
    body = {"program_id": "p1", "source": "old", "items": list(items), **more}
    answer = await sharing.api.post(f"/v1/history/{kind}", json=body, headers=sharing.harness.bearer("max"))
    assert answer.status_code == 200, answer.text
    return [(one["outcome"], one["field"], one["rule"]) for one in answer.json()["items"]]


async def test_posts_and_engagement_are_told_as_imported_on_their_own_days(sharing: SharingHarness) -> None:
    assert await send(sharing, "posts", POST) == [("new", "", "")]
    assert await send(sharing, "engagements", ENGAGEMENT) == [("new", "", "")]
    brought = await sharing.engagements(3)
    assert [(one.kind, one.quantity, one.measure, one.occurred_at.isoformat()[:10]) for one in brought] == [
        ("click", 12, "imported", "2025-09-14"),
        ("like", 3, "imported", "2025-09-14"),
        ("like", 2, "imported", "2025-09-20"),
    ]
    [shared] = [event.data for event in await sharing.harness.events("herald.posts")]
    assert isinstance(shared, PostShared)
    assert (shared.method, shared.network, shared.occurred_at.isoformat()) == (
        "imported",
        "xing",
        "2025-09-14T08:30:00+00:00",
    )


async def test_imported_posts_stand_among_ones_own_under_their_day_and_say_so(sharing: SharingHarness) -> None:
    ada = await sharing.ambassador("ada")
    mine = (await sharing.share(ada)).json()
    later = POST | {"id": "P-2", "posted_at": "2025-10-01T08:00:00Z", "network": "linkedin"}
    await send(sharing, "posts", POST, later)
    await send(sharing, "engagements", ENGAGEMENT)
    items = (await sharing.api.get("/v1/posts", headers=ada)).json()["items"]
    assert [(one["imported"], one["shared_at"][:10]) for one in items[1:]] == [
        (True, "2025-10-01"),
        (True, "2025-09-14"),
    ]
    assert (items[0]["id"], items[0]["imported"]) == (mine["id"], False)
    assert items[2]["clicks"]["counted"] == 12
    assert items[2]["engagements"] == {"like": 5, "comment": 0}
    assert (items[1]["dialog_url"], items[2]["dialog_url"]) == (None, None)


async def test_the_same_rows_again_change_nothing_and_a_preview_writes_nothing(sharing: SharingHarness) -> None:
    assert await send(sharing, "posts", POST, preview=True) == [("new", "", "")]
    assert await send(sharing, "engagements", ENGAGEMENT, preview=True) == [("refused", "post", "unknown")]
    assert await sharing.db["posts"].count_documents({}) == 0
    for outcome in ("new", "known"):
        assert await send(sharing, "posts", POST) == [(outcome, "", "")]
        assert await send(sharing, "engagements", ENGAGEMENT) == [(outcome, "", "")]
    assert await send(sharing, "posts", POST | {"counts": {}}) == [("refused", "id", "reused")]
    await sharing.engagements(3)
    stored = await sharing.db["posts"].find_one({})
    assert (stored["clicks"], stored["engagements"]["like"]) == ({"counted": 12}, 5)
    events = [event.data for event in await sharing.harness.events("herald.engagements")]
    assert sum(one.quantity for one in events if isinstance(one, EngagementRecorded)) == 17


async def test_a_row_that_breaks_a_rule_is_refused_by_name(sharing: SharingHarness) -> None:
    wrong = [POST | {"posted_at": "2999-01-01T00:00:00Z"}, POST | {"id": "P-2", "posted_at": "1999-01-01T00:00:00Z"}]
    assert await send(sharing, "posts", *wrong, POST | {"id": "P-3"}) == [
        ("refused", "posted_at", "future"),
        ("refused", "posted_at", "too-early"),
        ("new", "", ""),
    ]
    early = ENGAGEMENT | {"post": "P-3", "counted_at": "2025-09-01T00:00:00Z"}
    assert await send(sharing, "engagements", early, ENGAGEMENT | {"id": "E-2"}) == [
        ("refused", "counted_at", "order"),
        ("refused", "post", "unknown"),
    ]


async def test_history_is_for_those_who_manage(sharing: SharingHarness) -> None:
    ada = await sharing.ambassador("ada")
    for kind, item in (("posts", POST), ("engagements", ENGAGEMENT)):
        body = {"program_id": "p1", "source": "old", "items": [item]}
        assert (await sharing.api.post(f"/v1/history/{kind}", json=body, headers=ada)).status_code == 403
