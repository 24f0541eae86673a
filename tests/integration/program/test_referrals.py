"""Referrals on real servers: from a link to a hire, by signed calls that nobody else can make."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import orjson
import pytest

from chassis.consumer import Received
from chassis.ids import new_id
from chassis.service import Service
from chassis.web.signatures import secret_of, sign
from herald.contracts.examples import example
from herald_contracts import ActRecorded, ContentPublished, ContentRetired, Event
from services.program.jobs import forget_candidates
from services.program.projections import project_job_offers
from tests.integration.program.conftest import RECRUITING_SECRET, ProgramHarness

SECRET = secret_of(RECRUITING_SECRET)
CANDIDATE = "ATS-20417"


def _received(event: Event) -> Received[Any]:
    names: dict[str, Any] = {"topic": event.topic, "partition": 0, "offset": 0, "traceparent": None, "tracestate": None}
    return Received(
        id=new_id(), type=event.type, subject=event.aggregate_id, time=datetime.now(UTC), data=event, **names
    )


async def _hear(service: Service, *events: Event) -> None:
    context: Any = service.context
    await context.mongo.transact(lambda tx: project_job_offers(context, tx, [_received(one) for one in events]))


def _offer(program_id: str, **changes: Any) -> ContentPublished:
    data = {**example("ContentPublished").data, "program_id": program_id, "kind": "job_offer", "shareable": True}
    variants = [{"language": "en", "title": "Engineer"}, {"language": "fr", "title": "Ingénieure"}]
    return ContentPublished.model_validate({**data, "content_id": "job", "variants": variants, **changes})


async def _linked(program: ProgramHarness, service: Service) -> tuple[str, str]:
    """A programme with an ambassador, `ada`, and the code of her link to an offer."""
    id = await program.create_program(open=True)
    await program.sign_in("ada")
    await program.ok("ada", "POST", f"/programs/{id}/join", {"consent_version": 1})
    await _hear(service, _offer(id))
    code = (await program.ok("ada", "POST", f"/programs/{id}/job-offers/job/link"))["code"]
    await program.forget()
    return id, code


async def _call(
    program: ProgramHarness, body: dict[str, Any], *, id: str | None = None, secret: bytes = SECRET, late: int = 0
) -> httpx.Response:
    """A call of the recruiting system."""
    id, at = id or new_id(), int(datetime.now(UTC).timestamp()) - late
    content = orjson.dumps(body)
    headers = {"webhook-id": id, "webhook-timestamp": str(at), "webhook-signature": sign(secret, id, at, content)}
    headers["content-type"] = "application/json"
    return await program.client.post("/v1/recruiting-calls", content=content, headers=headers)


def _said(code: str, state: str = "applied", **more: Any) -> dict[str, Any]:
    consent = {"consented_at": datetime.now(UTC).isoformat()} if state == "applied" else {}
    return {"link": code, "candidate": CANDIDATE, "state": state, **consent, **more}


async def test_a_candidate_is_referred_hired_and_forgotten(
    program: ProgramHarness, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    id, code = await _linked(program, service)
    where = f"/programs/{id}"
    assert (await program.ok("ada", "POST", f"{where}/job-offers/job/link"))["code"] == code
    offers = await program.ok("ada", "GET", f"{where}/job-offers", params={"language": "fr"})
    assert [(one["title"], one["code"]) for one in offers["items"]] == [("Ingénieure", code)]
    shown = await program.client.get(f"/v1/referral-links/{code}")  # without a token: a candidate follows it
    assert (shown.json()["title"], shown.json()["referrer"], shown.json()["open"]) == ("Engineer", "Ada", True)

    applied, again = _said(code, email="sam@mail.example"), new_id()
    assert (await _call(program, applied, id=again)).status_code == 204
    assert (await _call(program, applied, id=again)).status_code == 204
    assert await program.emitted() == []  # a name alone is no act
    said = await asyncio.gather(*(_call(program, _said(code, "hired")) for _ in range(3)))
    assert {one.status_code for one in said} == {204}
    told = [one.data for one in await program.emitted() if isinstance(one.data, ActRecorded)]
    assert [one.act for one in told] == ["referral", "hire"]
    assert {one.ambassador_id for one in told} == {program.ids["ada"]}

    [listed] = (await program.ok("max", "GET", f"{where}/referrals"))["items"]
    assert (listed["state"], listed["candidate"], listed["job_title"]) == ("hired", CANDIDATE, "Engineer")
    [mine] = (await program.ok("ada", "GET", f"{where}/referrals/mine"))["items"]
    assert (mine["state"], mine["candidate"]) == ("hired", None)
    rewarded = await program.ok("max", "POST", f"{where}/referrals/{listed['id']}/reward")
    assert rewarded["rewarded_at"] is not None

    db = service.runtime.mongo.db
    past = datetime.now(UTC) - timedelta(seconds=1)
    await db["referrals"].update_one({"_id": listed["id"]}, {"$set": {"delete_at": past}})
    context: Any = service.context
    job: Any = SimpleNamespace(lease=SimpleNamespace(transact=context.mongo.transact), may_go_on=True)
    await forget_candidates(context, job)
    [listed] = (await program.ok("max", "GET", f"{where}/referrals"))["items"]
    assert (listed["state"], listed["candidate"]) == ("hired", None)
    assert (await _call(program, _said(code, "rejected"))).status_code == 404  # nobody is known by that name
    everything = [str(await program.state()), caplog.text]
    assert not any(word in text for text in everything for word in (CANDIDATE, "sam@mail.example"))


async def test_a_call_that_is_wrong_changes_nothing(program: ProgramHarness, service: Service) -> None:
    id, code = await _linked(program, service)
    other = secret_of("whsec_" + "B" * 32)
    before = await program.state()
    for body, more, expected in (
        (_said(code), {"secret": other}, (401, "signature-refused")),
        (_said(code), {"late": 301}, (401, "signature-refused")),
        (_said(code), {"late": -301}, (401, "signature-refused")),
        (_said(code, "hired"), {}, (404, "not-found")),
        (_said("nobodyslink"), {}, (404, "not-found")),
        ({**_said(code), "consented_at": None}, {}, (422, "invalid")),
        (_said(code, email="Ada@x.example "), {}, (422, "own-referral")),
        ({**_said(code), "candidate": "Sam Smith <sam@mail.example>"}, {}, (422, "invalid")),
        ({**_said(code), "state": "promoted"}, {}, (422, "invalid")),
        ({**_said(code), "delete_on": "2026-01-01"}, {}, (422, "invalid")),
    ):
        answer = await _call(program, body, **more)
        assert (answer.status_code, answer.json()["type"]) == expected, body
    unsigned = await program.client.post("/v1/recruiting-calls", json=_said(code))
    assert (unsigned.status_code, unsigned.json()["type"]) == (401, "signature-refused")
    assert await program.refused("max", "POST", "/recruiting-calls", _said(code)) == (401, "signature-refused")
    assert await program.state() == before

    once = new_id()
    assert (await _call(program, _said(code), id=once)).status_code == 204
    reused = await _call(program, _said(code, "hired"), id=once)
    assert (reused.status_code, reused.json()["type"]) == (422, "call-id-reused")
    assert (await _call(program, _said(code, "interview"))).status_code == 204
    assert (await _call(program, _said(code, "in_review"))).json()["type"] == "referral-order"
    assert (await _call(program, _said(code, "withdrawn"))).status_code == 204
    [listed] = (await program.ok("max", "GET", f"/programs/{id}/referrals"))["items"]
    assert (listed["state"], listed["candidate"]) == ("withdrawn", None)


async def test_an_offer_that_is_over_takes_nobody(program: ProgramHarness, service: Service) -> None:
    id, code = await _linked(program, service)
    retired = ContentRetired(
        content_id="job", program_id=id, revision=9, occurred_at=datetime.now(UTC), reason="editor"
    )
    await _hear(service, retired, _offer(id, revision=8))
    assert (await program.ok("ada", "GET", f"/programs/{id}/job-offers"))["items"] == []
    assert (await _call(program, _said(code))).json()["type"] == "job-offer-closed"
    assert await program.refused("ada", "POST", f"/programs/{id}/job-offers/job/link") == (409, "job-offer-closed")
    assert (await program.client.get(f"/v1/referral-links/{code}")).json()["open"] is False
    assert await program.refused("max", "POST", f"/programs/{id}/job-offers/job/link") == (409, "not-a-member")
