"""Lessons and paths as they are written."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field

from chassis.text import Line, Markdown, Title
from chassis.web.json_bodies import Body
from chassis.web.one_of import OneOf
from chassis.web_address import Address
from services.program.commands.lessons import Added
from services.program.domain import lessons as domain
from services.program.domain.lessons import RIGHTS, Edition, Lesson, LessonText, Path, State
from services.program.queries.lessons import Found
from services.program.schemas.fields import AT, PROGRAM_ID, Locale, View
from services.program.schemas.quizzes import QUESTION, QuestionBody, QuestionView, questions_of

MAX_QUESTIONS: Final = 5
MAX_IN_PATH: Final = 30
LESSON_ID: Final = "019c7a10-5b00-7d44-9c1e-5f0a7c2d4e61"
PATH_ID: Final = "019c7a10-6c18-7a93-b07d-2e4f6a8c0d11"

_TEXT: Final[dict[str, Any]] = {
    "title": "Your first post",
    "text": "It takes **two taps**.",
    "picture": None,
    "picture_alt": "",
    "video": None,
    "video_seconds": 0,
    "questions": [QUESTION],
}
_EDITION: Final[dict[str, Any]] = {"texts": {"en": _TEXT}, "required_for": []}


# --- written ------------------------------------------------------------------------------------------------------


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
        questions = questions_of(self.questions)
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


# --- for those who write ------------------------------------------------------------------------------------------


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
