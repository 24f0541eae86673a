"""Questions to compliance and comments on the programme, on real servers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from services.program import queries
from services.program.context import Context
from services.program.domain.feedback import MAX_WAITING
from tests.integration.program.conftest import ProgramHarness

QUESTION = {"kind": "question", "text": "May I show the prototype?", "language": "en", "item_id": "item-1"}
COMMENT = {"kind": "comment", "text": "Too many posts about prices", "language": "en"}
PUBLIC = {
    "fr": {"said": "Puis-je montrer le prototype ?", "answer": "Oui."},
    "en": {"said": "May I show the prototype?", "answer": "Yes."},
}


async def with_ambassador(program: ProgramHarness) -> str:
    path = f"/programs/{await program.create_program(open=True)}"
    await program.sign_in("ada")
    await program.ok("ada", "POST", f"{path}/join", {"consent_version": 1})
    return path


async def answer(program: ProgramHarness, one: str, **changes: Any) -> Any:
    body = {"answer": "Yes, since Monday.", **changes}
    version = (await program.call("max", "GET", one)).headers["etag"]
    return await program.ok("max", "PUT", f"{one}/answer", body, headers={"If-Match": version})


async def test_a_question_is_answered_and_joins_those_of_the_guidelines(program: ProgramHarness) -> None:
    path = await with_ambassador(program)
    asked = await program.ok("ada", "POST", f"{path}/feedback", QUESTION)
    waiting = await program.ok("max", "GET", f"{path}/feedback?state=waiting&kind=question&query=proto")
    assert (waiting["total"], [one["id"] for one in waiting["items"]]) == (1, [asked["id"]])
    assert waiting["items"][0]["person_id"] == program.ids["ada"]
    one = f"{path}/feedback/{asked['id']}"
    await answer(program, one)
    mine = await program.ok("ada", "GET", f"{path}/feedback/mine")
    assert (mine["unseen"], mine["items"][0]["answer"]) == (1, "Yes, since Monday.")
    await program.call("ada", "POST", f"{path}/feedback/mine/seen")
    assert (await program.ok("ada", "GET", f"{path}/feedback/mine"))["unseen"] == 0
    await program.sign_in("eve")
    assert (await program.ok("eve", "GET", f"{path}/answers"))["items"] == []
    await answer(program, one, public=PUBLIC)
    assert (await program.ok("ada", "GET", f"{path}/feedback/mine"))["unseen"] == 0
    [told] = (await program.ok("eve", "GET", f"{path}/answers?language=fr-CA"))["items"]
    assert (told["said"], told["language"]) == (PUBLIC["fr"]["said"], "fr")
    assert program.ids["ada"] not in str(told)
    acts = [act.act for act in await program.acts()]
    assert acts.count("answer_feedback") == 2
    assert "May I" not in str(next(act.changes for act in await program.acts() if act.act == "answer_feedback"))


async def test_you_said_we_did_is_one_query(program: ProgramHarness) -> None:
    path = await with_ambassador(program)
    for number in range(3):
        sent = await program.ok("ada", "POST", f"{path}/feedback", {**COMMENT, "text": f"Comment {number}"})
        said = {"en": {"said": f"Said {number}", "answer": f"Did {number}"}}
        await answer(program, f"{path}/feedback/{sent['id']}", public=said, done=number > 0)
    context: Context = program.service.context
    id = path.rpartition("/")[2]
    since = context.clock.now() - timedelta(days=7)
    found, following = await queries.feedback.published(context, id, "comment", "fr", done=True, since=since, limit=1)
    assert [one.said.answer for one in found] == ["Did 2"]
    rest, _ = await queries.feedback.published(context, id, "comment", "fr", done=True, cursor=following)
    assert [one.said.answer for one in rest] == ["Did 1"]
    later = context.clock.now() + timedelta(days=1)
    assert (await queries.feedback.published(context, id, "comment", "fr", since=later))[0] == []


async def test_what_one_wrote_can_be_taken_back(program: ProgramHarness) -> None:
    path = await with_ambassador(program)
    one, other = [await program.ok("ada", "POST", f"{path}/feedback", COMMENT) for _ in range(2)]
    await answer(program, f"{path}/feedback/{one['id']}", public=PUBLIC)
    await program.sign_in("eve")
    assert (await program.refused("eve", "DELETE", f"{path}/feedback/{one['id']}"))[0] == 404
    for each in (one, other):
        assert (await program.call("ada", "DELETE", f"{path}/feedback/{each['id']}")).status_code == 204
    assert (await program.ok("ada", "GET", f"{path}/feedback/mine"))["items"] == []
    assert len((await program.ok("eve", "GET", f"{path}/answers?kind=comment"))["items"]) == 1
    stored = str((await program.state())["feedback"])
    assert program.ids["ada"] not in stored
    assert COMMENT["text"] not in stored


async def test_what_is_no_feedback_changes_nothing(program: ProgramHarness) -> None:
    path = await with_ambassador(program)
    sent = await program.ok("ada", "POST", f"{path}/feedback", QUESTION)
    one = f"{path}/feedback/{sent['id']}"
    await program.sign_in("eve")
    state = await program.state()
    for who, body, error in (
        ("ada", {**QUESTION, "text": " \n "}, (422, "invalid")),
        ("ada", {**QUESTION, "kind": "praise"}, (422, "invalid")),
        ("eve", QUESTION, (409, "not-a-member")),
    ):
        assert await program.refused(who, "POST", f"{path}/feedback", body) == error
    wrong: list[dict[str, Any]] = [
        {"answer": " "},
        {"answer": "Yes", "public": {"de": PUBLIC["en"]}},
        {"answer": "Yes", "done": True},
    ]
    for answered in wrong:
        refused = await program.refused("max", "PUT", f"{one}/answer", answered, headers={"If-Match": "*"})
        assert refused == (422, "invalid")
    assert (await program.refused("max", "PUT", f"{one}/answer", {"answer": "Yes"}))[0] == 428
    assert (await program.refused("ada", "GET", f"{path}/feedback"))[0] == 403
    assert await program.state() == state
    for _ in range(MAX_WAITING - 1):
        await program.ok("ada", "POST", f"{path}/feedback", COMMENT)
    assert await program.refused("ada", "POST", f"{path}/feedback", COMMENT) == (409, "too-many-waiting")
    await program.ok("max", "POST", f"{path}/archive")
    assert await program.refused("ada", "POST", f"{path}/feedback", COMMENT) == (409, "program-archived")
