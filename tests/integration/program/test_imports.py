"""People by CSV: previewed, confirmed, resumed, repeated, on real servers."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from herald_contracts import PersonProvisioned, PersonUpdated
from services.program.commands import imports
from tests.bounds import bound
from tests.integration.harness import Harness, eventually
from tests.integration.program.conftest import ProgramHarness

HEADER = "email,name,country,team,role,level,site,locale,leader,external_id\n"


def company(size: int, team: str = "T") -> str:
    return HEADER + "".join(
        f"p{n}@x.example,Person {n},FR,{team}{n % 40},Engineer,staff,Lyon,fr,{'yes' if n % 40 == 0 else 'no'},E{n}\n"
        for n in range(size)
    )


async def previewed(program: ProgramHarness, text: str | bytes) -> Any:
    answer = await program.upload(text)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_nothing_is_imported_before_it_is_confirmed_and_then_once(program: ProgramHarness) -> None:
    text = HEADER + (
        "ada@x.example,Ada Lovelace,GB,Engineering,Engineer,senior,London,en,yes,E1\n"
        "bad,,Atlantis,Sales,,,,,,\n"
        "max@x.example,Max,FR,IT,,,,,,\n"
        "root@x.example,Root,FR,Operations,,,,,,\n"
        "ada@x.example,Ada Again,GB,Engineering,,,,,,\n"
    )
    preview = await previewed(program, text)
    figures = {name: preview[name] for name in ("state", "total", "valid", "new", "changed", "unchanged", "done")}
    assert figures == {
        "state": "previewed",
        "total": 5,
        "valid": 3,
        "new": 1,
        "changed": 1,
        "unchanged": 1,
        "done": 0,
    }
    assert [(error["line"], error["field"], error["rule"]) for error in preview["errors"]] == [
        (3, "email", "email"),
        (3, "name", "required"),
        (3, "country", "country"),
        (6, "email", "repeated"),
    ]
    assert preview["sample"][0]["values"]["name"] == "Ada Lovelace"
    assert len((await program.ok("max", "GET", "/people"))["items"]) == 2
    assert await program.emitted() == []

    done = await program.ok("max", "POST", f"/imports/{preview['id']}/confirm")
    assert (done["state"], done["done"], done["created"], done["updated"], done["kept"]) == ("done", 3, 1, 1, 1)
    assert done["sample"] == []
    told = {event.partitionkey: type(event.data) for event in await program.emitted()}
    assert told[program.ids["root"]] is PersonUpdated
    assert sorted(kind.__name__ for kind in told.values()) == ["PersonProvisioned", "PersonUpdated"]
    again = await program.ok("max", "POST", f"/imports/{preview['id']}/confirm")
    assert again == done == await program.ok("max", "GET", f"/imports/{preview['id']}")
    assert len(await program.emitted()) == 2
    [ada] = (await program.ok("max", "GET", "/people", params={"query": "ada"}))["items"]
    assert (ada["job"], ada["level"], ada["site"], ada["leader"], ada["external_id"]) == (
        "Engineer",
        "senior",
        "London",
        True,
        "E1",
    )
    assert await program.service.runtime.mongo.db["import_rows"].count_documents({}) == 0


async def test_the_same_file_again_says_nothing(program: ProgramHarness) -> None:
    text = company(30)
    await program.ok("max", "POST", f"/imports/{(await previewed(program, text))['id']}/confirm")
    await program.forget()
    second = await previewed(program, text)
    assert (second["new"], second["changed"], second["unchanged"]) == (0, 0, 30)
    done = await program.ok("max", "POST", f"/imports/{second['id']}/confirm")
    assert (done["kept"], done["state"]) == (30, "done")
    assert await program.emitted() == []


async def test_two_thousand_people_take_seconds(program: ProgramHarness) -> None:
    preview = await previewed(program, company(2_000))
    assert (preview["valid"], preview["new"]) == (2_000, 2_000)
    began = time.monotonic()
    answer = await program.call("max", "POST", f"/imports/{preview['id']}/confirm")
    assert time.monotonic() - began < bound(10)
    assert (answer.status_code, answer.json()["state"], answer.json()["created"]) == (200, "done", 2_000)
    told = Counter(event.partitionkey for event in await program.emitted())
    assert len(told) == 2_000
    assert set(told.values()) == {1}


async def test_a_large_file_is_imported_by_the_worker(
    harness: Harness, program: ProgramHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "IN_REQUEST_ROWS", 1_000)
    total = 1_600
    preview = await previewed(program, company(total))
    answer = await program.call("max", "POST", f"/imports/{preview['id']}/confirm")
    assert (answer.status_code, answer.json()["state"]) == (202, "importing")

    async def state() -> Any:
        return await program.ok("max", "GET", f"/imports/{preview['id']}")

    async with harness.worker(program.service):
        found = await eventually(state, until=lambda found: found["state"] == "done")
        assert found["created"] == found["done"] == found["valid"] == total
        events = await eventually(lambda: harness.events("herald.people"), until=lambda found: len(found) >= total)
    assert len({event.partitionkey for event in events}) == len(events) == total


async def test_what_a_crash_interrupted_goes_on_where_it_stood(harness: Harness, program: ProgramHarness) -> None:
    parts = program.service.context
    preview = await previewed(program, company(1_200))
    id = preview["id"]
    mongo = program.service.runtime.mongo
    await mongo.transact(lambda tx: imports.confirm(parts, tx, id))
    assert await mongo.transact(lambda tx: imports.import_chunk(parts, tx, id)) is True
    half = await program.ok("max", "GET", f"/imports/{id}")
    assert (half["state"], half["done"]) == ("importing", 500)
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    await mongo.db["imports"].update_one({"_id": id}, {"$set": {"touched_at": long_ago}})
    async with harness.worker(program.service):
        done = await eventually(
            lambda: program.ok("max", "GET", f"/imports/{id}"), until=lambda found: found["state"] == "done"
        )
        assert (done["created"], done["done"]) == (1_200, 1_200)
        events = await eventually(lambda: harness.events("herald.people"), until=lambda found: len(found) >= 1_200)
    assert len({event.partitionkey for event in events}) == len(events) == 1_200


async def test_many_processes_on_one_import_do_it_once(program: ProgramHarness) -> None:
    preview = await previewed(program, company(1_700))
    answers = await asyncio.gather(
        *(program.call("max", "POST", f"/imports/{preview['id']}/confirm") for _ in range(4))
    )
    # Whoever the others were ahead of for too long leaves the rest to them, and says so.
    assert {(answer.status_code, answer.json()["state"]) for answer in answers} <= {(200, "done"), (202, "importing")}
    done = await program.ok("max", "GET", f"/imports/{preview['id']}")
    assert (done["state"], done["created"]) == ("done", 1_700)
    assert Counter(event.partitionkey for event in await program.emitted()).most_common(1)[0][1] == 1
    assert await program.service.runtime.mongo.db["people"].count_documents({}) == 1_702


async def test_a_row_that_no_longer_fits_is_left_out_when_confirmed(program: ProgramHarness) -> None:
    preview = await previewed(program, HEADER + "ada@x.example,Ada,FR,IT,,,,,,E1\nbob@x.example,Bob,FR,IT,,,,,,E2\n")
    other = await previewed(program, HEADER + "ada@x.example,Ada,FR,IT,,,,,,E9\n")
    await program.ok("max", "POST", f"/imports/{other['id']}/confirm")
    done = await program.ok("max", "POST", f"/imports/{preview['id']}/confirm")
    assert (done["created"], done["failed"], done["done"], done["valid"]) == (1, 1, 2, 2)
    assert [(error["line"], error["field"], error["rule"]) for error in done["errors"]] == [
        (2, "external_id", "differs")
    ]


NO_TABLES: list[tuple[bytes, tuple[int, str, str]]] = [
    (b"", (1, "body", "empty")),
    (HEADER.encode(), (1, "body", "empty")),
    (b'{"people": []}', (1, "body", "no-columns")),
    (b"PK\x03\x04", (1, "body", "workbook")),
]


async def test_what_is_no_table_is_refused_and_leaves_nothing(program: ProgramHarness) -> None:
    before = await program.state()
    for data, expected in NO_TABLES:
        answer = await program.upload(data)
        problem = answer.json()
        assert (answer.status_code, problem["type"]) == (422, "csv-unreadable")
        first = problem["errors"][0]
        assert (first["line"], first["field"], first["rule"]) == expected
        assert await program.state() == before


async def test_other_refusals_of_files(program: ProgramHarness) -> None:
    before = await program.state()
    large = await program.upload(HEADER.encode() + b"x" * (24 * 1024 * 1024))
    assert (large.status_code, large.json()["type"]) == (413, "body-too-large")
    for media in ("application/json", "multipart/form-data", "application/vnd.ms-excel"):
        answer = await program.call("max", "POST", "/imports", content=b"x", headers={"Content-Type": media})
        assert (answer.status_code, answer.json()["type"]) == (415, "media-type")
    await program.sign_in("ada", "editor")
    assert (await program.upload(company(1), "ada")).json()["type"] == "role-missing"
    assert await program.refused("max", "GET", "/imports/none") == (404, "not-found")
    assert await program.refused("max", "POST", "/imports/none/confirm") == (404, "not-found")
    after = await program.state()
    assert {name: rows for name, rows in after.items() if "import" in name} == {
        name: rows for name, rows in before.items() if "import" in name
    }


async def test_a_file_without_a_valid_row_cannot_be_confirmed(program: ProgramHarness) -> None:
    preview = await previewed(program, HEADER + "bad,,,,,,,,,\n")
    assert (preview["total"], preview["valid"]) == (1, 0)
    assert await program.refused("max", "POST", f"/imports/{preview['id']}/confirm") == (409, "nothing-to-import")


FOREIGN = """sep=;
Pers-ID;Surname;Vorname;Kostenstelle;Land;Mail privat;;
7;Weiß;Anna;Einkauf;DE;anna@home.example
8;Groß;Jörg;"EINKAUF ";Deutschland;;;
9;Lang;Eva;Éinkauf;Österreich;
"""


async def test_columns_are_chosen_in_the_preview_and_remembered(program: ProgramHarness) -> None:
    preview = await previewed(program, FOREIGN.encode("cp1252", "replace"))
    assert (preview["encoding"], preview["delimiter"], preview["missing"]) == ("windows-1252", ";", ["email", "team"])
    assert [(one["heading"], one["column"], one["known"]) for one in preview["columns"]] == [
        ("Pers-ID", None, None),
        ("Surname", "last_name", "heading"),
        ("Vorname", "first_name", "heading"),
        ("Kostenstelle", None, None),
        ("Land", "country", "heading"),
        ("Mail privat", None, None),
    ]
    assert preview["columns"][3]["examples"] == ["Einkauf", "EINKAUF", "Éinkauf"]
    assert [(error["line"], error["field"], error["rule"]) for error in preview["errors"]] == [
        (2, "email", "column-missing"),
        (2, "team", "column-missing"),
    ]
    path = f"/imports/{preview['id']}"
    assert await program.refused("max", "POST", f"{path}/confirm") == (409, "columns-missing")
    columns = ["external_id", "last_name", "first_name", "team", "country", None]
    for wrong in ([*columns, None], [*columns[:5], "country"], [*columns[:5], "salary"]):
        assert await program.refused("max", "PUT", f"{path}/columns", {"columns": wrong}) == (422, "invalid")
    chosen = await program.ok("max", "PUT", f"{path}/columns", {"columns": columns})
    assert (chosen["id"], chosen["missing"], chosen["valid"], chosen["new"]) == (preview["id"], [], 3, 3)
    assert [one["values"]["name"] for one in chosen["sample"]] == ["Anna Weiß", "Jörg Groß", "Eva Lang"]
    done = await program.ok("max", "POST", f"{path}/confirm")
    assert (done["state"], done["created"]) == ("done", 3)
    assert done["columns"][3] == {"heading": "Kostenstelle", "column": "team", "known": "chosen", "examples": []}
    assert await program.refused("max", "PUT", f"{path}/columns", {"columns": columns}) == (409, "already-confirmed")
    state = await program.state()
    assert (state["import_rows"], state["import_files"]) == ([], [])

    again = await previewed(program, FOREIGN.encode())
    assert (again["missing"], again["unchanged"]) == ([], 3)
    assert [one["known"] for one in again["columns"]] == ["remembered"] * 6


async def test_what_is_exported_is_safe_to_open_and_can_be_imported_again(program: ProgramHarness) -> None:
    text = "id,name,country,team,role\n'=7,'=1+1 Élise,FR,\"'-Sales; EMEA\",'@home\n"
    await program.ok("max", "POST", f"/imports/{(await previewed(program, text))['id']}/confirm")
    answer = await program.call("max", "GET", "/people/export")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    exported = answer.content.decode("utf-8-sig").split("\r\n")
    assert exported[0] == "external_id,email,name,country,team,role,level,site,locale,leader,active"
    assert "'=7,,'=1+1 Élise,FR,'-Sales; EMEA,'@home,,,en,no,yes" in exported
    again = await previewed(program, answer.content)
    assert (again["total"], again["unchanged"], again["errors"]) == (3, 3, [])
    await program.sign_in("ada", "editor")
    assert await program.refused("ada", "GET", "/people/export") == (403, "role-missing")


async def test_spellings_of_one_team_become_one_team(program: ProgramHarness) -> None:
    await program.sign_in("zoe", team="Qualité\u00a0")
    text = "id,name,country,team\n1,A,FR,QUALITE\n2,B,FR,Qualite\u0301\n3,C,FR,Sales\n4,D,FR,sales\n"
    preview = await previewed(program, text)
    assert [one["values"]["team"] for one in preview["sample"]] == ["Qualité", "Qualité", "Sales", "Sales"]
    await program.ok("max", "POST", f"/imports/{preview['id']}/confirm")
    people = (await program.ok("max", "GET", "/people"))["items"]
    assert Counter(one["team"] for one in people) == {"Qualité": 3, "Sales": 2, "IT": 2}
    found = (await program.ok("max", "GET", "/people?team=qualite"))["items"]
    assert {one["name"] for one in found} == {"Zoe", "A", "B"}
    match = {"If-Match": f'"{found[0]["version"]}"'}
    changed = await program.ok("root", "PATCH", f"/people/{found[0]['id']}", {"team": "SALES"}, headers=match)
    assert changed["team"] == "Sales"
    assert {
        event.data.team
        for event in await program.emitted()
        if isinstance(event.data, PersonProvisioned | PersonUpdated)
    } == {
        "Qualité",
        "Sales",
    }


async def test_a_repeated_upload_with_one_key_is_one_import(program: ProgramHarness) -> None:
    headers = {"Content-Type": "text/csv", "Idempotency-Key": "k1"}
    first, second = [
        (await program.call("max", "POST", "/imports", content=company(3), headers=headers)).json() for _ in range(2)
    ]
    assert first == second
    other = await program.refused("max", "POST", "/imports", content=company(4), headers=headers)
    assert other == (422, "idempotency-key-reused")
