"""Herald's events, typed, with their CloudEvents envelope. Needs pydantic and nothing else.

`decode` makes a typed event of a Kafka record, `encode` the reverse; README.md shows a subscriber.
"""

from herald_contracts.audit import AdministrativeActRecorded, FieldChange
from herald_contracts.base import Event
from herald_contracts.content import (
    Caption,
    ContentApproved,
    ContentPublished,
    ContentRejected,
    ContentRetired,
    ContentSubmitted,
    ContentUpdated,
    Targeting,
    Variant,
)
from herald_contracts.envelope import CloudEvent, Record, Undecodable, decode, encode
from herald_contracts.metrics import ObjectiveReached
from herald_contracts.people import (
    AmbassadorInvitationWithdrawn,
    AmbassadorInvited,
    AmbassadorJoined,
    AmbassadorLeft,
    AmbassadorPaused,
    AmbassadorResumed,
    PersonDeactivated,
    PersonProvisioned,
    PersonUpdated,
)
from herald_contracts.program import (
    FeedbackSubmitted,
    GuidelineAcknowledged,
    GuidelinePublished,
    LessonCompleted,
    LessonPublished,
    LessonRetired,
    NewsletterSent,
    ObjectiveReviewed,
    ObjectiveSet,
    ProgramArchived,
    ProgramChanged,
    ProgramCreated,
    ProgramRestored,
    SurveyClosed,
)
from herald_contracts.recognition import PointsAwarded
from herald_contracts.sharing import EngagementRecorded, LinkClicked, PostRemoved, PostShared

__all__ = [
    "AdministrativeActRecorded",
    "AmbassadorInvitationWithdrawn",
    "AmbassadorInvited",
    "AmbassadorJoined",
    "AmbassadorLeft",
    "AmbassadorPaused",
    "AmbassadorResumed",
    "Caption",
    "CloudEvent",
    "ContentApproved",
    "ContentPublished",
    "ContentRejected",
    "ContentRetired",
    "ContentSubmitted",
    "ContentUpdated",
    "EngagementRecorded",
    "Event",
    "FeedbackSubmitted",
    "FieldChange",
    "GuidelineAcknowledged",
    "GuidelinePublished",
    "LessonCompleted",
    "LessonPublished",
    "LessonRetired",
    "LinkClicked",
    "NewsletterSent",
    "ObjectiveReached",
    "ObjectiveReviewed",
    "ObjectiveSet",
    "PersonDeactivated",
    "PersonProvisioned",
    "PersonUpdated",
    "PointsAwarded",
    "PostRemoved",
    "PostShared",
    "ProgramArchived",
    "ProgramChanged",
    "ProgramCreated",
    "ProgramRestored",
    "Record",
    "SurveyClosed",
    "Targeting",
    "Undecodable",
    "Variant",
    "decode",
    "encode",
]
