"""Events on real servers: planned, answered, attended by a code, and who spoke."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from herald_contracts import ActRecorded, ActWithdrawn
from tests.integration.program.conftest import ProgramHarness


def _order(starts: timedelta = timedelta(minutes=30), **changes: Any) -> dict[str, Any]:
    at = datetime.now(UTC) + starts
    ends = at + timedelta(hours=2)
    return {
        "title": "Open day",
        "place": "Hall 3",
        "starts_at": at.isoformat(),
        "ends_at": ends.isoformat(),
        "audience": {"everybody": True},
        **changes,
    }


async def _joined(program: ProgramHarness, *who: str) -> str:
    id = await program.create_program(open=True)
    for one in who:
        await program.sign_in(one)
        await program.ok(one, "POST", f"/programs/{id}/join", {"consent_version": 1})
    await program.forget()
    return f"/programs/{id}/events"


async def test_who_scans_the_code_was_there_and_who_spoke_is_noted(program: ProgramHarness) -> None:
    where = await _joined(program, "ada", "bea")
    event = await program.ok("max", "POST", where, _order())
    of, scanned = f"{where}/{event['id']}", {"code": event["code"]}
    assert "code" not in (await program.ok("ada", "GET", f"{where}/upcoming"))["items"][0]
    for who, coming in (("ada", True), ("bea", False), ("bea", True)):
        assert (await program.call(who, "POST", f"{of}/reply", {"coming": coming})).status_code == 204
    assert (await program.ok("ada", "GET", f"/check-ins/{event['code']}"))["checked_in_at"] is None
    guest = f"{of}/guests/{program.ids['ada']}/speaker"
    assert await program.refused("max", "POST", guest) == (409, "not-checked-in")
    await asyncio.gather(*(program.ok("ada", "POST", "/check-ins", scanned) for _ in range(4)))
    assert await program.refused("max", "POST", f"{of}/cancel") == (409, "event-has-guests")
    for method in ("POST", "POST", "DELETE", "DELETE", "POST"):
        await program.ok("max", method, guest)
    told = [one.data for one in await program.emitted() if isinstance(one.data, ActRecorded | ActWithdrawn)]
    assert [(type(one), one.act) for one in told] == [
        (ActRecorded, "event"),
        (ActRecorded, "event_speaker"),
        (ActWithdrawn, "event_speaker"),
        (ActRecorded, "event_speaker"),
    ]
    assert told[1].act_id == told[2].act_id != told[3].act_id
    assert {(one.ambassador_id, one.object_id) for one in told} == {(program.ids["ada"], event["id"])}
    guests = (await program.ok("max", "GET", f"{of}/guests"))["items"]
    assert {one["person_id"]: one["spoke"] for one in guests} == {program.ids["ada"]: True, program.ids["bea"]: False}
    [listed] = (await program.ok("max", "GET", where))["items"]
    assert (listed["coming"], listed["there"]) == (2, 1)


async def test_a_code_is_of_no_use_to_strangers_or_at_another_time(program: ProgramHarness) -> None:
    where = await _joined(program, "ada")
    await program.sign_in("eve")
    events = {
        name: await program.ok("max", "POST", where, order)
        for name, order in (
            ("now", _order()),
            ("later", _order(timedelta(days=2))),
            ("cancelled", _order()),
            ("over", _order()),
        )
    }
    await program.ok("max", "POST", f"{where}/{events['cancelled']['id']}/cancel")
    past = datetime.now(UTC) - timedelta(minutes=1)
    rows = program.service.runtime.mongo.db["company_events"]
    await rows.update_one({"_id": events["over"]["id"]}, {"$set": {"ends_at": past}})
    before = await program.state()
    for who, name, expected in (
        ("eve", "now", "not-a-member"),
        ("ada", "later", "event-not-open"),
        ("ada", "cancelled", "event-cancelled"),
        ("ada", "over", "event-over"),
    ):
        assert await program.refused(who, "POST", "/check-ins", {"code": events[name]["code"]}) == (409, expected)
    assert await program.refused("ada", "POST", "/check-ins", {"code": "nothing"}) == (404, "not-found")
    assert await program.refused("eve", "GET", f"/check-ins/{events['now']['code']}") == (409, "not-a-member")
    assert await program.refused("max", "POST", where, _order(ends_at=past.isoformat())) == (422, "invalid")
    over = f"{where}/{events['over']['id']}"
    assert await program.refused("ada", "POST", f"{over}/reply", {"coming": True}) == (409, "event-over")
    assert await program.refused("max", "PUT", over, _order(), headers={"If-Match": "*"}) == (409, "event-over")
    assert await program.state() == before
    assert [one["id"] for one in (await program.ok("ada", "GET", f"{where}/upcoming"))["items"]] == [
        events["now"]["id"],
        events["later"]["id"],
    ]


async def test_whoever_an_event_is_not_for_neither_sees_it_nor_checks_in(program: ProgramHarness) -> None:
    where = await _joined(program, "ada", "bea")
    team = (await program.ok("ada", "GET", "/me"))["team"]
    await program.service.runtime.mongo.db["people"].update_one({"_id": program.ids["bea"]}, {"$set": {"team": "HR"}})
    event = await program.ok("max", "POST", where, _order(audience={"teams": [team.upper()]}))
    assert event["audience"] == {"everybody": False, "countries": [], "teams": [team], "sites": []}
    seen = {who: (await program.ok(who, "GET", f"{where}/upcoming"))["items"] for who in ("ada", "bea")}
    assert ([one["id"] for one in seen["ada"]], seen["bea"]) == ([event["id"]], [])
    before, of = await program.state(), f"{where}/{event['id']}"
    for method, path, body in (
        ("POST", f"{of}/reply", {"coming": True}),
        ("POST", "/check-ins", {"code": event["code"]}),
        ("GET", f"/check-ins/{event['code']}", None),
    ):
        assert await program.refused("bea", method, path, body) == (409, "not-a-guest")
    for nobody in ({}, {"everybody": True, "teams": ["HR"]}):
        answer = await program.call("max", "POST", where, _order(audience=nobody))
        assert [(one["field"], one["rule"]) for one in answer.json()["errors"]] == [("audience", "empty-segment")]
    assert (await program.call("max", "POST", where, {**_order(), "audience": None})).status_code == 422
    nowhere = _order(audience={"countries": ["AQ"]})
    assert await program.refused("max", "POST", where, nowhere) == (409, "no-guests")
    assert await program.refused("max", "PUT", of, nowhere, headers={"If-Match": "*"}) == (409, "no-guests")
    assert await program.state() == before

    await program.ok("ada", "POST", "/check-ins", {"code": event["code"]})
    moved = _order(audience={"teams": ["HR"]})
    await program.ok("max", "PUT", of, moved, headers={"If-Match": "*"})
    assert (await program.ok("ada", "GET", f"/check-ins/{event['code']}"))["checked_in_at"], "who was there was there"
    assert [one["id"] for one in (await program.ok("bea", "GET", f"{where}/upcoming"))["items"]] == [event["id"]]


async def test_who_leaves_is_expected_no_more_and_was_where_they_were(program: ProgramHarness) -> None:
    where = await _joined(program, "ada")
    here, later = [await program.ok("max", "POST", where, _order(days)) for days in (timedelta(0), timedelta(days=2))]
    for event in (here, later):
        await program.call("ada", "POST", f"{where}/{event['id']}/reply", {"coming": True})
    await program.ok("ada", "POST", "/check-ins", {"code": here["code"]})
    await program.ok("ada", "POST", f"{where.removesuffix('/events')}/leave")
    found = {one["id"]: (one["coming"], one["there"]) for one in (await program.ok("max", "GET", where))["items"]}
    assert found == {here["id"]: (1, 1), later["id"]: (0, 0)}
