"""Pulse surveys on real servers: asked of ambassadors, answered once, and read by nobody as somebody's."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from herald_contracts import FeedbackSubmitted, SurveyClosed
from services.program.domain.surveys import MAX_DRAFTS
from services.program.jobs import close_surveys
from tests.integration.program.conftest import ProgramHarness

TODAY = datetime.now(ZoneInfo("Europe/Paris")).date()
BOTH = {"fr": "J’ai le temps de partager.", "en": "I have the time to share."}
SURVEY = {
    "title": "Pulse",
    "opens_on": (TODAY - timedelta(days=2)).isoformat(),
    "closes_on": (TODAY + timedelta(days=9)).isoformat(),
    "enps": True,
    "questions": [BOTH],
    "prompt": {"fr": "Que changer ?", "en": "What to change?"},
}
PEOPLE = ("ada", "bea", "cem", "dia", "eli", "fay")


async def ambassadors(program: ProgramHarness, count: int = len(PEOPLE)) -> str:
    """An open programme with that many; its path."""
    path = f"/programs/{await program.create_program(open=True)}"
    for who in PEOPLE[:count]:
        await program.sign_in(who)
        await program.ok(who, "POST", f"{path}/join", {"consent_version": 1})
    await program.forget()
    return path


async def opened(program: ProgramHarness, path: str, **changes: Any) -> str:
    """The path of a survey that is asked."""
    made = await program.ok("max", "POST", f"{path}/surveys", {**SURVEY, **changes})
    one = f"{path}/surveys/{made['id']}"
    assert (await program.ok("max", "POST", f"{one}/open"))["state"] == "open"
    return one


def said(number: int) -> dict[str, Any]:
    return {"enps": 10 - number, "scores": [1 + number % 5], "text": f"Said as number {number}."}


async def answer(program: ProgramHarness, survey: str, *who: str) -> None:
    for one in who:
        found = await program.call(one, "POST", f"{survey}/answers", said(PEOPLE.index(one)))
        assert found.status_code == 204, found.text


async def run_the_job(program: ProgramHarness) -> None:
    """One run, as the holder of its lease does it."""
    context: Any = program.service.context
    job: Any = SimpleNamespace(lease=SimpleNamespace(transact=context.mongo.transact), may_go_on=True)
    await close_surveys(context, job)


async def test_a_survey_from_draft_to_results(program: ProgramHarness) -> None:
    path = await ambassadors(program)
    made = await program.call("max", "POST", f"{path}/surveys", {**SURVEY, "title": "First"})
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    survey = f"{path}/surveys/{made.json()['id']}"
    assert await program.refused("max", "PUT", survey, SURVEY) == (428, "precondition-required")
    changed = await program.call("max", "PUT", survey, SURVEY, headers={"If-Match": '"1"'})
    assert changed.json()["title"] == "Pulse"
    assert await program.ok("ada", "GET", f"{path}/surveys/running") == {"survey": None}
    assert await program.refused("ada", "POST", f"{survey}/answers", said(0)) == (409, "survey-not-open")
    assert await program.refused("ada", "POST", f"{survey}/open") == (403, "role-missing")
    assert await program.refused("ada", "GET", f"{survey}/results") == (403, "role-missing")
    await program.ok("max", "POST", f"{survey}/open")

    asked = (await program.ok("ada", "GET", f"{path}/surveys/running", params={"language": "en"}))["survey"]
    assert (asked["questions"], asked["prompt"], asked["answered"]) == ([BOTH["en"]], "What to change?", False)
    await answer(program, survey, *PEOPLE)
    assert (await program.ok("ada", "GET", f"{path}/surveys/running"))["survey"]["answered"]
    assert await program.refused("ada", "POST", f"{survey}/answers", said(3)) == (409, "already-answered")
    assert await program.refused("root", "POST", f"{survey}/answers", said(3)) == (409, "not-a-member")
    wrong = await program.call("root", "POST", f"{survey}/answers", {"enps": 11, "scores": [0]})
    assert [one["field"] for one in wrong.json()["errors"]] == ["enps", "scores.0"]
    for read in ("results", "texts"):
        assert await program.refused("max", "GET", f"{survey}/{read}") == (409, "survey-not-closed")
    assert await program.refused("max", "DELETE", survey) == (409, "survey-not-a-draft")
    assert await program.refused("max", "PUT", survey, SURVEY, headers={"If-Match": "*"}) == (
        409,
        "survey-not-a-draft",
    )

    await program.ok("max", "POST", f"{survey}/close")
    results = await program.ok("max", "GET", f"{survey}/results")
    assert (results["shown"], results["answers"], results["enps"]) == (True, 6, round(100 * (2 - 2) / 6, 1))
    assert results["questions"] == [{"mean": 2.67, "distribution": [2, 1, 1, 1, 1]}]
    page = await program.ok("max", "GET", f"{survey}/texts", params={"limit": 4})
    rest = await program.ok("max", "GET", f"{survey}/texts", params={"limit": 4, "cursor": page["next"]})
    assert sorted(page["items"] + rest["items"]) == [said(number)["text"] for number in range(6)]
    assert rest["next"] is None
    [point] = (await program.ok("max", "GET", f"{path}/surveys/trend"))["items"]
    assert (point["answers"], point["means"]) == (6, [2.67])
    for act in ("open", "withdraw"):
        assert await program.refused("max", "POST", f"{survey}/{act}") == (409, "survey-closed")
    assert await program.refused("fay", "POST", f"{survey}/answers", said(5)) == (409, "survey-not-open")
    acts = [one.act for one in await program.acts()]
    assert acts == ["create_survey", "change_survey", "open_survey", "close_survey"]


async def wave(program: ProgramHarness, path: str, *who: str, start: bool = True) -> str:
    """The id of a wave of these people, decided on so that another can follow."""
    number = len((await program.ok("max", "GET", f"{path}/waves"))["items"])
    day = (TODAY - timedelta(days=number)).isoformat()
    order = {"name": f"Wave {number}", "starts_on": day, "ends_on": day}
    order["criteria"] = {"people": [program.ids[one] for one in who]}  # type: ignore[assignment]
    made = await program.ok("max", "POST", f"{path}/waves", order)
    if start:
        await program.service.runtime.mongo.db["waves"].update_one(
            {"_id": made["id"]}, {"$set": {"ends_on": TODAY.isoformat()}}
        )
        await program.ok("max", "POST", f"{path}/waves/{made['id']}/start")
        said = {"decision": "go", "reasons": "They like it."}
        await program.ok("max", "POST", f"{path}/waves/{made['id']}/decision", said)
    return str(made["id"])


async def test_a_survey_of_a_wave_asks_its_ambassadors_and_nobody_else(program: ProgramHarness) -> None:
    path = await ambassadors(program)
    wrong = await program.call("max", "POST", f"{path}/surveys", {**SURVEY, "wave_id": "none"})
    assert [(one["field"], one["rule"]) for one in wrong.json()["errors"]] == [("wave_id", "unknown")]
    later = await wave(program, path, "ada", start=False)
    early = await program.ok("max", "POST", f"{path}/surveys", {**SURVEY, "wave_id": later})
    assert await program.refused("max", "POST", f"{path}/surveys/{early['id']}/open") == (409, "wave-not-started")
    assert (await program.call("max", "DELETE", f"{path}/waves/{later}")).status_code == 204
    assert (await program.call("max", "POST", f"{path}/surveys/{early['id']}/open")).status_code == 422

    pilot = await wave(program, path, *PEOPLE[:5])
    survey = await opened(program, path, wave_id=pilot)
    asked = (await program.ok("ada", "GET", f"{path}/surveys/running"))["survey"]
    assert (asked["wave"], asked["answered"]) == ("Wave 0", False)
    assert (await program.ok("fay", "GET", f"{path}/surveys/running"))["survey"] is None
    before = await program.state()
    assert await program.refused("fay", "POST", f"{survey}/answers", said(0)) == (409, "not-in-wave")
    assert await program.state() == before
    await answer(program, survey, *PEOPLE[:5])
    await program.forget()
    await program.ok("max", "POST", f"{survey}/close")
    [closed] = [one.data for one in await program.emitted() if isinstance(one.data, SurveyClosed)]
    assert (closed.wave_id, closed.answers) == (pilot, 5)
    assert (await program.ok("max", "GET", f"{survey}/results"))["answers"] == 5
    assert (await program.ok("max", "GET", f"{path}/surveys/trend"))["items"] == []

    # What one alone says, who is in no wave, would be the difference.
    whole = await program.ok("max", "POST", f"{path}/surveys", SURVEY)
    at = f"{path}/surveys/{whole['id']}/open"
    assert await program.refused("max", "POST", at) == (409, "too-few-besides")
    days = {"$set": {"closes_on": (TODAY - timedelta(days=91)).isoformat()}}
    await program.service.runtime.mongo.db["surveys"].update_one({"_id": survey.rpartition("/")[2]}, days)
    assert (await program.ok("max", "POST", at))["wave_id"] is None

    # Who leaves is asked no more, and four are too few.
    await program.ok("max", "POST", f"{path}/surveys/{whole['id']}/withdraw")
    await program.ok("ada", "POST", f"{path}/leave")
    again = await program.ok("max", "POST", f"{path}/surveys", {**SURVEY, "wave_id": pilot})
    refused = await program.refused("max", "POST", f"{path}/surveys/{again['id']}/open")
    assert refused == (409, "too-few-ambassadors")


async def test_of_few_answers_nothing_is_kept_and_one_more_changes_nothing(program: ProgramHarness) -> None:
    path = await ambassadors(program)
    told = []
    for count in (0, 1, 4):
        survey = await opened(program, path)
        await answer(program, survey, *PEOPLE[:count])
        await program.forget()
        await program.ok("max", "POST", f"{survey}/close")
        [event] = [one.data for one in await program.emitted()]
        assert isinstance(event, SurveyClosed)
        assert (event.answers, event.enps, event.means) == (None, None, [])
        written = await program.ok("max", "GET", f"{survey}/texts")
        told.append((await program.ok("max", "GET", f"{survey}/results"), written))
        state = await program.state()
        assert state["survey_tallies"] == state["survey_texts"] == []
        await run_the_job(program)
        assert (await program.state())["survey_tokens"] == []
    assert told[0] == told[1] == told[2]
    assert told[0][0]["shown"] is False
    assert (await program.ok("max", "GET", f"{path}/surveys/trend"))["items"] == []

    # Answers and the end at once: none is lost, none counted twice.
    survey = await opened(program, path)
    await answer(program, survey, *PEOPLE[:3])
    late = [program.call(who, "POST", f"{survey}/answers", said(3)) for who in PEOPLE[3:] for _ in range(2)]
    *answers, closed = await asyncio.gather(*late, program.call("max", "POST", f"{survey}/close"))
    assert closed.status_code == 200
    taken = 3 + sum(one.status_code == 204 for one in answers)
    assert {one.status_code for one in answers} <= {204, 409}
    results = await program.ok("max", "GET", f"{survey}/results")
    assert results["answers"] == (taken if taken >= 5 else None)
    assert await program.service.runtime.mongo.db["survey_tokens"].count_documents({}) == taken


async def test_one_is_asked_at_a_time_of_enough_people(program: ProgramHarness) -> None:
    path = await ambassadors(program, 4)
    made = await program.ok("max", "POST", f"{path}/surveys", SURVEY)
    survey = f"{path}/surveys/{made['id']}"
    assert await program.refused("max", "POST", f"{survey}/open") == (409, "too-few-ambassadors")
    await program.sign_in("eli")
    await program.ok("eli", "POST", f"{path}/join", {"consent_version": 1})
    other = f"{path}/surveys/{(await program.ok('max', 'POST', f'{path}/surveys', SURVEY))['id']}"
    both = await asyncio.gather(*(program.call("max", "POST", f"{one}/open") for one in (survey, other)))
    assert sorted(one.status_code for one in both) == [200, 409]
    running, waiting = (survey, other) if both[0].status_code == 200 else (other, survey)
    assert await program.refused("max", "POST", f"{waiting}/open") == (409, "survey-open")

    await answer(program, running, "ada", "bea")
    for _ in range(2):
        assert (await program.ok("max", "POST", f"{running}/withdraw"))["state"] == "draft"
    state = await program.state()
    assert state["survey_tallies"] == state["survey_texts"] == state["survey_tokens"] == []
    await program.ok("max", "POST", f"{running}/open")
    await answer(program, running, "ada")
    assert (await program.call("max", "DELETE", waiting)).status_code == 204
    for _ in range(MAX_DRAFTS):
        await program.ok("max", "POST", f"{path}/surveys", SURVEY)
    assert await program.refused("max", "POST", f"{path}/surveys", SURVEY) == (422, "too-many-drafts")


async def test_nothing_that_is_stored_or_sent_leads_from_an_answer_to_a_person(
    program: ProgramHarness, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    spans = InMemorySpanExporter()
    program.service.runtime.telemetry.tracer_provider.add_span_processor(SimpleSpanProcessor(spans))
    path = await ambassadors(program)
    survey = await opened(program, path)
    survey_id = survey.rpartition("/")[2]
    kept_before = await program.service.runtime.mongo.db["idempotency"].count_documents({})
    for number, who in enumerate(PEOPLE):
        headers = {"Idempotency-Key": f"key of {who}", **program.harness.bearer(who, sid=f"sign-in of {who}")}
        found = await program.call(who, "POST", f"{survey}/answers", said(number), headers=headers)
        assert found.status_code == 204
        assert found.headers.get("herald-events") is None

    db = program.service.runtime.mongo.db
    stored = {name: await db[name].find({}).to_list() for name in await db.list_collection_names()}
    people = {program.ids[who] for who in PEOPLE}
    marks = {said(number)["text"] for number in range(len(PEOPLE))}
    assert len(stored["idempotency"]) == kept_before, "its fingerprint is that of a body, and there are 1,375 of scores"

    answers = [*stored["survey_tallies"], *stored["survey_texts"]]
    assert {row["text"] for row in stored["survey_texts"]} == marks
    for row in answers:
        values = set(leaves(row))
        assert not values & people
        assert not [one for one in values if isinstance(one, datetime | date | bytes)], row
    assert [set(row) for row in stored["survey_tallies"]] == [{"_id", "answers", "enps", "scores"}]
    for row in stored["survey_texts"]:
        assert set(row) == {"_id", "survey_id", "text"}
        assert UUID(row["_id"]).version == 4, "any other tells of time, place or name"
    for name in ("survey_texts", "survey_tokens"):
        ids = [row["_id"] for row in await db[name].find({}, hint={"$natural": 1}).to_list()]
        assert ids == sorted(ids), f"{name} lie in the order of their insertion"
    for token in stored["survey_tokens"]:
        assert set(token) == {"_id", "survey_id", "person_id"}
        for row in answers:
            assert set(leaves(token)) & set(leaves(row)) == {survey_id}

    digests = {hashlib.sha256(json.dumps(said(number)).encode()).hexdigest() for number in range(len(PEOPLE))}
    elsewhere = [row for name, rows in stored.items() if name != "survey_texts" for row in rows]
    told = [repr(row) for row in elsewhere] + [span.to_json() for span in spans.get_finished_spans()] + [caplog.text]
    assert len(spans.get_finished_spans()) > len(PEOPLE)
    assert not [one for one in marks | digests if any(one in text for text in told)]

    await program.forget()
    yesterday = {"$set": {"closes_on": (TODAY - timedelta(days=2)).isoformat()}}
    await db["surveys"].update_one({"_id": survey_id}, yesterday)
    await run_the_job(program)
    assert (await program.ok("max", "GET", f"{survey}/results"))["answers"] == len(PEOPLE)
    events = [one.data for one in await program.emitted()]
    assert [type(one) for one in events] == [SurveyClosed, *[FeedbackSubmitted] * len(PEOPLE)]
    submitted = [one for one in events if isinstance(one, FeedbackSubmitted)]
    assert {one.person_id for one in submitted} == people
    assert len({one.occurred_at for one in submitted}) == 1, "when one answered is nobody's business"
    closed = repr([*events[:1], *await program.acts()])
    assert not [one for one in marks | people if one in closed]
    assert await db["survey_tokens"].count_documents({}) == 0


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for one in value.values():
            yield from leaves(one)
    elif isinstance(value, list):
        for one in value:
            yield from leaves(one)
    else:
        yield value
