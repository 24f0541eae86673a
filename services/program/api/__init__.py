"""The HTTP interface: parse, call, answer."""

from chassis.web.http import Router
from services.program.api import (
    audit,
    history,
    imports,
    lessons,
    me,
    membership,
    objectives,
    people,
    pictures,
    programs,
    setup,
    surveys,
    tasks,
)

router = Router(prefix="/v1")
parts = (
    me,
    history,
    people,
    imports,
    programs,
    pictures,
    objectives,
    membership,
    lessons,
    surveys,
    setup,
    tasks,
    audit,
)
for part in parts:
    router.include_router(part.router)
