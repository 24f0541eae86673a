"""A programme's look, and its end, on real servers."""

from __future__ import annotations

from herald_contracts import ProgramArchived, ProgramChanged, ProgramRestored
from tests.drawings import drawing
from tests.integration.program.conftest import GUIDELINES, OBJECTIVE, ProgramHarness
from tests.integration.program.test_pictures import seen, send

_BOTH = {"fr": "Premier jour", "en": "First day"}
LESSON = {"texts": {language: {"title": title, "text": "Two taps."} for language, title in _BOTH.items()}}
PATH = {"titles": _BOTH, "lesson_ids": []}
SURVEY = {"title": "Pulse", "opens_on": "2026-03-02", "closes_on": "2126-03-13"}


async def test_a_programme_has_another_name_and_a_colour_that_is_seen(program: ProgramHarness) -> None:
    path = f"/programs/{await program.create_program()}"
    await program.forget()
    match = {"If-Match": '"1"'}
    answer = await program.call("max", "PATCH", path, {"colour": "#fff3b0"}, headers=match)
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["field"], error["rule"]) == (422, "colour", "contrast")
    shade = error["params"]["suggestion"].upper()
    changed = await program.ok("max", "PATCH", path, {"name": "Voix", "colour": shade}, headers=match)
    assert (changed["name"], changed["colour"], changed["open"]) == ("Voix", shade.lower(), False)
    assert changed["text_colour"] in ("#000000", "#ffffff")
    for body, field in (({"colour": "red"}, "colour"), ({"name": " "}, "name"), ({"name": "x" * 201}, "name")):
        answer = await program.call("max", "PATCH", path, body, headers={"If-Match": "*"})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    plain = await program.ok("max", "PATCH", path, {"colour": None}, headers={"If-Match": '"2"'})
    assert (plain["name"], plain["colour"], plain["text_colour"]) == ("Voix", None, None)
    events = [one.data for one in await program.emitted()]
    told = [(one.revision, one.name, one.colour) for one in events if isinstance(one, ProgramChanged)]
    assert told == [(2, "Voix", shade.lower()), (3, "Voix", None)]


async def test_a_programme_has_a_picture_of_its_own(program: ProgramHarness) -> None:
    id, other = await program.create_program(), await program.create_program()
    path = f"/programs/{id}"
    await program.sign_in("ada")
    first, second = [(await send(program, id, drawing())).json()["id"] for _ in range(2)]
    foreign = (await send(program, other, drawing())).json()["id"]
    changed = await program.ok("max", "PATCH", path, {"picture_id": first}, headers={"If-Match": '"1"'})
    assert (changed["picture_id"], changed["colour"]) == (first, None)
    state = await program.state()
    for wrong in (foreign, "nowhere"):
        answer = await program.call("max", "PATCH", path, {"picture_id": wrong}, headers={"If-Match": "*"})
        [error] = answer.json()["errors"]
        assert (answer.status_code, error["field"], error["rule"]) == (422, "picture_id", "unknown")
    assert await program.state() == state
    await program.ok("max", "PATCH", path, {"picture_id": second}, headers={"If-Match": "*"})
    assert [(await seen(program, one)).status_code for one in (first, second)] == [404, 200]
    plain = await program.ok("max", "PATCH", path, {"picture_id": None}, headers={"If-Match": "*"})
    assert plain["picture_id"] is None
    assert (await seen(program, second)).status_code == 404


async def test_nothing_is_begun_in_a_programme_that_is_over_and_it_can_go_on(program: ProgramHarness) -> None:
    for who in ("ada", "bob", "eve"):
        await program.sign_in(who)
    id = await program.create_program()
    path = f"/programs/{id}"
    await program.invite(id, "ada", "bob")
    await program.ok("ada", "POST", f"{path}/join", {"consent_version": 1})
    lesson = (await program.ok("max", "POST", f"{path}/lessons", LESSON))["id"]
    await program.ok("max", "POST", f"{path}/lessons/{lesson}/publish")
    survey = (await program.ok("max", "POST", f"{path}/surveys", SURVEY))["id"]
    dropped = (await program.ok("max", "POST", f"{path}/objectives", OBJECTIVE))["id"]
    await program.ok("max", "POST", f"{path}/objectives/{dropped}/withdraw")
    aim = (await program.ok("max", "POST", f"{path}/objectives", OBJECTIVE))["id"]
    await program.forget()
    assert await program.refused("ada", "POST", f"{path}/archive") == (403, "role-missing")
    for _ in range(2):
        assert (await program.ok("max", "POST", f"{path}/archive"))["archived_at"] is not None
    over = (409, "program-archived")
    match = {"headers": {"If-Match": "*"}}
    before = await program.state()
    assert await program.refused("bob", "POST", f"{path}/join", {"consent_version": 1}) == over
    assert await program.refused("bob", "POST", f"{path}/decline") == over
    assert await program.refused("max", "POST", f"{path}/invitations", {"people": [program.ids["eve"]]}) == over
    assert await program.refused("max", "POST", f"{path}/invitations", {"segment": {"everybody": True}}) == over
    assert await program.refused("max", "POST", f"{path}/guidelines", {"texts": GUIDELINES}) == over
    assert await program.refused("max", "POST", f"{path}/objectives", OBJECTIVE) == over
    assert await program.refused("max", "PUT", f"{path}/objectives/{aim}", OBJECTIVE, **match) == over
    assert await program.refused("max", "POST", f"{path}/objectives/{dropped}/reopen") == over
    assert await program.refused("max", "PATCH", path, {"open": True}, **match) == over
    assert await program.refused("max", "POST", f"{path}/lessons", LESSON) == over
    assert await program.refused("max", "PUT", f"{path}/lessons/{lesson}", LESSON, **match) == over
    assert await program.refused("max", "POST", f"{path}/lessons/{lesson}/publish") == over
    assert await program.refused("max", "POST", f"{path}/starter-lessons") == over
    assert await program.refused("max", "POST", f"{path}/paths", PATH) == over
    read = {"edition": 1, "language": "en", "answers": []}
    assert await program.refused("ada", "POST", f"{path}/learning/{lesson}/answers", read) == over
    assert await program.refused("max", "POST", f"{path}/surveys", SURVEY) == over
    assert await program.refused("max", "PUT", f"{path}/surveys/{survey}", SURVEY, **match) == over
    assert await program.refused("max", "POST", f"{path}/surveys/{survey}/open") == over
    assert await program.refused("ada", "POST", f"{path}/surveys/{survey}/answers", {"enps": 9}) == over
    assert await program.ok("ada", "GET", f"{path}/surveys/running") == {"survey": None}
    assert await program.refused("ada", "POST", f"{path}/resume") == over
    assert await program.state() == before
    assert (await program.ok("bob", "GET", "/me/invitations"))["items"] == []
    assert [one["archived"] for one in (await program.ok("ada", "GET", "/me"))["programs"]] == [True]
    assert (await program.ok("max", "GET", f"{path}/objectives"))["items"][0]["id"] in (aim, dropped)
    for _ in range(2):
        assert (await program.ok("max", "POST", f"{path}/restore"))["archived_at"] is None
    assert len((await program.ok("bob", "GET", "/me/invitations"))["items"]) == 1
    await program.ok("bob", "POST", f"{path}/join", {"consent_version": 1})
    events = [one.data for one in await program.emitted()]
    kinds = [type(one) for one in events if isinstance(one, ProgramArchived | ProgramRestored)]
    assert kinds == [ProgramArchived, ProgramRestored]
