"""Two persons who are merged: what the one had is the other's, wherever it is kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from chassis.web.signatures import SignedCall
from herald_contracts import LessonCompleted, ObjectiveSet
from services.program.commands.referrals import RecruitingCall, take_call
from services.program.context import Context
from services.program.domain.referrals import JobOffer
from services.program.store.merging import MOVED, STAYS
from tests.integration.program.conftest import OBJECTIVE, ProgramHarness
from tests.integration.program.test_deputies import shared, take

ANY = {"If-Match": "*"}
INFRASTRUCTURE = {"outbox", "inbox", "idempotency", "leases", "external_rows", "teams"}
SEEDED = MOVED.keys() - {"people.same_address_as"}
"""Where `old` has something before the merge; the address is tried in test_people.py."""


def places(value: Any, id: str, at: str) -> Iterator[str]:
    """Where the id is in a stored value, by the names on the way."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from places(one, id, f"{at}.{name}")
    elif isinstance(value, list):
        for one in value:
            yield from places(one, id, at)
    elif isinstance(value, str) and id in value:
        yield at


async def held(program: ProgramHarness, id: str) -> set[str]:
    state = await program.state()
    return {
        place
        for name, rows in state.items()
        if name not in INFRASTRUCTURE
        for row in rows
        for place in places(row, id, name)
    }


def is_let(place: str) -> bool:
    """Whether it may be left behind; what is in both lists is, in these tests, what moves."""
    return place not in MOVED and (place in STAYS or place.partition(".")[0] in STAYS)


async def lived(program: ProgramHarness) -> tuple[str, str, str]:
    """`old` does all there is to do in a programme in which `new` takes part too; its path, and their ids."""
    path = f"/programs/{await program.create_program(open=True)}"
    for who in ("old", "new", "lea", *(f"a{number}" for number in range(5))):
        await program.sign_in(who)
        await program.ok(who, "POST", f"{path}/join", {"consent_version": 1})
    old, new = program.ids["old"], program.ids["new"]
    for who in ("old", "lea"):
        await program.ok("root", "PATCH", f"/people/{program.ids[who]}", {"leader": True}, headers=ANY)
    await program.ok("root", "PATCH", f"/people/{old}", {"roles": ["editor"]}, headers=ANY)
    today = datetime.now(UTC).date()
    days = {"starts_on": today.isoformat(), "ends_on": (today + timedelta(days=9)).isoformat()}
    await program.ok("max", "POST", f"{path}/tasks", {"title": "Write", "due_on": today.isoformat(), "owner_id": old})
    await program.ok("max", "POST", f"{path}/objectives", {**OBJECTIVE, "owner_id": old})
    await program.ok("max", "POST", f"{path}/waves", {"name": "Pilot", **days, "criteria": {"people": [old, new]}})
    lesson = {"texts": {one: {"title": "First", "text": "Two taps."} for one in ("fr", "en")}}
    lesson = await program.ok("max", "POST", f"{path}/lessons", lesson)
    await program.ok("max", "POST", f"{path}/lessons/{lesson['id']}/publish")
    answers = {"language": "en", "edition": 1, "answers": []}
    await program.ok("old", "POST", f"{path}/learning/{lesson['id']}/answers", answers)
    survey = {"title": "Pulse", "opens_on": today.isoformat(), "closes_on": days["ends_on"], "enps": True}
    survey = await program.ok("max", "POST", f"{path}/surveys", survey)
    await program.ok("max", "POST", f"{path}/surveys/{survey['id']}/open")
    assert (await program.call("old", "POST", f"{path}/surveys/{survey['id']}/answers", {"enps": 9})).is_success
    await program.ok("old", "POST", f"{path}/feedback", {"kind": "comment", "text": "More", "language": "en"})
    talk = {"act": "talk", "title": "Events", "link": "https://conf.example/t", "happened_on": today.isoformat()}
    await program.ok("old", "POST", f"{path}/expert-acts", talk)
    await _referral(program, path)
    soon = datetime.now(UTC) + timedelta(days=2)
    hour = {"starts_at": soon.isoformat(), "ends_at": (soon + timedelta(hours=1)).isoformat()}
    event: Any = {"title": "Day", **hour, "audience": {"everybody": True}}
    event = await program.ok("max", "POST", f"{path}/events", event)
    assert (await program.call("old", "POST", f"{path}/events/{event['id']}/reply", {"coming": True})).is_success
    await program.ok("old", "POST", f"{path}/calendar/feed", {"language": "en"})
    program_id = path.rpartition("/")[2]
    await program.ok("old", "PUT", "/me/mails", {"kind": "newsletter", "program_id": program_id, "wanted": False})
    for leader, person in (("lea", "old"), ("old", "a1"), ("old", "new"), ("old", "a2")):
        named = await program.ok(leader, "POST", f"{path}/deputies", {"person": f"{person}@x.example"})
        if person != "new":
            await program.ok(person, "POST", f"{path}/deputies/{named['id']}/accept")
            words = {"content_id": "c1" if person != "a2" else "c2", "language": "en", "caption": "Proud"}
            await program.ok(person, "POST", f"{path}/deputies/{named['id']}/prepared", words)
    await take(program, shared(program, path, "old", "c9"))
    closed = await program.create_program()
    nominated = {"nominations": True, "questions": [{"fr": "Pourquoi ?", "en": "Why?"}]}
    await program.ok("max", "PUT", f"/programs/{closed}/admission", nominated, headers={"If-Match": '"0"'})
    await program.ok("old", "POST", f"/programs/{closed}/apply", {"answers": ["Because."]})
    await _as_by_others(program, old, program_id)
    return path, old, new


async def _referral(program: ProgramHarness, path: str) -> None:
    """A link to a job offer, and a candidate who came by it."""
    context: Context = program.service.context
    offer = JobOffer("job", path.rpartition("/")[2], 1, {"en": "Engineer"}, "https://jobs.example/1", open=True)
    await context.mongo.transact(lambda tx: context.referrals.put_offers([offer], tx))
    code = (await program.ok("old", "POST", f"{path}/job-offers/job/link"))["code"]
    said = RecruitingCall(link=code, candidate="ATS-1", state="applied", consented_at=datetime.now(UTC))
    await context.mongo.transact(partial(take_call, context, signed=SignedCall("1", "1"), call=said))


async def _as_by_others(program: ProgramHarness, old: str, program_id: str) -> None:
    """Rows that come of other people, of mail servers, or of a merge before."""
    db, now = program.service.runtime.mongo.db, datetime.now(UTC)
    await program.sign_in("third")
    await db["people"].update_one({"_id": program.ids["third"]}, {"$set": {"merged_into": old}})
    mail = {"kind": "newsletter", "program_id": program_id, "person_id": old, "due_at": now, "created_at": now}
    mail |= {"state": "due", "attempts": 0, "claim": None, "test": False}
    rows = [{"_id": f"newsletter:{one}:{old}", "subject_id": one, "token": one, **mail} for one in ("n1", "n2")]
    await db["mails"].insert_many(rows)
    twice = {**rows[0], "_id": f"newsletter:n1:{program.ids['new']}", "person_id": program.ids["new"], "token": "n1b"}
    await db["mails"].insert_one(twice)


async def test_nothing_of_a_merged_person_is_left_behind(program: ProgramHarness) -> None:
    path, old, new = await lived(program)
    before = await held(program, old)
    assert SEEDED - before == set()  # there is something to leave behind
    await program.forget()
    version = (await program.call("root", "GET", f"/people/{new}")).headers["etag"]
    await program.ok("root", "POST", f"/people/{new}/merge", {"other_id": old}, headers={"If-Match": version})
    left = {one for one in await held(program, old) if not is_let(one)}
    assert left == set()

    events = [event.data for event in await program.emitted()]
    assert [one.owner_id for one in events if isinstance(one, ObjectiveSet)] == [new]
    assert [one.person_id for one in events if isinstance(one, LessonCompleted)] == [new]
    [task] = (await program.ok("max", "GET", f"{path}/tasks"))["items"]
    assert task["owner_id"] == new
    assert len((await program.ok("new", "GET", f"{path}/feedback/mine"))["items"]) == 1
    [choice] = [
        one for one in (await program.ok("new", "GET", "/me/mails"))["choices"]
        if one["kind"] == "newsletter" and one["program_id"] == path.rpartition("/")[2]
    ]  # fmt: skip
    assert choice["wanted"] is False
    answers = f"{path}/surveys/{await _survey(program, path)}/answers"
    assert (await program.refused("new", "POST", answers, {"enps": 9}))[1] == "already-answered"
    mails = {one["_id"]: one["state"] for one in (await program.state())["mails"]}
    assert mails == {f"newsletter:n1:{old}": "skipped", f"newsletter:n1:{new}": "due", f"newsletter:n2:{new}": "due"}
    deputies = (await program.ok("new", "GET", f"{path}/deputies/mine"))["items"]
    live = {(one["leader_id"], one["person_id"]) for one in deputies if one["state"] in ("named", "accepted")}
    ids = program.ids
    assert live == {(ids["lea"], new), (new, ids["a1"]), (new, ids["a2"])}  # nobody is their own
    closed = [one for one in (await program.ok("new", "GET", "/me"))["programs"] if one["status"] == "applied"]
    assert len(closed) == 1


async def _survey(program: ProgramHarness, path: str) -> str:
    return str((await program.ok("max", "GET", f"{path}/surveys"))["items"][0]["id"])


async def test_links_in_mails_and_to_jobs_lead_to_whom_somebody_became(program: ProgramHarness) -> None:
    path, old, new = await lived(program)
    own = (await program.ok("new", "POST", f"{path}/job-offers/job/link"))["code"]
    rows = (await program.state())["referral_links"]
    theirs = next(one["_id"] for one in rows if one["person_id"] == old)
    token = next(one["token"] for one in (await program.state())["mail_readers"] if one["_id"] == old)
    await program.ok("root", "POST", f"/people/{new}/merge", {"other_id": old}, headers=ANY)
    kept = {one["_id"]: one["person_id"] for one in (await program.state())["referral_links"]}
    assert kept == {own: new, theirs: old}  # each has one to a job
    context: Context = program.service.context
    said = RecruitingCall(link=theirs, candidate="ATS-2", state="applied", consented_at=datetime.now(UTC))
    await context.mongo.transact(partial(take_call, context, signed=SignedCall("2", "2"), call=said))
    assert {one["person_id"] for one in (await program.state())["referrals"]} == {new}
    link = f"/mail/{token}/lesson-reminder/{path.rpartition('/')[2]}"
    assert (await program.ok("nobody", "GET", link))["wanted"] is True
    assert (await program.call("nobody", "POST", f"{link}/unsubscribe")).is_success
    assert (await program.ok("nobody", "GET", link))["wanted"] is False
    silenced = {one["_id"]: one["silenced"] for one in (await program.state())["mail_readers"]}
    assert any(one.startswith("lesson-reminder:") for one in silenced[new])


async def test_who_declined_for_good_is_asked_no_more_as_somebody_else(program: ProgramHarness) -> None:
    closed = await program.create_program()
    for who in ("old", "new"):
        await program.sign_in(who)
    await program.invite(closed, "old")
    await program.ok("old", "POST", f"/programs/{closed}/decline")
    ids = program.ids
    await program.ok("root", "POST", f"/people/{ids['new']}/merge", {"other_id": ids["old"]}, headers=ANY)
    again = await program.invite(closed, "new")
    assert (again["invited"], again["skipped"]) == (0, {"declined": 1})
