"""Questions with right answers as they are written, asked and judged."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Final

from pydantic import Field

from chassis.text import Title, Words
from chassis.web.json_bodies import Body
from services.program.domain.quizzes import Choice, Judged, Question
from services.program.schemas.fields import View

MAX_CHOICES: Final = 6
QUESTION: Final[dict[str, Any]] = {
    "text": "Who publishes the post?",
    "choices": [{"text": "Herald", "right": False}, {"text": "You, on the network", "right": True}],
    "explanation": "Herald prepares the text; the last tap is yours.",
}
Chosen = list[Annotated[list[Annotated[int, Field(ge=0, lt=MAX_CHOICES)]], Field(max_length=MAX_CHOICES)]]
CHOSEN: Final = "For each question the numbers of the chosen answers, from 0"


class ChoiceBody(Body):
    """An answer that can be chosen."""

    text: Annotated[str, Title(300)]
    right: bool = False


class QuestionBody(Body):
    """A question; one answer at least is right, one at least is not."""

    text: Annotated[str, Title(300)]
    choices: list[ChoiceBody] = Field(min_length=2, max_length=MAX_CHOICES)
    explanation: Annotated[str, Words(1000)] = Field(
        description="Why the right answers are right: read after answering"
    )


def questions_of(bodies: Iterable[QuestionBody]) -> tuple[Question, ...]:
    return tuple(
        Question(one.text, tuple(Choice(choice.text, choice.right) for choice in one.choices), one.explanation)
        for one in bodies
    )


class ChoiceView(View):
    """An answer that can be chosen."""

    text: str
    right: bool


class QuestionView(View):
    """A question with its right answers."""

    text: str
    choices: list[ChoiceView]
    explanation: str


class QuizQuestionView(View):
    """A question as it is asked: nothing tells which answers are right."""

    text: str
    choices: list[str]
    several: bool = Field(description="Whether more than one answer is right")

    @classmethod
    def of(cls, question: Question) -> QuizQuestionView:
        return cls(
            text=question.text,
            choices=[choice.text for choice in question.choices],
            several=len(question.right) > 1,
        )


class JudgedView(View):
    """Whether a question was answered rightly, and why."""

    right: bool
    explanation: str


def judged_views(judged: Judged) -> list[JudgedView]:
    return [
        JudgedView(right=right, explanation=why) for right, why in zip(judged.right, judged.explanations, strict=True)
    ]
