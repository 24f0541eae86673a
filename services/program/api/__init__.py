"""The HTTP interface: parse, call, answer."""

from chassis.web.http import Router
from services.program.api import (
    audit,
    calendars,
    feedback,
    history,
    identity,
    imports,
    lessons,
    mails,
    me,
    membership,
    newsletters,
    objectives,
    people,
    pictures,
    programs,
    setup,
    surveys,
    tasks,
    waves,
)

router = Router(prefix="/v1")
of_programs = (programs, pictures, identity, objectives, membership, lessons, surveys, waves, feedback)
of_teams = (setup, tasks, calendars)
of_mails = (newsletters, mails)
for part in (me, history, people, imports, *of_programs, *of_teams, *of_mails, audit):
    router.include_router(part.router)
