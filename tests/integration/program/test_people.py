"""Signing in, preferences, and what administrators do, on real servers."""

from __future__ import annotations

import asyncio
from typing import Any

from herald_contracts import (
    AmbassadorJoined,
    AmbassadorLeft,
    AmbassadorPaused,
    PersonDeactivated,
    PersonProvisioned,
    PersonUpdated,
)
from tests.integration.harness import Harness, eventually
from tests.integration.program.conftest import GUIDELINES, ProgramHarness


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


async def test_who_was_cut_off_by_mistake_is_back_where_they_were(program: ProgramHarness) -> None:
    id = await program.sign_in("ada", "editor")
    program_id = await program.create_program(open=True)
    await program.ok("ada", "POST", f"/programs/{program_id}/join", {"consent_version": 1})
    await program.ok("ada", "POST", f"/programs/{program_id}/pause")
    mine = (await program.ok("ada", "GET", "/me"))["programs"]
    await program.ok("root", "POST", f"/people/{id}/deactivate")
    await program.forget()
    back = await program.ok("root", "POST", f"/people/{id}/reactivate")
    assert (back["active"], back["roles"]) == (True, ["ambassador", "editor"])
    assert (await program.ok("ada", "GET", "/me"))["programs"] == mine
    await program.ok("root", "POST", f"/people/{id}/reactivate")
    updated, joined, paused = [event.data for event in await program.emitted()]
    assert isinstance(updated, PersonUpdated)
    assert isinstance(joined, AmbassadorJoined)
    assert isinstance(paused, AmbassadorPaused)
    assert updated.revision == joined.revision == paused.revision
    assert joined.occurred_at == paused.occurred_at == updated.occurred_at
    assert (joined.program_id, joined.consent_version) == (program_id, 1)


async def test_names_are_for_everybody_and_leave_out_who_is_unknown(program: ProgramHarness) -> None:
    ada = await program.sign_in("ada")
    await program.ok("ada", "PATCH", "/me", {"hidden_from_rankings": True})
    await program.sign_in("bob")
    found = await program.ok("bob", "POST", "/people/names", {"ids": [ada, "nobody"]})
    assert found == {"names": {ada: {"name": "Ada", "team": "IT", "country": "FR", "site": None, "leader": False}}}
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
    program_id = await program.create_program()
    zoe = (await program.ok("max", "GET", "/people", params={"query": "zoe"}))["items"][0]["id"]
    grant = {"program_roles": [{"program_id": program_id, "role": "manager"}]}
    await program.ok("root", "PATCH", f"/people/{zoe}", grant, headers={"If-Match": "*"})
    assert await names(role="manager") == ["Max", "Zoé Dupont"]
    assert await names(role="manager", query="zoe") == ["Zoé Dupont"]
    assert await names(role="manager", limit="1") == ["Max"]
    assert await names(role="editor") == []


GUARDED: list[tuple[str, str, Any]] = [
    ("GET", "/people", None),
    ("GET", "/people/{id}", None),
    ("PATCH", "/people/{id}", {"roles": ["admin"]}),
    ("POST", "/people/{id}/deactivate", None),
    ("POST", "/people/{id}/reactivate", None),
    ("POST", "/people/{id}/merge", {"other_id": "y"}),
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


async def test_a_second_account_with_an_address_is_another_person(program: ProgramHarness) -> None:
    first = await program.sign_in("ada", "manager", "editor")
    second = await program.sign_in("ada-2", email="ADA@x.example", name="Somebody New")
    assert second != first
    me = await program.ok("ada-2", "GET", "/me")
    assert (me["email"], me["roles"], me["name"]) == (None, [], "Somebody New")
    seen = await program.ok("root", "GET", f"/people/{second}")
    assert (seen["same_address_as"], seen["merged_into"]) == (first, None)
    assert await program.sign_in("ada-2", email="ada@x.example") == second
    assert await program.sign_in("ada") == first
    assert (await program.ok("ada", "GET", "/me"))["roles"] == ["editor", "manager"]


async def test_the_address_of_a_first_administrator_makes_no_second_one(program: ProgramHarness) -> None:
    await program.sign_in("heir", email="root@x.example")
    assert (await program.ok("heir", "GET", "/me"))["roles"] == []
    assert await program.refused("heir", "GET", "/people") == (403, "role-missing")


async def test_the_address_of_one_who_left_is_a_new_persons(program: ProgramHarness) -> None:
    first = await program.sign_in("ada", "admin")
    await program.ok("root", "POST", f"/people/{first}/deactivate")
    second = await program.sign_in("ada-2", email="ada@x.example")
    assert (await program.ok("ada-2", "GET", "/me"))["roles"] == []
    assert second != first
    assert await program.refused("ada", "PUT", "/me", {}) == (403, "inactive")


async def test_two_first_sign_ins_at_once_with_one_imported_address_make_two(program: ProgramHarness) -> None:
    answer = await program.upload("email,name,country,team\nada@x.example,Ada,DE,Sales\n")
    await program.ok("max", "POST", f"/imports/{answer.json()['id']}/confirm")
    ids = await asyncio.gather(*(program.sign_in(f"ada-{n}", email="ada@x.example") for n in range(6)))
    assert len(set(ids)) == 6
    teams = [(await program.ok(f"ada-{n}", "GET", "/me"))["team"] for n in range(6)]
    assert sorted(teams) == ["IT"] * 5 + ["Sales"]


async def test_an_administrator_merges_two_persons(program: ProgramHarness) -> None:
    first = await program.sign_in("ada", "editor")
    second = await program.sign_in("ada-2", email="ada@x.example")
    program_id = await program.create_program(open=True)
    await program.ok("ada-2", "POST", f"/programs/{program_id}/join", {"consent_version": 1})
    path, body = f"/people/{first}/merge", {"other_id": second}
    assert await program.refused("max", "POST", path, body) == (403, "role-missing")
    assert await program.refused("root", "POST", path, body) == (428, "precondition-required")
    assert await program.refused("root", "POST", path, body, headers={"If-Match": '"9"'}) == (412, "stale-version")
    etag = (await program.call("root", "GET", f"/people/{first}")).headers["etag"]
    await program.forget()
    merged = await program.call("root", "POST", path, body, headers={"If-Match": etag})
    assert (merged.status_code, merged.json()["id"]) == (200, first)
    assert (await program.ok("ada-2", "GET", "/me"))["id"] == first
    assert (await program.ok("ada-2", "GET", "/me"))["roles"] == ["editor"]
    assert (await program.ok("root", "GET", f"/people/{second}"))["merged_into"] == first
    left, gone, deactivated, kept = [event.data for event in await program.emitted()]
    [act] = await program.acts()
    assert isinstance(left, AmbassadorLeft)
    assert isinstance(gone, PersonUpdated)
    assert (gone.person_id, gone.accounts, gone.roles, gone.active) == (second, [], [], False)
    assert isinstance(deactivated, PersonDeactivated)
    assert isinstance(kept, PersonUpdated)
    account = program.harness.issuer.account
    assert (kept.person_id, kept.accounts) == (first, [account("ada"), account("ada-2")])
    assert (act.act, act.actor_id, act.object_id) == ("merge_person", program.ids["root"], first)
    assert {change.field: change.after for change in act.changes}["other_id"] == second
    state = await program.state()
    assert (await program.ok("root", "POST", path, body, headers={"If-Match": etag}))["id"] == first
    assert await program.refused("root", "POST", f"/people/{second}/reactivate") == (409, "merged")
    assert await program.state() == state


async def test_a_merge_that_makes_no_sense_changes_nothing(program: ProgramHarness) -> None:
    ada, bob = await program.sign_in("ada"), await program.sign_in("bob")
    await program.ok("root", "POST", f"/people/{bob}/deactivate")
    before, match = await program.state(), {"If-Match": "*"}

    async def refused(id: str, other: str) -> tuple[int, str]:
        return await program.refused("root", "POST", f"/people/{id}/merge", {"other_id": other}, headers=match)

    assert await refused(ada, ada) == (409, "same-person")
    assert await refused(bob, ada) == (409, "inactive")
    assert await refused(ada, "nobody") == (404, "not-found")
    assert await refused("nobody", ada) == (404, "not-found")
    assert await refused(ada, program.ids["root"]) == (422, "own-account")
    assert await program.state() == before


async def test_a_manager_of_one_programme_manages_that_one(program: ProgramHarness) -> None:
    ada = await program.sign_in("ada")
    own, other = await program.create_program(), await program.create_program(name="Others")
    roles = [{"program_id": own, "role": "manager"}]
    path, match = f"/people/{ada}", {"If-Match": "*"}
    await program.forget()
    changed = await program.ok("root", "PATCH", path, {"program_roles": roles}, headers=match)
    assert (changed["program_roles"], changed["roles"]) == (roles, [])
    [event] = await program.emitted()
    assert event.data.model_dump()["program_roles"] == roles
    assert (await program.ok("ada", "GET", "/me"))["program_roles"] == roles
    await program.ok("ada", "POST", f"/programs/{own}/guidelines", {"texts": GUIDELINES})
    assert (await program.ok("ada", "GET", f"/people?program_id={own}"))["items"] == []
    refused = [
        ("POST", f"/programs/{other}/guidelines", {"texts": GUIDELINES}),
        ("GET", f"/people?program_id={other}", None),
        ("GET", "/people", None),
        ("GET", f"/people/export?program_id={own}", None),
        ("GET", f"/people/{ada}?program_id={own}", None),
        ("GET", f"/audit?program_id={own}", None),
    ]
    for method, path_, body in refused:
        assert await program.refused("ada", method, path_, body) == (403, "role-missing"), path_
    wrong = {"program_roles": [{"program_id": "nowhere", "role": "editor"}]}
    assert await program.refused("root", "PATCH", path, wrong, headers=match) == (422, "invalid")
    for role in ("admin", "ambassador"):
        wrong = {"program_roles": [{"program_id": own, "role": role}]}
        assert await program.refused("root", "PATCH", path, wrong, headers=match) == (422, "invalid")
    await program.invite(own, "ada")
    viewers = (await program.ok("ada", "GET", "/me/viewers"))["items"]
    assert ("Ada", "manager", own) in [(one["name"], one["role"], one["program_id"]) for one in viewers]


async def test_countries_teams_and_sites_come_with_how_many_are_there(program: ProgramHarness) -> None:
    rows = "".join(
        f"p{n}@x.example,P{n},{'FR' if n % 2 else 'DE'},T{n % 4},{'Lyon' if n < 5 else ''}\n" for n in range(8)
    )
    preview = (await program.upload(f"email,name,country,team,site\n{rows}")).json()
    await program.ok("max", "POST", f"/imports/{preview['id']}/confirm")
    program_id = await program.create_program(open=True)
    for who in ("p1", "p3"):
        await program.sign_in(who)
        await program.ok(who, "POST", f"/programs/{program_id}/join", {"consent_version": 1})
    await program.ok("root", "POST", f"/people/{program.ids['p3']}/deactivate")

    async def groups(**params: str) -> dict[str, dict[str, tuple[int, int]]]:
        found = await program.ok("max", "GET", "/people/groups", params=params)
        return {
            kind: {one["name"]: (one["people"], one["ambassadors"]) for one in some} for kind, some in found.items()
        }

    found = await groups(program_id=program_id)
    assert found["sites"] == {"Lyon": (4, 1)}
    assert found["countries"]["DE"] == (4, 0)
    assert {name: found["teams"][name] for name in ("T0", "T1", "T3")} == {"T0": (2, 0), "T1": (2, 1), "T3": (1, 0)}
    assert (await groups())["sites"] == {"Lyon": (4, 0)}
    assert await program.refused("p1", "GET", "/people/groups") == (403, "role-missing")
    path = f"/programs/{program_id}/invitations"
    invited = await program.ok("max", "POST", path, {"segment": {"sites": ["Lyon"]}})
    assert (invited["invited"], invited["skipped"]) == (3, {"inactive": 1, "already_joined": 1})
