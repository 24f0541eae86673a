"""Links, applications, one-time codes and diversity on real servers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from chassis.clock import FixedClock
from chassis.web.tokens import new_device_token
from herald_contracts import AmbassadorInvited, PersonUpdated
from services.program.app import build
from services.program.jobs import end_devices
from services.program.settings import ProgramSettings
from tests.integration.harness import Harness
from tests.integration.program.conftest import ProgramHarness

LINK = {"title": "Canteen", "headlines": {"fr": "Venez", "en": "Come"}}
BOTH = {"fr": "Pourquoi ?", "en": "Why?"}


async def made_link(program: ProgramHarness, path: str, **values: Any) -> Any:
    return await program.ok("max", "POST", f"{path}/invitation-links", {**LINK, **values})


async def frontline(program: ProgramHarness, name: str = "Olga Plant", external_id: str = "P-1") -> str:
    """Somebody from a file who has no e-mail address; their id."""
    file = f"external_id,name,country,team,email\n{external_id},{name},FR,Plant,\n"
    preview = (await program.upload(file, who="root")).json()
    await program.ok("root", "POST", f"/imports/{preview['id']}/confirm")
    found = await program.ok("root", "GET", "/people", params={"query": external_id})
    id: str = found["items"][0]["id"]
    return id


async def on_device(program: ProgramHarness, token: str, method: str, path: str, json: Any = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": "192.0.2.1"}
    return await program.client.request(method, f"/v1{path}", json=json, headers=headers)


async def test_a_link_invites_whoever_follows_it(program: ProgramHarness) -> None:
    path = f"/programs/{await program.create_program()}"
    link = await made_link(program, path)
    followed = f"/invitation-links/{link['token']}"
    await program.sign_in("ada")
    await program.forget()
    seen = await program.ok("ada", "GET", followed, params={"language": "en-GB"})
    assert (seen["program_name"], seen["headline"], seen["language"]) == ("Voices", "Come", "en")
    for _ in range(2):
        me = await program.ok("ada", "POST", f"{followed}/follow", {})
        assert me["programs"][0]["status"] == "invited"
    assert [type(one.data) for one in await program.emitted()] == [AmbassadorInvited]
    await program.ok("ada", "POST", f"{path}/join", {"consent_version": 1})
    listed = await program.ok("max", "GET", f"{path}/invitation-links", params={"query": "cant"})
    assert [(one["followed"], one["joined"]) for one in listed["items"]] == [(1, 1)]
    assert listed["total"] == 1

    one = f"{path}/invitation-links/{link['id']}"
    for _ in range(2):
        assert (await program.ok("max", "POST", f"{one}/withdraw"))["state"] == "withdrawn"
    await program.sign_in("bea")
    assert await program.refused("bea", "POST", f"{followed}/follow", {}) == (409, "link-closed")
    assert await program.refused("bea", "GET", followed) == (409, "link-closed")
    assert await program.refused("bea", "GET", "/invitation-links/guessed") == (404, "not-found")
    assert await program.refused("bea", "POST", f"{one}/reopen") == (403, "role-missing")
    await program.ok("max", "POST", f"{one}/reopen")
    await program.ok("max", "POST", f"{path}/archive")
    assert await program.refused("bea", "POST", f"{followed}/follow", {}) == (409, "program-archived")
    assert (await program.ok("bea", "GET", "/me"))["programs"] == []


async def test_a_link_that_asks_for_approval_enrols_nobody(program: ProgramHarness) -> None:
    path = f"/programs/{await program.create_program()}"
    link = await made_link(program, path, approval=True)
    change = {"nominations": False, "questions": [BOTH]}
    assert await program.refused("max", "PUT", f"{path}/admission", change) == (428, "precondition-required")
    await program.ok("max", "PUT", f"{path}/admission", change, headers={"If-Match": '"0"'})
    ada, bea = await program.sign_in("ada"), await program.sign_in("bea")
    follow = f"/invitation-links/{link['token']}/follow"
    assert (await program.ok("ada", "GET", follow.removesuffix("/follow")))["questions"] == ["Pourquoi ?"]
    assert (await program.call("ada", "POST", follow, {"answers": ["a", "b"]})).status_code == 422
    await program.ok("ada", "POST", follow, {"answers": ["For Lyon."]})
    assert await program.refused("ada", "POST", f"{path}/join", {"consent_version": 1}) == (403, "not-invited")
    assert await program.refused("bea", "POST", f"{path}/apply", {}) == (403, "no-nominations")
    waiting = await program.ok("max", "GET", f"{path}/applications")
    assert [(one["person_id"], one["answers"]) for one in waiting["items"]] == [(ada, ["For Lyon."])]
    assert await program.refused("ada", "GET", f"{path}/applications") == (403, "role-missing")

    approve = f"{path}/ambassadors/{ada}/approve"
    assert (await program.ok("max", "POST", approve))["status"] == "invited"
    assert (await program.ok("max", "POST", approve))["status"] == "invited"
    assert await program.service.context.admissions.answers(path.rpartition("/")[2], [ada]) == {}
    await program.ok("ada", "POST", f"{path}/join", {"consent_version": 1})
    assert await program.refused("max", "POST", f"{path}/ambassadors/{bea}/reject") == (409, "not-applied")
    assert [one.act for one in await program.acts()].count("approve_application") == 1


async def test_people_put_themselves_forward_where_the_programme_wants_it(program: ProgramHarness) -> None:
    path = f"/programs/{await program.create_program()}"
    await program.ok("max", "PUT", f"{path}/admission", {"nominations": True}, headers={"If-Match": '"0"'})
    ada = await program.sign_in("ada")
    await program.ok("ada", "POST", f"{path}/apply", {})
    assert (await program.ok("ada", "POST", f"{path}/withdraw-application"))["programs"] == []
    await program.ok("ada", "POST", f"{path}/apply", {})
    assert (await program.ok("max", "GET", f"{path}/ambassadors"))["counts"]["applied"] == 1
    await program.ok("max", "POST", f"{path}/ambassadors/{ada}/reject")
    assert await program.refused("ada", "POST", f"{path}/apply", {}) == (409, "application-rejected")
    assert (await program.invite(path.rpartition("/")[2], "ada"))["invited"] == 1


async def test_a_code_lets_one_device_in_as_an_ambassador(program: ProgramHarness) -> None:
    path = f"/programs/{await program.create_program()}"
    olga = await frontline(program)
    one = f"{path}/ambassadors/{olga}"
    assert await program.refused("max", "POST", f"{one}/code") == (409, "not-a-member")
    await program.ok("max", "POST", f"{path}/invitations", {"people": [olga]})
    await program.forget()
    replaced = await program.ok("max", "POST", f"{one}/code")
    code = (await program.ok("max", "POST", f"{one}/code"))["code"]
    phone, other = new_device_token(), new_device_token()
    assert (await on_device(program, phone, "POST", "/device", {"code": replaced["code"]})).status_code == 422
    assert (await on_device(program, phone, "GET", "/me")).status_code == 403
    both = [on_device(program, token, "POST", "/device", {"code": code.lower()}) for token in (phone, other)]
    answers = dict(zip((phone, other), await asyncio.gather(*both), strict=True))
    assert sorted(answer.status_code for answer in answers.values()) == [200, 422], "one use, also at once"
    [inside] = [token for token, answer in answers.items() if answer.status_code == 200]
    again = await on_device(program, inside, "POST", "/device", {"code": code})
    assert again.json() == answers[inside].json(), "repeated by the same device"

    me = await on_device(program, inside, "POST", f"{path}/join", {"consent_version": 1})
    assert me.json()["programs"][0]["status"] == "joined"
    [updated] = [event.data for event in await program.emitted() if isinstance(event.data, PersonUpdated)][:1]
    assert len(updated.accounts) == 1
    stored = str(await program.state())
    assert all(secret not in stored for secret in (inside, code, code.replace("-", "")))
    seen = await program.ok("max", "GET", f"{one}/access")
    assert (len(seen["devices"]), seen["code_until"], seen["may_have_code"]) == (1, None, True)
    assert [act.act for act in await program.acts()] == ["issue_code", "issue_code"]

    # Whatever she becomes, on this device she is an ambassador.
    person = await program.call("root", "GET", f"/people/{olga}")
    match = {"If-Match": person.headers["etag"]}
    await program.ok("root", "PATCH", f"/people/{olga}", {"roles": ["ambassador", "admin"]}, headers=match)
    for method, address in (("GET", "/people"), ("POST", f"{one}/code"), ("GET", f"{path}/ambassadors")):
        assert (await on_device(program, inside, method, address)).json()["type"].endswith("role-missing")
    assert (await on_device(program, inside, "PUT", "/me", {})).json()["type"].endswith("account-needed")
    assert await program.refused("max", "POST", "/device", {"code": code}) == (403, "device-needed")

    await program.ok("max", "POST", f"{one}/devices/end")
    assert (await on_device(program, inside, "GET", "/me")).status_code == 403
    assert (await program.ok("max", "POST", f"{one}/devices/end"))["devices"] == []


async def test_a_device_signs_itself_out_and_ends_with_its_time(program: ProgramHarness) -> None:
    path = f"/programs/{await program.create_program()}"
    olga = await frontline(program)
    await program.ok("max", "POST", f"{path}/invitations", {"people": [olga]})
    tokens = [new_device_token(), new_device_token()]
    for token in tokens:
        code = (await program.ok("max", "POST", f"{path}/ambassadors/{olga}/code"))["code"]
        assert (await on_device(program, token, "POST", "/device", {"code": code})).status_code == 200
    assert (await on_device(program, tokens[0], "POST", "/device/end")).status_code == 204
    assert [(await on_device(program, one, "GET", "/me")).status_code for one in tokens] == [403, 200]
    context: Any = program.service.context
    await context.mongo.db["people"].update_one({"_id": olga}, {"$set": {"devices.0.ends_at": datetime.now(UTC)}})
    job: Any = SimpleNamespace(lease=SimpleNamespace(transact=context.mongo.transact), may_go_on=True)
    await program.forget()
    await end_devices(context, job)
    assert (await on_device(program, tokens[1], "GET", "/me")).status_code == 403
    assert [event.data.accounts for event in await program.emitted() if isinstance(event.data, PersonUpdated)] == [[]]


async def test_a_code_ends_and_none_is_guessed(harness: Harness) -> None:
    clock = FixedClock(datetime.now(UTC))
    settings = harness.settings(ProgramSettings, program_admins="root@x.example", rate_codes="4/minute")
    service = build(settings, clock=clock)
    async with harness.api(service) as client:
        program = ProgramHarness(harness, service, client)
        await program.sign_in("root")
        await program.sign_in("max", "manager")
        path = f"/programs/{await program.create_program()}"
        olga = await frontline(program)
        await program.ok("max", "POST", f"{path}/invitations", {"people": [olga]})
        code = (await program.ok("max", "POST", f"{path}/ambassadors/{olga}/code"))["code"]
        clock.advance(timedelta(minutes=60))
        before = await program.state()
        token = new_device_token()
        tried = [await on_device(program, token, "POST", "/device", {"code": one}) for one in (code, "0000", "x" * 12)]
        assert {(one.status_code, one.json()["type"].rpartition("/")[2]) for one in tried} == {(422, "code-unknown")}
        assert await program.state() == before
        tried = [await on_device(program, new_device_token(), "POST", "/device", {"code": code}) for _ in range(2)]
        assert tried[-1].status_code == 429, "by address, whatever the token"
    await service.runtime.close()


@pytest.mark.parametrize("token", ["hdv_", "hdv_short", "hdv_" + "!" * 43])
async def test_what_is_no_token_of_a_device_is_refused(program: ProgramHarness, token: str) -> None:
    assert (await on_device(program, token, "POST", "/device", {"code": "x"})).status_code == 401
    assert (await on_device(program, new_device_token(), "GET", "/nothing-here")).status_code in (403, 404)


async def test_reasons_are_told_only_together(program: ProgramHarness) -> None:
    path = f"/programs/{await program.create_program(open=True)}"
    for number in range(5):
        who = f"p{number}"
        await program.sign_in(who)
        await program.ok(who, "POST", f"{path}/join", {"consent_version": 1})
        act = "pause" if number < 2 else "leave"
        assert (await program.ok("max", "GET", f"{path}/departures"))["leave"] == {}
        await program.ok(who, "POST", f"{path}/{act}", {"reason": "no_time"})
    found = await program.ok("max", "GET", f"{path}/departures")
    assert (found["pause"], found["leave"], found["min"]) == ({"no_time": 2}, {"no_time": 3}, 5)
    rows = await program.service.runtime.mongo.db["departures"].find().to_list()
    assert not any(id in str(rows) for id in program.ids.values())
    assert (await program.call("p0", "POST", f"{path}/leave", {"reason": "dislike"})).status_code == 422
    await program.ok("p0", "POST", f"{path}/leave")


async def test_diversity_hides_small_groups_and_says_whom_to_invite(program: ProgramHarness) -> None:
    lines = [f"L{n},Person {n},FR,Plant,Operator,Lyon" for n in range(12)]
    lines += [f"B{n},Person B{n},FR,Plant,Engineer,Brest" for n in range(3)]
    lines += [f"P{n},Person P{n},FR,Plant,Engineer,Paris" for n in range(8)]
    lines += [f"D{n},Person D{n},DE,Plant,Engineer,Berlin" for n in range(20)]
    preview = (await program.upload("external_id,name,country,team,role,site\n" + "\n".join(lines), who="root")).json()
    await program.ok("root", "POST", f"/imports/{preview['id']}/confirm")
    path = f"/programs/{await program.create_program()}"
    found = await program.ok("max", "GET", f"{path}/diversity")
    assert found["people"] == 45
    assert {one["name"]: one["people"] for one in found["countries"]["shown"]} == {"FR": 25, "DE": 20}
    assert {one["name"]: one["people"] for one in found["sites"]["shown"]} == {
        "Berlin": 20,
        "Lyon": 12,
        "Paris": 8,
    }
    assert (found["sites"]["hidden_groups"], found["sites"]["hidden_people"]) == (2, 5), "Brest, and who has no site"
    wanted = found["suggestion"]
    segment = {wanted["dimension"]: [wanted["name"]]}
    order = {"segment": segment, "limit": wanted["count"]}
    invited = await program.ok("max", "POST", f"{path}/invitations", {**order, "dry_run": True})
    assert invited["invited"] == wanted["count"] > 0
    nobody = {"segment": {"jobs": ["Astronaut"]}, "dry_run": True}
    assert (await program.ok("max", "POST", f"{path}/invitations", nobody))["invited"] == 0
