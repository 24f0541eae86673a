"""The visual identity of a programme, on real servers."""

from __future__ import annotations

from typing import Any

from tests.drawings import drawing
from tests.integration.program.conftest import ProgramHarness
from tests.integration.program.test_pictures import seen, send

RED = {"name": "Herald red", "value": "#B0413E"}


def element(picture_id: str, **changes: Any) -> dict[str, Any]:
    titles = {"fr": "Logo sur fond clair", "en": "Logo on light"}
    return {"picture_id": picture_id, "kind": "logo", "titles": titles, "notes": {"en": "Leave room"}, **changes}


async def test_pictures_come_and_go_with_the_identity_that_shows_them(program: ProgramHarness) -> None:
    of = await program.create_program()
    await program.sign_in("ada")
    path = f"/programs/{of}/identity"
    bare = await program.call("ada", "GET", path)
    assert (bare.json()["elements"], bare.headers["etag"]) == ([], '"1"')
    logo, avoid = [(await send(program, of, drawing(size=(600, 200)))).json()["id"] for _ in range(2)]
    body = {"colours": [RED], "elements": [element(logo), element(avoid, kind="avoid")]}
    assert (await program.refused("ada", "PUT", path, body, headers={"If-Match": "*"}))[0] == 403
    await program.ok("max", "PUT", path, body, headers={"If-Match": '"1"'})
    assert (await program.refused("max", "PUT", path, body, headers={"If-Match": '"1"'}))[0] == 412
    shown = await program.ok("ada", "GET", f"{path}?language=fr-FR")
    assert shown["colours"] == [{"name": "Herald red", "value": "#b0413e", "text_colour": "#ffffff"}]
    first = shown["elements"][0]
    assert (first["title"], first["note"], first["width"]) == ("Logo sur fond clair", "", 600)
    again = await program.ok("max", "PUT", path, body, headers={"If-Match": '"2"'})
    assert again["version"] == 2
    await program.ok("max", "PUT", path, {**body, "elements": [element(logo)]}, headers={"If-Match": '"2"'})
    assert (await seen(program, avoid)).status_code == 404
    assert (await seen(program, logo)).status_code == 200
    assert [act.act for act in await program.acts()].count("set_identity") == 2


async def test_what_is_no_identity_changes_nothing(program: ProgramHarness) -> None:
    of = await program.create_program()
    other = await program.create_program()
    logo, foreign = [(await send(program, one, drawing())).json()["id"] for one in (of, other)]
    state = await program.state()
    for body, error in (
        ({"elements": [element(foreign)]}, ("elements.0.picture_id", "unknown")),
        ({"elements": [element(logo), element(logo)]}, ("elements.1.picture_id", "duplicate")),
        ({"elements": [element(logo, titles={"en": "Logo"})]}, ("elements.0.titles.fr", "language-missing")),
        ({"elements": [element(logo, notes={"de": "Platz"})]}, ("elements.0.notes.de", "language-unknown")),
        ({"colours": [RED, {**RED, "name": "Again"}]}, ("colours.1.value", "duplicate")),
        ({"colours": [{**RED, "value": "red"}]}, ("colours.0.value", "format")),
    ):
        answer = await program.call("max", "PUT", f"/programs/{of}/identity", body, headers={"If-Match": "*"})
        assert answer.status_code == 422, answer.text
        found = answer.json()["errors"][0]
        assert (found["field"], found["rule"]) == error
    assert await program.state() == state
