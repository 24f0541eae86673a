"""Lessons and paths as they are read and answered."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from pydantic import ConfigDict, Field

from chassis.web.json_bodies import Body
from services.program.commands.lessons import Answered
from services.program.queries.lessons import Certificate, Course, Learning, Step
from services.program.schemas.fields import AT, ID, PROGRAM_ID, Locale, View
from services.program.schemas.lessons import LESSON_ID, MAX_QUESTIONS, PATH_ID
from services.program.schemas.quizzes import CHOSEN, Chosen, JudgedView, QuizQuestionView, judged_views


class AnswersBody(Body):
    """What somebody answered."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"edition": 1, "language": "en", "answers": [[1]]}]})

    edition: int = Field(ge=1, le=1_000_000, description="The edition that was read")
    language: Locale = Field(description="The language in which it was read")
    answers: Chosen = Field([], max_length=MAX_QUESTIONS, description=CHOSEN)


class StepView(View):
    """A lesson that can be read."""

    lesson_id: str
    title: str
    language: str
    seconds: int
    required_for: list[str]
    completed_at: datetime | None = Field(description="When the caller completed it; null while they have not")

    @classmethod
    def of(cls, step: Step) -> StepView:
        return cls(**_step(step))


def _step(step: Step) -> dict[str, Any]:
    return {
        "lesson_id": step.lesson.id,
        "title": step.text.title,
        "language": step.language,
        "seconds": step.text.seconds,
        "required_for": list(step.required_for),
        "completed_at": step.completion.completed_at if step.completion else None,
    }


class CourseView(View):
    """A path with the lessons of it that can be read."""

    path_id: str
    title: str
    language: str
    lessons: list[StepView]
    completed: int = Field(description="How many of them the caller completed")
    completed_at: datetime | None = Field(description="When the caller completed the last one; null while one is left")

    @classmethod
    def of(cls, course: Course) -> CourseView:
        return cls(
            path_id=course.path.id,
            title=course.title,
            language=course.language,
            lessons=[StepView.of(step) for step in course.steps],
            completed=sum(step.completion is not None for step in course.steps),
            completed_at=course.completed_at,
        )


_STEP: Final[dict[str, Any]] = {
    "lesson_id": LESSON_ID,
    "title": "Your first post",
    "language": "en",
    "seconds": 96,
    "required_for": ["share"],
    "completed_at": None,
}


class LearningView(View):
    """All that the caller can learn in a programme."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "program_id": PROGRAM_ID,
                    "paths": [
                        {
                            "path_id": PATH_ID,
                            "title": "First day",
                            "language": "en",
                            "lessons": [_STEP],
                            "completed": 0,
                            "completed_at": None,
                        }
                    ],
                    "others": [],
                }
            ]
        }
    )

    program_id: str
    paths: list[CourseView]
    others: list[StepView] = Field(description="Lessons in no path")

    @classmethod
    def of(cls, found: Learning) -> LearningView:
        return cls(
            program_id=found.program.id,
            paths=[CourseView.of(course) for course in found.courses],
            others=[StepView.of(step) for step in found.others],
        )


class ReadingView(StepView):
    """A lesson as one reads it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_STEP,
                    "program_id": PROGRAM_ID,
                    "edition": 1,
                    "text": "It takes **two taps**.",
                    "picture": None,
                    "picture_alt": "",
                    "video": None,
                    "questions": [
                        {
                            "text": "Who publishes the post?",
                            "choices": ["Herald", "You, on the network"],
                            "several": False,
                        }
                    ],
                }
            ]
        }
    )

    program_id: str
    edition: int = Field(description="What the answers name")
    text: str = Field(description="Markdown")
    picture: str | None
    picture_alt: str
    video: str | None
    questions: list[QuizQuestionView]

    @classmethod
    def of(cls, step: Step) -> ReadingView:
        text = step.text
        return cls(
            **_step(step),
            program_id=step.lesson.program_id,
            edition=step.lesson.edition,
            text=text.text,
            picture=text.picture,
            picture_alt=text.picture_alt,
            video=text.video,
            questions=[QuizQuestionView.of(one) for one in text.questions],
        )


class AnsweredView(View):
    """What came of answers."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "passed": True,
                    "completed_at": AT,
                    "questions": [{"right": True, "explanation": "The last tap is always yours."}],
                }
            ]
        }
    )

    passed: bool = Field(description="Whether all answers are right")
    completed_at: datetime | None = Field(description="When the lesson was first completed; null while it is not")
    questions: list[JudgedView]

    @classmethod
    def of(cls, found: Answered) -> AnsweredView:
        judged = found.judged
        return cls(
            passed=judged.passed,
            completed_at=found.completion.completed_at if found.completion else None,
            questions=judged_views(judged),
        )


class CertificateView(View):
    """That the caller completed a path."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "program_id": PROGRAM_ID,
                    "program_name": "Voices",
                    "person_id": ID,
                    "name": "Ada Lovelace",
                    "path_id": PATH_ID,
                    "title": "First day",
                    "language": "en",
                    "lessons": [{**_STEP, "completed_at": AT}],
                    "completed_at": AT,
                }
            ]
        }
    )

    program_id: str
    program_name: str
    person_id: str
    name: str
    path_id: str
    title: str
    language: str
    lessons: list[StepView]
    completed_at: datetime

    @classmethod
    def of(cls, certificate: Certificate) -> CertificateView:
        course = certificate.course
        return cls(
            program_id=certificate.program.id,
            program_name=certificate.program.name,
            person_id=certificate.person.id,
            name=certificate.person.name,
            path_id=course.path.id,
            title=course.title,
            language=course.language,
            lessons=[StepView.of(step) for step in course.steps],
            completed_at=certificate.completed_at,
        )
