"""Guidelines with a quiz in the share sheet: explained in the sheet until all is right, and then on to the caption."""

from __future__ import annotations

from typing import Any

import httpx
import orjson

from services.hub.view import mask
from tests.integration.hub.harness import Browser

ITEM = {"id": "i1", "program_id": "p1", "title": "Half the water", "language": "fr", "captions": []}
GUIDELINES: dict[str, Any] = {
    "program_id": "p1",
    "version": 2,
    "language": "fr",
    "text": "## Parlez pour vous",
    "dos": [{"text": "Dites ce que vous avez vu", "example": "J’y étais."}],
    "donts": [],
    "questions": [{"text": "Qui publie ?", "choices": ["Herald", "Vous"], "several": False}],
}
SENT = {"network": "linkedin", "program_id": "p1", "version": "2", "language": "fr", "questions": "1"}


async def test_the_sheet_has_the_quiz_until_it_is_passed(browser: Browser) -> None:
    me = browser.network.answers["/v1/me"]
    browser.network.answers |= {
        "/v1/me": {**me, "programs": [{**me["programs"][0], "must_acknowledge": True}]},
        "/v1/feed/i1": ITEM,
        "/v1/programs/p1/guidelines": GUIDELINES,
        "/v1/programs/p1/guidelines/2/answers": _judge,
    }
    csrf = mask((await browser.sign_in()).csrf)
    sheet = (await browser.client.get("/feed/i1/share?network=linkedin")).text
    assert "J’y étais." in sheet
    assert 'name="answer_0"' in sheet
    headers = {"HX-Request": "true"}
    order = {**SENT, "csrf": csrf}
    wrong = await browser.client.post("/feed/i1/acknowledge", data={**order, "answer_0": "0"}, headers=headers)
    assert wrong.status_code == 200
    assert "Le dernier geste est le vôtre." in wrong.text
    assert 'value="0" checked' in wrong.text
    missing = await browser.client.post("/feed/i1/acknowledge", data=order, headers=headers)
    assert missing.status_code == 422
    assert 'name="answer_0"' in missing.text
    right = await browser.client.post("/feed/i1/acknowledge", data={**order, "answer_0": "1"})
    assert (right.status_code, right.headers["location"]) == (303, "/feed/i1/share?network=linkedin")


def _judge(request: httpx.Request) -> httpx.Response:
    answers = orjson.loads(request.content)["answers"]
    if not answers[0]:
        errors = [{"field": "answers.0", "rule": "unanswered", "detail": "Choose an answer.", "params": {}}]
        return httpx.Response(422, json={"type": "invalid", "errors": errors})
    right = answers == [[1]]
    judged = [{"right": right, "explanation": "Le dernier geste est le vôtre."}]
    return httpx.Response(200, json={"passed": right, "questions": judged})
