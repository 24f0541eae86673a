"""Questions with right answers, and the judging of what is answered; and what may not be in a text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Final, NamedTuple

from chassis.web.problems import Invalid, Violation

_SCRIPT: Final = re.compile(
    r"<\s*/?\s*(?:script|style|iframe|frame|object|embed|applet|form|input|button|link|meta|base|svg|math|template)\b"
    r"|<[a-z][^>]*[\s/\"']on[a-z]+\s*=|[(<\"'=:]\s*(?:(?:java|vb)script:|data:text/html)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Choice:
    """An answer that can be chosen."""

    text: str
    right: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A question with at least one right answer, and why it is right."""

    text: str
    choices: tuple[Choice, ...]
    explanation: str

    @property
    def right(self) -> frozenset[int]:
        return frozenset(number for number, choice in enumerate(self.choices) if choice.right)


class Judged(NamedTuple):
    """Whether each question was answered rightly, and why."""

    right: tuple[bool, ...]
    explanations: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return all(self.right)


def judge(questions: Sequence[Question], answers: Sequence[Set[int]]) -> Judged:
    """How answers, the numbers chosen for each question, compare with the right ones. Raises Invalid `unanswered`."""
    missing = [
        Violation(f"answers.{number}", "unanswered", "Choose an answer.")
        for number in range(len(questions))
        if number >= len(answers) or not answers[number]
    ]
    if missing:
        raise Invalid("Each question needs an answer.", errors=missing)
    given = zip(questions, answers, strict=False)
    return Judged(
        tuple(question.right == chosen for question, chosen in given),
        tuple(question.explanation for question in questions),
    )


def question_faults(at: str, questions: Sequence[Question]) -> Iterator[Violation]:
    """What is wrong with questions, by place: `no-right-answer`, `nothing-wrong`, `duplicate`."""
    for number, question in enumerate(questions):
        where = f"{at}.{number}.choices"
        if not question.right:
            yield Violation(where, "no-right-answer", "Mark at least one answer as right.")
        elif len(question.right) == len(question.choices):
            yield Violation(where, "nothing-wrong", "An answer that is wrong is needed too.")
        if len({choice.text for choice in question.choices}) < len(question.choices):
            yield Violation(where, "duplicate", "Two answers are the same.")


def question_texts(at: str, questions: Sequence[Question]) -> Iterator[tuple[str, str]]:
    """Each text of questions, with its place."""
    for number, question in enumerate(questions):
        yield f"{at}.{number}.text", question.text
        yield f"{at}.{number}.explanation", question.explanation
        yield from ((f"{at}.{number}.choices.{place}.text", one.text) for place, one in enumerate(question.choices))


def script_fault(at: str, text: str) -> Iterator[Violation]:
    """`script` where a text holds HTML that acts."""
    if _SCRIPT.search(text):
        yield Violation(at, "script", "Texts are Markdown: no scripts, frames or forms.")
