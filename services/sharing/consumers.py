"""Which event goes to which command or projection; sharing's own clicks are among them."""

from __future__ import annotations

from chassis.consumer import Route, on
from chassis.principals import PEOPLE, project_principals
from herald_contracts import (
    ContentPublished,
    ContentRetired,
    ContentUpdated,
    GuidelineAcknowledged,
    GuidelinePublished,
    LessonCompleted,
    LessonPublished,
    LessonRetired,
    LinkClicked,
    ProgramArchived,
    ProgramCreated,
    ProgramRestored,
)
from services.sharing.commands import record_clicks
from services.sharing.context import Context
from services.sharing.projections import project_archive, project_contents, project_lessons, project_programs

CONSUMERS: list[Route[Context]] = [
    on(*PEOPLE, do=project_principals),
    on(ProgramCreated, GuidelinePublished, GuidelineAcknowledged, do=project_programs),
    on(LessonPublished, LessonRetired, LessonCompleted, do=project_lessons),
    on(ProgramArchived, ProgramRestored, do=project_archive),
    on(ContentPublished, ContentUpdated, ContentRetired, do=project_contents),
    on(LinkClicked, do=record_clicks),
]
