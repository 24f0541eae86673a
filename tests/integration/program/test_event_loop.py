"""Program keeps its event loop for no input that it accepts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.event_loop import ALONE, check_doors, quick
from tests.integration.program.conftest import CONSENT, ProgramHarness

HEADER = "email,name,country,team,role,level,site,locale,leader,external_id\n"
ROWS = 5000 if ALONE else 1000
FILES = {
    "valid": "".join(f"p{n}@x.example,Person {n},FR,T{n % 400},Engineer,staff,Lyon,fr,no,E{n}\n" for n in range(ROWS)),
    "faulty": ",,,,,,,,,\n" * 10 + "x,,x,,,,,x,x,\n" * ROWS,
    "quotes": '"' + "a,b\n" * ROWS,
    "many columns": (",".join("a" * 199) + "\n") * 1000,
    "wide letters": "".join(f"p{n}@x.example,{'ﷺ' * 190},FR,{'ﷺ' * 190},,,,,,\n" for n in range(ROWS // 10)),
}


async def upload(program: ProgramHarness, text: str) -> Any:
    headers = {**program.harness.bearer("max"), "content-type": "text/csv"}
    return await quick(program.client, "POST", "/v1/imports", content=text.encode(), headers=headers)


@pytest.mark.parametrize("name", FILES if ALONE else ["valid", "faulty"])
async def test_files_of_people(program: ProgramHarness, name: str) -> None:
    program.service.runtime.settings.__dict__["rate_uploads"] = "1000/second"
    previewed = await upload(program, HEADER + FILES[name])
    if previewed.status_code != 201:
        assert previewed.json()["type"] == "csv-unreadable"
        return
    path = f"/v1/imports/{previewed.json()['id']}"
    headers = program.harness.bearer("max")
    columns = ["email", "name", "country", "team", None, None, None, "locale", "leader", "external_id"]
    await quick(program.client, "GET", path, headers=headers)
    await quick(program.client, "PUT", f"{path}/columns", json={"columns": columns}, headers=headers)
    await quick(program.client, "POST", f"{path}/confirm", headers=headers)
    await quick(program.client, "GET", "/v1/people/export", headers=headers)
    await quick(program.client, "GET", "/v1/people", params={"limit": 100}, headers=headers)


async def test_texts_and_names(program: ProgramHarness) -> None:
    id = await program.create_program()
    headers = program.harness.bearer("max")
    texts = dict.fromkeys(CONSENT, "é\u200d[" * 6000)
    answer = await quick(program.client, "POST", f"/v1/programs/{id}/consent", json={"texts": texts}, headers=headers)
    assert answer.status_code == 201
    for path, body in (
        ("/v1/people/names", {"ids": ["x" * 128] * 200}),
        ("/v1/people/resolve", {"people": [f"{number}@{'x' * 200}.example" for number in range(500)]}),
    ):
        assert (await quick(program.client, "POST", path, json=body, headers=headers)).status_code == 200
    rows = [
        {"id": f"M{number}", "person_id": program.ids["max"], "joined_at": "2026-03-02T00:00:00Z"}
        for number in range(500)
    ]
    path = f"/v1/programs/{id}/history/memberships"
    await quick(program.client, "POST", path, json={"source": "old", "items": rows}, headers=headers)


async def test_doors(program: ProgramHarness) -> None:
    await check_doors(program.service, program.client, program.harness.bearer("max"))
