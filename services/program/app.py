"""The composition root."""

from __future__ import annotations

from chassis.clock import Clock
from chassis.consumer import Consumer
from chassis.external_rows import ExternalRows
from chassis.offload import Offload
from chassis.runtime import Runtime
from chassis.service import Service
from services.program.api import router
from services.program.api.imports import MAX_FILE
from services.program.api.mails import MAX_REPORT
from services.program.consumers import CONSUMERS
from services.program.context import Context
from services.program.domain.pictures import MAX_FILE as MAX_PICTURE
from services.program.jobs import jobs
from services.program.mail.jobs import mail_jobs
from services.program.settings import ProgramSettings
from services.program.store.admission import Admissions
from services.program.store.audit import AuditTrail
from services.program.store.calendars import Calendars
from services.program.store.company_events import CompanyEvents
from services.program.store.deputies import Deputies
from services.program.store.examples import Examples
from services.program.store.expert_acts import ExpertActs
from services.program.store.feedback import FeedbackStore
from services.program.store.first_posts import FirstPosts
from services.program.store.headcounts import Headcounts
from services.program.store.history import History
from services.program.store.identities import Identities
from services.program.store.imports import Imports
from services.program.store.lessons import Lessons
from services.program.store.mails import Mails
from services.program.store.merging import Merging
from services.program.store.newsletters import Newsletters
from services.program.store.objectives import Objectives
from services.program.store.people import People
from services.program.store.pictures import Pictures
from services.program.store.programs import Programs
from services.program.store.referrals import Referrals
from services.program.store.segments import Segments
from services.program.store.standings import Standings
from services.program.store.surveys import Surveys
from services.program.store.tasks import Mixes, Tasks
from services.program.store.teams import Teams
from services.program.store.waves import Waves
from services.program.templates import load_templates


def build(settings: ProgramSettings, *, clock: Clock | None = None) -> Service:
    """The service `program`; nothing is connected yet. Raises TemplateError."""
    runtime = Runtime("program", settings, clock=clock)
    context = Context(
        settings=settings,
        clock=runtime.clock,
        mongo=runtime.mongo,
        people=People(runtime.mongo),
        segments=Segments(runtime.mongo),
        headcounts=Headcounts(runtime.mongo),
        teams=Teams(runtime.mongo),
        programs=Programs(runtime.mongo),
        pictures=Pictures(runtime.mongo),
        identities=Identities(runtime.mongo),
        admissions=Admissions(runtime.mongo),
        lessons=Lessons(runtime.mongo),
        examples=Examples(runtime.mongo),
        objectives=Objectives(runtime.mongo),
        imports=Imports(runtime.mongo),
        mails=Mails(runtime.mongo),
        newsletters=Newsletters(runtime.mongo),
        surveys=Surveys(runtime.mongo),
        feedback=FeedbackStore(runtime.mongo),
        tasks=Tasks(runtime.mongo),
        mixes=Mixes(runtime.mongo),
        standings=Standings(runtime.mongo),
        calendars=Calendars(runtime.mongo),
        templates=load_templates(settings.program_templates),
        waves=Waves(runtime.mongo),
        expert_acts=ExpertActs(runtime.mongo),
        company_events=CompanyEvents(runtime.mongo),
        referrals=Referrals(runtime.mongo),
        deputies=Deputies(runtime.mongo),
        first_posts=FirstPosts(runtime.mongo),
        merging=Merging(runtime.mongo),
        history=History(runtime.mongo),
        external_rows=ExternalRows(runtime.mongo),
        audit_trail=AuditTrail(runtime.mongo),
        offload=Offload(),
    )

    async def ensure_indexes() -> None:
        stores = (context.people, context.teams, context.programs, context.pictures, context.objectives)
        others = (context.imports, context.history, context.surveys, context.lessons, context.examples)
        mails = (context.feedback, context.mails, context.newsletters, context.admissions)
        acts = (context.expert_acts, context.referrals, context.company_events)
        leading = (context.deputies, context.first_posts)
        more = (context.waves, context.tasks, context.standings, context.calendars, context.audit_trail)
        for store in (*stores, *others, *mails, *acts, *leading, *more):
            await store.ensure_indexes()

    return Service(
        name="program",
        runtime=runtime,
        description="People of the company, and the programmes in which they take part of their own free will.",
        router=router,
        context=context,
        principals=context.people,
        consumer=Consumer(context, CONSUMERS),
        jobs=[*jobs(context), *mail_jobs(context, runtime.telemetry)],
        ensure_indexes=ensure_indexes,
        max_body={"/v1/imports": MAX_FILE, "/v1/pictures": MAX_PICTURE, "/v1/mail/reports": MAX_REPORT},
    )
