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
of_programs = (programs, pictures, objectives, membership, lessons, surveys, setup, tasks)
for part in (me, history, people, imports, *of_programs, audit):
    router.include_router(part.router)
