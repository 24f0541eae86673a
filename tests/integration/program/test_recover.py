"""People and programmes after a restore to an earlier moment than Kafka's."""

from __future__ import annotations

import pytest

from services.program.domain.people import UNKNOWN_NAME
from tests.integration.program.conftest import GUIDELINES, OBJECTIVE, ProgramHarness
from tests.integration.recovery import back_up


async def test_who_may_do_what_is_taken_back(program: ProgramHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, bob = await program.sign_in("ada"), await program.sign_in("bob", "editor")
    voices = await program.create_program()
    await program.invite(voices, "ada")
    restore = await back_up(program.harness, program.service, monkeypatch)
    await program.ok("ada", "POST", f"/programs/{voices}/join", {"consent_version": 1})
    await program.ok("max", "POST", f"/programs/{voices}/guidelines", {"texts": GUIDELINES})
    await program.ok("ada", "POST", f"/programs/{voices}/guidelines/1/acknowledge")
    await program.ok("root", "POST", f"/people/{bob}/deactivate")
    eve = await program.sign_in("eve", "manager")
    objective = (await program.ok("max", "POST", f"/programs/{voices}/objectives", OBJECTIVE))["id"]
    other = await program.create_program(name="Other")
    people = restore.db["people"]
    was = {row["_id"]: row async for row in people.find({})}
    await restore.send()
    await restore.put_back()

    code, said = await restore.recover("--go")
    assert code == 2, said
    assert said.count("lacking:") == 1, said
    assert f"lacking: guidelines {voices}:guidelines:1, herald.program" in said
    now = {row["_id"]: row async for row in people.find({})}
    assert now.keys() == was.keys()
    # Of what was told without a revision, a number may be given again: nobody has seen it.
    assert {id: row["version"] - was[id]["version"] for id, row in now.items()} == {id: -(id == ada) for id in was}
    assert (now[bob]["active"], now[eve]["grants"], now[eve]["accounts"]) == (False, ["manager"], was[eve]["accounts"])
    assert (now[eve]["name"], now[ada]["name"]) == (UNKNOWN_NAME, "Ada")
    [membership] = now[ada]["memberships"]
    assert (membership["status"], membership["acknowledged"]) == ("joined", 1)
    assert (await restore.db["objectives"].find_one({"_id": objective}))["target"] == OBJECTIVE["target"]
    assert (await restore.db["programs"].find_one({"_id": other}))["name"] == "Other"
    await program.refused("bob", "GET", "/people")
    assert (await program.ok("eve", "GET", f"/programs/{voices}"))["id"] == voices
    again = await restore.recover("--go")
    assert again[0] == 2
    assert "taken back" in said
    assert {row["_id"]: row async for row in people.find({})} == now
