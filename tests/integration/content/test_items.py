"""Items on real servers: their life, their versions, and what is refused."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

from herald_contracts import (
    ContentApproved,
    ContentPublished,
    ContentRejected,
    ContentRetired,
    ContentSubmitted,
    ContentUpdated,
)
from tests.integration.content.harness import PROGRAM, START, ContentHarness, broken, make, order, problem
from tests.integration.harness import Harness, eventually


async def test_an_item_goes_from_draft_to_retired_and_subscribers_hear_each_step(harness: Harness) -> None:
    service, clock = make(harness)
    async with harness.worker(service), harness.api(service) as client:
        await harness.person("editor", "editor")
        content = ContentHarness(harness, service, client, clock)

        async def known() -> bool:
            return (await content.call("GET", "/items")).status_code == 200

        await eventually(known)
        words = [
            {"language": "fr", "text": "مرحبا 👩🏽\u200d🚀 \u200fשלום"},
            {"language": "en", "network": "x", "text": "Six people"},
        ]
        item = await content.post("/items", order(captions=words, targeting={"countries": ["FR"], "teams": []}))
        path = f"/items/{item['id']}"
        await content.post(f"{path}/submit", {})
        await content.post(f"{path}/reject", {"comment": "A source, please"})
        assert (await content.get(path))["comment"] == "A source, please"
        await content.post(f"{path}/submit")
        await content.post(f"{path}/publish")
        version = (await content.get(path))["version"]
        changed = order("Better", captions=words)
        await content.call("PUT", path, changed, headers={"If-Match": f'"{version}"'})
        await content.post(f"{path}/retire")
        events = await eventually(lambda: harness.events("herald.content"), until=lambda found: len(found) == 7)
        assert [type(event.data) for event in events] == [
            ContentSubmitted,
            ContentRejected,
            ContentSubmitted,
            ContentApproved,
            ContentPublished,
            ContentUpdated,
            ContentRetired,
        ]
        revisions = [event.data.revision for event in events]  # type: ignore[attr-defined]
        assert revisions == sorted(set(revisions))
        assert {event.partitionkey for event in events} == {item["id"]}
        published = events[4].data
        assert isinstance(published, ContentPublished)
        assert published.captions[0].text == words[0]["text"]
        assert published.targeting.countries == ["FR"]
        assert [one.caption_id for one in published.captions] == [one["caption_id"] for one in item["captions"]]
        updated = events[5].data
        assert isinstance(updated, ContentUpdated)
        assert updated.variants[0].title == "Better"
        assert updated.captions == published.captions
    await service.runtime.close()


async def test_of_two_who_publish_at_once_one_does_and_the_other_is_told(content: ContentHarness) -> None:
    item = await content.post("/items", order())
    await content.post(f"/items/{item['id']}/submit")
    answers = await asyncio.gather(*(content.call("POST", f"/items/{item['id']}/publish") for _ in range(8)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 7}
    problem(next(answer for answer in answers if answer.status_code == 409), 409, "already-published")
    assert await content.emitted() == ["ContentSubmitted", "ContentApproved", "ContentPublished"]


async def test_the_same_request_with_the_same_key_takes_effect_once(content: ContentHarness) -> None:
    first, second = await asyncio.gather(
        *(content.call("POST", "/items", order(), headers={"Idempotency-Key": "one"}) for _ in range(2))
    )
    assert first.json() == second.json()
    assert first.headers["etag"] == second.headers["etag"] == '"1"'
    assert len((await content.get("/items"))["items"]) == 1
    problem(
        await content.call("POST", "/items", order("Other"), headers={"Idempotency-Key": "one"}),
        422,
        "idempotency-key-reused",
    )


async def test_an_item_is_written_anew_only_by_who_knows_its_version(content: ContentHarness) -> None:
    item = await content.post("/items", order())
    path = f"/items/{item['id']}"
    problem(await content.call("PUT", path, order("B")), 428, "precondition-required")
    first = await content.call("PUT", path, order("B"), headers={"If-Match": '"1"'})
    assert (first.status_code, first.headers["etag"]) == (200, '"2"')
    stale = problem(await content.call("PUT", path, order("C"), headers={"If-Match": '"1"'}), 412, "stale-version")
    assert stale["version"] == 2
    problem(await content.call("PUT", path, order("C"), headers={"If-Match": '"x"'}), 412, "stale-version")
    problem(await content.call("POST", f"{path}/submit", headers={"If-Match": '"1"'}), 412, "stale-version")
    found = await content.call("GET", path)
    assert (found.json()["variants"][0]["title"], found.headers["etag"]) == ("B", '"2"')


async def test_of_two_who_write_at_once_one_is_stale(content: ContentHarness) -> None:
    item = await content.post("/items", order())
    answers = await asyncio.gather(
        *(content.call("PUT", f"/items/{item['id']}", order(str(n)), headers={"If-Match": '"1"'}) for n in range(6))
    )
    assert Counter(answer.status_code for answer in answers) == {200: 1, 412: 5}


async def test_an_approved_item_that_is_changed_waits_for_review_again(content: ContentHarness) -> None:
    item = await content.post("/items", order())
    for act in ("submit", "approve"):
        item = await content.post(f"/items/{item['id']}/{act}")
    changed = await content.call("PUT", f"/items/{item['id']}", order("B"), headers={"If-Match": '"3"'})
    assert changed.json()["state"] == "in_review"
    assert await content.emitted() == ["ContentSubmitted", "ContentApproved", "ContentSubmitted"]


async def test_the_same_words_tell_nobody_anything(content: ContentHarness) -> None:
    item = await content.published()
    told = await content.emitted()
    same = await content.call("PUT", f"/items/{item['id']}", order(), headers={"If-Match": f'"{item["version"]}"'})
    assert same.json()["version"] == item["version"]
    assert await content.emitted() == told


async def test_items_are_listed_newest_first_page_by_page(content: ContentHarness) -> None:
    made = []
    for number in range(5):
        content.clock.advance(timedelta(seconds=1))
        made.append((await content.post("/items", order(str(number))))["id"])
    await content.post(f"/items/{made[0]}/submit")
    first = await content.get("/items", params={"limit": 3, "program_id": "programme-1", "state": "draft"})
    assert [item["id"] for item in first["items"]] == made[:1:-1]
    await content.post("/items", order("meanwhile"))
    rest = await content.get(
        "/items", params={"limit": 3, "program_id": "programme-1", "state": "draft", "cursor": first["next"]}
    )
    assert ([item["id"] for item in rest["items"]], rest["next"]) == ([made[1]], None)
    assert (await content.get("/items", params={"program_id": "another"}))["items"] == []


async def test_publishing_and_retiring_are_taken_back(harness: Harness) -> None:
    service, clock = make(harness)
    async with harness.worker(service), harness.api(service) as client:
        await harness.person("editor", "editor")
        content = ContentHarness(harness, service, client, clock)

        async def known() -> bool:
            return (await content.call("GET", "/items")).status_code == 200

        await eventually(known)
        item = await content.post("/items", order())
        path = f"/items/{item['id']}"
        await content.post(f"{path}/submit")
        await content.post(f"{path}/publish")
        undone = await content.post(f"{path}/unpublish")
        assert (undone["state"], undone["published_at"]) == ("approved", None)
        assert (await content.call("POST", f"{path}/unpublish")).status_code == 409
        again = await content.post(f"{path}/publish")
        await content.post(f"{path}/retire")
        restored = await content.post(f"{path}/restore")
        assert (restored["state"], restored["published_at"]) == ("published", again["published_at"])
        assert (restored["retired_at"], restored["retire_reason"]) == (None, None)
        assert (await content.call("POST", f"{path}/restore")).status_code == 409
        events = await eventually(lambda: harness.events("herald.content"), until=lambda found: len(found) == 7)
    told = [event.data for event in events][-5:]
    assert [type(one) for one in told] == [
        ContentPublished,
        ContentRetired,
        ContentPublished,
        ContentRetired,
        ContentPublished,
    ]
    assert [one.reason for one in told if isinstance(one, ContentRetired)] == ["unpublished", "editor"]


async def test_an_item_retires_by_itself_when_its_time_is_over(harness: Harness) -> None:
    service, clock = make(harness)
    async with harness.api(service) as client:
        content = ContentHarness(harness, service, client, clock)
        await content.know("editor", "editor")
        ends = (START + timedelta(hours=1)).isoformat()
        over = await content.published(expires_at=ends)
        draft = await content.post("/items", order(expires_at=ends))
        stays = await content.published()
        clock.advance(timedelta(hours=2))
        await content.post(f"/items/{draft['id']}/submit")
        assert broken(await content.call("POST", f"/items/{draft['id']}/publish")) == {("expires_at", "past")}
        async with harness.worker(service):

            async def state() -> Any:
                return (await content.get(f"/items/{over['id']}"))["state"]

            await eventually(state, until=lambda found: found == "retired")

            async def reasons() -> list[Any]:
                events = await harness.events("herald.content")
                return [event.data.reason for event in events if isinstance(event.data, ContentRetired)]

            assert await eventually(reasons) == ["expired"]
        assert (await content.get(f"/items/{stays['id']}"))["state"] == "published"
    await service.runtime.close()


# --- what is refused ---------------------------------------------------------------------------------------------


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"captions": [{"language": "fr", "text": "x" * 100_000}]}, "captions.0.text", "too-long"),
    ({"captions": [{"language": "fr", "text": "\u0000\u200b"}]}, "captions.0.text", "blank"),
    ({"captions": [{"language": "fr", "text": "a"}] * 2}, "captions.1.text", "duplicate"),
    ({"surprise": True}, "surprise", "unknown-field"),
    ({"url": "ftp://example.com"}, "url", "scheme"),
    ({"url": "https://..."}, "url", "host"),
    ({"url": "https://[/x"}, "url", "host"),
    ({"url": "https://example.com:99999/"}, "url", "port"),
    ({"url": "https://example.com/" + "é" * 2000}, "url", "too-long"),
    ({"variants": []}, "variants", "required"),
    ({"expires_at": "2026-02-01T00:00:00Z"}, "expires_at", "past"),
    ({"targeting": {"countries": ["uk"]}}, "targeting.countries.0", "country"),
]


async def test_a_refusal_names_field_and_rule_and_changes_nothing(content: ContentHarness) -> None:
    item = await content.post("/items", order())
    path = f"/items/{item['id']}"
    for change, field, rule in REFUSED:
        assert (field, rule) in broken(await content.call("POST", "/items", order(**change)))
        assert (field, rule) in broken(await content.call("PUT", path, order(**change), headers={"If-Match": '"1"'}))
    assert (await content.get("/items"))["items"] == [item]


async def test_what_is_no_json_or_too_large_or_of_another_kind_is_refused(content: ContentHarness) -> None:
    json = {"content-type": "application/json"}
    problem(await content.call("POST", "/items", content=b'{"a":', headers=json), 400, "malformed-json")
    problem(
        await content.call("POST", "/items", content=b"{}", headers={"content-type": "text/csv"}), 415, "media-type"
    )
    problem(await content.call("POST", "/items", content=b" " * (1 << 20) + b"{}", headers=json), 413, "body-too-large")
    lone = b'{"program_id": "\\ud800"}'
    assert (await content.call("POST", "/items", content=lone, headers=json)).status_code == 422


async def test_only_editors_write_and_only_those_who_are_still_there(content: ContentHarness) -> None:
    await content.know("somebody", "ambassador", "admin")
    await content.know("manager", "manager")
    await content.know("gone", "editor", active=False)
    item = await content.post("/items", order())
    for method, path in [("POST", "/items"), ("GET", "/items"), ("GET", f"/items/{item['id']}"), ("GET", "/feeds")]:
        body = order() if method == "POST" else None
        problem(await content.call(method, path, body, by="somebody"), 403, "role-missing")
    assert (await content.call("GET", f"/items/{item['id']}", by="manager")).status_code == 200
    problem(await content.call("POST", "/items", order(), by="manager"), 403, "role-missing")
    problem(await content.call("POST", "/items", order(), by="gone"), 403, "inactive")
    problem(await content.call("POST", "/items", order(), by="stranger"), 403, "unknown-person")
    problem(await content.call("GET", "/items", headers={"Authorization": "Bearer x"}), 401, "unauthenticated")
    assert len((await content.get("/items"))["items"]) == 1


async def test_what_is_not_there_or_belongs_elsewhere(content: ContentHarness) -> None:
    for method, path in [
        ("GET", "/items/x"),
        ("POST", "/items/x/publish"),
        ("GET", "/feeds/x"),
        ("DELETE", "/feeds/x"),
    ]:
        problem(await content.call(method, path), 404, "not-found")
    item = await content.post("/items", order())
    moved = await content.call("PUT", f"/items/{item['id']}", order(program_id="other"), headers={"If-Match": '"1"'})
    assert broken(moved) == {("program_id", "immutable")}
    problem(await content.call("POST", f"/items/{item['id']}/publish"), 409, "wrong-state")
    assert ("cursor", "format") in broken(await content.call("GET", "/items", params={"cursor": "no"}))
    assert ("cursor", "format") in broken(await content.call("GET", "/items", params={"cursor": "WzFd"}))


async def test_an_editor_of_one_programme_edits_there_and_nowhere_else(content: ContentHarness) -> None:
    own = [{"program_id": PROGRAM, "role": "editor"}]
    await content.know("local", program_roles=own)
    mine = await content.post("/items", order("Mine"), by="local")
    other = await content.post("/items", order("Other", program_id="programme-2"))
    [listed] = (await content.get(f"/items?program_id={PROGRAM}", by="local"))["items"]
    assert listed["id"] == mine["id"]
    await content.post(f"/items/{mine['id']}/submit", by="local")
    refused = [
        await content.call("GET", "/items", by="local"),
        await content.call("GET", "/items?program_id=programme-2", by="local"),
        await content.call("GET", f"/items/{other['id']}", by="local"),
        await content.call("GET", f"/items/{other['id']}?program_id={PROGRAM}", by="local"),
        await content.call("POST", f"/items/{other['id']}/submit", by="local"),
        await content.call("POST", "/items", order(program_id="programme-2"), by="local"),
        await content.call(
            "POST", "/feeds", {"program_id": "programme-2", "language": "en", "url": "https://x.example/"}, by="local"
        ),
        await content.call("GET", "/feeds", by="local"),
    ]
    for answer in refused:
        problem(answer, 403, "role-missing")
    problem(await content.call("GET", "/items/nothing", by="local"), 404, "not-found")
    await content.know("local", revision=2, program_roles=[])
    problem(await content.call("GET", f"/items/{mine['id']}", by="local"), 403, "role-missing")
