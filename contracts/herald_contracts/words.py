"""Open words: values that will grow, as a pattern and a list of those known today.

A word of these types may take a value that is not listed at any time, in the same version of the event. Keep and show
an unknown value as it is, and count it nowhere; never refuse it. JSON Schema says the same by a `pattern` and
`x-known-values`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

PATTERN: Final = r"^[a-z][a-z0-9_-]*$"
MAX_LENGTH: Final = 64
KNOWN_VALUES: Final = "x-known-values"


@dataclass(frozen=True, slots=True)
class OpenWord:
    """Makes `Annotated[str, OpenWord(...)]` of a string: lower-case letters, digits, `_` and `-`, at most 64."""

    known: tuple[str, ...]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.str_schema(pattern=PATTERN, max_length=MAX_LENGTH)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), KNOWN_VALUES: list(self.known)}


NETWORKS: Final = ("linkedin", "x", "facebook", "whatsapp", "email", "device")
CONTENT_KINDS: Final = (
    "article",
    "link",
    "image",
    "video",
    "podcast",
    "infographic",
    "document",
    "job_offer",
    "event",
)
CATEGORIES: Final = (
    "company_news",
    "sector_news",
    "behind_the_scenes",
    "thought_leadership",
    "local_news",
    "jobs",
)
CONTENT_ORIGINS: Final = ("editor", "feed", "imported")
RETIRE_REASONS: Final = ("editor", "expired", "imported", "unpublished")
ROLES: Final = ("ambassador", "editor", "manager", "admin")
PERSON_ORIGINS: Final = ("import", "sign_in", "provisioning")
MEMBERSHIP_ORIGINS: Final = ("herald", "imported")
LEAVE_REASONS: Final = ("left", "deactivated")
USE_CASES: Final = ("employer_brand", "awareness", "recruiting", "social_selling", "culture")
KPIS: Final = (
    "shares",
    "clicks",
    "active_ambassadors",
    "participation_rate",
    "earned_media_value",
    "engagements",
    "impressions",
    "leader_participation",
    "expert_acts",
    "referrals",
    "hires",
    "event_attendances",
    "lessons_completed",
)
BASELINE_SOURCES: Final = ("given", "measured")
COHORT_LEAVE_REASONS: Final = ("left", "deactivated", "withdrawn")
DECISIONS: Final = ("go", "no_go")
DIGEST_BLOCKS: Final = ("text", "results", "posts", "content", "tip", "thanks", "answers", "done")
OBJECTIVE_STATES: Final = ("open", "reviewed", "withdrawn")
AGENTS: Final = ("browser", "bot", "prefetch")
VERDICTS: Final = ("counted", "bot", "prefetch", "repeat", "self", "scanner")
ENGAGEMENT_KINDS: Final = ("click", "like", "comment", "repost", "impression")
MEASURES: Final = ("measured", "estimated", "potential", "imported")
METHODS: Final = ("dialog", "api", "imported")
REMOVAL_REASONS: Final = ("ambassador", "takedown")
ACTS: Final = ("talk", "article", "podcast", "referral", "hire", "event", "event_speaker")
ACT_WITHDRAWALS: Final = ("ambassador", "manager")
RULES: Final = ("share", "click", "like", "comment", "repost", "lesson", *ACTS)
RIGHTS: Final = ("share", "expert_act")
AUDITED_SERVICES: Final = ("content", "gamification", "metrics", "program", "sharing")
AUDITED_OBJECTS: Final = (
    "admission",
    "audit_trail",
    "company_event",
    "consumer",
    "database",
    "dead_letters",
    "event",
    "example",
    "expert_act",
    "feed",
    "feedback",
    "guardrails",
    "guidelines",
    "handover",
    "consent",
    "identity",
    "import",
    "invitation_link",
    "item",
    "lesson",
    "mix",
    "newsletter",
    "objective",
    "path",
    "people",
    "person",
    "picture",
    "program",
    "rates",
    "rebuild",
    "referral",
    "rules",
    "survey",
    "task",
    "wave",
)
ADMINISTRATIVE_ACTS: Final = (
    "add_feed",
    "add_feed_entries",
    "add_picture",
    "add_starter_lessons",
    "answer_feedback",
    "apply_template",
    "approve_application",
    "approve_item",
    "approve_newsletter",
    "archive_program",
    "become_first_admin",
    "cancel_event",
    "change_admission",
    "change_event",
    "change_example",
    "change_lesson",
    "change_newsletter",
    "change_path",
    "change_program",
    "change_rules",
    "change_survey",
    "change_task",
    "change_wave",
    "choose_import_columns",
    "close_survey",
    "confirm_expert_act",
    "confirm_import",
    "create_example",
    "create_invitation_link",
    "create_item",
    "create_lesson",
    "create_newsletter",
    "create_path",
    "create_program",
    "create_survey",
    "create_task",
    "create_wave",
    "deactivate_person",
    "decide_wave",
    "delete_feed",
    "delete_newsletter",
    "delete_path",
    "delete_survey",
    "delete_task",
    "delete_wave",
    "discard_event",
    "drop_dead_letters",
    "end_devices",
    "export_audit_trail",
    "export_people",
    "finish_task",
    "import_engagements",
    "import_items",
    "import_memberships",
    "import_posts",
    "invite_people",
    "issue_code",
    "merge_person",
    "note_speaker",
    "open_survey",
    "pause_feed",
    "plan_event",
    "preview_import",
    "publish_consent",
    "publish_guidelines",
    "publish_item",
    "publish_lesson",
    "reactivate_person",
    "recover",
    "refresh_feed",
    "refuse_expert_act",
    "reject_application",
    "reject_item",
    "reopen_expert_act",
    "reopen_invitation_link",
    "reopen_objective",
    "reopen_task",
    "reopen_wave",
    "replay_dead_letters",
    "request_rebuild",
    "restore_event",
    "restore_guardrails",
    "restore_item",
    "restore_program",
    "resume_consumer",
    "resume_feed",
    "retire_example",
    "retire_item",
    "retire_lesson",
    "retry_event",
    "review_objective",
    "revise_item",
    "reward_referral",
    "schedule_newsletter",
    "set_guardrails",
    "set_identity",
    "set_mix",
    "set_objective",
    "set_rates",
    "share_calendar",
    "show_example",
    "start_wave",
    "stop_newsletter",
    "submit_item",
    "test_newsletter",
    "unnote_speaker",
    "unpublish_item",
    "unreward_referral",
    "unschedule_newsletter",
    "unshare_calendar",
    "update_person",
    "withdraw_invitation_link",
    "withdraw_invitations",
    "withdraw_objective",
    "withdraw_survey",
    "withdraw_template",
    "withdraw_wave",
    "write_handover",
)

Network = Annotated[str, OpenWord(NETWORKS)]
ContentKind = Annotated[str, OpenWord(CONTENT_KINDS)]
Category = Annotated[str, OpenWord(CATEGORIES)]
ContentOrigin = Annotated[str, OpenWord(CONTENT_ORIGINS)]
RetireReason = Annotated[str, OpenWord(RETIRE_REASONS)]
Role = Annotated[str, OpenWord(ROLES)]
PersonOrigin = Annotated[str, OpenWord(PERSON_ORIGINS)]
MembershipOrigin = Annotated[str, OpenWord(MEMBERSHIP_ORIGINS)]
LeaveReason = Annotated[str, OpenWord(LEAVE_REASONS)]
CohortLeaveReason = Annotated[str, OpenWord(COHORT_LEAVE_REASONS)]
Decision = Annotated[str, OpenWord(DECISIONS)]
DigestBlock = Annotated[str, OpenWord(DIGEST_BLOCKS)]
UseCase = Annotated[str, OpenWord(USE_CASES)]
Kpi = Annotated[str, OpenWord(KPIS)]
BaselineSource = Annotated[str, OpenWord(BASELINE_SOURCES)]
ObjectiveState = Annotated[str, OpenWord(OBJECTIVE_STATES)]
Agent = Annotated[str, OpenWord(AGENTS)]
Verdict = Annotated[str, OpenWord(VERDICTS)]
EngagementKind = Annotated[str, OpenWord(ENGAGEMENT_KINDS)]
Measure = Annotated[str, OpenWord(MEASURES)]
Method = Annotated[str, OpenWord(METHODS)]
RemovalReason = Annotated[str, OpenWord(REMOVAL_REASONS)]
Act = Annotated[str, OpenWord(ACTS)]
ActWithdrawal = Annotated[str, OpenWord(ACT_WITHDRAWALS)]
Rule = Annotated[str, OpenWord(RULES)]
Right = Annotated[str, OpenWord(RIGHTS)]
AuditedService = Annotated[str, OpenWord(AUDITED_SERVICES)]
AuditedObject = Annotated[str, OpenWord(AUDITED_OBJECTS)]
AdministrativeAct = Annotated[str, OpenWord(ADMINISTRATIVE_ACTS)]
