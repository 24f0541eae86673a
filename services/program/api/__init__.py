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
    surveys,
)

router = Router(prefix="/v1")
for part in (me, history, people, imports, programs, pictures, objectives, membership, lessons, surveys, audit):
    router.include_router(part.router)
