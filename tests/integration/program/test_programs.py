"""Programmes from their creation to acknowledged guidelines, on real servers."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from herald_contracts import (
    AmbassadorInvited,
    AmbassadorJoined,
    AmbassadorLeft,
    GuidelineAcknowledged,
    GuidelinePublished,
    ObjectiveSet,
    PersonUpdated,
    ProgramCreated,
)
from tests.integration.harness import Harness, eventually
from tests.integration.program.conftest import CONSENT, GUIDELINES, OBJECTIVE, ProgramHarness


async def test_the_main_job_from_programme_to_acknowledged_guidelines(
    harness: Harness, program: ProgramHarness
) -> None:
    """What everything else stands on, with each event on Kafka under its key."""
    async with harness.worker(program.service):
        ada = await program.sign_in("ada")
        program_id = await program.create_program()
        path = f"/programs/{program_id}"
        await program.ok("max", "POST", f"{path}/guidelines", {"texts": GUIDELINES, "material": True})
        await program.ok("max", "POST", f"{path}/objectives", OBJECTIVE)
        assert (await program.invite(program_id, "ada"))["invited"] == 1
        [invitation] = (await program.ok("ada", "GET", "/me/invitations"))["items"]
        assert (invitation["program_id"], invitation["program_name"]) == (program_id, "Voices")
        consent = await program.ok("ada", "GET", f"{path}/consent", params={"language": "fr-CA"})
        assert (consent["language"], consent["text"], consent["version"]) == ("fr", CONSENT["fr"], 1)
        me = await program.ok("ada", "POST", f"{path}/join", {"consent_version": 1})
        assert me["roles"] == ["ambassador"]
        assert me["programs"][0]["must_acknowledge"] is True
        me = await program.ok("ada", "POST", f"{path}/guidelines/1/acknowledge")
        assert (me["programs"][0]["acknowledged_version"], me["programs"][0]["must_acknowledge"]) == (1, False)
        assert me["invitations"] == []

        of_program = await eventually(lambda: harness.events("herald.program"), until=lambda found: len(found) == 4)
        of_people = await eventually(
            lambda: harness.events("herald.people"),
            until=lambda found: len([e for e in found if e.partitionkey == ada]) == 4,
        )
    assert [type(event.data) for event in of_program] == [
        ProgramCreated,
        GuidelinePublished,
        ObjectiveSet,
        GuidelineAcknowledged,
    ]
    assert {event.partitionkey for event in of_program} == {program_id}
    mine = [event.data for event in of_people if event.partitionkey == ada][1:]
    assert [type(one) for one in mine] == [AmbassadorInvited, AmbassadorJoined, PersonUpdated]
    assert isinstance(mine[0], AmbassadorInvited)
    assert mine[0].invitation_id == invitation["invitation_id"]
    assert isinstance(mine[1], AmbassadorJoined)
    assert (mine[1].program_id, mine[1].consent_version) == (program_id, 1)
    assert isinstance(mine[2], PersonUpdated)
    assert mine[2].roles == ["ambassador"]
    record = await program.service.runtime.mongo.db["consents"].find_one({"person_id": ada})
    assert record is not None
    assert (record["program_id"], record["version"]) == (program_id, 1)


async def test_two_joins_at_once_are_one(program: ProgramHarness) -> None:
    await program.sign_in("ada")
    program_id = await program.create_program()
    await program.invite(program_id, "ada")
    await program.forget()
    path = f"/programs/{program_id}/join"
    answers = await asyncio.gather(*(program.call("ada", "POST", path, {"consent_version": 1}) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert await program.emitted_types() == ["AmbassadorJoined", "PersonUpdated"]
    assert await program.service.runtime.mongo.db["consents"].count_documents({}) == 1


async def test_joining_and_declining_at_once_is_one_of_both(program: ProgramHarness) -> None:
    await program.sign_in("ada")
    program_id = await program.create_program()
    await program.invite(program_id, "ada")
    await program.forget()
    join, decline = await asyncio.gather(
        program.call("ada", "POST", f"/programs/{program_id}/join", {"consent_version": 1}),
        program.call("ada", "POST", f"/programs/{program_id}/decline"),
    )
    status = (await program.ok("ada", "GET", "/me"))["programs"][0]["status"]
    joined = status == "joined"
    assert (join.is_success, decline.is_success) == (joined, not joined)
    assert (await program.emitted_types() == []) == (not joined)


async def test_nobody_is_enrolled_and_who_declined_is_left_alone(program: ProgramHarness) -> None:
    for who in ("ada", "bob", "eve", "gil"):
        await program.sign_in(who)
    program_id = await program.create_program()
    assert await program.refused("ada", "POST", f"/programs/{program_id}/join", {"consent_version": 1}) == (
        403,
        "not-invited",
    )
    assert await program.refused("ada", "POST", f"/programs/{program_id}/decline") == (409, "not-invited")
    assert await program.refused("ada", "POST", f"/programs/{program_id}/leave") == (409, "not-a-member")
    await program.invite(program_id, "ada", "bob")
    await program.ok("ada", "POST", f"/programs/{program_id}/decline")
    await program.ok("bob", "POST", f"/programs/{program_id}/join", {"consent_version": 1})
    await program.ok("root", "POST", f"/people/{program.ids['gil']}/deactivate")
    await program.forget()
    people = [*program.ids.values(), "nobody", "nobody"]
    found = await program.ok("max", "POST", f"/programs/{program_id}/invitations", {"people": people})
    assert found["invited"] == 3
    assert found["skipped"] == {"declined": 1, "already_joined": 1, "inactive": 1, "unknown": 1}
    assert await program.emitted_types() == ["AmbassadorInvited"] * 3
    listed = await program.ok("max", "GET", f"/programs/{program_id}/ambassadors", params={"status": "joined"})
    assert listed["counts"] == {"invited": 3, "joined": 1, "declined": 1, "left": 0, "applied": 0, "rejected": 0}
    assert [(one["person_id"], one["name"]) for one in listed["items"]] == [(program.ids["bob"], "Bob")]
    of_status = await program.ok("max", "GET", "/people", params={"program_id": program_id, "status": "declined"})
    assert [one["name"] for one in of_status["items"]] == ["Ada"]


async def test_a_segment_is_invited_up_to_a_limit_without_asking_anybody_twice(program: ProgramHarness) -> None:
    rows = "".join(
        f"p{n}@x.example,P{n},{'FR' if n % 2 else 'DE'},T{n % 4},{'yes' if n % 10 == 1 else 'no'}\n" for n in range(40)
    )
    preview = (await program.upload(f"email,name,country,team,leader\n{rows}")).json()
    await program.ok("max", "POST", f"/imports/{preview['id']}/confirm")
    program_id = await program.create_program()
    path = f"/programs/{program_id}/invitations"
    await program.forget()
    first = await program.ok("max", "POST", path, {"segment": {"countries": ["FR"], "leaders_only": True}})
    assert (first["invited"], first["remaining"], first["skipped"]) == (4, 0, {})
    order = {"segment": {"countries": ["fr"], "teams": ["T1"]}, "limit": 3}
    second = await program.ok("max", "POST", path, order)
    assert (second["invited"], second["remaining"], second["skipped"]) == (3, 5, {"already_invited": 2})
    third = await program.ok("max", "POST", path, {**order, "limit": 100})
    assert (third["invited"], third["remaining"], third["skipped"]) == (5, 0, {"already_invited": 5})
    told = Counter(event.partitionkey for event in await program.emitted())
    assert set(told.values()) == {1}
    assert len(told) == 12


async def test_a_dry_run_tells_whom_an_invitation_would_reach_and_reaches_nobody(program: ProgramHarness) -> None:
    for who in ("ada", "bob", "eve"):
        await program.sign_in(who)
    program_id = await program.create_program()
    await program.invite(program_id, "eve")
    await program.forget()
    path = f"/programs/{program_id}/invitations"
    for order in ({"people": [*program.ids.values(), "nobody"]}, {"segment": {"everybody": True}}):
        told = await program.ok("max", "POST", path, {**order, "dry_run": True})
        assert told["batch_id"] is None
        assert {"Ada", "Bob"} <= {one["name"] for one in told["people"]}
        assert told["skipped"]["already_invited"] == 1
        assert told["invited"] == len(told["people"])
    assert await program.emitted() == []
    listed = await program.ok("max", "GET", f"/programs/{program_id}/ambassadors")
    assert listed["counts"]["invited"] == 1


async def test_invitations_are_withdrawn_together_or_one_by_one_as_far_as_nobody_answered(
    program: ProgramHarness,
) -> None:
    for who in ("ada", "bob", "eve"):
        await program.sign_in(who)
    program_id = await program.create_program()
    path = f"/programs/{program_id}"
    invited = await program.invite(program_id, "ada", "bob", "eve")
    await program.ok("eve", "POST", f"{path}/join", {"consent_version": 1})
    await program.forget()
    one = f"{path}/ambassadors/{program.ids['ada']}/withdraw"
    assert await program.ok("max", "POST", one) == {"withdrawn": 1, "answered": 0}
    assert await program.refused("max", "POST", one) == (409, "not-invited")
    batch = f"{path}/invitations/{invited['batch_id']}/withdraw"
    assert await program.ok("max", "POST", batch) == {"withdrawn": 1, "answered": 1}
    assert await program.refused("max", "POST", batch.replace(invited["batch_id"], "other")) == (404, "not-found")
    assert await program.emitted_types() == ["AmbassadorInvitationWithdrawn"] * 2
    assert await program.refused("ada", "POST", f"{path}/join", {"consent_version": 1}) == (403, "not-invited")
    assert (await program.ok("eve", "GET", "/me"))["programs"][0]["status"] == "joined"
    again = await program.ok("max", "POST", f"{path}/invitations", {"segment": {"everybody": True}})
    assert again["invited"] >= 2, "who was withdrawn may be invited again, by a segment too"


async def test_who_declined_may_take_that_back(program: ProgramHarness) -> None:
    await program.sign_in("ada")
    path = f"/programs/{await program.create_program()}"
    assert await program.refused("ada", "POST", f"{path}/reconsider") == (409, "not-declined")
    await program.invite(path.rpartition("/")[2], "ada")
    await program.ok("ada", "POST", f"{path}/decline")
    for _ in range(2):
        me = await program.ok("ada", "POST", f"{path}/reconsider")
        assert me["programs"][0]["status"] == "invited"
    await program.ok("ada", "POST", f"{path}/join", {"consent_version": 1})


async def test_an_audience_is_counted_among_ambassadors_whatever_a_team_s_spelling(program: ProgramHarness) -> None:
    rows = "".join(f"p{n}@x.example,P{n},{'FR' if n % 2 else 'DE'},Sales {n % 2},Site {n % 3}\n" for n in range(6))
    preview = (await program.upload(f"email,name,country,team,site\n{rows}")).json()
    await program.ok("max", "POST", f"/imports/{preview['id']}/confirm")
    for who in ("p1", "p2", "p3"):
        await program.sign_in(who, email=f"{who}@x.example")
    program_id = await program.create_program(open=True)
    for who in ("p1", "p2", "p3"):
        await program.ok(who, "POST", f"/programs/{program_id}/join", {"consent_version": 1})
    path = f"/programs/{program_id}/audience"
    for group, count in (
        ({}, 3),
        ({"countries": ["FR"]}, 2),
        ({"teams": ["SALES  0"]}, 1),
        ({"teams": ["x"]}, 0),
        ({"sites": ["Site 0", "Site 1"]}, 2),
        ({"sites": ["Site 0"], "countries": ["DE"]}, 0),
    ):
        assert await program.ok("max", "POST", path, group) == {"ambassadors": count}


async def test_an_open_programme_is_joined_freely_and_left_at_any_time(program: ProgramHarness) -> None:
    await program.sign_in("ada")
    program_id = await program.create_program()
    etag = (await program.call("max", "GET", f"/programs/{program_id}")).headers["etag"]
    stale = await program.refused(
        "max", "PATCH", f"/programs/{program_id}", {"open": True}, headers={"If-Match": '"9"'}
    )
    assert stale == (412, "stale-version")
    await program.ok("max", "PATCH", f"/programs/{program_id}", {"open": True}, headers={"If-Match": etag})
    await program.forget()
    await program.ok("ada", "POST", f"/programs/{program_id}/join", {"consent_version": 1})
    me = await program.ok("ada", "POST", f"/programs/{program_id}/leave")
    assert (me["roles"], me["programs"][0]["status"]) == ([], "left")
    await program.ok("ada", "POST", f"/programs/{program_id}/leave")
    events = [event.data for event in await program.emitted()]
    assert [type(one) for one in events] == [AmbassadorJoined, PersonUpdated, AmbassadorLeft, PersonUpdated]
    assert isinstance(events[2], AmbassadorLeft)
    assert events[2].reason == "left"
    await program.ok("ada", "POST", f"/programs/{program_id}/join", {"consent_version": 1})
    assert (await program.ok("ada", "GET", "/me"))["roles"] == ["ambassador"]


async def test_an_ambassador_takes_a_break_and_comes_back_even_after_leaving(program: ProgramHarness) -> None:
    await program.sign_in("ada")
    program_id = await program.create_program(open=True)
    await program.ok("ada", "POST", f"/programs/{program_id}/join", {"consent_version": 1})
    etag = (await program.call("max", "GET", f"/programs/{program_id}")).headers["etag"]
    await program.ok("max", "PATCH", f"/programs/{program_id}", {"open": False}, headers={"If-Match": etag})
    await program.forget()
    for act in ("pause", "pause", "resume", "pause", "leave"):
        me = await program.ok("ada", "POST", f"/programs/{program_id}/{act}")
        assert bool(me["programs"][0]["paused_since"]) is (act == "pause")
        assert me["roles"] == ([] if act == "leave" else ["ambassador"])
    assert await program.refused("ada", "POST", f"/programs/{program_id}/pause") == (409, "not-a-member")
    told = ["AmbassadorPaused", "AmbassadorResumed", "AmbassadorPaused", "AmbassadorLeft", "PersonUpdated"]
    assert await program.emitted_types() == told
    back = await program.ok("ada", "POST", f"/programs/{program_id}/join", {"consent_version": 1})
    assert back["programs"][0]["status"] == "joined"


async def test_an_ambassador_of_two_programmes_stays_one_when_leaving_one(program: ProgramHarness) -> None:
    await program.sign_in("ada")
    one, other = await program.create_program(open=True), await program.create_program(open=True, name="Second")
    for program_id in (one, other):
        await program.ok("ada", "POST", f"/programs/{program_id}/join", {"consent_version": 1})
    await program.forget()
    me = await program.ok("ada", "POST", f"/programs/{one}/leave")
    assert me["roles"] == ["ambassador"]
    assert await program.emitted_types() == ["AmbassadorLeft"]


async def test_a_consent_has_versions(program: ProgramHarness) -> None:
    await program.sign_in("ada")
    program_id = await program.create_program(open=True)
    published = await program.call(
        "max", "POST", f"/programs/{program_id}/consent", {"texts": {"fr": "Deux", "en": "Two"}}
    )
    assert (published.status_code, published.json()["version"]) == (201, 2)
    answer = await program.call("ada", "POST", f"/programs/{program_id}/join", {"consent_version": 1})
    assert (answer.status_code, answer.json()["type"], answer.json()["current"]) == (409, "consent-outdated", 2)
    await program.ok("ada", "POST", f"/programs/{program_id}/join", {"consent_version": 2})
    await program.forget()
    await program.ok("max", "POST", f"/programs/{program_id}/consent", {"texts": {"fr": "Trois", "en": "Three"}})
    me = await program.ok("ada", "POST", f"/programs/{program_id}/join", {"consent_version": 3})
    assert (me["programs"][0]["status"], me["programs"][0]["consent_version"]) == ("joined", 3)
    assert await program.emitted() == []
    accepted = await program.service.runtime.mongo.db["consents"].distinct("version", {"person_id": program.ids["ada"]})
    assert accepted == [2, 3]
    text = await program.ok("ada", "GET", f"/programs/{program_id}/consent", params={"language": "ja"})
    assert (text["language"], text["text"], text["languages"]) == ("fr", "Trois", ["fr", "en"])


async def test_guidelines_have_versions_and_are_acknowledged_by_ambassadors(program: ProgramHarness) -> None:
    await program.sign_in("ada")
    program_id = await program.create_program(open=True)
    path = f"/programs/{program_id}/guidelines"
    assert await program.refused("ada", "GET", path) == (404, "not-found")
    first = await program.ok("max", "POST", path, {"texts": GUIDELINES, "material": False})
    assert (first["version"], first["material"]) == (1, True)
    assert await program.refused("ada", "POST", f"{path}/1/acknowledge") == (409, "not-a-member")
    await program.ok("ada", "POST", f"/programs/{program_id}/join", {"consent_version": 1})
    assert await program.refused("ada", "POST", f"{path}/2/acknowledge") == (404, "not-found")
    await program.forget()
    for _ in range(2):
        await program.ok("ada", "POST", f"{path}/1/acknowledge")
    assert await program.emitted_types() == ["GuidelineAcknowledged"]
    await program.ok("max", "POST", path, {"texts": GUIDELINES, "material": False})
    assert (await program.ok("ada", "GET", "/me"))["programs"][0]["must_acknowledge"] is False
    await program.ok("max", "POST", path, {"texts": GUIDELINES, "material": True})
    standing = (await program.ok("ada", "GET", "/me"))["programs"][0]
    assert (standing["guidelines_version"], standing["acknowledged_version"]) == (3, 1)
    assert standing["must_acknowledge"] is True
    answer = await program.call("ada", "POST", f"{path}/2/acknowledge")
    assert (answer.status_code, answer.json()["type"], answer.json()["current"]) == (409, "guidelines-superseded", 3)
    english = await program.ok("ada", "GET", path, params={"language": "en-US"})
    assert (english["version"], english["text"]) == (3, GUIDELINES["en"])


async def test_guidelines_published_at_once_have_each_their_version(program: ProgramHarness) -> None:
    program_id = await program.create_program()
    path = f"/programs/{program_id}/guidelines"
    answers = await asyncio.gather(*(program.ok("max", "POST", path, {"texts": GUIDELINES}) for _ in range(5)))
    assert sorted(answer["version"] for answer in answers) == [1, 2, 3, 4, 5]


async def test_programmes_are_listed_page_by_page(program: ProgramHarness) -> None:
    ids = [await program.create_program(name=f"P{n}") for n in range(5)]
    first = await program.ok("max", "GET", "/programs", params={"limit": 3})
    second = await program.ok("max", "GET", "/programs", params={"limit": 3, "cursor": first["next"]})
    assert [one["id"] for one in first["items"] + second["items"]] == ids
    assert second["next"] is None


NEW = {"name": "Voices", "time_zone": "Europe/Paris", "languages": ["fr", "en"], "consent": CONSENT}


BAD: list[tuple[str, str, Any, str, str]] = [
    ("POST", "/programs", {**NEW, "time_zone": "Europe/Atlantis"}, "time_zone", "time-zone"),
    ("POST", "/programs", {**NEW, "time_zone": "../../etc/passwd"}, "time_zone", "time-zone"),
    ("POST", "/programs", {**NEW, "name": " "}, "name", "required"),
    ("POST", "/programs", {**NEW, "name": "A" * 201}, "name", "too-long"),
    ("POST", "/programs", {**NEW, "more": 1}, "more", "unknown-field"),
    ("POST", "/programs", {**NEW, "consent": {"fr": "Oui"}}, "consent.en", "language-missing"),
    ("POST", "/programs", {**NEW, "consent": {**CONSENT, "de": "Ja"}}, "consent.de", "language-unknown"),
    ("POST", "/programs", {**NEW, "consent": {"fr": "  ", "en": "x"}}, "consent.fr", "blank"),
    ("POST", "/programs", {**NEW, "languages": []}, "languages", "required"),
    ("POST", "{p}/objectives", {**OBJECTIVE, "kpi": "likes"}, "kpi", "one-of"),
    ("POST", "{p}/objectives", {**OBJECTIVE, "owner_id": "nobody"}, "owner_id", "unknown"),
    ("POST", "{p}/objectives", {**OBJECTIVE, "items": ["a b"]}, "items.0", "id"),
    ("POST", "{p}/objectives", {**OBJECTIVE, "title": "x" * 121}, "title", "too-long"),
    ("POST", "{p}/objectives", {**OBJECTIVE, "target": 3}, "target", "above-one"),
    ("POST", "{p}/objectives", {**OBJECTIVE, "target": "NaN"}, "target", "number"),
    ("POST", "{p}/objectives", {**OBJECTIVE, "ends_on": "2026-01-01"}, "ends_on", "before-start"),
    ("POST", "{p}/objectives", {**OBJECTIVE, "ends_on": "tomorrow"}, "ends_on", "day"),
    ("POST", "{p}/guidelines", {"texts": {"fr": "x" * 20_001, "en": "x"}}, "texts.fr", "too-long"),
    ("POST", "{p}/invitations", {}, "body", "people-or-segment"),
    ("POST", "{p}/invitations", {"people": ["a"], "segment": {"everybody": True}}, "body", "people-or-segment"),
    ("POST", "{p}/invitations", {"people": []}, "people", "required"),
    ("POST", "{p}/invitations", {"segment": {}}, "segment", "empty-segment"),
    ("POST", "{p}/invitations", {"segment": {"everybody": True, "teams": ["T1"]}}, "segment", "empty-segment"),
    ("POST", "{p}/invitations", {"segment": {"leaders_only": "no"}}, "segment.leaders_only", "boolean"),
    ("POST", "{p}/invitations", {"segment": {"countries": ["XX"]}}, "segment.countries.0", "country"),
    ("POST", "{p}/join", {"consent_version": 0}, "consent_version", "at-least"),
    ("POST", "{p}/guidelines/x/acknowledge", None, "version", "whole-number"),
    ("GET", "/people?limit=0", None, "limit", "at-least"),
    ("GET", "/people?cursor=%00", None, "cursor", "format"),
    ("GET", "/people?cursor=WzFd", None, "cursor", "format"),
    ("GET", "/programs?cursor=e30", None, "cursor", "format"),
    ("PATCH", "/me", {"locale": "no language"}, "locale", "locale"),
]


async def test_bad_input_names_field_and_rule_and_changes_nothing(program: ProgramHarness) -> None:
    program_id = await program.create_program()
    before = await program.state()
    for method, path, body, field, rule in BAD:
        answer = await program.call("max", method, path.format(p=f"/programs/{program_id}"), body)
        problem = answer.json()
        assert (answer.status_code, problem["type"]) == (422, "invalid"), (method, path, body, problem)
        assert (field, rule) in [(error["field"], error["rule"]) for error in problem["errors"]], problem["errors"]
    assert await program.state() == before


MISSING: list[tuple[str, str, Any]] = [
    ("GET", "/programs/none", None),
    ("GET", "/programs/none/consent", None),
    ("GET", "/programs/none/guidelines", None),
    ("GET", "/programs/none/objectives", None),
    ("GET", "/programs/none/ambassadors", None),
    ("POST", "/programs/none/join", {"consent_version": 1}),
    ("POST", "/programs/none/decline", None),
    ("POST", "/programs/none/leave", None),
    ("POST", "/programs/none/guidelines/1/acknowledge", None),
    ("POST", "/programs/none/guidelines", {"texts": GUIDELINES}),
    ("POST", "/programs/none/consent", {"texts": CONSENT}),
    ("POST", "/programs/none/invitations", {"people": ["x"]}),
    ("POST", "/programs/none/objectives", OBJECTIVE),
    ("GET", "/people/none", None),
    ("GET", "/people/%00%F0%9F%98%80", None),
    ("GET", "/nothing", None),
]


async def test_what_does_not_exist_is_not_found(program: ProgramHarness) -> None:
    before = await program.state()
    for method, path, body in MISSING:
        assert await program.refused("max", method, path, body) == (404, "not-found"), (method, path)
    assert await program.state() == before


async def test_names_and_texts_of_the_world_are_kept_without_what_nobody_sees(program: ProgramHarness) -> None:
    texts = {"fr": "Voilà 👩🏽‍💻", "en": "- مرحبا\n  - نامه‌ای and back"}
    written = {**texts, "en": texts["en"].replace(" and", "\u202e and\u200b").replace("\n", "\r\n")}
    program_id = await program.create_program(name=" Ambassadrices\u00a0🚀\u202e", consent=written)
    assert (await program.ok("max", "GET", f"/programs/{program_id}"))["name"] == "Ambassadrices 🚀"
    text = await program.ok("max", "GET", f"/programs/{program_id}/consent", params={"language": "en"})
    assert text["text"] == texts["en"]
