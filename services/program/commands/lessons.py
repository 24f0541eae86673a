"""Lessons, paths, and completing them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from chassis import audit
from chassis.ids import derived_id, new_id
from chassis.mongo import Transaction
from chassis.web.http import Expected, check_version
from chassis.web.problems import Conflict, Refused
from services.program import event_mapping
from services.program.audit import LESSON, PATH
from services.program.commands.saving import save
from services.program.context import Context
from services.program.domain import lessons, memberships
from services.program.domain.lessons import (
    MAX_LESSONS,
    MAX_PATHS,
    Completion,
    Edition,
    Lesson,
    LessonText,
    Path,
)
from services.program.domain.programs import Program, check_active
from services.program.domain.quizzes import Judged, judge
from services.program.starters import StarterPath, starter_lessons, starter_paths


async def create_lesson(context: Context, tx: Transaction, program_id: str, edition: Edition) -> Lesson:
    """A draft that nobody else reads. Raises NotFound, Conflict `program-archived`, Invalid, Refused
    `too-many-lessons`."""
    program = check_active(await context.programs.get(program_id, tx))
    await check_room(context, program_id, 1)
    lesson = lessons.create(new_id(), program_id, edition, program.languages, tx.now)
    await context.lessons.insert(lesson, tx)
    audit.record(tx, "create_lesson", LESSON, lesson.id, after=lesson, program_id=program_id)
    return lesson


async def change_lesson(
    context: Context, tx: Transaction, program_id: str, id: str, version: Expected | None, edition: Edition
) -> Lesson:
    """Another draft; what is published is read until then. Raises NotFound, PreconditionRequired, StaleVersion,
    Invalid, Conflict `lesson-retired`."""
    program = check_active(await context.programs.get(program_id, tx))
    before = await context.lessons.get(program_id, id, tx)
    check_version(version, before.version)
    after = lessons.write(before, edition, program.languages, tx.now)
    await save(context.lessons, LESSON, tx, "change_lesson", before, after)
    return after


async def publish_lesson(context: Context, tx: Transaction, program_id: str, id: str) -> Lesson:
    """Make the draft the next edition, or a retired lesson readable again; repeating changes nothing. Raises NotFound,
    Invalid."""
    program = check_active(await context.programs.get(program_id, tx))
    before = await context.lessons.get(program_id, id, tx)
    after = lessons.publish(before, program.languages, tx.now)
    await save(context.lessons, LESSON, tx, "publish_lesson", before, after)
    if after is not before:
        tx.emit(event_mapping.lesson_published(after))
    return after


async def retire_lesson(context: Context, tx: Transaction, program_id: str, id: str) -> Lesson:
    """Nobody reads it any more, and it is required for nothing; who completed it stays known. Repeating changes
    nothing. Raises NotFound."""
    before = await context.lessons.get(program_id, id, tx)
    after = lessons.retire(before, tx.now)
    await save(context.lessons, LESSON, tx, "retire_lesson", before, after)
    if after is not before and before.edition:
        tx.emit(event_mapping.lesson_retired(after))
    return after


async def check_room(context: Context, program_id: str, more: int) -> None:
    """Raises Refused `too-many-lessons`."""
    if await context.lessons.count(program_id) + more > MAX_LESSONS:
        raise Refused(f"A programme has at most {MAX_LESSONS} lessons.", type_="too-many-lessons")


# --- paths --------------------------------------------------------------------------------------------------------


async def create_path(
    context: Context, tx: Transaction, program_id: str, titles: Mapping[str, str], lesson_ids: Sequence[str]
) -> Path:
    """A path, after those that are there. Raises NotFound, Invalid, Refused `too-many-paths`."""
    program = check_active(await context.programs.get(program_id, tx))
    lessons.check_path(titles, lesson_ids, program.languages, await context.lessons.usable(program_id, tx))
    present = await context.lessons.paths(program_id, tx)
    if len(present) >= MAX_PATHS:
        raise Refused(f"A programme has at most {MAX_PATHS} paths.", type_="too-many-paths")
    path = await add_path(context, tx, program, present, titles, lesson_ids)
    audit.record(tx, "create_path", PATH, path.id, after=path, program_id=program_id)
    return path


async def add_path(
    context: Context,
    tx: Transaction,
    program: Program,
    present: Sequence[Path],
    titles: Mapping[str, str],
    lesson_ids: Sequence[str],
    starter: str | None = None,
) -> Path:
    """A path after those that are `present`."""
    position = max((one.position for one in present), default=-1) + 1
    path = Path(new_id(), program.id, 1, position, dict(titles), tuple(lesson_ids), tx.now, tx.now, starter)
    await context.lessons.insert_path(path, tx)
    return path


async def change_path(
    context: Context,
    tx: Transaction,
    program_id: str,
    id: str,
    version: Expected | None,
    titles: Mapping[str, str],
    lesson_ids: Sequence[str],
) -> Path:
    """Another name, or other lessons in another order. A lesson that was retired may stay. Raises NotFound,
    PreconditionRequired, StaleVersion, Invalid."""
    program = check_active(await context.programs.get(program_id, tx))
    before = await context.lessons.path(program_id, id, tx)
    check_version(version, before.version)
    known = await context.lessons.usable(program_id, tx) | set(before.lesson_ids)
    lessons.check_path(titles, lesson_ids, program.languages, known)
    after = lessons.change_path(before, tx.now, titles=dict(titles), lesson_ids=tuple(lesson_ids))
    if after is not before:
        await context.lessons.save_path(before, after, tx)
    audit.record(tx, "change_path", PATH, id, before=before, after=after, program_id=program_id)
    return after


async def delete_path(context: Context, tx: Transaction, program_id: str, id: str) -> Path:
    """The path is gone; its lessons stay. Raises NotFound."""
    path = await context.lessons.path(program_id, id, tx)
    await context.lessons.delete_path(path, tx)
    audit.record(tx, "delete_path", PATH, id, before=path, program_id=program_id)
    return path


# --- the lessons that Herald brings ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Added:
    """How many lessons and paths were added."""

    lessons: int
    paths: int


async def add_starter_lessons(context: Context, tx: Transaction, program_id: str) -> Added:
    """The starter lessons and paths that the programme does not have yet, in those of its languages in which they are
    written: published, or a draft where a language of the programme is missing. Raises NotFound, Conflict
    `no-starter-lessons`, Refused `too-many-lessons`, `too-many-paths`."""
    program = check_active(await context.programs.get(program_id, tx))
    known = await context.lessons.starters(program_id, tx)
    new = [one for one in starter_lessons() if one.name not in known]
    await check_room(context, program_id, len(new))
    for one in new:
        texts = one.texts_for(program.languages)
        if not texts:
            raise Conflict("There are no starter lessons in a language of this programme.", type_="no-starter-lessons")
        known[one.name] = (await add_starter(context, tx, program, one.name, texts)).id
    paths = await _add_starter_paths(context, tx, program, known)
    facts = {"lessons": len(new), "paths": paths}
    audit.record(tx, "add_starter_lessons", "program", program_id, program_id=program_id, facts=facts)
    return Added(len(new), paths)


async def add_starter(
    context: Context, tx: Transaction, program: Program, name: str, texts: Mapping[str, LessonText]
) -> Lesson:
    """A lesson of that name, in languages of the programme: published, or a draft where one of them is missing."""
    lesson = lessons.create(new_id(), program.id, Edition(texts), program.languages, tx.now, starter=name)
    if len(texts) == len(program.languages):
        lesson = replace(lessons.publish(lesson, program.languages, tx.now), version=1)
        tx.emit(event_mapping.lesson_published(lesson))
    await context.lessons.insert(lesson, tx)
    return lesson


async def _add_starter_paths(context: Context, tx: Transaction, program: Program, known: Mapping[str, str]) -> int:
    present = await context.lessons.paths(program.id, tx)
    there = {one.starter for one in present}
    missing = [one for one in starter_paths() if one.name not in there]
    if len(present) + len(missing) > MAX_PATHS:
        raise Refused(f"A programme has at most {MAX_PATHS} paths.", type_="too-many-paths")
    for one in missing:
        ids = [known[name] for name in one.lessons]
        present.append(await add_path(context, tx, program, present, _titles(one, program), ids, one.name))
    return len(missing)


def _titles(path: StarterPath, program: Program) -> dict[str, str]:
    """Its names; in English where a language of the programme has none."""
    return {language: path.titles.get(language, path.titles["en"]) for language in program.languages}


# --- completing -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of answers; `completion` is there once all are right."""

    judged: Judged
    completion: Completion | None


async def answer(
    context: Context,
    tx: Transaction,
    program_id: str,
    lesson_id: str,
    person_id: str,
    *,
    edition: int,
    language: str,
    answers: Sequence[Set[int]],
) -> Answered:
    """Judge a person's answers; with all right, the lesson is completed, for good. One may try as often as one likes.

    Raises NotFound, Invalid, Conflict `not-a-member`, `program-archived`, `lesson-not-published`, `lesson-changed`.
    """
    check_active(await context.programs.get(program_id, tx))
    memberships.joined(await context.people.get(person_id, tx), program_id)
    lesson = await context.lessons.get(program_id, lesson_id, tx)
    texts = lessons.check_readable(lesson, edition).texts
    if language not in texts:
        raise Conflict("The lesson is not in this language: read it again.", type_="lesson-changed")
    judged = judge(texts[language].questions, answers)
    completion = await context.lessons.completion(derived_id(lesson_id, person_id), tx)
    if judged.passed and completion is None:
        completion = Completion(
            derived_id(lesson_id, person_id), program_id, person_id, lesson_id, lesson.edition, tx.now
        )
        await context.lessons.add_completion(completion, tx)
        tx.emit(event_mapping.lesson_completed(completion, await paths_of(context, tx, completion)))
    return Answered(judged, completion)


async def paths_of(context: Context, tx: Transaction, completion: Completion) -> tuple[str, ...]:
    """The paths of which somebody has completed every lesson, with that one."""
    program_id = completion.program_id
    done = await context.lessons.completed_by(program_id, completion.person_id, tx)
    paths, readable = await context.lessons.paths(program_id, tx), await context.lessons.readable_ids(program_id, tx)
    return lessons.completed_paths(paths, readable, done.keys() | {completion.lesson_id})
