"""Which event goes to which projection."""

from __future__ import annotations

from chassis.consumer import Route, on
from chassis.principals import PEOPLE, project_principals
from services.content.context import Context

CONSUMERS: list[Route[Context]] = [
    on(*PEOPLE, do=project_principals),  # who may call, and which programmes' content they see
]
