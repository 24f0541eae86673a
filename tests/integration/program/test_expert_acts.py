"""Talks and articles on real servers: declared, confirmed, and what that tells the others."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from chassis.service import Service
from herald_contracts import ActRecorded, ActWithdrawn
from services.program.jobs import expire_expert_acts
from tests.integration.program.conftest import ProgramHarness

TODAY = datetime.now(UTC).date()
TALK: dict[str, Any] = {
    "act": "talk",
    "title": "Twelve years of events",
    "link": "https://conference.example/talk",
    "happened_on": (TODAY - timedelta(days=3)).isoformat(),
}


async def _joined(program: ProgramHarness, *who: str) -> str:
    id = await program.create_program(open=True)
    for one in who:
        await program.sign_in(one)
        await program.ok(one, "POST", f"/programs/{id}/join", {"consent_version": 1})
    await program.forget()
    return f"/programs/{id}/expert-acts"


async def test_a_talk_is_declared_confirmed_and_taken_back(program: ProgramHarness) -> None:
    where = await _joined(program, "ada", "bea")
    act = await program.ok("ada", "POST", where, TALK)
    of = f"{where}/{act['id']}"
    assert (act["state"], act["person_id"]) == ("declared", program.ids["ada"])
    assert await program.refused("ada", "POST", where, TALK) == (409, "already-declared")
    assert await program.refused("ada", "POST", f"{of}/confirm") == (403, "role-missing")
    assert await program.refused("bea", "POST", f"{of}/withdraw") == (404, "not-found")
    assert await program.emitted() == []

    confirmed = await asyncio.gather(*(program.ok("max", "POST", f"{of}/confirm") for _ in range(4)))
    assert {one["state"] for one in confirmed} == {"confirmed"}
    [recorded] = [one.data for one in await program.emitted() if isinstance(one.data, ActRecorded)]
    assert (recorded.act, recorded.ambassador_id, recorded.object_id) == ("talk", program.ids["ada"], act["id"])
    assert await program.refused("max", "POST", f"{of}/refuse", {"reason": "No."}) == (409, "expert-act-not-declared")

    await program.ok("max", "POST", f"{of}/reopen")
    await program.ok("max", "POST", f"{of}/confirm")
    await program.ok("ada", "POST", f"{of}/withdraw")
    assert (await program.ok("ada", "POST", where, TALK))["state"] == "declared"  # the link is free again
    told = [one.data for one in await program.emitted() if isinstance(one.data, ActRecorded | ActWithdrawn)]
    assert [type(one) for one in told] == [ActRecorded, ActWithdrawn, ActRecorded, ActWithdrawn]
    assert [one.act_id for one in told[:2]] == [told[0].act_id] * 2 != [one.act_id for one in told[2:]]
    assert [one.reason for one in told if isinstance(one, ActWithdrawn)] == ["manager", "ambassador"]
    listed = await program.ok("max", "GET", where, params={"query": "twelve"})
    assert ([one["state"] for one in listed["items"]], listed["total"]) == (["declared", "withdrawn"], 2)
    assert (await program.ok("bea", "GET", f"{where}/mine"))["items"] == []
    withheld = [one for act in await program.acts() for one in act.changes if one.field in ("title", "link")]
    assert all(one.after is None for one in withheld)


async def test_a_lesson_may_come_before_an_expert_act(program: ProgramHarness) -> None:
    where = await _joined(program, "ada")
    lessons = where.replace("/expert-acts", "/lessons")
    texts = {code: {"title": "Experts", "text": "What a talk is."} for code in ("fr", "en")}
    lesson = await program.ok("max", "POST", lessons, {"texts": texts, "required_for": ["expert_act"]})
    assert (await program.ok("ada", "POST", where, TALK))["state"] == "declared"  # a draft requires nothing
    await program.ok("max", "POST", f"{lessons}/{lesson['id']}/publish")
    another = {**TALK, "link": "https://conference.example/another"}
    assert await program.refused("ada", "POST", where, another) == (409, "lesson-not-completed")
    read = where.replace("/expert-acts", f"/learning/{lesson['id']}/answers")
    await program.ok("ada", "POST", read, {"edition": 1, "language": "en", "answers": []})
    assert (await program.ok("ada", "POST", where, another))["state"] == "declared"


async def test_what_cannot_be_declared_changes_nothing(program: ProgramHarness) -> None:
    where = await _joined(program, "ada")
    before = await program.state()
    for change, expected in (
        ({"link": "http://10.0.0.7/talk"}, (422, "invalid")),
        ({"link": "ftp://conference.example/talk"}, (422, "invalid")),
        ({"link": "javascript:alert(1)"}, (422, "invalid")),
        ({"happened_on": (TODAY + timedelta(days=3)).isoformat()}, (422, "invalid")),
        ({"act": "hire"}, (422, "invalid")),
        ({"title": " "}, (422, "invalid")),
    ):
        assert await program.refused("ada", "POST", where, {**TALK, **change}) == expected, change
    assert await program.refused("max", "POST", where, TALK) == (409, "not-a-member")
    assert await program.state() == before


async def test_what_nobody_decides_expires(program: ProgramHarness, service: Service) -> None:
    where = await _joined(program, "ada")
    act = await program.ok("ada", "POST", where, TALK)
    rows = service.runtime.mongo.db["expert_acts"]
    await rows.update_one({"_id": act["id"]}, {"$set": {"expires_at": datetime.now(UTC) - timedelta(seconds=1)}})
    context: Any = service.context
    job: Any = SimpleNamespace(lease=SimpleNamespace(transact=context.mongo.transact), may_go_on=True)
    await expire_expert_acts(context, job)
    assert (await program.ok("ada", "GET", f"{where}/mine"))["items"][0]["state"] == "expired"
    assert await program.refused("max", "POST", f"{where}/{act['id']}/confirm") == (409, "expert-act-not-declared")
    assert await program.emitted() == []
