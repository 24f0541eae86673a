"""Guidelines on real servers: with short rules, and a quiz that stands before their acknowledgement."""

from __future__ import annotations

from typing import Any

from tests.integration.program.conftest import GUIDELINES, ProgramHarness

QUESTION = {
    "text": "Who posts?",
    "choices": [{"text": "Herald", "right": False}, {"text": "You", "right": True}],
    "explanation": "The last tap is yours.",
}
RULES = {"dos": [{"text": "Say what you saw", "example": "I was there."}], "donts": [{"text": "Name no customer"}]}
WHOLE: dict[str, Any] = {
    "texts": GUIDELINES,
    "rules": dict.fromkeys(GUIDELINES, RULES),
    "quiz": dict.fromkeys(GUIDELINES, [QUESTION] * 3),
}


async def with_ambassador(program: ProgramHarness) -> str:
    path = f"/programs/{await program.create_program(open=True)}"
    await program.sign_in("ada")
    await program.ok("ada", "POST", f"{path}/join", {"consent_version": 1})
    return path


async def must_acknowledge(program: ProgramHarness) -> bool:
    [one] = (await program.ok("ada", "GET", "/me"))["programs"]
    return bool(one["must_acknowledge"])


async def test_guidelines_are_acknowledged_by_their_quiz(program: ProgramHarness) -> None:
    path = await with_ambassador(program)
    await program.ok("max", "POST", f"{path}/guidelines", WHOLE)
    await program.forget()
    read = await program.ok("ada", "GET", f"{path}/guidelines?language=fr")
    assert (read["dos"], read["donts"]) == (
        [{"text": "Say what you saw", "example": "I was there."}],
        [{"text": "Name no customer", "example": ""}],
    )
    assert read["questions"] == [{"text": "Who posts?", "choices": ["Herald", "You"], "several": False}] * 3
    assert (await program.refused("ada", "GET", f"{path}/guidelines/written"))[0] == 403
    written = await program.ok("max", "GET", f"{path}/guidelines/written")
    assert written["quiz"]["en"][0]["choices"][1] == {"text": "You", "right": True}

    one = f"{path}/guidelines/1"
    assert await program.refused("ada", "POST", f"{one}/acknowledge") == (409, "quiz-required")
    state = await program.state()
    wrong = await program.ok("ada", "POST", f"{one}/answers", {"language": "fr", "answers": [[1], [0], [1]]})
    assert (wrong["passed"], [question["right"] for question in wrong["questions"]]) == (False, [True, False, True])
    missing = await program.call("ada", "POST", f"{one}/answers", {"language": "fr", "answers": [[1]]})
    assert [(error["field"], error["rule"]) for error in missing.json()["errors"]] == [
        ("answers.1", "unanswered"),
        ("answers.2", "unanswered"),
    ]
    assert await program.state() == state
    assert await must_acknowledge(program)
    right = {"language": "fr", "answers": [[1], [1], [1]]}
    assert (await program.ok("ada", "POST", f"{one}/answers", right))["passed"]
    assert not await must_acknowledge(program)
    assert await program.emitted_types() == ["GuidelineAcknowledged"]
    await program.ok("ada", "POST", f"{one}/acknowledge")
    assert await program.emitted_types() == ["GuidelineAcknowledged"]


async def test_only_a_material_change_is_acknowledged_anew(program: ProgramHarness) -> None:
    path = await with_ambassador(program)
    await program.ok("max", "POST", f"{path}/guidelines", {"texts": GUIDELINES})
    await program.ok("ada", "POST", f"{path}/guidelines/1/acknowledge")
    await program.ok("max", "POST", f"{path}/guidelines", {**WHOLE, "material": False})
    assert not await must_acknowledge(program)
    await program.ok("ada", "POST", f"{path}/guidelines/2/acknowledge")
    await program.ok("max", "POST", f"{path}/guidelines", {**WHOLE, "material": True})
    assert await must_acknowledge(program)
    await program.sign_in("eve")
    stranger = await program.refused("eve", "POST", f"{path}/guidelines/3/answers", {"language": "en", "answers": []})
    assert stranger == (409, "not-a-member")
    assert await program.refused("eve", "POST", f"{path}/guidelines/3/acknowledge") == (409, "not-a-member")


async def test_what_cannot_be_taken_changes_nothing(program: ProgramHarness) -> None:
    path = await with_ambassador(program)
    state = await program.state()
    no_right = {**QUESTION, "choices": [{"text": "Herald"}, {"text": "You"}]}
    for changes, error in (
        ({"quiz": {**WHOLE["quiz"], "en": [no_right] * 3}}, ("quiz.en.0.choices", "no-right-answer")),
        ({"texts": {**GUIDELINES, "en": "<script>alert(1)</script>"}}, ("texts.en", "script")),
        ({"rules": {"fr": RULES}}, ("rules.en", "language-missing")),
    ):
        answer = await program.call("max", "POST", f"{path}/guidelines", {**WHOLE, **changes})
        assert answer.status_code == 422
        found = answer.json()["errors"][0]
        assert (found["field"], found["rule"]) == error
    assert await program.state() == state
