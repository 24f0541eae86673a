"""Setting a programme up on real servers: the steps, the three templates, the mix, and the team's tasks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from herald_contracts import LessonPublished, LessonRetired, ObjectiveSet
from services.program.domain.templates import Scale, targets, title_of
from services.program.templates import load_templates
from tests.integration.program.conftest import GUIDELINES, ProgramHarness

TASK = {"title": "Write", "kind": "content", "due_on": "2026-03-10"}


async def test_each_template_sets_what_is_missing_once_and_says_so_before(program: ProgramHarness) -> None:
    for template in load_templates():
        id = await program.create_program()
        at = f"/programs/{id}/templates/{template.name}"
        await program.forget()
        before = await program.state()
        planned = await program.ok("max", "GET", at, params={"language": "fr-CA"})
        assert await program.state() == before, "a plan writes nothing"
        applied = await program.ok("max", "POST", f"{at}/apply", {"language": "fr-CA"})
        assert applied["pieces"] == planned["pieces"]
        assert {one["outcome"] for one in applied["pieces"]} == {"set"}
        assert {one["part"] for one in applied["pieces"]} == {"objective", "mix", "lesson", "path", "task"}
        assert applied["template"]["rules"]
        objectives = (await program.ok("max", "GET", f"/programs/{id}/objectives"))["items"]
        assert applied["scale"]["expected"] == "least", "hardly anybody is known"
        small = Scale(10, applied["scale"]["written_for"], "least", 1, 0)
        assert {one["title"]: one["target"] for one in objectives} == {
            title_of(one, targets(one, small)[1], "fr"): targets(one, small)[1] for one in template.objectives
        }
        tasks = await program.ok("max", "GET", f"/programs/{id}/tasks", params={"limit": 100})
        assert tasks["total"] == sum(one.times for one in template.tasks)
        assert {one["template"] for one in tasks["items"]} == {template.name}
        assert (await program.ok("max", "GET", f"/programs/{id}/mix"))["shares"] == template.mix
        told = [event.data for event in await program.emitted()]
        assert sum(isinstance(one, ObjectiveSet) for one in told) == len(template.objectives)
        lessons = {name for path in template.paths for name in path.lessons}
        assert sum(isinstance(one, LessonPublished) for one in told) == len(lessons)
        [act] = await program.acts()
        assert (act.act, act.object_id) == ("apply_template", id)

        stood = await program.state()
        again = await program.ok("max", "POST", f"{at}/apply", {"language": "en"})
        assert {one["outcome"] for one in again["pieces"]} == {"left"}
        assert await program.state() == stood


async def test_what_a_programme_has_is_left(program: ProgramHarness) -> None:
    id = await program.create_program(languages=["fr", "de"], consent={"fr": "Oui", "de": "Ja"})
    aim = {"use_case": "culture", "kpi": "shares", "baseline": 0, "target": 9, "starts_on": "2026-03-01"}
    await program.ok("max", "POST", f"/programs/{id}/objectives", {**aim, "ends_on": "2026-05-01"})
    await program.ok("max", "PUT", f"/programs/{id}/mix", {"shares": {"jobs": 100}}, headers={"If-Match": '"1"'})
    applied = await program.ok("max", "POST", f"/programs/{id}/templates/visibility/apply", {"language": "fr"})
    left = [(one["part"], one["title"]) for one in applied["pieces"] if one["outcome"] == "left"]
    assert left == [("objective", "60 partages au premier trimestre"), ("mix", "")]
    lessons = (await program.ok("max", "GET", f"/programs/{id}/lessons"))["items"]
    assert {one["state"] for one in lessons} == {"draft"}, "not written in German: nobody reads them yet"
    gone = (await program.ok("max", "GET", f"/programs/{id}/tasks"))["items"][0]
    await program.ok("max", "DELETE", f"/programs/{id}/tasks/{gone['id']}")
    again = await program.ok("max", "POST", f"/programs/{id}/templates/visibility/apply", {"language": "fr"})
    assert [(one["title"], one["count"]) for one in again["pieces"] if one["outcome"] == "set"] == [(gone["title"], 1)]

    other = await program.create_program(languages=["de"], consent={"de": "Ja"})
    applied = await program.ok("max", "POST", f"/programs/{other}/templates/experts/apply", {"language": "fr"})
    assert {one["part"] for one in applied["pieces"] if one["outcome"] == "untranslated"} == {"lesson", "path"}
    assert (await program.ok("max", "GET", f"/programs/{other}/lessons"))["total"] == 0


async def test_a_template_for_strangers_unknown_or_over(program: ProgramHarness) -> None:
    await program.sign_in("bob")
    id = await program.create_program()
    path = f"/programs/{id}/templates/visibility"
    assert await program.refused("bob", "GET", path) == (403, "role-missing")
    assert await program.refused("bob", "POST", f"{path}/apply", {"language": "en"}) == (403, "role-missing")
    assert await program.refused("max", "GET", f"/programs/{id}/templates/none") == (404, "not-found")
    assert await program.refused("bob", "POST", f"{path}/withdraw") == (403, "role-missing")
    assert await program.refused("max", "POST", f"{path}/apply", {"language": "?"}) == (422, "invalid")
    for wrong in (0, -1, 1_000_001, 1.5, "many"):
        assert await program.refused("max", "GET", path, params={"ambassadors": wrong}) == (422, "invalid")
        order = {"language": "en", "ambassadors": wrong}
        assert await program.refused("max", "POST", f"{path}/apply", order) == (422, "invalid")
    await program.ok("max", "POST", f"/programs/{id}/archive")
    stood = await program.state()
    apply = ("POST", f"{path}/apply", {"language": "en"})
    for method, at, body in (("GET", path, None), apply, ("POST", f"{path}/withdraw", None)):
        assert await program.refused("max", method, at, body) == (409, "program-archived")
    assert await program.refused("max", "POST", f"/programs/{id}/tasks", TASK) == (409, "program-archived")
    assert await program.state() == stood


async def test_a_template_is_taken_back_as_a_whole_and_can_be_set_again(program: ProgramHarness) -> None:
    id = await program.create_program()
    at, apply = f"/programs/{id}/templates/visibility", {"language": "en", "ambassadors": 200}
    assert (await program.ok("max", "GET", f"{at}/withdraw"))["pieces"] == []
    applied = await program.ok("max", "POST", f"{at}/apply", apply)
    assert [one["target"] for one in applied["pieces"] if one["part"] == "objective"] == [0.5, 6000, 1200]
    assert [one["template"] for one in (await program.ok("max", "GET", f"/programs/{id}/setup"))["templates"]] == [
        "visibility"
    ]
    await program.forget()
    stood = await program.state()
    planned = await program.ok("max", "GET", f"{at}/withdraw")
    assert await program.state() == stood, "a plan writes nothing"
    withdrawn = await program.ok("max", "POST", f"{at}/withdraw")
    assert withdrawn == planned
    assert {one["outcome"] for one in withdrawn["pieces"]} == {"withdrawn"}
    whole = {(one["part"], one["title"], one["count"]) for one in applied["pieces"]}
    assert {(one["part"], one["title"], one["count"]) for one in withdrawn["pieces"]} == whole
    told = [event.data for event in await program.emitted()]
    lessons = sum(one["part"] == "lesson" for one in applied["pieces"])
    assert sum(isinstance(one, LessonRetired) for one in told) == lessons
    assert [one.state for one in told if isinstance(one, ObjectiveSet)] == ["withdrawn"] * 3
    assert [one.act for one in await program.acts()] == ["withdraw_template"]
    for part in ("tasks", "lessons"):
        assert (await program.ok("max", "GET", f"/programs/{id}/{part}"))["total"] == 0
    assert (await program.ok("max", "GET", f"/programs/{id}/mix"))["shares"] == {}
    stood = await program.state()
    assert (await program.ok("max", "POST", f"{at}/withdraw"))["applied_at"] is None
    assert await program.state() == stood, "repeating changes nothing"
    again = await program.ok("max", "POST", f"{at}/apply", apply)
    assert {one["outcome"] for one in again["pieces"]} == {"set"}


async def test_what_was_used_of_a_template_stays(program: ProgramHarness) -> None:
    await program.sign_in("bob")
    id = await program.create_program(open=True)
    of = f"/programs/{id}"
    await program.ok("bob", "POST", f"{of}/join", {"consent_version": 1})
    await program.ok("max", "POST", f"{of}/templates/visibility/apply", {"language": "en"})
    [task, other, *_] = (await program.ok("max", "GET", f"{of}/tasks"))["items"]
    await program.ok("max", "POST", f"{of}/tasks/{task['id']}/finish")
    await program.ok("max", "DELETE", f"{of}/tasks/{other['id']}")
    learning = await program.ok("bob", "GET", f"{of}/learning", params={"language": "en"})
    lesson = learning["paths"][0]["lessons"][0]
    written = await program.ok("max", "GET", f"{of}/lessons/{lesson['lesson_id']}")
    right = [
        [number for number, choice in enumerate(question["choices"]) if choice["right"]]
        for question in written["latest"]["texts"]["en"]["questions"]
    ]
    answers = {"edition": 1, "language": "en", "answers": right}
    assert (await program.ok("bob", "POST", f"{of}/learning/{lesson['lesson_id']}/answers", answers))["passed"]
    withdrawn = await program.ok("max", "POST", f"{of}/templates/visibility/withdraw")
    kept = [(one["part"], one["title"], one["outcome"]) for one in withdrawn["pieces"] if one["outcome"] != "withdrawn"]
    of_path = [("lesson", one["title"], "used") for one in learning["paths"][0]["lessons"]]
    assert sorted(kept) == sorted(
        [*of_path, ("path", learning["paths"][0]["title"], "used"), ("task", task["title"], "used")]
    )
    still = await program.ok("bob", "GET", f"{of}/learning", params={"language": "en"})
    assert [one["title"] for one in still["paths"]] == [learning["paths"][0]["title"]]
    assert [one["id"] for one in (await program.ok("max", "GET", f"{of}/tasks"))["items"]] == [task["id"]]


async def test_the_steps_follow_what_is_there(program: ProgramHarness) -> None:
    id = await program.create_program(open=True)
    path = f"/programs/{id}/setup"

    async def done() -> set[str]:
        return {one["key"] for one in (await program.ok("max", "GET", path))["steps"] if one["done"]}

    assert await done() == set()
    await program.ok("max", "POST", f"/programs/{id}/guidelines", {"texts": GUIDELINES, "material": True})
    assert await done() == {"guidelines"}
    await program.ok("max", "POST", f"/programs/{id}/templates/visibility/apply", {"language": "en"})
    assert await done() == {"guidelines", "objectives", "learning"}
    leader = await program.sign_in("lea")
    await program.ok("root", "PATCH", f"/people/{leader}", {"leader": True}, headers={"If-Match": "*"})
    await program.ok("lea", "POST", f"/programs/{id}/join", {"consent_version": 1})
    assert await done() == {"guidelines", "objectives", "learning", "leaders"}
    survey = {"title": "Pulse", "opens_on": "2026-03-02", "closes_on": "2099-01-01"}
    await program.ok("max", "POST", f"/programs/{id}/surveys", survey)
    assert "feedback" not in await done(), "a draft asks nobody"


async def test_tasks_of_the_team(program: ProgramHarness) -> None:
    await program.sign_in("bob")
    emma = await program.sign_in("emma", "editor")
    id = await program.create_program()
    path = f"/programs/{id}/tasks"
    for owner in (program.ids["bob"], "nobody"):
        answer = await program.call("max", "POST", path, {**TASK, "owner_id": owner})
        assert (answer.status_code, [one["rule"] for one in answer.json()["errors"]]) == (422, ["not-on-team"])
    assert await program.refused("bob", "GET", path) == (403, "role-missing")
    one = await program.call("max", "POST", path, {**TASK, "owner_id": emma, "notes": "Bring photos"})
    assert (one.status_code, one.headers["etag"]) == (201, '"1"')
    later = await program.ok("emma", "POST", path, {**TASK, "due_on": "2026-04-10"})
    at = f"{path}/{one.json()['id']}"
    assert await program.refused("max", "PUT", at, TASK) == (428, "precondition-required")
    changed = await program.ok("max", "PUT", at, {**TASK, "owner_id": emma, "title": "W"}, headers={"If-Match": '"1"'})
    assert (changed["version"], changed["notes"]) == (2, "")
    assert await program.refused("max", "PUT", at, TASK, headers={"If-Match": '"1"'}) == (412, "stale-version")
    for _ in range(2):
        done = await program.ok("emma", "POST", f"{at}/finish")
        assert (done["state"], done["done_by"], done["version"]) == ("done", emma, 3)
    open_ones = await program.ok("max", "GET", path, params={"state": "open"})
    assert ([found["id"] for found in open_ones["items"]], open_ones["total"]) == ([later["id"]], 1)
    mine = await program.ok("max", "GET", path, params={"owner_id": emma})
    assert [found["id"] for found in mine["items"]] == [one.json()["id"]]
    first = await program.ok("max", "GET", path, params={"limit": 1})
    rest = await program.ok("max", "GET", path, params={"limit": 1, "cursor": first["next"]})
    assert [found["id"] for found in (*first["items"], *rest["items"])] == [one.json()["id"], later["id"]]
    assert (await program.ok("max", "POST", f"{at}/reopen"))["done_by"] is None
    await program.ok("max", "DELETE", at)
    assert await program.refused("max", "GET", at) == (404, "not-found")


@pytest.mark.parametrize(
    ("shares", "rule"), [({"jobs": 90}, "not-whole"), ({"cats": 100}, "one-of"), ({"jobs": "x"}, "whole-number")]
)
async def test_a_mix_that_is_none_changes_nothing(program: ProgramHarness, shares: object, rule: str) -> None:
    id = await program.create_program()
    stood = await program.state()
    answer = await program.call("max", "PUT", f"/programs/{id}/mix", {"shares": shares}, headers={"If-Match": '"1"'})
    assert (answer.status_code, [one["rule"] for one in answer.json()["errors"]]) == (422, [rule])
    assert await program.state() == stood


async def test_the_calendar_tells_what_there_is_on_each_day(program: ProgramHarness) -> None:
    emma = await program.sign_in("emma", "editor")
    id = await program.create_program()
    of = f"/programs/{id}"
    task = await program.ok("max", "POST", f"{of}/tasks", {**TASK, "owner_id": emma})
    await program.ok("max", "POST", f"{of}/tasks/{task['id']}/finish")
    aim = {"use_case": "culture", "kpi": "shares", "baseline": 0, "target": 9, "title": "Nine"}
    await program.ok("max", "POST", f"{of}/objectives", {**aim, "starts_on": "2026-03-01", "ends_on": "2026-03-31"})
    survey = {"title": "Pulse", "opens_on": "2026-03-09", "closes_on": "2026-04-01", "enps": True}
    await program.ok("max", "POST", f"{of}/surveys", survey)
    days = {"from": "2026-03-01", "to": "2026-03-31"}
    found = (await program.ok("emma", "GET", f"{of}/calendar", params=days))["items"]
    assert [(one["day"], one["kind"], one["title"], one["done"]) for one in found] == [
        ("2026-03-01", "objective_starts", "Nine", False),
        ("2026-03-09", "survey_opens", "Pulse", False),
        ("2026-03-10", "task", "Write", True),
        ("2026-03-31", "objective_ends", "Nine", False),
    ]
    wave = {"name": "Pilot", "starts_on": "2026-05-04", "ends_on": "2026-05-29", "criteria": {"everybody": True}}
    await program.ok("max", "POST", f"{of}/waves", wave)
    may = {"from": "2026-05-01", "to": "2026-05-31"}
    found = (await program.ok("emma", "GET", f"{of}/calendar", params=may))["items"]
    assert [(one["day"][8:], one["kind"], one["title"]) for one in found] == [
        ("04", "wave_starts", "Pilot"), ("29", "wave_ends", "Pilot"),
    ]  # fmt: skip
    told = await program.ok("max", "GET", f"{of}/calendar", params={"from": "2025-12-01", "to": "2026-12-31"})
    assert told["name"] == "Voices"
    backwards, long = {"from": "2026-03-02", "to": "2026-03-01"}, {"from": "2026-03-02", "to": "2027-06-01"}
    for params, rule in ((backwards, "before-start"), (long, "too-many-days")):
        answer = await program.call("max", "GET", f"{of}/calendar", params=params)
        assert (answer.status_code, [one["rule"] for one in answer.json()["errors"]]) == (422, [rule])


async def test_a_secret_address_leads_to_the_calendar_until_it_is_given_up(program: ProgramHarness) -> None:
    await program.sign_in("bob")
    emma = await program.sign_in("emma", "editor")
    id = await program.create_program()
    feed = f"/programs/{id}/calendar/feed"
    await program.ok("emma", "POST", f"/programs/{id}/tasks", {**TASK, "due_on": datetime.now(UTC).date().isoformat()})
    assert await program.refused("bob", "POST", feed, {"language": "fr"}) == (403, "role-missing")

    async def read(secret: str) -> int:
        answer = await program.client.get(f"/v1/calendars/{secret}")
        assert answer.status_code == 404 or [one["title"] for one in answer.json()["items"]] == ["Write"]
        return answer.status_code

    first = (await program.ok("emma", "POST", feed, {"language": "fr"}))["secret"]
    assert await read(first) == 200
    second = (await program.ok("emma", "POST", feed, {"language": "fr"}))["secret"]
    assert (await read(first), await read(second), await read("x")) == (404, 200, 404)
    assert first not in str(await program.state())
    assert second not in str(await program.state())
    await program.ok("root", "PATCH", f"/people/{emma}", {"roles": []}, headers={"If-Match": "*"})
    assert await read(second) == 404, "who left the team reads no calendar"
    await program.ok("root", "PATCH", f"/people/{emma}", {"roles": ["editor"]}, headers={"If-Match": "*"})
    assert (await program.ok("emma", "GET", feed))["since"]
    for _ in range(2):
        await program.ok("emma", "DELETE", feed)
    assert await read(second) == 404


async def test_hand_over_notes_are_written_under_their_version(program: ProgramHarness) -> None:
    id = await program.create_program()
    path, notes = f"/programs/{id}/handover", {"text": "Ask the **works council**."}
    assert (await program.ok("max", "GET", path))["text"] == ""
    written = await program.ok("max", "PUT", path, notes, headers={"If-Match": '"1"'})
    assert (written["version"], written["written_by"]) == (2, program.ids["max"])
    assert await program.refused("max", "PUT", path, notes, headers={"If-Match": '"1"'}) == (412, "stale-version")
    again = await program.ok("max", "PUT", path, notes, headers={"If-Match": '"2"'})
    assert again["version"] == 2
