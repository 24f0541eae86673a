"""Which leaders take part: seen by those who manage a programme."""

from __future__ import annotations

from tests.integration.program.conftest import ProgramHarness

FILE = """external_id,email,name,country,team,leader
L-1,ada@x.example,Ada Chief,FR,Board,yes
L-2,bea@x.example,Bea Chief,FR,Board,yes
L-3,cem@x.example,Cem Chief,FR,Board,yes
L-4,dia@x.example,Dia Worker,FR,Plant,no
"""


async def test_a_manager_sees_which_leaders_take_part(program: ProgramHarness) -> None:
    preview = (await program.upload(FILE, who="root")).json()
    await program.ok("root", "POST", f"/imports/{preview['id']}/confirm")
    of = await program.create_program()
    path = f"/programs/{of}"
    for who in ("ada", "bea"):
        await program.sign_in(who)
    await program.invite(of, "ada", "bea")
    await program.ok("ada", "POST", f"{path}/join", {"consent_version": 1})
    await program.ok("ada", "POST", f"{path}/pause")
    found = await program.ok("max", "GET", f"{path}/leaders")
    assert [(one["name"], one["status"]) for one in found["items"]] == [
        ("Ada Chief", "joined"),
        ("Bea Chief", "invited"),
        ("Cem Chief", None),
    ]
    assert {name: count for name, count in found["counts"].items() if count} == {
        "joined": 1,
        "paused": 1,
        "invited": 1,
        "none": 1,
    }
    assert (found["total"], found["items"][0]["paused_since"] is not None) == (3, True)
    first = await program.ok("max", "GET", f"{path}/leaders", params={"limit": 2})
    rest = await program.ok("max", "GET", f"{path}/leaders", params={"cursor": first["next"]})
    assert [one["name"] for one in rest["items"]] == ["Cem Chief"]
    assert (await program.ok("max", "GET", f"{path}/leaders", params={"query": "bea"}))["total"] == 1
    assert await program.refused("ada", "GET", f"{path}/leaders") == (403, "role-missing")

    by = (await program.ok("root", "GET", "/people", params={"query": "Cem"}))["items"][0]["id"]
    await program.ok("root", "POST", f"/people/{by}/deactivate")
    assert (await program.ok("max", "GET", f"{path}/leaders"))["total"] == 2
