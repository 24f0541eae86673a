"""The read side, by subject: `queries.people.page(...)`."""

from services.program.queries import audit, lessons, people, programs, surveys

__all__ = ["audit", "lessons", "people", "programs", "surveys"]
