"""The HTTP interface: parse, call, answer."""

from chassis.web.http import Router
from services.program.api import (
    audit,
    feedback,
    history,
    identity,
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
of_programs = (programs, pictures, identity, objectives, membership, lessons, surveys, feedback, setup, tasks)
for part in (me, history, people, imports, *of_programs, audit):
    router.include_router(part.router)
