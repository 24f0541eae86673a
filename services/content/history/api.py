"""Routes of the history import."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Response

from chassis.external_rows import OutcomesView
from chassis.principals import Principal
from chassis.web.http import IdempotencyKey, Router, Unit, requires, service_context
from services.content.context import Context
from services.content.history import commands
from services.content.history.schemas import ItemRowsBody, KnownItemsView, NamedItemsBody

router = Router(tags=["history"])


Use = Annotated[Context, Depends(service_context)]
Manager = Annotated[Principal, requires("manager", "admin")]


@router.post("/history/items", summary="Import items of the past", response_model=OutcomesView)
async def import_items(
    body: ItemRowsBody, caller: Manager, context: Use, unit: Unit, idempotency_key: IdempotencyKey = None
) -> Response:
    """Each row is answered by itself; a row that was imported before, or whose address is an item of the programme
    already, changes nothing. Items that are not `shareable` are retired at once and come into no feed."""
    rows = [one.row() for one in body.items]
    return await unit.run(
        lambda tx: commands.import_items(context, tx, caller, body.program_id, body.source, rows, preview=body.preview),
        view=OutcomesView.of,
    )


@router.post("/items/resolve", summary="Find items by address")
async def resolve_items(body: NamedItemsBody, _: Manager, context: Use) -> KnownItemsView:
    """Items of the programme by address, or by their id in a source that was imported; what is not found is left
    out."""
    return KnownItemsView.of(await commands.resolve_items(context, body.program_id, body.source, body.items))
