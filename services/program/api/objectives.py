"""What a programme wants to reach: set, changed, reviewed, withdrawn."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from chassis.web.http import Cursor, IfMatch, Limit, Person, Router, Unit, etag, version_of
from services.program import queries
from services.program.api.base import Manager, ProgramReader, Use
from services.program.commands import objectives
from services.program.domain.objectives import ObjectiveState
from services.program.schemas.objectives import NewObjective, ObjectivesView, ObjectiveView, Review

router = Router(prefix="/programs/{program_id}/objectives", tags=["objectives"])


@router.get("", summary="List objectives", response_model=ObjectivesView)
async def list_objectives(
    program_id: str,
    _: ProgramReader,
    context: Use,
    query: Annotated[
        str | None, Query(max_length=200, description="Beginnings of words of the title, or of what was learned")
    ] = None,
    state: Annotated[ObjectiveState | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> ObjectivesView:
    """What the programme wants to reach, what ends first first; in one state, or in all."""
    found, following, total = await queries.objectives.page(context, program_id, query or None, state, cursor, limit)
    return ObjectivesView(items=[ObjectiveView.model_validate(one) for one in found], next=following, total=total)


@router.post("", summary="Set an objective", response_model=ObjectiveView, status_code=201)
async def set_objective(program_id: str, body: NewObjective, _: Manager, unit: Unit, context: Use) -> Response:
    """A further objective; at most 20 are open at once."""
    return await unit.run(
        lambda tx: objectives.set_objective(context, tx, program_id, body.values()),
        view=ObjectiveView.model_validate,
        status=201,
        etag=version_of,
    )


@router.get("/{objective_id}", summary="An objective", response_model=ObjectiveView)
async def get_objective(
    program_id: str, objective_id: str, _: ProgramReader, context: Use, response: Response
) -> ObjectiveView:
    """One objective, with the ETag that changing it asks for. How far it is, `metrics` says."""
    objective = await context.objectives.get(program_id, objective_id)
    response.headers.update(etag(objective.version))
    return ObjectiveView.model_validate(objective)


@router.put("/{objective_id}", summary="Change an objective", response_model=ObjectiveView)
async def change_objective(
    program_id: str, objective_id: str, body: NewObjective, _: Manager, unit: Unit, context: Use, if_match: IfMatch
) -> Response:
    """The whole of an open objective, under the version that was read (`If-Match`). 409 `objective-closed` where it
    was reviewed or withdrawn."""
    return await unit.run(
        lambda tx: objectives.change_objective(context, tx, program_id, objective_id, if_match, body.values()),
        view=ObjectiveView.model_validate,
        etag=version_of,
    )


@router.post("/{objective_id}/review", summary="Review an objective", response_model=ObjectiveView)
async def review_objective(
    program_id: str, objective_id: str, body: Review, caller: Person, unit: Unit, context: Use
) -> Response:
    """What was learned, by its owner or a manager, from the day after its last one on (409 `objective-not-over`
    before). Repeating it changes nothing; other words replace those of before."""
    return await unit.run(
        lambda tx: objectives.review_objective(context, tx, program_id, objective_id, body.learned, caller),
        view=ObjectiveView.model_validate,
        etag=version_of,
    )


@router.post("/{objective_id}/withdraw", summary="Withdraw an objective", response_model=ObjectiveView)
async def withdraw_objective(program_id: str, objective_id: str, _: Manager, unit: Unit, context: Use) -> Response:
    """It is pursued no longer; its figures stay. Repeating it changes nothing."""
    return await unit.run(
        lambda tx: objectives.withdraw_objective(context, tx, program_id, objective_id),
        view=ObjectiveView.model_validate,
        etag=version_of,
    )


@router.post("/{objective_id}/reopen", summary="Take back a withdrawal", response_model=ObjectiveView)
async def reopen_objective(program_id: str, objective_id: str, _: Manager, unit: Unit, context: Use) -> Response:
    """A withdrawn objective is pursued again. Repeating it changes nothing."""
    return await unit.run(
        lambda tx: objectives.reopen_objective(context, tx, program_id, objective_id),
        view=ObjectiveView.model_validate,
        etag=version_of,
    )
