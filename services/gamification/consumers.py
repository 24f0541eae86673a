"""Which event goes to which projection or command."""

from __future__ import annotations

from chassis.consumer import Route, on
from chassis.principals import PEOPLE, project_principals
from herald_contracts import (
    ActRecorded,
    ActWithdrawn,
    EngagementRecorded,
    LessonCompleted,
    PostRemoved,
    PostShared,
    ProgramCreated,
)
from services.gamification.context import Context
from services.gamification.projections import book_events, project_programs

CONSUMERS: list[Route[Context]] = [
    on(*PEOPLE, do=project_principals),
    on(ProgramCreated, do=project_programs),
    on(PostShared, PostRemoved, EngagementRecorded, LessonCompleted, do=book_events),
    on(ActRecorded, ActWithdrawn, do=book_events),
]
