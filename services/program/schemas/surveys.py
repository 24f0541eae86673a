"""Surveys as they are made, answered and told of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from chassis.text import Prose, Title
from chassis.web.json_bodies import Body
from chassis.web.times import Day
from services.program.domain.surveys import MAX_QUESTIONS, Answer, Results, Survey, SurveyState
from services.program.queries.surveys import Asked
from services.program.schemas.fields import AT, PROGRAM_ID, Locale, View

SURVEY_ID = "019c9a10-1c80-7b52-8d1f-2f6a0a7c41e9"
MAX_QUESTION = 200
MAX_ANSWER = 1_000
QUESTIONS: Any = [{"fr": "J’ai le temps de partager.", "en": "I have the time to share."}]
PROMPT: Any = {"fr": "Que devrions-nous changer ?", "en": "What should we change?"}
_EXAMPLE: Any = {
    "title": "Pulse of March",
    "opens_on": "2026-03-02",
    "closes_on": "2026-03-13",
    "enps": True,
    "questions": QUESTIONS,
    "prompt": PROMPT,
}
Question = Annotated[
    dict[Locale, Annotated[str, Title(MAX_QUESTION)]],
    Field(min_length=1, max_length=20, description="A text for each language of the programme"),
]


class SurveyView(View):
    """A survey, with its texts in each language."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": SURVEY_ID,
                    "program_id": PROGRAM_ID,
                    "version": 2,
                    **_EXAMPLE,
                    "wave_id": None,
                    "state": "open",
                    "updated_at": AT,
                }
            ]
        },
        from_attributes=True,
    )

    id: str
    program_id: str
    version: int = Field(description="Rises with each change; the ETag")
    title: str = Field(description="For those who run the programme")
    opens_on: date = Field(description="First day, in the programme's time zone")
    closes_on: date = Field(description="Last day, included")
    enps: bool = Field(description="Whether it asks for a recommendation from 0 to 10")
    questions: list[dict[str, str]] = Field(description="Statements to agree with, from 1 to 5")
    prompt: dict[str, str] = Field(description="What a free text is asked for; empty where none is wanted")
    wave_id: str | None = Field(description="The wave whose ambassadors it asks; null where it asks the programme's")
    state: SurveyState = Field(description="An open one takes answers from its first day to its last one")
    updated_at: datetime


class SurveysView(View):
    """A page of surveys, the last one first."""

    items: list[SurveyView]
    next: str | None
    total: int


class NewSurvey(Body):
    """A survey, as a draft."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    title: Annotated[str, Title(80)]
    opens_on: Day = Field(description="First day, in the programme's time zone")
    closes_on: Day = Field(description="Last day, included")
    enps: bool = Field(True, description="Ask for a recommendation from 0 to 10")
    questions: Annotated[list[Question], Field(max_length=MAX_QUESTIONS)] = Field(
        [], description="Statements to agree with, from 1 to 5"
    )
    prompt: Annotated[dict[Locale, Annotated[str, Title(MAX_QUESTION)]], Field(max_length=20)] = Field(
        {}, description="Ask for a free text; in each language of the programme, or left out"
    )
    wave_id: Annotated[str, Field(max_length=128)] | None = Field(
        None, description="Ask the ambassadors of this wave alone; all of the programme where it is left out"
    )

    def values(self) -> dict[str, Any]:
        return {**dict(self), "questions": tuple(self.questions)}


class AskedView(View):
    """What an ambassador is asked, in one language."""

    id: str
    closes_on: date
    language: str
    enps: bool
    questions: list[str]
    prompt: str | None
    answered: bool = Field(description="Whether the caller has answered it; nobody knows what")
    wave: str | None = Field(description="The name of the wave that is asked alone; null where the programme is")

    @classmethod
    def of(cls, asked: Asked) -> AskedView:
        survey, language = asked.survey, asked.language
        return cls(
            id=survey.id,
            closes_on=survey.closes_on,
            language=language,
            enps=survey.enps,
            questions=[texts[language] for texts in survey.questions],
            prompt=survey.prompt.get(language),
            answered=asked.answered,
            wave=asked.wave,
        )


class RunningView(View):
    """The survey that runs, if any."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "survey": {
                        "id": SURVEY_ID,
                        "closes_on": "2026-03-13",
                        "language": "en",
                        "enps": True,
                        "questions": ["I have the time to share."],
                        "prompt": "What should we change?",
                        "answered": False,
                        "wave": None,
                    }
                }
            ]
        }
    )

    survey: AskedView | None


class AnswerBody(Body):
    """What one says. Every score that is asked for is needed; the text is not."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"enps": 9, "scores": [4], "text": "Shorter texts, please."}]}
    )

    enps: Annotated[int, Field(ge=0, le=10)] | None = Field(None, description="How likely one is to recommend it")
    scores: Annotated[list[Annotated[int, Field(ge=1, le=5)]], Field(max_length=MAX_QUESTIONS)] = Field(
        [], description="In the order of the questions"
    )
    text: Annotated[str, Prose(MAX_ANSWER)] = ""

    def answer(self) -> Answer:
        return Answer(self.enps, tuple(self.scores), self.text)


class ScoredView(View):
    """How a question was answered."""

    mean: float
    distribution: list[int] = Field(description="How many gave each score, the lowest first")


class ResultsView(View):
    """The results of a closed survey; nothing but `shown` where fewer answered than make a group."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "shown": True,
                    "min_answers": 5,
                    "answers": 8,
                    "enps": 37.5,
                    "recommendation": {"mean": 8.0, "distribution": [0, 0, 0, 0, 0, 1, 0, 2, 1, 2, 2]},
                    "questions": [{"mean": 3.63, "distribution": [0, 1, 2, 4, 1]}],
                }
            ]
        }
    )

    shown: bool
    min_answers: int = Field(description="With fewer answers, nothing is shown and nothing kept")
    answers: int | None = Field(description="How many answered")
    enps: float | None = Field(
        description="Share of promoters (9 and 10) less that of detractors (0 to 6), from -100 to 100 points; source: "
        "F. Reichheld, Harvard Business Review, December 2003"
    )
    recommendation: ScoredView | None = Field(description="The scores from 0 to 10 behind `enps`")
    questions: list[ScoredView] = Field(description="The scores from 1 to 5, in the order of the questions")

    @classmethod
    def of(cls, results: Results, small_group: int) -> ResultsView:
        names = [name for name in cls.model_fields if name != "min_answers"]
        return cls.model_validate(
            {**{name: getattr(results, name) for name in names}, "min_answers": small_group}, from_attributes=True
        )


class WrittenView(View):
    """A page of what was written, in an order that says nothing, apart from the scores."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": ["Shorter texts, please."], "next": None}]})

    items: list[str]
    next: str | None


class TrendPoint(View):
    """A closed survey that enough answered."""

    survey_id: str
    title: str
    opens_on: date
    closes_on: date
    answers: int
    enps: float | None
    questions: list[dict[str, str]]
    means: list[float] = Field(description="In the order of the questions")


class TrendView(View):
    """The last surveys of the whole programme that enough answered, at most 24, the oldest first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {
                            "survey_id": SURVEY_ID,
                            "title": "Pulse of March",
                            "opens_on": "2026-03-02",
                            "closes_on": "2026-03-13",
                            "answers": 8,
                            "enps": 37.5,
                            "questions": QUESTIONS,
                            "means": [3.63],
                        }
                    ]
                }
            ]
        }
    )

    items: list[TrendPoint]

    @classmethod
    def of(cls, found: Sequence[tuple[Survey, Results]]) -> TrendView:
        return cls(
            items=[
                TrendPoint(
                    survey_id=survey.id,
                    title=survey.title,
                    opens_on=survey.opens_on,
                    closes_on=survey.closes_on,
                    answers=results.answers or 0,
                    enps=results.enps,
                    questions=[dict(texts) for texts in survey.questions],
                    means=[one.mean for one in results.questions],
                )
                for survey, results in found
            ]
        )
