"""What all routes of this service share: the context, the caller, types of parameters, and cursors."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Query

from chassis.principals import Principal
from chassis.web.http import check_role, decode_cursor, encode_cursor, requires, service_context
from chassis.web.problems import ForeignCursor
from herald_contracts.base import Id, Language
from services.content.context import Context as ContentContext

Context = Annotated[ContentContext, Depends(service_context)]
Editor = Annotated[Principal, requires("editor")]
Steers = Annotated[Principal, requires("editor", "manager")]
SomeEditor = Annotated[Principal, requires("editor", somewhere=True)]
Key = Annotated[str, Path(max_length=128)]


async def _item_editor(item_id: Key, caller: SomeEditor, context: Context) -> Principal:
    check_role(caller, await context.store.program_of_item(item_id), "editor")
    return caller


async def _item_reader(
    item_id: Key, caller: Annotated[Principal, requires("editor", "manager", somewhere=True)], context: Context
) -> Principal:
    check_role(caller, await context.store.program_of_item(item_id), "editor", "manager")
    return caller


async def _feed_editor(feed_id: Key, caller: SomeEditor, context: Context) -> Principal:
    check_role(caller, (await context.store.get_source(feed_id)).program_id, "editor")
    return caller


ItemEditor = Annotated[Principal, Depends(_item_editor)]
ItemReader = Annotated[Principal, Depends(_item_reader)]
FeedEditor = Annotated[Principal, Depends(_feed_editor)]
Program = Annotated[Id | None, Query(description="Only of this programme")]
Wanted = Annotated[Language | None, Query(description="The person's own by default")]
Words = Annotated[str | None, Query(max_length=200, description="Beginnings of words of the title")]


def position_of(cursor: str | None) -> str | None:
    """Where the page of a cursor begins. Raises ForeignCursor."""
    found = decode_cursor(cursor)
    if found is not None and not isinstance(found, str):
        raise ForeignCursor
    return found


def cursor_of(following: str | None) -> str | None:
    """The cursor of the next page, if there is one."""
    return encode_cursor(following) if following is not None else None
