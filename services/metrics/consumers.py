"""Which event goes to which command or projection."""

from __future__ import annotations

from chassis.consumer import Route, on
from chassis.principals import PEOPLE, project_principals
from herald_contracts import (
    ActRecorded,
    ActWithdrawn,
    AmbassadorJoined,
    AmbassadorLeft,
    AmbassadorPaused,
    AmbassadorResumed,
    CohortJoined,
    CohortLeft,
    CohortStarted,
    ContentPublished,
    ContentRetired,
    ContentUpdated,
    EngagementRecorded,
    LessonCompleted,
    ObjectiveSet,
    PostRemoved,
    PostShared,
    ProgramCreated,
    SurveyClosed,
)
from services.metrics.cohorts.projections import project_cohorts, project_surveys, project_waves
from services.metrics.commands import book_events
from services.metrics.context import Context
from services.metrics.learning.projections import project_lessons
from services.metrics.projections import (
    project_contents,
    project_memberships,
    project_objectives,
    project_programs,
)

CONSUMERS: list[Route[Context]] = [
    on(*PEOPLE, do=project_principals),
    on(ProgramCreated, do=project_programs),
    on(ObjectiveSet, do=project_objectives),
    on(AmbassadorJoined, AmbassadorPaused, AmbassadorResumed, AmbassadorLeft, do=project_memberships),
    on(CohortStarted, do=project_waves),
    on(CohortJoined, CohortLeft, do=project_cohorts),
    on(SurveyClosed, do=project_surveys),
    on(LessonCompleted, do=project_lessons),
    on(ContentPublished, ContentUpdated, ContentRetired, do=project_contents),
    on(PostShared, PostRemoved, EngagementRecorded, do=book_events, inbox="facts"),
    on(ActRecorded, ActWithdrawn, do=book_events, inbox="facts"),
]
