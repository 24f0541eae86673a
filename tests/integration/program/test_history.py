"""Memberships of the past: told with their own times, and no right to anybody."""

from __future__ import annotations

from typing import Any

import pytest

from herald_contracts import AmbassadorJoined, AmbassadorLeft
from tests.integration.program.conftest import ProgramHarness


def rows(person_id: str, **changes: Any) -> dict[str, Any]:
    item = {"id": "M-1", "person_id": person_id, "joined_at": "2025-03-02T00:00:00Z", "left_at": "2025-10-01T00:00:00Z"}
    return {"source": "old", "items": [{**item, **changes}]}


async def send(program: ProgramHarness, program_id: str, body: dict[str, Any]) -> list[dict[str, str]]:
    answer = await program.ok("max", "POST", f"/programs/{program_id}/history/memberships", body)
    found: list[dict[str, str]] = answer["items"]
    return found


async def test_people_are_found_by_address_and_by_external_id(program: ProgramHarness) -> None:
    await program.upload("email,name,country,team,external_id\nada@x.example,Ada,FR,IT,E-7\n")
    preview = await program.upload("email,name,country,team,external_id\nada@x.example,Ada,FR,IT,E-7\n")
    await program.ok("max", "POST", f"/imports/{preview.json()['id']}/confirm")
    asked = {"people": ["E-7", "ADA@x.example", " root@x.example", "nobody@x.example", ""]}
    found = (await program.ok("max", "POST", "/people/resolve", asked))["people"]
    assert found.keys() == {"E-7", "ADA@x.example", " root@x.example"}
    assert found["E-7"] == found["ADA@x.example"]
    assert found[" root@x.example"] == program.ids["root"]


async def test_a_past_membership_is_told_and_enrols_nobody(program: ProgramHarness) -> None:
    program_id = await program.create_program()
    ada = await program.sign_in("ada")
    await program.forget()
    before = await program.ok("max", "GET", f"/people/{ada}")

    assert await send(program, program_id, rows(ada)) == [{"outcome": "new", "field": "", "rule": "", "detail": ""}]

    told = [event.data for event in await program.emitted()]
    assert [(type(one), one.origin, one.occurred_at.isoformat()) for one in told] == [  # type: ignore[attr-defined]
        (AmbassadorJoined, "imported", "2025-03-02T00:00:00+00:00"),
        (AmbassadorLeft, "imported", "2025-10-01T00:00:00+00:00"),
    ]
    assert await program.ok("max", "GET", f"/people/{ada}") == before
    assert (await program.ok("max", "GET", f"/programs/{program_id}/ambassadors"))["counts"].get("joined", 0) == 0


async def test_the_same_rows_again_change_nothing_and_a_preview_writes_nothing(program: ProgramHarness) -> None:
    program_id = await program.create_program()
    ada = await program.sign_in("ada")
    untouched = await program.state()
    assert [one["outcome"] for one in await send(program, program_id, rows(ada) | {"preview": True})] == ["new"]
    assert await program.state() == untouched
    await send(program, program_id, rows(ada))
    once = await program.state()
    assert [one["outcome"] for one in await send(program, program_id, rows(ada))] == ["known"]
    [other] = await send(program, program_id, rows(ada, left_at="2025-11-01T00:00:00Z"))
    assert (other["outcome"], other["field"], other["rule"]) == ("refused", "id", "reused")
    assert await program.state() == once


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"joined_at": "2999-01-01T00:00:00Z", "left_at": None}, "joined_at", "future"),
        ({"joined_at": "1999-01-01T00:00:00Z"}, "joined_at", "too-early"),
        ({"left_at": "2025-03-02T00:00:00Z"}, "left_at", "order"),
        ({"person_id": "nobody"}, "person_id", "unknown"),
        ({"id": "M-2", "joined_at": "2025-09-30T00:00:00Z", "left_at": None}, "joined_at", "overlaps"),
    ],
)
async def test_a_row_that_breaks_a_rule_is_refused_and_its_neighbours_are_taken(
    program: ProgramHarness, changes: dict[str, Any], field: str, rule: str
) -> None:
    program_id = await program.create_program()
    ada = await program.sign_in("ada")
    await send(program, program_id, rows(ada))
    body = rows(ada, id="M-9", joined_at="2024-01-01T00:00:00Z", left_at="2024-02-01T00:00:00Z")
    body["items"].append({**rows(ada)["items"][0], "id": "M-3", **changes})
    good, bad = await send(program, program_id, body)
    assert good["outcome"] == "new"
    assert (bad["outcome"], bad["field"], bad["rule"]) == ("refused", field, rule)


async def test_an_open_membership_ends_where_the_person_joined_here(program: ProgramHarness) -> None:
    program_id = await program.create_program(open=True)
    ada = await program.sign_in("ada")
    await program.ok("ada", "POST", f"/programs/{program_id}/join", {"consent_version": 1})
    person = await program.ok("max", "GET", f"/people/{ada}")
    await program.forget()
    await send(program, program_id, rows(ada, left_at=None))
    left = next(event.data for event in await program.emitted() if isinstance(event.data, AmbassadorLeft))
    joined = next(one["since"] for one in person["programs"] if one["program_id"] == program_id)
    assert left.occurred_at.isoformat() < joined.replace("Z", "+00:00")
    assert (await program.ok("max", "GET", f"/people/{ada}"))["roles"] == ["ambassador"]


async def test_history_is_for_those_who_manage(program: ProgramHarness) -> None:
    program_id = await program.create_program()
    ada = await program.sign_in("ada")
    path = f"/programs/{program_id}/history/memberships"
    assert (await program.refused("ada", "POST", path, rows(ada)))[0] == 403
    assert (await program.refused("ada", "POST", "/people/resolve", {"people": []}))[0] == 403
    assert (await program.refused("max", "POST", "/programs/none/history/memberships", rows(ada)))[0] == 404
