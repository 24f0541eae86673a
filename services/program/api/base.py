"""What all routes of this service share: the context, the caller, and types of parameters."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from chassis.principals import Principal
from chassis.web.http import Caller, requires, service_context
from chassis.web.problems import Forbidden
from services.program.context import Context


async def _person(caller: Caller) -> Principal:
    if caller.id.startswith("client:"):
        raise Forbidden("This is for people, not for machines.", type_="person-needed")
    return caller


Use = Annotated[Context, Depends(service_context)]
Person = Annotated[Principal, Depends(_person)]
Manager = Annotated[Principal, requires("manager")]
Manages = Annotated[Principal, requires("manager", "admin")]
Admin = Annotated[Principal, requires("admin")]


Language = Annotated[str | None, Query(max_length=35, description="The reader's; the nearest available one is chosen")]
