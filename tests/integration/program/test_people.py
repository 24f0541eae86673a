"""Signing in, preferences, and what administrators do, on real servers."""

from __future__ import annotations

import asyncio
from typing import Any

from herald_contracts import AmbassadorLeft, PersonDeactivated, PersonProvisioned, PersonUpdated
from tests.integration.harness import Harness, eventually
from tests.integration.program.conftest import ProgramHarness


async def test_a_first_sign_in_makes_the_person_and_the_next_one_changes_nothing(program: ProgramHarness) -> None:
    id = await program.sign_in("ada", name="Ada L.", locale="fr-CA", country="CA", team="Research")
    [event] = await program.emitted()
    assert isinstance(event.data, PersonProvisioned)
    assert (event.partitionkey, event.data.origin, event.data.revision) == (id, "sign_in", 1)
    assert (event.data.country, event.data.team, event.data.locale) == ("CA", "Research", "fr-CA")
    assert event.data.accounts == [program.harness.issuer.account("ada")]
    assert await program.sign_in("ada") == id
    assert len(await program.emitted()) == 1
    me = await program.ok("ada", "GET", "/me")
    assert (me["name"], me["email"], me["roles"], me["programs"]) == ("Ada L.", "ada@x.example", [], [])


async def test_ten_first_sign_ins_at_once_make_one_person(program: ProgramHarness) -> None:
    ids = await asyncio.gather(*(program.sign_in("ada") for _ in range(10)))
    assert len(set(ids)) == 1
    assert await program.emitted_types() == ["PersonProvisioned"]


async def test_who_was_imported_is_known_by_a_verified_address_alone(program: ProgramHarness) -> None:
    answer = await program.upload("email,name,country,team,locale\nada@x.example,Ada Imported,DE,Sales,en\n")
    await program.ok("max", "POST", f"/imports/{answer.json()['id']}/confirm")
    stranger = await program.sign_in("eve", email="ada@x.example", email_verified=False)
    linked = await program.sign_in("ada", email="ADA@x.example", name="Somebody", country="FR")
    assert stranger != linked
    me = await program.ok("ada", "GET", "/me")
    assert (me["name"], me["country"], me["team"]) == ("Ada Imported", "DE", "Sales")
    assert (await program.ok("eve", "GET", "/me"))["email"] is None
    last = (await program.emitted())[-1].data
    assert isinstance(last, PersonUpdated)
    assert (last.person_id, last.revision, last.accounts) == (linked, 2, [program.harness.issuer.account("ada")])


async def test_administrators_are_made_when_they_first_sign_in_and_only_then(program: ProgramHarness) -> None:
    assert (await program.ok("root", "GET", "/me"))["roles"] == ["admin"]
    await program.sign_in("bob", "admin")
    person = await program.call("bob", "GET", f"/people/{program.ids['root']}")
    match = {"If-Match": person.headers["etag"]}
    await program.ok("bob", "PATCH", f"/people/{program.ids['root']}", {"roles": []}, headers=match)
    await program.sign_in("root")
    assert (await program.ok("root", "GET", "/me"))["roles"] == []


async def test_events_of_people_reach_kafka_in_order(harness: Harness, program: ProgramHarness) -> None:
    async with harness.worker(program.service):
        id = await program.sign_in("ada")
        for hidden in (True, False, True):
            await program.ok("ada", "PATCH", "/me", {"hidden_from_rankings": hidden})
        await program.ok("root", "POST", f"/people/{id}/deactivate")
        events = await eventually(lambda: harness.events("herald.people"), until=lambda found: len(found) == 5)
    mine = [event.data for event in events if event.partitionkey == id]
    assert [type(one) for one in mine] == [PersonProvisioned, *[PersonUpdated] * 3, PersonDeactivated]
    assert [one.revision for one in mine] == [1, 2, 3, 4, 5]  # type: ignore[attr-defined]
    assert [one.hidden_from_rankings for one in mine if isinstance(one, PersonUpdated)] == [True, False, True]
    records = await harness.records("herald.people")
    said = b" ".join(part or b"" for one in records for part in (one.key, one.value, *dict(one.headers).values()))
    assert id.encode() in said
    assert b"ada@" not in said
    assert b"Ada" not in said


async def test_what_people_choose_is_theirs(program: ProgramHarness) -> None:
    await program.sign_in("ada", locale="en")
    me = await program.ok("ada", "PATCH", "/me", {"locale": "fr_FR", "hidden_from_statistics": True})
    assert (me["locale"], me["hidden_from_rankings"], me["hidden_from_statistics"]) == ("fr-FR", False, True)
    before = len(await program.emitted())
    await program.ok("ada", "PATCH", "/me", {"locale": "fr-FR"})
    assert len(await program.emitted()) == before
    answer = await program.upload("email,name,country,team,locale\nada@x.example,Ada,FR,IT,en\n")
    assert (answer.json()["changed"], answer.json()["unchanged"]) == (0, 1)


async def test_an_administrator_changes_a_person_under_its_version(program: ProgramHarness) -> None:
    id = await program.sign_in("ada")
    path = f"/people/{id}"
    assert await program.refused("root", "PATCH", path, {"team": "Sales"}) == (428, "precondition-required")
    first = (await program.call("root", "GET", path)).headers["etag"]
    changed = await program.call(
        "root", "PATCH", path, {"team": "Sales", "leader": True, "roles": ["editor"]}, headers={"If-Match": first}
    )
    assert changed.headers["etag"] == '"2"'
    assert (changed.json()["team"], changed.json()["leader"], changed.json()["roles"]) == ("Sales", True, ["editor"])
    before = await program.state()
    stale = await program.refused("root", "PATCH", path, {"team": "Other"}, headers={"If-Match": first})
    assert stale == (412, "stale-version")
    for wrong in ('"x"', "7", 'W/"99"'):
        assert (await program.refused("root", "PATCH", path, {"team": "T"}, headers={"If-Match": wrong}))[0] == 412
    assert await program.state() == before


async def test_two_changes_of_one_version_at_once_make_one(program: ProgramHarness) -> None:
    path = f"/people/{await program.sign_in('ada')}"
    etag = (await program.call("root", "GET", path)).headers["etag"]
    answers = await asyncio.gather(
        *(program.call("root", "PATCH", path, {"team": f"T{n}"}, headers={"If-Match": etag}) for n in range(6))
    )
    assert sorted(answer.status_code for answer in answers) == [200, *[412] * 5]
    assert await program.emitted_types() == ["PersonProvisioned", "PersonUpdated"]


async def test_who_left_is_cut_off_and_leaves_their_programmes(program: ProgramHarness) -> None:
    await program.sign_in("ada", "editor")
    program_id = await program.create_program(open=True)
    await program.ok("ada", "POST", f"/programs/{program_id}/join", {"consent_version": 1})
    await program.forget()
    path = f"/people/{program.ids['ada']}"
    gone = await program.ok("root", "POST", f"{path}/deactivate")
    assert (gone["active"], gone["roles"], gone["programs"][0]["status"]) == (False, ["editor"], "left")
    await program.ok("root", "POST", f"{path}/deactivate")
    left, deactivated = [event.data for event in await program.emitted()]
    assert isinstance(left, AmbassadorLeft)
    assert (left.reason, left.program_id) == ("deactivated", program_id)
    assert isinstance(deactivated, PersonDeactivated)
    assert await program.refused("ada", "GET", "/me") == (403, "inactive")
    assert await program.refused("ada", "PUT", "/me", {}) == (403, "inactive")
    back = await program.ok("root", "POST", f"{path}/reactivate")
    assert (back["active"], back["roles"]) == (True, ["editor"])
    assert (await program.ok("ada", "GET", "/me"))["programs"][0]["status"] == "left"


async def test_names_are_for_everybody_and_leave_out_who_is_unknown(program: ProgramHarness) -> None:
    ada = await program.sign_in("ada")
    await program.ok("ada", "PATCH", "/me", {"hidden_from_rankings": True})
    await program.sign_in("bob")
    found = await program.ok("bob", "POST", "/people/names", {"ids": [ada, "nobody"]})
    assert found == {"names": {ada: {"name": "Ada", "team": "IT", "country": "FR", "leader": False}}}
    assert (await program.refused("bob", "POST", "/people/names", {"ids": ["x"] * 201})) == (422, "invalid")


async def test_people_are_listed_by_name_page_by_page_and_found_by_words(program: ProgramHarness) -> None:
    rows = "".join(f"p{n}@x.example,Péter N{n:02},{'FR' if n % 2 else 'DE'},T{n % 3},{n == 7}\n" for n in range(25))
    answer = await program.upload(f"email,name,country,team,leader\n{rows}zoe@x.example,Zoé Dupont,FR,T9,no\n")
    await program.ok("max", "POST", f"/imports/{answer.json()['id']}/confirm")
    found: list[str] = []
    cursor = None
    while True:
        params = {"limit": 10, **({"cursor": cursor} if cursor else {})}
        page = await program.ok("max", "GET", "/people", params=params)
        found += [one["name"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == ["Max", *(f"Péter N{n:02}" for n in range(25)), "Root", "Zoé Dupont"]

    async def names(**params: str) -> list[str]:
        return [one["name"] for one in (await program.ok("max", "GET", "/people", params=params))["items"]]

    assert await names(query="zoe dup") == ["Zoé Dupont"]
    assert await names(query="ZOÉ@x.ex") == ["Zoé Dupont"]
    assert await names(query="dup zo") == ["Zoé Dupont"]
    assert await names(query="oe") == []
    assert await names(query="?!") == []
    assert len(await names(country="DE", team="T0")) == 5
    assert await names(role="manager") == ["Max"]


GUARDED: list[tuple[str, str, Any]] = [
    ("GET", "/people", None),
    ("GET", "/people/{id}", None),
    ("PATCH", "/people/{id}", {"roles": ["admin"]}),
    ("POST", "/people/{id}/deactivate", None),
    ("POST", "/people/{id}/reactivate", None),
    ("POST", "/programs", {"name": "P", "time_zone": "UTC", "languages": ["en"], "consent": {"en": "C"}}),
    ("GET", "/imports/x", None),
    ("POST", "/imports/x/confirm", None),
    ("GET", "/programs/x/ambassadors", None),
    ("POST", "/programs/x/invitations", {"people": ["y"]}),
]


async def test_roles_are_asked_for(program: ProgramHarness) -> None:
    id = await program.sign_in("ada", "editor")
    before = await program.state()
    for method, path, body in GUARDED:
        refusal = await program.refused("ada", method, path.format(id=id), body, headers={"If-Match": '"1"'})
        assert refusal == (403, "role-missing"), (method, path)
    assert await program.state() == before


async def test_machines_are_no_persons(program: ProgramHarness) -> None:
    token = {"Authorization": f"Bearer {program.harness.issuer.machine_token('loader')}"}
    for method, path in (("PUT", "/v1/me"), ("GET", "/v1/me"), ("POST", "/v1/programs/x/leave")):
        answer = await program.client.request(method, path, json={}, headers=token)
        assert (answer.status_code, answer.json()["type"]) == (403, "person-needed")
    people = await program.ok("root", "GET", "/people")
    assert len(people["items"]) == 2


async def test_people_read_who_sees_their_data(program: ProgramHarness) -> None:
    await program.sign_in("ada")
    found = await program.ok("ada", "GET", "/me/viewers")
    roles = [(one["name"], one["role"], one["program_id"]) for one in found["items"]]
    assert roles == [("Root", "admin", None), ("Max", "manager", None)]
    assert found["more"] is False
    await program.ok("root", "POST", f"/people/{program.ids['max']}/deactivate")
    [left] = (await program.ok("ada", "GET", "/me/viewers"))["items"]
    assert left["name"] == "Root"
