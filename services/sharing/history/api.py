"""Routes of the history import."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Response

from chassis.external_rows import OutcomesView
from chassis.principals import Principal
from chassis.web.http import IdempotencyKey, Router, Unit, requires, service_context
from chassis.web.statuses import problems
from services.sharing.context import Context
from services.sharing.history import commands
from services.sharing.history.schemas import EngagementRowsBody, PostRowsBody

router = Router(prefix="/history", tags=["history"])


Use = Annotated[Context, Depends(service_context)]
Manager = Annotated[Principal, requires("manager", "admin")]


@router.post("/posts", summary="Import posts of the past", response_model=OutcomesView, responses=problems(404))
async def import_posts(
    body: PostRowsBody, caller: Manager, context: Use, unit: Unit, idempotency_key: IdempotencyKey = None
) -> Response:
    """Each row is answered by itself; a row that was imported before changes nothing. The posts are marked `imported`,
    count in the figures of their days, and earn points only where the programme's rules say so."""
    rows = [one.row() for one in body.items]
    return await unit.run(
        lambda tx: commands.import_posts(context, tx, caller, body.program_id, body.source, rows, preview=body.preview),
        view=OutcomesView.of,
    )


@router.post(
    "/engagements",
    summary="Import what posts of the past brought",
    response_model=OutcomesView,
    responses=problems(404),
)
async def import_engagements(
    body: EngagementRowsBody, caller: Manager, context: Use, unit: Unit, idempotency_key: IdempotencyKey = None
) -> Response:
    """Of posts that were imported from the same source: what was counted since the row before."""
    rows = [one.row() for one in body.items]
    return await unit.run(
        lambda tx: commands.import_engagements(
            context, tx, caller, body.program_id, body.source, rows, preview=body.preview
        ),
        view=OutcomesView.of,
    )
