"""Learning: lessons and paths as they are written, read and completed."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from chassis.web.http import Cursor, IfMatch, Limit, Person, Router, Unit, etag, version_of
from chassis.web.statuses import problems
from services.program import queries
from services.program.api.base import Language, Manager, Use
from services.program.commands import lessons
from services.program.domain.lessons import State
from services.program.schemas.learning import (
    AnsweredView,
    AnswersBody,
    CertificateView,
    LearningView,
    ReadingView,
)
from services.program.schemas.lessons import (
    AddedView,
    LessonBody,
    LessonsView,
    LessonView,
    PathBody,
    PathsView,
    PathView,
)

router = Router(tags=["learning"])


@router.get("/programs/{program_id}/lessons", summary="List lessons", response_model=LessonsView)
async def list_lessons(
    program_id: str,
    _: Manager,
    context: Use,
    query: Annotated[str | None, Query(max_length=200, description="Beginnings of words of the title")] = None,
    state: Annotated[State | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> LessonsView:
    """The programme's lessons as they are written, with how many people completed each."""
    return LessonsView.of(await queries.lessons.page(context, program_id, query or None, state, cursor, limit))


@router.post("/programs/{program_id}/lessons", summary="Write a lesson", response_model=LessonView, status_code=201)
async def create_lesson(program_id: str, body: LessonBody, _: Manager, unit: Unit, context: Use) -> Response:
    """A draft, which nobody reads before it is published."""
    return await unit.run(
        lambda tx: lessons.create_lesson(context, tx, program_id, body.edition),
        view=LessonView.of,
        status=201,
        etag=version_of,
    )


@router.post("/programs/{program_id}/starter-lessons", summary="Add the starter lessons", response_model=AddedView)
async def add_starter_lessons(program_id: str, _: Manager, unit: Unit, context: Use) -> Response:
    """The lessons and paths that Herald brings, as far as the programme does not have them: published, where it has no
    language in which they are not written. Repeating it changes nothing."""
    return await unit.run(lambda tx: lessons.add_starter_lessons(context, tx, program_id), view=AddedView.of)


@router.get("/programs/{program_id}/lessons/{lesson_id}", summary="A lesson", response_model=LessonView)
async def get_lesson(program_id: str, lesson_id: str, _: Manager, context: Use, response: Response) -> LessonView:
    """As it is written, with the ETag that changing it asks for."""
    lesson = await context.lessons.get(program_id, lesson_id)
    response.headers.update(etag(lesson.version))
    return LessonView.of(lesson, (await queries.lessons.completed(context, program_id, [lesson]))[lesson.id])


@router.put("/programs/{program_id}/lessons/{lesson_id}", summary="Change a lesson", response_model=LessonView)
async def change_lesson(
    program_id: str, lesson_id: str, body: LessonBody, _: Manager, unit: Unit, context: Use, if_match: IfMatch
) -> Response:
    """A new draft, under the version that was read (`If-Match`). What is published is read until the draft is."""
    return await unit.run(
        lambda tx: lessons.change_lesson(context, tx, program_id, lesson_id, if_match, body.edition),
        view=LessonView.of,
        etag=version_of,
    )


@router.post(
    "/programs/{program_id}/lessons/{lesson_id}/publish", summary="Publish a lesson", response_model=LessonView
)
async def publish_lesson(program_id: str, lesson_id: str, _: Manager, unit: Unit, context: Use) -> Response:
    """Its draft becomes the next edition, in each language of the programme; a retired lesson comes back. Who completed
    an earlier edition has completed it. Repeating it changes nothing."""
    return await unit.run(
        lambda tx: lessons.publish_lesson(context, tx, program_id, lesson_id),
        view=LessonView.of,
        etag=version_of,
    )


@router.post("/programs/{program_id}/lessons/{lesson_id}/retire", summary="Retire a lesson", response_model=LessonView)
async def retire_lesson(program_id: str, lesson_id: str, _: Manager, unit: Unit, context: Use) -> Response:
    """Nobody reads it any more, and it is required for nothing. Repeating it changes nothing."""
    return await unit.run(
        lambda tx: lessons.retire_lesson(context, tx, program_id, lesson_id),
        view=LessonView.of,
        etag=version_of,
    )


# --- paths --------------------------------------------------------------------------------------------------------


@router.get("/programs/{program_id}/paths", summary="List paths", response_model=PathsView)
async def list_paths(program_id: str, _: Manager, context: Use) -> PathsView:
    """All of them, in their order."""
    await context.programs.get(program_id)
    return PathsView(items=[PathView.of(one) for one in await context.lessons.paths(program_id)])


@router.post("/programs/{program_id}/paths", summary="Add a path", response_model=PathView, status_code=201)
async def create_path(program_id: str, body: PathBody, _: Manager, unit: Unit, context: Use) -> Response:
    """A path after those that are there; ambassadors see it once a lesson of it can be read."""
    return await unit.run(
        lambda tx: lessons.create_path(context, tx, program_id, body.titles, body.lesson_ids),
        view=PathView.of,
        status=201,
        etag=version_of,
    )


@router.get("/programs/{program_id}/paths/{path_id}", summary="A path", response_model=PathView)
async def get_path(program_id: str, path_id: str, _: Manager, context: Use, response: Response) -> PathView:
    """One path, with the ETag that changing it asks for."""
    path = await context.lessons.path(program_id, path_id)
    response.headers.update(etag(path.version))
    return PathView.of(path)


@router.put("/programs/{program_id}/paths/{path_id}", summary="Change a path", response_model=PathView)
async def change_path(
    program_id: str, path_id: str, body: PathBody, _: Manager, unit: Unit, context: Use, if_match: IfMatch
) -> Response:
    """Its name, its lessons and their order, under the version that was read (`If-Match`)."""
    return await unit.run(
        lambda tx: lessons.change_path(context, tx, program_id, path_id, if_match, body.titles, body.lesson_ids),
        view=PathView.of,
        etag=version_of,
    )


@router.delete("/programs/{program_id}/paths/{path_id}", summary="Remove a path", response_model=PathView)
async def delete_path(program_id: str, path_id: str, _: Manager, unit: Unit, context: Use) -> Response:
    """Its lessons stay."""
    return await unit.run(lambda tx: lessons.delete_path(context, tx, program_id, path_id), view=PathView.of)


# --- learning -----------------------------------------------------------------------------------------------------


@router.get("/programs/{program_id}/learning", summary="What there is to learn", response_model=LearningView)
async def learning(program_id: str, caller: Person, context: Use, language: Language = None) -> LearningView:
    """The published lessons by path, with what the caller completed."""
    return LearningView.of(await queries.lessons.learning(context, program_id, caller.id, language))


@router.get(
    "/programs/{program_id}/learning/{lesson_id}",
    summary="Read a lesson",
    response_model=ReadingView,
    responses=problems(409),
)
async def read_lesson(
    program_id: str, lesson_id: str, caller: Person, context: Use, language: Language = None
) -> ReadingView:
    """A published lesson in the reader's language, with its questions."""
    return ReadingView.of(await queries.lessons.lesson(context, program_id, lesson_id, caller.id, language))


@router.post(
    "/programs/{program_id}/learning/{lesson_id}/answers", summary="Answer a quiz", response_model=AnsweredView
)
async def answer(
    program_id: str, lesson_id: str, body: AnswersBody, caller: Person, unit: Unit, context: Use
) -> Response:
    """Says which answers are right, and why. With all right the lesson is completed; a lesson without questions is
    completed by answering none. An ambassador may try as often as they like; wrong answers leave no trace."""
    answers = [frozenset(one) for one in body.answers]
    return await unit.run(
        lambda tx: lessons.answer(
            context,
            tx,
            program_id,
            lesson_id,
            caller.id,
            edition=body.edition,
            language=body.language,
            answers=answers,
        ),
        view=AnsweredView.of,
    )


@router.get(
    "/programs/{program_id}/learning/paths/{path_id}/certificate",
    summary="A certificate",
    response_model=CertificateView,
    responses=problems(409),
)
async def certificate(
    program_id: str, path_id: str, caller: Person, context: Use, language: Language = None
) -> CertificateView:
    """That the caller completed a path, and when. 409 `path-not-completed` before."""
    return CertificateView.of(await queries.lessons.certificate(context, program_id, path_id, caller.id, language))
