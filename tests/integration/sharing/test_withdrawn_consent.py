"""An ambassador leaves while a share is under way: whatever had begun, nothing is posted any more, what was posted is
theirs to take back, and each step says why."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from herald_contracts import AmbassadorJoined, AmbassadorLeft, PersonDeactivated, PostRemoved, PostShared
from services.sharing.app import build
from tests.integration.harness import drained, eventually
from tests.integration.sharing.conftest import SharingHarness, published, settings_of

BODY = {"content_id": "c1", "network": "linkedin", "language": "fr", "caption": "Bonjour"}


async def leave(sharing: SharingHarness, name: str) -> None:
    now = datetime.now(UTC)
    await sharing.known(AmbassadorLeft(person_id=name, program_id="p1", reason="left", occurred_at=now))


async def come_back(sharing: SharingHarness, name: str) -> None:
    now = datetime.now(UTC)
    await sharing.known(AmbassadorJoined(person_id=name, program_id="p1", consent_version=1, occurred_at=now))


async def be_deactivated(sharing: SharingHarness, name: str) -> None:
    await sharing.known(PersonDeactivated(person_id=name, revision=2, occurred_at=datetime.now(UTC)))


async def told(sharing: SharingHarness) -> list[str]:
    """What herald.posts says, once all is told."""
    await drained(sharing.service)
    return [type(one.data).__name__ for one in await sharing.harness.events("herald.posts")]


def says(answer: httpx.Response, status: int, type_: str) -> None:
    assert (answer.status_code, answer.json()["type"]) == (status, type_), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_sheet_was_open(sharing: SharingHarness) -> None:
    ana = await sharing.ambassador("ana")
    assert (await sharing.api.post("/v1/drafts/check", json=BODY, headers=ana)).status_code == 200
    await leave(sharing, "ana")
    refused = [await sharing.api.post(path, json=BODY, headers=ana) for path in ("/v1/drafts/check", "/v1/posts")]
    for answer in refused:
        says(answer, 403, "not-a-member")
        assert answer.json()["program_id"] == "p1"
    assert await sharing.db["posts"].count_documents({}) == 0
    assert await told(sharing) == []
    await come_back(sharing, "ana")
    assert (await sharing.share(ana)).status_code == 201  # nothing stands in the way of who agrees again


@pytest.mark.parametrize(("go", "type_"), [(leave, "not-a-member"), (be_deactivated, "inactive")])
async def test_the_share_waited_for_its_item(
    sharing: SharingHarness, go: Callable[[SharingHarness, str], Awaitable[None]], type_: str
) -> None:
    """It was accepted from an ambassador; who that is now is asked when the post is made."""
    ana = await sharing.ambassador("ana")
    early = build(settings_of(sharing.harness, sharing.spool, wait_seconds=20))
    try:
        async with sharing.harness.api(early) as api:
            tap = asyncio.ensure_future(api.post("/v1/posts", json={**BODY, "content_id": "c9"}, headers=ana))
            done, _ = await asyncio.wait([tap], timeout=0.3)
            assert not done
            await go(sharing, "ana")
            await sharing.known(published(content_id="c9"))
            says(await tap, 403, type_)
    finally:
        await early.runtime.close()
    assert await sharing.db["posts"].count_documents({}) == 0
    assert await sharing.db["taps"].count_documents({}) == 0
    assert await told(sharing) == []


async def test_a_second_tap_after_it_makes_no_second_post(sharing: SharingHarness) -> None:
    ana = await sharing.ambassador("ana")
    with_key = {**ana, "Idempotency-Key": "tap-1"}
    first = await sharing.share(with_key)
    await leave(sharing, "ana")
    again = await sharing.share(with_key)
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])  # the answer of then, and no new post
    says(await sharing.share(ana, caption="Encore"), 403, "not-a-member")
    assert await sharing.db["posts"].count_documents({}) == 1
    assert await told(sharing) == ["PostShared"]


async def test_the_dialog_was_open_and_the_share_is_taken_back(sharing: SharingHarness) -> None:
    """Closed without posting: nothing of it is left, although its ambassador has left before they said so."""
    ana = await sharing.ambassador("ana")
    post = (await sharing.share(ana)).json()
    await leave(sharing, "ana")
    [mine] = (await sharing.api.get("/v1/posts", headers=ana)).json()["items"]
    assert mine["id"] == post["id"]
    assert (await sharing.api.delete(f"/v1/posts/{post['id']}", headers=ana)).status_code == 204
    assert await told(sharing) == ["PostShared", "PostRemoved"]


async def test_the_removal_was_held_to_be_undone(sharing: SharingHarness) -> None:
    """It is not undone: that would share once more. It ends as any other, and the link goes on leading somewhere."""
    ana = await sharing.ambassador("ana")
    post = (await sharing.share(ana)).json()
    path = f"/v1/posts/{post['id']}"
    gone = await sharing.api.delete(path, params={"held_seconds": 2}, headers=ana)
    assert gone.status_code == 204
    await leave(sharing, "ana")
    says(await sharing.api.post(f"{path}/restore", headers=ana), 403, "not-a-member")
    held = (await sharing.api.get(path, headers=ana)).json()
    assert held["removed_at"] is not None

    async def removed() -> list[Any]:
        return [one.data for one in await sharing.harness.events("herald.posts") if isinstance(one.data, PostRemoved)]

    [event] = await eventually(removed)
    assert event.post_id == post["id"]
    async with sharing.links() as links:
        assert (await links.get(f"/l/{post['link_code']}")).status_code in (301, 302, 303, 307)


async def test_leaving_and_sharing_at_once_end_as_one_after_the_other(sharing: SharingHarness) -> None:
    """Either there is a post, with its event, or there is neither; a refusal has left nothing."""
    ana = await sharing.ambassador("ana")
    networks = ("linkedin", "x", "email", "facebook")
    leaving = asyncio.ensure_future(leave(sharing, "ana"))
    answers = await asyncio.gather(*(sharing.share(ana, network=network) for network in networks))
    await leaving
    made = [one.json()["id"] for one in answers if one.status_code == 201]
    for one in answers:
        if one.status_code != 201:
            says(one, 403, "not-a-member")
    assert {row["_id"] async for row in sharing.db["posts"].find({}, {"_id": 1})} == set(made)
    await drained(sharing.service)
    events = [one.data for one in await sharing.harness.events("herald.posts")]
    assert {one.post_id for one in events if isinstance(one, PostShared)} == set(made)
    says(await sharing.share(ana, caption="Encore"), 403, "not-a-member")
