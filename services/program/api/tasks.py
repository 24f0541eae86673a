"""The tasks of a programme's team."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from chassis.web.http import Cursor, IfMatch, Limit, Router, Unit, etag, version_of
from services.program import queries
from services.program.api.base import Team, Use
from services.program.commands import tasks
from services.program.domain.tasks import TaskState
from services.program.schemas.tasks import TaskBody, TasksView, TaskView

router = Router(prefix="/programs/{program_id}/tasks", tags=["team"])


@router.get("", summary="List tasks", response_model=TasksView)
async def list_tasks(
    program_id: str,
    _: Team,
    context: Use,
    state: Annotated[TaskState | None, Query()] = None,
    owner_id: Annotated[str | None, Query(max_length=128)] = None,
    query: Annotated[str | None, Query(max_length=200, description="Beginnings of words of title and notes")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> TasksView:
    """What the team has to do, what is due first first; in one state or in all, of one person or of all."""
    return TasksView.of(await queries.tasks.page(context, program_id, state, owner_id, query or None, cursor, limit))


@router.post("", summary="Add a task", response_model=TaskView, status_code=201)
async def create_task(program_id: str, body: TaskBody, _: Team, unit: Unit, context: Use) -> Response:
    """A further task; a programme has at most 500."""
    return await unit.run(
        lambda tx: tasks.create_task(context, tx, program_id, body.values()),
        view=TaskView.model_validate,
        status=201,
        etag=version_of,
    )


@router.get("/{task_id}", summary="A task", response_model=TaskView)
async def get_task(program_id: str, task_id: str, _: Team, context: Use, response: Response) -> TaskView:
    """One task, with the ETag that changing it asks for."""
    task = await context.tasks.get(program_id, task_id)
    response.headers.update(etag(task.version))
    return TaskView.model_validate(task)


@router.put("/{task_id}", summary="Change a task", response_model=TaskView)
async def change_task(
    program_id: str, task_id: str, body: TaskBody, _: Team, unit: Unit, context: Use, if_match: IfMatch
) -> Response:
    """The whole of a task, under the version that was read (`If-Match`)."""
    return await unit.run(
        lambda tx: tasks.change_task(context, tx, program_id, task_id, if_match, body.values()),
        view=TaskView.model_validate,
        etag=version_of,
    )


@router.post("/{task_id}/finish", summary="Say that a task is done", response_model=TaskView)
async def finish_task(program_id: str, task_id: str, caller: Team, unit: Unit, context: Use) -> Response:
    """Whoever says so did it. Repeating it changes nothing."""
    return await unit.run(
        lambda tx: tasks.finish_task(context, tx, program_id, task_id, caller.id),
        view=TaskView.model_validate,
        etag=version_of,
    )


@router.post("/{task_id}/reopen", summary="Take back that a task is done", response_model=TaskView)
async def reopen_task(program_id: str, task_id: str, _: Team, unit: Unit, context: Use) -> Response:
    """It is to be done again. Repeating it changes nothing."""
    return await unit.run(
        lambda tx: tasks.reopen_task(context, tx, program_id, task_id),
        view=TaskView.model_validate,
        etag=version_of,
    )


@router.delete("/{task_id}", summary="Delete a task", response_model=TaskView)
async def delete_task(program_id: str, task_id: str, _: Team, unit: Unit, context: Use) -> Response:
    """It is gone. What a template set comes back where that is applied again."""
    return await unit.run(lambda tx: tasks.delete_task(context, tx, program_id, task_id), view=TaskView.model_validate)
