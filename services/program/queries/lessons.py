"""What there is to learn, for those who write lessons and for those who read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.web.http import decode_cursor, encode_cursor
from chassis.web.problems import Conflict
from services.program.context import Context
from services.program.domain.lessons import (
    Completion,
    Lesson,
    LessonText,
    Path,
    State,
    check_readable,
)
from services.program.domain.people import Person
from services.program.domain.programs import Program, choose_language
from services.program.queries.cursors import texts_of


@dataclass(frozen=True, slots=True)
class Found:
    """Lessons, with how many people completed each; None where they are a small group."""

    lessons: Sequence[Lesson]
    completed: Mapping[str, int | None]
    next: str | None
    total: int


async def page(
    context: Context, program_id: str, query: str | None, state: State | None, cursor: str | None, limit: int
) -> Found:
    """The programme's lessons in the order in which they were made. Raises NotFound, Invalid."""
    await context.programs.get(program_id)
    after = texts_of(decode_cursor(cursor), 1)
    found = await context.lessons.page(program_id, query, state, after[0] if after else None, limit + 1)
    following = encode_cursor([found[limit - 1].id]) if len(found) > limit else None
    total = await context.lessons.count(program_id, query, state)
    return Found(found[:limit], await completed(context, program_id, found[:limit]), following, total)


async def completed(context: Context, program_id: str, lessons: Sequence[Lesson]) -> dict[str, int | None]:
    """How many people completed each; None where they are a small group."""
    least = context.settings.small_group
    counts = await context.lessons.completions(program_id, [one.id for one in lessons])
    return {one.id: count if (count := counts.get(one.id, 0)) >= least else None for one in lessons}


@dataclass(frozen=True, slots=True)
class Step:
    """A lesson as one reads it: in one language, with when one completed it."""

    lesson: Lesson
    language: str
    text: LessonText
    completion: Completion | None

    @property
    def required_for(self) -> tuple[str, ...]:
        return self.lesson.latest.required_for


@dataclass(frozen=True, slots=True)
class Course:
    """A path as one reads it: the lessons that can be read, and its name in one language."""

    path: Path
    language: str
    steps: Sequence[Step]

    @property
    def title(self) -> str:
        return self.path.titles[self.language]

    @property
    def completed_at(self) -> datetime | None:
        """When the last of its lessons was completed; None while one is not."""
        done = [step.completion.completed_at for step in self.steps if step.completion]
        return max(done) if done and len(done) == len(self.steps) else None


@dataclass(frozen=True, slots=True)
class Learning:
    """All that a person can learn in a programme: by path, and what is in no path."""

    program: Program
    courses: Sequence[Course]
    others: Sequence[Step]


async def learning(context: Context, program_id: str, person_id: str, language: str | None) -> Learning:
    """Raises NotFound."""
    program = await context.programs.get(program_id)
    steps = await _steps(context, program, person_id, language)
    paths = await context.lessons.paths(program_id)
    courses = [_course(path, program, language, steps) for path in paths]
    placed = {id for path in paths for id in path.lesson_ids}
    return Learning(
        program,
        [one for one in courses if one.steps],
        [step for id, step in steps.items() if id not in placed],
    )


async def lesson(context: Context, program_id: str, id: str, person_id: str, language: str | None) -> Step:
    """A lesson as one reads it. Raises NotFound, Conflict `lesson-not-published`."""
    program = await context.programs.get(program_id)
    found = await context.lessons.get(program_id, id)
    check_readable(found)
    done = await context.lessons.completed_by(program_id, person_id)
    return _step(found, program, language, done.get(id))


@dataclass(frozen=True, slots=True)
class Certificate:
    """A path that a person completed, and when."""

    program: Program
    person: Person
    course: Course
    completed_at: datetime


async def certificate(
    context: Context, program_id: str, path_id: str, person_id: str, language: str | None
) -> Certificate:
    """Raises NotFound, Conflict `path-not-completed`."""
    program = await context.programs.get(program_id)
    path = await context.lessons.path(program_id, path_id)
    course = _course(path, program, language, await _steps(context, program, person_id, language))
    completed_at = course.completed_at
    if completed_at is None:
        raise Conflict("Not all lessons of this path are completed.", type_="path-not-completed")
    return Certificate(program, await context.people.get(person_id), course, completed_at)


async def _steps(context: Context, program: Program, person_id: str, language: str | None) -> dict[str, Step]:
    """The published lessons as a person reads them, by id."""
    done = await context.lessons.completed_by(program.id, person_id)
    readable = await context.lessons.readable(program.id)
    return {one.id: _step(one, program, language, done.get(one.id)) for one in readable}


def _step(lesson: Lesson, program: Program, language: str | None, completion: Completion | None) -> Step:
    published = lesson.published
    assert published is not None  # it is readable
    chosen = choose_language(published.texts, language, program.languages)
    return Step(lesson, chosen, published.texts[chosen], completion)


def _course(path: Path, program: Program, language: str | None, steps: Mapping[str, Step]) -> Course:
    chosen = choose_language(path.titles, language, program.languages)
    return Course(path, chosen, [steps[id] for id in path.lesson_ids if id in steps])
