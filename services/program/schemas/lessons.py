"""Lessons and paths as they are written, read and answered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field

from chassis.text import Line, Markdown, Title, Words
from chassis.web.json_bodies import Body
from chassis.web.one_of import OneOf
from chassis.web_address import Address
from services.program.commands.lessons import Added, Answered
from services.program.domain import lessons as domain
from services.program.domain.lessons import RIGHTS, Edition, Lesson, LessonText, Path, State
from services.program.queries.lessons import Certificate, Course, Found, Learning, Step
from services.program.schemas.fields import AT, ID, PROGRAM_ID, Locale, View

MAX_QUESTIONS: Final = 5
MAX_CHOICES: Final = 6
MAX_IN_PATH: Final = 30
LESSON_ID: Final = "019c7a10-5b00-7d44-9c1e-5f0a7c2d4e61"
PATH_ID: Final = "019c7a10-6c18-7a93-b07d-2e4f6a8c0d11"

_QUESTION: Final[dict[str, Any]] = {
    "text": "Who publishes the post?",
    "choices": [{"text": "Herald", "right": False}, {"text": "You, on the network", "right": True}],
    "explanation": "Herald prepares the text; the last tap is yours.",
}
_TEXT: Final[dict[str, Any]] = {
    "title": "Your first post",
    "text": "It takes **two taps**.",
    "picture": None,
    "picture_alt": "",
    "video": None,
    "video_seconds": 0,
    "questions": [_QUESTION],
}
_EDITION: Final[dict[str, Any]] = {"texts": {"en": _TEXT}, "required_for": []}


# --- written ------------------------------------------------------------------------------------------------------


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


class LessonTextBody(Body):
    """A lesson in one language: five minutes at most, at 200 words a minute, with its questions, picture and video."""

    title: Annotated[str, Title(120)]
    text: Annotated[str, Markdown(12_000)] = Field(description="Markdown without HTML")
    picture: Address | None = None
    picture_alt: Annotated[str, Line(500)] = Field("", description="What the picture shows, in words")
    video: Address | None = Field(None, description="Where it can be watched; it is linked, not embedded")
    video_seconds: int = Field(0, ge=0, le=domain.MAX_SECONDS, description="How long the video is")
    questions: list[QuestionBody] = Field([], max_length=MAX_QUESTIONS)

    @property
    def lesson_text(self) -> LessonText:
        questions = tuple(
            domain.Question(
                one.text, tuple(domain.Choice(choice.text, choice.right) for choice in one.choices), one.explanation
            )
            for one in self.questions
        )
        media = (self.picture, self.picture_alt, self.video, self.video_seconds)
        return LessonText(self.title, self.text, questions, *media)


class LessonBody(Body):
    """What a lesson says: a text for languages of the programme, of which none is missing once it is published."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EDITION]})

    texts: dict[Locale, LessonTextBody] = Field(min_length=1, max_length=20)
    required_for: list[Annotated[str, OneOf(RIGHTS)]] = Field(
        [],
        max_length=len(RIGHTS),
        description="What an ambassador may do only after completing it, once it is published. `share`: share an item",
    )

    @property
    def edition(self) -> Edition:
        texts = {language: one.lesson_text for language, one in self.texts.items()}
        return Edition(texts, tuple(dict.fromkeys(self.required_for)))


class PathBody(Body):
    """Lessons in an order."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"titles": {"fr": "Premier jour", "en": "First day"}, "lesson_ids": []}]}
    )

    titles: dict[Locale, Annotated[str, Title(80)]] = Field(
        min_length=1, max_length=20, description="A name in each language of the programme"
    )
    lesson_ids: list[Annotated[str, Field(max_length=128)]] = Field([], max_length=MAX_IN_PATH)


class AnswersBody(Body):
    """What somebody answered."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"edition": 1, "language": "en", "answers": [[1]]}]})

    edition: int = Field(ge=1, le=1_000_000, description="The edition that was read")
    language: Locale = Field(description="The language in which it was read")
    answers: list[Annotated[list[Annotated[int, Field(ge=0, lt=MAX_CHOICES)]], Field(max_length=MAX_CHOICES)]] = Field(
        [], max_length=MAX_QUESTIONS, description="For each question the numbers of the chosen answers, from 0"
    )


# --- for those who write ------------------------------------------------------------------------------------------


class ChoiceView(View):
    """An answer that can be chosen."""

    text: str
    right: bool


class QuestionView(View):
    """A question with its right answers."""

    text: str
    choices: list[ChoiceView]
    explanation: str


class LessonTextView(View):
    """A lesson in one language, as it is written."""

    title: str
    text: str
    picture: str | None
    picture_alt: str
    video: str | None
    video_seconds: int
    questions: list[QuestionView]
    seconds: int = Field(description="How long it takes: reading at 200 words a minute, picture, video and questions")


class EditionView(View):
    """What a lesson says."""

    texts: dict[str, LessonTextView]
    required_for: list[str]


_WRITTEN: Final[dict[str, Any]] = {**_EDITION, "texts": {"en": {**_TEXT, "seconds": 19}}}


class LessonView(View):
    """A lesson as those see it who write it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": LESSON_ID,
                    "program_id": PROGRAM_ID,
                    "version": 2,
                    "state": "published",
                    "edition": 1,
                    "latest": _WRITTEN,
                    "changed": False,
                    "starter": None,
                    "completed": 43,
                    "created_at": AT,
                    "updated_at": AT,
                    "published_at": AT,
                }
            ]
        }
    )

    id: str
    program_id: str
    version: int = Field(description="Rises with each change; the ETag")
    state: State
    edition: int = Field(description="How often it was published with something new; 0 for a draft")
    latest: EditionView = Field(description="What is being written, or else what is read")
    changed: bool = Field(description="Whether what is being written differs from what is read")
    starter: str | None = Field(description="Which of the lessons it was that Herald brings")
    completed: int | None = Field(
        description="How many people completed it; null where they are fewer than `HERALD_SMALL_GROUP`"
    )
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None

    @classmethod
    def of(cls, lesson: Lesson, completed: int | None = None) -> LessonView:
        return cls(
            id=lesson.id,
            program_id=lesson.program_id,
            version=lesson.version,
            state=lesson.state,
            edition=lesson.edition,
            latest=EditionView.model_validate(lesson.latest),
            changed=lesson.draft is not None and lesson.published is not None,
            starter=lesson.starter,
            completed=completed,
            created_at=lesson.created_at,
            updated_at=lesson.updated_at,
            published_at=lesson.published_at,
        )


class LessonSummary(View):
    """A lesson in a list."""

    id: str
    version: int
    state: State
    edition: int
    titles: dict[str, str]
    seconds: int = Field(description="In the language in which it takes longest")
    required_for: list[str]
    changed: bool
    completed: int | None
    updated_at: datetime


class LessonsView(View):
    """A page of lessons, in the order in which they were made."""

    items: list[LessonSummary]
    next: str | None
    total: int

    @classmethod
    def of(cls, found: Found) -> LessonsView:
        items = [
            LessonSummary(
                id=one.id,
                version=one.version,
                state=one.state,
                edition=one.edition,
                titles={language: text.title for language, text in one.latest.texts.items()},
                seconds=max(text.seconds for text in one.latest.texts.values()),
                required_for=list(one.latest.required_for),
                changed=one.draft is not None and one.published is not None,
                completed=found.completed[one.id],
                updated_at=one.updated_at,
            )
            for one in found.lessons
        ]
        return cls(items=items, next=found.next, total=found.total)


class PathView(View):
    """A path as those see it who write it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": PATH_ID,
                    "program_id": PROGRAM_ID,
                    "version": 1,
                    "titles": {"fr": "Premier jour", "en": "First day"},
                    "lesson_ids": [LESSON_ID],
                    "starter": "first-day",
                    "created_at": AT,
                    "updated_at": AT,
                }
            ]
        },
        from_attributes=True,
    )

    id: str
    program_id: str
    version: int = Field(description="Rises with each change; the ETag")
    titles: dict[str, str]
    lesson_ids: list[str]
    starter: str | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, path: Path) -> PathView:
        return cls.model_validate(path)


class PathsView(View):
    """The paths of a programme, in their order."""

    items: list[PathView]


class AddedView(View):
    """What came of adding the starter lessons."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"lessons": 7, "paths": 3}]})

    lessons: int
    paths: int

    @classmethod
    def of(cls, added: Added) -> AddedView:
        return cls(lessons=added.lessons, paths=added.paths)


# --- for those who read -------------------------------------------------------------------------------------------


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


class AskedView(View):
    """A question as it is asked: nothing tells which answers are right."""

    text: str
    choices: list[str]
    several: bool = Field(description="Whether more than one answer is right")


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
    questions: list[AskedView]

    @classmethod
    def of(cls, step: Step) -> ReadingView:
        text = step.text
        asked = [
            AskedView(text=one.text, choices=[choice.text for choice in one.choices], several=len(one.right) > 1)
            for one in text.questions
        ]
        return cls(
            **_step(step),
            program_id=step.lesson.program_id,
            edition=step.lesson.edition,
            text=text.text,
            picture=text.picture,
            picture_alt=text.picture_alt,
            video=text.video,
            questions=asked,
        )


class JudgedView(View):
    """Whether a question was answered rightly, and why."""

    right: bool
    explanation: str


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
            questions=[
                JudgedView(right=right, explanation=why)
                for right, why in zip(judged.right, judged.explanations, strict=True)
            ],
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
