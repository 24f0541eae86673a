"""The HTTP interface: parse, call, answer."""

from chassis.web.http import Router
from services.program.api import (
    access,
    admission,
    audit,
    calendars,
    company_events,
    deputies,
    examples,
    expert_acts,
    feedback,
    history,
    identity,
    imports,
    leaders,
    lessons,
    mails,
    me,
    membership,
    newsletters,
    objectives,
    people,
    pictures,
    programs,
    referrals,
    setup,
    surveys,
    tasks,
    waves,
)

router = Router()
of_joining = (membership, admission, leaders, deputies, waves)
of_programs = (programs, pictures, identity, objectives, *of_joining, lessons, examples, surveys, feedback)
of_teams = (setup, tasks, calendars)
of_mails = (newsletters, mails)
of_acts = (expert_acts, referrals, company_events)
for part in (me, access, history, people, imports, *of_programs, *of_teams, *of_mails, *of_acts, audit):
    router.join(part.router)
