"""The consent, the guidelines and their quiz as they are written, read and answered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field

from chassis.text import Prose, Title
from chassis.web.json_bodies import Body
from services.program.domain.guidelines import MAX_QUESTIONS, MAX_RULES, Rule, Rules
from services.program.domain.programs import Text, TextKind
from services.program.domain.quizzes import Judged
from services.program.schemas.fields import AT, PROGRAM_ID, Locale, Texts, View
from services.program.schemas.quizzes import (
    CHOSEN,
    QUESTION,
    Chosen,
    JudgedView,
    QuestionBody,
    QuestionView,
    QuizQuestionView,
    judged_views,
    questions_of,
)

_TEXT: Final[dict[str, Any]] = {
    "program_id": PROGRAM_ID,
    "kind": "guidelines",
    "version": 2,
    "material": True,
    "language": "en",
    "languages": ["fr", "en"],
    "text": "## Speak for yourself\n\nIn your own words.",
    "published_at": AT,
}


class TextView(View):
    """The consent or the guidelines in one language."""

    model_config = ConfigDict(json_schema_extra={"examples": [_TEXT]})

    program_id: str
    kind: TextKind
    version: int
    material: bool = Field(description="True if it must be acknowledged (guidelines) or accepted (consent) anew")
    language: str
    languages: list[str]
    text: str = Field(description="Markdown")
    published_at: datetime

    @classmethod
    def of(cls, text: Text, language: str) -> TextView:
        values = {name: getattr(text, name) for name in cls.model_fields if hasattr(text, name)}
        return cls(**{**values, "language": language, "languages": list(text.texts), "text": text.texts[language]})


class GuidelineRuleView(View):
    """One thing to do or not to do."""

    text: str
    example: str = Field(description="How a post says it; empty for none")


_RULES: Final[dict[str, Any]] = {
    "dos": [{"text": "Say what you saw yourself", "example": "I was on site in Lyon when the pump started."}],
    "donts": [{"text": "Name no customer without asking", "example": ""}],
}


class GuidelinesView(TextView):
    """The guidelines in one language."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_TEXT,
                    **_RULES,
                    "questions": [{"text": "Who posts?", "choices": ["Herald", "You"], "several": False}],
                }
            ]
        }
    )

    dos: list[GuidelineRuleView]
    donts: list[GuidelineRuleView]
    questions: list[QuizQuestionView] = Field(description="The quiz to pass before they are acknowledged; often none")

    @classmethod
    def of(cls, text: Text, language: str) -> GuidelinesView:
        rules = text.rules.get(language, Rules())
        return cls(
            **TextView.of(text, language).model_dump(),
            dos=[GuidelineRuleView.model_validate(one) for one in rules.dos],
            donts=[GuidelineRuleView.model_validate(one) for one in rules.donts],
            questions=[QuizQuestionView.of(one) for one in text.quiz.get(language, ())],
        )


class GuidelineRulesView(View):
    """What to do and what not to do, in one language."""

    dos: list[GuidelineRuleView]
    donts: list[GuidelineRuleView]


class WrittenGuidelinesView(View):
    """The guidelines in force in all languages, as they are written."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "program_id": PROGRAM_ID,
                    "version": 2,
                    "material": True,
                    "texts": {"en": "## Speak for yourself"},
                    "rules": {"en": _RULES},
                    "quiz": {"en": [QUESTION]},
                    "published_at": AT,
                }
            ]
        },
        from_attributes=True,
    )

    program_id: str
    version: int
    material: bool
    texts: dict[str, str]
    rules: dict[str, GuidelineRulesView]
    quiz: dict[str, list[QuestionView]]
    published_at: datetime


class QuizAnswers(Body):
    """What somebody answered to the quiz of guidelines."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"language": "en", "answers": [[1]]}]})

    language: Locale = Field(description="The language in which they were read")
    answers: Chosen = Field([], max_length=MAX_QUESTIONS, description=CHOSEN)


class QuizView(View):
    """What came of answers."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"passed": True, "questions": [{"right": True, "explanation": "The last tap is yours."}]}]
        }
    )

    passed: bool = Field(description="Whether all answers are right, and the guidelines acknowledged")
    questions: list[JudgedView]

    @classmethod
    def of(cls, judged: Judged) -> QuizView:
        return cls(passed=judged.passed, questions=judged_views(judged))


class NewConsent(Body):
    """The next version of the consent: whoever joins accepts this one."""

    texts: Texts


class GuidelineRuleBody(Body):
    """One thing to do or not to do."""

    text: Annotated[str, Title(200)]
    example: Annotated[str, Prose(500)] = Field("", description="How a post says it")


class GuidelineRulesBody(Body):
    """What to do and what not to do, in one language."""

    dos: list[GuidelineRuleBody] = Field([], max_length=MAX_RULES)
    donts: list[GuidelineRuleBody] = Field([], max_length=MAX_RULES)


class NewGuidelines(Body):
    """The next version of the guidelines."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "texts": {"en": "## Speak for yourself"},
                    "rules": {"en": _RULES},
                    "quiz": {"en": [QUESTION]},
                    "material": True,
                }
            ]
        }
    )

    texts: Texts
    rules: dict[Locale, GuidelineRulesBody] = Field(
        {}, max_length=20, description="Short rules with examples: in each language of the programme, or in none"
    )
    quiz: dict[Locale, Annotated[list[QuestionBody], Field(min_length=1, max_length=MAX_QUESTIONS)]] = Field(
        {}, max_length=20, description="As many questions in each language of the programme, or none in any"
    )
    material: bool = Field(True, description="True if ambassadors must acknowledge it before their next share")

    def values(self) -> dict[str, Any]:
        """What the command takes."""
        return {
            "texts": self.texts,
            "material": self.material,
            "rules": {
                language: Rules(_rules(one.dos), _rules(one.donts))
                for language, one in self.rules.items()
                if one.dos or one.donts
            },
            "quiz": {language: questions_of(one) for language, one in self.quiz.items()},
        }


def _rules(bodies: list[GuidelineRuleBody]) -> tuple[Rule, ...]:
    return tuple(Rule(one.text, one.example) for one in bodies)
