"""Sharing an item over HTTP: the post, its link, its event, and every reason to refuse."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.ids import new_id
from herald_contracts import (
    AmbassadorLeft,
    ContentRetired,
    GuidelinePublished,
    LessonCompleted,
    LessonPublished,
    LessonRetired,
    PostRemoved,
    PostShared,
    ProgramArchived,
    ProgramRestored,
    Targeting,
)
from services.sharing import commands
from services.sharing.app import build
from services.sharing.commands import CLOCKS_DIFFER, REPORTED_WITHIN
from tests.fuzz import examples
from tests.integration.consumers import consumers, received
from tests.integration.harness import drained, eventually
from tests.integration.sharing.conftest import SharingHarness, published, settings_of


async def test_a_share_is_a_post_with_a_link_and_an_event(sharing: SharingHarness) -> None:
    ana = await sharing.ambassador("ana", country="DE")
    answer = await sharing.share(ana, caption="Fier de notre usine !", caption_id="k1")
    assert answer.status_code == 201, answer.text
    post = answer.json()
    assert post["short_url"] == f"http://herald.test/l/{post['link_code']}"
    assert post["caption"] == f"Fier de notre usine !\n\n#Werbung #JyTravaille\n{post['short_url']}"
    assert post["dialog_url"].startswith("https://www.linkedin.com/")
    assert post["clicks"] == {"raw": 0, "counted": 0, "by_verdict": {}}
    stored = await sharing.db["posts"].find_one({"_id": post["id"]})
    assert stored["target"] == (
        "https://example.com/usine?lang=fr&utm_source=linkedin&utm_medium=employee_advocacy"
        f"&utm_campaign=ete-2026&utm_content={post['link_code']}#top"
    )

    async def events() -> list[Any]:
        return await sharing.harness.events("herald.posts")

    (event,) = await eventually(events)
    assert event.data == PostShared(
        post_id=post["id"],
        ambassador_id="ana",
        program_id="p1",
        content_id="c1",
        network="linkedin",
        occurred_at=stored["shared_at"],
        language="fr",
        caption_id="k1",
        edited=False,
        link_code=post["link_code"],
        method="dialog",
    )
    assert (await sharing.api.get(f"/v1/posts/{post['id']}", headers=ana)).json() == post


async def test_two_taps_at_once_are_one_post(sharing: SharingHarness) -> None:
    ana = await sharing.ambassador("ana")
    answers = await asyncio.gather(*(sharing.share(ana) for _ in range(6)))
    assert [answer.status_code for answer in answers] == [201] * 6
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await sharing.db["posts"].count_documents({}) == 1
    assert (await sharing.share(ana, network="x")).json()["id"] != answers[0].json()["id"]
    gone = await sharing.api.delete(f"/v1/posts/{answers[0].json()['id']}", headers=ana)
    assert gone.status_code == 204
    assert (await sharing.share(ana)).json()["id"] != answers[0].json()["id"]


async def test_other_words_are_another_share_judged_anew(sharing: SharingHarness) -> None:
    ana = await sharing.ambassador("ana")
    first = (await sharing.share(ana)).json()
    assert (await sharing.share(ana)).json()["id"] == first["id"]
    blocked = await sharing.share(ana, caption="Un rendement garanti")
    assert (blocked.status_code, blocked.json()["type"]) == (422, "guardrail-blocked")
    other = (await sharing.share(ana, caption="Bravo à tous")).json()
    assert other["id"] != first["id"]
    assert other["caption"].startswith("Bravo à tous\n")
    assert (await sharing.share(ana)).json()["id"] == first["id"]
    assert await sharing.db["posts"].count_documents({}) == 2


async def test_a_code_that_a_link_has_is_not_given_again(
    sharing: SharingHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = await sharing.ambassador("ana")
    first = (await sharing.share(ana)).json()
    with monkeypatch.context() as drawn:
        drawn.setattr(commands, "short_code", lambda: first["link_code"])
        refused = await sharing.share(ana, network="x")
        assert (refused.status_code, refused.json()["type"], refused.headers["retry-after"]) == (503, "overloaded", "1")
    assert await sharing.db["posts"].count_documents({}) == 1
    assert await sharing.db["taps"].count_documents({}) == 1
    again = (await sharing.share(ana, network="x")).json()
    assert again["link_code"] != first["link_code"]


async def test_an_item_may_be_shared_before_its_event_is_here(sharing: SharingHarness) -> None:
    """It is in the feed as soon as content has it; sharing hears of it a moment later."""
    ana = await sharing.ambassador("ana")
    settings = settings_of(sharing.harness, sharing.spool, wait_seconds=20)
    early = build(settings)
    try:
        async with sharing.harness.api(early) as api:
            body = {"content_id": "c9", "network": "linkedin", "language": "fr", "caption": "Bonjour"}
            tap = asyncio.ensure_future(api.post("/v1/posts", json=body, headers=ana))
            done, _ = await asyncio.wait([tap], timeout=0.3)
            assert not done
            await sharing.known(published(content_id="c9"))
            assert (await tap).status_code == 201
    finally:
        await early.runtime.close()
    unknown = await sharing.share(ana, content_id="c10")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "not-found")


async def test_the_same_idempotency_key_gives_the_same_answer(sharing: SharingHarness) -> None:
    ana = await sharing.ambassador("ana")
    first, second = [await sharing.share({**ana, "Idempotency-Key": "tap-1"}) for _ in range(2)]
    assert first.json() == second.json()
    assert second.headers["Idempotency-Replayed"] == "true"
    other = await sharing.share({**ana, "Idempotency-Key": "tap-1"}, caption="Autre chose")
    assert (other.status_code, other.json()["type"]) == (422, "idempotency-key-reused")


async def test_a_blocked_caption_says_why_and_changes_nothing(sharing: SharingHarness) -> None:
    ana = await sharing.ambassador("ana", locale="en-GB")
    caption = "A GUARANTEED return, strictly c\u200bonfidential"
    draft = {"content_id": "c1", "network": "x", "language": "en", "caption": caption}
    checked = (await sharing.api.post("/v1/drafts/check", json=draft, headers=ana)).json()
    assert checked["verdict"] == "blocked"
    answer = await sharing.share(ana, **draft)
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (422, "guardrail-blocked")
    assert problem["findings"] == checked["findings"]
    assert [one["rule"] for one in problem["errors"]] == ["forbidden-phrase", "forbidden-phrase"]
    assert checked["draft"] == "A GUARANTEED return, strictly confidential"
    assert [checked["draft"][one["start"] : one["end"]] for one in problem["findings"]] == [
        "GUARANTEED return",
        "strictly confidential",
    ]
    assert await sharing.db["posts"].count_documents({}) == 0


async def test_whoever_checks_too_often_is_told_when_to_try_again(sharing: SharingHarness) -> None:
    """And nobody else is; the general limit counts everything that one person asks."""
    ana, bob = await sharing.ambassador("ana"), await sharing.ambassador("bob")
    draft = {"content_id": "c1", "network": "x", "language": "en", "caption": "Mine"}
    answers = await asyncio.gather(*(sharing.api.post("/v1/drafts/check", json=draft, headers=ana) for _ in range(12)))
    assert {answer.status_code for answer in answers} == {200, 429}
    allowed = next(answer for answer in answers if answer.status_code == 200)
    assert allowed.headers["RateLimit-Policy"] == '"drafts";q=5;w=1'
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["type"] == "too-many-requests"
    assert int(refused.headers["Retry-After"]) >= 1
    assert (await sharing.api.post("/v1/drafts/check", json=draft, headers=bob)).status_code == 200


async def test_who_withdraws_their_consent_while_they_write_shares_nothing(sharing: SharingHarness) -> None:
    """What they shared before stays, and nothing is kept of what they were about to."""
    ana = await sharing.ambassador("ana")
    assert (await sharing.share(ana, caption="Before")).status_code == 201
    draft = {"content_id": "c1", "network": "x", "language": "fr", "caption": "After"}
    assert (await sharing.api.post("/v1/drafts/check", json=draft, headers=ana)).status_code == 200
    left = AmbassadorLeft(person_id="ana", program_id="p1", reason="left", occurred_at=datetime.now(UTC))
    await sharing.known(left)
    answer = await sharing.share(ana, caption="After")
    assert (answer.status_code, answer.json()["type"]) == (403, "not-a-member")
    assert [post["caption"].startswith("Before") async for post in sharing.db["posts"].find({})] == [True]


async def test_every_reason_to_refuse_has_a_type(sharing: SharingHarness) -> None:
    ana = await sharing.ambassador("ana")
    now = datetime.now(UTC)
    await sharing.known(
        published(content_id="c2", shareable=False),
        published(content_id="c3", targeting=Targeting(countries=["JP"])),
        published(content_id="c7", targeting=Targeting(sites=["Nantes"])),
        published(content_id="c4", program_id="p2"),
        published(content_id="c5", expires_at=now - timedelta(minutes=1)),
        published(content_id="c6"),
        ContentRetired(content_id="c6", program_id="p1", revision=2, occurred_at=now, reason="editor"),
        *(published(content_id="c6"),),
    )
    await sharing.db["programs"].update_one({"_id": "p2"}, {"$set": {"name": "Other"}}, upsert=True)
    found = {}
    for id in ("c2", "c3", "c7", "c4", "c5", "c6", "nope"):
        answer = await sharing.share(ana, content_id=id)
        found[id] = (answer.status_code, answer.json()["type"], answer.json().get("reason"))
    assert found == {
        "c2": (409, "content-not-shareable", "internal"),
        "c3": (403, "not-targeted", None),
        "c7": (403, "not-targeted", None),
        "c4": (403, "not-a-member", None),
        "c5": (409, "content-not-shareable", "expired"),
        "c6": (409, "content-not-shareable", "retired"),
        "nope": (404, "not-found", None),
    }
    assert (await sharing.share(ana, caption_id="none")).json()["errors"][0]["field"] == "caption_id"
    again = GuidelinePublished(program_id="p1", version=2, material=True, languages=["fr"], occurred_at=now)
    await sharing.known(again, again.model_copy(update={"version": 3, "material": False}))
    answer = await sharing.share(ana)
    assert (answer.status_code, answer.json()["type"]) == (409, "guidelines-not-acknowledged")
    assert answer.json()["required_version"] == 2
    await sharing.known(ProgramArchived(program_id="p1", revision=4, occurred_at=now))
    answer = await sharing.share(ana)
    assert (answer.status_code, answer.json()["type"]) == (409, "program-archived")
    await sharing.known(
        ProgramRestored(program_id="p1", revision=5, occurred_at=now),
        ProgramArchived(program_id="p1", revision=4, occurred_at=now),
    )
    assert (await sharing.share(ana)).json()["type"] == "guidelines-not-acknowledged"
    assert await sharing.db["posts"].count_documents({}) == 0


async def test_a_required_lesson_is_completed_before_a_share(sharing: SharingHarness) -> None:
    """By sharing's own projection: the latest revision holds, whatever comes first; a retired lesson is required for
    nothing."""
    ana = await sharing.ambassador("ana")
    of: dict[str, Any] = {"program_id": "p1", "occurred_at": datetime.now(UTC)}

    def lesson(id: str, revision: int, *rights: str) -> LessonPublished:
        return LessonPublished(
            lesson_id=id, revision=revision, edition=1, languages=["fr"], required_for=list(rights), **of
        )

    await sharing.known(lesson("l1", 3, "share"), lesson("l2", 3, "share"), lesson("l3", 2, "another-right"))
    await sharing.known(lesson("l1", 2), LessonRetired(lesson_id="l2", revision=4, **of))
    await sharing.known(lesson("l2", 2, "share"))
    answer = await sharing.share(ana)
    assert (answer.status_code, answer.json()["type"]) == (409, "lesson-not-completed")
    assert answer.json()["lesson_id"] == "l1"
    await sharing.known(LessonCompleted(person_id="bob", lesson_id="l1", edition=1, **of))
    assert (await sharing.share(ana)).status_code == 409
    await sharing.known(LessonCompleted(person_id="ana", lesson_id="l1", edition=1, **of))
    assert (await sharing.share(ana)).status_code == 201


@pytest.mark.parametrize(
    ("caption", "field_rule"),
    [("x" * 100_000, ("caption", "too-long")), ("\ud800", ("caption", "text"))],
)
async def test_a_caption_that_is_no_caption_is_refused(sharing: SharingHarness, caption: str, field_rule: Any) -> None:
    ana = await sharing.ambassador("ana")
    body = '{"content_id":"c1","network":"x","language":"fr","caption":"%s"}'
    sent = body % caption.encode("unicode_escape").decode()
    answer = await sharing.api.post(
        "/v1/posts", content=sent.encode(), headers={**ana, "Content-Type": "application/json"}
    )
    assert answer.status_code == 422, answer.text
    assert [(error["field"], error["rule"]) for error in answer.json()["errors"]] == [field_rule]
    assert await sharing.db["posts"].count_documents({}) == 0


async def test_emoji_and_right_to_left_text_go_out_as_they_are(sharing: SharingHarness) -> None:
    ana = await sharing.ambassador("ana")
    caption = "شكراً لفريقنا 👩🏽‍🔬🇲🇦 — à bientôt"
    post = (await sharing.share(ana, caption=caption)).json()
    assert post["caption"].startswith(caption + "\n\n#")


async def test_a_post_can_be_taken_back_once_and_only_by_its_author(sharing: SharingHarness) -> None:
    ana, bob = await sharing.ambassador("ana"), await sharing.ambassador("bob")
    id = (await sharing.share(ana)).json()["id"]
    assert (await sharing.api.delete(f"/v1/posts/{id}", headers=bob)).status_code == 404
    assert (await sharing.api.get(f"/v1/posts/{id}", headers=bob)).status_code == 404
    for _ in range(2):
        assert (await sharing.api.delete(f"/v1/posts/{id}", headers=ana)).status_code == 204
    assert (await sharing.api.get("/v1/posts", headers=ana)).json()["items"] == []

    async def removed() -> list[Any]:
        return [one for one in await sharing.harness.events("herald.posts") if isinstance(one.data, PostRemoved)]

    await eventually(removed)
    await drained(sharing.service)
    assert [one.data.post_id for one in await removed()] == [id]


async def test_what_my_posts_are_about_is_told_by_their_ids(sharing: SharingHarness) -> None:
    ana, bob = await sharing.ambassador("ana"), await sharing.ambassador("bob")
    mine, gone = [(await sharing.share(ana, network=one)).json() for one in ("linkedin", "x")]
    others = (await sharing.share(bob)).json()
    await sharing.api.delete(f"/v1/posts/{gone['id']}", headers=ana)
    ids = {"ids": [mine["id"], gone["id"], others["id"], "none"]}
    found = (await sharing.api.post("/v1/posts/titles", json=ids, headers=ana)).json()["titles"]
    assert found == {
        one["id"]: {name: one[name] for name in ("content_id", "title", "language")} for one in (mine, gone)
    }


async def test_my_posts_are_counted_and_found_by_words_of_their_titles(sharing: SharingHarness) -> None:
    ana, bob = await sharing.ambassador("ana"), await sharing.ambassador("bob")
    mine = [(await sharing.share(ana, network=one)).json() for one in ("linkedin", "x", "email")]
    gone = mine.pop(0)
    await sharing.share(bob)
    await sharing.api.delete(f"/v1/posts/{gone['id']}", headers=ana)
    word = mine[0]["title"].split()[0][:3].upper()
    for asked in ({"limit": "1"}, {"limit": "1", "query": word}):
        first = (await sharing.api.get("/v1/posts", params=asked, headers=ana)).json()
        rest = {**asked, "cursor": first["next"]}
        second = (await sharing.api.get("/v1/posts", params=rest, headers=ana)).json()
        assert [one["id"] for one in (*first["items"], *second["items"])] == [one["id"] for one in reversed(mine)]
        assert (first["total"], second["total"], second["next"]) == (2, None, None)
    for query in ("xyzzy", f"{word} xyzzy", "?"):
        found = (await sharing.api.get("/v1/posts", params={"query": query}, headers=ana)).json()
        assert (found["items"], found["total"]) == ([], 0), query


async def test_a_removal_that_is_held_can_be_undone_until_others_hear_of_it(sharing: SharingHarness) -> None:
    ana, bob = await sharing.ambassador("ana"), await sharing.ambassador("bob")
    shared = (await sharing.share(ana)).json()
    id = shared["id"]
    for _ in range(2):
        gone = await sharing.api.delete(f"/v1/posts/{id}", params={"held_seconds": 60}, headers=ana)
        assert gone.status_code == 204
    held = (await sharing.api.get(f"/v1/posts/{id}", headers=ana)).json()
    assert held["removed_at"] < held["restorable_until"]
    assert (await sharing.api.get("/v1/posts", headers=ana)).json()["items"] == []
    assert (await sharing.api.post(f"/v1/posts/{id}/restore", headers=bob)).status_code == 404
    for _ in range(2):
        assert (await sharing.api.post(f"/v1/posts/{id}/restore", headers=ana)).json() == shared
    await sharing.api.delete(f"/v1/posts/{id}", params={"held_seconds": 1}, headers=ana)

    async def removed() -> list[Any]:
        return [one.data for one in await sharing.harness.events("herald.posts") if isinstance(one.data, PostRemoved)]

    (told,) = await eventually(removed)
    post = (await sharing.api.get(f"/v1/posts/{id}", headers=ana)).json()
    assert (told.post_id, told.occurred_at) == (id, datetime.fromisoformat(post["removed_at"]))
    assert post["restorable_until"] is None
    late = await sharing.api.post(f"/v1/posts/{id}/restore", headers=ana)
    assert (late.status_code, late.json()["type"]) == (409, "removal-final")
    wrong = await sharing.api.delete(f"/v1/posts/{id}", params={"held_seconds": 61}, headers=ana)
    assert wrong.status_code == 422


async def test_i_am_told_which_items_i_shared(sharing: SharingHarness) -> None:
    ana, bob = await sharing.ambassador("ana"), await sharing.ambassador("bob")
    for network in ("x", "linkedin"):
        await sharing.share(ana, network=network)
    id = (await sharing.share(bob)).json()["id"]
    await sharing.api.delete(f"/v1/posts/{id}", headers=bob)
    asked = {"content_id": ["c1", "c2"]}
    found = (await sharing.api.get("/v1/shared-items", params=asked, headers=ana)).json()
    assert found == {"items": [{"content_id": "c1", "networks": ["linkedin", "x"]}]}
    assert (await sharing.api.get("/v1/shared-items", params=asked, headers=bob)).json() == {"items": []}
    assert (await sharing.api.get("/v1/shared-items", headers=ana)).status_code == 422


async def test_my_posts_come_in_pages_newest_first(sharing: SharingHarness) -> None:
    ana = await sharing.ambassador("ana")
    networks = ("linkedin", "x", "facebook", "whatsapp", "email", "device")
    ids = [(await sharing.share(ana, network=network)).json()["id"] for network in networks]
    seen: list[str] = []
    cursor: str | None = None
    while True:
        params: dict[str, str | int] = {"limit": 4} | ({"cursor": cursor} if cursor else {})
        page = (await sharing.api.get("/v1/posts", params=params, headers=ana)).json()
        seen += [post["id"] for post in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == ids[::-1]
    assert (await sharing.api.get("/v1/posts", params={"cursor": "zz"}, headers=ana)).status_code == 422


async def test_a_manager_sets_the_guardrails(sharing: SharingHarness) -> None:
    ana, eve = await sharing.ambassador("ana"), await sharing.ambassador("eve", "manager")
    where = "/v1/programs/p1/guardrails"
    assert (await sharing.api.get(where, headers=ana)).status_code == 403
    before = await sharing.api.get(where, headers=eve)
    assert before.headers["etag"] == '"1"'
    rules = {
        "disclosures": {"*": {"fr": "#Salarié"}},
        "forbidden": [{"phrase": "projet Aurore", "severity": "block", "suggestion": "notre projet"}],
    }
    assert (await sharing.api.put(where, json=rules, headers=eve)).status_code == 428
    changed = await sharing.api.put(where, json=rules, headers={**eve, "If-Match": '"1"'})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    assert (await sharing.api.put(where, json=rules, headers={**eve, "If-Match": '"1"'})).status_code == 412
    blocked = await sharing.share(ana, caption="Voici les PROJETS aurore")
    assert blocked.json()["findings"][0]["suggestion"] == "notre projet"
    assert "\n\n#Salarié\n" in (await sharing.share(ana)).json()["caption"]
    wrong = {"disclosures": {"FR": {"fr": "…"}}, "forbidden": [{"phrase": "…"}]}
    refused = await sharing.api.put(where, json=wrong, headers={**eve, "If-Match": '"2"'})
    assert {one["field"] for one in refused.json()["errors"]} == {
        "disclosures.*",
        "disclosures.FR.fr",
        "forbidden.0.phrase",
    }
    assert (await sharing.api.get("/v1/programs/none/guardrails", headers=eve)).status_code == 404


async def test_a_change_of_the_guardrails_is_undone_by_an_act_of_its_own(sharing: SharingHarness) -> None:
    ana, eve = await sharing.ambassador("ana"), await sharing.ambassador("eve", "manager")
    where = "/v1/programs/p1/guardrails"

    async def restored(version: int) -> tuple[int, str]:
        answer = await sharing.api.post(f"{where}/restore", headers={**eve, "If-Match": f'"{version}"'})
        problem = answer.json().get("type", "") if answer.is_error else ""
        return answer.status_code, problem.rpartition("/")[2]

    assert (await sharing.api.post(f"{where}/restore", headers=ana)).status_code == 403
    assert (await sharing.api.post(f"{where}/restore", headers=eve)).status_code == 428
    assert await restored(1) == (409, "nothing-before")
    rules = {"disclosures": {"*": {"fr": "#Salarié"}}, "forbidden": []}
    for version, text in ((1, "#Salarié"), (2, "#MaBoîte")):
        rules["disclosures"] = {"*": {"fr": text}}
        match = {"If-Match": f'"{version}"'}
        assert (await sharing.api.put(where, json=rules, headers={**eve, **match})).status_code == 200
    assert await restored(2) == (412, "stale-version")  # somebody changed them since
    assert await restored(3) == (200, "")
    assert "\n\n#Salarié\n" in (await sharing.share(ana)).json()["caption"]
    again = await sharing.api.post(f"{where}/restore", headers={**eve, "If-Match": '"4"'})
    assert (again.json()["version"], again.json()["disclosures"]) == (5, {"*": {"fr": "#MaBoîte"}})
    await sharing.service.runtime.mongo.db["guardrails"].update_one({}, {"$set": {"version": 7}})
    assert await restored(7) == (409, "nothing-before")  # as an older version of the service writes it


START = datetime(1990, 1, 1, tzinfo=UTC)
AT = (
    st.datetimes(timezones=st.just(UTC))
    | st.integers(0, 50 * 365).map(lambda days: START + timedelta(days))
    | st.integers(-2, 26).map(lambda hours: datetime.now(UTC) - timedelta(hours=hours))
)


async def test_what_is_taken_as_a_report_no_consumer_refuses(sharing: SharingHarness) -> None:
    id = (await sharing.share(await sharing.ambassador("ana"))).json()["id"]
    machine = sharing.harness.bearer("crm", client_id="crm", scope="herald:engagements:write")
    loop, answers = asyncio.get_running_loop(), Counter[int]()

    @settings(max_examples=examples(20), deadline=None, suppress_health_check=list(HealthCheck))
    @given(at=AT, kind=st.sampled_from(("like", "comment", "repost", "impression")))
    def report(at: datetime, kind: str) -> None:
        one = {"post_id": id, "kind": kind, "quantity": 1, "occurred_at": at.isoformat(), "external_id": new_id()}
        call = sharing.api.post("/v1/engagements", json={"items": [one]}, headers=machine)
        answers[asyncio.run_coroutine_threadsafe(call, loop).result(30).status_code] += 1

    await asyncio.to_thread(report)
    assert answers.keys() == {200, 422}
    taken = [received(event) for event in await sharing.engagements(answers[200])]
    async with consumers(sharing.harness.infra, f"{sharing.harness.namespace}-others") as applied:
        for one in applied.values():
            await one.take(taken)


async def test_other_systems_report_engagement_once(sharing: SharingHarness) -> None:
    ana = await sharing.ambassador("ana")
    id = (await sharing.share(ana)).json()["id"]
    machine = sharing.harness.bearer("crm", client_id="crm", scope="herald:engagements:write")
    report = {
        "post_id": id,
        "kind": "like",
        "quantity": 3,
        "occurred_at": datetime.now(UTC).isoformat(),
        "external_id": "r1",
    }
    first = await sharing.api.post("/v1/engagements", json={"items": [report, report]}, headers=machine)
    assert (first.status_code, first.json()) == (200, {"accepted": 1, "repeated": 1})
    bad = {**report, "external_id": "r2", "post_id": "nope"}
    refused = await sharing.api.post(
        "/v1/engagements", json={"items": [{**report, "quantity": 4}, bad]}, headers=machine
    )
    assert {(one["field"], one["rule"]) for one in refused.json()["errors"]} == {
        ("items.0.external_id", "reused"),
        ("items.1.post_id", "unknown"),
    }
    assert (await sharing.api.post("/v1/engagements", json={"items": [report]}, headers=ana)).status_code == 403
    (event,) = await sharing.engagements(1)
    assert (event.kind, event.quantity, event.verdict) == ("like", 3, "counted")
    assert (await sharing.api.get(f"/v1/posts/{id}", headers=ana)).json()["engagements"] == {"like": 3}


@pytest.mark.parametrize(
    ("moment", "rule"),
    [
        ("0001-01-01T00:00:00Z", "too-old"),
        ("9999-12-31T23:59:59Z", "future"),
        (timedelta(days=-91), "too-old"),
        (timedelta(days=-2), "before-post"),
        (timedelta(hours=1), "future"),
        (1_700_000_000, "rfc3339"),
        ("1700000000", "rfc3339"),
        ("2026-11-20", "rfc3339"),
        ("2026-11-20T10:00:00", "rfc3339"),
        ("2026-11-20 10:00:00Z", "rfc3339"),
        (timedelta(hours=-23), None),
        (timedelta(0), None),
    ],
)
async def test_reports_of_a_time_that_no_consumer_takes_are_refused_at_the_door(
    sharing: SharingHarness, moment: Any, rule: str | None
) -> None:
    ana = await sharing.ambassador("ana")
    id = (await sharing.share(ana)).json()["id"]
    machine = sharing.harness.bearer("crm", client_id="crm", scope="herald:engagements:write")
    at = (datetime.now(UTC) + moment).isoformat() if isinstance(moment, timedelta) else moment
    report = {"post_id": id, "kind": "like", "quantity": 1, "occurred_at": at, "external_id": "r1"}
    answer = await sharing.api.post("/v1/engagements", json={"items": [report]}, headers=machine)
    if rule is None:
        assert answer.json() == {"accepted": 1, "repeated": 0}
        return
    assert answer.status_code == 422
    assert [(one["field"], one["rule"]) for one in answer.json()["errors"]] == [("items.0.occurred_at", rule)]
    assert (await sharing.api.get(f"/v1/posts/{id}", headers=ana)).json()["engagements"] == {}


async def test_reports_are_forgotten_when_none_of_their_age_would_be_taken(sharing: SharingHarness) -> None:
    indexes = await sharing.service.runtime.mongo.db["reports"].index_information()
    assert indexes["at_1"]["expireAfterSeconds"] > REPORTED_WITHIN.total_seconds() + CLOCKS_DIFFER.total_seconds()
