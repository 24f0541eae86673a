"""What commands and queries work with."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.clock import Clock
from chassis.external_rows import ExternalRows
from chassis.mongo import Mongo
from chassis.offload import Offload
from services.program.domain.templates import Template
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


@dataclass(frozen=True, slots=True)
class Context:
    """Built once, in `app.py`."""

    settings: ProgramSettings
    clock: Clock
    mongo: Mongo
    people: People
    segments: Segments
    headcounts: Headcounts
    teams: Teams
    programs: Programs
    pictures: Pictures
    identities: Identities
    admissions: Admissions
    lessons: Lessons
    examples: Examples
    objectives: Objectives
    imports: Imports
    mails: Mails
    newsletters: Newsletters
    surveys: Surveys
    feedback: FeedbackStore
    tasks: Tasks
    mixes: Mixes
    standings: Standings
    calendars: Calendars
    templates: tuple[Template, ...]
    waves: Waves
    expert_acts: ExpertActs
    company_events: CompanyEvents
    referrals: Referrals
    deputies: Deputies
    first_posts: FirstPosts
    merging: Merging
    history: History
    external_rows: ExternalRows
    audit_trail: AuditTrail
    offload: Offload
