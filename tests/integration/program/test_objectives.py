"""Objectives of a programme on real servers: several at once, under their versions, to their review."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from herald_contracts import ObjectiveReviewed, ObjectiveSet
from services.program.domain.objectives import MAX_OPEN
from tests.integration.program.conftest import OBJECTIVE, ProgramHarness

PAST = {**OBJECTIVE, "starts_on": "2025-01-01", "ends_on": "2025-03-31"}


async def test_objectives_from_setting_to_review(program: ProgramHarness) -> None:
    ada = await program.sign_in("ada")
    await program.sign_in("bob")
    path = f"/programs/{await program.create_program()}/objectives"
    await program.forget()
    one = await program.call("max", "POST", path, {**PAST, "owner_id": ada, "title": "Half of us"})
    assert (one.status_code, one.headers["etag"]) == (201, '"1"')
    other = await program.ok("max", "POST", path, {**OBJECTIVE, "kpi": "shares", "target": 900, "items": ["i1", "i1"]})
    assert other["items"] == ["i1"]
    listed = await program.ok("max", "GET", path, params={"limit": 1})
    assert [found["id"] for found in listed["items"]] == [one.json()["id"]]
    listed = await program.ok("max", "GET", path, params={"limit": 1, "cursor": listed["next"]})
    assert ([found["id"] for found in listed["items"]], listed["next"]) == ([other["id"]], None)

    mine, theirs = f"{path}/{one.json()['id']}", f"{path}/{other['id']}"
    assert await program.refused("max", "PUT", theirs, OBJECTIVE) == (428, "precondition-required")
    changed = await program.call("max", "PUT", theirs, OBJECTIVE, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    assert await program.refused("max", "PUT", theirs, OBJECTIVE, headers={"If-Match": '"1"'}) == (412, "stale-version")
    learned = {"learned": "Ask earlier."}
    assert await program.refused("bob", "POST", f"{mine}/review", learned) == (403, "role-missing")
    assert await program.refused("max", "POST", f"{theirs}/review", {"learned": " "}) == (422, "invalid")
    reviewed = await program.ok("ada", "POST", f"{mine}/review", learned)
    assert (reviewed["state"], reviewed["learned"], reviewed["reviewed_by"]) == ("reviewed", "Ask earlier.", ada)
    closed = (409, "objective-closed")
    assert await program.refused("max", "PUT", mine, PAST, headers={"If-Match": "*"}) == closed
    assert await program.refused("max", "POST", f"{mine}/withdraw") == closed
    for act, state in (("withdraw", "withdrawn"), ("reopen", "open")):
        for _ in range(2):
            assert (await program.ok("max", "POST", f"{theirs}/{act}"))["state"] == state
    open_ones = await program.ok("max", "GET", path, params={"state": "open"})
    assert [found["id"] for found in open_ones["items"]] == [other["id"]]
    events = [event.data for event in await program.emitted()]
    told = [(one.objective_id, one.revision, one.state) for one in events if isinstance(one, ObjectiveSet)]
    first, second = one.json()["id"], other["id"]
    assert told == [
        (first, 1, "open"), (second, 1, "open"), (second, 2, "open"), (first, 2, "reviewed"), (second, 3, "withdrawn"),
        (second, 4, "open"),
    ]  # fmt: skip
    [review] = [one for one in events if isinstance(one, ObjectiveReviewed)]
    assert (review.objective_id, review.revision, review.person_id) == (first, 2, ada)


async def test_no_more_are_open_than_can_be(program: ProgramHarness) -> None:
    path = f"/programs/{await program.create_program()}/objectives"
    key = {"Idempotency-Key": "the form"}
    twice = [await program.ok("max", "POST", path, PAST, headers=key) for _ in range(2)]
    assert twice[0]["id"] == twice[1]["id"]
    for _ in range(MAX_OPEN - 2):
        await program.ok("max", "POST", path, PAST)
    last = await program.ok("max", "POST", path, PAST)
    too_many = (422, "too-many-objectives")
    assert await program.refused("max", "POST", path, PAST) == too_many
    await program.ok("max", "POST", f"{path}/{last['id']}/withdraw")
    await program.ok("max", "POST", path, PAST)
    assert await program.refused("max", "POST", f"{path}/{last['id']}/reopen") == too_many


async def test_the_one_objective_of_before_is_read_and_changed_where_it_is(program: ProgramHarness) -> None:
    id = await program.create_program()
    db = program.service.runtime.mongo.db
    old = {**OBJECTIVE, "_id": id, "id": "old", "program_id": id, "version": 3, "updated_at": datetime.now(UTC)}
    await db["objectives"].insert_one(old)
    path = f"/programs/{id}/objectives"
    further = await program.ok("max", "POST", path, {**OBJECTIVE, "ends_on": "2026-12-31"})
    listed = await program.ok("max", "GET", path, params={"state": "open"})
    assert [one["id"] for one in listed["items"]] == ["old", further["id"]]
    changes = [
        program.call("max", "PUT", f"{path}/old", {**OBJECTIVE, "target": 0.4 + n / 10}, headers={"If-Match": '"3"'})
        for n in range(3)
    ]
    assert sorted(one.status_code for one in await asyncio.gather(*changes)) == [200, 412, 412]
    assert (await program.ok("max", "GET", f"{path}/old"))["version"] == 4
    assert await db["objectives"].count_documents({"_id": id, "version": 4}) == 1
    assert await db["objectives"].count_documents({}) == 2
    assert await program.refused("max", "GET", "/programs/none/objectives/old") == (404, "not-found")


async def test_objectives_and_surveys_are_found_by_words_and_counted(program: ProgramHarness) -> None:
    path = f"/programs/{await program.create_program()}"
    ids = {}
    for title in ("Été des équipes", "Spring in Lyon", ""):
        ids[title] = (await program.ok("max", "POST", f"{path}/objectives", {**OBJECTIVE, "title": title}))["id"]
    days = {"opens_on": "2126-03-02", "closes_on": "2126-03-13"}
    for title in ("Pulse of spring", "Pulse of autumn"):
        ids[title] = (await program.ok("max", "POST", f"{path}/surveys", {"title": title, **days}))["id"]

    async def found(kind: str, query: str, **more: str) -> tuple[list[str], int]:
        answer = await program.ok("max", "GET", f"{path}/{kind}", params={"query": query, **more})
        return [one["id"] for one in answer["items"]], answer["total"]

    assert await found("objectives", "equipe ETE") == ([ids["Été des équipes"]], 1)
    assert await found("objectives", "equipe spring") == ([], 0)
    assert await found("objectives", "?!") == ([], 0)
    everything, total = await found("objectives", "", limit="2")
    assert (len(everything), total) == (2, 3)
    assert await found("surveys", "spr") == ([ids["Pulse of spring"]], 1)
    assert (await found("surveys", "pulse"))[1] == 2
    wanted = {"title": "Summer in Lyon"}
    await program.ok(
        "max", "PUT", f"{path}/objectives/{ids['Spring in Lyon']}", {**OBJECTIVE, **wanted}, headers={"If-Match": "*"}
    )
    assert await found("objectives", "summer") == ([ids["Spring in Lyon"]], 1)
    assert (await found("objectives", "spring"))[1] == 0


async def test_what_was_kept_before_it_could_be_searched_is_found(program: ProgramHarness) -> None:
    path = f"/programs/{await program.create_program()}"
    id = (await program.ok("max", "POST", f"{path}/objectives", {**OBJECTIVE, "title": "Harvest"}))["id"]
    await program.service.runtime.mongo.db["objectives"].update_one({"_id": id}, {"$unset": {"terms": 1}})
    await program.service.ensure_indexes()
    assert (await program.ok("max", "GET", f"{path}/objectives", params={"query": "harv"}))["total"] == 1
