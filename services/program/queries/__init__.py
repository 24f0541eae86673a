"""The read side, by subject: `queries.people.page(...)`."""

from services.program.queries import (
    audit,
    calendars,
    feedback,
    identity,
    lessons,
    mails,
    newsletters,
    objectives,
    people,
    programs,
    setup,
    surveys,
    tasks,
    waves,
)

__all__ = [
    "audit",
    "calendars",
    "feedback",
    "identity",
    "lessons",
    "mails",
    "newsletters",
    "objectives",
    "people",
    "programs",
    "setup",
    "surveys",
    "tasks",
    "waves",
]
