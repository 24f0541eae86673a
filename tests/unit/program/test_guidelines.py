"""Dos and don'ts, the quiz of guidelines, and who must acknowledge them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from chassis.web.problems import Invalid
from services.program.domain.guidelines import Rule, Rules
from services.program.domain.programs import publish_text
from services.program.domain.quizzes import Choice, Question
from tests.unit.program.test_people import program

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
BOTH = {"fr": "## Parlez en votre nom", "en": "## Speak for yourself"}
RULES = dict.fromkeys(BOTH, Rules((Rule("Say what you saw", "I was there."),), (Rule("Name no customer"),)))
QUESTION = Question("Who posts?", (Choice("Herald"), Choice("You", True)), "You do.")
QUIZ = dict.fromkeys(BOTH, (QUESTION,))


def publish(**changes: Any) -> Any:
    values = {"texts": BOTH, "rules": RULES, "quiz": QUIZ, **changes}
    return publish_text(program(), "guidelines", values.pop("texts"), material=True, now=NOW, **values)[1]


def broken(**changes: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as raised:
        publish(**changes)
    return [(error.field, error.rule) for error in raised.value.errors]


def test_rules_and_a_quiz_stand_beside_the_text() -> None:
    text = publish()
    assert (text.rules, text.quiz) == (RULES, QUIZ)
    bare = publish(rules={}, quiz=None)
    assert (bare.rules, bare.quiz) == ({}, {})


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"rules": {"fr": Rules()}}, [("rules.en", "language-missing")]),
        ({"quiz": {**QUIZ, "de": (QUESTION,)}}, [("quiz.de", "language-unknown")]),
        ({"quiz": {**QUIZ, "fr": (QUESTION, QUESTION)}}, [("quiz.en", "question-missing")]),
        ({"texts": {**BOTH, "en": "<script>alert(1)</script>"}}, [("texts.en", "script")]),
        (
            {"rules": {**RULES, "en": Rules((), (Rule("Click", "<a href='javascript:x'>"),))}},
            [("rules.en.donts.0.example", "script")],
        ),
        (
            {"quiz": {**QUIZ, "en": (replace(QUESTION, choices=(Choice("Herald"), Choice("You"))),)}},
            [("quiz.en.0.choices", "no-right-answer")],
        ),
        (
            {"quiz": {**QUIZ, "en": (replace(QUESTION, choices=(Choice("A", True), Choice("A", True))),)}},
            [("quiz.en.0.choices", "nothing-wrong"), ("quiz.en.0.choices", "duplicate")],
        ),
    ],
)
def test_what_cannot_be_taken_is_named(changes: dict[str, Any], errors: list[tuple[str, str]]) -> None:
    assert broken(**changes) == errors
