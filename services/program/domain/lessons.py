"""Lessons of a few minutes, with a quiz each, and the paths that order them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from chassis.web.problems import Conflict, Invalid, Violation
from services.program.domain.programs import check_languages
from services.program.domain.quizzes import Question, question_faults, question_texts, script_fault

State = Literal["draft", "published", "retired"]
RIGHTS: Final = ("share", "expert_act")
"""What a lesson can be required for: each is asked for where it is used, of sharing from `LessonPublished` and
`LessonCompleted`."""
MAX_SECONDS: Final = 300
WORDS_A_MINUTE: Final = 200
"""Adults read 238 words of English prose a minute and 214 of French (Brysbaert 2019); on a phone, in a break, less."""
SECONDS_A_PICTURE: Final = 10
SECONDS_A_QUESTION: Final = 15
MAX_LESSONS: Final = 200
MAX_PATHS: Final = 20

_LINK: Final = re.compile(r"\]\([^)]*\)|<https?:[^>]*>|https?://\S+")
_WORD: Final = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_IDEOGRAM: Final = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class LessonText:
    """A lesson in one language. `text` is Markdown; `picture` and `video` are web addresses."""

    title: str
    text: str
    questions: tuple[Question, ...] = ()
    picture: str | None = None
    picture_alt: str = ""
    video: str | None = None
    video_seconds: int = 0

    @property
    def seconds(self) -> int:
        """How long it takes, at `WORDS_A_MINUTE`; an ideogram counts as half a word."""
        read = sum(_words(one) for one in (self.text, *self._asked))
        pictures = SECONDS_A_PICTURE if self.picture else 0
        return (
            -(-read * 60 // (2 * WORDS_A_MINUTE))
            + pictures
            + self.video_seconds
            + SECONDS_A_QUESTION * len(self.questions)
        )

    @property
    def _asked(self) -> Iterator[str]:
        for question in self.questions:
            yield question.text
            yield from (choice.text for choice in question.choices)


@dataclass(frozen=True, slots=True)
class Edition:
    """What a lesson says: in each language, and what it is required for."""

    texts: Mapping[str, LessonText]
    required_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lesson:
    """A lesson. `draft` is what is being written, None where nothing differs from what is `published`; `edition` counts
    what was published. `starter` names the lesson that Herald brought."""

    id: str
    program_id: str
    version: int
    state: State
    edition: int
    draft: Edition | None
    published: Edition | None
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None = None
    starter: str | None = None

    @property
    def latest(self) -> Edition:
        """What is being written, or else what is read."""
        found = self.draft or self.published
        assert found is not None
        return found

    @property
    def readable(self) -> bool:
        return self.state == "published"


@dataclass(frozen=True, slots=True)
class Path:
    """Lessons in an order, for a moment of an ambassador's time: a first day, a first week."""

    id: str
    program_id: str
    version: int
    position: int
    titles: Mapping[str, str]
    lesson_ids: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    starter: str | None = None


@dataclass(frozen=True, slots=True)
class Starter:
    """A lesson that a programme begins with, by its name, in the languages in which it is written."""

    name: str
    texts: Mapping[str, LessonText]

    def text_in(self, language: str) -> LessonText | None:
        """In that language, else in its base (`fr` for `fr-CA`)."""
        return self.texts.get(language) or self.texts.get(language.partition("-")[0])

    def texts_for(self, languages: Sequence[str]) -> dict[str, LessonText]:
        """In those of the languages in which it is written."""
        return {language: text for language in languages if (text := self.text_in(language))}


@dataclass(frozen=True, slots=True)
class Completion:
    """That a person completed a lesson."""

    id: str
    program_id: str
    person_id: str
    lesson_id: str
    edition: int
    completed_at: datetime


def _words(text: str) -> int:
    """Half words of a text: what is no address."""
    bare = _LINK.sub("] ", text)
    ideograms = len(_IDEOGRAM.findall(bare))
    return ideograms + 2 * len(_WORD.findall(_IDEOGRAM.sub(" ", bare)))


# --- lessons -----------------------------------------------------------------------------------------------------


def create(
    id: str, program_id: str, edition: Edition, languages: Sequence[str], now: datetime, *, starter: str | None = None
) -> Lesson:
    """A draft. Raises what `check_edition` raises."""
    check_edition(edition, languages)
    return Lesson(id, program_id, 1, "draft", 0, edition, None, now, now, starter=starter)


def write(lesson: Lesson, edition: Edition, languages: Sequence[str], now: datetime) -> Lesson:
    """The lesson with another draft; the same object if nothing differs. Raises Conflict `lesson-retired`, and what
    `check_edition` raises."""
    if lesson.state == "retired":
        raise Conflict("A retired lesson is published again before it is changed.", type_="lesson-retired")
    check_edition(edition, languages)
    draft = None if edition == lesson.published else edition
    if draft == lesson.draft:
        return lesson
    return replace(lesson, version=lesson.version + 1, draft=draft, updated_at=now)


def publish(lesson: Lesson, languages: Sequence[str], now: datetime) -> Lesson:
    """The lesson as it can be read: its draft becomes the next edition; a retired one comes back. The same object if
    there is nothing to publish. Raises Invalid `language-missing`."""
    if lesson.state == "published" and lesson.draft is None:
        return lesson
    check_languages(lesson.latest.texts, languages)
    return replace(
        lesson,
        version=lesson.version + 1,
        state="published",
        edition=lesson.edition + (lesson.draft is not None),
        draft=None,
        published=lesson.latest,
        published_at=now,
        updated_at=now,
    )


def retire(lesson: Lesson, now: datetime) -> Lesson:
    """The lesson, read no more; the same object if it is retired already."""
    if lesson.state == "retired":
        return lesson
    return replace(lesson, version=lesson.version + 1, state="retired", updated_at=now)


def check_edition(edition: Edition, languages: Sequence[str]) -> None:
    """Raises Invalid with each fault: `language-unknown`, `script`, `reading-time` (`minutes`, `max`),
    `no-right-answer`, `nothing-wrong`, `duplicate`, `alternative-text`, `video-length`, `no-text`."""
    wrong = []
    if not edition.texts:
        wrong.append(Violation("texts", "no-text", "A lesson has a text in one language at least."))
    for language, text in edition.texts.items():
        at = f"texts.{language}"
        if language not in languages:
            wrong.append(Violation(at, "language-unknown", "The programme does not have this language."))
        wrong += _faults(at, text)
    if wrong:
        raise Invalid("The lesson cannot be taken.", errors=wrong)


def _faults(at: str, text: LessonText) -> Iterator[Violation]:
    for field, value in _written(text):
        yield from script_fault(f"{at}.{field}", value)
    if text.seconds > MAX_SECONDS:
        minutes, most = -(-text.seconds // 60), MAX_SECONDS // 60
        detail = f"This takes {minutes} minutes; a lesson takes {most} at most."
        yield Violation(f"{at}.text", "reading-time", detail, params={"minutes": minutes, "max": most})
    if text.picture and not text.picture_alt:
        detail = "Say in words what the picture shows, for those who do not see it."
        yield Violation(f"{at}.picture_alt", "alternative-text", detail)
    if text.video and not text.video_seconds:
        yield Violation(f"{at}.video_seconds", "video-length", "Say how long the video is.")
    yield from question_faults(f"{at}.questions", text.questions)


def _written(text: LessonText) -> Iterator[tuple[str, str]]:
    yield "title", text.title
    yield "text", text.text
    yield "picture_alt", text.picture_alt
    yield from question_texts("questions", text.questions)


# --- reading ------------------------------------------------------------------------------------------------------


def check_readable(lesson: Lesson, edition: int | None = None) -> Edition:
    """What is read of a lesson. Raises Conflict: `lesson-not-published`, or `lesson-changed` (with the `current`
    edition) where it is not the edition that was read."""
    if not lesson.readable or lesson.published is None:
        raise Conflict("This lesson cannot be read.", type_="lesson-not-published")
    if edition is not None and edition != lesson.edition:
        raise Conflict("The lesson was changed: read it again.", type_="lesson-changed", current=lesson.edition)
    return lesson.published


def check_completed(required: Iterable[str], completed: Set[str], program_id: str) -> None:
    """Raises Conflict `lesson-not-completed` (with `lesson_id`) for the first lesson that is left."""
    for lesson_id in required:
        if lesson_id not in completed:
            raise Conflict(
                "Complete the lesson first.", type_="lesson-not-completed", program_id=program_id, lesson_id=lesson_id
            )


# --- paths --------------------------------------------------------------------------------------------------------


def check_path(titles: Mapping[str, str], lesson_ids: Sequence[str], languages: Sequence[str], known: Set[str]) -> None:
    """Raises Invalid: `language-missing`, `language-unknown`; `duplicate` or `unknown` for a lesson that is there
    twice, or is none of the programme's that is not retired."""
    check_languages(titles, languages, "titles")
    wrong = []
    for number, id in enumerate(lesson_ids):
        if id in lesson_ids[:number]:
            wrong.append(Violation(f"lesson_ids.{number}", "duplicate", "This lesson is in the path already."))
        elif id not in known:
            wrong.append(Violation(f"lesson_ids.{number}", "unknown", "The programme has no such lesson."))
    if wrong:
        raise Invalid("The path cannot be taken.", errors=wrong)


def completed_paths(paths: Sequence[Path], readable: Set[str], completed: Set[str]) -> tuple[str, ...]:
    """The paths of which each lesson that can be read is completed: by the name of those that Herald brings, else by
    id. A path of which none can be read is none of them."""
    left = {path.id: readable & set(path.lesson_ids) for path in paths}
    return tuple(path.starter or path.id for path in paths if left[path.id] and left[path.id] <= completed)


def change_path(path: Path, now: datetime, **values: object) -> Path:
    """The path with other values; the same object if nothing differs."""
    changed = replace(path, **values)  # type: ignore[arg-type]
    return path if changed == path else replace(changed, version=path.version + 1, updated_at=now)
