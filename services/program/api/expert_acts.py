"""Talks, articles and podcasts of ambassadors: declared, confirmed, withdrawn."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from chassis.web.http import Cursor, Limit, Person, Router, Unit
from services.program import queries
from services.program.api.base import Manager, Manages, Use
from services.program.commands import expert_acts
from services.program.domain.expert_acts import ExpertActState
from services.program.schemas.expert_acts import ExpertActBody, ExpertActsView, ExpertActView, RefusalBody, view

router = Router(prefix="/programs/{program_id}/expert-acts", tags=["acts"])


@router.get("", summary="List expert acts", response_model=ExpertActsView)
async def list_expert_acts(
    program_id: str,
    _: Manages,
    context: Use,
    query: Annotated[str | None, Query(max_length=200, description="Beginnings of words of the title")] = None,
    state: Annotated[ExpertActState | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> ExpertActsView:
    """What ambassadors declared, the newest first; in one state, or in all."""
    found = await queries.expert_acts.page(
        context, program_id, state=state, query=query or None, cursor=cursor, limit=limit
    )
    return ExpertActsView.of(found)


@router.get("/mine", summary="My expert acts", response_model=ExpertActsView)
async def my_expert_acts(
    program_id: str, caller: Person, context: Use, cursor: Cursor = None, limit: Limit = 50
) -> ExpertActsView:
    """What the caller declared, the newest first."""
    return ExpertActsView.of(
        await queries.expert_acts.page(context, program_id, person_id=caller.id, cursor=cursor, limit=limit)
    )


@router.post("", summary="Declare an expert act", response_model=ExpertActView, status_code=201)
async def declare(program_id: str, body: ExpertActBody, caller: Person, unit: Unit, context: Use) -> Response:
    """A talk, an article or a podcast of the last year, with a link that everybody can follow. A manager confirms it
    before it counts. For ambassadors: 409 `not-a-member`; 409 `already-declared` for a link that waits or counts;
    409 `lesson-not-completed` (with `lesson_id`) before a lesson that declaring requires."""
    return await unit.run(
        lambda tx: expert_acts.declare(context, tx, program_id, caller.id, **dict(body)), view=view, status=201
    )


@router.post("/{expert_act_id}/withdraw", summary="Withdraw an expert act", response_model=ExpertActView)
async def withdraw(program_id: str, expert_act_id: str, caller: Person, unit: Unit, context: Use) -> Response:
    """One's own, for good; what it earned is taken back. Repeating it changes nothing."""
    return await unit.run(lambda tx: expert_acts.withdraw(context, tx, program_id, expert_act_id, caller.id), view=view)


@router.post("/{expert_act_id}/confirm", summary="Confirm an expert act", response_model=ExpertActView)
async def confirm(program_id: str, expert_act_id: str, caller: Manager, unit: Unit, context: Use) -> Response:
    """It counts from now on (`ActRecorded`). 409 `expert-act-not-declared` for what was decided otherwise; nobody
    confirms their own. Repeating it changes nothing."""
    return await unit.run(
        lambda tx: expert_acts.confirm(context, tx, program_id, expert_act_id, by=caller.id), view=view
    )


@router.post("/{expert_act_id}/refuse", summary="Refuse an expert act", response_model=ExpertActView)
async def refuse(
    program_id: str, expert_act_id: str, body: RefusalBody, caller: Manager, unit: Unit, context: Use
) -> Response:
    """It does not count, and its ambassador reads why. Repeating it changes nothing."""
    return await unit.run(
        lambda tx: expert_acts.refuse(context, tx, program_id, expert_act_id, by=caller.id, reason=body.reason),
        view=view,
    )


@router.post("/{expert_act_id}/reopen", summary="Take a decision back", response_model=ExpertActView)
async def reopen(program_id: str, expert_act_id: str, _: Manager, unit: Unit, context: Use) -> Response:
    """It waits for a decision once more; what counted does so no more (`ActWithdrawn`). Repeating it changes
    nothing."""
    return await unit.run(lambda tx: expert_acts.reopen(context, tx, program_id, expert_act_id), view=view)
