"""What all routes of this service share: the context, the caller, and types of parameters."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from chassis.principals import Principal
from chassis.web.http import requires, service_context
from chassis.web.rights import PERSON
from services.program.context import Context

Use = Annotated[Context, Depends(service_context)]
ProgramReader = Annotated[Principal, requires(PERSON, "herald:programs:read")]
NameReader = Annotated[Principal, requires(PERSON, "herald:names:read")]
Manager = Annotated[Principal, requires("manager")]
Manages = Annotated[Principal, requires("manager", "admin")]
Team = Annotated[Principal, requires("editor", "manager")]
Steers = Annotated[Principal, requires("editor", "manager", "admin")]
Admin = Annotated[Principal, requires("admin")]


Language = Annotated[str | None, Query(max_length=35, description="The reader's; the nearest available one is chosen")]
