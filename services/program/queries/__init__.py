"""The read side, by subject: `queries.people.page(...)`."""

from services.program.queries import (
    admission,
    audit,
    calendars,
    feedback,
    identity,
    leaders,
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
    "admission",
    "audit",
    "calendars",
    "feedback",
    "identity",
    "leaders",
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
