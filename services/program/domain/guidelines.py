"""What guidelines have beside their text: short dos and don'ts with examples, and a quiz."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from chassis.web.problems import Violation
from services.program.domain.quizzes import Question, question_faults, question_texts, script_fault

MAX_RULES: Final = 10
MAX_QUESTIONS: Final = 3


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing to do or not to do; `example` is how a post says it, empty for none."""

    text: str
    example: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """What to do and what not to do, in one language."""

    dos: tuple[Rule, ...] = ()
    donts: tuple[Rule, ...] = ()


def guideline_faults(
    texts: Mapping[str, str], rules: Mapping[str, Rules], quiz: Mapping[str, Sequence[Question]]
) -> Iterator[Violation]:
    """What is wrong, by place: `script`; of the quiz `no-right-answer`, `nothing-wrong`, `duplicate`, and
    `question-missing` where one language has fewer questions than another."""
    for at, text in _written(texts, rules, quiz):
        yield from script_fault(at, text)
    most = max((len(questions) for questions in quiz.values()), default=0)
    for language, questions in quiz.items():
        yield from question_faults(f"quiz.{language}", questions)
        if len(questions) < most:
            detail = f"This language has {len(questions)} questions of {most}."
            yield Violation(f"quiz.{language}", "question-missing", detail, params={"max": most})


def _written(
    texts: Mapping[str, str], rules: Mapping[str, Rules], quiz: Mapping[str, Sequence[Question]]
) -> Iterator[tuple[str, str]]:
    yield from ((f"texts.{language}", text) for language, text in texts.items())
    for language, one in rules.items():
        for kind, found in (("dos", one.dos), ("donts", one.donts)):
            for number, rule in enumerate(found):
                yield f"rules.{language}.{kind}.{number}.text", rule.text
                yield f"rules.{language}.{kind}.{number}.example", rule.example
    for language, questions in quiz.items():
        yield from question_texts(f"quiz.{language}", questions)
