"""Items as editors write, review and publish them."""

from __future__ import annotations

from fastapi import Response

from chassis.web.http import Cursor, IfMatch, Limit, Router, Unit, check_role, etag, version_of
from services.content import commands
from services.content.api.base import (
    Context,
    ItemEditor,
    ItemReader,
    Key,
    Program,
    SomeEditor,
    Steers,
    Words,
    cursor_of,
    position_of,
)
from services.content.domain.items import State
from services.content.schemas import ItemOrder, Items, ItemView, NoOrder, RejectOrder

router = Router()


@router.post("/items", status_code=201, response_model=ItemView, tags=["items"], summary="Write a draft")
async def create_item(order: ItemOrder, caller: SomeEditor, unit: Unit, context: Context) -> Response:
    check_role(caller, order.program_id, "editor")
    return await unit.run(
        lambda tx: commands.create_item(context, tx, caller.id, order.program_id, order.write),
        view=ItemView.of,
        status=201,
        etag=version_of,
    )


@router.get("/items", tags=["items"], summary="Items, newest first")
async def list_items(
    caller: Steers,
    context: Context,
    program_id: Program = None,
    state: State | None = None,
    query: Words = None,
    cursor: Cursor = None,
    limit: Limit = 20,
) -> Items:
    items, following, total = await context.store.items_page(
        program_id, state, query or None, position_of(cursor), limit
    )
    return Items(items=[ItemView.of(item) for item in items], next=cursor_of(following), total=total)


@router.get("/items/{item_id}", tags=["items"], summary="One item, with its version as ETag")
async def get_item(item_id: Key, caller: ItemReader, context: Context, response: Response) -> ItemView:
    item = await context.store.get_item(item_id)
    response.headers.update(etag(item.version))
    return ItemView.of(item)


@router.put(
    "/items/{item_id}",
    response_model=ItemView,
    tags=["items"],
    summary="Replace the content of an item",
    description="Needs If-Match. A published item stays so and subscribers are told; an approved one goes back to "
    "review; the same words change nothing.",
)
async def revise_item(
    item_id: Key, order: ItemOrder, version: IfMatch, caller: ItemEditor, unit: Unit, context: Context
) -> Response:
    return await unit.run(
        lambda tx: commands.revise_item(context, tx, item_id, version, order.program_id, order.write),
        view=ItemView.of,
        etag=version_of,
    )


@router.post("/items/{item_id}/submit", response_model=ItemView, tags=["items"], summary="Ask for review")
async def submit_item(
    item_id: Key, version: IfMatch, caller: ItemEditor, unit: Unit, context: Context, order: NoOrder | None = None
) -> Response:
    return await unit.run(
        lambda tx: commands.submit_item(context, tx, item_id, version), view=ItemView.of, etag=version_of
    )


@router.post("/items/{item_id}/approve", response_model=ItemView, tags=["items"], summary="Approve it")
async def approve_item(
    item_id: Key, version: IfMatch, caller: ItemEditor, unit: Unit, context: Context, order: NoOrder | None = None
) -> Response:
    return await unit.run(
        lambda tx: commands.approve_item(context, tx, item_id, version, caller.id),
        view=ItemView.of,
        etag=version_of,
    )


@router.post("/items/{item_id}/reject", response_model=ItemView, tags=["items"], summary="Send it back, with a comment")
async def reject_item(
    item_id: Key, order: RejectOrder, version: IfMatch, caller: ItemEditor, unit: Unit, context: Context
) -> Response:
    return await unit.run(
        lambda tx: commands.reject_item(context, tx, item_id, version, caller.id, order.comment),
        view=ItemView.of,
        etag=version_of,
    )


@router.post(
    "/items/{item_id}/publish",
    response_model=ItemView,
    tags=["items"],
    summary="Publish it",
    description="An item in review is approved by the same act.",
)
async def publish_item(
    item_id: Key, version: IfMatch, caller: ItemEditor, unit: Unit, context: Context, order: NoOrder | None = None
) -> Response:
    return await unit.run(
        lambda tx: commands.publish_item(context, tx, item_id, version, caller.id),
        view=ItemView.of,
        etag=version_of,
    )


@router.post("/items/{item_id}/retire", response_model=ItemView, tags=["items"], summary="Retire it")
async def retire_item(
    item_id: Key, version: IfMatch, caller: ItemEditor, unit: Unit, context: Context, order: NoOrder | None = None
) -> Response:
    return await unit.run(
        lambda tx: commands.retire_item(context, tx, item_id, version, "editor"), view=ItemView.of, etag=version_of
    )


@router.post(
    "/items/{item_id}/unpublish", response_model=ItemView, tags=["items"], summary="Take back that it was published"
)
async def unpublish_item(
    item_id: Key, version: IfMatch, caller: ItemEditor, unit: Unit, context: Context, order: NoOrder | None = None
) -> Response:
    """It is approved again. Who shared it in the meantime keeps their post."""
    return await unit.run(
        lambda tx: commands.unpublish_item(context, tx, item_id, version), view=ItemView.of, etag=version_of
    )


@router.post(
    "/items/{item_id}/restore", response_model=ItemView, tags=["items"], summary="Take back that it was retired"
)
async def restore_item(
    item_id: Key, version: IfMatch, caller: ItemEditor, unit: Unit, context: Context, order: NoOrder | None = None
) -> Response:
    """It is published again at its old place in feeds, or a draft if it never was. 422 where it has expired."""
    return await unit.run(
        lambda tx: commands.restore_item(context, tx, item_id, version), view=ItemView.of, etag=version_of
    )
