"""What the audit trail tells of the things of this service."""

from __future__ import annotations

from chassis.audit import Audited
from services.program.domain.admission import Admission
from services.program.domain.calendars import Handover
from services.program.domain.company_events import CompanyEvent
from services.program.domain.examples import Example
from services.program.domain.expert_acts import ExpertAct
from services.program.domain.feedback import Feedback
from services.program.domain.identity import Identity
from services.program.domain.imports import Import
from services.program.domain.lessons import Lesson, Path
from services.program.domain.links import InvitationLink
from services.program.domain.mixes import Mix
from services.program.domain.newsletters import Newsletter
from services.program.domain.objectives import Objective
from services.program.domain.people import Person
from services.program.domain.pictures import Picture
from services.program.domain.programs import Program, Text
from services.program.domain.referrals import Referral
from services.program.domain.surveys import Survey
from services.program.domain.tasks import Task
from services.program.domain.waves import Wave

PERSON = Audited(
    "person",
    Person,
    shown=("grants", "program_grants", "active", "accounts", "memberships", "leader", "same_address_as", "merged_into"),
    withheld=(
        "name",
        "email",
        "external_id",
        "country",
        "team",
        "job",
        "level",
        "site",
        "locale",
        "hidden_from_rankings",
        "hidden_from_statistics",
        "weekly_tip",
        "time_zone",
        "holidays",
    ),
    left_out=("id", "version", "locale_chosen", "devices", "code", "created_at", "updated_at"),
)
PROGRAM = Audited(
    "program",
    Program,
    shown=(
        "name",
        "time_zone",
        "languages",
        "open",
        "colour",
        "picture_id",
        "posts_hoped",
        "archived_at",
        "consent_version",
        "guidelines_version",
        "material_version",
    ),
    left_out=("id", "version", "created_at", "updated_at"),
)
_TEXT = {"shown": ("version", "material", "texts", "rules", "quiz"), "left_out": ("program_id", "kind", "published_at")}
TEXTS = {"consent": Audited("consent", Text, **_TEXT), "guidelines": Audited("guidelines", Text, **_TEXT)}
ADMISSION = Audited(
    "admission",
    Admission,
    shown=("nominations", "questions"),
    left_out=("program_id", "version", "updated_at"),
)
INVITATION_LINK = Audited(
    "invitation_link",
    InvitationLink,
    shown=("title", "headlines", "ends_on", "approval", "state"),
    left_out=("id", "program_id", "version", "token", "created_by", "created_at", "updated_at"),
)
OBJECTIVE = Audited(
    "objective",
    Objective,
    shown=(
        "title",
        "use_case",
        "kpi",
        "baseline",
        "baseline_source",
        "target",
        "starts_on",
        "ends_on",
        "owner_id",
        "items",
        "challenges",
        "state",
    ),
    withheld=("learned",),
    left_out=("id", "program_id", "version", "reviewed_by", "reviewed_at", "updated_at"),
)
SURVEY = Audited(
    "survey",
    Survey,
    shown=("title", "opens_on", "closes_on", "enps", "questions", "prompt", "wave_id", "state"),
    left_out=("id", "program_id", "version", "updated_at"),
)
TASK = Audited(
    "task",
    Task,
    shown=("title", "kind", "due_on", "owner_id", "state", "done_by"),
    withheld=("notes",),
    left_out=("id", "program_id", "version", "created_at", "updated_at", "done_at", "template"),
)
HANDOVER = Audited(
    "handover", Handover, withheld=("text",), left_out=("program_id", "version", "updated_at", "written_by"), shown=()
)
MIX = Audited("mix", Mix, shown=("shares",), left_out=("program_id", "version", "updated_at"))
FEEDBACK = Audited(
    "feedback",
    Feedback,
    shown=("kind", "public", "done", "answered_at"),
    withheld=("text", "answer"),
    left_out=(
        "id",
        "program_id",
        "version",
        "person_id",
        "language",
        "created_at",
        "updated_at",
        "item_id",
        "answered_by",
        "seen_at",
        "published_at",
    ),
)
NEWSLETTER = Audited(
    "newsletter",
    Newsletter,
    shown=("state", "segment", "send_on", "send_at", "counts"),
    withheld=("subjects", "blocks"),
    left_out=(
        "id",
        "program_id",
        "version",
        "period_first",
        "period_last",
        "approved_by",
        "begun_at",
        "over_at",
        "reached",
        "expanded",
        "created_at",
        "updated_at",
    ),
)
WAVE = Audited(
    "wave",
    Wave,
    shown=(
        "name",
        "starts_on",
        "ends_on",
        "criteria",
        "targets",
        "state",
        "closed_on",
        "decision",
        "decided_by",
    ),
    withheld=("goal", "changes", "reasons"),
    left_out=("id", "program_id", "version", "started_at", "recorded_by", "decided_at", "updated_at"),
)
LESSON = Audited(
    "lesson",
    Lesson,
    shown=("state", "edition", "draft", "published"),
    left_out=("id", "program_id", "version", "starter", "created_at", "updated_at", "published_at"),
)
PATH = Audited(
    "path",
    Path,
    shown=("titles", "lesson_ids", "position"),
    left_out=("id", "program_id", "version", "starter", "created_at", "updated_at"),
)
EXAMPLE = Audited(
    "example",
    Example,
    shown=("state", "why", "lesson_id", "network", "language"),
    withheld=("text",),
    left_out=("id", "program_id", "version", "author_id", "post_id", "named", "created_at", "updated_at"),
)
IDENTITY = Audited("identity", Identity, shown=("colours", "elements"), left_out=("id", "version", "updated_at"))
PICTURE = Audited(
    "picture",
    Picture,
    shown=("media_type", "width", "height", "size", "used_by"),
    left_out=("id", "program_id", "created_at"),
)
COMPANY_EVENT = Audited(
    "company_event",
    CompanyEvent,
    shown=("title", "place", "starts_at", "ends_at", "audience", "state"),
    left_out=("id", "program_id", "version", "code", "created_at", "updated_at"),
)
EXPERT_ACT = Audited(
    "expert_act",
    ExpertAct,
    shown=("act", "state", "person_id", "act_id"),
    withheld=("title", "link", "reason"),
    left_out=("id", "program_id", "version", "happened_on", "declared_at", "updated_at", "expires_at", "decided_by"),
)
REFERRAL = Audited(
    "referral",
    Referral,
    shown=("state", "person_id", "job_id", "rewarded_at"),
    withheld=("candidate",),
    left_out=(
        "id",
        "program_id",
        "link",
        "version",
        "consented_at",
        "delete_at",
        "created_at",
        "updated_at",
        "referral_act",
        "hire_act",
    ),
)
IMPORT = Audited(
    "import",
    Import,
    shown=("state", "missing", "total", "valid", "new", "changed", "unchanged", "errors_total"),
    left_out=(
        "id",
        "encoding",
        "delimiter",
        "columns",
        "edition",
        "errors",
        "sample",
        "chunks",
        "next_chunk",
        "created",
        "updated",
        "kept",
        "failed",
        "created_by",
        "created_at",
        "confirmed_at",
        "finished_at",
        "touched_at",
    ),
)
